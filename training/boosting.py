"""Fits boosted trees with LightGBM and writes them as the arrays that `cleaning.article.forest` reads."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from cleaning.article.forest import Forest

Floats = npt.NDArray[np.float32]


def fit(
    rows: Floats,
    labels: npt.NDArray[np.bool_],
    weights: Floats,
    names: Sequence[str],
    trees: int = 120,
    leaves: int = 31,
    seeds: int = 1,
) -> Forest:
    """Fits trees to rows of (n, features), and averages the log-odds of as many such models as there are seeds.

    The same input gives the same trees.
    """
    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "max_depth": 8,
        "learning_rate": 0.08,
        "min_data_in_leaf": 20,
        "lambda_l2": 1.0,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 63,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = lightgbm.Dataset(rows, labels.astype(np.int8), weight=weights, feature_name=list(names))
    boosters = [lightgbm.train(settings | {"seed": seed}, data, trees) for seed in range(seeds)]
    found = _forest(
        [tree["tree_structure"] for booster in boosters for tree in booster.dump_model()["tree_info"]], tuple(names)
    )
    return replace(found, value=found.value / np.float32(seeds))


def _forest(trees: list[dict[str, Any]], names: tuple[str, ...]) -> Forest:
    nodes: list[tuple[int, float, int, int, float]] = []
    roots, depths = [], []
    for tree in trees:
        roots.append(len(nodes))
        depths.append(_flatten(tree, nodes))
    feature, threshold, left, right, value = zip(*nodes, strict=True)
    return Forest(
        feature=np.asarray(feature, np.int32),
        threshold=_round_down(np.asarray(threshold, np.float64)),
        left=np.asarray(left, np.int32),
        right=np.asarray(right, np.int32),
        value=np.asarray(value, np.float32),
        roots=np.asarray(roots, np.int32),
        base=0.0,
        depth=max(depths),
        names=names,
    )


def _flatten(node: dict[str, Any], nodes: list[tuple[int, float, int, int, float]]) -> int:
    """Appends a subtree to `nodes`, and returns its depth. Leaves point to themselves."""
    place = len(nodes)
    if "split_feature" not in node:
        nodes.append((0, np.inf, place, place, node["leaf_value"]))
        return 0
    nodes.append((node["split_feature"], node["threshold"], 0, 0, 0.0))
    left, depth = len(nodes), _flatten(node["left_child"], nodes)
    right, other = len(nodes), _flatten(node["right_child"], nodes)
    nodes[place] = (node["split_feature"], node["threshold"], left, right, 0.0)
    return 1 + max(depth, other)


def _round_down(thresholds: npt.NDArray[np.float64]) -> Floats:
    """The greatest float32 not above each threshold: comparisons with float32 features then come out as in float64."""
    single = thresholds.astype(np.float32)
    return np.where(single > thresholds, np.nextafter(single, np.float32(-np.inf)), single)


def save(forest: Forest, file: Path) -> None:
    """Writes a forest as an `.npz` file without pickled objects."""
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        file,
        feature=forest.feature,
        threshold=forest.threshold,
        left=forest.left,
        right=forest.right,
        value=forest.value,
        roots=forest.roots,
        base=np.float64(forest.base),
        depth=np.int64(forest.depth),
        names=np.asarray(forest.names),
        cut=np.float64(forest.cut),
    )
