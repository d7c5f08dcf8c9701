"""Which program makes a part: its version, and the code and the models that decide what becomes of a page."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import cleaning


@cache
def program() -> str:
    """A digest of the installed likewise: the same on all machines that make the same rows of the same pages."""
    digest = hashlib.sha256(version("likewise").encode())
    folder = Path(cleaning.__file__).parent
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"\0{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
