"""What titles have taught a crawl: words under which pages turned out relevant or not, beyond what the seeds say."""

import math
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from cleaning.topic.terms import title_terms
from crawler.candidates import is_hub_link

_PRIOR_PAGES = 5.0
_PRIOR_SHARE = 0.3
# So many pages without a word are worth as much as one with it: a word that was seen once says little.
_WORD_PRIOR = 2.0
_LEAST, _MOST = math.log(0.1), math.log(1.5)
_REMEMBERED = 20_000
_MAX_WORDS = 200_000
_WORD = re.compile(r"[^\W\d_]{3,}")


@lru_cache(maxsize=20_000)
def _title_words(title: str, url: str) -> tuple[str, ...]:
    """The words of a title and its address in one order; lists name the same articles again and again."""
    return tuple(sorted(title_terms(title, url)))


def section_words(url: str) -> set[str]:
    """The words of a section's address, without numbers: those that its pages, and its like on other sites, share."""
    parts = urlsplit(url)
    return set(_WORD.findall(f"{parts.path} {parts.query}".lower()))


@dataclass(slots=True)
class SectionLessons:
    """What sections promised, 0..1, by the words of their addresses: sport is called sport on every site."""

    pages: int = 0
    promised: float = 0.0
    words: dict[str, tuple[int, float]] = field(default_factory=dict)

    def add(self, url: str, promise: float) -> None:
        """Notes a page of a section that was fetched, with what its headlines promise."""
        self.pages += 1
        self.promised += promise
        for word in section_words(url):
            seen, total = self.words.get(word, (0, 0.0))
            if seen or len(self.words) < _MAX_WORDS:
                self.words[word] = seen + 1, total + promise

    def factor(self, url: str) -> float:
        """What a section's words make of its chance, 0.2..2; 1 where nothing is known of them."""
        if not self.pages or not self.promised:
            return 1.0
        mean = self.promised / self.pages
        known = [self.words[word] for word in sorted(section_words(url)) if word in self.words]
        shares = [(total + _WORD_PRIOR * mean) / ((seen + _WORD_PRIOR) * mean) for seen, total in known]
        return max(0.2, min(2.0, math.prod(shares)))


@dataclass(slots=True)
class Lessons:
    """For each word, under how many titles of fetched pages it stood, and how many of those pages were relevant.

    A title's factor is the product of its words' lifts, the share of relevant pages under a word beside that of all, as
    in a naive Bayes classifier; it stays between 0.1 and 1.5, since words of one title repeat each other's evidence.
    """

    fetched: int = 0
    relevant: int = 0
    words: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, database: sqlite3.Connection) -> "Lessons":
        """The lessons of the latest pages that a state's runs have fetched."""
        lessons = cls()
        query = (
            "SELECT title, url, relevant FROM urls WHERE relevant IS NOT NULL AND role = 'page'"
            " ORDER BY fetched DESC, id LIMIT ?"
        )
        for title, url, relevant in database.execute(query, (_REMEMBERED,)):
            if not is_hub_link(title, url):
                lessons.add(title, url, relevant=bool(relevant))
        return lessons

    def add(self, title: str, url: str, *, relevant: bool) -> None:
        """Notes a fetched page."""
        self.fetched += 1
        self.relevant += relevant
        for word in _title_words(title, url):
            seen, good = self.words.get(word, (0, 0))
            if seen or len(self.words) < _MAX_WORDS:
                self.words[word] = seen + 1, good + relevant

    def factor(self, title: str, url: str) -> float:
        """What a title's words make of its chance, 0.1..1.5; 1 where nothing is known of them."""
        return math.exp(max(_LEAST, min(_MOST, sum(self._lifts(_title_words(title, url))))))

    def strongest(self, count: int = 5) -> dict[str, list[str]]:
        """The words that raise titles most, and those that lower them most, strongest first."""
        lifts = {word: next(iter(self._lifts([word]))) for word in self.words}
        ranked = sorted(lifts, key=lambda word: (-lifts[word], word))
        raising = [word for word in ranked[:count] if lifts[word] > 0]
        return {"raising": raising, "lowering": [word for word in ranked[: -count - 1 : -1] if lifts[word] < 0]}

    def _lifts(self, words: Iterable[str]) -> Iterable[float]:
        """The logarithm of each known word's lift, in the order of the words, so that sums are the same every time."""
        share = (self.relevant + _PRIOR_PAGES * _PRIOR_SHARE) / (self.fetched + _PRIOR_PAGES)
        for word in words:
            if word in self.words:
                seen, good = self.words[word]
                yield math.log((good + _WORD_PRIOR * share) / ((seen + _WORD_PRIOR) * share))
