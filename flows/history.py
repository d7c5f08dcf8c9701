"""The published versions: listed, compared, taken back, merged into fewer files, and cleared away when they are old."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.schema import CONFIGS
from flows.config import Dataset
from flows.destination import REPORT_NAME, LocalFolder
from flows.errors import InputError
from flows.manifest import Manifest, Shard
from flows.publish import ROWS_A_SHARD, publish_version, write_shard
from flows.runs import RUN_ID_FORMAT
from flows.takedown import Takedowns, read_takedowns

KEPT_DAYS = 30
SMALL = ROWS_A_SHARD // 2
"""Shards with fewer rows are merged by `compact`."""

_NAMING = ("id", "representative_id", "url", "canonical_url")
"""The columns by which a takedown names a row; a shard may lack some of them."""

Keep = Callable[[Path], pa.Array]


@dataclass(frozen=True, slots=True)
class Diff:
    """What one version has over another: ids of articles that came, went, and changed their edition or place."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def versions(dataset: Dataset) -> list[Manifest]:
    """The versions that are still there, in their order; the last one is what readers see."""
    destination = LocalFolder(dataset.folder)
    return [destination.manifest_of(number) for number in destination.numbers()]


def diff(dataset: Dataset, old: int, new: int) -> Diff:
    """What changed in `articles` from one version to another.

    Raises:
        InputError: one of them is not there.
    """
    before, after = (_editions(dataset, number) for number in (old, new))
    return Diff(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(key for key in before.keys() & after.keys() if before[key] != after[key])),
    )


def _editions(dataset: Dataset, number: int) -> dict[str, tuple[int, str]]:
    destination = LocalFolder(dataset.folder)
    manifest = _version(destination, number)
    found: dict[str, tuple[int, str]] = {}
    for shard in manifest.of("articles"):
        path = destination.folder_of(number) / shard.path
        rows = pq.read_table(path, columns=["id", "version", "content_sha256"], partitioning=None).to_pylist()
        found.update({row["id"]: (row["version"], row["content_sha256"]) for row in rows})
    return found


def _version(destination: LocalFolder, number: int) -> Manifest:
    if number not in destination.numbers():
        there = ", ".join(map(str, destination.numbers())) or "none"
        raise InputError(f"{destination.root}: there is no version {number}.", f"There are: {there}.")
    return destination.manifest_of(number)


def rollback(dataset: Dataset, number: int) -> Manifest:
    """Publishes the rows of an earlier version as a new one; what was taken down since stays out.

    What later runs had brought stays out too, until a later edition of it is found.

    Raises:
        InputError: the version is not there.
    """
    destination = LocalFolder(dataset.folder)
    source, current = _version(destination, number), _current(destination)
    keep = keep_all_but(Takedowns.of(read_takedowns(dataset)))

    def shards(draft: Path) -> Iterator[Shard]:
        yield from _filtered(source.shards, destination.folder_of(number), draft, _name("rollback"), keep)

    patient = dataset.with_expectations(drop=1.0, articles=0)
    return publish_version(patient, current, shards, _name("rollback"), current.through, _report(destination))


def remove_rows(dataset: Dataset, takedowns: Takedowns) -> Manifest:
    """Publishes a version without the rows that takedowns name, and clears away every version that holds one.

    Returns:
        What readers see now: the version before, where it held none of the rows.
    """
    destination = LocalFolder(dataset.folder)
    manifest, keep = _current(destination), keep_all_but(takedowns)
    if any(_holds(destination.current / shard.path, keep) for shard in manifest.shards):

        def shards(draft: Path) -> Iterator[Shard]:
            yield from _filtered(manifest.shards, destination.current, draft, _name("takedown"), keep)

        patient = dataset.with_expectations(drop=1.0, articles=0)
        manifest = publish_version(patient, manifest, shards, _name("takedown"), manifest.through, _report(destination))
    clean = {shard.path for shard in manifest.shards}
    for number in destination.numbers()[:-1]:
        old = destination.manifest_of(number)
        others = [shard for shard in old.shards if shard.path not in clean]
        if any(_holds(destination.folder_of(number) / shard.path, keep) for shard in others):
            shutil.rmtree(destination.folder_of(number))
    return manifest


def removed_ids(dataset: Dataset, takedowns: Takedowns) -> list[str]:
    """The ids of published articles and copies that takedowns name."""
    destination = LocalFolder(dataset.folder)
    keep, found = keep_all_but(takedowns), set[str]()
    for shard in _current(destination).shards:
        if shard.config != "rejected":
            path = destination.current / shard.path
            ids = pq.read_table(path, columns=["id"], partitioning=None)["id"]
            found.update(ids.filter(pc.invert(keep(path))).to_pylist())
    return sorted(found)


def keep_all_but(takedowns: Takedowns) -> Keep:
    """Which rows of a shard stay, in their order: those that no takedown names. Reads no texts."""

    def keep(path: Path) -> pa.Array:
        names = [name for name in pq.read_schema(path).names if name in _NAMING]
        rows = pq.read_table(path, columns=names, partitioning=None).to_pylist()
        return pa.array([not takedowns.cover(row) for row in rows], pa.bool_())

    return keep


def _holds(path: Path, keep: Keep) -> bool:
    return not pc.all(keep(path)).as_py()


def _filtered(shards: Sequence[Shard], source: Path, draft: Path, name: str, keep: Keep) -> Iterator[Shard]:
    for number, shard in enumerate(shards):
        path = source / shard.path
        kept = keep(path)
        if pc.all(kept).as_py():
            (draft / shard.path).hardlink_to(path.resolve())
            yield shard
        elif pc.any(kept).as_py():
            left = pq.read_table(path, partitioning=None).filter(kept)
            yield write_shard(shard.config, f"{name}-{number:05d}", left, draft)


def compact(dataset: Dataset) -> Manifest:
    """Publishes a version with the same rows in fewer files: small shards of a config are merged, sorted by date."""
    destination = LocalFolder(dataset.folder)
    current = _current(destination)
    name = _name("compact")

    def shards(draft: Path) -> Iterator[Shard]:
        for config in CONFIGS:
            small = [shard for shard in current.of(config) if shard.rows < SMALL]
            merged = small if len(small) > 1 else []
            for shard in current.of(config):
                if shard not in merged:
                    destination.carry_over(shard, draft)
                    yield shard
            yield from _merged(config, [destination.current / shard.path for shard in merged], draft, name)

    if all(sum(shard.rows < SMALL for shard in current.of(config)) < 2 for config in CONFIGS):
        return current
    return publish_version(dataset, current, shards, name, current.through, _report(destination))


def _merged(config: str, paths: Sequence[Path], draft: Path, name: str) -> Iterator[Shard]:
    if not paths:
        return
    table = pa.concat_tables([pq.read_table(path, partitioning=None) for path in paths])
    order = [("url", "ascending")] if config == "rejected" else [("published_at", "ascending"), ("id", "ascending")]
    table = table.sort_by(order)
    for number, start in enumerate(range(0, table.num_rows, ROWS_A_SHARD)):
        yield write_shard(config, f"{name}-{number:05d}", table.slice(start, ROWS_A_SHARD), draft)


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


def _name(what: str) -> str:
    return f"{datetime.now(UTC).strftime(RUN_ID_FORMAT)}-{what}"
