"""Rebuilds the texts of a dataset that was published without them, from WARC files or by asking the publishers again.

Each row says in `content_sha256` from which page it came: a page with that digest gives the very text that was left
out; another page at the same address is a changed one.
"""

import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.extract import ExtractOptions, extract
from cleaning.schema import CONFIGS, Extraction, Page
from cleaning.urls import canonical
from flows.config import RECIPE_NAME, Dataset, LimitsSection, load_dataset_config
from flows.crawling import crawl
from flows.destination import LocalFolder
from flows.errors import InputError, LikewiseError, RecipeError
from flows.inputs import warc_files, warc_pages
from flows.manifest import Manifest, Policy, Shard
from flows.publishing.changes import SCHEMAS
from flows.publishing.publish import publish_version
from flows.publishing.shards import Shelf
from flows.runs import Run, start_run, write_text
from flows.stages import default_workers, own_warc_files
from flows.tables import conform
from flows.watching import SILENT, Watcher
from flows.workers import clean_pages

RUN = "hydrate"
STATUS_NAME = "hydration.json"
_SEED = "seed.txt"
_SEED_TEXT = """\
Nothing is judged by this text: these pages were chosen by whoever published the dataset, and their addresses are asked
for whatever they say. Every recipe names a seed, though, and the crawl compares articles with it, so here is one that
has enough words for a topic of its own: harbour, lighthouse, orchard, violin, glacier, saddle, pottery, lantern.
"""
_MINUTES_A_PAGE = 1.0
_URLS = ["id", "url", "content_sha256"]


