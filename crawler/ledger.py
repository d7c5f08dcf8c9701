"""What a run did, as its database keeps it: its counts, the outcome of each URL, and its files."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

from cleaning.verdict import Verdict
from crawler.entries import Entry, Task, Warc
from crawler.outcomes import verdict_counts


class Ledger:
    """The book of one run. Changes are made inside the caller's transaction.

    `pages` counts pages that were fetched, `explored` those of them that were tried against the odds, `skipped` the
    verdicts of this run so far.
    """

    def __init__(self, database: sqlite3.Connection, run_id: str) -> None:
        self.database = database
        self.run_id = run_id
        self.started = 0.0
        self.pages = 0
        self.requests = 0
        self.explored = 0
        self.skipped: Counter[str] = Counter()

    def begin(self, now: float) -> bool:
        """Opens the run's book, or reads how far it came; returns False where it is finished already."""
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
        return True

    def is_new(self) -> bool:
        """Whether the run has not put its sources into the queue yet."""
        return not self.database.execute("SELECT 1 FROM source_runs WHERE run_id = ?", (self.run_id,)).fetchone()

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

    def save_counts(self) -> None:
        """Stores the run's counts."""
        self.database.execute(
            "UPDATE runs SET pages = ?, requests = ?, explored = ? WHERE run_id = ?",
            (self.pages, self.requests, self.explored, self.run_id),
        )

    def verdict_counts(self) -> dict[str, int]:
        """How often each verdict occurred in this run."""
        return verdict_counts(self.database, self.run_id)

    def finish(self, now: float, reason: str, stats: Mapping[str, Any]) -> None:
        """Marks the run as finished: starting it again does nothing."""
        self.save_counts()
        self.database.execute(
            "UPDATE runs SET finished = ?, reason = ?, stats = ? WHERE run_id = ?",
            (now, reason, json.dumps(stats, sort_keys=True), self.run_id),
        )
