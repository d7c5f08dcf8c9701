"""What to fetch next: the queue of URLs on disk, best first, and what became of each; every step is one transaction."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cleaning.urls import host_of
from cleaning.verdict import Verdict
from crawler.gates import Gates, gate_of
from crawler.outcomes import Outcome, Totals, outcomes, totals, verdict_counts

__all__ = ["Entry", "Frontier", "Outcome", "Role", "Task", "Totals", "Warc", "outcomes", "totals"]

_QUEUED, _DONE, _DROPPED, _ALIAS = range(4)
_FINAL = frozenset(
    (Verdict.GONE, Verdict.TRAP, Verdict.TOO_LARGE, Verdict.REFUSED_ADDRESS, Verdict.KNOWN, Verdict.NOT_HTML)
)


_MAX_DOUBTED = 50


class Role(StrEnum):
    """What a request is for."""

    SOURCE = "source"
    PAGE = "page"
    ROBOTS = "robots"
    DOCUMENT = "document"


class Added(StrEnum):
    """What adding a URL to the frontier led to."""

    NEW = "new"
    QUEUED = "queued"
    CHANGED = "changed"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Entry:
    """A URL to put into the frontier. `key` is its identity, `host` its gate; times are seconds since the epoch.

    `is_titled` says that the title is a feed's or a news sitemap's, and not just the text of a link.
    """

    key: str
    url: str
    host: str
    role: Role
    score: float
    title_score: float = 0.0
    depth: int = 0
    kind: str = ""
    source: str = ""
    title: str = ""
    published: float | None = None
    modified: float | None = None
    hops: int = 0
    is_titled: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A request to make. `fetched`, `etag`, `last_modified`, `digest` and `relevant` are of the last fetch, if any."""

    role: Role
    url: str
    host: str
    id: int = 0
    key: str = ""
    score: float = 0.0
    title_score: float = 0.0
    depth: int = 0
    kind: str = ""
    source: str = ""
    title: str = ""
    published: float | None = None
    modified: float | None = None
    attempts: int = 0
    hops: int = 0
    fetched: float | None = None
    etag: str = ""
    last_modified: str = ""
    digest: str = ""
    relevant: int | None = None
    origin: str = ""

    @property
    def is_revisit(self) -> bool:
        """Whether the URL was fetched before, so that the request is conditional."""
        return self.fetched is not None


@dataclass(frozen=True, slots=True)
class Warc:
    """Where a page lies, and the length in bytes of the WARC file after it."""

    file: str
    offset: int
    length: int


_TASK_FIELDS = (
    "id, url, host, role, key, score, title_score, depth, kind, source, title, published, modified, attempts, hops, "
    "fetched, etag, last_modified, digest, relevant"
)
_BEST = f"SELECT {_TASK_FIELDS} FROM urls WHERE host = ? AND state = 0 ORDER BY score DESC, id LIMIT 1"
_TOP = "SELECT score FROM urls WHERE host = ? AND state = 0 ORDER BY score DESC, id LIMIT 1"


