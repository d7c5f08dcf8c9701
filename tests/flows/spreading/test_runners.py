"""The same run under each runner: processes, and clusters of workers that share no disk, one of which is killed."""

import errno
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("prefect")

from flows.config import Dataset, RunSection
from flows.errors import ClusterError
from flows.spreading import runners
from flows.spreading.parts import clean_part
from flows.spreading.runners import TaskSpread
from flows.spreading.spread import Job
from flows.spreading.workplace import Workplace
from tests.flows.prefect_server import ROOT, running_prefect
from tests.flows.spreading.clusters import Cluster, dask_cluster, ray_cluster
from tests.flows.spreading.conftest import PAGES_A_PART
from tests.flows.spreading.runs import again, begin, finish, left_in, made
from tests.flows.storage import BUCKET, Storage


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a Prefect server's clients."""
    with running_prefect(tmp_path_factory.mktemp("prefect")) as environment:
        yield environment | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}


def test_a_runner_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the library that a recipe's runner needs, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "prefect_ray.task_runners", None)
    spread = TaskSpread(RunSection(runner="ray"), Workplace(f"file://{tmp_path}"))
    with pytest.raises(ClusterError, match=r"pip install 'likewise\[ray\]'"):
        list(spread(clean_part, [{"pages": "", "options": ""}]))


def test_no_worker_is_started_for_nothing(tmp_path: Path) -> None:
    """A stage without parts does not ask for the workers, wherever they may be."""
    spread = TaskSpread(RunSection(runner="ray", address="nowhere.invalid:1"), Workplace(f"file://{tmp_path}"))
    assert list(spread(clean_part, [])) == []


def test_a_cluster_that_does_not_answer_is_named_at_once(tmp_path: Path) -> None:
    """Ray and Dask would wait for minutes."""
    spread = TaskSpread(RunSection(runner="ray", address="ray://127.0.0.1:1"), Workplace(f"file://{tmp_path}"))
    with pytest.raises(ClusterError, match=r"ray://127\.0\.0\.1:1: no cluster answers there .*`run\.address`"):
        list(spread(clean_part, [{"pages": "", "options": ""}]))


class Accepting:
    """A runner that takes every part, and does none."""

    def submit(self, *_: object) -> None:
        """Takes a part."""


def test_what_goes_wrong_with_the_pages_is_no_fault_of_the_workers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the pages of a part cannot be read or put, that error is told, and not that workers failed."""

    def jobs() -> Iterator[Job]:
        yield {"pages": "first", "options": ""}
        raise OSError(errno.ENOSPC, "No space left on device", "pages.parquet")

    monkeypatch.setattr(runners, "_runner", lambda _: nullcontext(Accepting()))
    spread = TaskSpread(RunSection(runner="processes"), Workplace(f"file://{tmp_path}"))
    with pytest.raises(OSError, match=r"No space left on device: 'pages\.parquet'"):
        list(spread(clean_part, jobs()))


def test_what_a_runner_says_is_told_as_the_workers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An error of the runner itself is a cluster's, even one of the system's."""
    monkeypatch.setattr(runners, "_runner", lambda _: nullcontext(object()))
    spread = TaskSpread(RunSection(runner="processes"), Workplace(f"file://{tmp_path}"))
    with pytest.raises(ClusterError, match=r"The workers \(processes\) did not do their part: AttributeError"):
        list(spread(clean_part, [{"pages": "first", "options": ""}]))


def test_processes_make_the_same_files(
    fetched: Dataset, expected: dict[str, bytes], prefect: dict[str, str], tmp_path: Path
) -> None:
    """Spread over processes of this machine, a backfill leaves the same files, byte for byte."""
    dataset = again(fetched, tmp_path / "home", 'runner = "processes"')
    finish(begin(dataset, prefect, PAGES_A_PART, dataset.state / "warc"), dataset)
    assert made(dataset) == expected


def spread_over(cluster: Cluster, kind: str, dataset: Dataset, folder: Path, environment: dict[str, str]) -> Dataset:
    """The run on a cluster's workers, one of which is killed in the middle."""
    run = f'runner = "{kind}"\naddress = "{cluster.address}"\nwork = "s3://{BUCKET}/work-{kind}"'
    spread = again(dataset, folder, run)
    process = begin(spread, environment, PAGES_A_PART)
    cluster.kill_one()
    finish(process, spread)
    return spread


def test_dask_workers_make_the_same_files(
    fetched: Dataset, expected: dict[str, bytes], prefect: dict[str, str], storage: Storage, tmp_path: Path
) -> None:
    """Two Dask workers that share only S3, one of them killed in the middle, make the same files, byte for byte."""
    pytest.importorskip("prefect_dask", reason="no Dask here: pip install 'likewise[dask]'")
    environment = prefect | storage.environment
    with dask_cluster(tmp_path / "cluster", environment) as cluster:
        dataset = spread_over(cluster, "dask", fetched, tmp_path / "home", environment)
    assert made(dataset) == expected
    assert left_in(storage, "work-dask") == []


def test_ray_workers_make_the_same_files(
    fetched: Dataset, expected: dict[str, bytes], prefect: dict[str, str], storage: Storage, tmp_path: Path
) -> None:
    """Two Ray workers that share only S3, one of them killed in the middle, make the same files, byte for byte."""
    pytest.importorskip("prefect_ray", reason="no Ray here: pip install 'likewise[ray]'")
    environment = prefect | storage.environment
    with ray_cluster(tmp_path / "cluster", environment) as cluster:
        dataset = spread_over(cluster, "ray", fetched, tmp_path / "home", environment)
    assert made(dataset) == expected
    assert left_in(storage, "work-ray") == []
