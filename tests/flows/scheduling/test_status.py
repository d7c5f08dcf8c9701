"""How a dataset is doing, and whether its sources are."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from crawler.outcomes import SourceTotals, Totals
from flows.config import Dataset, load_dataset_config
from flows.errors import SourcesError
from flows.runs import failures_noted, locked_state, start_run
from flows.scheduling.health import troubles
from flows.scheduling.status import dataset_status, show

FEED = "https://news.example/feed"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def crawl(fetched: int, error: str = "", requests: int = 1) -> Totals:
    """A crawl of one feed."""
    source = SourceTotals(FEED, "feed", requests, 0, fetched, 0, fetched, fetched, error)
    return Totals("run", True, "", fetched, requests, {}, (source,), {})


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], []),
        ([crawl(0)], []),
        ([crawl(9), crawl(8), crawl(7)], []),
        ([crawl(3), crawl(0), crawl(0, requests=0)], []),
        ([crawl(3), crawl(0, "HTTP 500")], [f"{FEED}: cannot be read: HTTP 500"]),
        (
            [crawl(3), crawl(0, "HTTP 500"), crawl(0, "HTTP 500")],
            [f"{FEED}: cannot be read: HTTP 500, as in the run before"],
        ),
        ([crawl(0, "HTTP 404")], []),
        (
            [crawl(2), crawl(2), crawl(1), crawl(0), crawl(0), crawl(0)],
            [f"{FEED}: has brought nothing in its last 3 runs, which is unlike it"],
        ),
        ([crawl(2), crawl(0), crawl(0), crawl(0), crawl(0), crawl(0)], []),
        ([crawl(20), crawl(24), crawl(22), crawl(5)], ["the sources brought 5 pages; 22 are usual"]),
        ([crawl(20), crawl(24), crawl(22), crawl(6)], []),
        ([crawl(20), crawl(24), crawl(5)], []),
    ],
    ids=[
        "no run", "first run", "as usual", "not asked", "failing", "failing on", "never worked", "silent", "rare",
        "drop", "small drop", "no habit yet",
    ],
)  # fmt: skip
def test_sources_are_compared_with_themselves(runs: list[Totals], said: list[str]) -> None:
    """A source that fails after it worked, one that went silent and a drop in all are told, and nothing else."""
    assert [str(trouble) for trouble in troubles(runs, given=())] == said


def test_a_source_that_the_recipe_names_must_answer() -> None:
    """A named source that cannot be read is told at its first run."""
    assert troubles([crawl(0, "HTTP 404")], given={FEED})


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    (tmp_path / "recipe.toml").write_text(
        '[topic]\nseeds = ["*.txt"]\n[schedule]\ncron = "0 6 * * *"\n', encoding="utf-8"
    )
    return load_dataset_config(str(tmp_path), {})


def outcome(dataset: Dataset) -> str:
    last = dataset_status(dataset, NOW).last_run
    return last.outcome if last else ""


def test_a_dataset_that_never_ran_has_a_status(dataset: Dataset) -> None:
    """Without runs or versions there is the next run, and no trouble."""
    found = dataset_status(dataset, NOW)
    assert (found.last_run, found.published, found.troubles) == (None, None, ())
    assert found.next_run == datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert found.as_json()["next_run"] == "2026-03-02T06:00:00+00:00"


def test_the_outcome_follows_the_run(dataset: Dataset) -> None:
    """A run is running while somebody holds the state, then cut short, failed, and at last done."""
    with locked_state(dataset):
        run = start_run(dataset, "first")
    assert outcome(dataset) == "cut short"
    with pytest.raises(SourcesError), failures_noted(run):
        raise SourcesError("None answered.", "Look at them.")
    assert outcome(dataset) == "failed"
    run.finish("done", {"version": 3, "is_new": True})
    assert outcome(dataset) == "published"
    run.finish("done", {"version": 3, "is_new": False})
    assert outcome(dataset) == "nothing new"


def test_a_failure_of_several_lines_is_shown_below_itself(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """What failed and what to do about it are lines of their own, indented."""
    with pytest.raises(SourcesError), failures_noted(start_run(dataset, "first")):
        raise SourcesError("None answered:\n  one\n  other", "Look at them.")
    show(dataset_status(dataset, NOW), Console())
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("failed, None answered:")
    assert lines[2:5] == [f"{'':<14}one", f"{'':<14}other", f"{'':<12}Look at them."]


def test_troubles_of_the_last_crawl_are_told(dataset: Dataset) -> None:
    """The status has what the last crawl that ended said of its sources."""
    start_run(dataset, "first").finish("crawl", {"troubles": ["a feed is silent"]})
    start_run(dataset, "second")
    assert dataset_status(dataset, NOW).troubles == ("a feed is silent",)