@dataclass(frozen=True, slots=True)
class Hydrated:
    """What became of the rows: by status (`same`, `changed`, `gone`) their number, and where the dataset lies.

    The status of each row is in `hydration.json` there: `same` rows have their text; of `changed` rows the page is
    another by now; of `gone` ones there is none.
    """

    folder: Path
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Published:
    """A dataset to hydrate, wherever fsspec reads from: its name and the shards of each config."""

    name: str
    files: Any
    shards: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def at(cls, place: str) -> "Published":
        """The dataset of a recipe, in a folder, or at an fsspec URL (s3://, hf://datasets/...).

        Raises:
            InputError: there is none.
        """
        with suppress(RecipeError):  # a folder or an address of somebody else has no recipe
            place = str(load_dataset_config(place).folder)
        files, root = fsspec.url_to_fs(place)  # type: ignore[no-untyped-call]
        shards = {config: sorted(files.glob(f"{root}/data/{config}-*.parquet")) for config in CONFIGS}
        if not shards["articles"]:
            raise InputError(f"{place}: no data/articles-*.parquet in there.", "Give a dataset's name, folder or URL.")
        return cls(Path(root).name, files, shards)

    def tables(self, config: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows of a config, shard by shard."""
        for path in self.shards[config]:
            with self.files.open(path) as file:
                yield pq.read_table(file, columns=list(columns) if columns else None, partitioning=None)

    def wanted(self) -> tuple[set[str], set[str]]:
        """The addresses and the digests of all articles' pages."""
        rows = [row for table in self.tables("articles", _URLS) for row in table.to_pylist()]
        return {row["url"] for row in rows}, {row["content_sha256"] for row in rows}


class _Texts:
    """The texts of pages, on the disk: by digest, or by address where the page is another."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path)
        self._db.execute("CREATE TABLE pages (sha256 TEXT, url TEXT, text TEXT, words INTEGER)")
        for name in ("sha256", "url"):
            self._db.execute(f"CREATE INDEX by_{name} ON pages ({name})")

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def add(self, pages: Iterable[Extraction]) -> None:
        """Adds the texts of pages that have one."""
        rows = ((page.content_sha256, page.url, page.text, page.word_count) for page in pages if page.text)
        self._db.executemany("INSERT INTO pages VALUES (?, ?, ?, ?)", rows)
        self._db.commit()

    def of(self, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The status of a row, and the columns that its page gives."""
        for status, column, value in (("same", "sha256", row["content_sha256"]), ("changed", "url", row["url"])):
            sql = f"SELECT text, words, sha256 FROM pages WHERE {column} = ? ORDER BY rowid DESC LIMIT 1"
            if found := self._db.execute(sql, [value]).fetchone():
                return status, dict(zip(("text", "word_count", "content_sha256"), found, strict=True))
        return "gone", {}


def hydrate(
    place: str,
    folder: Path,
    warc: Sequence[Path] = (),
    contact: str = "",
    keep_changed: bool = False,
    watcher: Watcher = SILENT,
) -> Hydrated:
    """Writes a dataset with whole texts.

    Args:
        place: the dataset whose texts are missing, as `Published.at` takes it.
        folder: where the dataset with texts goes.
        warc: WARC files, or folders of them, to take the pages from; without any, the addresses are fetched, politely,
            each once; a command that was killed goes on where it stopped.
        contact: for the user agent, when pages are fetched.
        keep_changed: rows whose page is another by now get its text and its digest; else they stay without text.
        watcher: who is told how it goes on.

    Raises:
        InputError: there is no such dataset, or no WARC file where one is named.
        PublishError: the folder holds something that likewise did not publish.
        SourcesError: no publisher answered; where nothing was fetched, a new folder is not left behind.
    """
    source = Published.at(place)
    files = warc_files(warc) if warc else []
    LocalFolder(folder).manifest()  # before the work, not after it
    urls, digests = source.wanted()
    is_new = not folder.exists()
    run = _run(source, folder, contact, len(urls))
    if not warc:
        try:
            crawl(run, sorted(urls), watcher)
        except LikewiseError:
            if is_new and not own_warc_files(run):
                shutil.rmtree(folder)
            raise
        files = own_warc_files(run)
    texts = _Texts(run.folder / "texts.sqlite")
    pages = (page for page in warc_pages(files, watcher.log) if _is_wanted(page, urls, digests))
    texts.add(clean_pages(pages, partial(extract, options=ExtractOptions(min_words=1)), default_workers()))
    statuses = _write(source, run.dataset, texts, keep_changed)
    texts.close()
    return Hydrated(folder, dict(sorted(Counter(statuses.values()).items())))


def _is_wanted(page: Page, urls: set[str], digests: set[str]) -> bool:
    return not urls.isdisjoint((page.url, canonical(page.url))) or hashlib.sha256(page.body).hexdigest() in digests


def _run(source: Published, folder: Path, contact: str, pages: int) -> Run:
    """A run in the new folder, which gets a recipe where it has none.

    That says whom to write to, and lets the crawl ask for as many `pages`, be they of one host. Its seed is there
    because a recipe must have one; the titles would not do, they may have too few words.
    """
    path = folder / RECIPE_NAME
    if not path.exists():
        write_text(folder / _SEED, _SEED_TEXT)
        limits = LimitsSection()
        said = {
            "title": source.name,
            "topic.seeds": [_SEED],
            "politeness.contact": contact,
            "limits.pages": max(limits.pages, pages),
            "limits.pages_per_host": max(limits.pages_per_host, pages),
            "limits.minutes": max(limits.minutes, pages * _MINUTES_A_PAGE),
        }
        lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in said.items())
        write_text(path, "".join(lines))
    return start_run(load_dataset_config(str(folder)), RUN)


def _write(source: Published, dataset: Dataset, texts: _Texts, keep_changed: bool) -> dict[str, str]:
    """Publishes the rows with their texts into the dataset's folder; gives the status of each by id."""
    base = LocalFolder(dataset.folder).manifest() or Manifest(source.name, 0, "", "")
    statuses: dict[str, str] = {}

    def shards(draft: Path) -> Iterator[Shard]:
        shelf = Shelf(draft, f"{RUN}-{base.version + 1}", policy)
        for table in source.tables("articles"):
            rows = [_filled(row, texts, keep_changed, statuses) for row in table.to_pylist()]
            yield from shelf.articles([pa.Table.from_pylist(rows, schema=SCHEMAS["articles"])], is_whole=False)
        for config in ("copies", "rejected"):
            yield from shelf.others(config, (conform(table, SCHEMAS[config]) for table in source.tables(config)))

    policy = Policy("full", "record")
    publish_version(dataset, base, shards, RUN, RUN, "", policy)
    write_text(dataset.folder / STATUS_NAME, json.dumps(statuses, indent=0, sort_keys=True) + "\n")
    return statuses


def _filled(row: dict[str, Any], texts: _Texts, keep_changed: bool, statuses: dict[str, str]) -> dict[str, Any]:
    status, found = texts.of(row)
    statuses[row["id"]] = status
    return row | found if status == "same" or keep_changed else row
