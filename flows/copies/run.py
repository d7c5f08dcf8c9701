"""One run on its way into the index of known articles: what each of its documents is, and what follows for others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cleaning.copies.candidates import Candidates, Shingles
from cleaning.copies.clusters import Align, Article, Batch, Change, Placed, Policy
from cleaning.copies.duplicates import Relation
from cleaning.copies.shingles import Sketches, sketch
from flows.copies.arrivals import Arrivals, address_of, article_of
from flows.copies.prints import Prints
from flows.copies.records import Known, Matches, Text
from flows.copies.store import Store

DECISIONS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("representative_id", pa.string(), nullable=False),
        pa.field("cluster_id", pa.string(), nullable=False),
        pa.field("containment", pa.float32()),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("is_fresh", pa.bool_(), nullable=False),
    ]
)
"""One row a document, in the order of the documents.

`relation` is new, or what the text is to that of `representative_id`; for an article that was known under its URL it is
same, with nothing to publish, or version. A new article in a cluster that does not have its id has taken the place of
the representative there: the run's changes say so. `containment` is the share of the shorter text that the longer one
has too, 0..1, and null for a version. `version` counts the editions of an article from 1. `is_fresh` tells whether the
row is to be published: it is not for an article that was known and has not changed; of one that the run has several
times it is for one row only.
"""

CHANGES = pa.schema(
    [
        pa.field("old_representative_id", pa.string(), nullable=False),
        pa.field("new_representative_id", pa.string(), nullable=False),
        pa.field("cluster_id", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("containment", pa.float32(), nullable=False),
    ]
)
"""Representatives of earlier runs that became copies: from now on every copy in the cluster is one of the new one.

