"""Microdata as nodes."""

from hypothesis import given
from hypothesis import strategies as st

from cleaning.page import microdata
from cleaning.page.tree import parse

MARKED = """<main itemscope itemtype="https://schema.org/NewsArticle">
<meta itemprop="isAccessibleForFree" content="False">
<h2 itemprop="headline">Harbour reopens after the flood</h2>
<span itemprop="author" itemscope itemtype="https://schema.org/Person"><i itemprop="name">Ada Marrow</i></span>
<time itemprop="datePublished" datetime="2024-05-06T08:00:00+02:00">6 May</time>
<time itemprop="dateModified" datetime="2024-05-07T09:30:00Z">7 May</time>
<div itemprop="articleBody"><p>Text.</p></div>
<p itemprop="comment" itemscope itemtype="https://schema.org/Comment">
<b itemprop="author" itemscope itemtype="https://schema.org/Person"><i itemprop="name">Tom Reader</i></b></p>
</main>"""


def test_properties_belong_to_the_nearest_item() -> None:
    """Items nest; a value is the attribute for machines where there is one, and the text otherwise."""
    tree = parse(f"<html><body>{MARKED}")
    assert tree is not None
    article, author, comment, reader = microdata.nodes(tree)
    assert article["author"] == [author] == [{"@type": ["https://schema.org/Person"], "name": ["Ada Marrow"]}]
    assert (article["datePublished"], article["isAccessibleForFree"]) == (["2024-05-06T08:00:00+02:00"], ["False"])
    assert comment["author"] == [reader]
    assert "articleBody" not in article


@given(st.lists(st.sampled_from(["<p itemscope>", "<b itemprop='name author'>", "</p>", "text", "<i itemprop>"])))
def test_any_microdata_is_read(parts: list[str]) -> None:
    """Items without a type, properties without an item or a name, and unclosed elements are no errors."""
    tree = parse("<html><body>" + "".join(parts))
    assert tree is not None
    assert all(isinstance(node["@type"], list) for node in microdata.nodes(tree))
