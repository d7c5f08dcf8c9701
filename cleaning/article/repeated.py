"""Lines that repeat across the distinct articles of a host: learned from their texts, and taken out of them.

What is remembered of a host is a window: the lines of its last articles, as hashes. An article that is seen again takes
the place of its older self, so that no article counts twice, however often it is read. A line is the host's when enough
of the window's articles have it; it is then kept with its words, until others push it out.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from cleaning.language import count_words, language_of
from cleaning.schema import Extraction
from cleaning.urls import site_of
from cleaning.verdict import Verdict

_WORD = re.compile(r"\w+")
_ITEM = "- "
"""What an item of a list begins with in an article's text."""
_PROSE = 12
"""Words from which on a line may be a sentence of the article, as standing explanations are."""


@dataclass(frozen=True, slots=True)
class RepeatedOptions:
    """When a line is the host's, and how much is remembered.

    A line needs `support` distinct articles in the window of a host's last `window` articles, and a share of them:
    `edge_share` where it mostly stands among the first two or last four lines, else `share`; `prose_share` and
    `edge_prose_share` for lines of twelve words and more, because articles on one subject repeat its background. Lines
    of fewer than `words` words never count. Of an article, at most `lines` are remembered, half of them from its end.
    `kept` lines are remembered of a host, and `hosts` hosts, those last seen.
    """

    support: int = 4
    edge_share: float = 0.05
    edge_prose_share: float = 0.12
    share: float = 0.3
    prose_share: float = 0.5
    words: int = 3
    window: int = 60
    lines: int = 64
    kept: int = 200
    hosts: int = 1_000

    def least_share(self, text: str, *, is_edge: bool) -> float:
        """The share of a host's articles that a line must be in."""
        is_prose = count_words(text) >= _PROSE
        if is_edge:
            return self.edge_prose_share if is_prose else self.edge_share
        return self.prose_share if is_prose else self.share


@dataclass(frozen=True, slots=True)
class Seen:
    """One article of the window: the hash of its address, its day, and its lines' hashes; `edges` says of each line
    whether it is near an end of the text, `chars` how long it is.
    """

    article: int
    day: datetime | None
    lines: tuple[int, ...]
    edges: tuple[bool, ...]
    chars: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HostLine:
    """A line that is the host's: its hash and words, how many of the window's articles had it when last counted, their
    share, and the days of the first and last article with it.
    """

    line: int
    text: str
    support: int
    share: float
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Host:
    """What is remembered of a host: its window, oldest article first, and its lines."""

    window: tuple[Seen, ...] = ()
    lines: tuple[HostLine, ...] = ()


Known = Mapping[str, Host]
"""What is remembered, by host; the host seen last comes last."""


def line_hash(line: str) -> int:
    """The identity of a line by its words: 63 bits, the same in every process; 0 for a line without words."""
    words = " ".join(_WORD.findall(line.removeprefix(_ITEM).casefold()))
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "big") >> 1 if words else 0


