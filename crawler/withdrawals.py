"""Fetched pages that may be gone: unlisted by their source, missing at one request, or past the end they were given."""

from datetime import datetime

from cleaning.verdict import Verdict
from crawler.entries import State, Task
from crawler.frontier import Frontier

DOUBT = 0.5
"""Place in the queue, 0..1, of a page that is asked for to learn whether it is there still."""

_MAX_DOUBTED = 50
_UNSETTLED = (Verdict.GONE, Verdict.FETCH_FAILED, Verdict.BLOCKED, Verdict.ROBOTS)


def doubt_unlisted(frontier: Frontier, source: str, listed: set[str], oldest: float) -> int:
    """Queues the relevant articles of a source that it should list still and does not: perhaps they were withdrawn.

    Args:
        frontier: the run's, inside a transaction.
        source: the feed or news sitemap.
        listed: the keys that it lists now.
        oldest: when the oldest article that it lists was published; older ones it need not list.

    Returns:
        How many were queued. Each article is doubted once.
    """
    condition = (
        "source = ? AND role = 'page' AND state = ? AND relevant = 1 AND doubted = 0 AND published > ? AND run_id != ?"
        " ORDER BY published DESC, id"
    )
    fetched = frontier.tasks(condition, source, State.DONE, oldest, frontier.run_id)
    unlisted = [task for task in fetched if task.key not in listed][:_MAX_DOUBTED]
    for task in unlisted:
        frontier.database.execute("UPDATE urls SET doubted = 1 WHERE id = ?", (task.id,))
        frontier.ask_again(task, DOUBT)
    return len(unlisted)


def note_missing(frontier: Frontier, task: Task, reason: str, now: float) -> None:
    """Drops a page that was not found; one that was there before is asked for once more in the next run.

    One answer of 404 may be an accident, the second in a row is believed.
    """
    frontier.drop(task, Verdict.GONE, reason, now)
    was_missing = frontier.database.execute("DELETE FROM missing WHERE id = ?", (task.id,)).rowcount
    if task.is_revisit and not was_missing:
        frontier.database.execute("INSERT INTO missing VALUES(?)", (task.id,))


def ask_for_missing(frontier: Frontier) -> int:
    """Queues the pages that an earlier run did not find, to know for certain; returns how many.

    Those that a run could not ask for, or that gave no clear answer, are asked for again; those that were there are
    missing no longer.
    """
    marks = ", ".join("?" * len(_UNSETTLED))
    condition = f"id IN (SELECT id FROM missing) AND state = ? AND verdict IN ({marks}) ORDER BY id"
    missing = frontier.tasks(condition, State.DROPPED, *_UNSETTLED)
    for task in missing:
        frontier.ask_again(task, DOUBT)
    frontier.database.execute(
        "DELETE FROM missing WHERE NOT EXISTS (SELECT 1 FROM urls WHERE urls.id = missing.id AND state = ?)",
        (State.QUEUED,),
    )
    return len(missing)


def is_missing(frontier: Frontier, task: Task) -> bool:
    """Whether a page that was there before is asked for to learn whether it is gone, whatever it is about."""
    return frontier.database.execute("SELECT 1 FROM missing WHERE id = ?", (task.id,)).fetchone() is not None


def note_end(frontier: Frontier, task: Task, end: datetime | None) -> None:
    """Notes when a page ends to be available, as its publisher says; None where it says nothing of the kind."""
    frontier.database.execute("DELETE FROM ends WHERE id = ?", (task.id,))
    if end is not None:
        frontier.database.execute("INSERT INTO ends VALUES(?, ?)", (task.id, end.timestamp()))


def drop_ended(frontier: Frontier, now: float) -> int:
    """Takes the fetched pages for gone whose publisher said that they are not available any more by now."""
    ended = frontier.tasks("id IN (SELECT id FROM ends WHERE at <= ?) ORDER BY id", now)
    for task in ended:
        frontier.drop(task, Verdict.GONE, "its publisher let it end (unavailable_after)")
    frontier.database.execute("DELETE FROM ends WHERE at <= ?", (now,))
    return len(ended)
