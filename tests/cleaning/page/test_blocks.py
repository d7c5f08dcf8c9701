"""A page's text in blocks, and the families of class names."""

import pytest

from cleaning.page.blocks import MAX_BLOCKS, Segments, segment
from cleaning.page.families import families
from cleaning.page.tree import parse


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
