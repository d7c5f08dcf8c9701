"""The crawl's process seen from the flow: what it says when no source answers, and who hears its log lines."""

import sys
from contextvars import ContextVar
from pathlib import Path

import pytest

from flows.config import Dataset, load_dataset_config
from flows.crawling import _watch_crawl, crawl
from flows.errors import SourcesError
from flows.runs import start_run
from flows.watching import Watcher
from tests.flows.prefect_server import free_port

ARTICLE = "The ministers of both countries met at the river to talk about the border and the fish in it. " * 12
_RECIPE = """[topic]
seeds = ["seed.txt"]
[sources]
feeds = [{feeds}]
"""
_PLACE: ContextVar[str] = ContextVar("place", default="outside")


def dataset(folder: Path, feeds: list[str], more: str = "") -> Dataset:
    (folder / "seed.txt").write_text(ARTICLE, encoding="utf-8")
    quoted = ", ".join(f'"{feed}"' for feed in feeds)
    (folder / "recipe.toml").write_text(_RECIPE.format(feeds=quoted) + more, encoding="utf-8")
    return load_dataset_config(str(folder), {})


def failure(made: Dataset) -> SourcesError:
    with pytest.raises(SourcesError) as caught:
        crawl(start_run(made, "first"))
    return caught.value


def test_each_source_that_failed_has_its_line(tmp_path: Path) -> None:
    """Sources on this machine, which the recipe does not allow, are named one a line with the settings to change."""
    feeds = ["http://127.0.0.1:8700/feed", "http://127.0.0.1:8701/feed"]
    error = failure(dataset(tmp_path, feeds))
    lines = error.what.splitlines()
    assert lines[0].endswith("answered:")
    assert [line.split()[0].rstrip(":") for line in lines[1:]] == feeds
    assert "allow_loopback = true; ports = [80, 443, 8700, 8701]" in error.remedy


def test_sources_that_are_down_are_to_be_checked(tmp_path: Path) -> None:
    """Where the recipe allows the connection, the addresses and the network are what to look at."""
    port = free_port()
    more = f"[network]\nallow_loopback = true\nports = [{port}]\n[politeness]\ndelay = 0.0\n"
    error = failure(dataset(tmp_path, [f"http://127.0.0.1:{port}/feed"], more))
    assert "allow_loopback" not in error.remedy
    assert "Check the addresses" in error.remedy


def test_log_lines_are_heard_in_the_context_of_the_caller() -> None:
    """What hears the log lines has the caller's context, in which Prefect's settings lie."""
    heard: list[tuple[str, str]] = []
    token = _PLACE.set("inside")
    try:
        watcher = Watcher(log=lambda line: heard.append((line, _PLACE.get())))
        _watch_crawl([sys.executable, "-c", "import sys; print('a line', file=sys.stderr)"], 1, watcher)
    finally:
        _PLACE.reset(token)
    assert heard == [("a line", "inside")]
