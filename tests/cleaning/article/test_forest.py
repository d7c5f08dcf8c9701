"""Trees as arrays."""

import numpy as np
import pytest

from cleaning.article.forest import Forest


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
