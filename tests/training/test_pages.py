"""Labels of blocks by a page's gold text."""

import pytest

from cleaning.page.blocks import segment
from cleaning.page.tree import parse
from training.pages import fold_of, label

FIRST = "The ferry left the harbour at seven with four hundred passengers on board."
SECOND = "By noon the wind had turned and the captain decided to go back to the island."
QUOTE = "the captain decided to go back to the island"
GOLD = f"{FIRST}\n{SECOND}"


def labels(body: str, gold: str = GOLD) -> list[bool]:
    tree = parse(f"<html><body>{body}</body></html>")
    assert tree is not None
    found: list[bool] = label(segment(tree), gold)[0].tolist()
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<p>{FIRST}</p><p>Read more about our other ferries here.</p><p>{SECOND}</p>", [True, False, True]),
        (f"<p>{FIRST}</p><p>{SECOND}</p><p>{FIRST}</p>", [True, True, False]),
        (f"<p>{FIRST}</p><p>{SECOND}</p><blockquote>{QUOTE}</blockquote>", [True, True, False]),
        (f"<p>{FIRST}</p><p>{SECOND}</p><hr><div>{FIRST} {SECOND}</div>", [True, True, False]),
        ("<p>Nothing of this page is in the gold text.</p>", [False]),
    ],
    ids=["furniture", "paragraph again", "pull quote", "all in one block again", "nothing"],
)
def test_a_block_is_the_articles_as_often_as_the_gold_text_has_it(body: str, expected: list[bool]) -> None:
    """Blocks are the article's by their words, and what stands on the page twice only once."""
    assert labels(body) == expected


def test_what_the_gold_text_repeats_is_labelled_twice() -> None:
    """A quotation that the gold text has too is the article's wherever it stands."""
    assert labels(f"<p>{FIRST}</p><blockquote>{QUOTE}</blockquote><p>{SECOND}</p>", f"{GOLD}\n{QUOTE}") == [True] * 3


def test_hosts_of_one_site_are_in_one_fold() -> None:
    """The fold goes by the last two labels of the host, whatever the port and the case."""
    assert fold_of("https://www.example.org/a", 5) == fold_of("http://News.Example.org:8080/b", 5)
