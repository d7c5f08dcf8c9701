"""A real Prefect server on loopback, and what tests need to start processes and to wait for what they do."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.scheduling.temporary_server import answers

ROOT = Path(__file__).parents[2]
PATIENCE = 150.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str], log: Path, folder: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, ended with the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=folder, start_new_session=True)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running_prefect(home: Path) -> Iterator[dict[str, str]]:
    """A Prefect server of its own; gives the environment of its clients."""
    port = free_port()
    environment = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    with started(command, environment, home / "server.log"):
        wait_until(lambda: answers(environment["PREFECT_API_URL"]))
        yield environment


def wait_until(reached: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What `reached` gives, once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := reached():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come to that in time")


def processes() -> dict[int, tuple[int, str]]:
    """The running processes: the parent of each, and its command."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 2) for line in listed.splitlines())
    return {int(row[0]): (int(row[1]), row[2] if len(row) > 2 else "") for row in rows}


def children(parent: int) -> list[int]:
    """The processes that a process started, and theirs."""
    parents = {pid: above for pid, (above, _) in processes().items()}
    return _below(parent, parents)


def _below(parent: int, parents: Mapping[int, int]) -> list[int]:
    own = [pid for pid, above in parents.items() if above == parent]
    return [*own, *(below for pid in own for below in _below(pid, parents))]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
