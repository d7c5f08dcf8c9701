"""Measures how far the order and the batching of arrivals change which articles are taken for copies of each other.

    python -m benchmarks.duplicates_order [--eval ../shared/eval] [--orders 5] [--seed 11]

The labelled stream of the scoring script comes in its own order in 20 batches, then at once, in 100 batches, and in
random orders. Beside each stands how many of the pairs of documents in one cluster are so in both, and how many
documents have another cluster than in the first.
"""

import argparse
import importlib
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.adapters import duplicates

Document = dict[str, Any]


def labels(documents: list[Document], batches: int) -> dict[str, str]:
    """The cluster of each document, by id."""
    index, size = duplicates(), -(-len(documents) // batches)
    found: dict[str, str] = {}
    for start in range(0, len(documents), size):
        batch = documents[start : start + size]
        found |= zip((one["id"] for one in batch), index.add(batch), strict=True)
    return found


def pairs(sizes: Counter[Any]) -> int:
    """The pairs within groups of some sizes."""
    return sum(size * (size - 1) // 2 for size in sizes.values())


def agreement(one: dict[str, str], other: dict[str, str]) -> float:
    """Pairs together in both, over the mean of those together in each; 0..1."""
    both = pairs(Counter((one[name], other[name]) for name in one))
    return 2 * both / max(1, pairs(Counter(one.values())) + pairs(Counter(other.values())))


def moved(one: dict[str, str], other: dict[str, str]) -> int:
    """Documents that are not together with the same documents in both."""
    sizes = Counter(one.values()), Counter(other.values())
    both = Counter((one[name], other[name]) for name in one)
    return sum(not sizes[0][one[n]] == sizes[1][other[n]] == both[one[n], other[n]] for n in one)


def main() -> None:
    """Compares each order with the stream's own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eval", type=Path, default=Path(__file__).parents[1] / "../shared/eval")
    parser.add_argument("--orders", type=int, default=5)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    sys.path.insert(0, str(options.eval))
    scoring, syndication = importlib.import_module("duplicates"), importlib.import_module("syndication")
    documents = syndication.Stream(scoring.base_texts(None), seed=options.seed).documents()
    first, truth = labels(documents, 20), {one["id"]: one["group"] for one in documents}
    shuffled = [random.Random(seed).sample(documents, len(documents)) for seed in range(options.orders)]
    others = [("at once", documents, 1), ("100 batches", documents, 100)]
    others += [(f"order {number}", order, 20) for number, order in enumerate(shuffled, 1)]
    print(f"20 batches   {len(documents)} documents, pairs as labelled {agreement(first, truth):.4f}", flush=True)
    for name, order, batches in others:
        found = labels(order, batches)
        count = moved(first, found)
        print(
            f"{name:12s} pairs as in 20 batches {agreement(first, found):.4f}, "
            f"as labelled {agreement(found, truth):.4f}, "
            f"documents with another cluster {count} ({count / len(found):.2%})",
            flush=True,
        )


if __name__ == "__main__":
    main()
