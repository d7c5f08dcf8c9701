"""The choice among scored blocks."""

import numpy as np
import pytest

from cleaning.article.selection import put_together
from tests.cleaning.page.test_blocks import blocks


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
