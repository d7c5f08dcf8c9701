"""Terms: what counts as a word, what it weighs, and which words of a URL are used."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.topic.terms import LEAD, MOST_TOKENS, NAME_WEIGHT, distinct_terms, title_terms, weighted_terms


def test_a_possessive_and_a_plural_are_the_word_itself():
    """The harbour's ferries, two ferries and one ferry are written with the same terms."""
    assert distinct_terms("the harbour's ferries") == {"the", "harbour", "ferry"}
    assert distinct_terms("the harbour’s ferry") == {"the", "harbour", "ferry"}


@pytest.mark.parametrize("word", ["press", "crisis", "status", "bus", "gas"])
def test_endings_that_are_no_plural_stay(word):
    """Words on -ss, -us and -is, and those too short to tell, keep their s."""
    assert distinct_terms(word) == {word}


def test_the_earlier_a_term_occurs_the_more_it_weighs():
    """The token after the lead weighs half of the first one, before the square root is taken."""
    weights = weighted_terms(" ".join(["bridge", *["and"] * (LEAD - 1), "tunnel"]))
    assert weights["bridge"] == pytest.approx((2**0.5) * weights["tunnel"])


def test_occurrences_add_up():
    """A term that occurs again weighs more, by less than it did at first."""
    once, twice = weighted_terms("bridge and tunnel"), weighted_terms("bridge and tunnel and bridge")
    assert once["bridge"] < twice["bridge"] < 2 * once["bridge"]


def test_names_weigh_more():
    """A term that is never written small weighs 1.5 times a common word; a number as much as one."""
    assert weighted_terms("Orsk")["orsk"] == pytest.approx(NAME_WEIGHT * weighted_terms("orsk")["orsk"])
    assert weighted_terms("14")["14"] == pytest.approx(weighted_terms("orsk")["orsk"])


def test_a_word_that_also_occurs_small_is_no_name():
    """The first word of a sentence is not taken for a name when the text has it in small letters too."""
    small, capital = weighted_terms("talks ended. New talks begin"), weighted_terms("Talks ended. New talks begin")
    assert capital["talk"] == small["talk"]


def test_scripts_without_spaces_give_pairs_of_characters():
    """Chinese and Japanese texts are compared by overlapping pairs of characters."""
    assert distinct_terms("总统会谈") == {"总统", "统会", "会谈"}


def test_vowel_signs_stay_in_their_word():
    """Hindi words are not cut at their vowel signs."""
    assert distinct_terms("शिखर सम्मेलन") == {"शिखर", "सम्मेलन"}


def test_a_url_gives_the_words_of_its_slug():
    """Host, section, dates and suffixes say nothing on the topic; escaped letters are read."""
    assert title_terms("", "https://www.example.com/news/2025/06/19/talks-off-again.html") == {"talk", "off", "again"}
    assert title_terms("", "https://example.com/%D1%81%D0%B0%D0%BC%D0%BC%D0%B8%D1%82") == {"саммит"}


def test_a_url_that_cannot_be_split_gives_no_words():
    """A malformed address is no error before the fetch; its title still counts."""
    assert title_terms("Talks off", "http://[broken") == {"talk", "off"}


def test_a_giant_text_is_read_up_to_its_limit():
    """Text past the limit is not read, and a text without a space is cut in pieces."""
    assert "end" not in weighted_terms("a " * MOST_TOKENS + "end")
    assert "end" in weighted_terms("a " * (MOST_TOKENS - 1) + "end")
    assert max(map(len, distinct_terms("x" * 100_000))) <= 40


def test_underscores_and_apostrophes():
    """An underscore separates words, an apostrophe inside a word belongs to it, around a word it does not."""
    assert distinct_terms("snake_case 'quoted' don't O’Neil") == {"snake", "case", "quoted", "don't", "o’neil"}


@given(st.text())
def test_weights_are_positive_for_any_text(text):
    """Any text gives finite weights > 0, for the terms that occur in it."""
    weights = weighted_terms(text)
    assert all(0 < weight < float("inf") for weight in weights.values())
    assert weights.keys() == distinct_terms(text)


@given(st.text(), st.text())
def test_titles_and_urls_are_any_text(title, url):
    """No title or URL raises; without a URL the terms are the title's."""
    assert title_terms(title) <= title_terms(title, url)


@given(st.text(max_size=200))
def test_terms_do_not_depend_on_the_composition_of_characters(text):
    """Canonically equivalent texts have the same terms."""
    assert distinct_terms(unicodedata.normalize("NFD", text)) == distinct_terms(unicodedata.normalize("NFC", text))
