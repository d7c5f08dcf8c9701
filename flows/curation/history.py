"""The published versions: listed, compared, taken back, merged into fewer files, and cleared away when they are old."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.schema import CONFIGS
from flows.config import Dataset
from flows.curation.named import Named, named_rows
from flows.curation.restoring import Restored, restored
from flows.curation.since import Since
from flows.destination import REPORT_NAME, LocalFolder
from flows.errors import InputError
from flows.manifest import Manifest, Shard
from flows.publishing.drafting import SPOOL, is_outdated, read_shard
from flows.publishing.gathering import stored
from flows.publishing.publish import publish_version
from flows.publishing.shard_index import INDEX_NAME, ShardIndex
from flows.publishing.shards import Shelf, write_shard
from flows.publishing.sorting import ROWS_A_SHARD, sorted_tables
from flows.runs import RUN_ID_FORMAT
from flows.takedown import Takedowns, read_takedowns

KEPT_DAYS = 30
SMALL = ROWS_A_SHARD // 2
"""Shards with fewer rows are merged by `compact`."""

Keep = Callable[[Path], pa.Array]


@dataclass(frozen=True, slots=True)
class Diff:
    """What one version has over another: ids of articles that came, went, and changed their edition or text.

    `titles` has the title of each, the later one where it changed.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    titles: dict[str, str]


def versions(dataset: Dataset) -> list[Manifest]:
    """The versions that are still there, in their order; the last one is what readers see."""
    destination = LocalFolder(dataset.folder)
    return [destination.manifest_of(number) for number in destination.numbers()]


def diff(dataset: Dataset, old: int, new: int) -> Diff:
    """What changed in `articles` from one version to another.

    Raises:
        InputError: one of them is not there.
    """
    destination = LocalFolder(dataset.folder)
    sides = [_version(destination, number) for number in (old, new)]
    both = set(sides[0].shards) & set(sides[1].shards)
    before, after = (_editions(destination, side, both) for side in sides)
    return compared(before, after)


@dataclass(frozen=True, slots=True)
class Edition:
    """What tells one edition of an article from another, and its title."""

    version: int
    page: str
    text: int
    title: str


def compared(before: dict[str, Edition], after: dict[str, Edition]) -> Diff:
    """The difference of two sets of articles by id."""
    added, removed = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    titles = {key: (after.get(key) or before[key]).title for key in sorted(added | removed | changed)}
    return Diff(tuple(sorted(added)), tuple(sorted(removed)), tuple(sorted(changed)), titles)


_EDITION = ["id", "version", "content_sha256", "text", "title"]


def _editions(destination: LocalFolder, manifest: Manifest, without: set[Shard]) -> dict[str, Edition]:
    found: dict[str, Edition] = {}
    for shard in manifest.of("articles"):
        if shard not in without:
            path = destination.folder_of(manifest.version) / shard.path
            found |= editions(pq.read_table(path, columns=_EDITION, partitioning=None))
    return found


def editions(articles: pa.Table) -> dict[str, Edition]:
    """The editions of some rows of articles, by id."""
    return {
        row["id"]: Edition(row["version"], row["content_sha256"], crc32((row["text"] or "").encode()), row["title"])
        for row in articles.select(_EDITION).to_pylist()
    }


