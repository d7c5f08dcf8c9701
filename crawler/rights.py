"""Reservations of text and data mining, parsed to their specifications: what a publisher says, with the evidence.

Only what is addressed to every agent or to this one counts; rules for other agents do not bind it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from protego import Protego

from crawler.feeds import time_of

AGENT = "likewise"
"""The product token by which robots.txt and X-Robots-Tag address this crawler."""

_GROUP_LINE = re.compile(r"\s*([A-Za-z][A-Za-z -]*?)\s*:\s*([^#]*)")
_PREFERENCE = re.compile(r"\s*([a-z-]+)\s*=\s*([a-z0-9?]+)", re.IGNORECASE)
_MAX_RULES = 1_000
_TEXT_USES = frozenset(("ai-train", "train-ai", "train-genai", "ai", "tdm", "automated", "bots"))
_NO = frozenset(("no", "n", "?0"))
_RESERVING_WORDS = frozenset(("noai", "noindex", "none"))
_WITHHOLDING_WORDS = frozenset(("noarchive", "nocache", "nosnippet", "max-snippet:0"))
_ROBOTS_WORDS = _RESERVING_WORDS | _WITHHOLDING_WORDS | {"noimageai", "noimageindex", "notranslate", "nofollow"}
_VALUED_WORDS = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")
_WEEKDAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_MAX_TAG = 10_000


@dataclass(frozen=True, slots=True)
class Signal:
    """One declaration that was found.

    `name` is the kind (tdmrep-file, tdmrep-header, tdmrep-meta, content-signal, content-usage, rsl, rsl-header,
    rsl-link, rsl-embedded, ai.txt, robots-tag, robots-meta), `value` what it says, `where` the URL it was read from.
    `reserves` says that it reserves text mining, `withholds` that only the text must not be shown, and `until` is when
    it begins to reserve, where that is not yet.
    """

    name: str
    value: str
    where: str
    reserves: bool
    withholds: bool = False
    until: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """The signal as evidence in JSON."""
        found = {"signal": self.name, "value": self.value[:300], "where": self.where, "reserves": self.reserves}
        return found | ({"withholds": "text"} if self.withholds else {})


@dataclass(frozen=True, slots=True)
class PathRule:
    """A declaration for the paths that a pattern matches (`*` any run, `$` the end, as in RFC 9309, 2.2.3)."""

    pattern: str
    reserves: bool
    value: str

    def matches(self, path: str) -> bool:
        """Whether the pattern matches a path with its query."""
        return path_matches(self.pattern, path)


def path_matches(pattern: str, path: str) -> bool:
    """Whether a robots.txt path pattern matches a path; linear in their lengths, whatever the pattern is."""
    anchored = pattern.endswith("$")
    first, *rest = pattern.rstrip("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for i, part in enumerate(rest):
        if anchored and i == len(rest) - 1:
            return path.endswith(part) and len(path) - len(part) >= at
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return not anchored or at == len(path)


def path_of(url: str) -> str:
    """The path of a URL with its query, as patterns are matched against it."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def usage_rules(robots: str) -> tuple[tuple[PathRule, ...], tuple[str, ...]]:
    """The Content-Signal and Content-Usage lines of the group that binds this agent, and the RSL License URLs.

    Content-Signal as Cloudflare publishes it (contentsignals.org), Content-Usage as the IETF aipref drafts have it;
    both belong to a group of robots.txt and may name a path. License lines (RSL 1.0) hold for the whole file.
    """
    groups: dict[str, list[PathRule]] = {}
    licenses: list[str] = []
    agents: list[str] = []
    in_rules = True
    for field, value in _fields(robots):
        if field in ("user-agent", "useragent"):
            agents = [value.lower()] if in_rules else [*agents, value.lower()]
            in_rules = False
        elif field == "license":
            licenses.append(value.split()[0])
        else:
            in_rules = True
            if field in ("content-signal", "content-usage"):
                for agent in agents or ["*"]:
                    groups.setdefault(agent, []).append(_usage_rule(field, value))
    bound = groups.get(AGENT) if AGENT in groups else groups.get("*", [])
    return tuple((bound or [])[:_MAX_RULES]), tuple(dict.fromkeys(licenses))[:10]


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = _GROUP_LINE.match(line)
        if found and found[2].strip():
            yield found[1].lower(), found[2].strip()


def _usage_rule(field: str, value: str) -> PathRule:
    path, _, rest = value.partition(" ") if value.startswith("/") else ("/", "", value)
    return PathRule(path, _reserves(rest), f"{field}: {value}")


def _reserves(preferences: str) -> bool:
    return any(use.lower() in _TEXT_USES and answer.lower() in _NO for use, answer in _PREFERENCE.findall(preferences))


