"""Sketches: what the index of known articles needs of texts that are not published, in shards beside the data.

A sketch holds one in eight of a text's three-word shingles as 64-bit hashes, in the order of the hashes. It tells
copies from other articles; nobody reads the text out of it, since most of it is not there and the rest has no order.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cleaning.copies.shingles import SKETCH_VERSION, Sketches, words_of
from cleaning.copies.sketched import Sketch, sketches_of

SKETCHES_CONFIG = "sketches"
"""The kind of shard that holds sketches; no config of the card, since readers have no use for it."""

SKETCHES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("canonical_url", pa.string()),
        pa.field("sketch_version", pa.int32(), nullable=False),
        pa.field("digest", pa.uint64(), nullable=False),
        pa.field("words", pa.int32(), nullable=False),
        pa.field("shingles", pa.list_(pa.uint64()), nullable=False),
    ]
)
"""One row an article whose text is withheld.

`digest` is a hash of all its words, `words` their number, `shingles` the sample in ascending order. The addresses are
there so that a takedown finds the row.
"""

_CHUNK = 5_000
_NO_HASHES = np.empty(0, np.uint64)


def sketch_table(articles: pa.Table) -> pa.Table:
    """The sketches of articles, in their order, as SKETCHES says.

    Args:
        articles: rows with `id`, `url`, `canonical_url` and the whole `text`; other columns are passed over.
    """
    parts = [_sketched(articles.slice(start, _CHUNK)) for start in range(0, articles.num_rows, _CHUNK)]
    return pa.concat_tables([*parts, SKETCHES.empty_table()])


def stored_sketches(rows: Iterable[dict[str, Any]]) -> dict[str, Sketch]:
    """The sketches in rows of SKETCHES, by id; those of another version say nothing here, as does one
    of no words, and are left out.
    """
    return {
        row["id"]: Sketch(row["words"], row["digest"], np.array(row["shingles"], np.uint64))
        for row in rows
        if row["sketch_version"] == SKETCH_VERSION and row["words"]
    }


def findable(sketches: Sequence[Sketch]) -> Sketches:
    """The shingles by which withheld texts are found, and their digests, as `sketch` gives them for whole texts."""
    hashes = [np.append(one.shingles, np.uint64(one.digest)) for one in sketches]
    owners = np.repeat(np.arange(len(hashes)), np.array([found.size for found in hashes], np.int64))
    return Sketches(np.concatenate([*hashes, _NO_HASHES]), owners)


def _sketched(articles: pa.Table) -> pa.Table:
    found = sketches_of(words_of([text or "" for text in articles["text"].to_pylist()]))
    made = {
        "sketch_version": [SKETCH_VERSION] * len(found),
        "digest": [one.digest for one in found],
        "words": [one.words for one in found],
        "shingles": [one.shingles for one in found],
    }
    columns = [
        pa.array(made[field.name], field.type) if field.name in made else articles[field.name] for field in SKETCHES
    ]
    return pa.table(columns, names=SKETCHES.names).cast(SKETCHES)
