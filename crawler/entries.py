"""What the frontier takes and gives: URLs to put in, requests to make, and where a page was stored."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What a request is for."""

    SOURCE = "source"
    PAGE = "page"
    ROBOTS = "robots"
    DOCUMENT = "document"


class State(IntEnum):
    """How far a URL came; numbers as the database has them."""

    QUEUED = 0
    DONE = 1
    DROPPED = 2
    ALIAS = 3


class Added(StrEnum):
    """What adding a URL to the frontier led to."""

    NEW = "new"
    QUEUED = "queued"
    CHANGED = "changed"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Entry:
    """A URL to put into the frontier. `key` is its identity, `host` its gate; times are seconds since the epoch.

    `is_titled` says that the title is a feed's or a news sitemap's, and not just the text of a link.
    """

    key: str
    url: str
    host: str
    role: Role
    score: float
    title_score: float = 0.0
    depth: int = 0
    kind: str = ""
    source: str = ""
    title: str = ""
    published: float | None = None
    modified: float | None = None
    hops: int = 0
    is_titled: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A request to make. `fetched`, `etag`, `last_modified`, `digest` and `relevant` are of the last fetch, if any."""

    role: Role
    url: str
    host: str
    id: int = 0
    key: str = ""
    score: float = 0.0
    title_score: float = 0.0
    depth: int = 0
    kind: str = ""
    source: str = ""
    title: str = ""
    published: float | None = None
    modified: float | None = None
    attempts: int = 0
    hops: int = 0
    fetched: float | None = None
    etag: str = ""
    last_modified: str = ""
    digest: str = ""
    relevant: int | None = None
    origin: str = ""

    @property
    def is_revisit(self) -> bool:
        """Whether the URL was fetched before, so that the request is conditional."""
        return self.fetched is not None


@dataclass(frozen=True, slots=True)
class Warc:
    """Where a page lies, and the length in bytes of the WARC file after it."""

    file: str
    offset: int
    length: int
