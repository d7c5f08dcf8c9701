"""Parquet files that are there whole or not at all, and records to Arrow and back."""

import os
from collections.abc import Iterable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.schema import EXTRACTED, TIME, Extraction, arrow_schema

_SLACK = timedelta(days=1)
"""How far after its fetch an article may say that it was published: clocks and zones are off by hours, not by days."""
EXTRACTED_SCHEMA = arrow_schema(EXTRACTED)
_EXTRACTED_NAMES = [column.name for column in EXTRACTED]
_MISSING = set(_EXTRACTED_NAMES) - {field.name for field in fields(Extraction)}
assert not _MISSING, f"columns without a field in Extraction: {_MISSING}"


def extraction_table(extractions: Iterable[Extraction]) -> pa.Table:
    """A table with the columns EXTRACTED, a row a page in the order given; empty optional text becomes null."""
    rows = list(extractions)
    arrays = [
        pa.array([_value(row, name, field.nullable) for row in rows], field.type)
        for name, field in zip(_EXTRACTED_NAMES, EXTRACTED_SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=EXTRACTED_SCHEMA)


def _value(row: Extraction, name: str, nullable: bool) -> Any:
    value = getattr(row, name)
    if isinstance(value, tuple):
        return list(value)
    return None if nullable and value == "" else value


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a schema, in its order and types; those that an older table lacks are null.

    Columns that a release adds are nullable, so that this can be.
    """
    there = set(table.column_names)
    columns = [
        table[column.name].cast(column.type) if column.name in there else pa.nulls(table.num_rows, column.type)
        for column in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def write_table(path: Path, table: pa.Table, **options: Any) -> None:
    """Writes a Parquet file by an atomic rename; it and its folder are synced to the disk before and after.

    `options` go to pyarrow's writer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        pq.write_table(table, file, **({"compression": "zstd"} | options))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes sure that the names in a folder outlive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rows_if_there(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file; none where there is no such file."""
    return pq.read_table(path, partitioning=None).to_pylist() if path.exists() else []


def not_in_the_future(times: pa.Array, fetched: pa.Array) -> pa.Array:
    """The times without those that lie after the fetch: no publisher knows the future."""
    slack = pa.scalar(_SLACK, pa.duration("us"))  # not at import: pyarrow imports pandas for its first scalar
    late = pc.fill_null(pc.greater(times, pc.add(fetched, slack)), False)
    return pc.if_else(late, pa.scalar(None, TIME), times)
