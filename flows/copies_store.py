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

TABLES_VERSION = 2
"""Goes up with every change of the tables."""

_REMEDY = "Delete it: the next run makes it again from the published dataset."

_ARTICLES = pa.schema(
    [("id", pa.string()), ("cluster_id", pa.string()), ("digest", pa.uint64()), ("version", pa.int32())]
)
_TEXTS = pa.schema(
    [
        ("number", pa.int64()),
        ("cluster", pa.int64()),
        ("id", pa.string()),
        ("cluster_id", pa.string()),
        ("size", pa.int64()),
        ("domain", pa.string()),
        ("agency", pa.string()),
        ("published_at", TIME),
        ("words", pa.binary()),
    ]
)
_MOVED = pa.schema([("old", pa.int64()), ("new", pa.int64())])
_POSTINGS = pa.schema([("hash", pa.uint64()), ("number", pa.int64())])
_CREATE = """
CREATE TABLE versions (sketches INTEGER, tables INTEGER);
CREATE TABLE runs (run_id VARCHAR, numbers BIGINT);
CREATE TABLE articles (id VARCHAR, cluster_id VARCHAR, digest UBIGINT, version INTEGER);
CREATE TABLE texts (number BIGINT, cluster BIGINT, id VARCHAR, cluster_id VARCHAR, size BIGINT, domain VARCHAR,
    agency VARCHAR, published_at TIMESTAMPTZ, words BLOB);
CREATE TABLE postings (hash UBIGINT, number BIGINT);
CREATE TABLE decisions (run_id VARCHAR, position BIGINT, id VARCHAR, relation VARCHAR, representative_id VARCHAR,
    cluster_id VARCHAR, containment FLOAT, version INTEGER, is_fresh BOOLEAN);
CREATE TABLE changes (run_id VARCHAR, position BIGINT, old_representative_id VARCHAR, new_representative_id VARCHAR,
    cluster_id VARCHAR, relation VARCHAR, containment FLOAT);
"""
_IDS = pa.schema([("id", pa.string())])
_NUMBERS = pa.schema([("number", pa.int64())])
_NOTHING = pa.table({})


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
class Text:
    """A text to be found by: its number, that of the representative of its cluster (or its own), and its article."""

    number: int
    top: int
    article: Article

    def row(self, size: int) -> tuple[Any, ...]:
        """The row of a text with so many sampled shingles, as _TEXTS says."""
        a = self.article
        place = self.number, self.top, a.id, a.cluster_id, size
        return *place, a.domain, a.agency, a.published_at, a.words.tobytes()


@dataclass(frozen=True, slots=True)
class Matches:
    """Postings of some shingles: `hashes[k]` is in the text `numbers[k]`, which has `sizes[k]` shingles.

    `tops[k]` is the number of the representative of that text's cluster.
    """

    hashes: NDArray[np.uint64]
    numbers: NDArray[np.int64]
    tops: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def common(self) -> NDArray[np.uint64]:
        """The shingles of as many texts as are remembered for one."""
        hashes, counts = np.unique(self.hashes, return_counts=True)
        return hashes[counts >= MAX_POSTINGS]


