"""Gradient-boosted trees as plain arrays: read from package data, evaluated with numpy, no training library needed."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Forest:
    """Binary trees whose leaves' values sum to a log-odds.

    Nodes of all trees lie in one run: `feature`, `threshold` (go left where the feature is not above it), `left` and
    `right` (indices of nodes; a leaf's own), `value` (of leaves). `roots` are the trees' first nodes, `base` the
    log-odds before them, `depth` the longest way from a root to a leaf, `names` the features in the order of the
    columns, `cut` the probability from which on a row counts as positive.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats
    roots: Ints
    base: float
    depth: int
    names: tuple[str, ...]
    cut: float = 0.5

    @classmethod
    def load(cls, file: Traversable) -> Self:
        """Reads an `.npz` file that `save` wrote; no pickled objects are loaded."""
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return cls(
                **{name: arrays[name] for name in ("feature", "threshold", "left", "right", "value", "roots")},
                base=float(arrays["base"]),
                depth=int(arrays["depth"]),
                names=tuple(str(name) for name in arrays["names"]),
                cut=float(arrays["cut"]),
            )

    def probability(self, rows: Floats) -> Floats:
        """Probabilities, 0..1, for rows of (n, features)."""
        if not len(rows):
            return np.zeros(0, np.float32)
        node = np.repeat(self.roots[None, :].astype(np.intp), len(rows), axis=0)
        flat, width = np.ascontiguousarray(rows).ravel(), rows.shape[1]
        start = (np.arange(len(rows), dtype=np.intp) * width)[:, None]
        feature, children = self.feature.astype(np.intp), np.stack([self.right, self.left], 1).astype(np.intp).ravel()
        for _ in range(self.depth):
            # Leaves point to themselves, so that trees of different depth take the same number of steps.
            goes_left = flat.take(start + feature.take(node)) <= self.threshold.take(node)
            node = children.take(2 * node + goes_left)
        odds = self.base + self.value[node].sum(axis=1)
        chances: Floats = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
        return chances


@cache
def model(name: str, folder: str = "") -> Forest:
    """A model that `training` wrote: the shipped one, or that of another folder (one fitted without a fold of hosts).

    Raises:
        FileNotFoundError: the folder has no such model; `python -m training.fit_blocks` writes them.
    """
    return Forest.load((Path(folder) if folder else files("cleaning") / "data") / f"{name}.npz")
