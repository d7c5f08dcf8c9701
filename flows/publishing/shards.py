"""Tables to the shards of a version: cut to size and by split, laid out for readers who filter, with sketches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.destination import DATA
from flows.manifest import Policy, Shard
from flows.publishing.changes import SCHEMAS
from flows.publishing.checks import check_articles
from flows.publishing.gathering import as_published
from flows.publishing.sorting import ROWS_A_SHARD, order_by
from flows.tables import write_table

ROWS_A_GROUP = 1_000
WRITER: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "row_group_size": ROWS_A_GROUP,
    "write_page_index": True,
    "use_content_defined_chunking": True,
}
"""Small row groups and the page index let readers skip; the chunking keeps most bytes of a rewritten shard."""

_WITHIN = {"articles": ("domain", "published_at", "id"), "copies": ("domain", "published_at", "id")}
"""The order inside a shard. Shards follow one another by date, so that few hold a week; within them rows lie by host,
so that few row groups hold a host."""

_SPLIT_FORMATS = {"year": "%Y", "month": "%Y_%m"}
UNDATED = "undated"


@dataclass(slots=True)
class Shelf:
    """Where the shards of a version are put, under names that begin with `name` and count on."""

    draft: Path
    name: str
    policy: Policy
    number: int = 0

    def articles(self, tables: Iterable[pa.Table], is_whole: bool = True) -> Iterator[Shard]:
        """Shards of articles with as much of the texts as the policy gives; what it keeps back is sketched.

        Args:
            tables: rows in the order of their dates.
            is_whole: the texts are whole; a text that is shortened already has been sketched before.

        Raises:
            RefusedVersionError: a row that should be whole is not.
        """
        for rows in _cut("articles", tables, self.policy.splits):
            if is_whole:
                check_articles(rows)
            published = as_published(rows, self.policy)
            yield self._put("articles", published, split_of(rows, self.policy.splits))
            if is_whole:
                yield from self.sketches([_held_back(rows, published)])

    def others(self, config: str, tables: Iterable[pa.Table]) -> Iterator[Shard]:
        """Shards of another config."""
        for rows in _cut(config, tables, "none"):
            yield self._put(config, rows, "train")

    def sketches(self, tables: Iterable[pa.Table]) -> Iterator[Shard]:
        """Sketches of articles whose whole texts readers do not get."""
        for whole in tables:
            if whole.num_rows:
                from flows.copies.sketches import SKETCHES_CONFIG, sketch_table

                yield self._put(SKETCHES_CONFIG, sketch_table(whole), "train")

    def _put(self, config: str, rows: pa.Table, split: str) -> Shard:
        self.number += 1
        label = config if split == "train" else f"{config}-{split}"
        return write_shard(config, f"{label}-{self.name}-{self.number - 1:05d}", rows, self.draft, split)


def _held_back(whole: pa.Table, published: pa.Table) -> pa.Table:
    """The articles whose published texts are not the whole ones."""
    same = pc.fill_null(pc.equal(whole["text"], published["text"]), False)
    return whole.filter(pc.invert(same))


def write_shard(config: str, stem: str, rows: pa.Table, draft: Path, split: str = "train") -> Shard:
    """Writes a shard of a config into a draft."""
    path = f"{DATA}/{stem}.parquet"
    if config in _WITHIN:
        rows = rows.take(order_by(rows, _WITHIN[config]))
    write_table(draft / path, rows, **WRITER, **_hints(config, rows.schema))
    return Shard.of(config, draft, path, rows.num_rows, split)


def _hints(config: str, schema: pa.Schema) -> dict[str, Any]:
    """What tells readers more about a shard's order and ids."""
    names = _WITHIN.get(config, ("url",))
    if not set(names) <= set(schema.names):
        return {}
    order = [pq.SortingColumn(schema.get_field_index(name), nulls_first=True) for name in names]
    blooms = {"id": {"ndv": ROWS_A_GROUP, "fpp": 0.01}} if "id" in schema.names else None
    return {"sorting_columns": order} | ({"bloom_filter_options": blooms} if blooms else {})


def _cut(config: str, tables: Iterable[pa.Table], splits: str) -> Iterator[pa.Table]:
    """Pieces of at most a shard's rows, each of one split; none without rows, which load_dataset could not read."""
    for table in tables:
        for rows in _by_split(table, splits) if config == "articles" else [table]:
            for start in range(0, rows.num_rows, ROWS_A_SHARD):
                yield rows.slice(start, ROWS_A_SHARD)


def _by_split(rows: pa.Table, splits: str) -> Iterator[pa.Table]:
    if splits == "none":
        yield rows
        return
    names = _split_names(rows, splits).to_pylist()
    start = 0
    for end in range(1, len(names) + 1):
        if end == len(names) or names[end] != names[start]:
            yield rows.slice(start, end - start)
            start = end


def _split_names(rows: pa.Table, splits: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.strftime(rows["published_at"], format=_SPLIT_FORMATS[splits]), UNDATED)


def split_of(rows: pa.Table, splits: str) -> str:
    """The split that rows of one split belong to: `train`, or the year or month of their dates, or `undated`."""
    return "train" if splits == "none" else str(_split_names(rows.slice(0, 1), splits)[0].as_py())


def empty(config: str) -> pa.Table:
    """No rows of a config."""
    return SCHEMAS[config].empty_table()
