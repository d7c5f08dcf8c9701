"""Derives everything again from the state's WARC files, with today's extractor, topic and threshold, as one version.

The runs are repeated in their order in a state of their own, below the dataset's: crawled once, they are cleaned,
filtered and compared again. A command that was killed goes on there. Rows whose raw page is gone stay as they are.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.verdict import Verdict
from flows.config import Dataset
from flows.copies.index import CopyIndex, article_id, discard
from flows.copies.rebuilding import INDEX_NAME as COPIES_NAME
from flows.crawling import THERE_NAME
from flows.curation.history import Diff, Edition, compared, diff, editions
from flows.curation.labels import LABELS_NAME
from flows.destination import LocalFolder
from flows.errors import InputError
from flows.manifest import Manifest, Shard
from flows.publishing.changes import collect
from flows.publishing.drafting import Draft, read_shard, version_shards
from flows.publishing.plan import planned
from flows.publishing.publish import clear_wider, noting, publish_version
from flows.publishing.shard_index import ShardIndex
from flows.publishing.shards import Shelf
from flows.runs import RUN_ID_FORMAT, Run, start_run, write_text
from flows.stages import clean, filter_articles, find_copies, forget_withdrawn
from flows.tables import write_table
from flows.takedown import TAKEDOWNS_NAME, Takedowns, read_takedowns
from flows.watching import SILENT, Watcher

SHADOW = "reclean"
_CONDITIONS = "conditions.json"
_COMMITTING = "committing.json"
_WARC = re.compile(r"(?P<run>.+)-\d+\.warc\.gz")


@dataclass(frozen=True, slots=True)
class Recleaned:
    """What deriving again changed: the difference, how many rows stayed for want of their page, and the new version.

    `version` is None for a dry run.
    """

    diff: Diff
    stayed: int
    version: int | None


@dataclass(frozen=True, slots=True)
class _Again:
    """A dataset that is derived again: its published version, and the state in which its runs are repeated."""

    dataset: Dataset
    base: Manifest
    shadow: Dataset

    @property
    def published(self) -> Path:
        return LocalFolder(self.dataset.folder).current

    def rows(self, config: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The published rows of a config, shard by shard."""
        return (read_shard(self.published / shard.path, config, columns) for shard in self.base.of(config))


class _DryRunError(Exception):
    """Ends the making of a version that is only looked at."""


def reclean(dataset: Dataset, dry_run: bool = False, watcher: Watcher = SILENT) -> Recleaned:
    """Publishes what today's code, recipe and labels make of the raw pages, as one version.

    Args:
        dataset: whose state holds the raw pages; nobody else may work on it.
        dry_run: publish nothing, only say what would change.
        watcher: who is told how the stages go on.

    Raises:
        InputError: nothing is published yet, or the state has no raw page.
        RefusedVersionError: the version is not what the recipe expects; readers keep the old one.
    """
    base = LocalFolder(dataset.folder).manifest()
    warc = sorted((dataset.state / "warc").glob("*.warc.gz"))
    if base is None or not warc:
        missing = f"no raw page in {dataset.state / 'warc'}" if base else "nothing is published yet"
        raise InputError(
            f"{dataset.name}: {missing}.",
            "Run `likewise run` first; what was backfilled can be backfilled again.",
        )
    if not dry_run and (stayed := _committed(dataset, base)) is not None:
        done = Recleaned(diff(dataset, base.version - 1, base.version), stayed, base.version)
        _take_over(dataset, dataset.state / SHADOW)
        return done
    again = _Again(dataset, base, _shadow(dataset, base))
    runs = [
        _repeated(again, run_id) for run_id in sorted({_run_of(path) for path in warc}, key=partial(_begun, dataset))
    ]
    for run in runs:
        clean(run, watcher=watcher)
        filter_articles(run, watcher)
    stays = _staying(again, runs, {path.name for path in warc})
    _compare(again, runs, stays, watcher)
    done = _published(again, runs, stays, dry_run)
    if dry_run:
        shutil.rmtree(again.shadow.state)
    else:
        _take_over(dataset, again.shadow.state)
    return done


