"""Rebuilds the texts of a dataset that was published without them, from WARC files or by asking the publishers again.

Each row says in `content_sha256` from which page it came: a page with that digest gives the very text that was left
out; another page at the same address is a changed one. What could not be reached is asked for again by the next call.
"""

import hashlib
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.extract import ExtractOptions, extract
from cleaning.schema import CONFIGS, Extraction, Page
from cleaning.urls import canonical, identity
from cleaning.verdict import Verdict
from crawler.outcomes import Outcome, outcomes
from crawler.run import MAX_HOPS
from flows.config import RECIPE_NAME, Dataset, LimitsSection, load_dataset_config
from flows.crawling import crawl
from flows.destination import LocalFolder
from flows.errors import InputError, LikewiseError, RecipeError, SourcesError
from flows.inputs import warc_files, warc_pages
from flows.manifest import Manifest, Policy, Shard
from flows.publishing.changes import SCHEMAS
from flows.publishing.publish import publish_version
from flows.publishing.shards import Shelf
from flows.runs import Run, list_runs, open_run, write_text
from flows.stages import default_workers
from flows.tables import conform
from flows.watching import SILENT, Watcher
from flows.wording import count
from flows.workers import clean_pages

RUN = "hydrate"
STATUS_NAME = "hydration.json"
MISSING = "missing"
"""The status of a row whose page is in none of the WARC files."""

UNSETTLED = frozenset((MISSING, Verdict.FETCH_FAILED, Verdict.BLOCKED, Verdict.ROBOTS, Verdict.OVER_BUDGET))
"""The statuses of rows whose page may be there all the same: another try, or another WARC file, may have it."""

_SEED = "seed.txt"
_SEED_TEXT = """\
Nothing is judged by this text: these pages were chosen by whoever published the dataset, and their addresses are asked
for whatever they say. Every recipe names a seed, though, and the crawl compares articles with it, so here is one that
has enough words for a topic of its own: harbour, lighthouse, orchard, violin, glacier, saddle, pottery, lantern.
"""
_MINUTES_A_PAGE = 1.0
_MOST_REASONS = 5
_URLS = ["id", "url", "content_sha256"]
_REDIRECTED = re.compile(r"redirects to (\S+), ")
"""How the reason of an outcome begins whose page is elsewhere."""


@dataclass(frozen=True, slots=True)
class Hydrated:
    """What became of the rows: by status their number, and where the dataset lies.

    The status of each row is in `hydration.json` there: `same` rows have their text; of `changed` rows the page is
    another by now; the others have none for the reason that the verdict says, or because their page is MISSING.
    """

    folder: Path
    counts: dict[str, int]

    @property
    def unsettled(self) -> dict[str, int]:
        """The counts of the rows whose page may still be had."""
        return {status: number for status, number in self.counts.items() if status in UNSETTLED}


