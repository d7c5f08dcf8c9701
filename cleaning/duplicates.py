"""Tells how two texts are related: the same article in another form, or two articles that share some text."""

from dataclasses import dataclass
from enum import StrEnum
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaning.shingles import NAME, NUMBER, PLAIN, WIDTH, Hashes, Words, shingle_keys


class Relation(StrEnum):
    """What a text is to an article that was known before it."""

    NEW = "new"
    SAME = "same"
    VERSION = "version"
    TRUNCATED = "truncated"
    EXTENDED = "extended"
    EXCERPT = "excerpt"
    EDITED = "edited"


Positions = NDArray[np.int64]
_POSITION = np.uint64(2**20 - 1)
_KIND = np.uint32(3)
_KIND_BITS = np.uint32(2)
_ZERO = np.zeros(1, np.int64)
_NONE = np.zeros(3, np.int64)

_WHOLE = 0.8  # Containment from which a text counts as lying within another.
_EQUAL = 0.95  # Containment both ways from which two texts count as the same.

MAX_SLOT = 8
"""Words; a longer difference between two common runs is other text, not the slot of a template."""


@dataclass(frozen=True, slots=True)
class Side:
    """One text of a compared pair, counted in words.

    `common` lie in runs that the other text has too; `head` come before the first such run, `tail` after the last.
    """

    words: int
    common: int
    head: int
    tail: int

    @property
    def containment(self) -> float:
        """Share of the text that the other text has too, within 0..1."""
        return self.common / self.words if self.words else 0.0


