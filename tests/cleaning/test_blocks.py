"""Segmentation, features, trees and the choice among blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning import features
from cleaning.blocks import MAX_BLOCKS, Segments, families, segment
from cleaning.extract import parse
from cleaning.features import Versions, featurize
from cleaning.forest import Forest
from cleaning.selection import model, put_together


def blocks(body: str) -> Segments:
    tree = parse(f"<html><body>{body}</body></html>")
    assert tree is not None
    return segment(tree)


def texts(body: str) -> list[str]:
    return [block.text for block in blocks(body).blocks]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>One <b>two</b> three</p><p>four</p>", ["One two three", "four"]),
        ("<div>before<p>inside</p>after</div>", ["before", "inside", "after"]),
        ("<div>one<br><br>two<br>three</div>", ["one", "two three"]),
        ("<p>kept<script>var x</script> whole</p>", ["kept whole"]),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", ["a | b", "c"]),
        ("<nav><p>unclosed navigation holds the page", ["unclosed navigation holds the page"]),
    ],
)
def test_blocks_end_where_readers_see_a_break(body: str, expected: list[str]) -> None:
    """Block elements, double line breaks and rows end a block; inline elements, single breaks and scripts do not."""
    assert texts(body) == expected


def test_links_are_counted() -> None:
    """A block knows how much of it is linked."""
    block = blocks("<p>see <a href=x>this</a></p>").blocks[0]
    assert (block.links, block.link_chars) == (1, 4)


def test_class_names_fall_into_families() -> None:
    """Words of class names are recognised in any spelling."""
    assert families("relatedPosts") == families("related-posts") == families("related posts")
    assert families("zzz") == 0


def test_a_huge_page_is_cut() -> None:
    """No more blocks are looked at than the limit."""
    assert len(texts("<p>word</p>" * (MAX_BLOCKS + 10))) == MAX_BLOCKS


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>A sentence of the text.</p>",
                "<h2>Head</h2>",
                "<ul><li><a href=x>Link</a>",
                "<article>",
                "©",
                "<div class=related>",
            ]
        )
    )
)
def test_features_are_finite_and_of_the_models_width(parts: list[str]) -> None:
    """Any markup gives one row a block, in the columns that the shipped model was fitted on."""
    found = blocks("".join(parts))
    rows = featurize(found, Versions("A sentence of the text.", "Head", "Link", ""))
    assert rows.shape == (len(found.blocks), len(features.NAMES))
    assert np.isfinite(rows).all()
    assert model("blocks").names == features.NAMES


def test_a_forest_adds_up_its_leaves() -> None:
    """A tree with one split gives the leaf's log-odds on either side of its threshold."""
    forest = Forest(
        feature=np.array([0, 0, 0], np.int32),
        threshold=np.array([1.5, np.inf, np.inf], np.float32),
        left=np.array([1, 1, 2], np.int32),
        right=np.array([2, 1, 2], np.int32),
        value=np.array([0, -2, 2], np.float32),
        roots=np.array([0], np.int32),
        base=0.0,
        depth=1,
        names=("x",),
    )
    found = forest.probability(np.array([[1.5], [1.6]], np.float32))
    assert found == pytest.approx([1 / (1 + np.exp(2)), 1 / (1 + np.exp(-2))])


def test_the_choice_explains_itself() -> None:
    """Title, repetitions and furniture are left out although their score is high, each with its reason."""
    line = "A sentence that is long enough to be noticed when it comes again."
    found = blocks(f"<h1>The title</h1><p>{line}</p><p>{line}</p><p>Advertisement</p><p>Low</p>")
    chosen = put_together(found, np.array([0.9, 0.9, 0.9, 0.9, 0.1], np.float32), 0.5, "The title")
    assert chosen.text == line
    assert [choice.reason for choice in chosen.choices] == [
        "the title again",
        "",
        "repeated",
        "advertisement",
        "not like an article's text",
    ]
