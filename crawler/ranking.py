"""How promising pages are before they are fetched: articles by their titles, sections by what is listed under them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b

from cleaning.urls import host_of
from crawler.candidates import Candidate, Kind, is_hub_link, is_same_section
from crawler.entries import Task
from crawler.lessons import Lessons, SectionLessons
from crawler.relevance import BASE_YIELD, TitleScore, is_telling, rank

LINKING = (Kind.SECTION, Kind.LINK, Kind.ARCHIVE)
"""Kinds of pages that link to sections as well as to articles."""

BEST_YIELD = 0.6
"""What is expected at most of the links of a page; of those of a relevant article."""

_BEST_SECTION = 0.3
# A section is as good as its three most promising headlines; .4 is that of a headline on the topic.
_PROMISING = 3
_PROMISE = 1.5
_HEADLINE_WORDS = 5
_MAX_HEADLINES = 500_000
_REPEATED = 0.3
# What source and freshness add to the score of a title, at most.
_BESIDE_WORDS = 0.044
_OVERRATED = 0.9


def is_hub(task: Task) -> bool:
    """Whether a page was queued as one of a section, and not as an article."""
    return task.kind in LINKING and is_hub_link(task.title, task.url)


@dataclass(slots=True)
class Ranking:
    """Scores of a run's candidates, 0..1, by the seeds and by what was learnt from the pages so far."""

    title_score: TitleScore
    clock: Callable[[], datetime]
    lessons: Lessons = field(default_factory=Lessons)
    sections: SectionLessons = field(default_factory=SectionLessons)
    _headlines: dict[bytes, str] = field(default_factory=dict)

    def words(self, title: str, url: str) -> float:
        """What the words of a title and address promise."""
        return self.title_score(title, url) * self.lessons.factor(title, url)

    def article(self, candidate: Candidate, key: str, published: datetime | None, source_yield: float) -> float:
        """The place of an article."""
        score = self._by_words(candidate.title, candidate.url, published, source_yield)
        return score * self._once(candidate, key)

    def section(self, url: str, title_score: float, named_by: str, page_yield: float) -> float:
        """The place of a section: by its name, or by the page that names it, which says more of its own section."""
        share = page_yield if is_same_section(url, named_by) else min(page_yield, BASE_YIELD)
        return max(self._by_promise(url, share), title_score)

    def again(self, task: Task, source_yield: float) -> float:
        """The place of what waits, for another yield of its source."""
        if is_hub(task):
            return max(self._by_promise(task.url, source_yield), task.title_score)
        published = datetime.fromtimestamp(task.published, UTC) if task.published is not None else None
        return self._by_words(task.title, task.url, published, source_yield)

    def lowered(self, task: Task) -> float | None:
        """The place of what waits, where titles like its own have taught since that it is worse; None where not."""
        is_judged = task.kind != Kind.LIST and not is_hub(task) and not task.relevant and task.score <= 1
        if not is_judged or not is_telling(task.title, task.url):
            return None
        beside = min(_BESIDE_WORDS, max(0.0, task.score - task.title_score))
        score = task.title_score * self.lessons.factor(task.title, task.url) + beside
        return score if score <= _OVERRATED * task.score else None

    def promise(self, url: str, links: Iterable[Candidate]) -> float:
        """What a section's page promises by its headlines, 0..BEST_YIELD; it is learnt from."""
        headlines = (link for link in links if not is_hub_link(link.title, link.url))
        best = sorted(self.words(link.title, link.url) for link in headlines)[-_PROMISING:]
        promise = min(BEST_YIELD, _PROMISE * sum(best) / _PROMISING)
        self.sections.add(url, promise)
        return promise

    def _by_words(self, title: str, url: str, published: datetime | None, source_yield: float) -> float:
        telling, words = is_telling(title, url), self.words(title, url)
        return rank(words, telling=telling, source_yield=source_yield, published=published, now=self.clock())

    def _by_promise(self, url: str, share: float) -> float:
        """Behind the headlines that are clearly on the topic, before those that are clearly not."""
        promise = share * self.sections.factor(url)
        return _BEST_SECTION * (1 - math.exp(-promise / _BEST_SECTION))

    def _once(self, candidate: Candidate, key: str) -> float:
        """1, or less for a headline that the run has seen at another address of its host: probably the same article."""
        if len(candidate.title.split()) < _HEADLINE_WORDS or len(self._headlines) >= _MAX_HEADLINES:
            return 1.0
        headline = blake2b(f"{host_of(candidate.url)} {candidate.title}".encode(), digest_size=8).digest()
        return 1.0 if self._headlines.setdefault(headline, key) == key else _REPEATED
