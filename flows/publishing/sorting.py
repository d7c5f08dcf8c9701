"""Any number of rows to tables of a shard's size, sorted by date, in bounded memory: keys are sorted, rows spooled."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
from numpy.typing import NDArray

ROWS_A_SHARD = 5_000
"""A correction rewrites whole shards, so they are small: each row that changes costs at most so many others."""

ROWS_AT_ONCE = 25_000
"""Rows that are held in memory together; with some 4 kB of text a row, 100 MB."""

WORDS_AT_ONCE = 40_000_000
"""Words that are held in memory together, for rows of unusual length."""

WORDS = "words"
_RANK = "__rank"


@dataclass(frozen=True, slots=True)
class Source:
    """Some rows that can be read when they are needed.

    `keys` has a row for each: what they are sorted by, in the order of the columns, then WORDS, the size of the row.
    """

    keys: pa.Table
    read: Callable[[], pa.Table]


def sorted_tables(sources: Sequence[Source], spool: Path) -> Iterator[pa.Table]:
    """The rows of all sources, in the order of their keys, as tables of at most ROWS_AT_ONCE rows.

    Each source is read once. What does not fit in memory goes through files in `spool`, which is removed at the end.
    """
    if not sources:
        return
    keys = pa.concat_tables([source.keys for source in sources])
    ranks, buckets = _ranks(keys)
    if buckets[-1] == 0:
        table = pa.concat_tables([source.read() for source in sources])
        yield table.take(pa.array(np.argsort(ranks)))
        return
    try:
        yield from _through_files(sources, ranks, buckets, spool)
    finally:
        shutil.rmtree(spool, ignore_errors=True)


def order_by(rows: pa.Table, names: Sequence[str]) -> pa.Array:
    """The numbers of the rows in the order of some columns; what is unknown comes first."""
    return pc.sort_indices(rows, [(name, "ascending", "at_start") for name in names])


def _ranks(keys: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The place of each row in the order, and the bucket of each place."""
    order = order_by(keys, [name for name in keys.column_names if name != WORDS]).to_numpy()
    ranks = np.empty(order.size, np.int64)
    ranks[order] = np.arange(order.size)
    sizes = np.cumsum(keys[WORDS].to_numpy()[order].astype(np.int64))
    full = np.maximum(np.arange(order.size) // ROWS_AT_ONCE, sizes // WORDS_AT_ONCE)
    return ranks, np.unique(full, return_inverse=True)[1]


def _through_files(
    sources: Sequence[Source], ranks: NDArray[np.int64], buckets: NDArray[np.int64], spool: Path
) -> Iterator[pa.Table]:
    spool.mkdir(parents=True)
    paths = [spool / f"{number:05d}.arrow" for number in range(int(buckets[-1]) + 1)]
    with ExitStack() as files:
        writers: dict[int, ipc.RecordBatchFileWriter] = {}
        done = 0
        for source in sources:
            table = source.read()
            here = ranks[done : done + table.num_rows]
            done += table.num_rows
            _scatter(table.append_column(_RANK, pa.array(here)), buckets[here], writers, paths, files)
    for path in paths:
        with pa.memory_map(str(path)) as file:
            table = ipc.open_file(file).read_all()
            yield table.sort_by(_RANK).drop_columns(_RANK)
        path.unlink()


def _scatter(
    table: pa.Table,
    buckets: NDArray[np.int64],
    writers: dict[int, ipc.RecordBatchFileWriter],
    paths: Sequence[Path],
    files: ExitStack,
) -> None:
    for bucket in np.unique(buckets).tolist():
        if bucket not in writers:
            writers[bucket] = files.enter_context(ipc.new_file(str(paths[bucket]), table.schema))
        writers[bucket].write_table(table.take(pa.array(np.flatnonzero(buckets == bucket))))