def _committed(dataset: Dataset, base: Manifest) -> int | None:
    """How many rows stayed in the published version, where it is one whose command was killed after its commit.

    None where something happened since: what it was derived by is other by now, or the dataset has an index again.
    """
    shadow = dataset.state / SHADOW
    path = shadow / _COMMITTING
    said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    is_overtaken = (shadow / COPIES_NAME).exists() and (dataset.state / COPIES_NAME).exists()
    if said.get("run") != base.run or is_overtaken or not _are_met(shadow, _conditions(dataset, base.version - 1)):
        return None
    return int(said["stayed"]) if base.version - 1 in LocalFolder(dataset.folder).numbers() else None


def _take_over(dataset: Dataset, shadow: Path) -> None:
    """Makes the repeated runs' index the dataset's; clears away what they left, and versions that say too much."""
    destination = LocalFolder(dataset.folder)
    if manifest := destination.manifest():
        clear_wider(destination, manifest)
    if (shadow / COPIES_NAME).exists():
        (shadow / COPIES_NAME).replace(dataset.state / COPIES_NAME)
    shutil.rmtree(shadow)


def _run_of(path: Path) -> str:
    matched = _WARC.fullmatch(path.name)
    return matched["run"] if matched else path.name.partition(".")[0]


def _begun(dataset: Dataset, run_id: str) -> tuple[str, str]:
    """When a run was begun, where the state still says so; ids are made from the time."""
    return (Run(dataset, run_id).summary("run") or {}).get("created", ""), run_id


def _shadow(dataset: Dataset, base: Manifest) -> Dataset:
    """The state in which the runs are repeated; one that was begun under other conditions is begun anew."""
    shadow = replace(dataset, state=dataset.state / SHADOW)
    conditions = _conditions(dataset, base.version)
    if not _are_met(shadow.state, conditions):
        shutil.rmtree(shadow.state, ignore_errors=True)
        write_text(shadow.state / _CONDITIONS, conditions)
        (shadow.state / "warc").symlink_to(Path("..") / "warc")
    return shadow


def _conditions(dataset: Dataset, base: int) -> str:
    """All that decides what the runs come to on top of a version."""
    return json.dumps({"base": base, "code": package_version("likewise"), "said": _said(dataset)})


def _are_met(shadow: Path, conditions: str) -> bool:
    path = shadow / _CONDITIONS
    return path.exists() and path.read_text(encoding="utf-8") == conditions


def _said(dataset: Dataset) -> str:
    """A digest of all that people said of the dataset."""
    paths = [dataset.folder / name for name in (LABELS_NAME, TAKEDOWNS_NAME)]
    seeds = "\0".join(seed.text for seed in dataset.seeds())
    said = [dataset.recipe_path.read_bytes(), seeds.encode(), *(path.read_bytes() for path in paths if path.exists())]
    return hashlib.sha256(b"\0".join(said)).hexdigest()


def _repeated(again: _Again, run_id: str) -> Run:
    """A run to repeat, with what its crawl found beside the pages."""
    run = start_run(again.shadow, run_id)
    for name in ("outcomes.parquet", THERE_NAME):
        path = again.dataset.state / "runs" / run_id / name
        if path.exists():
            write_table(run.folder / name, pq.read_table(path, partitioning=None))
    run.finish("crawl", {})
    return run


def _staying(again: _Again, runs: list[Run], names: set[str]) -> dict[str, frozenset[str]]:
    """The ids of articles whose WARC file is gone, and of copies whose page is in none."""
    articles = [
        rows["id"].filter(pc.invert(pc.is_in(rows["warc_file"], pa.array(sorted(names)))))
        for rows in again.rows("articles", ["id", "warc_file"])
    ]
    seen = pa.array(sorted({url for run in runs for url in _urls(run)}), pa.string())
    copies = [rows["id"].filter(pc.invert(pc.is_in(rows["url"], seen))) for rows in again.rows("copies", ["id", "url"])]
    found = {"articles": articles, "copies": copies}
    return {config: frozenset(ids for part in parts for ids in part.to_pylist()) for config, parts in found.items()}


def _urls(run: Run) -> Iterator[str]:
    for path in sorted(run.clean_folder.glob("[0-9]*.parquet")):
        yield from pq.read_table(path, columns=["url"], partitioning=None)["url"].to_pylist()


def _compare(again: _Again, runs: list[Run], stays: dict[str, frozenset[str]], watcher: Watcher) -> None:
    """Enters the pages of all runs into an index of their own, in which the rows that stay are known."""
    path = again.shadow.state / COPIES_NAME
    if not path.exists():
        articles, copies = (map(partial(_only, stays[config]), again.rows(config)) for config in ("articles", "copies"))
        CopyIndex.rebuild(path, articles, copies).close()
    first = _first_addresses(again)
    for run in runs:
        _hold_back(run, stays["articles"] | stays["copies"], first)
        find_copies(run, watcher, first)
        forget_withdrawn(run)


