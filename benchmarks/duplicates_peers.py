"""Measures copies found beside datasketch's and datatrove's MinHash, on one labelled stream and in one process.

    python -m benchmarks.duplicates_peers [--eval ../shared/eval] [--seed 11] [--batches 20]

The folder holds the scoring script and the stream it scores. The peers are no dependencies of the project: those that
are not installed are named and passed over (`uv pip install datasketch datatrove spacy tokenizers "xxhash<4"`, in an
environment of its own; datatrove 0.10 fails with a later xxhash). datatrove works on whole datasets, so it gets the
stream at once; the others get it batch by batch.
"""

import argparse
import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np

from benchmarks.adapters import duplicates

SHINGLE = 5
"""Words of a shingle in both peers, as FineWeb and the default of datatrove have it."""


class Deduplicator(Protocol):
    """What the scoring script asks for: the label of the cluster of each document."""

    def add(self, documents: list[dict[str, Any]]) -> list[str]:
        """Enters documents with id and text."""


class Datasketch:
    """An online index: a document gets the label of the most similar one that LSH finds at the threshold.

    Only the first document of a cluster is inserted, as in our index. 128 permutations are the library's default.
    """

    def __init__(self, threshold: float) -> None:
        self._sketch = importlib.import_module("datasketch")
        self._index = self._sketch.MinHashLSH(threshold=threshold, num_perm=128)
        self._signatures: dict[str, Any] = {}
        self._threshold = threshold

    def add(self, documents: list[dict[str, Any]]) -> list[str]:
        """Looks each document up, and inserts those that are new."""
        return [self._label(document["id"], document["text"]) for document in documents]

    def _label(self, name: str, text: str) -> str:
        words = re.findall(r"\w+", text.lower())
        signature = self._sketch.MinHash(num_perm=128)
        grams = {" ".join(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1))}
        signature.update_batch([gram.encode() for gram in grams])
        found = [(signature.jaccard(self._signatures[other]), other) for other in self._index.query(signature)]
        similarity, nearest = max(found, default=(0.0, name))
        if similarity >= self._threshold:
            return nearest
        self._signatures[name] = signature
        self._index.insert(name, signature)
        return name


class Datatrove:
    """The three stages that find clusters, with the library's defaults: 5-grams, 14 buckets of 8 hashes."""

    def __init__(self) -> None:
        importlib.import_module("loguru").logger.disable("datatrove")
        self._minhash = importlib.import_module("datatrove.pipeline.dedup.minhash")
        self._document = importlib.import_module("datatrove.data").Document

    def add(self, documents: list[dict[str, Any]]) -> list[str]:
        """Finds the clusters of documents, which must be all there are."""
        with TemporaryDirectory() as folder:
            self._run([self._document(text=d["text"], id=d["id"]) for d in documents], folder)
            clusters = np.fromfile(Path(folder) / "clusters" / "000000.clusters", "<u4").reshape(-1, 2)
        labels = dict(enumerate(document["id"] for document in documents))
        labels.update((place, f"cluster {cluster}") for place, cluster in clusters.tolist())
        return list(labels.values())

    def _run(self, documents: list[Any], folder: str) -> None:
        signatures, buckets, clusters = (f"{folder}/{name}" for name in ("signatures", "buckets", "clusters"))
        config = self._minhash.MinhashConfig()
        self._minhash.MinhashDedupSignature(signatures, config).run(documents, 0, 1)
        stage = self._minhash.MinhashDedupBuckets(signatures, buckets, config=config)
        for bucket in range(config.num_buckets):
            stage.run(None, bucket, config.num_buckets)
        self._minhash.MinhashDedupCluster(buckets, clusters, config, save_cluster_id=True).run()


def methods(batches: int) -> list[tuple[str, int, Callable[[], Deduplicator]]]:
    """Each method with the batches in which it gets the stream."""
    return [
        ("likewise", batches, duplicates),
        ("datasketch, Jaccard >= .5", batches, lambda: Datasketch(0.5)),
        ("datasketch, Jaccard >= .8", batches, lambda: Datasketch(0.8)),
        ("datatrove", 1, Datatrove),
    ]


def main() -> None:
    """Scores each method that is installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eval", type=Path, default=Path(__file__).parents[1] / "../shared/eval")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--batches", type=int, default=20)
    options = parser.parse_args()
    sys.path.insert(0, str(options.eval))
    scoring, syndication = importlib.import_module("duplicates"), importlib.import_module("syndication")
    documents = syndication.Stream(scoring.base_texts(None), seed=options.seed).documents()
    for name, batches, make in methods(options.batches):
        print(f"\n{name}", flush=True)
        try:
            deduplicator = make()
        except ModuleNotFoundError as error:
            print(f"not measured: {error}")
        else:
            scoring.stream(deduplicator, documents, batches)


if __name__ == "__main__":
    main()
