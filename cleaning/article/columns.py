"""Arrays of what the classifiers look at: a column has a number a block, a table a row a block or a page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Column = npt.NDArray[np.floating[Any]]


def column(values: Sequence[float]) -> Column:
    """The values as a column."""
    return np.asarray(values, np.float32)
