"""Compares a text with one of which only a sketch is known, because its text is withheld.

The shared sample says how much both have in common, not where, nor which words were exchanged: a template filled twice
looks like a copy with many edits. So more must be shared than between texts that are both there.
"""

from dataclasses import dataclass

import numpy as np

from cleaning.copies.alignment import Overlap, Side, Slots, equal
from cleaning.copies.shingles import Hashes, Words, digests, sketch

NEEDED = 0.5
"""Containment, by all shingles and by weighted ones, that makes a copy of a text known by its sketch; 0..1."""

LEAST_WORDS = 64
"""Words in common, by the sample, under which that containment rests on too few shingles."""

_NO_SLOTS = Slots(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What is kept of a text: the number of its words, a hash of all of them, and its sampled shingles, ascending."""

    words: int
    digest: int
    shingles: Hashes


def sketches_of(texts: list[Words]) -> list[Sketch]:
    """The sketch of each text."""
    found, marks = sketch(texts), digests(texts)
    ends = np.searchsorted(found.texts, np.arange(1, len(texts)))
    samples = np.split(found.hashes, ends)
    return [
        Sketch(text.size, int(mark), sample[sample != mark])
        for text, mark, sample in zip(texts, marks, samples, strict=False)
    ]


def estimate(text: Words, known: Sketch) -> Overlap:
    """How a text, the left one, overlaps with a known one, as far as the sample tells."""
    (own,) = sketches_of([text])
    if own.digest == known.digest and own.words == known.words:
        return equal(text)
    shared = np.intersect1d(own.shingles, known.shingles, assume_unique=True).size
    smaller = max(1, min(own.shingles.size, known.shingles.size))
    common = round(shared / smaller * min(own.words, known.words))
    left, right = (Side(words, common, 0, words, 0) for words in (own.words, known.words))
    return Overlap(left, right, 1, common, _NO_SLOTS, _NO_SLOTS, _NO_SLOTS, is_estimate=True)


def is_likely_copy(overlap: Overlap, share: float) -> bool:
    """Whether an estimated overlap makes a copy; `share` is the weighted containment by sampled shingles, 0..1."""
    return overlap.common >= LEAST_WORDS and min(overlap.containment, share) >= NEEDED
