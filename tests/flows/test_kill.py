"""SIGKILL in the crawl, in cleaning and while publishing: the same command again ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.config import Dataset
from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer
from flows.runs import list_runs
from tests.flows.conftest import published_rows, write_newsroom_recipe

_COMMAND = """
import sys
from flows.config import load_dataset_config
from flows.runs import locked_state, open_run
from flows.stages import run_stages
dataset = load_dataset_config(sys.argv[1], {})
with locked_state(dataset):
    run_stages(open_run(dataset))
"""

_SAME = (
    "id",
    "url",
    "canonical_url",
    "title",
    "text",
    "authors",
    "published_at",
    "language",
    "similarity",
    "cluster_id",
    "version",
)


def begin(dataset: Dataset) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _COMMAND, str(dataset.folder)], cwd=Path(__file__).parents[2])


def kill_when(dataset: Dataset, reached: Callable[[Path], bool]) -> bool:
    """Starts the command and kills it at the moment that `reached` sees; False where it ended before."""
    process = begin(dataset)
    while process.poll() is None:
        if reached(dataset.state):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    return False


def finish(dataset: Dataset) -> None:
    assert begin(dataset).wait() == 0


def fetched_some(state: Path) -> bool:
    """Whether the crawl has stored a good part of its pages."""
    return sum(path.stat().st_size for path in state.glob("warc/*")) > 150_000


def is_cleaning(state: Path) -> bool:
    """Whether the crawl is done, and cleaning has begun."""
    return any(state.glob("runs/*/crawl.json")) and not any(state.glob("runs/*/clean.json"))


def is_publishing(state: Path) -> bool:
    """Whether a version is being written."""
    folder = state.parent.parent / "datasets" / state.name
    return any(folder.glob(".versions/.draft-*/data/*"))


def essence(dataset: Dataset) -> dict[str, Any]:
    """What must not depend on when the process was killed: ids, texts, clusters, verdicts."""
    copies = {
        row["id"]: (row["representative_id"], row["relation"], row["cluster_id"])
        for row in published_rows(dataset, "copies")
    }
    rejected = {row["url"]: row["verdict"] for row in published_rows(dataset, "rejected")}
    articles = {row["id"]: {key: row[key] for key in _SAME} for row in published_rows(dataset)}
    return {"articles": articles, "copies": copies, "rejected": rejected}


def comparable(found: dict[str, Any], wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two essences without the pages that either run gave up as unlikely: which ones is for who answers first."""
    given_up = {url for one in (found, wanted) for url, verdict in one["rejected"].items() if verdict == "unlikely"}
    first, second = (
        one | {"rejected": {url: verdict for url, verdict in one["rejected"].items() if url not in given_up}}
        for one in (found, wanted)
    )
    return first, second


def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path: Path, newsroom: Newsroom, news_server: NewsServer) -> None:
    """Killed in the crawl, in cleaning and while publishing, a run still ends with the same rows.

    Nothing is left out for its title: whose titles have taught the crawl by then depends on who answered first.
    """
    calm = write_newsroom_recipe(tmp_path / "calm", newsroom, news_server, exploration=1.0)
    finish(calm)
    hunted = write_newsroom_recipe(tmp_path / "hunted", newsroom, news_server, exploration=1.0)
    assert [kill_when(hunted, moment) for moment in (fetched_some, is_cleaning, is_publishing)] == [True, True, True]
    assert published_rows(hunted) == []
    finish(hunted)
    assert len(list_runs(hunted)) == 1
    found, wanted = comparable(essence(hunted), essence(calm))
    assert found == wanted
