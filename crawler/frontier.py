"""What to fetch next: the queue of URLs on disk, best first; every step is one transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from cleaning.urls import host_of
from cleaning.verdict import Verdict
from crawler.entries import Added, Entry, Role, State, Task, Warc
from crawler.gates import Gates, gate_of
from crawler.ledger import Ledger
from crawler.outcomes import UNCHANGED

_FINAL = frozenset(
    (Verdict.GONE, Verdict.TRAP, Verdict.TOO_LARGE, Verdict.REFUSED_ADDRESS, Verdict.KNOWN, Verdict.NOT_HTML)
)

_TASK_FIELDS = (
    "id, url, host, role, key, score, title_score, depth, kind, source, title, published, modified, attempts, hops, "
    "fetched, etag, last_modified, digest, relevant"
)
_BEST = f"SELECT {_TASK_FIELDS} FROM urls WHERE host = ? AND state = 0 AND score > ? ORDER BY score DESC, id LIMIT 1"
_TOP = "SELECT score FROM urls WHERE host = ? AND state = 0 AND score > ? ORDER BY score DESC, id LIMIT 1"

LISTED = 4.0
"""Score of a URL that the options list: over every source (at most 2) and page (at most 1), also after retries."""

_FLOOR = 2.0
_RETRIED = 0.9


class Frontier:
    """The queue of one run, over the URLs that all runs of a state know.

    What is in flight is not marked on disk: until it is acknowledged it is queued, so a killed run repeats just that.

    Args:
        database: the state's.
        run_id: the run that is begun or resumed.
        gates: told of the best URL that waits for each host.
        only_listed: whether only entries with the score LISTED are given out, whatever else waits.
    """

    def __init__(self, database: sqlite3.Connection, run_id: str, gates: Gates, *, only_listed: bool = False) -> None:
        self.database = database
        self.run_id = run_id
        self.gates = gates
        self.floor = _FLOOR if only_listed else -2.0
        self.ledger = Ledger(database, run_id)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is stored, or nothing is."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def begin(self, now: float) -> bool:
        """Starts or resumes the run; returns False where it is finished already."""
        if not self.ledger.begin(now):
            return False
        # What could not be read in an earlier run is asked again in this one.
        self.database.execute("DELETE FROM origins WHERE state = 'disallow'")
        # What an earlier run was told to fetch and did not waits like everything else.
        self.database.execute(
            "UPDATE urls SET score = score / ? WHERE state = 0 AND score > ? AND run_id != ?",
            (LISTED, _FLOOR, self.run_id),
        )
        self._load_gates()
        return True

    def _load_gates(self) -> None:
        for host, next_at in self.database.execute("SELECT host, next_at FROM hosts"):
            self.gates.get(host).next_at = next_at
        query = "SELECT host, pages FROM host_pages WHERE run_id = ?"
        for host, pages in self.database.execute(query, (self.run_id,)):
            self.gates.get(host).pages = pages
        query = "SELECT host, max(score) FROM urls WHERE state = 0 AND score > ? GROUP BY host"
        for host, top in self.database.execute(query, (self.floor,)):
            self.gates.get(host).top = top

    # Putting in.

    def add(self, entry: Entry, *, again: bool = False) -> Added:
        """Puts a URL into the queue unless it is known; `again` queues a known one once more.

        A URL that waits already keeps the better score and gains the title and times that it lacked. One that was
        dropped in an earlier run gets another chance; one that was fetched is queued where the entry says that it
        changed since, to be asked for conditionally.
        """
        row = self.database.execute(
            "SELECT id, state, score, depth, title, published, modified, fetched, run_id, verdict FROM urls"
            " WHERE key = ?",
            (entry.key,),
        ).fetchone()
        if row is None:
            self._insert(entry)
            return Added.NEW
        if row["state"] == State.QUEUED and not (again and row["run_id"] != self.run_id):
            self._improve(row, entry)
            return Added.QUEUED
        if again or self._is_due(row, entry):
            self._requeue(row, entry)
            return Added.CHANGED if row["fetched"] is not None else Added.NEW
        return Added.KNOWN

    def is_known(self, key: str) -> bool:
        """Whether a URL of this identity was ever put into the queue."""
        return self.database.execute("SELECT 1 FROM urls WHERE key = ?", (key,)).fetchone() is not None

    def _is_due(self, row: sqlite3.Row, entry: Entry) -> bool:
        if row["run_id"] == self.run_id or row["state"] == State.ALIAS:
            return False
        # What the source said last time is the measure: its clock need not be ours.
        before = row["modified"] or row["published"] or row["fetched"] or 0.0
        is_later = entry.modified is not None and entry.modified > before
        if row["state"] == State.DONE:
            is_retitled = bool(entry.title and row["title"] and entry.title != row["title"] and entry.is_titled)
            return is_later or is_retitled
        return row["verdict"] not in _FINAL or is_later

    def _insert(self, entry: Entry) -> None:
        self.database.execute(
            "INSERT INTO urls(key, url, host, role, state, score, title_score, depth, kind, source, title, published,"
            " modified, hops, run_id) VALUES(?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.key, entry.url, entry.host, entry.role, entry.score, entry.title_score, entry.depth, entry.kind,
                entry.source, entry.title, entry.published, entry.modified, entry.hops, self.run_id,
            ),
        )  # fmt: skip
        self._raise_top(entry.host, entry.score)

    def _improve(self, row: sqlite3.Row, entry: Entry) -> None:
        better = entry.score > row["score"]
        gains = better or entry.depth < row["depth"] or (entry.title and not row["title"])
        if row["run_id"] == self.run_id and not gains:
            return
        self.database.execute(
            "UPDATE urls SET score = max(score, ?), title_score = max(title_score, ?), depth = min(depth, ?),"
            " title = CASE title WHEN '' THEN ? ELSE title END, published = coalesce(published, ?),"
            " modified = coalesce(?, modified), run_id = ? WHERE id = ?",
            (
                entry.score, entry.title_score, entry.depth, entry.title, entry.published, entry.modified, self.run_id,
                row["id"],
            ),
        )  # fmt: skip
        self._raise_top(entry.host, entry.score)

    def _requeue(self, row: sqlite3.Row, entry: Entry) -> None:
        self.database.execute(
            "UPDATE urls SET state = 0, url = ?, host = ?, role = ?, score = ?, title_score = ?, depth = ?, kind = ?,"
            " source = ?, title = CASE ? WHEN '' THEN title ELSE ? END, published = coalesce(?, published),"
            " modified = coalesce(?, modified), attempts = 0, hops = ?, run_id = ? WHERE id = ?",
            (
                entry.url, entry.host, entry.role, entry.score, entry.title_score, entry.depth, entry.kind,
                entry.source, entry.title, entry.title, entry.published, entry.modified, entry.hops, self.run_id,
                row["id"],
            ),
        )  # fmt: skip
        self._raise_top(entry.host, entry.score)

    def add_alias(self, key: str, task: Task) -> None:
        """Notes that another key is the same page as the task's, so that it is not fetched."""
        self.database.execute(
            "INSERT OR IGNORE INTO urls(key, url, host, role, state, score, run_id) VALUES(?, ?, ?, ?, ?, 0, ?)",
            (key, task.url, task.host, task.role, State.ALIAS, self.run_id),
        )
        for waiting in self.tasks("key = ? AND state = 0 AND id != ? AND role = 'page'", key, task.id):
            self.database.execute("UPDATE urls SET state = ? WHERE id = ?", (State.ALIAS, waiting.id))
            self.ledger.note(waiting, Verdict.KNOWN, f"the same page as {task.url}")
            self.refresh_top(waiting.host)

    def ask_again(self, task: Task, score: float) -> None:
        """Queues a page that was fetched or dropped before once more."""
        self.database.execute(
            "UPDATE urls SET state = ?, attempts = 0, hops = 0, score = ?, run_id = ? WHERE id = ?",
            (State.QUEUED, score, self.run_id, task.id),
        )
        self._raise_top(task.host, score)

    # Taking out.

    def best(self, host: str) -> Task | None:
        """The best URL that waits for a host."""
        row = self.database.execute(_BEST, (host, self.floor)).fetchone()
        if row is None:
            self.gates.get(host).top = None
            return None
        return _task(row)

    def refresh_top(self, host: str) -> None:
        """Reads the score of a host's best waiting URL anew."""
        row = self.database.execute(_TOP, (host, self.floor)).fetchone()
        self.gates.get(host).top = row[0] if row else None

    def drop(self, task: Task, verdict: Verdict, reason: str, now: float | None = None) -> None:
        """Takes a URL out for a reason; `now` where it was asked for."""
        self.database.execute(
            "UPDATE urls SET state = ?, verdict = ?, run_id = ? WHERE id = ?",
            (State.DROPPED, verdict, self.run_id, task.id),
        )
        if task.role is Role.PAGE:
            self.ledger.note(task, verdict, reason, at=now)
        self.refresh_top(task.host)

    def waiting_of(self, origin: str) -> list[Task]:
        """The URLs of an origin that wait for this run."""
        condition = "state = 0 AND host = ? AND score > ? AND url >= ? AND url < ?"
        host = gate_of(host_of(origin))
        return self.tasks(condition, host, self.floor, f"{origin}/", f"{origin}0")  # "0" comes after "/"

    def shelve(self, task: Task) -> None:
        """Lets a URL wait that is not worth a request as things stand; a better score takes it up again."""
        self.database.execute("UPDATE urls SET score = -1 WHERE id = ?", (task.id,))
        self.refresh_top(task.host)

    def retry(self, task: Task) -> None:
        """Puts a URL back for another attempt, behind what has not failed."""
        self.database.execute(
            "UPDATE urls SET attempts = attempts + 1, score = score * ? WHERE id = ?", (_RETRIED, task.id)
        )
        self.refresh_top(task.host)

    def fetched(
        self,
        task: Task,
        now: float,
        *,
        validators: tuple[str, str] = ("", ""),
        digest: str = "",
        relevant: bool | None = None,
        warc: Warc | None = None,
        verdict: Verdict = Verdict.KEPT,
        reason: str = "",
    ) -> None:
        """Acknowledges a URL: its record is stored, its links are in the queue."""
        self.database.execute(
            "UPDATE urls SET state = ?, fetched = ?, etag = ?, last_modified = ?, digest = ?, relevant = ?,"
            " verdict = ?, file = ?, offset = ?, run_id = ? WHERE id = ?",
            (
                State.DONE, now, *validators, digest, relevant, verdict, warc.file if warc else "",
                warc.offset if warc else -1, self.run_id, task.id,
            ),
        )  # fmt: skip
        if warc:
            self.ledger.note_file(warc.file, warc.length)
        if task.role is Role.PAGE:
            self.ledger.note(task, verdict, reason, at=now, warc=warc)
        self.refresh_top(task.host)

    def unchanged(
        self, task: Task, now: float, *, validators: tuple[str, str] = ("", ""), reason: str = UNCHANGED
    ) -> None:
        """Acknowledges a revisit that found nothing new; what is known of the page stays."""
        self.database.execute(
            "UPDATE urls SET state = ?, fetched = ?, run_id = ?, etag = CASE ? WHEN '' THEN etag ELSE ? END,"
            " last_modified = CASE ? WHEN '' THEN last_modified ELSE ? END WHERE id = ?",
            (State.DONE, now, self.run_id, validators[0], validators[0], validators[1], validators[1], task.id),
        )
        self.ledger.note(task, Verdict.NOT_MODIFIED, reason, at=now)
        self.refresh_top(task.host)

    def move(self, task: Task, url: str, host: str) -> None:
        """Gives a waiting URL another address of the same identity, after a redirect."""
        self.database.execute("UPDATE urls SET url = ?, host = ?, hops = hops + 1 WHERE id = ?", (url, host, task.id))
        self.refresh_top(task.host)
        self.refresh_top(host)

    def requeue_lost(self, file: str, length: int) -> int:
        """Puts the pages back whose records lie beyond what is left of a WARC file; returns how many."""
        lost = self.database.execute(
            "UPDATE urls SET state = 0, fetched = NULL WHERE file = ? AND offset >= ? AND role = 'page'", (file, length)
        ).rowcount
        self.database.execute("UPDATE files SET length = ? WHERE name = ?", (length, file))
        return lost

    # Hosts, counts, the end.

    def save_host(self, host: str) -> None:
        """Stores when a host may be asked next, and how it fared."""
        gate = self.gates.get(host)
        self.database.execute("INSERT OR REPLACE INTO hosts VALUES(?, ?, ?)", (host, gate.next_at, gate.failures))
        self.database.execute("INSERT OR REPLACE INTO host_pages VALUES(?, ?, ?)", (self.run_id, host, gate.pages))

    def queued(self) -> int:
        """How many URLs wait."""
        return int(self.database.execute("SELECT count(*) FROM urls WHERE state = 0").fetchone()[0])

    def waiting(self) -> list[Task]:
        """The pages of this run that still wait, best first; for the verdicts at its end."""
        return self.tasks("state = 0 AND role = 'page' AND run_id = ? ORDER BY score DESC, id", self.run_id)

    def waiting_of_source(self, source: str, most: int) -> list[Task]:
        """At most so many pages of a source that wait, were not tried yet, and are not shelved."""
        condition = (
            "source = ? AND role = 'page' AND state = 0 AND attempts = 0 AND score BETWEEN 0 AND 1 ORDER BY id LIMIT ?"
        )
        return self.tasks(condition, source, most)

    def rescore(self, task: Task, score: float) -> None:
        """Gives a URL that waits another place."""
        self.database.execute("UPDATE urls SET score = ? WHERE id = ?", (score, task.id))

    def tasks(self, condition: str, *values: object) -> list[Task]:
        """The URLs that fulfil a condition in SQL on the table `urls`."""
        rows = self.database.execute(f"SELECT {_TASK_FIELDS} FROM urls WHERE {condition}", values).fetchall()
        return [_task(row) for row in rows]

    def _raise_top(self, host: str, score: float) -> None:
        gate = self.gates.get(host)
        if gate.top is None or score > gate.top:
            gate.top = score


def _task(row: sqlite3.Row) -> Task:
    return Task(**{**dict(row), "role": Role(row["role"])})
