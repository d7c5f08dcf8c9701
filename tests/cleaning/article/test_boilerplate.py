"""Furniture by what a line says, and the cleaning of seed texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.article.boilerplate import clean_seed
from cleaning.article.furniture import is_about_outlet, is_caption, reason_of


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("LEAVE A REPLY", "comments"),
        ("16x9 Image", "image placeholder"),
        ("© 2024 Somebody Ltd. All rights reserved.", "copyright"),
        ("Sign up for our weekly newsletter and get the best stories in your inbox", "newsletter prompt"),
        ("Read more: Divers to look at the other berths", "related"),
        ("Follow us on Mastodon", "share prompt"),
        ("Lesen Sie auch: Der Hafen bleibt zu", "related"),
        ("Advertisement", "advertisement"),
        ("— · —", "ornament"),
    ],
)
def test_furniture_says_what_it_is(line: str, reason: str) -> None:
    """Common furniture is recognised by its own words, whoever publishes it."""
    assert reason_of(line) == reason


@pytest.mark.parametrize(
    "line",
    [
        "Comments by the minister caused a stir in the capital on Tuesday.",
        "The copyright office said on Monday that it would look at the case.",
        "More than a hundred people were evacuated from the island.",
        "Photographers waited outside the court for hours.",
        "Share prices fell by a tenth.",
        "“Follow the money,” she said.",
    ],
)
def test_sentences_of_articles_are_no_furniture(line: str) -> None:
    """Sentences that begin like furniture stay."""
    assert reason_of(line) == ""


def test_captions_say_where_somebody_stands() -> None:
    """A place in the picture marks a caption; a parenthesis in an article does not."""
    assert is_caption("Foreign Minister Anna Lund (second from left) at the signing in Varn.")
    assert not is_caption("The Left (die Linke) lost two seats.")


def test_an_outlets_portrait_of_itself_is_no_article() -> None:
    """A paragraph in which an outlet presents itself is told from a quotation that says "we"."""
    assert is_about_outlet("Our newsroom is independent. We bring readers journalism and news in six languages.")
    assert not is_about_outlet(
        "“We want independent news and journalism for our readers,” the minister said on Monday."
    )


@given(st.text(max_size=400))
def test_every_line_is_kept_or_removed_with_a_reason(text: str) -> None:
    """Any text is split into kept and removed lines, each line once, and nothing is raised."""
    seed = clean_seed(text)
    numbers = [*seed.kept, *(number for number, _, _ in seed.removed)]
    assert len(numbers) == len(set(numbers))
    assert all(reason for _, _, reason in seed.removed)


def test_an_opening_that_repeats_an_official_name_is_no_caption() -> None:
    """A first paragraph stays although a later one has the same long name."""
    name = "the Joint Committee for the Repair of Harbours and Quays"
    paragraphs = [
        f"Two berths were closed on Thursday by {name}, whose divers found cracks in the piles of the oldest quay.",
        "Ships are being sent to Varn, forty kilometres up the coast, until the survey of the other berths is done.",
        f"The cost is not known yet, a spokeswoman of {name} said on Friday, and nobody wished to guess at it.",
    ]
    assert clean_seed("\n\n".join(paragraphs)).text.split("\n\n") == paragraphs
