"""The numbers of blocks: finite, in the models' columns, and what the page's trunk says of boxes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.article import features
from cleaning.article.features import featurize
from cleaning.article.forest import model
from cleaning.article.overlap import Versions
from cleaning.article.trunk import NAMES as TRUNK
from cleaning.article.trunk import trunk_columns
from tests.cleaning.page.test_blocks import blocks


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