@contextmanager
def _readable(place: str) -> Iterator[None]:
    """Says of whatever comes from a file system or a file that it could not be read; each has errors of its own."""
    try:
        yield
    except Exception as error:
        said = str(error) or type(error).__name__
        remedy = "Check the address, and the keys, the network and the package that it needs."
        raise InputError(f"{place}: cannot be read ({said}).", remedy) from error


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
        with _readable(place):
            files, root = fsspec.url_to_fs(place)  # type: ignore[no-untyped-call]
            shards = {config: sorted(files.glob(f"{root}/data/{config}-*.parquet")) for config in CONFIGS}
        if not shards["articles"]:
            raise InputError(f"{place}: no data/articles-*.parquet in there.", "Give a dataset's name, folder or URL.")
        return cls(Path(root).name, files, shards)

    def tables(self, config: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows of a config, shard by shard."""
        for path in self.shards[config]:
            with _readable(path), self.files.open(path) as file:
                table = pq.read_table(file, columns=list(columns) if columns else None, partitioning=None)
            yield table

    def wanted(self) -> tuple[set[str], set[str]]:
        """The addresses and the digests of all articles' pages."""
        rows = [row for table in self.tables("articles", _URLS) for row in table.to_pylist()]
        return {row["url"] for row in rows}, {row["content_sha256"] for row in rows}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What became of the pages that were asked for, in all runs: the last outcome of each, by its identity."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset) -> "_Asked":
        found = (outcome for run in list_runs(dataset) for outcome in outcomes(dataset.state, run.id))
        return cls({_key(outcome.url): outcome for outcome in found})

    def end(self, url: str) -> tuple[str, str]:
        """The identity of the page that a URL leads to, behind all redirects; its verdict, or that it is MISSING."""
        if canonical(url) is None:  # a file that was backfilled: nobody can be asked for it
            return url, Verdict.REFUSED_ADDRESS
        key = _key(url)
        for _ in range(MAX_HOPS):
            outcome = self.outcomes.get(key)
            moved = _REDIRECTED.match(outcome.reason) if outcome else None
            if moved is None:
                break
            key = _key(moved[1])
        return key, self.outcomes[key].verdict if key in self.outcomes else MISSING

    def unsettled(self, urls: Iterable[str]) -> list[str]:
        """Those of some URLs that are to be asked for, or asked for again."""
        return [url for url in urls if self.end(url)[1] in UNSETTLED]

    def reasons(self, urls: Iterable[str]) -> list[str]:
        """Why some URLs gave no page, the most frequent reasons first."""
        found = (self.outcomes.get(self.end(url)[0]) for url in urls)
        told = Counter(f"{outcome.verdict}: {outcome.reason}" for outcome in found if outcome)
        return [f"{reason} ({count(number, 'page')})" for reason, number in told.most_common(_MOST_REASONS)]


def _key(url: str) -> str:
    return identity(canonical(url) or url)


class _Texts:
    """The texts of pages, on the disk: by digest, or by address where the page is another."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path)
        self._db.execute("CREATE TABLE pages (sha256 TEXT, key TEXT, text TEXT, words INTEGER, verdict TEXT)")
        for name in ("sha256", "key"):
            self._db.execute(f"CREATE INDEX by_{name} ON pages ({name})")

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def add(self, pages: Iterable[Extraction]) -> None:
        """Adds what was extracted of pages; of those at one address, the last one counts."""
        rows = ((page.content_sha256, _key(page.url), page.text, page.word_count, str(page.verdict)) for page in pages)
        self._db.executemany("INSERT INTO pages VALUES (?, ?, ?, ?, ?)", rows)
        self._db.commit()

    def of(self, row: dict[str, Any], key: str) -> tuple[str, dict[str, Any]]:
        """The status of a row whose page has that identity, and the columns that the page gives; "" without a page."""
        for status, column, value in (("same", "sha256", row["content_sha256"]), ("changed", "key", key)):
            sql = f"SELECT verdict, text, words, sha256 FROM pages WHERE {column} = ? ORDER BY rowid DESC LIMIT 1"
            if found := self._db.execute(sql, [value]).fetchone():
                verdict, *given = found
                names = ("text", "word_count", "content_sha256")
                return (status, dict(zip(names, given, strict=True))) if given[0] else (verdict, {})
        return "", {}


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
        warc: WARC files, or folders of them, to take the pages from, beside those that were fetched for the folder
            before; without any, the addresses are fetched, politely, each once; a command that was killed goes on where
            it stopped, and one that could not reach all of them asks for the rest the next time.
        contact: for the user agent, when pages are fetched.
        keep_changed: rows whose page is another by now get its text and its digest; else they stay without text.
        watcher: who is told how it goes on.

    Raises:
        InputError: there is no such dataset, it cannot be read, or no WARC file is where one is named; or the folder
            holds a dataset of one's own.
        PublishError: the folder holds something that likewise did not publish.
        SourcesError: no page could be reached; a new folder is not left behind then.
    """
    source = Published.at(place)
    files = warc_files(warc) if warc else []
    _check_free(folder)  # before the work, not after it
    urls, digests = source.wanted()
    is_new = not folder.exists()
    run = _run(source, folder, contact, len(urls))
    if not warc:
        try:
            _fetch(run, place, sorted(urls), watcher)
        except LikewiseError:
            if is_new and not _own_files(run.dataset):
                shutil.rmtree(folder)
            raise
    asked, files = _Asked.of(run.dataset), [*_own_files(run.dataset), *files]
    texts = _Texts(run.folder / "texts.sqlite")
    keys = {asked.end(url)[0] for url in urls}
    pages = (page for page in warc_pages(files, watcher.log) if _is_wanted(page, keys, digests))
    texts.add(clean_pages(pages, partial(extract, options=ExtractOptions(min_words=1)), default_workers()))
    statuses = _write(source, run.dataset, _Filling(texts, asked, keep_changed))
    texts.close()
    run.finish("done", {})
    return Hydrated(folder, dict(sorted(Counter(statuses.values()).items())))


def _check_free(folder: Path) -> None:
    """Makes sure that no dataset is in the folder but one that was hydrated there."""
    manifest = LocalFolder(folder).manifest()
    if manifest and manifest.run != RUN and not (folder / STATUS_NAME).exists():
        raise InputError(f"{folder}: a dataset of another kind is published there.", "Name another folder by --out.")


def _own_files(dataset: Dataset) -> list[Path]:
    """All WARC files that were fetched for a folder, the oldest first."""
    return sorted((dataset.state / "warc").glob("*.warc.gz"))


def _fetch(run: Run, place: str, urls: Sequence[str], watcher: Watcher) -> None:
    """Asks for the pages that no run found out about yet.

    Raises:
        SourcesError: not one of them could be reached, ever.
    """
    wanted = _Asked.of(run.dataset).unsettled(urls)
    if wanted:
        crawl(run, wanted, watcher)
        run.finish("done", {})  # What it could not reach is for another run.
    asked = _Asked.of(run.dataset)
    if wanted and asked.unsettled(urls) == urls:
        raise SourcesError(
            "\n  ".join([f"Not one page of {place} could be reached, of {len(urls):,}:", *asked.reasons(urls)]),
            "Check this machine's network and that the publishers are up; then run the same command again.",
        )


def _is_wanted(page: Page, keys: set[str], digests: set[str]) -> bool:
    return _key(page.url) in keys or hashlib.sha256(page.body).hexdigest() in digests


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
    return open_run(load_dataset_config(str(folder)), kind=RUN)


@dataclass(frozen=True, slots=True)
class _Filling:
    """Where the texts of rows come from: pages that are the same or, if they are to be kept, changed ones too."""

    texts: _Texts
    asked: _Asked
    keep_changed: bool

    def filled(self, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The status of a row, and the row with its text."""
        key, verdict = self.asked.end(row["url"])
        status, found = self.texts.of(row, key)
        if not status:
            return MISSING if verdict in _FOUND else str(verdict), row
        return status, row | found if status == "same" or self.keep_changed else row


_FOUND = (Verdict.KEPT, Verdict.NOT_MODIFIED)
"""What the crawl says of pages that it has; without their WARC file nobody has them."""


def _write(source: Published, dataset: Dataset, filling: _Filling) -> dict[str, str]:
    """Publishes the rows with their texts into the dataset's folder; gives the status of each by id."""
    base = LocalFolder(dataset.folder).manifest() or Manifest(source.name, 0, "", "")
    statuses: dict[str, str] = {}

    def shards(draft: Path) -> Iterator[Shard]:
        shelf = Shelf(draft, f"{RUN}-{base.version + 1}", policy)
        for table in source.tables("articles"):
            filled = [filling.filled(row) for row in table.to_pylist()]
            rows = [row for _, row in filled]
            statuses.update({row["id"]: status for status, row in filled})
            yield from shelf.articles([pa.Table.from_pylist(rows, schema=SCHEMAS["articles"])], is_whole=False)
        for config in ("copies", "rejected"):
            yield from shelf.others(config, (conform(table, SCHEMAS[config]) for table in source.tables(config)))

    policy = Policy("full", "record")
    publish_version(dataset, base, shards, RUN, RUN, "", policy)
    write_text(dataset.folder / STATUS_NAME, json.dumps(statuses, indent=0, sort_keys=True) + "\n")
    return statuses
