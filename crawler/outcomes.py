"""What became of each URL that a run considered, and the totals, read from the crawl's database."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cleaning.verdict import Verdict
from crawler.state import read_database

UNCHANGED = "unchanged since the last fetch"
WITHHELD = "unchanged, but its text is withheld: "
"""Reasons of NOT_MODIFIED; the second goes on with the signal that says so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a URL in a run. `fetched_at` is None where nothing was fetched; `score` is what it was ranked by.

    KEPT means that the page was fetched and is in `warc_file` at byte `warc_offset`; cleaning has the last word on it.
    Plainly KNOWN URLs are only counted (`totals`); those that are known under another URL are listed.
    """

    url: str
    verdict: Verdict
    reason: str
    source: str
    source_kind: str
    title: str
    published: datetime | None
    score: float
    fetched_at: datetime | None
    warc_file: str
    warc_offset: int

    @property
    def withheld(self) -> str:
        """The signal, as `name: value`, by which a page that did not change withholds its text; "" for none."""
        return self.reason.removeprefix(WITHHELD) if self.reason.startswith(WITHHELD) else ""


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """What one source gave in a run: requests to it, those unchanged, its candidates, known, fetched and relevant."""

    source: str
    kind: str
    requests: int
    not_modified: int
    candidates: int
    known: int
    fetched: int
    relevant: int
    error: str


@dataclass(frozen=True, slots=True)
class Totals:
    """A run in numbers. `verdicts` has a count for each verdict that occurred; `stats` is the crawl's last line."""

    run_id: str
    finished: bool
    reason: str
    pages: int
    requests: int
    verdicts: dict[str, int]
    sources: tuple[SourceTotals, ...]
    stats: dict[str, Any]


def outcomes(state: Path, run_id: str) -> Iterator[Outcome]:
    """What became of the URLs that a run considered, by their keys; nothing where there was no such run."""
    database = read_database(state)
    if database is None:
        return
    try:
        for row in database.execute("SELECT * FROM outcomes WHERE run_id = ? ORDER BY key", (run_id,)):
            yield _outcome(row)
    finally:
        database.close()


def totals(state: Path, run_id: str) -> Totals | None:
    """A run in numbers; None where there was no such run."""
    database = read_database(state)
    if database is None:
        return None
    try:
        run = database.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        return _totals(database, run) if run else None
    finally:
        database.close()


def verdict_counts(database: sqlite3.Connection, run_id: str) -> dict[str, int]:
    """How often each verdict occurred in a run, the plainly known URLs included."""
    query = "SELECT verdict, count(*) FROM outcomes WHERE run_id = ? GROUP BY verdict ORDER BY verdict"
    counts = {verdict: int(n) for verdict, n in database.execute(query, (run_id,))}
    known = database.execute("SELECT coalesce(sum(known), 0) FROM source_runs WHERE run_id = ?", (run_id,)).fetchone()[
        0
    ]
    if known:
        counts[Verdict.KNOWN] = counts.get(Verdict.KNOWN, 0) + int(known)
    return counts


def kind_counts(database: sqlite3.Connection, run_id: str) -> dict[str, dict[str, int]]:
    """How many pages a run fetched, and how many of them seemed relevant, by the kind of source that named them."""
    query = (
        "SELECT kind, count(*), coalesce(sum(relevant), 0) FROM urls WHERE run_id = ? AND role = 'page'"
        " AND relevant IS NOT NULL GROUP BY kind ORDER BY kind"
    )
    rows = database.execute(query, (run_id,))
    return {kind: {"fetched": int(fetched), "relevant": int(relevant)} for kind, fetched, relevant in rows}


def _totals(database: sqlite3.Connection, run: sqlite3.Row) -> Totals:
    query = """SELECT r.*, coalesce(s.kind, CASE r.source WHEN 'list' THEN 'list' ELSE 'section' END) AS kind
               FROM source_runs r LEFT JOIN sources s ON s.url = r.source WHERE r.run_id = ? ORDER BY r.source"""
    return Totals(
        run_id=run["run_id"],
        finished=run["finished"] is not None,
        reason=run["reason"],
        pages=run["pages"],
        requests=run["requests"],
        verdicts=verdict_counts(database, run["run_id"]),
        sources=tuple(_source_totals(row) for row in database.execute(query, (run["run_id"],))),
        stats=json.loads(run["stats"]),
    )


def _source_totals(row: sqlite3.Row) -> SourceTotals:
    names = ("source", "kind", "requests", "not_modified", "candidates", "known", "fetched", "relevant", "error")
    return SourceTotals(**{name: row[name] for name in names})


def _outcome(row: sqlite3.Row) -> Outcome:
    return Outcome(
        url=row["url"],
        verdict=Verdict(row["verdict"]),
        reason=row["reason"],
        source=row["source"],
        source_kind=row["kind"],
        title=row["title"],
        published=as_time(row["published"]),
        score=row["score"],
        fetched_at=as_time(row["at"]),
        warc_file=row["file"],
        warc_offset=row["offset"],
    )


def as_time(seconds: float | None) -> datetime | None:
    """An aware time in UTC from seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
