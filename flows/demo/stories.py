"""What the newsroom prints: originals of every kind and wire copies of them, on their days and hosts."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

from flows.demo.article import FIRST_DAY, Article
from flows.demo.edits import EDITS, new_headline
from flows.demo.forms import TURNS, write_story
from flows.demo.prose import Writer
from flows.demo.publishers import AGENCY, ELSEWHERE, GERMAN, LOOKALIKE, NEAR, SECTION, Publisher
from flows.demo.world import scene

_ORIGINALS = 62
_ARCHIVED = (11, 23, 36)
_COPIES = 24
_NEAR = 44
_LOOKALIKE = 24
_FEWEST_OTHERS = 14
_DRAFTS = 4
FILLER = (*ELSEWHERE, *ELSEWHERE, *GERMAN)
"""Kinds that fill up a newsroom, in turn: far from the topic."""

SPARSE_FILLER = (*NEAR, *ELSEWHERE, *LOOKALIKE, *ELSEWHERE, *ELSEWHERE, *GERMAN)
"""Kinds that fill up a large newsroom: of 36 articles 10 are about the same people, countries and sort of event."""

_MISFILED = 3
_MOST_SHARED = 0.27
"""Share of 3-word phrases that two stories on the topic may have in common."""
_EXTRA = (
    "topic",
    "topic",
    "front",
    "topic",
    "culture",
    "topic",
    "trade",
    "topic",
    "crime",
    "briefing",
    "science",
    "health",
)
"""Kinds of the articles of a publisher that joins later."""


class Desk:
    """Plans and writes the newsroom's articles, in one fixed order."""

    def __init__(self, writer: Writer, world: Mapping[str, str], publishers: Sequence[Publisher]) -> None:
        self._writer, self._world, self._rng = writer, world, writer.rng
        self._carriers = {kind: cycle(_carriers(kind, publishers)) for kind in SECTION}
        self._turns = cycle(writer.rng.sample(TURNS, len(TURNS)))
        self._articles: list[Article] = []
        self._headlines: set[str] = set()
        self._told: list[frozenset[tuple[str, ...]]] = []

    def fill(self, count: int, filler: Sequence[str] = FILLER) -> list[Article]:
        """The articles of a newsroom of about `count`: the fixed mixture first, the kinds of `filler` for the rest."""
        for number in range(_ORIGINALS):
            self._original("topic", day=2 if number % 5 == 4 else 0 if number in _ARCHIVED else 1)
        self._wire_copies(_COPIES)
        for kind in (*islice(cycle(NEAR), _NEAR), *islice(cycle(LOOKALIKE), _LOOKALIKE)):
            self._original(kind, self._some_day())
        rest = max(_FEWEST_OTHERS, count - len(self._articles))
        for kind in islice(cycle(filler), rest):
            self._original(kind, self._some_day())
        return self._articles

    def fill_extra(self, publisher: Publisher) -> None:
        """A dozen articles for a publisher that joins later: on the topic, near it and elsewhere."""
        for number, kind in enumerate(_EXTRA):
            self._original(kind, day=2 if number == 5 else 1, publisher=publisher.name)

    def _some_day(self) -> int:
        return 2 if self._rng.random() < 0.12 else 1

    def _original(self, kind: str, day: int, publisher: str = "") -> None:
        published = self._time(day)
        slots = scene(self._writer, self._world, published)
        turn = next(self._turns) if kind == "topic" else kind
        headline, paragraphs = self._story(kind, turn, slots)
        self._articles.append(
            Article(
                number=len(self._articles),
                publisher=publisher or next(self._carriers[kind]),
                kind=kind,
                headline=self._new_headline(headline, slots),
                paragraphs=paragraphs,
                authors=self._authors(kind),
                published=published,
                day=max(1, day),
            )
        )

    def _story(self, kind: str, turn: str, slots: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
        """Headline and paragraphs. Stories on the topic share background, but no two are told in the same phrases."""
        for _ in range(_DRAFTS):
            headline, lines = write_story(self._writer, kind, turn, slots)
            paragraphs = self._writer.paragraphs(lines)
            phrases = _phrases(paragraphs)
            if kind != "topic" or max((_shared(phrases, told) for told in self._told), default=0.0) <= _MOST_SHARED:
                break
        if kind == "topic":
            self._told.append(phrases)
        return headline, paragraphs

    def _new_headline(self, template: str, slots: Mapping[str, str]) -> str:
        """A headline that no other article has; two alike would share a URL."""
        headline = self._writer.line(template, slots)
        for _ in range(6):
            if headline not in self._headlines:
                break
            headline = f"{self._writer.deal('place')}: {self._writer.line(template, slots)}"
        else:
            headline = f"No. {len(self._articles)}: {headline}"
        self._headlines.add(headline)
        return headline

    def _authors(self, kind: str) -> tuple[str, ...]:
        if kind in LOOKALIKE:
            return ()
        return tuple(self._writer.fill("{person}", {}) for _ in range(2 if self._rng.random() < 0.15 else 1))

    def _time(self, day: int) -> datetime:
        """A minute of day 2, of the four weeks up to the evening of day 1, or (day 0) of the autumn before."""
        if day == 0:
            return datetime(2024, 11, 5, tzinfo=UTC) + timedelta(minutes=self._rng.randint(0, 14 * 24 * 60))
        if day == 2:
            return FIRST_DAY + timedelta(days=1, minutes=self._rng.randint(60, 1000))
        return FIRST_DAY + timedelta(hours=18) - timedelta(minutes=self._rng.randint(0, 26 * 24 * 60))

    def _wire_copies(self, count: int) -> None:
        """Copies of the agency's articles in other papers, each kind of edit in turn."""
        wire = [article for article in self._articles if article.publisher == AGENCY]
        for original, edit in islice(zip(cycle(wire), cycle(EDITS), strict=False), count if wire else 0):
            self._copy(original, edit)

    def _copy(self, original: Article, edit: str) -> None:
        printed = {a.publisher for a in self._articles if a.copy_of == original.number} | {AGENCY}
        published = original.published + timedelta(minutes=self._rng.randint(20, 700))
        slots = scene(self._writer, self._world, published)
        self._articles.append(
            replace(
                original,
                number=len(self._articles),
                publisher=next(name for name in self._carriers["topic"] if name not in printed),
                headline=original.headline if edit == "verbatim" else new_headline(original.headline, self._rng),
                paragraphs=EDITS[edit](original.paragraphs, self._writer, slots),
                published=published,
                day=2 if published >= FIRST_DAY + timedelta(hours=20) else 1,
                copy_of=original.number,
                edit=edit,
            )
        )


def scattered(articles: Iterable[Article], publishers: Sequence[Publisher]) -> Iterator[Article]:
    """The articles with each third one on the topic filed in another section of its paper, as desks disagree."""
    sections = {publisher.name: publisher.sections for publisher in publishers}
    on_topic = 0
    for article in articles:
        on_topic += article.kind == "topic"
        if article.kind == "topic" and on_topic % _MISFILED == 0:
            own = sections[article.publisher]
            yield replace(article, filed=own[on_topic // _MISFILED % len(own)])
        else:
            yield article


def _phrases(paragraphs: Sequence[str]) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", " ".join(paragraphs).lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def _shared(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))


def _carriers(kind: str, publishers: Sequence[Publisher]) -> list[str]:
    """The publishers that print a kind, in turn; on the topic some write more often than others."""
    printing = [p for p in publishers if kind in p.kinds] or list(publishers[:1])
    rounds = max(p.share for p in printing) if kind == "topic" else 1
    return [p.name for turn in range(rounds) for p in printing if kind != "topic" or p.share > turn]