`relation` and `containment` are those of the old representative to the new one.
"""

CHUNK = 5_000
"""Documents that are judged together; bounds the memory of a run."""

PrintsAt = Callable[[Sequence[int]], Prints]
"""The prints of the texts in some rows; each row is asked for once, in the order of judging."""


def post(store: Store, texts: list[Text | None], sketches: Sketches, matches: Matches) -> None:
    """Makes texts findable; those that are None stay out. `sketches` are of all of them, `matches` of these."""
    numbers = np.array([-1 if text is None else text.number for text in texts], np.int64)[sketches.texts]
    posted = numbers >= 0
    store.add_texts(
        [text for text in texts if text is not None], sketches.hashes[posted], numbers[posted], matches.common()
    )


@dataclass(frozen=True, slots=True)
class _Decision:
    """A row of DECISIONS."""

    id: str
    relation: Relation
    representative_id: str
    cluster_id: str
    containment: float | None
    version: int = 1
    is_fresh: bool = True


class EnteringRun:
    """A run on its way into the store: what it decided so far, by id, and which id is in which row."""

    def __init__(self, store: Store, policy: Policy, first: int, arrivals: Arrivals, align: Align) -> None:
        self._store, self._policy, self._first = store, policy, first
        self._arrivals, self._align = arrivals, align
        self._decisions: dict[str, _Decision] = {}
        self._changes: dict[str, Change] = {}
        self._seen_first: set[str] = set()
        self.numbers = 0

    def judge(self, prints_at: PrintsAt) -> None:
        """Decides about each article."""
        rows, ids, order = self._arrivals.rows, self._arrivals.ids, self._arrivals.order
        self._store.found_again(ids)
        for start in range(0, len(order), CHUNK):
            places = order[start : start + CHUNK]
            found = prints_at(places)
            named = zip(places, (ids[place] for place in places), found.words, strict=True)
            self._judge([article_of(rows[place], name, name, words) for place, name, words in named], found)

    def decided(self) -> pa.Table:
        """The decisions, one row a document."""
        return _table(
            [self._row(place, self._decisions[article]) for place, article in enumerate(self._arrivals.ids)], DECISIONS
        )

    def changed(self) -> pa.Table:
        """The changes; a representative that the run itself brought was never published, and is none."""
        return _table(
            [
                (old, self._top(old), change.new.cluster_id, change.relation, change.containment)
                for old, change in self._changes.items()
                if old not in self._seen_first
            ],
            CHANGES,
        )

    def _row(self, place: int, decision: _Decision) -> tuple[Any, ...]:
        d, relation, containment = decision, decision.relation, decision.containment
        is_chosen = place == self._arrivals.chosen[d.id]
        if d.id in self._changes:
            relation, containment = self._changes[d.id].relation, self._changes[d.id].containment
        elif not is_chosen and d.representative_id == d.id:
            relation = Relation.SAME  # The same article once more in one run: there is nothing to publish twice.
        top, is_fresh = self._top(d.representative_id), d.is_fresh and is_chosen
        return d.id, relation, top, d.cluster_id, containment, d.version, is_fresh

    def _top(self, article: str) -> str:
        while article in self._changes:
            article = self._changes[article].new.id
        return article

    def _judge(self, articles: list[Article], prints: Prints) -> None:
        known = self._store.known([article.id for article in articles])
        pairs = list(zip(articles, prints.digests.tolist(), strict=True))
        self._renew([(article, mark, known[article.id]) for article, mark in pairs if article.id in known])
        places = [place for place, article in enumerate(articles) if article.id not in known]
        fresh = [pairs[place] for place in places]
        self._place([article for article, _ in fresh], prints.sketch(places))
        self._seen_first.update(article.id for article, _ in fresh)
        self._store.add_articles(
            [(a.id, self._decisions[a.id].cluster_id, mark, 1, self._address(a)) for a, mark in fresh]
        )

    def _address(self, article: Article) -> str | None:
        return address_of(self._arrivals.rows[self._arrivals.chosen[article.id]])

    def _renew(self, articles: list[tuple[Article, int, Known]]) -> None:
        """Decides about articles that are known under their URL, and puts later editions in the place of earlier."""
        for article, mark, known in articles:
            self._decisions[article.id] = _renewed(known, mark)
        changed = [(article, mark, known) for article, mark, known in articles if known.digest != mark]
        rows = [
            (a.id, known.cluster_id, mark, self._decisions[a.id].version, self._address(a))
            for a, mark, known in changed
        ]
        self._store.add_articles(rows, [article.id for article, _, _ in changed])
        if standing := [(a, known) for a, _, known in changed if known.representative_id == a.id]:
            self._repost(standing)

    def _repost(self, standing: list[tuple[Article, Known]]) -> None:
        """Puts the new texts of representatives in the place of the old ones."""
        numbers = self._numbers(len(standing))
        old = [(number, known.number) for number, (_, known) in zip(numbers, standing, strict=True)]
        self._store.drop_texts([known for _, known in old if known is not None])
        self._store.move({known: number for number, known in old if known is not None})
        sketches = sketch([article.words for article, _ in standing])
        articles = [replace(article, cluster_id=known.cluster_id) for article, known in standing]
        texts = [Text(number, number, article) for number, article in zip(numbers, articles, strict=True)]
        post(self._store, list(texts), sketches, self._store.matches(sketches.hashes))

    def _place(self, articles: list[Article], sketches: Sketches) -> None:
        """Decides about articles that are seen for the first time; `sketches` are those of their texts."""
        matches = self._store.matches(sketches.hashes)
        shingles, numbers, tops = _joined(matches, sketches, len(articles))

        def fetch(wanted: Sequence[int]) -> dict[int, Article]:
            found = self._store.articles([numbers[place] for place in wanted])
            return {place: found[numbers[place]] for place in wanted}

        batch = Batch(articles, tops, fetch, self._policy, self._align)
        placed = batch.place(Candidates(shingles))
        for a, p in zip(articles, placed, strict=True):
            self._decisions[a.id] = _Decision(a.id, p.relation, p.article.id, p.article.cluster_id, p.containment)
        changes = batch.changes()
        self._changes.update({change.old.id: change for change in changes.values()})
        number_of = self._numbered(numbers, placed)
        texts = [
            _text(number_of, place, article, p)
            for place, (article, p) in enumerate(zip(articles, placed, strict=True), len(numbers))
        ]
        post(self._store, texts, sketches, matches)
        self._store.move({numbers[place]: number_of[change.top] for place, change in changes.items()})

    def _numbered(self, numbers: list[int], placed: list[Placed]) -> dict[int, int]:
        """The numbers in the store, by those in the batch, of the known texts and of the new ones to be found by."""
        chosen = [place for place, p in enumerate(placed, len(numbers)) if p.top == place or p.is_witness]
        return dict(enumerate(numbers)) | dict(zip(chosen, self._numbers(len(chosen)), strict=True))

    def _numbers(self, count: int) -> range:
        """Numbers that were never used."""
        self.numbers += count
        return range(self._first + self.numbers - count, self._first + self.numbers)


def _text(number_of: dict[int, int], place: int, article: Article, placed: Placed) -> Text | None:
    """The text by which an article is to be found, if it is."""
    if place not in number_of:
        return None
    in_cluster = placed.article if placed.top == place else replace(article, cluster_id=placed.article.cluster_id)
    return Text(number_of[place], number_of[placed.top], in_cluster)


def _renewed(known: Known, mark: int) -> _Decision:
    if known.digest in (None, mark):
        same = _Decision(known.id, Relation.SAME, known.representative_id, known.cluster_id, 1.0, known.version)
        return replace(same, is_fresh=False)
    version = known.version + 1
    return _Decision(known.id, Relation.VERSION, known.representative_id, known.cluster_id, None, version)


def _joined(matches: Matches, sketches: Sketches, texts: int) -> tuple[Shingles, list[int], NDArray[np.int64]]:
    """The shingles of some new texts, and of the known ones that share any.

    Answers the numbers of these and of the representatives of their clusters too, and where among them these stand.
    """
    # A number is below the count of texts: a table of all is quicker than to sort the many postings.
    place_of = np.zeros(1 + max(matches.numbers.max(initial=-1), matches.tops.max(initial=-1)), np.int64)
    place_of[matches.numbers] = place_of[matches.tops] = 1
    numbers = np.flatnonzero(place_of)
    place_of[numbers] = np.arange(numbers.size)
    places, above = place_of[matches.numbers], place_of[matches.tops]
    sizes, tops = np.ones(numbers.size, np.int64), np.arange(numbers.size)
    sizes[places], tops[places] = matches.sizes, above
    hashes = np.concatenate([matches.hashes, sketches.hashes])
    owners = np.concatenate([places, sketches.texts + numbers.size])
    sizes = np.concatenate([sizes, np.bincount(sketches.texts, minlength=texts)])
    return Shingles(hashes, owners, numbers.size, sizes), numbers.tolist(), tops


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [[] for _ in schema]
    return pa.table([list(column) for column in columns], schema=schema)
