"""Fixtures of the crawler's tests: a web, and a crawl of it in its own process."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from crawler.options import CrawlOptions, Limits, Network, Politeness
from crawler.outcomes import Outcome, outcomes
from tests.crawler.web import SEED, Web

REPOSITORY = Path(__file__).parents[2]

# Examples are not timed: on a busy machine any of them may take long.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@dataclass
class Crawled:
    code: int
    stats: dict[str, Any]
    log: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def verdict(self, url: str) -> str:
        return self.outcomes[url].verdict if url in self.outcomes else "none"


@pytest.fixture
def web() -> Iterator[Web]:
    """A web on loopback."""
    with Web() as served:
        yield served


def make_options(web: Web, state: Path, run_id: str = "r1", **fields: Any) -> CrawlOptions:
    """Options for a crawl of the web: loopback allowed, a short delay, `*.test` on loopback."""
    limits = Limits(**{"seconds": 60.0, "page_seconds": 5.0, **fields.pop("limits", {})})
    politeness = Politeness(**{"delay": 0.02, "contact": "crawl@example.org", **fields.pop("politeness", {})})
    network = {"allow_loopback": True, "ports": (80, 443, web.port), "resolve": {"*.test": "127.0.0.1"}}
    network |= fields.pop("network", {})
    return CrawlOptions(
        run_id, state, (SEED,), limits=limits, politeness=politeness, network=Network(**network), **fields
    )


def start(options: CrawlOptions) -> "subprocess.Popen[str]":
    """Starts a crawl in a process of its own."""
    options.state.mkdir(parents=True, exist_ok=True)
    path = options.state / f"{options.run_id}.json"
    path.write_text(options.to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "crawler", str(path)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def crawl(options: CrawlOptions, seconds: float = 60.0) -> Crawled:
    """Runs a crawl to its end."""
    process = start(options)
    try:
        out, log = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, log = process.communicate()
        pytest.fail(f"the crawl did not end in {seconds} s: {out[-500:]} {log[-2000:]}")
    lines = [json.loads(line) for line in out.splitlines()]
    found = {outcome.url: outcome for outcome in outcomes(options.state, options.run_id)}
    return Crawled(process.returncode, lines[-1] if lines else {}, log, found)


@pytest.fixture
def crawled(web: Web, tmp_path: Path) -> Callable[..., Crawled]:
    """Crawls the web, with a state that the runs of a test share."""

    def run(run_id: str = "r1", **fields: Any) -> Crawled:
        return crawl(make_options(web, tmp_path / "state", run_id, **fields))

    return run
