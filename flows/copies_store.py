"""The DuckDB file under the index of known articles: its tables, and every statement that touches them.

The inverted list is a plain table: DuckDB's hash join scans it faster than an index over it could be kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cleaning.candidates import MAX_POSTINGS
from cleaning.clusters import Article
from cleaning.schema import TIME
from cleaning.shingles import SKETCH_VERSION
from flows.errors import StateError

TABLES_VERSION = 1
"""Goes up with every change of the tables."""

_REMEDY = "Delete it: the next run makes it again from the published dataset."

_ARTICLES = pa.schema(
    [("id", pa.string()), ("cluster_id", pa.string()), ("digest", pa.uint64()), ("version", pa.int32())]
)
_REPRESENTATIVES = pa.schema(
    [
        ("number", pa.int64()),
        ("id", pa.string()),
        ("cluster_id", pa.string()),
        ("size", pa.int64()),
        ("domain", pa.string()),
        ("agency", pa.string()),
        ("published_at", TIME),
        ("words", pa.binary()),
    ]
)
_POSTINGS = pa.schema([("hash", pa.uint64()), ("number", pa.int64())])
_CREATE = """
CREATE TABLE versions (sketches INTEGER, tables INTEGER);
CREATE TABLE runs (run_id VARCHAR, numbers BIGINT);
CREATE TABLE articles (id VARCHAR, cluster_id VARCHAR, digest UBIGINT, version INTEGER);
CREATE TABLE representatives (number BIGINT, id VARCHAR, cluster_id VARCHAR, size BIGINT, domain VARCHAR,
    agency VARCHAR, published_at TIMESTAMPTZ, words BLOB);
CREATE TABLE postings (hash UBIGINT, number BIGINT);
CREATE TABLE decisions (run_id VARCHAR, position BIGINT, id VARCHAR, relation VARCHAR, representative_id VARCHAR,
    cluster_id VARCHAR, containment FLOAT, version INTEGER, is_fresh BOOLEAN);
CREATE TABLE changes (run_id VARCHAR, position BIGINT, old_representative_id VARCHAR, new_representative_id VARCHAR,
    cluster_id VARCHAR, relation VARCHAR, containment FLOAT);
"""
_IDS = pa.schema([("id", pa.string())])


class CopyIndexError(StateError):
    """The index of known articles cannot be used."""


class CopyIndexLockedError(CopyIndexError):
    """Another process holds the index."""


class CopyIndexDamagedError(CopyIndexError):
    """The file is damaged, or no index."""


class CopyIndexVersionError(CopyIndexError):
    """The file was written with other tables, or with sketches that cannot be compared with today's."""


@dataclass(frozen=True, slots=True)
class Known:
    """An article that is known by its id; `number` is that of the representative of its cluster, None without one.

    `digest` is that of its text, None where the index never saw the text.
    """

    id: str
    cluster_id: str
    digest: int | None
    version: int
    representative_id: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Matches:
    """Postings of some shingles: `hashes[k]` is in the representative `numbers[k]`, which has `sizes[k]` shingles."""

    hashes: NDArray[np.uint64]
    numbers: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def common(self) -> NDArray[np.uint64]:
        """The shingles of as many representatives as are remembered for one."""
        hashes, counts = np.unique(self.hashes, return_counts=True)
        return hashes[counts >= MAX_POSTINGS]


