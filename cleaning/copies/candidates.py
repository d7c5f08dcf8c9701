"""Finds the pairs of texts that may be copies from the sampled shingles they share, and weighs what is shared.

A shingle counts the less, the more clusters have it that are no part of the pair: the wording of templates and the
furniture of sites weigh little as soon as they were seen a few times, and no list of them is kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_POSTINGS = 16
"""Texts by which one shingle is remembered; bounds the work for a shingle that millions of texts have."""

LEAST = 0.25
"""Weighted containment under which a pair is not looked at; 0..1."""

POWER = 1.5
"""How fast a shingle loses weight with the number of clusters that have it."""

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shingles:
    """Who has which shingle: `hashes[k]` is in text `texts[k]`; no pair twice.

    Texts are numbered in the order in which they are judged; those under `known` were judged in earlier runs. Of these,
    only the shingles that a new text has too need be given. `sizes` says how many sampled shingles each text has.
    """

    hashes: NDArray[np.uint64]
    texts: Numbers
    known: int
    sizes: Numbers


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of a new text and an earlier one, by new text and then best first; `shares` is their containment, 0..1."""

    new: Numbers
    earlier: Numbers
    shares: Shares

    def by_text(self, most: int) -> dict[int, list[tuple[int, float]]]:
        """For each new text that has any, the best few earlier texts with the shares."""
        best = np.arange(self.new.size) - np.searchsorted(self.new, self.new) < most
        columns = (column[best].tolist() for column in (self.new, self.earlier, self.shares))
        found: dict[int, list[tuple[int, float]]] = {}
        for new, *other in zip(*columns, strict=True):
            found.setdefault(new, []).append((other[0], other[1]))
        return found


class Candidates:
    """The pairs of texts that share sampled shingles, counted once and weighed by clusters that are told later."""

    def __init__(self, shingles: Shingles, partners: int = MAX_POSTINGS) -> None:
        """Pairs each new text with the first earlier ones that have a shingle of it, so many by each shingle."""
        self._group, self._texts = _shared(shingles)
        self._sizes = shingles.sizes
        self._rows, earlier = _paired_rows(self._group, self._texts, shingles.known, partners)
        pairs = self._texts[self._rows] * len(self._sizes) + self._texts[earlier]
        pairs, self._pair = np.unique(pairs, return_inverse=True)
        self._new, self._earlier = np.divmod(pairs, max(1, len(self._sizes)))
        self._both = np.bincount(self._pair, minlength=pairs.size)
        self._plain = self._both / np.maximum(1, np.minimum(self._sizes[self._new], self._sizes[self._earlier]))

    def counted(self) -> tuple[Numbers, Numbers, Numbers]:
        """All pairs: the new texts, the earlier ones, and how many sampled shingles both have."""
        return self._new, self._earlier, self._both

    def plain(self, least: float) -> Pairs:
        """The pairs of at least this containment, 0..1: the share of the smaller text's sample that both have."""
        return self._best(self._plain, self._plain >= least)

    def weighted(self, clusters: Numbers) -> Pairs:
        """The pairs worth a comparison, with each shingle weighed by how many clusters beyond the pair have it.

        `clusters` gives for each text the cluster that it is in or, for a new text, may be in.
        """
        spread = self._spread(clusters)
        # Without the pair's own two clusters; the own shingles that are not shared are in one cluster of the pair.
        weights = np.arange(1, int(spread.max(initial=1)) + 1) ** -POWER
        both, one = weights[np.maximum(0, spread - 2)], weights[spread - 1]
        whole = self._sizes - np.bincount(self._texts, 1 - one, minlength=len(self._sizes))
        shared = np.bincount(self._pair, both[self._rows], minlength=self._new.size)
        less = shared - np.bincount(self._pair, one[self._rows], minlength=self._new.size)
        shares = shared / np.maximum(1e-9, np.minimum(whole[self._new], whole[self._earlier]) + less)
        return self._best(shares, shares >= LEAST)

    def novel(self, clusters: Numbers) -> Numbers:
        """For each text, how many of its shingles no earlier text of its cluster has."""
        keys = self._in_cluster(clusters)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        had = order[1:][keys[1:] == keys[:-1]]
        return self._sizes - np.bincount(self._texts[had], minlength=len(self._sizes))

    def _spread(self, clusters: Numbers) -> Numbers:
        """For each row, in how many clusters its shingle is."""
        keys = np.sort(self._in_cluster(clusters))
        first = np.append(True, keys[1:] != keys[:-1])[: keys.size]
        counts = np.bincount(keys[first] // max(1, len(self._sizes)))
        return counts[self._group]

    def _in_cluster(self, clusters: Numbers) -> Numbers:
        return self._group * len(self._sizes) + clusters[self._texts]

    def _best(self, shares: Shares, chosen: NDArray[np.bool_]) -> Pairs:
        new, earlier, shares = self._new[chosen], self._earlier[chosen], shares[chosen]
        order = np.lexsort((earlier, -shares, new))
        return Pairs(new[order], earlier[order], shares[order])


def _shared(shingles: Shingles) -> tuple[Numbers, Numbers]:
    """The shingles that several texts have, as numbers from 0, and these texts, by shingle and then by text."""
    # The lowest bits of a hash give way to the text, so that both are sorted at once and fast.
    bits = np.uint64(shingles.sizes.size.bit_length())
    keys = np.sort(shingles.hashes >> bits << bits | shingles.texts.astype(np.uint64))
    hashes = keys >> bits
    again = np.append(False, hashes[1:] == hashes[:-1])[: keys.size]
    shared = again | np.append(again[1:], False)[: keys.size]
    texts = (keys[shared] & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    return np.cumsum(~again[shared]) - 1, texts


def _paired_rows(group: Numbers, texts: Numbers, known: int, most: int) -> tuple[Numbers, Numbers]:
    """Rows of new texts, each with the rows of the first few earlier texts that have the same shingle."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    start = starts[group]
    rank = np.arange(group.size) - start
    rows = [np.flatnonzero((rank > offset) & (texts >= known)) for offset in range(min(most, rank.max(initial=0)))]
    partners = [start[found] + offset for offset, found in enumerate(rows)]
    return np.concatenate([*rows, starts[:0]]), np.concatenate([*partners, starts[:0]])
