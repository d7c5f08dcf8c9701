"""Measures publishing at size: the first version of so many rows, then two days' runs on top; time, memory, bytes.

    python -m benchmarks.publish_million [--rows 10000 100000 1000000] [--day 5000] [--folder FOLDER]

The rows are made up and lie in the state as a run's stages leave them, in parts of 500. Three in ten of a day's rows
are copies of old ones. The first day changes no old row. On the second, 100 of the copies take the place of their
representative, and 50 more rows are later editions of old articles; of the old ones that change, nine in ten are of the
last 30 days, the others of any day. Each step runs in a process of its own, whose imports are not counted. With
--folder, the datasets stay there (for benchmarks.publish_pushdown).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cleaning.schema import EXTRACTED, arrow_schema
from flows.config import load_dataset_config
from flows.copies.run import CHANGES, DECISIONS
from flows.destination import LocalFolder
from flows.filtering import FILTERED
from flows.manifest import Shard
from flows.publishing.publish import publish_pending
from flows.runs import Run, start_run
from flows.tables import conform, write_table

PART = 500
HOSTS = 1_000
START = datetime(2021, 1, 1, tzinfo=UTC)
DAYS = 5 * 365
RUNS = FIRST, QUIET, BUSY = "20260101T000000Z", "20260102T000000Z", "20260103T000000Z"
CHANGES_A_DAY = 150
RECIPE = '[topic]\nseeds = ["seeds/*.txt"]\n'
EXTRACTED_SCHEMA = arrow_schema(EXTRACTED)
CORPUS_WORDS = 2_000_000


def corpus() -> str:
    """Words drawn by Zipf's law; texts are pieces of it."""
    rng = np.random.default_rng(7)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(rng.choice(letters, size)) for size in rng.integers(3, 11, 30_000)])
    return " ".join(words[rng.zipf(1.2, CORPUS_WORDS) % words.size])


def article_id(number: int) -> str:
    """The id of an article: 32 hexadecimal digits."""
    return np.random.default_rng(number).bytes(16).hex()


def host_of(numbers: np.ndarray[Any, Any]) -> list[str]:
    """Hosts, a few of which publish most."""
    drawn = np.random.default_rng(1).zipf(1.3, 1 << 20) % HOSTS
    return [f"site{host:03d}.example" for host in drawn[numbers % drawn.size]]


def pages(numbers: np.ndarray[Any, Any], times: list[datetime], text: str) -> pa.Table:
    """Extracted pages with texts of about 2,700 characters."""
    places = (numbers * 2_654_435_761) % (len(text) - 4_000)
    hosts = host_of(numbers)
    rows = len(numbers)
    columns: dict[str, Any] = {
        "verdict": ["kept"] * rows,
        "reason": [""] * rows,
        "url": [f"https://{host}/news/{number}" for host, number in zip(hosts, numbers, strict=True)],
        "canonical_url": [f"https://{host}/news/{number}" for host, number in zip(hosts, numbers, strict=True)],
        "domain": hosts,
        "title": [text[place : place + 60] for place in places],
        "text": [text[place : place + 2_700] for place in places],
        "authors": [[]] * rows,
        "tags": [[]] * rows,
        "published_at": times,
        "fetched_at": times,
        "language": ["en"] * rows,
        "language_score": [0.99] * rows,
        "source": ["feed"] * rows,
        "source_kind": ["feed"] * rows,
        "rights": ['{"robots": "allowed"}'] * rows,
        "word_count": [400] * rows,
        "extractor": ["e"] * rows,
        "extractor_version": ["1"] * rows,
        "warc_file": ["a.warc.gz"] * rows,
        "warc_offset": list(range(rows)),
        "content_sha256": [article_id(int(number)) * 2 for number in numbers],
        "confidence": [0.9] * rows,
        "published_how": ["meta"] * rows,
    }
    fields = [field for field in EXTRACTED_SCHEMA if field.name in columns]
    arrays = {field.name: pa.array(columns[field.name], field.type) for field in fields}
    return conform(pa.table(arrays), EXTRACTED_SCHEMA)


def write_run(run: Run, numbers: np.ndarray[Any, Any], times: list[datetime], decisions: pa.Table, text: str) -> None:
    """What the stages before publishing leave of a run."""
    for part, start in enumerate(range(0, len(numbers), PART)):
        name = f"{part:05d}.parquet"
        these = slice(start, start + PART)
        write_table(run.clean_folder / name, pages(numbers[these], times[these], text))
        rows = len(numbers[these])
        judged = {"verdict": ["kept"] * rows, "reason": [""] * rows, "similarity": [0.5] * rows}
        write_table(run.filter_folder / name, pa.table(judged | {"nearest_seed": ["seed"] * rows}, schema=FILTERED))
    write_table(run.folder / "copies.parquet", decisions)
    run.finish("copies", {})


