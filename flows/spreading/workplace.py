"""A folder, by its URL, in which a run and its workers hand each other files that are there whole or not at all."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from flows.errors import ClusterError
from flows.spreading.program import program
from flows.tables import sync_folder

_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Workplace:
    """The run's side of such a folder.

    A file's name has a digest of all that it was made of. So what an earlier try left is used again, and what was left
    by another run, or under another recipe, is not.
    """

    url: str

    def put(self, path: Path, name: str) -> str:
        """Copies a file in, unless it is there; gives its URL."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]
        return self._put(f"{self.url}/{name}-{digest}{path.suffix}", path)

    def put_text(self, text: str, name: str) -> str:
        """Writes a text, as `put` does a file."""
        content = text.encode()
        return self._put(f"{self.url}/{name}-{hashlib.sha256(content).hexdigest()[:_DIGITS]}", content)

    def place(self, part: str, *given: str) -> str:
        """Where a part goes that is made, by this program's function of that name, of what is given."""
        digest = hashlib.sha256("\0".join((program(), part, *given)).encode()).hexdigest()[:_DIGITS]
        return f"{self.url}/{part}-{digest}.parquet"

    def fetch(self, url: str, path: Path) -> None:
        """Copies a file out, by an atomic rename."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        with _explained(url):
            files, place = _found(url)
            files.get_file(place, str(draft))
        _sync(draft)  # before what it was copied from is removed
        draft.replace(path)
        sync_folder(path.parent)

    def remove(self, *urls: str) -> None:
        """Deletes files."""
        for url in urls:
            with _explained(url):
                files, place = _found(url)
                files.rm_file(place)

    def clear(self) -> None:
        """Deletes all that is there."""
        with _explained(self.url):
            files, place = _found(self.url)
            if files.exists(place):
                files.rm(place, recursive=True)

    def read(self, url: str) -> pa.Table:
        """The rows of a Parquet file."""
        with _explained(url):
            return read_parquet(url)

    def _put(self, url: str, content: bytes | Path) -> str:
        with _explained(url):
            if not is_there(url):
                write_whole(url, content)
        return url


def is_there(url: str) -> bool:
    """Whether there is such a file."""
    files, place = _found(url)
    return bool(files.exists(place))


def read_text(url: str) -> str:
    """The content of a text file."""
    files, place = _found(url)
    return bytes(files.cat_file(place)).decode()


def read_parquet(url: str) -> pa.Table:
    """The rows of a Parquet file."""
    files, place = _found(url)
    with files.open(place, "rb") as file:
        return pq.read_table(file)


def write_parquet(url: str, table: pa.Table) -> None:
    """Writes the file, byte for byte, that `flows.tables.write_table` writes."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    write_whole(url, sink.getvalue())


def write_whole(url: str, content: bytes | Path) -> None:
    """Writes a file, or a copy of one, that appears when all of it is there."""
    files, place = _found(url)
    if isinstance(files, LocalFileSystem):
        _write_local(Path(place), content)
    elif isinstance(content, Path):  # an object store shows an object when it is whole
        files.put_file(str(content), place)
    else:
        files.pipe_file(place, content)


def _write_local(path: Path, content: bytes | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid4().hex}.draft")  # two workers may be at the same part
    if isinstance(content, Path):
        shutil.copyfile(content, draft)
    else:
        draft.write_bytes(content)
    _sync(draft)
    draft.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Says of whatever comes from a storage service what to look at; the disk's errors say it themselves."""
    try:
        yield
    except Exception as error:
        if url.startswith("file:"):
            raise
        raise ClusterError(
            f"{url}: cannot be used ({type(error).__name__}: {error}).",
            "Check `run.work`, and the keys and the package that it needs; the same command goes on where it stopped.",
        ) from error


def _found(url: str) -> tuple[Any, str]:
    # What other machines write must be seen at once.
    files, place = fsspec.core.url_to_fs(url, use_listings_cache=False)  # type: ignore[no-untyped-call]
    return files, place