@dataclass(frozen=True, slots=True)
class Slots:
    """Words of one kind that the aligned parts of two texts kept, and those that they exchanged."""

    kept: int
    changed: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How two texts overlap, the first named `left`; `longest` is the longest common run, in words."""

    left: Side
    right: Side
    longest: int
    numbers: Slots
    names: Slots
    others: Slots

    @property
    def smaller(self) -> Side:
        """The shorter text."""
        return min(self.left, self.right, key=lambda side: side.words)

    @property
    def containment(self) -> float:
        """Share of the text that lies more within the other, 0..1."""
        return max(self.left.containment, self.right.containment)

    @property
    def common(self) -> int:
        """Words in common runs, by the text that has fewer."""
        return min(self.left.common, self.right.common)


def is_copy(overlap: Overlap, share: float) -> bool:
    """Whether two texts are one article.

    Args:
        overlap: how they overlap.
        share: their weighted containment by sampled shingles, 0..1.
    """
    if overlap.common < 24 or overlap.longest < 10 or share < 0.28:
        return False
    return overlap.containment >= _needed(overlap) and template_score(overlap, share) <= 0


def relation(text: Side, article: Side) -> Relation:
    """What a copy is to the article, by how much of each the other has.

    A copy that has less is truncated if it has the article's beginning, and an excerpt otherwise.
    """
    within, around = text.containment >= _WHOLE, article.containment >= _WHOLE
    if within and around:
        return Relation.SAME if min(text.containment, article.containment) >= _EQUAL else Relation.EDITED
    if within:
        return Relation.TRUNCATED if article.head <= 0.1 * article.words else Relation.EXCERPT
    return Relation.EXTENDED if around else Relation.EDITED


def template_score(overlap: Overlap, share: float) -> float:
    """Evidence that two texts are a template filled twice, above 0, or one article edited, below 0.

    Edits change numbers, names and other words alike, or correct some figures; a template changes most figures, or
    names and nothing else, and does so often. The first two terms are log likelihood ratios of the words in slots; the
    others weigh how dense the exchanged words are, and how much of what is common stands in further articles too.
    """
    numbers, names, others = overlap.numbers, overlap.names, overlap.others
    edited = 2 * others.changed / max(1, others.changed + others.kept) + 0.03
    filled = edited + 0.12
    density = (numbers.changed + names.changed) / max(1, overlap.common)
    return (
        numbers.changed * log(0.60 / 0.38)
        + max(-8.0, numbers.kept * log(0.40 / 0.62))
        + names.changed * log(filled / edited)
        # Kept names prove little: templates name agencies and sponsors.
        + max(-2.0, names.kept * log((1 - filled) / (1 - edited)))
        + 150 * (density - 0.03)
        + 12 * max(0.0, overlap.containment - share - 0.2)
    )


def _needed(overlap: Overlap) -> float:
    """The containment that makes a copy: more for short texts, and where the common text looks like background."""
    needed = 0.38 + 8 / max(1, overlap.smaller.words)
    if overlap.longest >= 0.8 * overlap.common and min(overlap.left.head, overlap.right.head) >= 60:
        needed = max(needed, 0.6)  # One lump behind different beginnings: background, a site's tail.
    if min(overlap.left.containment, overlap.right.containment) < 0.2:
        needed = max(needed, 0.7)  # A long text that quotes a short one.
    return needed


def compare(left: Words, right: Words) -> Overlap:
    """Aligns two texts on the shingles they share."""
    if left.size == right.size and np.array_equal(left >> _KIND_BITS, right >> _KIND_BITS):
        return _equal(left)
    at_left, at_right = _matches(left, right)
    if not at_left.size:
        return Overlap(_apart(left), _apart(right), 0, *[Slots(0, 0)] * 3)
    breaks = ((at_left[1:] - at_left[:-1] != 1) | (at_right[1:] - at_right[:-1] != 1)).nonzero()[0]
    first, last = np.concatenate([_ZERO, breaks + 1]), np.concatenate([breaks, [at_left.size - 1]])
    in_left, in_right = _Runs(at_left[first], at_left[last] + WIDTH), _Runs(at_right[first], at_right[last] + WIDTH)
    common = _covered(in_left, left.size)
    kept = np.bincount(left[common] & _KIND, minlength=3)
    changed = _NONE
    slots = _slots(in_left, in_right)
    if slots.size:
        again, changed = _exchanged(left, right, in_left, in_right, slots)
        kept = kept + again
    kinds = [Slots(int(kept[kind]), int(changed[kind])) for kind in (NUMBER, NAME, PLAIN)]
    longest = int((last - first).max()) + WIDTH
    return Overlap(_side(common), _side(_covered(in_right, right.size)), longest, *kinds)


class _Runs(NamedTuple):
    """Where the common runs lie in one text; `ends` are exclusive."""

    starts: Positions
    ends: Positions


def _matches(left: Words, right: Words) -> tuple[Positions, Positions]:
    """Positions of the shingles of the left text that the right one has, and where it has them first."""
    wanted, offered = _keys(left), _keys(right)
    if not offered.size:
        return _ZERO[:0], _ZERO[:0]
    nearest = offered[np.minimum(offered.searchsorted(wanted & ~_POSITION), offered.size - 1)]
    found = ((nearest ^ wanted) <= _POSITION).nonzero()[0]
    pairs = np.sort(((wanted[found] & _POSITION) << np.uint64(20)) | (nearest[found] & _POSITION)).astype(np.int64)
    return pairs >> 20, pairs & int(_POSITION)


def _keys(words: Words) -> Hashes:
    """44 bits of the hash and the position of each shingle in one number: sorted fast, and alike on every machine."""
    keys = shingle_keys(words)
    return np.sort((keys & ~_POSITION) | np.arange(keys.size, dtype=np.uint64))


def _covered(runs: _Runs, size: int) -> NDArray[np.bool_]:
    edges = np.bincount(runs.starts, minlength=size + 1) - np.bincount(runs.ends, minlength=size + 1)
    return edges[:size].cumsum() > 0


def _slots(in_left: _Runs, in_right: _Runs) -> Positions:
    """The runs that are followed by a slot: in both texts a short difference lies before the next run."""
    gaps = in_left.starts[1:] - in_left.ends[:-1], in_right.starts[1:] - in_right.ends[:-1]
    return ((np.minimum(*gaps) > 0) & (np.maximum(*gaps) <= MAX_SLOT)).nonzero()[0]


def _exchanged(
    left: Words, right: Words, in_left: _Runs, in_right: _Runs, slots: Positions
) -> tuple[Positions, Positions]:
    """Counts by kind of the words in slots that both texts have in the same place, and of those they exchanged."""
    ends = in_left.ends[slots], in_right.ends[slots]
    gaps = in_left.starts[slots + 1] - ends[0], in_right.starts[slots + 1] - ends[1]
    level = gaps[0] == gaps[1]
    aligned = _take(left, ends[0][level], gaps[0][level]), _take(right, ends[1][level], gaps[0][level])
    kept = np.bincount(aligned[0][aligned[0] >> _KIND_BITS == aligned[1] >> _KIND_BITS] & _KIND, minlength=3)
    sides = [np.bincount(_take(*side) & _KIND, minlength=3) for side in zip((left, right), ends, gaps, strict=True)]
    # A template puts a name where a name was: what has no counterpart of its kind was not exchanged but rewritten.
    return kept, np.minimum(*sides) - kept


def _take(words: Words, starts: Positions, lengths: Positions) -> Words:
    ends = lengths.cumsum()
    return words[(starts - ends + lengths).repeat(lengths) + np.arange(ends[-1] if ends.size else 0)]


def _side(common: NDArray[np.bool_]) -> Side:
    first, last = int(common.argmax()), int(common[::-1].argmax())
    return Side(common.size, int(np.count_nonzero(common)), first, last)


def _equal(words: Words) -> Overlap:
    side = Side(words.size, words.size, 0, 0)
    kinds = np.bincount(words & _KIND, minlength=3).tolist()
    return Overlap(side, side, words.size, *(Slots(kinds[kind], 0) for kind in (NUMBER, NAME, PLAIN)))


def _apart(words: Words) -> Side:
    return Side(words.size, 0, words.size, words.size)
