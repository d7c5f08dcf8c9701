"""What a site allows: robots.txt by RFC 9309, its pace, and its reservations of text mining, decided per URL."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from protego import Protego

from cleaning.urls import canonical, origin_of
from crawler.rights import (
    AGENT,
    PathRule,
    Signal,
    ai_txt,
    longest_match,
    path_of,
    tdmrep_rules,
    usage_rules,
)
from crawler.rsl import rsl_rules, unread

ROBOTS_BYTES = 512_000
"""Bytes of robots.txt that are read, as RFC 9309, 2.5 asks: at least 500 KiB."""

ROBOTS_REDIRECTS = 5
"""Redirects of robots.txt that are followed (RFC 9309, 2.3.1.2)."""

ROBOTS_TTL = 86_400.0
"""Seconds for which robots.txt is used without asking again (RFC 9309, 2.4)."""

MAX_CRAWL_DELAY = 120.0
"""Seconds; a site that asks for more is visited every 120 s. The bound of StormCrawler's news crawl."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SECONDS = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of an origin's robots.txt for this agent.

    `state` is "rules" where there is a file, "allow" where there is none (4xx), "disallow" where it could not be read
    (5xx, time-out: RFC 9309, 2.3.1.4).
    """

    state: str
    text: str = ""
    reason: str = ""
    rules: Protego | None = None

    def allows(self, url: str) -> bool:
        """Whether this agent may fetch a URL of the origin."""
        if self.state != "rules" or self.rules is None:
            return self.state == "allow"
        return self.rules.can_fetch(url, AGENT)

    @property
    def delay(self) -> float:
        """Seconds between two requests that Crawl-delay or Request-rate ask for, bounded; 0 for none."""
        if self.rules is None:
            return 0.0
        rate = self.rules.request_rate(AGENT)
        asked = (
            self.rules.crawl_delay(AGENT) or 0.0,
            rate.seconds / rate.requests if rate and rate.requests > 0 else 0.0,
        )
        return min(max(*asked, 0.0), MAX_CRAWL_DELAY)

    def sitemaps(self, origin: str) -> tuple[str, ...]:
        """The sitemaps that the file names, canonical."""
        named = (canonical(address, origin) for address in self.rules.sitemaps) if self.rules else ()
        return tuple(dict.fromkeys(address for address in named if address))[:500]


def read_robots(status: int, body: bytes) -> Robots:
    """The rules that an answer to a request for robots.txt means (RFC 9309, 2.3.1); a redirect is not an answer."""
    if 200 <= status < 300:
        text = robots_text(body)
        return Robots("rules", text, f"HTTP {status}", Protego.parse(text))
    if 400 <= status < 500 and status != 429:
        return Robots("allow", reason=f"robots.txt answers {status}: there are no rules")
    return Robots("disallow", reason=f"robots.txt answers {status}: nothing is fetched until it can be read")


def unreachable_robots(reason: str) -> Robots:
    """The rules where robots.txt could not be asked for at all: nothing may be fetched."""
    return Robots("disallow", reason=f"robots.txt could not be read ({reason}): nothing is fetched until it can be")


def robots_text(body: bytes) -> str:
    """The first ROBOTS_BYTES of a robots.txt as text, by its byte order mark or as UTF-8; whole lines only."""
    cut = body[:ROBOTS_BYTES]
    if len(body) > ROBOTS_BYTES:
        cut = cut[: max(cut.rfind(b"\n"), cut.rfind(b"\r")) + 1] or cut
    mark, encoding = next(((mark, name) for mark, name in _BOMS if cut.startswith(mark)), (b"", "utf-8"))
    return cut[len(mark) :].decode(encoding, errors="replace").lstrip("\ufeff").replace("\0", "")


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """Everything that an origin declares for all its pages; what is not read yet, or not there, is empty."""

    origin: str
    robots: Robots
    usage: tuple[PathRule, ...] = ()
    tdmrep: tuple[PathRule, ...] = ()
    rsl: tuple[PathRule, ...] = ()
    ai: Protego | None = field(default=None, compare=False)

    def signals(self, url: str) -> list[Signal]:
        """What the origin declares about one of its URLs."""
        path = path_of(url)
        robots_url = f"{self.origin}/robots.txt"
        rules = (
            ("content-usage", longest_match(self.usage, path), robots_url),
            ("tdmrep-file", next((rule for rule in self.tdmrep if rule.matches(path)), None), f"{self.origin}{TDMREP}"),
            ("rsl", longest_match(self.rsl, path), robots_url),
        )
        found = [Signal(_named(name, rule), rule.value, where, rule.reserves) for name, rule, where in rules if rule]
        if self.ai is not None and not self.ai.can_fetch(url, AGENT):
            found.append(Signal("ai.txt", "disallowed", f"{self.origin}{AI_TXT}", True))
        return found


TDMREP = "/.well-known/tdmrep.json"
AI_TXT = "/ai.txt"


def site_policy(origin: str, documents: Mapping[str, bytes], robots: Robots) -> SitePolicy:
    """The policy of an origin from its robots.txt and the bodies of its other declarations, by path or URL.

    `documents` may have TDMREP, AI_TXT and the URLs of RSL licences; what is missing declares nothing.
    """
    usage, licenses = usage_rules(robots.text)
    rsl = [rule for address in licenses for rule in _licence_rules(address, origin, documents)]
    return SitePolicy(
        origin,
        robots,
        usage,
        tdmrep_rules(documents.get(TDMREP, b"").decode("utf-8", "replace")),
        tuple(rsl),
        ai_txt(documents.get(AI_TXT, b"").decode("utf-8", "replace")),
    )


def _licence_rules(address: str, origin: str, documents: Mapping[str, bytes]) -> tuple[PathRule, ...]:
    """The rules of a licence that robots.txt names; one that cannot be read permits nothing."""
    rules = rsl_rules(documents.get(canonical(address, origin) or "", b""), origin)
    return (PathRule("/", True, unread(address)),) if rules is None else rules


def policy_documents(origin: str, robots: Robots) -> tuple[str, ...]:
    """The URLs of an origin's declarations besides robots.txt, to be fetched before its first page."""
    licenses = [canonical(address, origin) for address in usage_rules(robots.text)[1]]
    ours = [address for address in licenses if address and origin_of(address) == origin]
    return (f"{origin}{TDMREP}", f"{origin}{AI_TXT}", *ours)


def opt_out(signals: Iterable[Signal], policy: str) -> Signal | None:
    """The first signal that reserves a page, where the recipe's policy obeys it, which "strict" does; else None."""
    return next((signal for signal in signals if signal.reserves), None) if policy == "strict" else None


def rights_json(signals: Iterable[Signal], policy: str) -> dict[str, Any]:
    """The evidence that goes with a page: the signals, and "opted_out" or "allowed" under the recipe's policy.

    `policy` is "strict", where a reservation means that the page is not used, or "record", where it is only noted.
    `withhold` is "text" where the page may be used but its text must not be shown; it is absent otherwise.
    """
    found: Sequence[Signal] = list(signals)
    reserving = opt_out(found, policy)
    rights: dict[str, Any] = {"verdict": "allowed", "policy": policy, "signals": [s.as_dict() for s in found]}
    if reserving:
        rights |= {"verdict": "opted_out", "reason": f"{reserving.name}: {reserving.value[:300]}"}
    return rights | ({"withhold": "text"} if any(signal.withholds for signal in found) else {})


def _named(name: str, rule: PathRule) -> str:
    return "content-signal" if rule.value.startswith("content-signal") else name


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header in either form (RFC 9110, 10.2.3); None where it is neither."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return max(0.0, (moment - now).total_seconds())
