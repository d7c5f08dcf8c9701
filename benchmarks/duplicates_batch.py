"""Compares the engines of `likewise dedup` on made-up articles: whether their answers are equal, and what they cost.

    python -m benchmarks.duplicates_batch [ARTICLES] [--engines duckdb daft ray] [--folder FOLDER]

A third of the articles are cut copies of others. Each engine runs as a process of its own; Ray gets two nodes of one
processor each on this machine, which share no object store. An engine that is not installed is named and passed over.
CPU seconds are those of all processes that an engine starts, and memory that of the largest one.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.duplicates_million import arriving

FILES = 10
ROWS = 2_000
"""Of a row group, as published shards have them."""

_ON_RAY = """
import subprocess, sys
from ray.cluster_utils import Cluster
node = {"num_cpus": 1, "object_store_memory": 1_000_000_000}
cluster = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
cluster.add_node(**node)
cluster.wait_for_nodes()
try:
    sys.exit(subprocess.call([*sys.argv[1:], "--ray", cluster.address]))
finally:
    cluster.shutdown()
"""
_COMMANDS = {"duckdb": (), "daft": ("--engine", "daft"), "ray": ()}


def write(folder: Path, articles: int) -> None:
    """The articles, in files as a dataset has them."""
    size = -(-articles // FILES)
    documents = arriving(articles, 0, articles)
    for number in range(FILES):
        pq.write_table(documents.slice(number * size, size), folder / f"{number}.parquet", row_group_size=ROWS)


def measure(engine: str, folder: Path, to: Path) -> str:
    """Runs an engine; answers what it cost."""
    command = [sys.executable, "-m", "flows.cli", "dedup", str(folder), "--to", str(to), *_COMMANDS[engine]]
    if engine == "ray":
        command = [sys.executable, "-c", _ON_RAY, *command]
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}, stdout=subprocess.DEVNULL)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - wall
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{cpu:.1f} s CPU, {wall:.1f} s, {after.ru_maxrss / 1024:.0f} MB at most so far"


def main() -> None:
    """Runs each engine on the same files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=int, nargs="?", default=100_000)
    parser.add_argument("--engines", nargs="+", choices=list(_COMMANDS), default=list(_COMMANDS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        articles = Path(folder) / "articles"
        articles.mkdir()
        write(articles, options.articles)
        first = None
        for engine in options.engines:
            if engine != "duckdb" and find_spec(engine) is None:
                print(f"{engine}: not installed; uv sync --extra daft", flush=True)
                continue
            cost = measure(engine, articles, Path(folder) / f"{engine}.parquet")
            answer = pq.read_table(Path(folder) / f"{engine}.parquet")
            first = answer if first is None else first
            said = "equal" if answer.equals(first) else "DIFFERENT"
            found = answer["cluster_id"].unique()
            print(f"{engine}: {cost}; {answer.num_rows:,} articles in {len(found):,} clusters, {said}", flush=True)


if __name__ == "__main__":
    main()
