"""Word codes and sampled shingles."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cleaning.copies.shingles import NAME, NUMBER, PLAIN, SAMPLE, Words, digests, sketch, words_of

GOLDEN = [
    161738088,
    2746520156,
    4041274168,
    3193567594,
    2381086436,
    4183652005,
    113733258,
    1777974084,
    382918840,
    1390552764,
]
GOLDEN_DIGEST = 10880880204949593146
TEXTS = st.lists(st.text(max_size=200), max_size=8)


def codes(text: str) -> list[int]:
    """The hashes of a text's words."""
    return (words_of([text])[0] >> 2).tolist()


def kinds(text: str) -> list[int]:
    """The kinds of a text's words."""
    return (words_of([text])[0] & 3).tolist()


def long_text(words: int, seed: int = 1) -> str:
    """A text of made-up words."""
    return " ".join(f"w{number}" for number in np.random.default_rng(seed).integers(0, 5_000, words))


def test_words_ignore_case_punctuation_and_width():
    """Two texts that differ in case, punctuation, ligatures and full-width letters have the same words."""
    assert codes("The ﬁrst “Test” – of 25!") == codes("the first test of ２５")


def test_invisible_characters_are_no_part_of_a_word():
    """Soft hyphens, zero-width spaces and byte order marks change nothing."""
    assert codes("in\u00advisible\u200b words\ufeff") == codes("invisible words")


def test_scripts_without_spaces_give_a_code_for_each_two_neighbours():
    """A Chinese sentence is not one word: its codes are those of its pairs, and what follows is a word again."""
    assert len(codes("东京塔 abc")) == 4
    assert codes("东京塔")[:2] == codes("在东京塔下")[1:3]


def test_kinds_of_words():
    """Numbers begin with a digit, names are capitalised within a sentence, a sentence's first word proves nothing."""
    assert kinds("He met Ann Lee on May 5. Then “Bob”") == [PLAIN, PLAIN, NAME, NAME, PLAIN, NAME, NUMBER, PLAIN, PLAIN]


@given(TEXTS)
def test_each_text_is_read_by_itself(texts: list[str]):
    """A text has the same words, digest and shingles whatever stands beside it."""
    together = words_of(texts)
    assert len(together) == len(texts)
    apart = [words_of([text])[0] for text in texts]
    assert [words.tolist() for words in together] == [words.tolist() for words in apart]
    assert digests(together).tolist() == [int(digests([words])[0]) for words in apart]
    sketches = sketch(together)
    for number, words in enumerate(apart):
        assert sketches.hashes[sketches.texts == number].tolist() == sketch([words]).hashes.tolist()


def test_digests_tell_order_and_repetition():
    """The same words in another order, or once more, make another digest."""
    a, b, c = digests(words_of(["a b c", "a c b", "a b c c"])).tolist()
    assert len({a, b, c}) == 3


def test_the_sample_is_about_one_in_eight():
    """Of 8,000 shingles about 1,000 are kept."""
    kept = sketch(words_of([" ".join(f"w{number}" for number in range(8_002))])).hashes
    assert 8_000 / SAMPLE * 0.85 < kept.size < 8_000 / SAMPLE * 1.15


def test_a_part_keeps_the_shingles_of_the_whole():
    """The sample of a text's beginning is, but for the digest, contained in the sample of the text."""
    whole = long_text(400)
    part = " ".join(whole.split()[:100])
    in_whole, in_part = (set(sketch(words_of([text])).hashes.tolist()) for text in (whole, part))
    assert len(in_part - in_whole) == 1


def test_short_and_empty_texts():
    """A text under three words has its digest alone, an empty one nothing at all."""
    sketches = sketch(words_of(["", "two words", "?!"]))
    assert sketches.texts.tolist() == [1]


def test_codes_never_change():
    """The codes are those of the version that indexes were written with; a change needs a new SKETCH_VERSION."""
    words: Words = words_of(["Kyiv met the Hague on 5 May, 东京塔"])[0]
    assert words.tolist() == GOLDEN
    assert int(digests([words])[0]) == GOLDEN_DIGEST


def test_broken_and_endless_texts_are_bounded():
    """Lone surrogates are read, and what lies beyond the limit is not looked at."""
    assert len(codes("a \ud800 b")) == 2
    assert len(codes("ab " * 100_000)) == 66_667