class Store:
    """An open file. Numbers name representatives; a cluster has one at a time, and a number is never used again."""

    def __init__(self, path: Path, memory: int, threads: int) -> None:
        self.path = path
        _drop_stillborn(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory}MB",
            "threads": threads,
            "autoinstall_known_extensions": False,
        }
        try:
            self._connection = duckdb.connect(str(path), config=settings)
            self._prepare()
        except duckdb.Error as error:
            raise _explained(path, error) from error

    def _prepare(self) -> None:
        if not self._connection.execute("FROM duckdb_tables()").fetchall():
            self._connection.execute(f"BEGIN; {_CREATE}")
            self._connection.execute("INSERT INTO versions VALUES (?, ?)", [SKETCH_VERSION, TABLES_VERSION])
            self._connection.execute("COMMIT")
        versions = self._connection.execute("SELECT sketches, tables FROM versions").fetchall()
        if versions != [(SKETCH_VERSION, TABLES_VERSION)]:
            self._connection.close()
            found = ", ".join(f"sketches {sketches}, tables {tables}" for sketches, tables in versions)
            raise CopyIndexVersionError(
                f"{self.path}: the index has {found or 'no'} version; this program knows sketches {SKETCH_VERSION}, "
                f"tables {TABLES_VERSION}.",
                _REMEDY,
            )

    def close(self) -> None:
        """Closes the file; what was not committed is undone."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Begins a transaction."""
        self.run("BEGIN")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.run("ROLLBACK" if kind else "COMMIT")

    def run(self, statement: str, values: Sequence[Any] = (), **tables: pa.Table) -> int:
        """Carries a statement out, which may name the given tables; answers how many rows it changed."""
        try:
            for name, table in tables.items():
                self._connection.register(name, table)
            changed = self._connection.execute(statement, list(values)).fetchone()
            for name in tables:
                self._connection.unregister(name)
        except duckdb.Error as error:
            raise _explained(self.path, error) from error
        return int(changed[0]) if changed else 0

    def query(self, statement: str, values: Sequence[Any] = (), **tables: pa.Table) -> pa.Table:
        """The answer to a SELECT, which may name the given tables."""
        try:
            for name, table in tables.items():
                self._connection.register(name, table)
            answer = self._connection.sql(statement, params=list(values)).to_arrow_table()
            for name in tables:
                self._connection.unregister(name)
        except duckdb.Error as error:
            raise _explained(self.path, error) from error
        return answer

    def runs(self) -> list[str]:
        """The ids of the runs, in the order in which they were committed."""
        ids: list[str] = self.query("SELECT run_id FROM runs ORDER BY rowid")["run_id"].to_pylist()
        return ids

    def begun(self, run_id: str) -> tuple[bool, int]:
        """Whether a run is known, and the first number that was never used."""
        found = "SELECT count(*) FILTER (run_id = ?), coalesce(sum(numbers), 0) FROM runs"
        try:
            known, numbers = self._connection.execute(found, [run_id]).fetchall()[0]
        except duckdb.Error as error:
            raise _explained(self.path, error) from error
        return bool(known), int(numbers)

    def record(self, run_id: str, numbers: int, decisions: pa.Table, changes: pa.Table) -> None:
        """Remembers what a run decided, and how many numbers it used."""
        self.run("INSERT INTO runs VALUES (?, ?)", [run_id, numbers])
        for name, table in (("decisions", decisions), ("changes", changes)):
            if table.num_rows:
                self.run(f"INSERT INTO {name} SELECT ?, row_number() OVER (), * FROM fresh", [run_id], fresh=table)

    def recorded(self, name: str, run_id: str, schema: pa.Schema) -> pa.Table:
        """The decisions or changes of a run, in their order."""
        columns = ", ".join(schema.names)
        return self.query(f"SELECT {columns} FROM {name} WHERE run_id = ? ORDER BY position", [run_id]).cast(schema)

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """Those of the ids that are known."""
        wanted = pa.table([ids], schema=_IDS)
        found = self.query("FROM articles SEMI JOIN wanted USING (id)", wanted=wanted)
        if not found.num_rows:
            return {}
        rows = self.query(
            "SELECT found.*, coalesce(r.id, found.id) AS representative_id, r.number"
            " FROM found LEFT JOIN representatives r USING (cluster_id)",
            found=found,
        )
        return {row["id"]: Known(**row) for row in rows.to_pylist()}

    def matches(self, hashes: NDArray[np.uint64]) -> Matches:
        """The postings of the given shingles."""
        rows = self.query(
            "SELECT p.hash, p.number, r.size FROM postings p SEMI JOIN wanted USING (hash)"
            " JOIN representatives r USING (number)",
            wanted=pa.table({"hash": hashes}),
        )
        return Matches(*(rows[name].to_numpy() for name in ("hash", "number", "size")))

    def articles(self, numbers: Sequence[int]) -> dict[int, Article]:
        """Representatives by number, with their texts."""
        rows = self.query(
            "FROM representatives SEMI JOIN wanted USING (number)",
            wanted=pa.table({"number": pa.array(numbers, pa.int64())}),
        )
        names = ("number", "id", "cluster_id", "words", "domain", "agency", "published_at")
        columns = (rows[name].to_pylist() for name in names)
        return {
            number: Article(article, cluster, np.frombuffer(words, np.uint32), *rest)
            for number, article, cluster, words, *rest in zip(*columns, strict=True)
        }

    def add_articles(self, rows: Sequence[tuple[str, str, int | None, int]], editions: Sequence[str] = ()) -> None:
        """Remembers articles by id, cluster, digest and version; `editions` are the ids that were known before."""
        if editions:
            self.run("DELETE FROM articles WHERE id IN (SELECT id FROM old)", old=pa.table([editions], schema=_IDS))
        if rows:
            self.run("INSERT INTO articles BY NAME FROM fresh", fresh=_table(rows, _ARTICLES))

    def add_representatives(
        self,
        numbered: dict[int, Article],
        hashes: NDArray[np.uint64],
        numbers: NDArray[np.int64],
        common: NDArray[np.uint64],
    ) -> None:
        """Makes articles findable by their shingles: `hashes[k]` is in the article with `numbers[k]`.

        A shingle in `common` is not posted again: MAX_POSTINGS representatives have it, and it tells nothing any more.
        """
        if not numbered:
            return
        sizes = Counter(numbers.tolist())
        rows = [
            (number, a.id, a.cluster_id, sizes[number], a.domain, a.agency, a.published_at, a.words.tobytes())
            for number, a in numbered.items()
        ]
        self.run("INSERT INTO representatives BY NAME FROM fresh", fresh=_table(rows, _REPRESENTATIVES))
        self.run("INSERT INTO postings BY NAME FROM fresh", fresh=_first_postings(hashes, numbers, common))

    def drop_representatives(self, numbers: Sequence[int]) -> None:
        """Makes representatives unfindable; their articles stay known."""
        if numbers:
            # Their postings are left to lie: nothing finds them any more.
            gone = pa.table({"number": pa.array(numbers, pa.int64())})
            self.run("DELETE FROM representatives WHERE number IN (SELECT number FROM gone)", gone=gone)

    def forget(self, ids: Sequence[str]) -> int:
        """Removes every trace of articles; answers how many were known."""
        gone = pa.table([sorted(set(ids))], schema=_IDS)
        some = "(SELECT id FROM gone)"
        self.run(f"DELETE FROM representatives WHERE id IN {some}", gone=gone)
        self.run("DELETE FROM postings WHERE number NOT IN (SELECT number FROM representatives)")
        self.run(f"DELETE FROM decisions WHERE id IN {some}", gone=gone)
        for side in ("old", "new"):
            self.run(f"DELETE FROM changes WHERE {side}_representative_id IN {some}", gone=gone)
        return self.run(f"DELETE FROM articles WHERE id IN {some}", gone=gone)

    def checkpoint(self) -> None:
        """Writes what was committed into the main file, so that forgotten texts leave the log."""
        self.run("CHECKPOINT")


