"""Pages as Parquet, in which they go to the workers: whatever WARC, archive member or folder they were read from."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.schema import TIME, Page

_TYPES = {"body": pa.large_binary(), "fetched_at": TIME, "hint_published": TIME}
_NUMBERS = {"status", "warc_offset"}
_SCHEMA = pa.schema(
    [
        (field.name, _TYPES.get(field.name, pa.int64() if field.name in _NUMBERS else pa.string()))
        for field in fields(Page)
    ]
)

_GROUP_PAGES = 50
_GROUP_BYTES = 16_000_000
"""A row group is closed at so many bytes of bodies: what writer and reader hold is this and one page more."""


def write_pages(path: Path, pages: Iterable[Page]) -> int:
    """Writes pages, in their order; gives their number."""
    number = 0
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as file:
        for group in _groups(pages):
            file.write_table(pa.Table.from_pylist([asdict(page) for page in group], schema=_SCHEMA))
            number += len(group)
    return number


def read_pages(url: str) -> Iterator[Page]:
    """The pages in a file, read a few at a time."""
    with fsspec.open(url, "rb") as stream:  # type: ignore[no-untyped-call]
        file = pq.ParquetFile(stream)
        for number in range(file.num_row_groups):
            for row in file.read_row_group(number).to_pylist():
                yield Page(**row)


def _groups(pages: Iterable[Page]) -> Iterator[list[Page]]:
    group: list[Page] = []
    for page in pages:
        group.append(page)
        if len(group) == _GROUP_PAGES or sum(len(one.body) for one in group) >= _GROUP_BYTES:
            yield group
            group = []
    if group:
        yield group
