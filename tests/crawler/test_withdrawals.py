"""Articles that are not there any more: noticed, asked for once more where that may be an accident, then left alone."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cleaning.topic.profile import TopicOptions
from cleaning.verdict import Verdict
from crawler.entries import Added, Entry, Role, Task
from crawler.frontier import Frontier
from crawler.gates import Gates
from crawler.outcomes import outcomes
from crawler.relevance import Relevance
from crawler.run import make_run
from crawler.state import open_database
from crawler.withdrawals import ask_for_missing, note_missing
from tests.crawler.conftest import Crawled, make_options
from tests.crawler.web import SEED, Web, article, feed

NOW = 1_763_000_000.0
PATHS = [f"/2025/11/{day}/velmar-crossing-talks-part-{day}" for day in range(14, 20)]
WITHDRAWN = PATHS[3]


def put_feed(web: Web, paths: list[str]) -> None:
    """A feed that dates its articles, so that one in between that it skips is missed."""
    items = [
        (web.url("paper.test", path), f"Velmar talks {path[-2:]}", f"{path[-2:]} Nov 2025 10:00:00 GMT")
        for path in paths
    ]
    web.add("paper.test", "/feed", feed(items), type="application/rss+xml")


@pytest.mark.parametrize(("status", "times"), [(404, 2), (410, 1)])
def test_a_missing_article_is_confirmed_by_the_next_run(
    web: Web, crawled: Callable[..., Crawled], status: int, times: int
) -> None:
    """404 is asked for once more and is an outcome of both runs; 410 is believed at once; then neither is asked for."""
    for path in PATHS:
        web.add("paper.test", path, article("Velmar talks", f"{SEED} {path}"))
    put_feed(web, PATHS)
    feeds = (web.url("paper.test", "/feed"),)
    url = web.url("paper.test", WITHDRAWN)
    assert crawled("r1", feeds=feeds).verdict(url) == Verdict.KEPT
    web.add("paper.test", WITHDRAWN, "not here", status=status)
    put_feed(web, [path for path in PATHS if path != WITHDRAWN])
    later = [crawled(run_id, feeds=feeds) for run_id in ("r2", "r3", "r4")]
    assert [run.verdict(url) for run in later] == [Verdict.GONE] * times + ["none"] * (3 - times)
    assert {run.outcomes[url].reason for run in later[:times]} == {f"HTTP {status}"}
    assert web.paths("paper.test").count(WITHDRAWN) == 1 + times


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A state's database."""
    opened = open_database(tmp_path)
    yield opened
    opened.close()


class Runs:
    """Runs that do nothing but ask for what is missing; the page is fetched in the first."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.count = 0
        frontier = self.begin()
        assert frontier.add(Entry("a.test/a", "http://a.test/a", "a.test", Role.PAGE, 0.5)) is Added.NEW
        frontier.fetched(frontier.tasks("state = 0")[0], NOW, relevant=True)

    def begin(self) -> Frontier:
        """The frontier of the next run."""
        self.count += 1
        frontier = Frontier(self.database, f"r{self.count}", Gates(1.0, 60.0))
        assert frontier.begin(NOW)
        return frontier

    def next(self, take: Callable[[Frontier, Task], object] | None = None) -> bool:
        """Whether the next run asks for the page; what came of it is taken in."""
        frontier = self.begin()
        ask_for_missing(frontier)
        task = frontier.best("a.test")
        if task and take:
            take(frontier, task)
        return task is not None

    def look(self, take: Callable[[Frontier, Task], object]) -> None:
        """Another run asks for the page for reasons of its own."""
        frontier = self.begin()
        take(frontier, frontier.tasks("id = 1")[0])


def missed(frontier: Frontier, task: Task) -> None:
    """The page is not there."""
    note_missing(frontier, task, "HTTP 404", NOW)


def found(frontier: Frontier, task: Task) -> None:
    """The page is as it was."""
    frontier.unchanged(task, NOW)


def dropped(verdict: Verdict) -> Callable[[Frontier, Task], None]:
    """The request comes to something else."""
    return lambda frontier, task: frontier.drop(task, verdict, "x", NOW)


def test_a_page_that_is_there_again_is_missing_no_longer(database: sqlite3.Connection) -> None:
    """Should it be missed once more later, that is the first time again."""
    runs = Runs(database)
    runs.look(missed)
    assert [runs.next(found), runs.next()] == [True, False]
    runs.look(missed)
    assert [runs.next(missed), runs.next()] == [True, False]


@pytest.mark.parametrize(
    ("verdict", "again"),
    [(Verdict.FETCH_FAILED, True), (Verdict.BLOCKED, True), (Verdict.NOT_HTML, False), (Verdict.KNOWN, False)],
)
def test_an_answer_that_says_nothing_is_asked_for_again(
    database: sqlite3.Connection, verdict: Verdict, again: bool
) -> None:
    """A failure leaves open whether the page is there; another kind of answer settles it."""
    runs = Runs(database)
    runs.look(missed)
    assert [runs.next(dropped(verdict)), runs.next(missed), runs.next()] == [True, again, False]


def test_a_missing_page_that_a_run_did_not_reach_waits_for_the_next(database: sqlite3.Connection) -> None:
    """A limit of the run takes nothing from the second look."""
    runs = Runs(database)
    runs.look(missed)
    assert [runs.next(), runs.next(missed), runs.next()] == [True, True, False]


def test_a_missing_page_is_never_hopeless(database: sqlite3.Connection, web: Web, tmp_path: Path) -> None:
    """A page unlike all that was relevant is left alone, but not where it may be gone."""
    relevance = Relevance.from_seeds((SEED,), TopicOptions(), ())
    run = make_run(make_options(web, tmp_path / "s"), relevance, database, lambda: NOW)
    assert run is not None
    for key in ("a", "b"):
        run.frontier.add(Entry(key, web.url("a.test", f"/{key}"), "a.test", Role.PAGE, 0.5))
    for _ in range(50):
        run.odds.add(0.0, relevant=False)
    lost, other = run.frontier.tasks("state = 0 ORDER BY id")
    assert run.is_hopeless(lost)
    missed(run.frontier, replace(lost, fetched=NOW))
    assert [run.is_hopeless(task) for task in (lost, other)] == [False, True]


def test_a_page_that_never_was_there_is_not_asked_for_again(database: sqlite3.Connection, tmp_path: Path) -> None:
    """A dead link is gone at once."""
    frontier = Frontier(database, "r1", Gates(1.0, 60.0))
    assert frontier.begin(NOW)
    frontier.add(Entry("a.test/dead", "http://a.test/dead", "a.test", Role.PAGE, 0.5))
    missed(frontier, frontier.tasks("state = 0")[0])
    assert [found.verdict for found in outcomes(tmp_path, "r1")] == [Verdict.GONE]
    later = Frontier(database, "r2", Gates(1.0, 60.0))
    assert later.begin(NOW)
    assert ask_for_missing(later) == 0
