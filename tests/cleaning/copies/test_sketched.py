"""Texts of which only a sketch is known."""

import random

import pytest

from cleaning.copies.duplicates import Relation, relation
from cleaning.copies.shingles import words_of
from cleaning.copies.sketched import Sketch, estimate, is_likely_copy, sketches_of

WORDS = [f"{head}{tail}" for head in ("bra", "cle", "dro", "fli", "gra") for tail in ("nd", "mp", "lk", "rt", "st")]


def text(seed: int, words: int = 400) -> str:
    pick = random.Random(seed)
    return " ".join(pick.choice(WORDS) for _ in range(words))


def sketch_of(whole: str) -> Sketch:
    return sketches_of(words_of([whole]))[0]


def test_a_sketch_holds_an_eighth_of_the_shingles_in_the_order_of_their_hashes():
    """It is the same for a text in other capitals, and says how many words the text has."""
    one, other = sketches_of(words_of([text(1), text(1).upper()]))
    assert (one.words, one.digest) == (400, other.digest)
    assert one.shingles.tolist() == other.shingles.tolist() == sorted(one.shingles.tolist())
    assert 25 <= one.shingles.size <= 80


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [
        (text(1), text(1), Relation.SAME),
        (text(1), " ".join(text(1).split()[:160]), Relation.TRUNCATED),
        (" ".join(text(1).split()[:200]), text(1), Relation.EXTENDED),
    ],
)
def test_copies_are_told_by_the_sample(known: str, new: str, expected: Relation):
    """An equal, a cut and an extended copy of a sketched text are recognised, with the relation."""
    overlap = estimate(words_of([new])[0], sketch_of(known))
    assert overlap.is_estimate or expected is Relation.SAME
    assert is_likely_copy(overlap, 1.0)
    assert relation(overlap) is expected


def test_other_texts_are_no_copies():
    """Nothing in common, little in common, or too few words in common make no copy."""
    other, part = text(2), " ".join([*text(1).split()[:120], *text(3).split()])
    for new in (other, part, ""):
        assert not is_likely_copy(estimate(words_of([new])[0], sketch_of(text(1))), 1.0)
    few = " ".join(text(1).split()[:40])
    assert not is_likely_copy(estimate(words_of([few])[0], sketch_of(text(1))), 1.0)
