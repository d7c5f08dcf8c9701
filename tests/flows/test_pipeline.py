"""The Prefect flow on a real Prefect server, in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer
from tests.flows.conftest import published_rows, write_newsroom_recipe

ROOT = Path(__file__).parents[2]

_SCRIPT = """
import json, sys
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness
from flows.pipeline import grow

with prefect_test_harness(server_startup_timeout=120):
    summaries = [grow(sys.argv[1]), grow(sys.argv[1])]
    with get_client(sync_client=True) as client:
        artifacts = client.read_artifacts()
        logs = client.read_logs(limit=200)
        states = [run.state_name for run in client.read_flow_runs()]
    told = {"artifacts": [artifact.type for artifact in artifacts], "logs": [log.message for log in logs]}
    print(json.dumps({"summaries": summaries, "states": states} | told))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A Prefect home of its own, and no telemetry."""
    return {
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def test_the_flow_publishes_once(
    tmp_path: Path, newsroom: Newsroom, news_server: NewsServer, environment: dict[str, str]
) -> None:
    """The flow run completes, publishes, logs the crawl and leaves its artifacts; a second one finds nothing new."""
    dataset = write_newsroom_recipe(tmp_path, newsroom, news_server)
    command = [sys.executable, "-c", _SCRIPT, str(dataset.folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    first, second = told["summaries"]
    assert (first["version"], first["is_new"]) == (1, True)
    assert (second["version"], second["is_new"]) == (1, False)
    assert told["states"] == ["Completed", "Completed"]
    assert sorted(set(told["artifacts"])) == ["markdown", "progress", "table"]
    assert any("nothing is left to fetch" in line for line in told["logs"])
    assert published_rows(dataset)


def test_the_temporary_server_ends_with_the_command(environment: dict[str, str], tmp_path: Path) -> None:
    """Where the command is killed, the Prefect server that it started ends by itself."""
    command = [sys.executable, "-c", "from flows.scheduling.temporary_server import start_server; start_server()"]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        server = wait_for(lambda: serving(process.pid))
        process.kill()
    assert wait_for(lambda: not Path(f"/proc/{server}").exists())


def serving(parent: int) -> int:
    """The process of the server that a command started; 0 while there is none."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        words = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        if int(words[1]) == parent and b"flows.scheduling.temporary_server" in (path.parent / "cmdline").read_bytes():
            return int(path.parent.name)
    return 0


def wait_for(reached: Callable[[], int | bool], seconds: float = 60.0) -> int:
    """What `reached` gives, once it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := reached():
            return found
        time.sleep(0.05)
    return 0
