"""How promising a candidate is before it is fetched: its words, what its source yielded, how its like turned out."""

import bisect
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from resiliparse.extract.html2text import extract_plain_text

from cleaning.page.decode import decode
from cleaning.topic.feedback import Label
from cleaning.topic.profile import TopicOptions, TopicProfile
from cleaning.urls import slug_words
from crawler.candidates import is_hub_link

TitleScore = Callable[[str, str], float]
"""Title and URL ("" for none) -> 0..1, which ranks candidates."""

BASE_YIELD = 0.3
"""Share of relevant pages that a source is taken to have before anything of it was fetched."""

_AUTOMATIC = TopicOptions()
_PRIOR = 2.0
_FEW_WORDS = 3
_STEPS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.3, 0.4)
_ENOUGH = 40
_UNKNOWN = 0.06
_MAX_CHARACTERS = 60_000
_JUDGED = "SELECT title, url, title_score, relevant FROM urls WHERE relevant IS NOT NULL AND role = 'page'"


class PageScore(Protocol):
    """What scoring a page's text gives."""

    @property
    def similarity(self) -> float:
        """Likeness to the nearest seed, 0..1."""

    @property
    def is_relevant(self) -> bool:
        """Whether the text belongs to the topic."""


@dataclass(frozen=True, slots=True)
class Relevance:
    """The topic as the crawl asks for it: `title` scores before the fetch, `text` after it."""

    title: TitleScore
    text: Callable[[str], PageScore]

    @classmethod
    def from_seeds(
        cls, seeds: Iterable[str], options: TopicOptions = _AUTOMATIC, labels: Sequence[Label] = ()
    ) -> "Relevance":
        """The topic of some seed texts, as far as the options and people's labels let it reach.

        Raises:
            TopicError: no topic can be made from them.
        """
        profile = TopicProfile.fit(list(seeds), options=options, labels=labels)
        return cls(profile.score_title, profile.score)

    def page(self, body: bytes, content_type: str) -> PageScore:
        """The score of an HTML page's text, cheaply extracted."""
        return self.text(plain_text(decode(body, content_type).text))


def plain_text(html: str) -> str:
    """The main text of a page, roughly; enough to tell its topic."""
    text = extract_plain_text(html, main_content=True, alt_texts=False, list_bullets=False, comments=False)
    return text[:_MAX_CHARACTERS]


def is_telling(title: str, url: str) -> bool:
    """Whether a candidate says in words what it is about: a title, or a slug of at least three words."""
    return len(title.split()) >= _FEW_WORDS or len(slug_words(url)) >= _FEW_WORDS


def rank(title_score: float, *, telling: bool, source_yield: float, published: datetime | None, now: datetime) -> float:
    """A candidate's place in the queue, 0..1: by its words first, then by its source, the newest of equals first.

    A candidate without words counts as a middling title of its source. `source_yield` is 0..1.
    """
    base = title_score if telling else _UNKNOWN * 2 * source_yield
    age = (now - published).total_seconds() / 86_400 if published else 30.0
    freshness = 1 / (2 + max(age, 0.0))
    return min(1.0, base + 0.04 * source_yield + 0.004 * freshness)


@dataclass(slots=True)
class Odds:
    """How often pages of each title score turned out relevant, so that hopeless candidates are left alone.

    The scores are put into steps, and a candidate is hopeless where enough pages of its step and below were fetched and
    hardly any was relevant. `least` is that share, 0..1.
    """

    least: float
    fetched: list[int] = field(default_factory=lambda: [0] * (len(_STEPS) + 1))
    relevant: list[int] = field(default_factory=lambda: [0] * (len(_STEPS) + 1))

    @classmethod
    def of(cls, database: sqlite3.Connection, least: float) -> "Odds":
        """The odds from all pages that a state's runs have fetched."""
        odds = cls(least)
        for title, url, title_score, relevant in database.execute(_JUDGED):
            if not is_hub_link(title, url):
                odds.add(title_score, bool(relevant))
        return odds

    def add(self, title_score: float, relevant: bool) -> None:
        """Notes a fetched page."""
        step = bisect.bisect(_STEPS, title_score)
        self.fetched[step] += 1
        self.relevant[step] += relevant

    def is_hopeless(self, title_score: float) -> bool:
        """Whether pages of this title score and below are hardly ever relevant."""
        step = bisect.bisect(_STEPS, title_score) + 1
        fetched, relevant = sum(self.fetched[:step]), sum(self.relevant[:step])
        return fetched >= _ENOUGH and relevant < self.least * fetched


def expected_yield(fetched: int, relevant: int, base: float = BASE_YIELD) -> float:
    """The share of a source's pages that will be relevant: what it was, near `base` while little is known."""
    return (relevant + _PRIOR * base) / (fetched + _PRIOR)
