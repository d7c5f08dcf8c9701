"""Where each published row lies: a cache in the state, brought up to date from the manifest's list of shards.

Shards are immutable and their names are never used again, so the cache is right once it knows the same names; it may
be deleted at any time. It makes what a publication costs depend on what changes, not on what is there.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from flows.manifest import Manifest, Shard

INDEX_NAME = "published.duckdb"
_FORMAT = 2
_MEMORY = "400MB"
_CREATE = f"""
CREATE TABLE IF NOT EXISTS format_{_FORMAT} (nothing BOOLEAN);
CREATE SEQUENCE IF NOT EXISTS numbers;
CREATE TABLE IF NOT EXISTS shards (number INTEGER DEFAULT nextval('numbers'), path VARCHAR, sha256 VARCHAR,
    config VARCHAR, columns VARCHAR[]);
CREATE TABLE IF NOT EXISTS articles (id VARCHAR, key UHUGEINT, url UBIGINT, shard INTEGER);
CREATE TABLE IF NOT EXISTS copies (id VARCHAR, key UHUGEINT, representative VARCHAR, top UHUGEINT, url UBIGINT,
    shard INTEGER);
CREATE TABLE IF NOT EXISTS rejected (url UBIGINT, verdict VARCHAR, shard INTEGER);
CREATE TABLE IF NOT EXISTS sketches (key UHUGEINT, shard INTEGER);
"""
# Ids are looked up by a number of 128 bits: a million of them are scanned in a quarter of the time that names take.
_READ = {
    "articles": "SELECT id, md5_number(id), md5_number_lower(url), ? FROM given",
    "copies": "SELECT id, md5_number(id), representative_id, md5_number(representative_id), md5_number_lower(url), ?"
    " FROM given",
    "rejected": "SELECT md5_number_lower(url), verdict, ? FROM given",
    "sketches": "SELECT md5_number(id), ? FROM given",
}
_KEYS = "(SELECT id AS name, md5_number(id) AS key FROM given)"
_COLUMNS = {
    "articles": ["id", "url"],
    "copies": ["id", "representative_id", "url"],
    "rejected": ["url", "verdict"],
    "sketches": ["id"],
}

Found = dict[str, set[str]]
"""Values by the path of the shard that holds them, or by the URL that has them."""


class ShardIndex:
    """The cache of one dataset; one process at a time may have it open."""

    def __init__(self, path: Path) -> None:
        """Opens the file; one that cannot be used is made anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = _opened(path)
        except duckdb.Error:
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
            self._db = _opened(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def follow(self, manifest: Manifest | None, folder: Path) -> Self:
        """Makes the cache know exactly the shards of a version, which lie below `folder`; reads those that are new."""
        shards = manifest.shards if manifest else ()
        wanted = {(shard.path, shard.sha256): shard for shard in shards if shard.config in _READ}
        known = {
            (path, digest): number for path, digest, number in self._query("SELECT path, sha256, number FROM shards")
        }
        self._db.execute("BEGIN")
        self._drop([number for name, number in known.items() if name not in wanted])
        for name in sorted(wanted.keys() - known.keys()):
            self._add(wanted[name], folder)
        self._db.execute("COMMIT")
        return self

    def holders(self, config: str, ids: Iterable[str]) -> Found:
        """Those of the ids that a config has, by shard."""
        sql = f"SELECT path, name FROM {config} JOIN {_KEYS} USING (key) JOIN shards ON number = shard"
        return self._found(sql, _given(id=ids))

    def copies_of(self, articles: Iterable[str]) -> Found:
        """The representatives among the ids that copies name, by the shard of the copies."""
        sql = f"SELECT path, name FROM copies JOIN {_KEYS} AS asked ON asked.key = top JOIN shards ON number = shard"
        return self._found(sql, _given(id=articles))

    def ids_of_copies(self, articles: Iterable[str]) -> set[str]:
        """The ids of the copies that name one of the articles."""
        sql = f"SELECT '', copies.id FROM copies JOIN {_KEYS} AS asked ON asked.key = top"
        return set().union(*self._found(sql, _given(id=articles)).values())

    def rejected(self, urls: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Of those of the URLs that are in `rejected`: shard and verdict."""
        sql = (
            "SELECT given.url, path, verdict FROM rejected JOIN given ON md5_number_lower(given.url) = rejected.url"
            " JOIN shards ON number = shard"
        )
        return {url: (path, verdict) for url, path, verdict in self._query(sql, _given(url=urls))}

    def addresses(self, urls: Iterable[str]) -> Found:
        """Of those of the URLs that articles or copies were fetched from: the ids of these.

        A URL has several where its page named one canonical URL first, and later another.
        """
        sql = " UNION ALL ".join(
            f"SELECT given.url, id FROM {config} JOIN given ON md5_number_lower(given.url) = {config}.url"
            for config in ("articles", "copies")
        )
        return self._found(sql, _given(url=urls))

    def lacking(self, config: str, columns: Sequence[str]) -> set[str]:
        """The shards of a config that lack one of some columns: an earlier release wrote them."""
        sql = "SELECT path FROM shards WHERE config = ? AND NOT list_has_all(columns, ?)"
        return {path for (path,) in self._query(sql, values=[config, list(columns)])}

    def faults(self) -> list[str]:
        """What is wrong with the whole dataset: ids that are there twice, copies of articles that are not there."""
        twice = self._query(
            "SELECT id, count(*) FROM (SELECT id FROM articles UNION ALL SELECT id FROM copies)"
            " GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 5"
        )
        orphans = self._query(
            "SELECT id, representative FROM copies WHERE representative NOT IN (SELECT id FROM articles)"
            " ORDER BY id LIMIT 5"
        )
        return [f"the id {article} is there {number} times" for article, number in twice] + [
            f"the copy {copy} names the article {article}, which is not there" for copy, article in orphans
        ]

    def _add(self, shard: Shard, folder: Path) -> None:
        with pq.ParquetFile(folder / shard.path) as file:
            given, columns = file.read(_COLUMNS[shard.config]), file.schema_arrow.names
        row = self._db.execute(
            "INSERT INTO shards (path, sha256, config, columns) VALUES (?, ?, ?, ?) RETURNING number",
            [shard.path, shard.sha256, shard.config, columns],
        ).fetchone()
        self._query(f"INSERT INTO {shard.config} {_READ[shard.config]}", given, list(row or ()))

    def _drop(self, numbers: Sequence[int]) -> None:
        if numbers:
            given = pa.table({"number": pa.array(numbers, pa.int32())})
            for config in _READ:
                self._query(f"DELETE FROM {config} WHERE shard IN (SELECT number FROM given)", given)
            self._query("DELETE FROM shards WHERE number IN (SELECT number FROM given)", given)

    def _found(self, sql: str, given: pa.Table) -> Found:
        found: Found = {}
        for place, value in self._query(sql, given):
            found.setdefault(place, set()).add(value)
        return found

    # DuckDB finds `given` by the name of the variable.

    def _query(
        self,
        sql: str,
        given: pa.Table | None = None,  # noqa: ARG002
        values: Sequence[Any] = (),
    ) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, list(values)).fetchall()


def _given(**columns: Iterable[str]) -> pa.Table:
    return pa.table({name: pa.array(sorted(set(values)), pa.string()) for name, values in columns.items()})


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect(str(path), config={"memory_limit": _MEMORY, "threads": 2})
    tables = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if tables and f"format_{_FORMAT}" not in tables:
        db.close()
        raise duckdb.InvalidInputException("another format")
    db.execute(_CREATE)
    return db