def _first_postings(hashes: NDArray[np.uint64], numbers: NDArray[np.int64], common: NDArray[np.uint64]) -> pa.Table:
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    rank = np.arange(order.size) - np.searchsorted(ordered, ordered)
    kept = order[(rank < MAX_POSTINGS) & ~np.isin(ordered, common)]
    return pa.table([hashes[kept], numbers[kept]], schema=_POSTINGS)


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [[] for _ in schema]
    return pa.table([list(column) for column in columns], schema=schema)


def _drop_stillborn(path: Path) -> None:
    # DuckDB makes an empty file before it writes the first page; a kill in between leaves one that it then refuses.
    if path.is_file() and path.stat().st_size == 0:
        path.unlink()


def _explained(path: Path, error: duckdb.Error) -> CopyIndexError:
    reason = str(error).splitlines()[0]
    if "set lock" in reason:
        return CopyIndexLockedError(
            f"{path}: another process has the index open ({reason}).",
            "Wait until that run has ended, or end it; the lock goes with its process.",
        )
    if any(sign in reason for sign in ("not a valid DuckDB", "Corrupt", "not read enough", "checksum", "serializ")):
        return CopyIndexDamagedError(f"{path}: the index is damaged ({reason}).", _REMEDY)
    return CopyIndexError(
        f"{path}: the index cannot be used ({reason}).",
        "Check that its folder is writable and the disk not full; else delete the file: the next run makes it again.",
    )
