"""Teasers that are transplanted onto pages for training."""

import pytest

from cleaning.page.blocks import segment
from cleaning.page.tree import parse
from training.pages import LabelledPage, label
from training.transplant import Teaser, declared_language, teasers_of, transplant

LINES = [
    f"The council of town number {i} met on Monday and spoke for hours of a bridge that nobody wants." for i in "abcd"
]
BODY = "".join(f'<p class="para">{line}</p>' for line in LINES)
TEASERS = {
    "en": [
        Teaser(f"Beekeeper number {i} finds a swarm", f"A swarm of {i} thousand bees was found on an old oak.")
        for i in range(12)
    ]
}


def page(number: int) -> LabelledPage:
    """An article whose address decides what is put onto it."""
    html = f'<html lang="en"><body><div id="main">{BODY}</div></body></html>'
    return LabelledPage(f"https://paper.example/{number}", html.encode(), "article", "\n".join(LINES), "test")


@pytest.mark.parametrize("number", range(25))
def test_only_the_articles_own_blocks_keep_their_label(number: int) -> None:
    """Wherever teasers are put, and in whatever markup, they are not the article's, and it stays whole."""
    one = page(number)
    tree = parse(one.html.decode())
    assert tree is not None
    assert transplant(tree, one, TEASERS)
    found = segment(tree)
    labels, _ = label(found, one.text)
    texts = [block.text for block in found.blocks]
    assert [text for text, is_own in zip(texts, labels.tolist(), strict=True) if is_own] == LINES
    assert any("Beekeeper" in text for text in texts)


def test_the_same_page_gets_the_same_teasers() -> None:
    """What is put onto a page is decided by its address alone."""
    trees = [parse(page(1).html.decode()) for _ in range(2)]
    for tree in trees:
        assert tree is not None
        transplant(tree, page(1), TEASERS)
    first, second = ([block.text for block in segment(tree).blocks] for tree in trees if tree is not None)
    assert first == second


def test_a_page_whose_text_is_not_found_stays_as_it_is() -> None:
    """Without a paragraph of the gold text there is no place to put teasers."""
    tree = parse("<html><body><p>Something else.</p></body></html>")
    assert tree is not None
    assert not transplant(tree, page(1), TEASERS)
    assert [block.text for block in segment(tree).blocks] == ["Something else."]


def test_teasers_are_made_of_articles_by_their_language() -> None:
    """Each article of some paragraphs gives a short headline and its first paragraph; other pages give none."""
    shop = LabelledPage("https://shop.example/", b"<html>", "product", "\n".join(LINES), "test")
    short = LabelledPage("https://paper.example/short", b"<html lang='de-AT'>", "article", LINES[0], "test")
    found = teasers_of([page(1), shop, short])
    assert list(found) == ["en"]
    assert found["en"] == [
        Teaser("The council of town number d met on Monday and spoke for hours of a bridge", LINES[0])
    ]
    assert declared_language(short) == "de"
