"""Makes one run under each runner, kills a worker of each cluster in the middle, and compares all that comes of it.

Run from the repository: `python -m benchmarks.cluster_runs [PAGES] [PAGES_A_PART]`. The pages are those of a newsroom,
in WARC. Clusters are two workers on this machine, each in a folder of its own, that meet the run on an S3 server.
Prints the seconds that each run took, with its own start, whether its files are those of the first, and which worker
was killed. On one machine a cluster cannot be quicker than the default; what is seen is what it costs.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.config import Dataset
from flows.demo.newsroom import Newsroom
from tests.flows.prefect_server import ROOT, running_prefect
from tests.flows.spreading.clusters import Cluster, dask_cluster, ray_cluster
from tests.flows.spreading.runs import again, begin, fetched_pages, finish, made
from tests.flows.storage import BUCKET, running_storage

PAGES, PAGES_A_PART = 600, 100
_PATIENCE = 3_600.0
_CLUSTERS = {"dask": dask_cluster, "ray": ray_cluster}
_ROW = "{:<10} {:>8} {:>10} {:>8} {}"


def main(pages: int = PAGES, pages_a_part: int = PAGES_A_PART) -> None:
    """Runs all, and prints a line for each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fetched = fetched_pages(folder / "fetched", Newsroom(7, articles=pages), pages)
        storage = stack.enter_context(running_storage(_made(folder / "storage")))
        prefect = stack.enter_context(running_prefect(_made(folder / "prefect")))
        environment = {**prefect, **storage.environment, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
        print(_ROW.format("runner", "seconds", "files", "as first", "killed"))
        expected: dict[str, bytes] = {}
        for runner in ("threads", "processes", *_CLUSTERS):
            home = folder / "home"
            with _cluster(runner, folder, environment) as cluster:
                dataset = again(fetched, home, _table(runner, cluster))
                seconds, killed = _timed(dataset, environment, pages_a_part, cluster)
            found = made(dataset)
            expected = expected or found
            same = "equal" if found == expected else "DIFFERENT"
            print(_ROW.format(runner, f"{seconds:.0f}", len(found), same, killed), flush=True)
            shutil.rmtree(home)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def _cluster(runner: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Cluster | None]:
    if runner not in _CLUSTERS:
        yield None
        return
    with _CLUSTERS[runner](folder / f"cluster-{runner}", environment) as cluster:
        yield cluster


def _table(runner: str, cluster: Cluster | None) -> str:
    lines = [f'runner = "{runner}"']
    if cluster:
        lines += [f'address = "{cluster.address}"', f'work = "s3://{BUCKET}/work"']
    return "\n".join(lines)


def _timed(
    dataset: Dataset, environment: Mapping[str, str], pages_a_part: int, cluster: Cluster | None
) -> tuple[float, str]:
    """Makes the run; answers its seconds, and the worker that was killed in the middle."""
    begun = time.monotonic()
    process = begin(dataset, environment, pages_a_part)
    killed = f"worker {cluster.workers.index(cluster.kill_one()) + 1} of 2" if cluster else "none"
    finish(process, dataset, _PATIENCE)
    return time.monotonic() - begun, killed


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
