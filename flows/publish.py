"""Records to shards, and shards to a new version in one atomic commit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.schema import CONFIGS
from flows.card import render_card
from flows.changes import Change, collect
from flows.checks import check_rows, check_version
from flows.config import Dataset
from flows.destination import CARD_NAME, DATA, REPORT_NAME, LocalFolder
from flows.manifest import Manifest, Shard
from flows.runs import Run, list_runs
from flows.tables import write_table
from flows.takedown import Takedowns, read_takedowns

ROWS_A_SHARD = 50_000
WRITER: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "row_group_size": 2_000,
    "write_page_index": True,
    "use_content_defined_chunking": True,
}
"""Small row groups and the page index let readers skip by date; the chunking keeps most bytes of a rewritten shard."""


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: the version that readers see now, whether it is new, and the rows added to each config."""

    version: int
    is_new: bool
    added: dict[str, int]


def publish_pending(run: Run, order: Sequence[str], report: str) -> Published:
    """Publishes what the runs since the published version bring; makes no version where they bring nothing.

    Args:
        run: the run that publishes, and gives the new shards their names.
        order: the ids of the runs in the copies index, in the order in which they entered it.
        report: the text of report.html.

    Raises:
        PublishError: the published dataset is broken or of an unknown format, or the new version is not what the recipe
            expects; readers keep the old one.
    """
    destination = LocalFolder(run.dataset.folder)
    parent = destination.manifest()
    if parent is not None and parent.run == run.id:
        return Published(parent.version, True, {})  # killed after the commit, before it was written down
    takedowns = Takedowns.of(read_takedowns(run.dataset))
    pending = _pending(run, order, parent)
    change = collect(pending, run.dataset.recipe, takedowns)
    if not change:
        return Published(parent.version if parent else 0, False, {})
    check_rows(change, run.dataset.recipe)
    base = parent or Manifest(run.dataset.name, 0, "", "")

    def shards(draft: Path) -> Iterator[Shard]:
        return _shards(destination, base, change, draft, run.id)

    manifest = publish_version(run.dataset, base, shards, run.id, pending[-1].id, report)
    return Published(manifest.version, True, {config: len(change.add[config]) for config in CONFIGS})


def publish_version(
    dataset: Dataset, base: Manifest, shards: Callable[[Path], Iterable[Shard]], run_id: str, through: str, report: str
) -> Manifest:
    """Publishes the version after `base`, in one atomic commit.

    Args:
        dataset: whose version it is.
        base: the published version, or one without shards.
        shards: puts the shards into the draft folder that it is given, and yields them.
        run_id: what makes the version.
        through: the last run whose rows are in it.
        report: the text of report.html.

    Raises:
        PublishError: the version is not what the recipe expects.
    """
    destination = LocalFolder(dataset.folder)
    draft = destination.begin(base.version + 1)
    manifest = base.next(run_id, through, tuple(shards(draft)))
    check_version(manifest, base, dataset.recipe)
    (draft / CARD_NAME).write_text(render_card(dataset, manifest, draft), encoding="utf-8")
    (draft / REPORT_NAME).write_text(report, encoding="utf-8")
    destination.commit(draft, manifest)
    return manifest


def _pending(run: Run, order: Sequence[str], parent: Manifest | None) -> list[Run]:
    """The runs in the index that are not in the published version, up to one whose own files are not complete."""
    known = {known.id: known for known in list_runs(run.dataset)}
    through = parent.through if parent else ""
    since = order[order.index(through) + 1 :] if through in order else order
    there = (known[run_id] for run_id in since if run_id in known)
    return list(takewhile(lambda pending: pending.summary("copies") is not None, there))


def _shards(destination: LocalFolder, base: Manifest, change: Change, draft: Path, run_id: str) -> Iterator[Shard]:
    """The shards of the next version: carried over, rewritten without what is dropped, and new."""
    for config in CONFIGS:
        rewritten = 0
        for shard in base.of(config):
            left = _rewritten(destination.current / shard.path, config, change)
            if left is None:
                destination.carry_over(shard, draft)
                yield shard
            elif left.num_rows:
                yield write_shard(config, f"{run_id}-r{rewritten:05d}", left, draft)
                rewritten += 1
        yield from _new_shards(config, change.table(config), draft, run_id)


def _rewritten(path: Path, config: str, change: Change) -> pa.Table | None:
    """The rows of a shard as they are after the change; None where they stay as they are.

    Rows of articles that became copies move to the change's rows of `copies`, which is written after `articles`.
    """
    gone, moved = change.drop.get(config, set()), set(change.demoted) if config == "copies" else set()
    if not (_has(path, "id", gone) or _has(path, "representative_id", moved)):
        return None
    table = pq.read_table(path, partitioning=None)
    dropped = pc.is_in(table["id"], pa.array(sorted(gone), pa.string()))
    if config == "articles":
        for row in table.filter(dropped).to_pylist():
            change.move(row)
    return (
        _follow_representatives(table.filter(pc.invert(dropped)), change) if moved else table.filter(pc.invert(dropped))
    )


def _has(path: Path, column: str, values: set[str]) -> bool:
    if not values:
        return False
    found = pq.read_table(path, columns=[column], partitioning=None)[column]
    return bool(pc.any(pc.is_in(found, pa.array(sorted(values), pa.string()))).as_py())


def _follow_representatives(copies: pa.Table, change: Change) -> pa.Table:
    rows = copies.to_pylist()
    for row in rows:
        row["representative_id"] = change.demoted.get(row["representative_id"], row)["representative_id"]
    return pa.Table.from_pylist(rows, schema=copies.schema)


def _new_shards(config: str, table: pa.Table, draft: Path, run_id: str) -> Iterator[Shard]:
    """The added rows as shards; none without rows, which load_dataset could not read."""
    for number, start in enumerate(range(0, table.num_rows, ROWS_A_SHARD)):
        yield write_shard(config, f"{run_id}-{number:05d}", table.slice(start, ROWS_A_SHARD), draft)


def write_shard(config: str, name: str, table: pa.Table, draft: Path) -> Shard:
    """Writes a shard of a config into a draft."""
    path = f"{DATA}/{config}-{name}.parquet"
    write_table(draft / path, table, **WRITER)
    return Shard.of(config, draft, path, table.num_rows)
