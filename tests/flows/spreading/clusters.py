"""Real clusters of two workers on loopback, which have storage in common, and nothing else."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flows.prefect_server import ROOT, children, free_port, processes, started, wait_until


@dataclass(frozen=True)
class Cluster:
    """A running cluster: its address, and the process of each worker."""

    address: str
    workers: list[int]

    def busy(self) -> int | None:
        """A worker that extracts pages."""
        running = processes()
        for worker in self.workers:
            if any("flows.spreading.extracting" in running[pid][1] for pid in children(worker) if pid in running):
                return worker
        return None

    def kill_one(self) -> int:
        """Kills a worker in the middle of its work, with all that it started, as a machine goes down; answers which."""
        worker: int = wait_until(self.busy)
        for pid in (worker, *children(worker)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return worker


@contextmanager
def dask_cluster(folder: Path, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """A scheduler and two workers, each below a nanny, which makes it a daemon."""
    address, python = f"tcp://127.0.0.1:{free_port()}", [sys.executable, "-m"]
    scheduler = [*python, "distributed.cli.dask_scheduler", "--host", address, "--no-dashboard"]
    options = ["--nthreads", "1", "--no-dashboard", "--death-timeout", "60"]
    worker = [*python, "distributed.cli.dask_worker", address, *options]
    homes = [folder / f"worker-{number}" for number in (1, 2)]
    for home in homes:
        home.mkdir(parents=True)
    with (
        started(scheduler, environment, folder / "scheduler.log", folder),
        started(worker, environment, homes[0] / "log", homes[0]) as first,
        started(worker, environment, homes[1] / "log", homes[1]) as second,
    ):
        yield Cluster(address, [first.pid, second.pid])


@contextmanager
def ray_cluster(folder: Path, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """A head, which does no parts, and two workers."""
    command = [sys.executable, "-m", "tests.flows.spreading.ray_nodes", str(folder)]
    folder.mkdir(parents=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, cwd=ROOT
        )
    with process:
        assert process.stdout is not None
        told = next((line for line in process.stdout if line.startswith(b"{")), b"")
        assert told, (folder / "log").read_text(encoding="utf-8")
        yield Cluster(**json.loads(told))
