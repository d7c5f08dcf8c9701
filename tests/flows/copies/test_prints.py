"""Prints that were made elsewhere lead the index to the same decisions."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.copies.index import DOCUMENTS, CopyIndex
from flows.copies.prints import PRINTS, Prints, print_table, rows_at

TEXTS = st.lists(st.text(max_size=400), max_size=60)


@settings(deadline=None)
@given(TEXTS)
def test_prints_survive_their_table(texts: list[str]) -> None:
    """Words, digests and sampled shingles of any choice of the texts are those that are made on the spot."""
    made, stored = Prints.of(texts), Prints.read(print_table(texts))
    assert all(np.array_equal(one, other) for one, other in zip(made.words, stored.words, strict=True))
    assert np.array_equal(made.digests, stored.digests)
    for places in (range(len(texts)), range(0, len(texts), 3)):
        wanted, found = made.sketch(places), stored.sketch(places)
        assert np.array_equal(wanted.hashes, found.hashes)
        assert np.array_equal(wanted.texts, found.texts)


def test_texts_may_be_more_than_two_gigabytes_together() -> None:
    """A few rows of very many are found wherever they are."""
    chunk = pa.array(["short", "x" * 2**27], pa.string())
    table = pa.table({"text": pa.chunked_array([chunk] * 17)})
    assert rows_at(table, [32, 0])["text"].to_pylist() == ["short", "short"]


def story(number: int) -> str:
    """A text of its own."""
    chosen = np.random.default_rng(number).integers(0, 5_000, 200)
    return " ".join(f"word{one}" for one in chosen)


def documents(texts: list[str], day: int) -> pa.Table:
    at = datetime(2026, 1, day, tzinfo=UTC)
    rows = [
        {"url": f"https://{number % 5}.example/{number}", "text": text, "published_at": at, "fetched_at": at}
        for number, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENTS)


def test_the_index_decides_the_same_with_prints(tmp_path: Path) -> None:
    """New articles, copies, later editions and empty texts: two runs with prints end as two without."""
    first = [*map(story, range(40)), story(3), story(4) + " and a word", ""]
    second = [story(50), *map(story, range(1, 30)), story(60), story(5)]
    answers = []
    for name in ("plain", "printed"):
        with CopyIndex(tmp_path / name) as index:
            for run, texts in enumerate((first, second), 1):
                prints = print_table(texts) if name == "printed" else None
                answers.append((index.add(f"r{run}", documents(texts, run), prints), index.changes(f"r{run}")))
    assert answers[:2] == answers[2:]
    assert len(set(answers[0][0]["relation"].to_pylist())) > 1
    assert print_table([]).schema == PRINTS