class Frontier:
    """The queue of one run, over the URLs that all runs of a state know.

    What is in flight is not marked on disk: until it is acknowledged it is queued, so a killed run repeats just that.
    """

    def __init__(self, database: sqlite3.Connection, run_id: str, gates: Gates) -> None:
        self.database = database
        self.run_id = run_id
        self.gates = gates
        self.started = 0.0
        self.pages = 0
        self.requests = 0
        self.explored = 0
        self.skipped: Counter[str] = Counter()

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
        run = self.database.execute("SELECT * FROM runs WHERE run_id = ?", (self.run_id,)).fetchone()
        if run is None:
            self.database.execute("INSERT INTO runs(run_id, started) VALUES(?, ?)", (self.run_id, now))
            self.started = now
        elif run["finished"] is not None:
            return False
        else:
            self.started, self.pages, self.requests = run["started"], run["pages"], run["requests"]
            self.explored = run["explored"]
        self.skipped.update(self.verdict_counts())
        # What could not be read in an earlier run is asked again in this one.
        self.database.execute("DELETE FROM origins WHERE state = 'disallow'")
        self._load_gates()
        return True

    def is_new(self) -> bool:
        """Whether the run has not put its sources into the queue yet."""
        return not self.database.execute("SELECT 1 FROM source_runs WHERE run_id = ?", (self.run_id,)).fetchone()

    def _load_gates(self) -> None:
        for host, next_at in self.database.execute("SELECT host, next_at FROM hosts"):
            self.gates.get(host).next_at = next_at
        query = "SELECT host, pages FROM host_pages WHERE run_id = ?"
        for host, pages in self.database.execute(query, (self.run_id,)):
            self.gates.get(host).pages = pages
        for host, top in self.database.execute("SELECT host, max(score) FROM urls WHERE state = 0 GROUP BY host"):
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
        if row["state"] == _QUEUED:
            self._improve(row, entry)
            return Added.QUEUED
        if again or self._is_due(row, entry):
            self._requeue(row, entry)
            return Added.CHANGED if row["fetched"] is not None else Added.NEW
        return Added.KNOWN

    def _is_due(self, row: sqlite3.Row, entry: Entry) -> bool:
        if row["run_id"] == self.run_id or row["state"] == _ALIAS:
            return False
        # What the source said last time is the measure: its clock need not be ours.
        before = row["modified"] or row["published"] or row["fetched"] or 0.0
        is_later = entry.modified is not None and entry.modified > before
        if row["state"] == _DONE:
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
            (key, task.url, task.host, task.role, _ALIAS, self.run_id),
        )
        self.database.execute(
            "UPDATE urls SET state = ? WHERE key = ? AND state = 0 AND id != ?", (_ALIAS, key, task.id)
        )

    def doubt_missing(self, source: str, listed: set[str], oldest: float, score: float) -> int:
        """Queues the relevant articles of a source that it should list still and does not: perhaps they were withdrawn.

        Args:
            source: the feed or news sitemap.
            listed: the keys that it lists now.
            oldest: when the oldest article that it lists was published; older ones it need not list.
            score: the place in the queue.

        Returns:
            How many were queued. Each article is doubted once.
        """
        query = (
            "SELECT id, key, host FROM urls WHERE source = ? AND role = 'page' AND state = ? AND relevant = 1"
            " AND doubted = 0 AND published > ? AND run_id != ? ORDER BY published DESC, id"
        )
        rows = self.database.execute(query, (source, _DONE, oldest, self.run_id)).fetchall()
        missing = [row for row in rows if row["key"] not in listed][:_MAX_DOUBTED]
        for row in missing:
            self.database.execute(
                "UPDATE urls SET state = 0, doubted = 1, attempts = 0, hops = 0, score = ?, run_id = ? WHERE id = ?",
                (score, self.run_id, row["id"]),
            )
            self._raise_top(row["host"], score)
        return len(missing)

    # Taking out.

    def best(self, host: str) -> Task | None:
        """The best URL that waits for a host."""
        row = self.database.execute(_BEST, (host,)).fetchone()
        if row is None:
            self.gates.get(host).top = None
            return None
        return Task(**{**dict(row), "role": Role(row["role"])})

    def refresh_top(self, host: str) -> None:
        """Reads the score of a host's best waiting URL anew."""
        row = self.database.execute(_TOP, (host,)).fetchone()
        self.gates.get(host).top = row[0] if row else None

    def drop(self, task: Task, verdict: Verdict, reason: str, now: float | None = None) -> None:
        """Takes a URL out for a reason; `now` where it was asked for."""
        self.database.execute(
            "UPDATE urls SET state = ?, verdict = ?, run_id = ? WHERE id = ?", (_DROPPED, verdict, self.run_id, task.id)
        )
        if task.role is Role.PAGE:
            self.note(task, verdict, reason, at=now)
        self.refresh_top(task.host)

    def waiting_of(self, origin: str) -> list[Task]:
        """The URLs of an origin that wait."""
        query = f"SELECT {_TASK_FIELDS} FROM urls WHERE state = 0 AND host = ? AND url >= ? AND url < ?"
        host = gate_of(host_of(origin))
        rows = self.database.execute(query, (host, f"{origin}/", f"{origin}0")).fetchall()  # "0" comes after "/"
        return [Task(**{**dict(row), "role": Role(row["role"])}) for row in rows]

    def shelve(self, task: Task) -> None:
        """Lets a URL wait that is not worth a request as things stand; a better score takes it up again."""
        self.database.execute("UPDATE urls SET score = -1 WHERE id = ?", (task.id,))
        self.refresh_top(task.host)

    def retry(self, task: Task) -> None:
        """Puts a URL back for another attempt, behind what has not failed."""
        self.database.execute("UPDATE urls SET attempts = attempts + 1, score = score * 0.9 WHERE id = ?", (task.id,))
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
                _DONE, now, *validators, digest, relevant, verdict, warc.file if warc else "",
                warc.offset if warc else -1, self.run_id, task.id,
            ),
        )  # fmt: skip
        if warc:
            self.note_file(warc.file, warc.length)
        if task.role is Role.PAGE:
            self.note(task, verdict, reason, at=now, warc=warc)
        self.refresh_top(task.host)

    def unchanged(self, task: Task, now: float, *, validators: tuple[str, str] = ("", "")) -> None:
        """Acknowledges a revisit that found nothing new; what is known of the page stays."""
        self.database.execute(
            "UPDATE urls SET state = ?, fetched = ?, run_id = ?, etag = CASE ? WHEN '' THEN etag ELSE ? END,"
            " last_modified = CASE ? WHEN '' THEN last_modified ELSE ? END WHERE id = ?",
            (_DONE, now, self.run_id, validators[0], validators[0], validators[1], validators[1], task.id),
        )
        self.note(task, Verdict.NOT_MODIFIED, "unchanged since the last fetch", at=now)
        self.refresh_top(task.host)

    def move(self, task: Task, url: str, host: str) -> None:
        """Gives a waiting URL another address of the same identity, after a redirect."""
        self.database.execute("UPDATE urls SET url = ?, host = ?, hops = hops + 1 WHERE id = ?", (url, host, task.id))
        self.refresh_top(task.host)
        self.refresh_top(host)

    def note(
        self, task: Task | Entry, verdict: Verdict, reason: str, *, at: float | None = None, warc: Warc | None = None
    ) -> None:
        """Notes an outcome of this run; a later one for the same key replaces it."""
        self.skipped[verdict] += 1
        self.database.execute(
            "INSERT OR REPLACE INTO outcomes VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.run_id, task.key, task.url, verdict, reason[:500], task.kind, task.source, task.title,
                task.published, task.score, at, warc.file if warc else "", warc.offset if warc else -1,
            ),
        )  # fmt: skip

    def note_file(self, name: str, length: int) -> None:
        """Acknowledges a WARC file up to a length in bytes."""
        self.database.execute("INSERT OR REPLACE INTO files VALUES(?, ?, ?)", (name, self.run_id, length))

    def committed_files(self) -> dict[str, int]:
        """The acknowledged length in bytes of each WARC file of the run."""
        query = "SELECT name, length FROM files WHERE run_id = ?"
        return {row["name"]: row["length"] for row in self.database.execute(query, (self.run_id,))}

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

    def save_counts(self) -> None:
        """Stores the run's counts."""
        self.database.execute(
            "UPDATE runs SET pages = ?, requests = ?, explored = ? WHERE run_id = ?",
            (self.pages, self.requests, self.explored, self.run_id),
        )

    def queued(self) -> int:
        """How many URLs wait."""
        return int(self.database.execute("SELECT count(*) FROM urls WHERE state = 0").fetchone()[0])

    def verdict_counts(self) -> dict[str, int]:
        """How often each verdict occurred in this run."""
        return verdict_counts(self.database, self.run_id)

    def waiting(self) -> Iterator[Task]:
        """The pages of this run that still wait, best first; for the verdicts at its end."""
        query = (
            f"SELECT {_TASK_FIELDS} FROM urls WHERE state = 0 AND role = 'page' AND run_id = ? ORDER BY score DESC, id"
        )
        for row in self.database.execute(query, (self.run_id,)).fetchall():
            yield Task(**{**dict(row), "role": Role(row["role"])})

    def finish(self, now: float, reason: str, stats: Mapping[str, Any]) -> None:
        """Marks the run as finished: starting it again does nothing."""
        self.save_counts()
        self.database.execute(
            "UPDATE runs SET finished = ?, reason = ?, stats = ? WHERE run_id = ?",
            (now, reason, json.dumps(stats, sort_keys=True), self.run_id),
        )

    def _raise_top(self, host: str, score: float) -> None:
        gate = self.gates.get(host)
        if gate.top is None or score > gate.top:
            gate.top = score
