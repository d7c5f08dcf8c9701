"""The queue on disk: best first, one outcome for each URL, nothing lost between two processes."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleaning.verdict import Verdict
from crawler.entries import Added, Entry, Role, Task, Warc
from crawler.errors import StateError
from crawler.frontier import Frontier
from crawler.gates import Gates
from crawler.outcomes import outcomes, totals
from crawler.state import DATABASE, locked, open_database

NOW = 1_763_000_000.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A state's database."""
    opened = open_database(tmp_path)
    yield opened
    opened.close()


def begin(database: sqlite3.Connection, run_id: str = "r1") -> Frontier:
    """The frontier of a run, begun."""
    frontier = Frontier(database, run_id, Gates(1.0, 60.0))
    assert frontier.begin(NOW)
    return frontier


def entry(name: str, score: float = 0.5, **fields: object) -> Entry:
    """A page of a.test."""
    return Entry(f"a.test/{name}", f"http://a.test/{name}", "a.test", Role.PAGE, score, **fields)  # type: ignore[arg-type]


def take(frontier: Frontier, host: str = "a.test") -> Task:
    """The best URL of a host."""
    task = frontier.best(host)
    assert task is not None
    return task


def test_the_best_comes_first(database: sqlite3.Connection) -> None:
    """By score; of equals the one that was found first."""
    frontier = begin(database)
    for name, score in (("low", 0.1), ("high", 0.9), ("one", 0.5), ("two", 0.5)):
        assert frontier.add(entry(name, score)) is Added.NEW
    order = []
    while frontier.gates.get("a.test").top is not None:
        task = take(frontier)
        order.append(task.url.rpartition("/")[2])
        frontier.fetched(task, NOW)
    assert order == ["high", "one", "two", "low"]


def test_a_url_that_waits_gains_what_another_source_knows(database: sqlite3.Connection) -> None:
    """The better score, the smaller depth, the title that was missing."""
    frontier = begin(database)
    frontier.add(entry("a", 0.1, depth=2))
    assert frontier.add(entry("a", 0.7, depth=1, title="Talks", published=NOW)) is Added.QUEUED
    task = take(frontier)
    assert (task.score, task.depth, task.title, task.published) == (0.7, 1, "Talks", NOW)
    assert frontier.gates.get("a.test").top == 0.7


def test_what_was_fetched_is_known(database: sqlite3.Connection) -> None:
    """In the same run and in later ones, with the same title and date."""
    frontier = begin(database)
    frontier.add(entry("a", title="Talks", published=NOW, is_titled=True))
    frontier.fetched(take(frontier), NOW, validators=("e1", "m1"), digest="d1")
    assert frontier.add(entry("a", title="Talks", is_titled=True)) is Added.KNOWN
    later = begin(database, "r2")
    assert later.add(entry("a", title="Talks", published=NOW, is_titled=True)) is Added.KNOWN


@pytest.mark.parametrize(
    "change",
    [{"modified": NOW + 60}, {"title": "Talks end", "is_titled": True}],
    ids=["a later modification", "another headline"],
)
def test_what_its_source_calls_changed_is_asked_for_again(
    database: sqlite3.Connection, change: dict[str, object]
) -> None:
    """Once for each change, with the validators of the last fetch."""
    frontier = begin(database)
    frontier.add(entry("a", title="Talks", published=NOW - 60, is_titled=True))
    frontier.fetched(take(frontier), NOW, validators=("e1", "m1"), digest="d1")
    later = begin(database, "r2")
    assert later.add(entry("a", **change)) is Added.CHANGED
    task = take(later)
    assert task.is_revisit
    assert (task.etag, task.last_modified, task.digest) == ("e1", "m1", "d1")
    later.unchanged(task, NOW + 100)
    assert begin(database, "r3").add(entry("a", **change)) is Added.KNOWN


@pytest.mark.parametrize(
    ("verdict", "again"),
    [
        (Verdict.FETCH_FAILED, Added.NEW),
        (Verdict.BLOCKED, Added.NEW),
        (Verdict.GONE, Added.KNOWN),
        (Verdict.TRAP, Added.KNOWN),
    ],
)
def test_what_failed_gets_another_chance_in_another_run(
    database: sqlite3.Connection, verdict: Verdict, again: Added
) -> None:
    """But not in the same one, and not where the answer was final."""
    frontier = begin(database)
    frontier.add(entry("a"))
    frontier.drop(take(frontier), verdict, "x", NOW)
    assert frontier.add(entry("a")) is Added.KNOWN
    assert begin(database, "r2").add(entry("a")) is again


