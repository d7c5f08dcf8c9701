"""Measures how many bytes readers fetch for a week, a host and an id of a published dataset, beside the whole.

    python -m benchmarks.publish_pushdown FOLDER     (a folder that benchmarks.publish_million --folder left)

Counts what is read through an fsspec file system that stands for a remote one, by pyarrow's dataset reader and by
DuckDB; `title` and `text` of the rows are asked for, whose filter is given to the reader. pyarrow uses no bloom
filters: for an id it is asked in two steps too, first for the file alone.
"""

import argparse
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from flows.destination import LocalFolder

COLUMNS = ["title", "text"]


class CountedFile(io.FileIO):
    """A file that adds up what is read of it."""

    def __init__(self, path: str, files: "CountedFiles") -> None:
        super().__init__(path)
        self._files = files

    def read(self, size: int | None = -1) -> bytes:
        """Reads, and counts."""
        found = super().read(size) or b""
        self._files.count += len(found)
        return found

    def readinto(self, into: Any) -> int:
        """Reads into a buffer, and counts."""
        found = super().readinto(into) or 0
        self._files.count += found
        return found


class CountedFiles(LocalFileSystem):
    """Local files under a scheme of their own; `count` is the bytes read of them."""

    protocol = ("counted", "local")
    cachable = False
    count = 0

    def _open(self, path: str, *_: Any, **__: Any) -> CountedFile:
        return CountedFile(path, self)


def by_pyarrow(files: CountedFiles, paths: list[str], where: pc.Expression | None) -> int:
    """The rows that pyarrow's dataset reader gives."""
    return int(_dataset(files, paths).to_table(columns=COLUMNS, filter=where).num_rows)


def by_pyarrow_twice(files: CountedFiles, paths: list[str], where: pc.Expression) -> int:
    """The same, after it was asked in which files such rows are."""
    named = _dataset(files, paths).to_table(columns=["__filename"], filter=where)["__filename"]
    return by_pyarrow(files, pc.unique(named).to_pylist(), where)


def _dataset(files: CountedFiles, paths: list[str]) -> ds.Dataset:
    filesystem = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(files))
    form = ds.ParquetFileFormat(default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True))
    return ds.dataset(paths, format=form, filesystem=filesystem)


def by_duckdb(files: CountedFiles, paths: list[str], where: str) -> int:
    """The rows that DuckDB gives."""
    with duckdb.connect(config={"threads": 1, "async_threads": 0}) as db:  # one handle a file, which seeks
        db.register_filesystem(files)
        names = [f"counted://{path}" for path in paths]
        return len(db.execute(f"SELECT title, text FROM read_parquet(?) WHERE {where}", [names]).fetchall())


def measured(read: Callable[[CountedFiles], int]) -> tuple[int, int, float]:
    """Rows, bytes and CPU seconds of a way of reading."""
    files, cpu = CountedFiles(), time.process_time()  # type: ignore[no-untyped-call]
    rows = read(files)
    return rows, files.count, time.process_time() - cpu


def main() -> None:
    """Measures each filter in both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = LocalFolder(parser.parse_args().folder)
    fsspec.register_implementation("counted", CountedFiles, clobber=True)  # type: ignore[no-untyped-call]
    manifest = folder.manifest()
    assert manifest is not None
    shards = manifest.of("articles")
    paths = [str((folder.current / shard.path).resolve()) for shard in shards]
    whole = sum(shard.bytes for shard in shards)
    print(f"{manifest.rows('articles'):,} rows, {len(paths)} shards, {whole / 1e6:.1f} MB", flush=True)
    sample = pq.read_table(paths[len(paths) // 2], columns=["id", "domain"], partitioning=None)
    hosts = pc.value_counts(sample["domain"]).to_pylist()
    ranked = sorted(hosts, key=lambda one: -one["counts"])
    start = datetime(2023, 6, 5, tzinfo=UTC)
    end = start + timedelta(days=7)
    filters = {
        "all titles and texts": (None, "true"),
        "a week": (
            (pc.field("published_at") >= start) & (pc.field("published_at") < end),
            f"published_at >= '{start}' AND published_at < '{end}'",
        ),
        "a host that publishes much": _equals("domain", ranked[0]["values"]),
        "a host that publishes little": _equals("domain", ranked[-1]["values"]),
        "an id": _equals("id", sample["id"][7].as_py()),
    }
    for name, (expression, sql) in filters.items():
        ways = {
            "pyarrow": partial(by_pyarrow, paths=paths, where=expression),
            "DuckDB": partial(by_duckdb, paths=paths, where=sql),
        }
        if name == "an id":
            ways["twice"] = partial(by_pyarrow_twice, paths=paths, where=expression)
        for tool, read in ways.items():
            rows, size, cpu = measured(read)
            print(
                f"{name:30} {tool:8} {rows:9,} rows {size / 1e6:9.2f} MB {size / whole:7.2%} {cpu:6.1f} s CPU",
                flush=True,
            )


def _equals(column: str, value: str) -> tuple[pc.Expression, str]:
    return pc.field(column) == value, f"{column} = '{value}'"


if __name__ == "__main__":
    main()
