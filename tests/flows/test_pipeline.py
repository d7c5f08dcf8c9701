"""The Prefect flow on a real Prefect server, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer
from tests.flows.conftest import published_rows, write_newsroom_recipe

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
    assert sorted(set(told["artifacts"])) == ["markdown", "table"]
    assert any("nothing is left to fetch" in line for line in told["logs"])
    assert published_rows(dataset)