def seen_in(record: Extraction, options: RepeatedOptions = RepeatedOptions()) -> Seen:
    """What an article leaves in its host's window."""
    lines = record.text.split("\n\n")
    counted = [(i, line) for i, line in enumerate(lines) if count_words(line) >= options.words]
    if len(counted) > options.lines:
        counted = [*counted[: options.lines // 2], *counted[-(options.lines // 2) :]]
    hashes = {line_hash(line): (_is_edge(i, len(lines)), len(line)) for i, line in reversed(counted)}
    return Seen(
        article=line_hash(re.sub(r"\W+", " ", record.canonical_url or record.url)),
        day=record.fetched_at or record.published_at,
        lines=tuple(hashes),
        edges=tuple(edge for edge, _ in hashes.values()),
        chars=tuple(chars for _, chars in hashes.values()),
    )


def _is_edge(place: int, lines: int) -> bool:
    return place < 2 or place >= lines - 4


def learn(known: Known, records: Iterable[Extraction], options: RepeatedOptions = RepeatedOptions()) -> dict[str, Host]:
    """What is known after some records, read in their order; only articles count. `known` is not changed.

    An article that shares most of its text with another one of the window is the same story again, and left out. A line
    that another site has, and not in enough of its articles to be that site's, is syndicated text and no host's.
    """
    read: defaultdict[str, list[Extraction]] = defaultdict(list)
    for record in records:
        if record.verdict is Verdict.KEPT and record.domain:
            read[record.domain].append(record)
    hosts = {domain: host for domain, host in known.items() if domain not in read}
    for domain, articles in read.items():
        host = known.get(domain, Host())
        hosts[domain] = replace(host, window=_windowed(host, (seen_in(one, options) for one in articles), options))
    hosts = dict(islice(hosts.items(), max(0, len(hosts) - options.hosts), None))
    candidates = {domain: _candidates(hosts[domain], read[domain], options) for domain in read if domain in hosts}
    syndicated = _syndicated(hosts, candidates, options)
    for domain, found in candidates.items():
        own = [line for line in found if (domain, line.line) not in syndicated]
        hosts[domain] = replace(hosts[domain], lines=_remembered(hosts[domain].lines, own, options))
    return hosts


def _windowed(host: Host, articles: Iterable[Seen], options: RepeatedOptions) -> tuple[Seen, ...]:
    window = {seen.article: seen for seen in host.window}
    own = {line.line for line in host.lines}
    for seen in articles:
        window.pop(seen.article, None)
        if not any(_is_same_story(seen, other, own) for other in window.values()):
            window[seen.article] = seen
    return tuple(window.values())[-options.window :]


def _is_same_story(one: Seen, other: Seen, own: set[int]) -> bool:
    """Whether two articles share more than half of the shorter one's text, the host's own lines left aside."""
    sizes, theirs = (
        {line: chars for line, chars in zip(seen.lines, seen.chars, strict=True) if line not in own}
        for seen in (one, other)
    )
    shared = sum(chars for line, chars in sizes.items() if line in theirs)
    return 2 * shared > min(sum(sizes.values()), sum(theirs.values()))


def _candidates(host: Host, articles: Iterable[Extraction], options: RepeatedOptions) -> list[HostLine]:
    """The lines of some articles that enough articles of their host's window have."""
    texts = {line_hash(line): line for record in articles for line in record.text.split("\n\n")}
    having: defaultdict[int, list[tuple[Seen, bool]]] = defaultdict(list)
    for seen in host.window:
        for line, edge in zip(seen.lines, seen.edges, strict=True):
            if line in texts:
                having[line].append((seen, edge))
    found = []
    for line, places in having.items():
        share = len(places) / len(host.window)
        is_edge = 4 * sum(edge for _, edge in places) >= 3 * len(places)
        if len(places) >= options.support and share >= options.least_share(texts[line], is_edge=is_edge):
            days = [seen.day for seen, _ in places if seen.day]
            first, last = min(days, default=None), max(days, default=None)
            found.append(HostLine(line, texts[line].removeprefix(_ITEM), len(places), round(share, 4), first, last))
    return found


def _syndicated(
    hosts: Known, candidates: Mapping[str, list[HostLine]], options: RepeatedOptions
) -> set[tuple[str, int]]:
    """The candidates (host, line) that another site has in fewer articles than make a line that site's own."""
    wanted = {line.line for found in candidates.values() for line in found}
    sites: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for domain, host in hosts.items():
        for seen in host.window:
            for line in wanted.intersection(seen.lines):
                sites[line][site_of(domain)] += 1
    return {
        (domain, line.line)
        for domain, found in candidates.items()
        for line in found
        if any(site != site_of(domain) and count < options.support for site, count in sites[line.line].items())
    }


def _remembered(before: Iterable[HostLine], now: Iterable[HostLine], options: RepeatedOptions) -> tuple[HostLine, ...]:
    """The lines of a host, those last seen last; the day on which a line was first seen stays."""
    lines = {line.line: line for line in before}
    for line in now:
        old = lines.pop(line.line, line)
        days = [day for day in (old.first_seen, line.first_seen) if day]
        lines[line.line] = replace(line, first_seen=min(days, default=None))
    return tuple(lines.values())[-options.kept :]


def merged(known: Known, later: Known, options: RepeatedOptions = RepeatedOptions()) -> dict[str, Host]:
    """What two states know, the later one's articles and lines last; `later` itself where it grew from `known`."""
    hosts = {domain: host for domain, host in known.items() if domain not in later}
    for domain, host in later.items():
        window = {seen.article: seen for seen in known.get(domain, Host()).window}
        for seen in host.window:
            window.pop(seen.article, None)
            window[seen.article] = seen
        lines = _remembered(known.get(domain, Host()).lines, host.lines, options)
        hosts[domain] = Host(tuple(window.values())[-options.window :], lines)
    return dict(islice(hosts.items(), max(0, len(hosts) - options.hosts), None))


def without_lines(record: Extraction, lines: Iterable[HostLine], min_words: int) -> Extraction:
    """An article without its host's lines; its words, language and verdict follow. The same record if it has none.

    What the article opens with stays: sites repeat the opening of one article as a teaser beside the others.
    """
    known = {line.line for line in lines}
    paragraphs = record.text.split("\n\n")
    opening = {place for place, paragraph in enumerate(paragraphs[:1]) if len(_WORD.findall(paragraph)) >= _PROSE}
    rest = [text for place, text in enumerate(paragraphs) if place in opening or line_hash(text) not in known]
    if record.verdict is not Verdict.KEPT or len(rest) == len(paragraphs):
        return record
    text = "\n\n".join(rest)
    language, score = language_of(text)
    record = replace(record, text=text, word_count=count_words(text), language=language, language_score=score)
    if not text:
        return replace(record, verdict=Verdict.NO_TEXT, reason="all its lines repeat across the host's articles")
    if record.word_count < min_words:
        reason = f"{record.word_count} words, under {min_words}, without the lines that repeat on its host"
        return replace(record, verdict=Verdict.TOO_SHORT, reason=reason)
    return record
