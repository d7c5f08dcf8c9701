"""What a request came to: an answer, or a trouble with the verdict that it means."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cleaning.urls import canonical
from cleaning.verdict import Verdict
from crawler.policy import retry_after
from crawler.rights import header_signals
from crawler.store import Exchange

REDIRECTS = frozenset((301, 302, 303, 307, 308))
_BUSY = frozenset((429, 503))
_REFUSED = frozenset((401, 402, 403, 407, 429, 451))
_GONE = frozenset((404, 410))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. Header names are in lower case, repeated ones joined; the exchange has the wire's bytes."""

    exchange: Exchange
    headers: dict[str, str]

    @property
    def status(self) -> int:
        """The status code."""
        return self.exchange.status

    @property
    def at(self) -> datetime:
        """When the answer was complete, aware, in UTC."""
        return self.exchange.at

    @property
    def validators(self) -> tuple[str, str]:
        """ETag and Last-Modified, "" where missing."""
        return self.headers.get("etag", "")[:500], self.headers.get("last-modified", "")[:100]

    @property
    def content_type(self) -> str:
        """The Content-Type header's value, or ""."""
        return self.headers.get("content-type", "")

    @property
    def no_follow(self) -> bool:
        """Whether the X-Robots-Tag header asks every agent or this one to follow no link."""
        return any(signal.value in ("nofollow", "none") for signal in header_signals(self.headers, self.exchange.url))

    @property
    def target(self) -> str | None:
        """Where a redirect leads, canonical, or None where the answer is none or leads nowhere."""
        if self.status not in REDIRECTS:
            return None
        return canonical(self.headers.get("location", ""), self.exchange.url) if "location" in self.headers else None

    def wait_asked(self) -> float | None:
        """Seconds that the host asks to wait, or None."""
        return retry_after(self.headers["retry-after"], self.at) if "retry-after" in self.headers else None

    def trouble(self) -> "Trouble | None":
        """What is wrong with the answer, or None where it is a success or an unchanged page."""
        if 200 <= self.status < 300 or self.status == 304:
            return None
        reason = f"HTTP {self.status}"
        if self.status in _GONE:
            return Trouble(Verdict.GONE, reason, may_return=self.status == 404)
        if self.status in _BUSY:
            verdict = Verdict.BLOCKED if self.status == 429 else Verdict.FETCH_FAILED
            return Trouble(verdict, reason, may_retry=True, wait=self.wait_asked(), is_host=True)
        if self.status in _REFUSED:
            return Trouble(Verdict.BLOCKED, reason, wait=self.wait_asked() or 0.0, is_host=True)
        return Trouble(Verdict.FETCH_FAILED, reason, may_retry=self.status >= 500, is_host=self.status >= 500)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a request gave nothing.

    `wait` is what the host asks for, in seconds; `is_host` says that it counts against it, `may_return` that a page
    which was there before may be there again.
    """

    verdict: Verdict
    reason: str
    may_retry: bool = False
    wait: float | None = None
    is_host: bool = False
    may_return: bool = False


def sha1(body: bytes) -> str:
    """A digest to tell whether a source or payload changed; not for security."""
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()
