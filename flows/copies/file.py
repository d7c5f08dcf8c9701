"""The DuckDB file under the index of known articles: how it is opened, checked and asked, and its errors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cleaning.copies.shingles import SKETCH_VERSION
from flows.errors import StateError

TABLES_VERSION = 3
"""Goes up with every change of the tables."""

_CREATE = """
CREATE TABLE versions (sketches INTEGER, tables INTEGER);
CREATE TABLE runs (run_id VARCHAR, numbers BIGINT);
CREATE TABLE articles (id VARCHAR, cluster_id VARCHAR, digest UBIGINT, version INTEGER, address VARCHAR);
CREATE TABLE missing (id VARCHAR, run_id VARCHAR);
CREATE TABLE texts (number BIGINT, cluster BIGINT, id VARCHAR, cluster_id VARCHAR, size BIGINT, domain VARCHAR,
    agency VARCHAR, published_at TIMESTAMPTZ, words BLOB, sketch BLOB);
CREATE TABLE postings (hash UBIGINT, number BIGINT);
CREATE TABLE decisions (run_id VARCHAR, position BIGINT, id VARCHAR, relation VARCHAR, representative_id VARCHAR,
    cluster_id VARCHAR, containment FLOAT, version INTEGER, is_fresh BOOLEAN);
"""
_DAMAGE = "not a valid DuckDB", "Corrupt", "not read enough", "checksum", "serializ", "Catalog Error"
"""What DuckDB says of a broken file, and of another program's, which lacks our tables."""

_REMEDY = "Delete it: the next run makes it again from the published dataset."

Given: TypeAlias = pa.Table | Mapping[str, NDArray[Any]]
"""Rows for a statement; arrays reach DuckDB sooner than a table does."""

_NOTHING: Given = {}


class CopyIndexError(StateError):
    """The index of known articles cannot be used."""


class CopyIndexLockedError(CopyIndexError):
    """Another process holds the index."""


class CopyIndexDamagedError(CopyIndexError):
    """The file is damaged, or no index."""


class CopyIndexVersionError(CopyIndexError):
    """The file was written with other tables, or with sketches that cannot be compared with today's."""


class IndexFile:
    """An open file, which is made where there is none; used in a `with` statement, a transaction."""

    def __init__(self, path: Path, memory: int, threads: int) -> None:
        """Opens it; `memory` in megabytes bounds what DuckDB holds, `threads` the processors that it uses.

        Raises:
            CopyIndexLockedError: another process has it open.
            CopyIndexDamagedError: it is damaged, or no index.
            CopyIndexVersionError: it was written by a version of the program that made other sketches or tables.
        """
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
        self.run("BEGIN")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.run("ROLLBACK" if kind else "COMMIT")

    # DuckDB finds `given` by the name of the variable, which costs half of what it takes to register a table.

    def run(
        self,
        statement: str,
        values: Sequence[Any] = (),
        given: Given = _NOTHING,  # noqa: ARG002
    ) -> list[tuple[Any, ...]]:
        """Carries a statement out, which may name the rows of `given`; answers its rows, or how many it changed."""
        try:
            return self._connection.execute(statement, list(values)).fetchall()
        except duckdb.Error as error:
            raise _explained(self.path, error) from error

    def arrays(self, statement: str, given: Given = _NOTHING) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """The columns that a SELECT answers, by name; none may hold NULL."""
        try:
            return {
                name: np.asarray(column) for name, column in self._connection.execute(statement).fetchnumpy().items()
            }
        except duckdb.Error as error:
            raise _explained(self.path, error) from error

    def query(self, statement: str, values: Sequence[Any] = ()) -> pa.Table:
        """The answer to a SELECT as a table."""
        try:
            return self._connection.sql(statement, params=list(values)).to_arrow_table()
        except duckdb.Error as error:
            raise _explained(self.path, error) from error


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
    if any(sign in reason for sign in _DAMAGE):
        return CopyIndexDamagedError(f"{path}: the index is damaged ({reason}).", _REMEDY)
    return CopyIndexError(
        f"{path}: the index cannot be used ({reason}).",
        "Check that its folder is writable and the disk not full; else delete the file: the next run makes it again.",
    )