def _version(destination: LocalFolder, number: int) -> Manifest:
    if number not in destination.numbers():
        there = ", ".join(map(str, destination.numbers())) or "none"
        raise InputError(f"{destination.root}: there is no version {number}.", f"There are: {there}.")
    return destination.manifest_of(number)


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The version that a rollback published, and the earlier one as it was restored."""

    manifest: Manifest
    restored: Restored


def rollback(dataset: Dataset, number: int) -> RolledBack:
    """Publishes the rows of an earlier version as a new one, as far as they may be published today.

    What was taken down or withdrawn since stays out, and texts that are withheld since are not shown. What later runs
    had brought stays out too, until a later edition of it is found.

    Raises:
        InputError: the version is not there.
    """
    destination = LocalFolder(dataset.folder)
    source, current = _version(destination, number), _current(destination)
    name, takedowns = _name("rollback", current), Takedowns.of(read_takedowns(dataset))
    patient, report = dataset.with_expectations(drop=1.0, articles=0), _report(destination)
    with ShardIndex(dataset.state / INDEX_NAME) as index:
        index.follow(source, destination.folder_of(number))
        again = restored(Since.of(dataset, source), takedowns, current.policy.rights, index)
        shards = partial(again.shards, name=name)
        made = publish_version(patient, current, shards, name, current.through, report, again.plan.policy)
        index.follow(made, destination.current)
    return RolledBack(made, again)


def remove_rows(dataset: Dataset, takedowns: Takedowns) -> Manifest:
    """As `remove_named`, of what takedowns name."""
    return remove_named(dataset, named_rows(dataset, takedowns))


def remove_named(dataset: Dataset, named: Mapping[Shard, Named]) -> Manifest:
    """Publishes a version without the rows that takedowns name, and clears away every version that holds one.

    Args:
        dataset: whose versions they are.
        named: what `named_rows` says of all shards.

    Returns:
        What readers see now: the version before, where it held none of the rows.
    """
    destination = LocalFolder(dataset.folder)
    manifest = _current(destination)
    kept, name = {Path(shard.path).name: one.kept for shard, one in named.items()}, _name("takedown", manifest)
    if not all(named[shard].is_untouched for shard in manifest.shards):

        def shards(draft: Path) -> Iterator[Shard]:
            yield from _filtered(manifest.shards, destination.current, draft, name, lambda path: kept[path.name])

        patient = dataset.with_expectations(drop=1.0, articles=0)
        manifest = publish_version(patient, manifest, shards, name, manifest.through, _report(destination))
    clean = {shard for shard, one in named.items() if one.is_untouched} | {*manifest.shards}
    for number in destination.numbers()[:-1]:
        if not clean.issuperset(destination.manifest_of(number).shards):
            shutil.rmtree(destination.folder_of(number))
    return manifest


def removed_ids(dataset: Dataset, named: Mapping[Shard, Named]) -> list[str]:
    """The ids of published articles and copies that takedowns name."""
    current = _current(LocalFolder(dataset.folder)).shards
    return sorted({key for shard in current if shard.config != "rejected" for key in named[shard].removed_ids})


def _filtered(shards: Sequence[Shard], source: Path, draft: Path, name: str, keep: Keep) -> Iterator[Shard]:
    for number, shard in enumerate(shards):
        path = source / shard.path
        kept = keep(path)
        if pc.all(kept).as_py():
            (draft / shard.path).hardlink_to(path.resolve())
            yield shard
        elif pc.any(kept).as_py():
            left = pq.read_table(path, partitioning=None).filter(kept)
            label = shard.config if shard.split == "train" else f"{shard.config}-{shard.split}"
            yield write_shard(shard.config, f"{label}-{name}-{number:05d}", left, draft, shard.split)


def compact(dataset: Dataset) -> Manifest:
    """Publishes a version with the same rows in fewer files: small shards of a split are merged, sorted by date.

    Shards that an earlier release wrote without a column of today's are written again with it.
    """
    destination = LocalFolder(dataset.folder)
    current = _current(destination)
    name = _name("compact", current)
    mergeable = _mergeable(current, destination.current)
    merged = {shard for shards in mergeable for shard in shards}
    if not merged:
        return current

    def shards(draft: Path) -> Iterator[Shard]:
        for shard in current.shards:
            if shard not in merged:
                destination.carry_over(shard, draft)
                yield shard
        for number, these in enumerate(mergeable):
            shelf = Shelf(draft, f"{name}-{number}", current.policy)
            yield from _merged(these, destination.current, shelf)

    return publish_version(dataset, current, shards, name, current.through, _report(destination))


def _mergeable(manifest: Manifest, root: Path) -> list[list[Shard]]:
    """The small shards of each config and split that has more than one, and those that lack a column of today's."""
    by_place: dict[tuple[str, str], list[Shard]] = {}
    outdated = {shard for shard in manifest.shards if is_outdated(root / shard.path, shard.config)}
    for shard in manifest.shards:
        if shard in outdated or (shard.rows < SMALL and shard.config in CONFIGS):
            by_place.setdefault((shard.config, shard.split), []).append(shard)
    return [shards for shards in by_place.values() if len(shards) > 1 or not outdated.isdisjoint(shards)]


def _merged(shards: Sequence[Shard], root: Path, shelf: Shelf) -> Iterator[Shard]:
    config = shards[0].config
    sources = [stored(config, partial(read_shard, root / shard.path, config)) for shard in shards]
    tables = sorted_tables(sources, shelf.draft / SPOOL)
    yield from shelf.articles(tables, is_whole=False) if config == "articles" else shelf.others(config, tables)


def clear_old(dataset: Dataset, days: float = KEPT_DAYS, now: datetime | None = None) -> list[int]:
    """Clears away versions that were replaced more than `days` ago; gives their numbers. The current one stays."""
    destination = LocalFolder(dataset.folder)
    limit = (now or datetime.now(UTC)) - timedelta(days=days)
    found = versions(dataset)
    old = [
        version.version for version, successor in pairwise(found) if datetime.fromisoformat(successor.created) < limit
    ]
    for number in old:
        shutil.rmtree(destination.folder_of(number))
    return old


def _current(destination: LocalFolder) -> Manifest:
    manifest = destination.manifest()
    if manifest is None:
        raise InputError(f"{destination.root}: nothing is published yet.", "`likewise run` makes the first version.")
    return manifest


def _report(destination: LocalFolder) -> str:
    return (destination.current / REPORT_NAME).read_text(encoding="utf-8")


def _name(what: str, current: Manifest) -> str:
    """A name that no other version's shards have."""
    return f"{datetime.now(UTC).strftime(RUN_ID_FORMAT)}-{what}-{current.version + 1}"
