"""Which program makes a part: its version, and the code and the models that decide what becomes of a page."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import cleaning
import flows

FOLDERS = tuple(Path(str(package.__file__)).parent for package in (cleaning, flows))
"""All of both: what judges pages and makes prints is in `flows`. Made again for nothing, parts cost only their time."""


@cache
def program() -> str:
    """A digest of the installed likewise: the same on all machines that make the same rows of the same pages."""
    return digest_of(FOLDERS)


def digest_of(folders: Iterable[Path]) -> str:
    """A digest of likewise's version and of all files in some packages, by their names and contents."""
    digest = hashlib.sha256(version("likewise").encode())
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            name = path.relative_to(folder.parent).as_posix()
            digest.update(f"\0{name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
