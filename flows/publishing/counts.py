"""How many rows of a version have which source, language, month and verdict; counted on from the version before."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import duckdb

from flows.destination import COUNTS_NAME
from flows.manifest import Manifest, Shard

_BY = {
    "domains": ("articles", "domain"),
    "languages": ("articles", "language"),
    "months": ("articles", "strftime(published_at, '%Y-%m')"),
    "verdicts": ("rejected", "verdict"),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Articles by domain, language and month (`YYYY-MM`), and rejected pages by verdict; "" where it is unknown."""

    domains: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Self) -> Self:
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in _BY})

    def __sub__(self, other: Self) -> Self:
        return type(self)(**{name: getattr(self, name) - getattr(other, name) for name in _BY})

    def most(self, name: str) -> list[tuple[str, int]]:
        """The values of one count, those with most rows first."""
        return sorted(getattr(self, name).items(), key=lambda item: (-item[1], item[0]))

    def to_json(self) -> str:
        """The text of counts.json."""
        return json.dumps({name: getattr(self, name) for name in _BY}, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def of(cls, shards: Iterable[Shard], root: Path) -> Self:
        """Counts over the rows of some shards below a folder, from the columns that they need."""
        found = list(shards)
        with duckdb.connect() as db:
            return cls(
                **{
                    name: _count(db, expression, [str(root / shard.path) for shard in found if shard.config == config])
                    for name, (config, expression) in _BY.items()
                }
            )


def _count(db: duckdb.DuckDBPyConnection, expression: str, paths: list[str]) -> Counter[str]:
    if not paths:
        return Counter()
    sql = f"SELECT coalesce({expression}, '') AS value, count(*) FROM read_parquet(?) GROUP BY value"
    return Counter(dict(db.execute(sql, [paths]).fetchall()))


def count_version(root: Path, manifest: Manifest, old: Path, base: Manifest) -> Counts:
    """The counts of a version whose shards lie below `root`.

    Args:
        root: where its shards lie.
        manifest: which they are.
        old: the folder of the version before it; its counts are read there, if they are there.
        base: the manifest of that version.
    """
    known = _known(old / COUNTS_NAME) if base.shards else None
    if known is None:
        return Counts.of(manifest.shards, root)
    new, gone = (
        [shard for shard in these if shard not in others]
        for these, others in ((manifest.shards, {*base.shards}), (base.shards, {*manifest.shards}))
    )
    return known - Counts.of(gone, old) + Counts.of(new, root)


def _known(path: Path) -> Counts | None:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Counts(**{name: Counter(raw[name]) for name in _BY})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a version of an earlier release, or a copy without the file: it is counted anew
