"""What the index of known articles remembers of an article, and what it finds: the records between run and store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.copies.candidates import MAX_POSTINGS
from cleaning.copies.clusters import Article
from cleaning.copies.sketched import Sketch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """An article that is known by its id; `number` is that of the representative of its cluster, None without one.

    `digest` is that of its text, None where the index never saw the text.
    """

    id: str
    cluster_id: str
    digest: int | None
    version: int
    representative_id: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be found by: its number, that of the representative of its cluster (or its own), and its article."""

    number: int
    top: int
    article: Article

    def row(self, size: int) -> tuple[Any, ...]:
        """The row in `texts` of a text with so many sampled shingles."""
        a = self.article
        place = self.number, self.top, a.id, a.cluster_id, size
        return *place, a.domain, a.agency, a.published_at, a.words.tobytes(), packed(a.sketch)


@dataclass(frozen=True, slots=True)
class Matches:
    """Postings of some shingles: `hashes[k]` is in the text `numbers[k]`, which has `sizes[k]` shingles.

    `tops[k]` is the number of the representative of that text's cluster.
    """

    hashes: NDArray[np.uint64]
    numbers: NDArray[np.int64]
    tops: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def common(self) -> NDArray[np.uint64]:
        """The shingles of as many texts as are remembered for one, ascending."""
        hashes, counts = np.unique(self.hashes, return_counts=True)
        return hashes[counts >= MAX_POSTINGS]


class RecentTexts:
    """Articles of late, by number, with their texts: most copies of an article come soon after it."""

    def __init__(self, words: int) -> None:
        """`words` bounds how many they have together; the first that came are dropped for it."""
        self._articles: dict[int, Article] = {}
        self._free = words

    def put(self, number: int, one: Article) -> None:
        """Takes in an article under a number of its own."""
        # A copy: the words may be part of a longer array, which must not stay for them.
        self._articles[number] = replace(one, words=one.words.copy())
        self._free -= one.words.size
        while self._free < 0:
            self._free += self._articles.pop(next(iter(self._articles))).words.size

    def among(self, numbers: Sequence[int]) -> dict[int, Article]:
        """Those of some articles that are there."""
        return {number: self._articles[number] for number in numbers if number in self._articles}

    def clear(self) -> None:
        """Drops all."""
        self._free += sum(one.words.size for one in self._articles.values())
        self._articles.clear()


def article(row: tuple[Any, ...]) -> Article:
    """The article of id, cluster_id, words, domain, agency, microseconds of its date and sketch, as they are stored."""
    name, cluster, words, domain, agency, date, sketch = row
    return Article(name, cluster, np.frombuffer(words, np.uint32), domain, agency, moment(date), _unpacked(sketch))


def packed(sketch: Sketch | None) -> bytes | None:
    """A sketch as it is stored."""
    if sketch is None:
        return None
    return np.array([sketch.words, sketch.digest, *sketch.shingles.tolist()], np.uint64).tobytes()


def _unpacked(stored: bytes | None) -> Sketch | None:
    if stored is None:
        return None
    words, digest, *shingles = np.frombuffer(stored, np.uint64).tolist()
    return Sketch(words, digest, np.array(shingles, np.uint64))


def moment(microseconds: int | None) -> datetime | None:
    """The time so many microseconds after 1970; far quicker than Arrow makes one."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
