"""Measures the index of known articles at size: documents a second, beside a small index, memory and disk.

    python -m benchmarks.duplicates_million [--articles 1000000] [--run 5000] [--folder FOLDER]

Fills an index with made-up articles, run by run, then adds runs of which a third are cut copies of articles anywhere
in it. The filling goes past the comparison of texts, as `rebuild` does, since it is not what is measured.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa

from flows.copies.index import DOCUMENTS, CopyIndex, article_id

SYLLABLES = ["bra", "cle", "dro", "fli", "gra", "ste", "nda", "mpo", "lke", "rti", "sta", "vo", "sel", "nur", "qui"]
WORDS = ["".join(syllables) for syllables in product(SYLLABLES, repeat=3)]
START = datetime(2020, 1, 1, tzinfo=UTC)
PUBLISHED = pa.schema(
    [*DOCUMENTS, ("id", pa.string()), ("cluster_id", pa.string()), ("version", pa.int32()), ("word_count", pa.int32())]
)


def text(number: int, words: int = 400) -> str:
    """The text of an article: words drawn by Zipf's law, the same at each call."""
    draw = np.random.default_rng(number).zipf(1.15, words) % len(WORDS)
    return " ".join([WORDS[place] for place in draw.tolist()])


def document(number: int, body: str) -> dict[str, object]:
    """One article, as a run brings it."""
    url = f"http://site{number % 997}.example/{number}"
    when = START + timedelta(minutes=number)
    return {"url": url, "canonical_url": url, "domain": f"site{number % 997}.example", "agency": None,
            "published_at": when, "fetched_at": when, "text": body}  # fmt: skip


def published(articles: int, run: int) -> Iterator[pa.Table]:
    """Tables of published articles, to fill an index with."""
    for start in range(0, articles, run):
        rows = [document(number, text(number)) for number in range(start, min(articles, start + run))]
        ids = [article_id(str(row["canonical_url"])) for row in rows]
        more = [{"id": name, "cluster_id": name, "version": 1, "word_count": 400} for name in ids]
        yield pa.Table.from_pylist([row | rest for row, rest in zip(rows, more, strict=True)], schema=PUBLISHED)


def arriving(articles: int, first: int, run: int) -> pa.Table:
    """A run: two new articles, then the first half of an old one."""
    old = np.random.default_rng(first).integers(0, articles, run)
    rows = [
        document(first + place, text(int(old[place]), 200) if place % 3 == 2 else text(first + place))
        for place in range(run)
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENTS)


def megabytes() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(path: Path, articles: int, run: int) -> None:
    """Fills an index, adds three runs and prints what each took."""
    wall, cpu = time.perf_counter(), time.process_time()
    CopyIndex.rebuild(path, published(articles, run)).close()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"filled with {articles:,} in {wall:.0f} s, {cpu:.0f} s CPU: {path.stat().st_size / 1e6:.0f} MB "
          f"on disk, {megabytes():.0f} MB of memory at most", flush=True)  # fmt: skip
    for number in range(3):
        batch = arriving(articles, articles + number * run, run)
        wall, cpu = time.perf_counter(), time.process_time()
        with CopyIndex(path) as index:
            relations = index.add(f"run-{number}", batch)["relation"].value_counts().to_pylist()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found = {row["values"]: row["counts"] for row in relations}
        print(f"{run:,} more: {wall:.2f} s, {cpu:.2f} s CPU, {run / cpu:.0f} a CPU second, "
              f"{megabytes():.0f} MB at most; {found}", flush=True)  # fmt: skip


def main() -> None:
    """Measures an index of a fiftieth of the articles, and one of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--run", type=int, default=5_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for articles in (options.articles // 50, options.articles):
            measure(Path(folder) / f"{articles}.duckdb", articles, options.run)


if __name__ == "__main__":
    main()
