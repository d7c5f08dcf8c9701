"""Articles in Parquet files, on this machine or wherever fsspec reaches, as the index of known articles reads them.

A file needs the columns `url` and `text`; the others of DOCUMENTS count where it has them. Where it has `verdict`, as
what runs extract does, rows that are no articles are passed over.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cleaning.verdict import Verdict
from flows.copies.arrivals import LIGHT
from flows.errors import InputError

_NEEDED = ("url", "text")


@dataclass(frozen=True, slots=True)
class Slice:
    """A row group of a file; `rows` are the places in it of its articles."""

    url: str
    group: int
    rows: NDArray[np.int64]


def files_at(addresses: Sequence[str]) -> list[str]:
    """The Parquet files that addresses stand for: files, folders and patterns; each once, in the order of their names.

    Raises:
        InputError: there is none at an address.
    """
    return sorted({file for address in addresses for file in _files_at(address)})


def read_light(files: Sequence[str]) -> tuple[pa.Table, list[Slice]]:
    """The articles in some files without their texts, as LIGHT says, and the slices that hold them in this order.

    Raises:
        InputError: a file cannot be read, or lacks a column.
    """
    tables, slices = [LIGHT.empty_table()], []
    for url in files:
        with _opened(url) as file:
            for group in range(file.num_row_groups):
                rows, table = _articles(file, group)
                tables.append(table)
                slices.append(Slice(url, group, rows))
    return pa.concat_tables(tables), slices


def texts_of(slices: Sequence[Slice]) -> Iterator[pa.ChunkedArray]:
    """The texts in some slices, slice by slice."""
    for one in slices:
        with _opened(one.url) as file:
            yield file.read_row_group(one.group, columns=["text"])["text"].cast(pa.string()).take(pa.array(one.rows))


def _files_at(address: str) -> list[str]:
    try:
        system, path = fsspec.core.url_to_fs(address)  # type: ignore[no-untyped-call]
        if system.isdir(path):
            path = f"{path.rstrip('/')}/**/*.parquet"
        found = [system.unstrip_protocol(one) for one in system.glob(path)]
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            f"{address}: cannot be listed ({error}).", "Check the address, and the keys or the package that it needs."
        ) from error
    if not found:
        raise InputError(
            f"{address}: there is no Parquet file.", "Name a file, a folder, or a pattern such as DIR/*.parquet."
        )
    return found


@contextmanager
def _opened(url: str) -> Iterator[Any]:
    try:
        with fsspec.open(url) as bytes_, pq.ParquetFile(bytes_) as file:  # type: ignore[no-untyped-call]
            if missing := [name for name in _NEEDED if name not in file.schema_arrow.names]:
                raise InputError(f"{url}: has no column {' and no '.join(missing)}.", "Name files with url and text.")
            yield file
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{url}: cannot be read ({error}).", "Check the file, or leave it out.") from error


def _articles(file: Any, group: int) -> tuple[NDArray[np.int64], pa.Table]:
    names = file.schema_arrow.names
    table = file.read_row_group(group, columns=[name for name in (*LIGHT.names, "verdict") if name in names])
    rows = np.arange(table.num_rows)
    if "verdict" in names:
        rows = np.flatnonzero(pc.equal(table["verdict"], str(Verdict.KEPT)).fill_null(False).to_numpy())
        table = table.take(pa.array(rows))
    columns = [
        table[field.name].cast(field.type) if field.name in names else pa.nulls(table.num_rows, field.type)
        for field in LIGHT
    ]
    return rows, pa.table(columns, schema=LIGHT)
