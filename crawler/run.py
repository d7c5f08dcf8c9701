"""The parts of one run of the crawl, made once and handed to what deals with answers."""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble
from crawler.archives import ArchivePage
from crawler.candidates import Kind
from crawler.entries import Role, Task
from crawler.frontier import Frontier
from crawler.gates import Gates
from crawler.guards import Guard
from crawler.harvest import Harvest
from crawler.ledger import Ledger
from crawler.lessons import Lessons
from crawler.options import CrawlOptions
from crawler.policies import PolicyBook
from crawler.ranking import Ranking, is_hub
from crawler.relevance import Odds, Relevance
from crawler.screening import Screen
from crawler.sources import Sources
from crawler.store import WarcStore
from crawler.withdrawals import is_missing

MAX_ATTEMPTS = 3
"""Requests for a page or a source before it is given up in a run."""

MAX_HOPS = 5
"""Redirects of a page or source that are followed."""

_CHOOSY = 0.5


@dataclass(slots=True)
class ArchiveWalk:
    """How far a run came in an archive: the pages that follow, and how many gave nothing one after another."""

    pages: Iterator[ArchivePage]
    empty: int = 0


@dataclass(slots=True)
class Run:
    """A run's parts.

    `urgent` are requests that go before a host's queue; `held` are answers that wait for a licence, by its URL; `clock`
    gives seconds since the epoch; `archives` are the walks by pattern.
    """

    options: CrawlOptions
    relevance: Relevance
    clock: Callable[[], float]
    guard: Guard
    gates: Gates
    frontier: Frontier
    sources: Sources
    policies: PolicyBook
    odds: Odds
    store: WarcStore
    harvest: Harvest
    urgent: dict[str, deque[Task]] = field(default_factory=dict)
    held: dict[str, list[tuple[Task, Answer]]] = field(default_factory=dict)
    relevant: int = 0
    archives: dict[str, ArchiveWalk] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        """The book of the run."""
        return self.frontier.ledger

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock()

    def push(self, task: Task) -> None:
        """Puts a request before its host's queue."""
        self.urgent.setdefault(task.host, deque()).append(task)

    def drop(self, task: Task, verdict: Verdict, reason: str) -> None:
        """Drops a URL that was not asked for."""
        if task.role is Role.SOURCE:
            self.sources.failed(task.url, f"{verdict}: {reason}")
        self.frontier.drop(task, verdict, reason)

    def is_hopeless(self, task: Task) -> bool:
        """Whether hardly any page of the task's like is relevant; sections, lists and the relevant are exempt.

        So are pages that are missing: what was published must be known to be gone.
        """
        is_judged = task.kind != Kind.LIST and not is_hub(task) and not task.relevant
        return is_judged and self.odds.is_hopeless(task.title_score) and not is_missing(self.frontier, task)

    def extra_delay(self, task: Task) -> float:
        """The seconds between two requests that the site asks for; 0 for none, or where it is not known yet."""
        return self.policies.delay(task.origin)

    def count_trouble(self, task: Task, trouble: Trouble) -> None:
        """Lets a trouble count at the host's gate: against it, or as the end of one request."""
        extra = self.extra_delay(task)
        if trouble.is_host:
            self.gates.failed(task.host, self.now(), trouble.verdict, trouble.reason, trouble.wait, extra)
        else:
            self.gates.succeeded(task.host, self.now(), extra)


def make_run(
    options: CrawlOptions, relevance: Relevance, database: sqlite3.Connection, clock: Callable[[], float]
) -> Run | None:
    """The parts of a run, begun or resumed in the database; None where it is finished already.

    Raises:
        StoreError: the WARC folder or a file in it cannot be written.
    """
    gates = Gates(options.politeness.delay, options.politeness.patience, choosy=_CHOOSY)
    frontier = Frontier(database, options.run_id, gates, only_listed=bool(options.urls))
    with frontier.transaction():
        if not frontier.begin(clock()):
            return None
    gates.close_impatient(clock())
    sources = Sources(database, options.run_id)
    guard = Guard(options.network)
    policies = PolicyBook(database)
    committed = frontier.ledger.committed_files()
    store = WarcStore(options.state / "warc", options.run_id, _about(options), options.limits.warc_bytes, committed)
    with frontier.transaction():
        for name, length in store.lost.items():
            frontier.requeue_lost(name, length)
    return Run(
        options=options,
        relevance=relevance,
        clock=clock,
        guard=guard,
        gates=gates,
        frontier=frontier,
        sources=sources,
        policies=policies,
        odds=Odds.of(database, options.limits.least_chance),
        store=store,
        harvest=Harvest(
            options=options,
            frontier=frontier,
            sources=sources,
            guard=guard,
            screen=Screen(guard, options.since, options.until),
            ranking=Ranking(
                # Lists and pages name the same articles again and again.
                title_score=lru_cache(maxsize=20_000)(relevance.title),
                clock=lambda: datetime.fromtimestamp(clock(), UTC),
                lessons=Lessons.of(database),
            ),
            vouching=policies.vouching_sites,
        ),
    )


def _about(options: CrawlOptions) -> dict[str, str]:
    """What the warcinfo record says of the crawl."""
    return {
        "software": options.politeness.user_agent,
        "http-header-user-agent": options.politeness.user_agent,
        "robots": "RFC 9309",
        "isPartOf": options.run_id,
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "politeness": f"one request at a time per host, {options.politeness.delay} s apart",
        "rights": options.politeness.rights,
    }