def _only(ids: frozenset[str], rows: pa.Table) -> pa.Table:
    return rows.filter(pc.is_in(rows["id"], pa.array(sorted(ids), pa.string())))


def _first_addresses(again: _Again) -> Callable[[pa.Table], pa.Table]:
    """What gives documents the addresses that their ids were made from, whatever canonical URL is read today."""
    first: dict[str, str] = {}
    columns = ["id", "url", "canonical_url"]
    for rows in (*again.rows("articles", columns), *again.rows("copies", columns)):
        for row in rows.to_pylist():
            if made_from := [row[name] for name in columns[:0:-1] if row[name] and article_id(row[name]) == row["id"]]:
                first[row["url"]] = made_from[0]

    def addressed(documents: pa.Table) -> pa.Table:
        today = zip(documents["url"].to_pylist(), documents["canonical_url"].to_pylist(), strict=True)
        addresses = pa.array([first.get(url, own) for url, own in today], pa.string())
        at = documents.schema.get_field_index("canonical_url")
        return documents.set_column(at, documents.schema.field(at), addresses)

    return addressed


def _hold_back(run: Run, ids: frozenset[str], addressed: Callable[[pa.Table], pa.Table]) -> None:
    """Counts the pages of rows that stay among the known ones: another edition of theirs is the published one."""
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        pages = pq.read_table(run.clean_folder / path.name, columns=["url", "canonical_url"], partitioning=None)
        known = addressed(pages)
        names = [
            article_id(canonical or url)
            for url, canonical in zip(known["url"].to_pylist(), known["canonical_url"].to_pylist(), strict=True)
        ]
        judged = pq.read_table(path, partitioning=None)
        held = pa.array([name in ids for name in names], pa.bool_())
        if pc.any(held).as_py():
            verdicts = pc.if_else(held, str(Verdict.KNOWN), judged["verdict"])
            write_table(path, judged.set_column(0, judged.schema.field("verdict"), verdicts))


def _published(again: _Again, runs: list[Run], stays: dict[str, frozenset[str]], dry_run: bool) -> Recleaned:
    dataset, base = again.dataset, again.base
    derived = {article for config in stays for rows in again.rows(config, ["id"]) for article in rows["id"].to_pylist()}
    stayed = stays["articles"] | stays["copies"]
    change = collect(runs, Takedowns.of(read_takedowns(dataset)))
    change = replace(change, gone=change.gone | (derived - stayed))
    with ShardIndex(again.shadow.state / "rows.duckdb") as index:
        index.follow(base, again.published)
        plan = planned(noting(change, index, again.published), base, dataset.recipe, index)
    stayed -= plan.orphans
    if plan.orphans:
        with CopyIndex(again.shadow.state / COPIES_NAME) as known:
            known.forget(sorted(plan.orphans))  # They were to stay; known, they would never be published again.
    name = f"{datetime.now(UTC).strftime(RUN_ID_FORMAT)}-reclean-{base.version + 1}"
    found: list[Diff] = []

    def shards(draft: Path) -> Iterator[Shard]:
        made = list(version_shards(Draft(plan, base, again.published, Shelf(draft, name, plan.policy))))
        found.append(_difference(again, made, draft))
        if dry_run:
            raise _DryRunError
        yield from made
        write_text(again.shadow.state / _COMMITTING, json.dumps({"run": name, "stayed": len(stayed)}))
        discard(dataset.state / COPIES_NAME)  # It knows the old rows: until it is replaced, it must not be used.

    report = (again.published / "report.html").read_text(encoding="utf-8")
    try:
        version = publish_version(dataset, base, shards, name, runs[-1].id, report, plan.policy).version
    except _DryRunError:
        return Recleaned(found[0], len(stayed), None)
    return Recleaned(found[0], len(stayed), version)


def _difference(again: _Again, shards: list[Shard], draft: Path) -> Diff:
    before: dict[str, Edition] = {}
    after: dict[str, Edition] = {}
    for root, these, found in ((again.published, again.base.of("articles"), before), (draft, shards, after)):
        for shard in these:
            if shard.config == "articles":
                found |= editions(read_shard(root / shard.path, "articles"))
    return compared(before, after)
