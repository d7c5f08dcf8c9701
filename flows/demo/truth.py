"""The truth about each article page: what it says, what it is, and whether a polite crawler may publish it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one article page on one day.

    `url` is its canonical address and `variants` the others that lead to it. `access` is open, paywalled, tdm, noai,
    xrobots, wellknown, signal (opted out, by the signal that says so), disallowed or silent (robots.txt forbids it, or
    is out of order). `status` is the HTTP status of `url` on that day: 200 or 410. `announced` tells whether a list
    still names a withdrawn page, with a new date. `copy_of` is the canonical URL of the original.
    """

    url: str
    host: str
    variants: tuple[str, ...]
    kind: str
    relevant: bool
    title: str
    authors: tuple[str, ...]
    published: datetime
    modified: datetime | None
    paragraphs: tuple[str, ...]
    copy_of: str | None
    edit: str
    version: int
    status: int
    announced: bool
    access: str
    in_period: bool

    @property
    def text(self) -> str:
        """The article's text; paragraphs are separated by an empty line."""
        return "\n\n".join(self.paragraphs)

    @property
    def fetchable(self) -> bool:
        """Whether robots.txt lets a crawler fetch it."""
        return self.access not in ("disallowed", "silent")

    @property
    def allowed(self) -> bool:
        """Whether a strict rights policy may publish it: no robots rule, opt-out or paywall is in the way."""
        return self.access == "open"

    @property
    def wanted(self) -> bool:
        """Whether the dataset should have it, or its original, or one of its copies."""
        return self.relevant and self.allowed and self.in_period and self.status == 200

    @property
    def cluster(self) -> str:
        """Canonical URL of the original: the name of the article and all its copies."""
        return self.copy_of or self.url