def test_an_alias_is_not_fetched(database: sqlite3.Connection) -> None:
    """Also where it waited already."""
    frontier = begin(database)
    frontier.add(entry("a", 0.9))
    frontier.add(entry("a-amp", 0.5))
    frontier.add_alias("a.test/a-amp", take(frontier))
    frontier.add_alias("a.test/a-canonical", take(frontier))
    frontier.fetched(take(frontier), NOW)
    assert frontier.gates.get("a.test").top is None
    assert frontier.add(entry("a-canonical")) is Added.KNOWN


def test_a_run_resumes_with_its_counts(database: sqlite3.Connection) -> None:
    """What was not acknowledged waits still; a finished run does not begin again."""
    frontier = begin(database)
    frontier.add(entry("a", 0.9))
    frontier.add(entry("b", 0.1))
    frontier.ledger.pages, frontier.ledger.requests = 5, 9
    frontier.ledger.save_counts()
    frontier.fetched(take(frontier), NOW, warc=Warc("r1-00001.warc.gz", 10, 300))
    resumed = begin(database)
    assert (resumed.ledger.pages, resumed.ledger.requests) == (5, 9)
    assert take(resumed).url == "http://a.test/b"
    assert resumed.ledger.committed_files() == {"r1-00001.warc.gz": 300}
    resumed.ledger.finish(NOW, "done", {})
    assert not Frontier(database, "r1", Gates(1.0, 60.0)).begin(NOW)


def test_pages_whose_records_were_lost_wait_again(database: sqlite3.Connection) -> None:
    """After a loss of power the records beyond what is left of a file are fetched again."""
    frontier = begin(database)
    for i in range(3):
        frontier.add(entry(str(i), 0.9 - i / 10))
        frontier.fetched(take(frontier), NOW, warc=Warc("f", i * 100, i * 100 + 100))
    assert frontier.requeue_lost("f", 100) == 2
    assert frontier.queued() == 2


def test_a_transaction_is_whole(database: sqlite3.Connection) -> None:
    """An error inside leaves nothing of it."""
    frontier = begin(database)

    def half() -> None:
        with frontier.transaction():
            frontier.add(entry("a"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert frontier.queued() == 0


def test_outcomes_and_totals_are_read_from_the_state(database: sqlite3.Connection, tmp_path: Path) -> None:
    """One outcome for each URL, the last one; times are aware; an unknown run has none."""
    frontier = begin(database)
    frontier.add(entry("a", title="Talks", kind="feed", source="http://a.test/feed", published=NOW))
    frontier.fetched(take(frontier), NOW, warc=Warc("f", 7, 9))
    frontier.ledger.note(entry("b"), Verdict.TRAP, "calendar")
    first, second = outcomes(tmp_path, "r1")
    assert (first.url, first.verdict, first.warc_file, first.warc_offset) == ("http://a.test/a", Verdict.KEPT, "f", 7)
    assert first.fetched_at is not None
    assert first.fetched_at.timestamp() == NOW
    assert (second.verdict, second.reason, second.fetched_at) == (Verdict.TRAP, "calendar", None)
    found = totals(tmp_path, "r1")
    assert found is not None
    assert found.verdicts == {"kept": 1, "trap": 1}
    assert list(outcomes(tmp_path, "r9")) == []
    assert totals(tmp_path, "r9") is None
    assert totals(tmp_path / "nowhere", "r1") is None


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """The message names the file and the versions."""
    database = open_database(tmp_path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StateError, match="version 99"):
        open_database(tmp_path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """It is not overwritten."""
    (tmp_path / DATABASE).write_bytes(b"something else" * 100)
    with pytest.raises(StateError, match="is no database"):
        open_database(tmp_path)
    assert (tmp_path / DATABASE).read_bytes().startswith(b"something")


def test_the_lock_ends_with_its_block(tmp_path: Path) -> None:
    """One holder at a time."""
    with locked(tmp_path), pytest.raises(StateError), locked(tmp_path, patience=0.0):
        pass
    with locked(tmp_path):
        pass
