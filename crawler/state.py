"""The crawl's database: one SQLite file in the state folder, one connection, one process at a time."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.errors import StateError, StoreError

DATABASE = "frontier.sqlite"
VERSION = 1
LOCK_SECONDS = 15.0

_SCHEMA = """
CREATE TABLE runs(
    run_id TEXT PRIMARY KEY, started REAL NOT NULL, finished REAL, reason TEXT NOT NULL DEFAULT '',
    pages INTEGER NOT NULL DEFAULT 0, requests INTEGER NOT NULL DEFAULT 0, explored INTEGER NOT NULL DEFAULT 0,
    stats TEXT NOT NULL DEFAULT '{}');
CREATE TABLE urls(
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, url TEXT NOT NULL, host TEXT NOT NULL,
    role TEXT NOT NULL, state INTEGER NOT NULL, score REAL NOT NULL, title_score REAL NOT NULL DEFAULT 0,
    depth INTEGER NOT NULL DEFAULT 0, kind TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '', published REAL, modified REAL, attempts INTEGER NOT NULL DEFAULT 0,
    hops INTEGER NOT NULL DEFAULT 0, run_id TEXT NOT NULL, fetched REAL, etag TEXT NOT NULL DEFAULT '',
    last_modified TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '', relevant INTEGER,
    verdict TEXT NOT NULL DEFAULT '', file TEXT NOT NULL DEFAULT '', offset INTEGER NOT NULL DEFAULT -1,
    doubted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX urls_ready ON urls(host, score DESC, id) WHERE state = 0;
CREATE INDEX urls_source ON urls(source) WHERE role = 'page';
CREATE TABLE hosts(host TEXT PRIMARY KEY, next_at REAL NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0);
CREATE TABLE host_pages(
    run_id TEXT NOT NULL, host TEXT NOT NULL, pages INTEGER NOT NULL, PRIMARY KEY(run_id, host)) WITHOUT ROWID;
CREATE TABLE origins(
    origin TEXT PRIMARY KEY, state TEXT NOT NULL, text TEXT NOT NULL, reason TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE documents(url TEXT PRIMARY KEY, body BLOB NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE sources(
    url TEXT PRIMARY KEY, key TEXT NOT NULL, kind TEXT NOT NULL, given INTEGER NOT NULL,
    parent TEXT NOT NULL DEFAULT '', etag TEXT NOT NULL DEFAULT '',
    last_modified TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '',
    checked REAL, changed REAL, unchanged INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, requests INTEGER NOT NULL DEFAULT 0, not_modified INTEGER NOT NULL DEFAULT 0,
    candidates INTEGER NOT NULL DEFAULT 0, fetched INTEGER NOT NULL DEFAULT 0, relevant INTEGER NOT NULL DEFAULT 0,
    false_claims INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX sources_key ON sources(key);
CREATE TABLE source_runs(
    run_id TEXT NOT NULL, source TEXT NOT NULL, requests INTEGER NOT NULL DEFAULT 0,
    not_modified INTEGER NOT NULL DEFAULT 0, candidates INTEGER NOT NULL DEFAULT 0, known INTEGER NOT NULL DEFAULT 0,
    fetched INTEGER NOT NULL DEFAULT 0, relevant INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY(run_id, source)) WITHOUT ROWID;
CREATE TABLE outcomes(
    run_id TEXT NOT NULL, key TEXT NOT NULL, url TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,
    kind TEXT NOT NULL, source TEXT NOT NULL, title TEXT NOT NULL, published REAL, score REAL NOT NULL DEFAULT 0,
    at REAL, file TEXT NOT NULL DEFAULT '', offset INTEGER NOT NULL DEFAULT -1,
    PRIMARY KEY(run_id, key)) WITHOUT ROWID;
CREATE TABLE files(name TEXT PRIMARY KEY, run_id TEXT NOT NULL, length INTEGER NOT NULL) WITHOUT ROWID;
"""
# Tables that a state may lack which an earlier edition of this version made.
_ADDED = """
CREATE TABLE IF NOT EXISTS ends(id INTEGER PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS missing(id INTEGER PRIMARY KEY);
"""


def open_database(state: Path) -> sqlite3.Connection:
    """The state's database for writing, made where it is missing.

    Write-ahead log, synced at checkpoints only: a killed process loses nothing, a loss of power the last moments.

    Raises:
        StateError: another version of this program wrote it, or it is no database.
        StoreError: it cannot be made or opened.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(state / DATABASE, isolation_level=None)
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;")
        _prepare(database, state)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise StoreError(state / DATABASE, error) from error
        raise StateError(f"{state / DATABASE} is no database ({error}): move it away to start afresh") from error
    except OSError as error:
        raise StoreError(state, error) from error
    database.row_factory = sqlite3.Row
    return database


def _prepare(database: sqlite3.Connection, state: Path) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version != VERSION:
        raise StateError(
            f"{state / DATABASE} has version {version}, this program reads {VERSION}: use the program that wrote it"
        )
    database.executescript(_ADDED)


def read_database(state: Path) -> sqlite3.Connection | None:
    """The state's database for reading, also while a crawl writes it; None where there is none."""
    path = state / DATABASE
    if not path.exists():
        return None
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=30)
    database.row_factory = sqlite3.Row
    return database


@contextmanager
def locked(state: Path, patience: float | None = None) -> Iterator[None]:
    """Holds the state for this process; the lock ends with the process, however it ends.

    Waits `patience` seconds for it, LOCK_SECONDS by default: a crawl whose parent was killed needs some seconds to see
    that and to close.

    Raises:
        StateError: another process holds it.
        StoreError: the lock file cannot be made.
    """
    path = state / "crawl.lock"
    try:
        state.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(path, error) from error
    try:
        if not _lock(handle, LOCK_SECONDS if patience is None else patience):
            raise StateError(f"{state} is in use by another crawl: wait for it, or stop it")
        yield
    finally:
        os.close(handle)


def _lock(handle: int, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        else:
            return True
