"""Segmentation, features, trees and the choice among blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.article import features
from cleaning.article.features import Versions, featurize
from cleaning.article.forest import Forest
from cleaning.article.selection import model, put_together
from cleaning.article.trunk import NAMES as TRUNK
from cleaning.article.trunk import trunk_columns
from cleaning.extract import parse
from cleaning.page.blocks import MAX_BLOCKS, Segments, families, segment


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
        ("<p {} {a}=1 class=x>attributes without a name</p>", ["attributes without a name"]),
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


def columns(body: str, chosen: float = 1.0) -> tuple[list[str], dict[str, list[float]]]:
    """The texts of a page's blocks, and their columns by the trunk."""
    found = blocks(body)
    chars = np.array([len(block.text) for block in found.blocks], np.float32)
    taken = np.full(len(chars), chosen, np.float32)
    table = trunk_columns(found, chars, taken, np.zeros_like(chars))
    assert tuple(table) == TRUNK
    return [block.text for block in found.blocks], {name: column.tolist() for name, column in table.items()}


@pytest.mark.parametrize("chosen", [1.0, 0.0])
def test_boxes_branch_off_the_trunk(chosen: float) -> None:
    """The article's paragraphs stand at the trunk's tip, a fact box in a branch with its heading, also unchosen."""
    line = "A paragraph that is long enough to count, with a second clause, and a third one for good measure. "
    box = "<div class=factbox><h3>In brief</h3><ul><li>One<li>Two</ul></div>"
    texts, table = columns(f"<nav>Menu</nav><main><div>{f'<p>{line * 2}</p>' * 3}{box}</div></main>", chosen)
    inside = dict(zip(texts, table["branch_inside"], strict=True))
    assert inside == {"Menu": 1, (line * 2).strip(): 1, "In brief": 2, "One": 3, "Two": 3}
    assert dict(zip(texts, table["branch_headed"], strict=True))["Two"] == 1
    assert dict(zip(texts, table["branch_box"], strict=True))["Two"] == 1
    assert dict(zip(texts, table["branch_foot"], strict=True)) == dict.fromkeys(texts, 0) | {"Menu": 2}
    assert dict(zip(texts, table["branch_alike"], strict=True))[(line * 2).strip()] == 3


def test_a_page_that_is_hard_to_read_is_cut_lower() -> None:
    """Where all scores are low the blocks of the best expected F1 are taken, down to a limit; else the cut holds."""
    found = blocks("<p>The first paragraph of a text.</p><p>The second paragraph of it.</p><p>Menu</p>")
    doubtful = put_together(found, np.array([0.4, 0.3, 0.02], np.float32), 0.5, "")
    assert [choice.kept for choice in doubtful.choices] == [True, True, False]
    hopeless = put_together(found, np.array([0.09, 0.08, 0.02], np.float32), 0.5, "")
    assert not hopeless.text
    sure = put_together(found, np.array([0.9, 0.2, 0.02], np.float32), 0.5, "")
    assert [choice.kept for choice in sure.choices] == [True, False, False]


def test_doubtful_blocks_among_comments_stay_out() -> None:
    """Where the classifier is sure of little, readers' comments are not taken for want of better; sure blocks are."""
    found = blocks("<p>text</p><div class=comments><div><p>first comment</p><p>the article</p></div></div><p>more</p>")
    chosen = put_together(found, np.array([0.4, 0.4, 0.8, 0.4], np.float32), 0.5, "")
    assert chosen.text == "text\n\nthe article\n\nmore"
    assert [choice.score for choice in chosen.choices] == pytest.approx([0.4, 0.4, 0.8, 0.4])