class Store:
    """An open file. Numbers name texts, and are never used again.

    A text stands for its cluster, or is a witness: a copy by which further copies are found. Its `cluster` is the
    number of the text that stands.
    """

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

    # DuckDB finds `given` by the name of the variable, which costs half of what it takes to register a table.

    def run(
        self,
        statement: str,
        values: Sequence[Any] = (),
        given: pa.Table = _NOTHING,  # noqa: ARG002
    ) -> list[tuple[Any, ...]]:
        """Carries a statement out, which may name the rows of `given`; answers its rows, or how many it changed."""
        try:
            return self._connection.execute(statement, list(values)).fetchall()
        except duckdb.Error as error:
            raise _explained(self.path, error) from error

    def query(
        self,
        statement: str,
        values: Sequence[Any] = (),
        given: pa.Table = _NOTHING,  # noqa: ARG002
    ) -> pa.Table:
        """The answer to a SELECT, which may name the rows of `given`, as a table."""
        try:
            return self._connection.sql(statement, params=list(values)).to_arrow_table()
        except duckdb.Error as error:
            raise _explained(self.path, error) from error

    def runs(self) -> list[str]:
        """The ids of the runs, in the order in which they were committed."""
        return [run_id for (run_id,) in self.run("SELECT run_id FROM runs ORDER BY rowid")]

    def begun(self, run_id: str) -> tuple[bool, int]:
        """Whether a run is known, and the first number that was never used."""
        found = "SELECT count(*) FILTER (run_id = ?), coalesce(sum(numbers), 0) FROM runs"
        ((known, numbers),) = self.run(found, [run_id])
        return bool(known), int(numbers)

    def record(self, run_id: str, numbers: int, decisions: pa.Table, changes: pa.Table) -> None:
        """Remembers what a run decided, and how many numbers it used."""
        self.run("INSERT INTO runs VALUES (?, ?)", [run_id, numbers])
        for name, table in (("decisions", decisions), ("changes", changes)):
            if table.num_rows:
                self.run(f"INSERT INTO {name} SELECT ?, row_number() OVER (), * FROM given", [run_id], table)

    def recorded(self, name: str, run_id: str, schema: pa.Schema) -> pa.Table:
        """The decisions or changes of a run, in their order."""
        columns = ", ".join(schema.names)
        return self.query(f"SELECT {columns} FROM {name} WHERE run_id = ? ORDER BY position", [run_id]).cast(schema)

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """Those of the ids that are known."""
        found = self.run("FROM articles SEMI JOIN given USING (id)", given=pa.table([ids], schema=_IDS))
        if not found:
            return {}
        rows = self.run(
            "SELECT a.id, a.cluster_id, a.digest, a.version, coalesce(t.id, a.id), t.number"
            " FROM given a LEFT JOIN texts t ON t.cluster_id = a.cluster_id AND t.number = t.cluster",
            given=_table(found, _ARTICLES),
        )
        return {row[0]: Known(*row) for row in rows}

    def matches(self, hashes: NDArray[np.uint64]) -> Matches:
        """The postings of the given shingles."""
        rows = self.query(
            "SELECT p.hash, p.number, t.cluster, t.size FROM postings p SEMI JOIN given USING (hash)"
            " JOIN texts t USING (number)",
            given=pa.table({"hash": hashes}),
        )
        return Matches(*(rows[name].to_numpy() for name in ("hash", "number", "cluster", "size")))

    def articles(self, numbers: Sequence[int]) -> dict[int, Article]:
        """Representatives and witnesses by number, with their texts."""
        rows = self.query("FROM texts SEMI JOIN given USING (number)", given=pa.table([numbers], schema=_NUMBERS))
        names = ("number", "id", "cluster_id", "words", "domain", "agency", "published_at")
        columns = (rows[name].to_pylist() for name in names)
        return {
            number: Article(article, cluster, np.frombuffer(words, np.uint32), *rest)
            for number, article, cluster, words, *rest in zip(*columns, strict=True)
        }

    def add_articles(self, rows: Sequence[tuple[str, str, int | None, int]], editions: Sequence[str] = ()) -> None:
        """Remembers articles by id, cluster, digest and version; `editions` are the ids that were known before."""
        if editions:
            self.run("DELETE FROM articles WHERE id IN (SELECT id FROM given)", given=pa.table([editions], schema=_IDS))
        if rows:
            self.run("INSERT INTO articles BY NAME FROM given", given=_table(rows, _ARTICLES))

    def add_texts(
        self,
        texts: Sequence[Text],
        hashes: NDArray[np.uint64],
        numbers: NDArray[np.int64],
        common: NDArray[np.uint64],
    ) -> None:
        """Makes texts findable by their shingles: `hashes[k]` is in the text with `numbers[k]`.

        A shingle in `common` is not posted again: MAX_POSTINGS texts have it, and it tells nothing any more.
        """
        if not texts:
            return
        sizes = Counter(numbers.tolist())
        rows = [text.row(sizes[text.number]) for text in texts]
        self.run("INSERT INTO texts BY NAME FROM given", given=_table(rows, _TEXTS))
        self.run("INSERT INTO postings BY NAME FROM given", given=_first_postings(hashes, numbers, common))

    def move(self, tops: dict[int, int]) -> None:
        """Puts whole clusters under other representatives: from the number of the old one to that of the new."""
        if tops:
            moved = pa.table([list(tops), list(tops.values())], schema=_MOVED)
            self.run("UPDATE texts SET cluster = new FROM given WHERE cluster = old", given=moved)

    def drop_texts(self, numbers: Sequence[int]) -> None:
        """Makes texts unfindable; their articles stay known."""
        if numbers:
            # Their postings are left to lie: nothing finds them any more.
            gone = pa.table([numbers], schema=_NUMBERS)
            self.run("DELETE FROM texts WHERE number IN (SELECT number FROM given)", given=gone)

    def forget(self, ids: Sequence[str]) -> int:
        """Removes articles; answers how many were known.

        What runs decided of them stays as rows that say nothing, so that a run still has one for each document.
        """
        gone = pa.table([sorted(set(ids))], schema=_IDS)
        some = "(SELECT id FROM given)"
        self.run(f"DELETE FROM texts WHERE id IN {some}", given=gone)
        for table, column in (("texts", "cluster"), ("postings", "number")):
            self.run(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT number FROM texts)")
        self.run(f"UPDATE decisions SET is_fresh = false, relation = 'same' WHERE id IN {some}", given=gone)
        for side in ("old", "new"):
            self.run(f"DELETE FROM changes WHERE {side}_representative_id IN {some}", given=gone)
        ((count,),) = self.run(f"DELETE FROM articles WHERE id IN {some}", given=gone)
        return int(count)

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
