"""What takedowns name in the stored versions, found by reading the columns that name a row, of each shard once."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.config import Dataset
from flows.destination import LocalFolder
from flows.manifest import Shard
from flows.takedown import Takedowns

NAMING = ("id", "representative_id", "url", "canonical_url")
"""The columns by which a takedown names a row; a shard may lack some of them."""

Row = dict[str, Any]
"""The columns of a row by which a takedown names it."""


@dataclass(frozen=True, slots=True)
class Named:
    """What takedowns name in a shard.

    Attributes:
        rows: those that they name.
        ids: of all rows, in their order; null where they have none.
        kept: of all rows, whether they stay.
    """

    rows: list[Row]
    ids: pa.Array
    kept: pa.Array

    def also_by(self, ids: frozenset[str]) -> "Named":
        """The same, and the rows with one of some ids go too."""
        return replace(self, kept=pc.and_not(self.kept, pc.is_in(self.ids, pa.array(sorted(ids), pa.string()))))

    @property
    def is_untouched(self) -> bool:
        """Whether all rows stay."""
        return bool(pc.all(self.kept).as_py())

    @property
    def removed_ids(self) -> list[str]:
        """The ids of the rows that go."""
        ids: list[str] = self.ids.filter(pc.invert(self.kept)).to_pylist()
        return ids


def named_rows(dataset: Dataset, takedowns: Takedowns) -> dict[Shard, Named]:
    """What takedowns name in each shard of the versions that are there.

    What they name in one version goes from all, by its id; and with an article go the rows that name it as theirs.
    """
    destination = LocalFolder(dataset.folder)
    places = {
        shard: destination.folder_of(number) / shard.path
        for number in destination.numbers()
        for shard in destination.manifest_of(number).shards
    }
    articles = {shard: _named(path, takedowns) for shard, path in places.items() if shard.config == "articles"}
    ids = frozenset(row["id"] for named in articles.values() for row in named.rows)
    with_copies = replace(takedowns, ids=takedowns.ids | ids)
    others = {shard: _named(path, with_copies) for shard, path in places.items() if shard.config != "articles"}
    return {shard: named.also_by(ids) for shard, named in articles.items()} | others


def naming_columns(path: Path) -> list[Row]:
    """Of each row of a shard, the columns by which a takedown may name it. Reads no texts."""
    names = [name for name in pq.read_schema(path).names if name in NAMING]
    rows: list[Row] = pq.read_table(path, columns=names, partitioning=None).to_pylist()
    return rows


def _named(path: Path, takedowns: Takedowns) -> Named:
    rows = naming_columns(path)
    kept = [not takedowns.cover(row) for row in rows]
    named = [row for row, stays in zip(rows, kept, strict=True) if not stays]
    return Named(named, pa.array([row.get("id") for row in rows], pa.string()), pa.array(kept, pa.bool_()))
