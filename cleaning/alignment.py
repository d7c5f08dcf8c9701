"""Aligns two texts word by word: what they have in common, where it lies, and which words were exchanged."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaning.shingles import NAME, NUMBER, PLAIN, WIDTH, Hashes, Words, shingle_keys

MAX_SLOT = 16
"""Words; a longer difference between two common runs is other text, not the slot of a template."""

Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

_POSITION = np.uint64(2**20 - 1)
_KIND = np.uint32(3)
_KIND_BITS = np.uint32(2)
_ZERO = np.zeros(1, np.int64)
_NONE = np.zeros(3, np.int64)


@dataclass(frozen=True, slots=True)
class Side:
    """One text of a compared pair, counted in words.

    `common` lie in runs that the other text has too. The bulk of these are all but the first and the last tenth: `bulk`
    counts all words from its beginning to its end, `head` and `tail` the words before and after it that are not common.
    """

    words: int
    common: int
    head: int
    bulk: int
    tail: int


@dataclass(frozen=True, slots=True)
class Slots:
    """Words of one kind that the aligned parts of two texts kept, and those that they exchanged."""

    kept: int
    changed: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How two texts overlap, the first named `left`: in `runs` common runs, the longest of `longest` words."""

    left: Side
    right: Side
    runs: int
    longest: int
    numbers: Slots
    names: Slots
    others: Slots

    @property
    def common(self) -> int:
        """Words in common, by the text that has fewer of them: what one has twice counts once."""
        return min(self.left.common, self.right.common)

    @property
    def smaller(self) -> int:
        """Words of the shorter text."""
        return min(self.left.words, self.right.words)

    @property
    def larger(self) -> int:
        """Words of the longer text."""
        return max(self.left.words, self.right.words)

    @property
    def containment(self) -> float:
        """Share of the shorter text that the longer one has too, 0..1."""
        return self.common / max(1, self.smaller)


class Keyed(NamedTuple):
    """A text made ready to be compared with several others: its words, its shingles, and these sorted.

    A shingle is 44 bits of its hash; a key is that and the position: sorted fast, and alike on every machine.
    """

    words: Words
    shingles: Hashes
    keys: Hashes


def keyed(words: Words) -> Keyed:
    """A text made ready to be compared."""
    shingles = shingle_keys(words) & ~_POSITION
    return Keyed(words, shingles, np.sort(shingles | np.arange(shingles.size, dtype=np.uint64)))


def compare(one: Keyed, other: Keyed) -> Overlap:
    """Aligns two texts on the shingles they share; the first is the left one of the overlap."""
    left, right = one.words, other.words
    if left.size == right.size and np.array_equal(left >> _KIND_BITS, right >> _KIND_BITS):
        return _equal(left)
    at_left, at_right = _matches(one, other)
    if not at_left.size:
        return Overlap(_apart(left), _apart(right), 0, 0, *[Slots(0, 0)] * 3)
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
    return Overlap(_side(common), _side(_covered(in_right, right.size)), first.size, longest, *kinds)


class _Runs(NamedTuple):
    """Where the common runs lie in one text; `ends` are exclusive."""

    starts: Positions
    ends: Positions


def _matches(left: Keyed, right: Keyed) -> tuple[Positions, Positions]:
    """Positions of the shingles of the left text that the right one has, and where it has them."""
    wanted, offered = left.keys, right.keys
    if not offered.size:
        return _ZERO[:0], _ZERO[:0]
    nearest = offered[np.minimum(offered.searchsorted(wanted & ~_POSITION), offered.size - 1)]
    found = ((nearest ^ wanted) <= _POSITION).nonzero()[0]
    pairs = np.sort(((wanted[found] & _POSITION) << np.uint64(20)) | (nearest[found] & _POSITION)).astype(np.int64)
    at_left, at_right = pairs >> 20, pairs & int(_POSITION)
    repeated = offered[:-1][(offered[1:] ^ offered[:-1]) <= _POSITION] & _POSITION
    return at_left, _continued(left, right, at_left, at_right, repeated) if repeated.size else at_right


def _continued(left: Keyed, right: Keyed, at_left: Positions, at_right: Positions, repeated: Hashes) -> Positions:
    """Moves matches of shingles that the right text repeats to where they continue the match of an unrepeated one."""
    is_repeated = np.zeros(right.shingles.size, np.bool_)
    is_repeated[repeated.astype(np.int64)] = True
    doubtful = is_repeated[at_right]
    sure = (~doubtful).nonzero()[0]
    if not sure.size:
        return at_right
    before = sure[np.maximum(sure.searchsorted(np.arange(at_left.size), "right") - 1, 0)]
    guess = np.clip(at_left + at_right[before] - at_left[before], 0, right.shingles.size - 1)
    continues = doubtful & (right.shingles[guess] == left.shingles[at_left])
    return np.where(continues, guess, at_right)


def _covered(runs: _Runs, size: int) -> Flags:
    edges = np.bincount(runs.starts, minlength=size + 1) - np.bincount(runs.ends, minlength=size + 1)
    inside: Flags = edges[:size].cumsum() > 0
    return inside


def _slots(in_left: _Runs, in_right: _Runs) -> Positions:
    """The runs that are followed by a slot: in both texts a short difference lies before the next run."""
    gaps = in_left.starts[1:] - in_left.ends[:-1], in_right.starts[1:] - in_right.ends[:-1]
    slots: Positions = ((np.minimum(*gaps) > 0) & (np.maximum(*gaps) <= MAX_SLOT)).nonzero()[0]
    return slots


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
    taken: Words = words[(starts - ends + lengths).repeat(lengths) + np.arange(ends[-1] if ends.size else 0)]
    return taken


def _side(common: Flags) -> Side:
    where = common.nonzero()[0]
    edge = where.size // 10
    first, last = int(where[edge]), int(where[-1 - edge])
    return Side(common.size, where.size, first - edge, last - first + 1, common.size - 1 - last - edge)


def _equal(words: Words) -> Overlap:
    side = Side(words.size, words.size, 0, words.size, 0)
    kinds = np.bincount(words & _KIND, minlength=3).tolist()
    return Overlap(side, side, 1, words.size, *(Slots(kinds[kind], 0) for kind in (NUMBER, NAME, PLAIN)))


def _apart(words: Words) -> Side:
    return Side(words.size, 0, words.size, 0, words.size)
