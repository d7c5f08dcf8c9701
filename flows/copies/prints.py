"""What the index of known articles needs of texts before it compares any: their word codes, digests and shingles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from cleaning.copies.shingles import Hashes, Sketches, Words, digests, sketch, words_of

PRINTS = pa.schema(
    [
        pa.field("words", pa.binary(), nullable=False),
        pa.field("digest", pa.uint64(), nullable=False),
        pa.field("shingles", pa.list_(pa.uint64()), nullable=False),
    ]
)
"""One row a text: its word codes (four bytes each, as `words_of` gives them), its digest, and what `sketch` samples."""

_NO_HASHES: Hashes = np.empty(0, np.uint64)


def print_table(texts: Sequence[str]) -> pa.Table:
    """The prints of some texts, in their order, as PRINTS says."""
    words = words_of(texts)
    sketches = sketch(words)
    samples = np.split(sketches.hashes, np.searchsorted(sketches.texts, np.arange(1, len(words))))[: len(words)]
    columns = [
        pa.array([text.tobytes() for text in words], pa.binary()),
        pa.array(digests(words), pa.uint64()),
        pa.array(samples, pa.list_(pa.uint64())),
    ]
    return pa.table(columns, schema=PRINTS)


def rows_at(table: pa.Table, places: Sequence[int]) -> pa.Table:
    """Some rows of a table, at least one; `take` would copy all texts, and fail where they are more than 2 GB."""
    return pa.concat_tables(table.slice(place, 1) for place in places)


@dataclass(frozen=True, slots=True)
class Prints:
    """The prints of some texts; without `samples`, shingles are sampled only of the texts for which they are wanted."""

    words: list[Words]
    digests: Hashes
    samples: list[Hashes] | None = None

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Makes the prints of texts."""
        words = words_of(texts)
        return cls(words, digests(words))

    @classmethod
    def read(cls, table: pa.Table) -> Self:
        """The prints in a table as PRINTS says."""
        words = [np.frombuffer(stored, np.uint32) for stored in table["words"].to_pylist()]
        samples = [np.array(stored, np.uint64) for stored in table["shingles"].to_pylist()]
        return cls(words, np.array(table["digest"].to_pylist(), np.uint64), samples)

    def sketch(self, places: Sequence[int]) -> Sketches:
        """The sampled shingles of the texts at some places, as `cleaning.copies.shingles.sketch` gives them."""
        if self.samples is None:
            return sketch([self.words[place] for place in places])
        chosen = [self.samples[place] for place in places]
        sizes = np.array([sample.size for sample in chosen], np.int64)
        return Sketches(np.concatenate([*chosen, _NO_HASHES]), np.repeat(np.arange(len(chosen)), sizes))
