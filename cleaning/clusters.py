"""Puts each of a batch of texts into the cluster of the article that it copies, or into one of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from cleaning.alignment import Keyed, Overlap, compare, keyed
from cleaning.candidates import LEAST, Candidates, Numbers, Pairs
from cleaning.duplicates import Relation, is_copy, relation
from cleaning.shingles import Words


@dataclass(frozen=True, slots=True)
class Article:
    """What is known of a text when its copies are looked for; `published_at` is aware, or None."""

    id: str
    cluster_id: str
    words: Words
    domain: str = ""
    agency: str = ""
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """When a later copy takes the place of its cluster's representative; otherwise the first one keeps it.

    `credited`: when the representative credits an agency and the copy stands on that agency's own site.
    `completer`: when the copy holds the representative and has so many times its words, and `words_more` more; 0 turns
    it off. `earlier`: when the copy is dated so much before the representative; None turns it off.
    """

    credited: bool = True
    completer: float = 1.4
    words_more: int = 60
    earlier: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a text was put: the representative of its cluster after the batch, and what the text is to it."""

    article: Article
    relation: Relation
    containment: float


@dataclass(frozen=True, slots=True)
class Change:
    """A representative of an earlier batch that gives way to a new one, and what it is to that one."""

    old: Article
    new: Article
    relation: Relation
    containment: float


AGENCY_SITES = {
    "agencefrancepresse": "afp",
    "ap": "apnews",
    "associatedpress": "apnews",
    "deutschepresseagentur": "dpa",
    "pressassociation": "pamedia",
    "unitedpressinternational": "upi",
}
"""Names of agencies, letters only, whose site has another name."""

MOST_COMPARED = 4
"""Earlier texts with which one text is compared word by word; bounds the work in a field of look-alikes."""

ALIKE = 0.8
"""Containment from which texts are compared before shingles are weighed."""

Fetch = Callable[[Sequence[int]], dict[int, Article]]
"""Articles of earlier batches, by their number among the texts that are judged."""


class Batch:
    """New texts on their way into clusters.

    Texts are numbered in the order in which they are judged: `known` representatives of earlier batches, of which those
    needed are fetched, then the new ones.
    """

    def __init__(self, new: Sequence[Article], known: int, fetch: Fetch, policy: Policy) -> None:
        self._articles = {known + number: article for number, article in enumerate(new)}
        self._new = range(known, known + len(new))
        self._fetch, self._policy = fetch, policy
        self._overlaps: dict[tuple[int, int], Overlap] = {}
        self._keyed: dict[int, Keyed] = {}
        self._above: dict[int, int] = {}  # Of each text that does not stand for its cluster, the one it was put under.

    def place(self, candidates: Candidates) -> list[Placed]:
        """Puts each new text into a cluster, in order."""
        self._load(candidates.plain(LEAST).by_text())
        pairs = candidates.weighted(self._tentative(candidates.plain(ALIKE))).by_text()
        self._load(pairs)
        for number in self._new:
            article = self._copied(number, pairs.get(number, []))
            if article is not None:
                self._join(number, article)
        return [self._placed(number) for number in self._new]

    def changes(self) -> dict[int, Change]:
        """The representatives of earlier batches that gave way to new texts, by number."""
        old = sorted(number for number in self._above if number not in self._new)
        placed = {number: self._placed(number) for number in old}
        return {
            number: Change(self._articles[number], place.article, place.relation, place.containment)
            for number, place in placed.items()
        }

    def _tentative(self, pairs: Pairs) -> Numbers:
        """For each text the first one of its cluster as far as can be seen at once.

        Only so can be counted in how many clusters a shingle is: a batch may bring a template a hundred times, or the
        same article.
        """
        found = pairs.by_text()
        clusters = np.arange(self._new.stop)
        for number, others in sorted(found.items()):
            firsts = (other for other, _ in others[:MOST_COMPARED] if clusters[other] == other)
            other = next(firsts, others[0][0])
            overlap = self._overlap(number, other)
            if is_copy(overlap, overlap.containment):
                clusters[number] = clusters[other]
        return clusters

    def _copied(self, number: int, pairs: list[tuple[int, float]]) -> int | None:
        """The representative of which the text is a copy, if there is one among the best few."""
        for other, share in pairs[:MOST_COMPARED]:
            if other not in self._above and is_copy(self._overlap(number, other), share):
                return other
        return None

    def _join(self, number: int, article: int) -> None:
        """Puts a text under the article that it copies, or in its place."""
        copy, old = self._articles[number], self._articles[article]
        self._articles[number] = replace(copy, cluster_id=old.cluster_id)
        if _succeeds(copy, old, self._overlap(number, article), self._policy):
            self._above[article] = number
        else:
            self._above[number] = article

    def _placed(self, number: int) -> Placed:
        top = number
        while top in self._above:
            top = self._above[top]
        article = self._articles[top]
        if top == number:
            return Placed(article, Relation.NEW, 1.0)
        overlap = self._overlap(number, top)
        return Placed(article, relation(overlap), overlap.containment)

    def _overlap(self, number: int, other: int) -> Overlap:
        if (number, other) not in self._overlaps:
            self._overlaps[number, other] = compare(self._ready(number), self._ready(other))
        return self._overlaps[number, other]

    def _ready(self, number: int) -> Keyed:
        if number not in self._keyed:
            self._keyed[number] = keyed(self._articles[number].words)
        return self._keyed[number]

    def _load(self, pairs: dict[int, list[tuple[int, float]]]) -> None:
        wanted = {other for others in pairs.values() for other, _ in others[:MOST_COMPARED] if other not in self._new}
        missing = sorted(wanted - self._articles.keys())
        if missing:
            self._articles.update(self._fetch(missing))


def _succeeds(copy: Article, article: Article, overlap: Overlap, policy: Policy) -> bool:
    """Whether a copy takes the place of the article it was found to copy; `overlap.left` is the copy."""
    if relation(overlap) in (Relation.TRUNCATED, Relation.EXCERPT):
        return False
    if policy.credited and _is_agency_site(copy.domain, article.agency) and article.domain != copy.domain:
        return True
    if policy.earlier is not None and copy.published_at and article.published_at:
        return article.published_at - copy.published_at >= policy.earlier
    more = overlap.left.words - overlap.right.words
    holds = relation(overlap) is Relation.EXTENDED
    return (
        holds and 0 < policy.completer <= overlap.left.words / max(1, overlap.right.words) and more >= policy.words_more
    )


def _is_agency_site(domain: str, agency: str) -> bool:
    name = "".join(filter(str.isalpha, agency.casefold())).removeprefix("the")
    return bool(name) and AGENCY_SITES.get(name, name) in domain.split(".")