def decided(ids: list[str], named: dict[int, str], editions: set[int]) -> pa.Table:
    """Decisions: new articles, but copies at the places in `named`, and later editions at those in `editions`."""
    rows = [
        {
            "id": article,
            "relation": "edited" if place in named else "version" if place in editions else "new",
            "representative_id": named.get(place, article),
            "cluster_id": named.get(place, article),
            "containment": 0.9 if place in named else None,
            "version": 2 if place in editions else 1,
            "is_fresh": True,
        }
        for place, article in enumerate(ids)
    ]
    return pa.Table.from_pylist(rows, schema=DECISIONS)


def make_first(run: Run, rows: int, text: str) -> None:
    """The run that brings the first rows, of any day, in no order."""
    numbers = np.random.default_rng(rows).permutation(rows)
    times = [START + timedelta(days=DAYS * int(number) / rows) for number in numbers]
    write_run(run, numbers, times, decided([article_id(int(n)) for n in numbers], {}, set()), text)


def make_day(run: Run, rows: int, start: int, day: int, changes: int, text: str) -> None:
    """A day's run: new rows, copies of old ones, rows that take the place of old ones, editions of old ones.

    Args:
        run: whose state gets the rows.
        rows: how many old ones there are that may change.
        start: the number of the first new row.
        day: how many rows it brings.
        changes: how many old rows change.
        text: the corpus.
    """
    rng = np.random.default_rng(rows + 1)
    late, recent = changes * 9 // 10, max(1, rows * 30 // DAYS)
    changing = np.concatenate([rng.integers(rows - recent, rows, late), rng.integers(0, rows, changes - late)])
    changing = np.unique(changing)
    demoted, corrected = changing[::3].tolist() + changing[1::3].tolist(), changing[2::3].tolist()
    numbers = np.arange(start, start + day)
    numbers[day - len(corrected) :] = corrected
    ids = [article_id(int(number)) for number in numbers]
    copied = rng.choice(np.setdiff1d(np.arange(rows), changing), 3 * day // 10 - len(demoted))
    named = {2 * place: article_id(int(old)) for place, old in enumerate(copied)}
    steps = [(article_id(old), ids[2 * place + 1], article_id(old), "edited", 0.9) for place, old in enumerate(demoted)]
    times = [START + timedelta(days=DAYS, minutes=place / 4) for place in range(day)]
    decisions = decided(ids, named, set(range(day - len(corrected), day)))
    write_run(run, numbers, times, decisions, text)
    columns = [list(column) for column in zip(*steps, strict=True)] if steps else [[] for _ in CHANGES]
    write_table(run.folder / "representatives.parquet", pa.table(columns, schema=CHANGES))


def publish(folder: Path, run_id: str) -> dict[str, Any]:
    """Publishes a run, and says what it took."""
    run = Run(load_dataset_config(str(folder), {}), run_id)
    import_module("datasets")  # which the card needs: what that takes is a process's, not a version's
    cpu, wall = time.process_time(), time.perf_counter()
    done = publish_pending(run, RUNS[: RUNS.index(run_id) + 1], "report")
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": cpu, "wall": wall, "memory": memory, "added": done.added}


def in_a_process(folder: Path, run_id: str) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.publish_million", "--publish", str(folder), run_id]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def measure(rows: int, day: int, home: Path, text: str) -> None:
    """Makes a dataset of so many rows, publishes it and two days' runs, and prints what each took."""
    folder = home / str(rows) / "datasets" / "made-up"
    (folder / "seeds").mkdir(parents=True)
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    dataset = load_dataset_config(str(folder), {})
    make_first(start_run(dataset, FIRST), rows, text)
    first = in_a_process(folder, FIRST)
    shards = _shards(folder)
    size = sum(shard.bytes for shard in shards) / 1e6
    print(f"{rows:,} rows: {said(first)}, {len(shards)} shards of {size:.0f} MB", flush=True)
    for number, (run_id, changes) in enumerate(((QUIET, 0), (BUSY, CHANGES_A_DAY))):
        make_day(start_run(dataset, run_id), rows, rows + number * day, day, changes, text)
        before = set(_shards(folder))
        then = in_a_process(folder, run_id)
        new = [shard for shard in _shards(folder) if shard not in before]
        written = f"{len(new)} shards written with {sum(shard.rows for shard in new):,} rows"
        print(f"  {day:,} more, {changes} old ones change: {said(then)}, {written}; {then['added']}", flush=True)


def _shards(folder: Path) -> tuple[Shard, ...]:
    manifest = LocalFolder(folder).manifest()
    assert manifest is not None
    return manifest.shards


def said(took: dict[str, Any]) -> str:
    """What a step took, in words."""
    return f"{took['wall']:.1f} s, {took['cpu']:.1f} s CPU, {took['memory']:.0f} MB at most"


def main() -> None:
    """Measures at each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--day", type=int, default=5_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--publish", nargs=2, metavar=("DATASET", "RUN"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.publish:
        print(json.dumps(publish(Path(options.publish[0]), options.publish[1])))
        return
    with tempfile.TemporaryDirectory() as temporary:
        text = corpus()
        for rows in options.rows:
            measure(rows, options.day, options.folder or Path(temporary), text)


if __name__ == "__main__":
    main()
