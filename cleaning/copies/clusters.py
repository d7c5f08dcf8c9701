"""Puts each of a batch of texts into the cluster of the article that it copies, or into one of its own."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

import numpy as np

from cleaning.copies.alignment import Overlap, compare
from cleaning.copies.candidates import LEAST, Candidates, Numbers
from cleaning.copies.duplicates import Relation, is_copy, relation
from cleaning.copies.shingles import Words
from cleaning.copies.sketched import Sketch, estimate, is_likely_copy


@dataclass(frozen=True, slots=True)
class Article:
    """What is known of a text when its copies are looked for; `published_at` is aware, or None.

    A known text that is withheld has no words, but a `sketch`.
    """

    id: str
    cluster_id: str
    words: Words
    domain: str = ""
    agency: str = ""
    published_at: datetime | None = None
    sketch: Sketch | None = None


COMPLETER = 1.4
"""How many times the words of a representative a copy that holds it must have to be the more complete one."""

EARLIER = timedelta(days=1)
"""How much earlier a copy must be dated to be the earlier one: many pages give the day alone."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When a later copy takes the place of its cluster's representative; otherwise the first one keeps it.

    A cut copy never does. `credited`: when the representative credits an agency and the copy stands on that agency's
    own site; from there, none but a more complete one takes it. `earlier`: when the copy is dated so much before the
    representative; None turns it off. `completer`: when the copy holds the representative and has so many times its
    words, and `words_more` more; 0 turns it off.
    """

    credited: bool = True
    completer: float = COMPLETER
    words_more: int = 60
    earlier: timedelta | None = EARLIER


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a text was put: the representative of its cluster after the batch, and what the text is to it.

    `top` is the number of that representative. A witness is a copy by which further copies are to be found, since it
    has what the representative lacks.
    """

    article: Article
    relation: Relation
    containment: float
    top: int
    is_witness: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A representative of an earlier batch that gives way to a new one, of number `top`, and what it is to that one."""

    old: Article
    new: Article
    relation: Relation
    containment: float
    top: int


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

MOST_RANKED = 24
"""Earlier texts that are kept in mind for one text; copies of the same batch are among them, and are passed over."""

ALIKE = 0.8
"""Containment from which texts are compared before shingles are weighed."""

MOST_WITNESSES = 3
"""Copies of one article by which further copies are found; bounds what a story that all print takes up."""

OTHER_LEAD = 30
"""Words before the common text from which a copy begins otherwise than the article; cut copies may hold no more."""

NOVEL = 4
"""Sampled shingles that no text of the cluster has, from which a copy with another beginning is a witness."""

Fetch = Callable[[Sequence[int]], dict[int, Article]]
"""Articles of earlier batches, by their number among the texts that are judged."""

Align = Callable[[Sequence[tuple[Article, Article]]], list[Overlap]]
"""The overlaps of some pairs of articles whose words are known, the first of a pair being the left one."""

Others = list[tuple[int, float]]
Found = dict[int, Others]
"""For new texts the earlier ones that they may be copies of, best first, with the share that both have."""


def align_words(pairs: Sequence[tuple[Article, Article]]) -> list[Overlap]:
    """Aligns the words of each pair of articles."""
    return compare([(left.words, right.words) for left, right in pairs])


class Batch:
    """New texts on their way into clusters.

    Texts are numbered in the order in which they are judged: first the representatives and witnesses of earlier
    batches, of which those needed are fetched, then the new ones.
    """

    def __init__(
        self, new: Sequence[Article], tops: Numbers, fetch: Fetch, policy: Policy, align: Align = align_words
    ) -> None:
        """Gets, beside the new texts, for each earlier one the number of the representative of its cluster.

        `align` may know overlaps already; they must be those that `align_words` finds.
        """
        self._new = range(len(tops), len(tops) + len(new))
        self._articles = dict(zip(self._new, new, strict=True))
        self._fetch, self._policy, self._tops, self._align = fetch, policy, tops, align
        self._overlaps: dict[tuple[int, int], Overlap] = {}
        self._verdicts: dict[tuple[int, int, float], bool] = {}
        # For each text that does not stand for its cluster, the one it was put under.
        self._above = {number: top for number, top in enumerate(tops.tolist()) if top != number}
        self._witnesses = set(self._above)

    def place(self, candidates: Candidates) -> list[Placed]:
        """Puts each new text into a cluster, in order."""
        clusters = np.append(self._tops, np.array(self._new, np.int64))
        self._load(candidates.plain(LEAST).by_text(MOST_COMPARED), candidates.weighted(clusters).by_text(MOST_COMPARED))
        clusters = self._tentative(candidates.plain(ALIKE).by_text(MOST_COMPARED))
        found = {
            number: self._ranked([other for other in others if other[0] in self._articles])
            for number, others in candidates.weighted(clusters).by_text(MOST_RANKED).items()
        }
        self._foresee(found, clusters)
        for number in self._new:
            article = self._copied(number, found.get(number, []))
            if article is not None:
                self._join(number, article)
        return self._all_placed(candidates)

    def changes(self) -> dict[int, Change]:
        """The representatives of earlier batches that gave way to new texts, by number."""
        old = [number for number in sorted(self._above) if number not in self._new and self._tops[number] == number]
        placed = {number: self._placed(number) for number in old}
        return {
            number: Change(self._articles[number], place.article, place.relation, place.containment, place.top)
            for number, place in placed.items()
        }

    def _tentative(self, found: Found) -> Numbers:
        """For each text the first one of its cluster as far as can be seen at once.

        Only so can be counted in how many clusters a shingle is: a batch may bring a template a hundred times, or the
        same article.
        """
        nearest = {number: self._ranked(others)[0][0] for number, others in sorted(found.items())}
        self._compare(nearest.items())
        clusters = np.append(self._tops, np.array(self._new, np.int64))
        for number, other in nearest.items():
            if self._is_copy(number, other, self._overlap(number, other).containment):
                clusters[number] = clusters[other]
        return clusters

    def _foresee(self, found: Found, clusters: Numbers) -> None:
        """Compares at once the pairs that judging one text after another will most likely ask for."""
        copies = set(np.flatnonzero(clusters != np.arange(clusters.size)).tolist()) - self._witnesses
        waiting = found
        while waiting := {
            number: rest for number, others in waiting.items() if (rest := [o for o in others if o[0] not in copies])
        }:
            waiting = {number: others[:MOST_COMPARED] for number, others in waiting.items()}
            nearest = [(number, others[0][0]) for number, others in waiting.items()]
            # A witness proves the copy; what is published is what it is to the representative.
            self._compare(nearest + [(number, self._top(other)) for number, other in nearest])
            decided = {number for number, others in waiting.items() if self._is_copy(number, *others[0])}
            copies |= decided
            waiting = {number: others[1:] for number, others in waiting.items() if number not in decided}

    def _ranked(self, others: Others) -> Others:
        """Witnesses last: what a copy is to the representative is asked in any case."""
        last = self._witnesses
        return [other for other in others if other[0] not in last] + [other for other in others if other[0] in last]

    def _copied(self, number: int, others: Others) -> int | None:
        """The text that proves this one to be a copy, if there is one among the best few."""
        eligible = (other for other in others if other[0] not in self._above or other[0] in self._witnesses)
        return next((o for o, share in islice(eligible, MOST_COMPARED) if self._is_copy(number, o, share)), None)

    def _join(self, number: int, article: int) -> None:
        """Puts a text under the representative of an article that it copies, or in its place."""
        top = self._top(article)
        copy, old, overlap = self._articles[number], self._articles[top], self._overlap(number, top)
        if _succeeds(copy, old, overlap, self._policy):
            self._articles[number] = replace(copy, cluster_id=old.cluster_id)
            self._above[top] = number
            self._witnesses.add(top)
        else:
            self._above[number] = top
            if overlap.left.head >= OTHER_LEAD:
                self._witnesses.add(number)

    def _all_placed(self, candidates: Candidates) -> list[Placed]:
        tops = {number: self._top(number) for number in self._new}
        self._compare((number, top) for number, top in tops.items() if number != top)
        novel = candidates.novel(np.append(self._tops, np.array(list(tops.values()), np.int64))).tolist()
        witnesses = Counter(self._top(number) for number in self._witnesses if number not in self._new)
        placed = []
        for number, top in tops.items():
            chosen = number in self._witnesses and novel[number] >= NOVEL and witnesses[top] < MOST_WITNESSES
            witnesses[top] += chosen
            placed.append(self._placed(number, chosen))
        return placed

    def _placed(self, number: int, is_witness: bool = False) -> Placed:
        top = self._top(number)
        if top == number:
            return Placed(self._articles[top], Relation.NEW, 1.0, top)
        overlap = self._overlap(number, top)
        return Placed(self._articles[top], relation(overlap), overlap.containment, top, is_witness)

    def _top(self, number: int) -> int:
        while number in self._above:
            number = self._above[number]
        return number

    def _is_copy(self, number: int, other: int, share: float) -> bool:
        asked = number, other, share
        if asked not in self._verdicts:
            overlap = self._overlap(number, other)
            self._verdicts[asked] = (is_likely_copy if overlap.is_estimate else is_copy)(overlap, share)
        return self._verdicts[asked]

    def _overlap(self, number: int, other: int) -> Overlap:
        if (number, other) not in self._overlaps:
            if (other, number) in self._overlaps:
                return self._overlaps[other, number].turned()
            self._compare([(number, other)])
        return self._overlaps[number, other]

    def _compare(self, pairs: Iterable[tuple[int, int]]) -> None:
        missing = dict.fromkeys(pair for pair in pairs if pair not in self._overlaps)
        both = {pair: (self._articles[pair[0]], self._articles[pair[1]]) for pair in missing}
        whole = [pair for pair, (left, right) in both.items() if not (left.sketch or right.sketch)]
        compared = self._align([both[pair] for pair in whole])
        self._overlaps.update(zip(whole, compared, strict=True))
        if len(whole) < len(both):
            self._overlaps.update((pair, _estimated(*both[pair])) for pair in both.keys() - set(whole))

    def _load(self, *rankings: Found) -> None:
        """Fetches the best few earlier texts for each new one, and their representatives; the others stay aside."""
        known = len(self._tops)
        lists = ([other for other, _ in others if other < known] for found in rankings for others in found.values())
        wanted = {other for others in lists for other in others[:MOST_COMPARED]}
        wanted |= {int(self._tops[other]) for other in wanted}
        if wanted:
            self._articles.update(self._fetch(sorted(wanted)))


def _estimated(left: Article, right: Article) -> Overlap:
    """The overlap of two texts of which one is known by its sketch; the other is new, so it has its words."""
    if right.sketch is not None:
        return estimate(left.words, right.sketch)
    assert left.sketch is not None
    return estimate(right.words, left.sketch).turned()


def _succeeds(copy: Article, article: Article, overlap: Overlap, policy: Policy) -> bool:
    """Whether a copy takes the place of the article it was found to copy; `overlap.left` is the copy."""
    kind = relation(overlap)
    if kind in (Relation.TRUNCATED, Relation.EXCERPT):
        return False
    if policy.credited and _is_agency_site(copy.domain, article.agency) and article.domain != copy.domain:
        return True
    if _is_earlier(copy, article, policy):
        return True
    more = overlap.left.words - overlap.right.words
    times = overlap.left.words / max(1, overlap.right.words)
    return kind is Relation.EXTENDED and 0 < policy.completer <= times and more >= policy.words_more


def _is_earlier(copy: Article, article: Article, policy: Policy) -> bool:
    if policy.earlier is None or copy.published_at is None or article.published_at is None:
        return False
    is_agency = policy.credited and _is_agency_site(article.domain, copy.agency)
    return not is_agency and article.published_at - copy.published_at >= policy.earlier


def _is_agency_site(domain: str, agency: str) -> bool:
    if not agency:
        return False
    name = "".join(filter(str.isalpha, agency.casefold())).removeprefix("the")
    return bool(name) and AGENCY_SITES.get(name, name) in domain.split(".")
