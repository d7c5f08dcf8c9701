"""Alignment of two texts, and what one is to the other."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.copies.alignment import ROW, Overlap, compare, overlap_of
from cleaning.copies.duplicates import Relation, is_copy, relation, template_score
from cleaning.copies.shingles import words_of

HEADS, TAILS = ["bra", "cle", "dro", "fli", "gra", "ste", "plo", "tri", "sma"], ["nd", "mp", "lk", "rt", "st"]
VOCABULARY = [f"{head}{tail}" for head in HEADS for tail in TAILS]
NAMES = ["Adler", "Borin", "Castel", "Dunmore", "Ewell", "Farrow", "Gannet", "Holt", "Ives", "Jarrow", "Keld", "Lorne"]


def article(words: int, seed: int) -> str:
    """Sentences of made-up words, with a name and sometimes a number in each."""
    pick = random.Random(seed)
    sentences = []
    while sum(len(sentence.split()) for sentence in sentences) < words:
        body = [pick.choice(VOCABULARY) for _ in range(pick.randint(8, 20))]
        body.insert(pick.randint(2, len(body)), pick.choice(NAMES))
        if pick.random() < 0.4:
            body.insert(pick.randint(2, len(body)), str(pick.randint(1, 9_999)))
        sentences.append(" ".join(body).capitalize() + ".")
    return " ".join(sentences)


def weather(seed: int) -> str:
    """A report made from a template: the frame stays, every slot changes."""
    pick = random.Random(seed)
    high, low, wind, rain = (pick.randint(*span) for span in ((50, 99), (20, 49), (1, 40), (0, 100)))
    sunrise, sunset = (f"{pick.randint(4, 9)} {pick.randint(10, 59)}" for _ in range(2))
    return (
        f"The weather in {pick.choice(NAMES)} today will be fair with a high of {high} degrees and a low of "
        f"{low} degrees. Winds will blow at {wind} miles an hour, and the chance of rain is {rain} percent, says the "
        f"forecaster of {pick.choice(NAMES)}. Sunrise is at {sunrise} and sunset at {sunset}. This report was made by "
        "a machine from the data of the weather service and was looked at by an editor before it was published."
    )


def overlap(left: str, right: str) -> Overlap:
    """How two texts overlap."""
    one, other = words_of([left, right])
    return compare([(one, other)])[0]


def part(text: str, share: float) -> str:
    """The beginning of a text."""
    words = text.split()
    return " ".join(words[: int(len(words) * share)])


def edited(text: str, share: float, seed: int = 3) -> str:
    """A text with a share of its words replaced."""
    pick = random.Random(seed)
    return " ".join(pick.choice(VOCABULARY) if pick.random() < share else word for word in text.split())


def test_equal_texts():
    """A text is the same as itself in other punctuation and case, however short it is."""
    for text in (article(300, 1), "Two words"):
        found = overlap(text, text.upper().replace(".", " -"))
        assert is_copy(found, 1.0)
        assert relation(found) is Relation.SAME


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        (part(article(400, 1), 0.25), Relation.TRUNCATED),
        (part(article(400, 1), 0.5) + " Read the full story at the source.", Relation.TRUNCATED),
        (" ".join(article(400, 1).split()[150:300]), Relation.EXCERPT),
        (article(400, 1) + " " + article(200, 2), Relation.EXTENDED),
        (edited(article(400, 1), 0.08), Relation.EDITED),
        (article(30, 7) + " " + article(400, 1), Relation.EDITED),
    ],
)
def test_relations_of_copies(copy: str, expected: Relation):
    """A copy is told by what it leaves out, adds or rewrites."""
    found = overlap(copy, article(400, 1))
    assert is_copy(found, 0.9)
    assert relation(found) is expected


def test_a_template_filled_twice_is_no_copy():
    """Two reports that share their frame but neither figures nor places are two articles."""
    for seed in range(20):
        found = overlap(weather(seed), weather(seed + 100))
        assert found.containment > 0.5
        assert template_score(found, found.containment) > 0


def test_corrected_figures_are_a_copy():
    """An article of which a few figures were corrected stays the same article."""
    text = article(400, 4)
    numbers = [word for word in text.split() if word.strip(".").isdigit()]
    for number in numbers[:3]:
        text = text.replace(number, "77")
    assert is_copy(overlap(text, article(400, 4)), 0.9)


def test_a_shared_tail_makes_no_copy():
    """Two articles of a site that end with the same links and terms are two articles."""
    tail = " " + article(130, 9)
    assert not is_copy(overlap(article(180, 1) + tail, article(200, 2) + tail), 0.42)


def test_a_quotation_makes_no_copy():
    """An article that quotes two sentences of another is another article."""
    quoted = " ".join(article(400, 1).split()[100:140])
    assert not is_copy(overlap(article(300, 2) + " " + quoted, article(400, 1)), 0.3)


def test_different_texts_have_nothing_in_common():
    """Unlike texts, and empty ones, overlap nowhere."""
    for left, right in (("one two three four", "five six seven"), ("", "one two three"), ("", "")):
        found = overlap(left, right)
        assert found.common == 0
        assert found.containment == 0
        assert not is_copy(found, 0.0)


def test_repeated_phrases_break_no_run():
    """A phrase that a text has again and again is matched where the text around it is."""
    refrain = " and so said the council of the town again. "
    text = refrain.join(article(40, seed) for seed in range(8))
    found = overlap("Once more: " + text, text)
    assert found.runs == 1
    assert found.common == found.smaller


@settings(deadline=None, max_examples=60)
@given(st.integers(40, 200), st.integers(40, 200), st.integers(0, 200), st.integers(0, 9))
def test_counts_are_consistent(left: int, right: int, shared: int, seed: int):
    """What is common lies inside each text, and the texts may be compared either way."""
    common = article(shared, seed) if shared else ""
    one, other = article(left, seed + 10) + " " + common, common + " " + article(right, seed + 20)
    found, back = overlap(one, other), overlap(other, one)
    for side in (found.left, found.right):
        assert 0 <= side.common <= side.words
        assert side.head >= 0
        assert side.tail >= 0
    assert abs(found.common - back.common) <= 0.1 * max(found.common, 30)
    assert found.longest <= found.left.common


@given(st.lists(st.tuples(*[st.lists(st.sampled_from("ab"), max_size=30)] * 2), min_size=2, max_size=5))
@settings(max_examples=150, deadline=None)
def test_what_a_pair_is_compared_beside_makes_no_difference(pairs: list[tuple[list[str], list[str]]]):
    """Many pairs at once give what each of them gives alone, even where texts repeat themselves."""
    coded = [tuple(words_of([" ".join(one), " ".join(other)])) for one, other in pairs]
    assert compare(coded) == [compare([pair])[0] for pair in coded]


def test_an_overlap_goes_through_whole_numbers():
    """What is counted of a pair can be kept as a row of numbers."""
    found = overlap(article(300, 1), edited(article(320, 1), 0.1))
    row = found.numbers_in_row()
    assert len(row) == ROW
    assert overlap_of(row) == found