def longest_match(rules: Iterable[PathRule], path: str) -> PathRule | None:
    """The rule with the longest matching pattern; of equals, one that reserves (RFC 9309, 2.2.2, read for caution)."""
    matching = [rule for rule in rules if rule.matches(path)]
    return max(matching, key=lambda rule: (len(rule.pattern), rule.reserves), default=None)


def tdmrep_rules(body: str) -> tuple[PathRule, ...]:
    """The rules of a /.well-known/tdmrep.json (TDMRep, W3C community report) in their order; () where it is none."""
    try:
        entries = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    found = []
    for entry in (entries if isinstance(entries, list) else [entries])[:_MAX_RULES]:
        if isinstance(entry, dict) and isinstance(entry.get("location"), str) and "tdm-reservation" in entry:
            reserved = str(entry["tdm-reservation"]).strip() == "1"
            value = f"tdm-reservation: {entry['tdm-reservation']} for {entry['location']}"
            policy = f"; policy {entry['tdm-policy']}" if entry.get("tdm-policy") else ""
            found.append(PathRule("/" + entry["location"].lstrip("/"), reserved, value + policy))
    return tuple(found)


def ai_txt(body: str) -> Protego | None:
    """An ai.txt (Spawning) as rules for paths; None where it is none. Its patterns may lack the leading slash."""
    lines = [_rooted(line) for line in body.splitlines()]
    if not any(line.lower().startswith("user-agent") for line in lines):
        return None
    return Protego.parse("\n".join(lines))


def _rooted(line: str) -> str:
    field, colon, value = line.strip().partition(":")
    value = value.strip()
    rooted = field.lower() in ("allow", "disallow") and value and value[0] not in "/*"
    return f"{field}: {'/' if rooted else ''}{value}" if colon else line.strip()


def header_signals(headers: Mapping[str, str], url: str, at: datetime | None = None) -> Iterator[Signal]:
    """What the response's headers (names in lower case) declare: TDMRep, X-Robots-Tag, Content-Usage and -Signal.

    `at` is when the page was fetched: a time that `unavailable_after` names is over or to come then.
    """
    if "tdm-reservation" in headers:
        value = headers["tdm-reservation"].strip()
        yield Signal("tdmrep-header", f"tdm-reservation: {value}", url, value == "1")
    for name in ("content-usage", "content-signal"):
        if name in headers:
            yield Signal(name, headers[name], url, _reserves(headers[name]))
    if "x-robots-tag" in headers:
        yield from _robots_words("robots-tag", headers["x-robots-tag"], url, at)


def meta_signals(metas: Iterable[tuple[str, str]], url: str, at: datetime | None = None) -> Iterator[Signal]:
    """What the page's `meta` elements declare: TDMRep and the robots words for every agent or this one."""
    for name, content in metas:
        if name == "tdm-reservation":
            yield Signal("tdmrep-meta", f"tdm-reservation: {content.strip()}", url, content.strip() == "1")
        elif name in ("robots", AGENT):
            yield from _robots_words("robots-meta", content, url, at)


def _robots_words(name: str, value: str, url: str, at: datetime | None) -> Iterator[Signal]:
    """The known words of a robots tag; after `agent:` they are for that agent alone, up to the next agent."""
    agent = ""
    for part in _joined_dates(value.lower()):
        before, colon, after = part.partition(":")
        if colon and before.strip() not in _VALUED_WORDS:
            agent, part = before.strip(), after
        if agent not in ("", AGENT, "*"):
            continue
        word = "".join(part.split())
        if word in _ROBOTS_WORDS:
            yield Signal(name, word, url, word in _RESERVING_WORDS, word in _WITHHOLDING_WORDS)
        elif word.startswith("unavailable_after:"):
            yield from _unavailable(name, part, url, at)


def _joined_dates(value: str) -> Iterator[str]:
    """The parts between commas; a weekday keeps the date behind its comma (RFC 850, RFC 5322)."""
    parts = value[:_MAX_TAG].split(",")
    while parts:
        part = parts.pop(0)
        is_weekday = "unavailable_after" in part and part.rpartition(":")[2].strip()[:3] in _WEEKDAYS
        yield f"{part},{parts.pop(0)}" if is_weekday and parts else part


def _unavailable(name: str, part: str, url: str, at: datetime | None) -> Iterator[Signal]:
    """What `unavailable_after` declares, with a date by RFC 822, RFC 850 or ISO 8601; one that is no date, nothing."""
    written = part.partition(":")[2].strip()
    moment = time_of(written.upper())
    if moment is not None:
        is_over = at is not None and at > moment
        yield Signal(name, f"unavailable_after: {written}", url, is_over, until=None if is_over else moment)
