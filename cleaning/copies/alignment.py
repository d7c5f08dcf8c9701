"""Aligns texts word by word, many pairs at once: what they have in common, where, and which words were exchanged."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaning.copies.shingles import NAME, NUMBER, PLAIN, WIDTH, Hashes, Words, shingle_keys

MAX_SLOT = 16
"""Words; a longer difference between two common runs is other text, not the slot of a template."""

Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]
Pair = tuple[Words, Words]

# A key is the number of a pair, from 1 (6 bits), a shingle (38) and its place among the words of all pairs (20).
_PAIRS, _WORDS = 63, 40_000  # Compared together: the arrays then stay within the processor's cache.
_PAIR_SHIFT = np.uint64(58)
_PLACE_BITS = np.uint64(20)
_PLACE = np.uint64(2**20 - 1)
_NOWHERE = np.zeros(0, np.int64)
_KINDS = 3


class Side(NamedTuple):
    """One text of a compared pair, counted in words.

    `common` lie in runs that the other text has too. The bulk of these are all but the first and the last tenth: `bulk`
    counts all words from its beginning to its end, `head` and `tail` the words before and after it that are not common.
    """

    words: int
    common: int
    head: int
    bulk: int
    tail: int


class Slots(NamedTuple):
    """Words of one kind that the aligned parts of two texts kept, and those that they exchanged."""

    kept: int
    changed: int


class Overlap(NamedTuple):
    """How two texts overlap, the first named `left`: in `runs` common runs, the longest of `longest` words.

    An estimate, made where only a sketch of one text is known, says nothing of runs, places and exchanged words.
    """

    left: Side
    right: Side
    runs: int
    longest: int
    numbers: Slots
    names: Slots
    others: Slots
    is_estimate: bool = False

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

    def turned(self) -> "Overlap":
        """The overlap of the right text with the left one."""
        return self._replace(left=self.right, right=self.left)

    def numbers_in_row(self) -> list[int]:
        """All that was counted, ROW numbers, from which `overlap_of` makes it again."""
        return [*self.left, *self.right, self.runs, self.longest, *self.others, *self.numbers, *self.names]


ROW = 18
"""Numbers that an overlap is made of."""


def overlap_of(row: Sequence[int]) -> Overlap:
    """The overlap that gave its `numbers_in_row`."""
    slots = Slots(row[12], row[13]), Slots(row[14], row[15]), Slots(row[16], row[17])
    return Overlap(Side(*row[:5]), Side(*row[5:10]), row[10], row[11], slots[NUMBER], slots[NAME], slots[PLAIN])


def compare(pairs: Sequence[Pair]) -> list[Overlap]:
    """Aligns the texts of each pair on the shingles they share; the first of a pair is the left one of its overlap.

    What a pair is compared beside makes no difference.
    """
    return [overlap for chunk in _chunks(pairs) for overlap in _compare(chunk)]


def _chunks(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    chunk: list[Pair] = []
    size = 0
    for pair in pairs:
        words = pair[0].size + pair[1].size
        if chunk and (len(chunk) == _PAIRS or size + words > _WORDS):
            yield chunk
            chunk, size = [], 0
        chunk.append(pair)
        size += words
    if chunk:
        yield chunk


class _Texts(NamedTuple):
    """The left or the right texts of some pairs, one behind another.

    Text k has the words `starts[k]` to `ends[k]`; `owner` says for each word whose it is.
    """

    words: Words
    owner: Positions
    starts: Positions
    ends: Positions
    shingles: Hashes

    @property
    def pairs(self) -> int:
        return self.ends.size


class _Runs(NamedTuple):
    """Common runs, in order: whose they are, and where they lie in the left or right texts; `ends` are exclusive."""

    owner: Positions
    starts: Positions
    ends: Positions


def _compare(pairs: list[Pair]) -> list[Overlap]:
    left, right = _texts([one for one, _ in pairs]), _texts([other for _, other in pairs])
    in_left, in_right = _runs(left, right)
    common = _covered(in_left, left)
    kept = _by_kind(left.words[common], left.owner[common], left.pairs)
    again, changed = _exchanged(left, right, in_left, in_right)
    longest = np.zeros(left.pairs, np.int64)
    np.maximum.at(longest, in_left.owner, in_left.ends - in_left.starts)
    rows = np.column_stack(
        [
            *_sides(left, common),
            *_sides(right, _covered(in_right, right)),
            np.bincount(in_left.owner, minlength=left.pairs),
            longest,
            np.stack([kept + again, changed], axis=2).reshape(left.pairs, 2 * _KINDS),
        ]
    )
    overlaps = [overlap_of(row) for row in rows.tolist()]
    # Equal texts are not looked at word by word: they are equal even where they have no shingles, or repeat them.
    return [equal(one) if _are_equal(one, other) else o for (one, other), o in zip(pairs, overlaps, strict=True)]


def _texts(texts: list[Words]) -> _Texts:
    sizes = np.array([words.size for words in texts], np.int64)
    words, owner, ends = np.concatenate(texts), np.repeat(np.arange(sizes.size), sizes), np.cumsum(sizes)
    number = owner[: 1 - WIDTH].astype(np.uint64) + np.uint64(1)
    shingles = (shingle_keys(words) >> np.uint64(6)) & ~_PLACE | number << _PAIR_SHIFT
    shingles[owner[: 1 - WIDTH] != owner[WIDTH - 1 :]] = 0  # Two texts have part in it.
    return _Texts(words, owner, ends - sizes, ends, shingles)


def _runs(left: _Texts, right: _Texts) -> tuple[_Runs, _Runs]:
    """The common runs of all pairs, by their places in the left texts."""
    at_left, at_right = _matches(left.shingles, right.shingles)
    is_first = np.ones(at_left.size + 1, np.bool_)
    is_first[1:-1] = (np.diff(at_left) != 1) | (np.diff(at_right) != 1)
    first, last = at_left[is_first[:-1]], at_left[is_first[1:]]
    other_first, other_last = at_right[is_first[:-1]], at_right[is_first[1:]]
    owner = left.owner[first]
    return _Runs(owner, first, last + WIDTH), _Runs(owner, other_first, other_last + WIDTH)


def _matches(left: Hashes, right: Hashes) -> tuple[Positions, Positions]:
    """Places of the left shingles that the right text of the pair has too, and where it has them first."""
    wanted, offered = _sorted_keys(left), _sorted_keys(right)
    if not (wanted.size and offered.size):
        return _NOWHERE, _NOWHERE
    nearest = offered[np.minimum(offered.searchsorted(wanted & ~_PLACE), offered.size - 1)]
    found = ((nearest ^ wanted) <= _PLACE).nonzero()[0]
    both = np.sort(((wanted[found] & _PLACE) << _PLACE_BITS) | (nearest[found] & _PLACE)).astype(np.int64)
    at_left, at_right = both >> 20, both & int(_PLACE)
    repeated = (offered[:-1][(offered[1:] ^ offered[:-1]) <= _PLACE] & _PLACE).astype(np.int64)
    return at_left, _continued(left, right, at_left, at_right, repeated) if repeated.size else at_right


def _sorted_keys(shingles: Hashes) -> Hashes:
    """A shingle has the bits of its place free: sorted with it, it is sorted fast, and alike on every machine."""
    places = shingles.nonzero()[0]
    return np.sort(shingles[places] | places.astype(np.uint64))


def _continued(left: Hashes, right: Hashes, at_left: Positions, at_right: Positions, repeated: Positions) -> Positions:
    """Moves matches of shingles that the right text repeats to where they continue the match of an unrepeated one."""
    is_repeated = np.zeros(right.size, np.bool_)
    is_repeated[repeated] = True
    doubtful = is_repeated[at_right].nonzero()[0]
    sure = (~is_repeated[at_right]).nonzero()[0]
    if not sure.size:
        return at_right
    wanted, after = left[at_left], sure.searchsorted(doubtful)
    before, after = sure[np.maximum(after - 1, 0)], sure[np.minimum(after, sure.size - 1)]
    anchor = np.where((wanted[before] ^ wanted[doubtful]) >> _PAIR_SHIFT == 0, before, after)
    guess = at_left[doubtful] + at_right[anchor] - at_left[anchor]
    inside = np.clip(guess, 0, right.size - 1)
    # What a pair is compared beside must not matter: an anchor counts in its own pair only.
    is_own = (wanted[anchor] ^ wanted[doubtful]) >> _PAIR_SHIFT == 0
    continues = is_own & (right[inside] == wanted[doubtful]) & (inside == guess)
    at_right[doubtful[continues]] = guess[continues]
    return at_right


def _covered(runs: _Runs, texts: _Texts) -> Flags:
    size = texts.words.size
    edges = np.bincount(runs.starts, minlength=size + 1) - np.bincount(runs.ends, minlength=size + 1)
    inside: Flags = edges[:size].cumsum() > 0
    return inside


def _exchanged(left: _Texts, right: _Texts, in_left: _Runs, in_right: _Runs) -> tuple[Positions, Positions]:
    """Counts by pair and kind of the words in slots that both texts have in the same place, and of those exchanged."""
    slots = _slots(in_left, in_right)
    owner, starts = in_left.owner[slots], (in_left.ends[slots], in_right.ends[slots])
    gaps = in_left.starts[slots + 1] - starts[0], in_right.starts[slots + 1] - starts[1]
    level = gaps[0] == gaps[1]
    one = left.words[_spans(starts[0][level], gaps[0][level])]
    other = right.words[_spans(starts[1][level], gaps[0][level])]
    same = one >> 2 == other >> 2
    kept = _by_kind(one[same], owner[level].repeat(gaps[0][level])[same], left.pairs)
    sides = [
        _by_kind(texts.words[_spans(start, gap)], owner.repeat(gap), left.pairs)
        for texts, start, gap in zip((left, right), starts, gaps, strict=True)
    ]
    # A template puts a name where a name was: what has no counterpart of its kind was not exchanged but rewritten.
    return kept, np.minimum(*sides) - kept


def _slots(in_left: _Runs, in_right: _Runs) -> Positions:
    """The runs that are followed by a slot: in both texts a short difference lies before the next run."""
    gaps = in_left.starts[1:] - in_left.ends[:-1], in_right.starts[1:] - in_right.ends[:-1]
    inside = in_left.owner[1:] == in_left.owner[:-1]
    slots: Positions = (inside & (np.minimum(*gaps) > 0) & (np.maximum(*gaps) <= MAX_SLOT)).nonzero()[0]
    return slots


def _spans(starts: Positions, lengths: Positions) -> Positions:
    """The places of some spans of words, one span behind another."""
    ends = lengths.cumsum()
    places: Positions = (starts - ends + lengths).repeat(lengths) + np.arange(ends[-1] if ends.size else 0)
    return places


def _by_kind(words: Words, owner: Positions, count: int) -> Positions:
    """How many of the words are of each kind, for each of `count` pairs."""
    kinds = owner * _KINDS + (words & 3)
    return np.bincount(kinds, minlength=count * _KINDS).reshape(count, _KINDS)


def _sides(texts: _Texts, common: Flags) -> list[Positions]:
    """The columns of `Side`, for each text."""
    where = np.append(common.nonzero()[0], 0)
    counts = np.bincount(texts.owner[common], minlength=texts.pairs)
    begins, edges, some = counts.cumsum() - counts, counts // 10, counts > 0
    # A text without common words has all of them before its bulk, and after it.
    first = np.where(some, where[begins + edges], texts.ends)
    last = np.where(some, where[np.maximum(begins + counts - 1 - edges, 0)], texts.starts - 1)
    bulk = np.where(some, last - first + 1, 0)
    return [texts.ends - texts.starts, counts, first - texts.starts - edges, bulk, texts.ends - 1 - last - edges]


def _are_equal(one: Words, other: Words) -> bool:
    return one.size == other.size and np.array_equal(one >> 2, other >> 2)


def equal(words: Words) -> Overlap:
    """The overlap of a text with itself."""
    side = Side(words.size, words.size, 0, words.size, 0)
    kinds = np.bincount(words & 3, minlength=_KINDS).tolist()
    numbers, names, others = (Slots(kinds[kind], 0) for kind in (NUMBER, NAME, PLAIN))
    return Overlap(side, side, 1, words.size, numbers, names, others)
