"""One run of the crawl: which request comes next, and what its answer changes; knows no Scrapy and no sockets."""

import logging
from dataclasses import replace
from typing import Any

from cleaning.urls import origin_of
from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble
from crawler.entries import Role, Task
from crawler.listings import open_sources, queue_guesses, source_failed, take_source
from crawler.pages import page_failed, release_held, take_page
from crawler.policy import SitePolicy, opt_out
from crawler.policy_answers import document_failed, robots_failed, take_document, take_robots
from crawler.run import Run
from crawler.sources import listed_urls, site_fronts
from crawler.summary import is_unreachable, left_out, statistics
from crawler.withdrawals import ask_for_missing, drop_ended

log = logging.getLogger("crawler")

_FEWEST_EXPLORED = 5
_MAX_SKIPS = 2_000


class Crawl:
    """Gives requests (`next_task`) and takes what came of them (`answered`, `failed`), each in one transaction."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.deadline = run.now() + run.options.limits.seconds
        self.fronts = {} if run.options.urls else site_fronts(run.options)
        self.in_flight = 0
        self.pages_in_flight = 0
        self.ended = ""

    def open(self) -> None:
        """Puts the sources that are due into the queue, where the run is new or could read none of them before."""
        run = self.run
        if not run.ledger.is_new() and not is_unreachable(run):
            log.info(
                "resuming run %s: %d pages so far, %d URLs wait",
                run.options.run_id,
                run.ledger.pages,
                run.frontier.queued(),
            )
            return
        with run.frontier.transaction():
            if run.options.politeness.rights == "strict":
                drop_ended(run.frontier, run.now())
            if run.options.urls:
                run.harvest.listed(listed_urls(run.options))
            else:
                ask_for_missing(run.frontier)
                open_sources(run)

    # Which request comes next.

    def next_task(self) -> Task | None:
        """The best request that may be made now, or None; it is in flight until `answered` or `failed` takes it."""
        if self._is_over() or self._is_full():
            return None
        task = self._urgent() or self._queued()
        if task is not None:
            self.run.gates.get(task.host).busy = True
            self.in_flight += 1
            self.pages_in_flight += task.role is Role.PAGE
        return task

    def wake_in(self) -> float | None:
        """Seconds until the next host may be asked; None where only requests in flight can change anything."""
        if self._is_full():
            return None
        now = self.run.now()
        waiting = [self.run.gates.get(host) for host in self.run.urgent]
        times = [gate.next_at for gate in waiting if not gate.busy]
        first = self.run.gates.wake_at(now)
        times += [first] if first is not None else []
        return max(0.0, min(times) - now) if times else None

    def has_work(self) -> bool:
        """Whether anything is left to do in this run."""
        return not self._is_over() and bool(self.in_flight or self.run.urgent or self.run.gates.has_work())

    def _is_over(self) -> bool:
        limits = self.run.options.limits
        if not self.ended and self.run.ledger.pages >= limits.pages:
            self.ended = f"{limits.pages} pages, the limit of a run"
        if not self.ended and self.run.now() >= self.deadline:
            self.ended = f"{limits.seconds:.0f} seconds, the limit of a run"
        return bool(self.ended)

    def _is_full(self) -> bool:
        """Whether the pages in flight may be the last of the run: the limit is reached exactly, and never overrun."""
        return self.run.ledger.pages + self.pages_in_flight >= self.run.options.limits.pages

    def _urgent(self) -> Task | None:
        now = self.run.now()
        for host, tasks in self.run.urgent.items():
            gate = self.run.gates.get(host)
            if not gate.busy and gate.next_at <= now:
                task = tasks.popleft()
                if not tasks:
                    del self.run.urgent[host]
                return task
        return None

    def _queued(self) -> Task | None:
        """The best URL of the hosts that may be asked, after dropping those that nobody may fetch."""
        now = self.run.now()
        for _ in range(_MAX_SKIPS):
            host = self.run.gates.best(now)
            if host is None:
                return None
            task = self.run.frontier.best(host)
            if task is None:
                continue
            task = replace(task, origin=origin_of(task.url))
            policy = self.run.policies.policy(task.origin, now)
            if policy is None:
                found = self._ask_policy(task, now)
                if found is not None:
                    return found
            elif not self._dismissed(task, policy) and self._is_worth(task) and not self._is_overrated(task):
                return task
        return None

    def _ask_policy(self, task: Task, now: float) -> Task | None:
        request = self.run.policies.next_request(task.origin, now)
        if any(waiting.origin == task.origin for tasks in self.run.urgent.values() for waiting in tasks):
            self.run.gates.get(task.host).waiting_for = task.origin
            return None
        return request

    def _dismissed(self, task: Task, policy: SitePolicy) -> bool:
        """Drops a URL that may not, or need not, be fetched; costs the host no delay."""
        found = self._dismissal(task, policy)
        if found is None:
            return False
        with self.run.frontier.transaction():
            self.run.drop(task, *found)
        return True

    def _dismissal(self, task: Task, policy: SitePolicy) -> tuple[Verdict, str] | None:
        run = self.run
        if not policy.robots.allows(task.url):
            return (
                Verdict.ROBOTS,
                policy.robots.reason if policy.robots.state == "disallow" else "robots.txt forbids it",
            )
        if task.role is not Role.PAGE:
            return None
        if reserved := opt_out(policy.signals(task.url), run.options.politeness.rights):
            return Verdict.OPTED_OUT, f"{reserved.name}: {reserved.value}"
        return None

    def _is_worth(self, task: Task) -> bool:
        """Whether a page is worth a request; else it is shelved, or its host closed."""
        run, gate = self.run, self.run.gates.get(task.host)
        if task.role is not Role.PAGE:
            return True
        if gate.pages >= run.options.limits.pages_per_host:
            run.gates.close(task.host, Verdict.OVER_BUDGET, f"{gate.pages} pages, the limit of a host")
            return False
        if run.is_hopeless(task) and not self._may_explore():
            with run.frontier.transaction():
                run.frontier.shelve(task)
            return False
        return True

    def _is_overrated(self, task: Task) -> bool:
        """Whether a page gave up its place to better ones, by what was learnt since it was ranked."""
        if task.role is not Role.PAGE or task.attempts:
            return False
        with self.run.frontier.transaction():
            return self.run.harvest.is_overrated(task)

    def _may_explore(self) -> bool:
        ledger = self.run.ledger
        if ledger.explored >= _FEWEST_EXPLORED + self.run.options.limits.exploration * ledger.pages:
            return False
        ledger.explored += 1
        return True

    # What came of a request.

    def answered(self, task: Task, answer: Answer) -> None:
        """Takes the answer to a request and acknowledges it: what it gave is stored before it counts as done."""
        run = self.run
        with run.frontier.transaction():
            self._landed(task)
            if task.role is Role.ROBOTS:
                self._resolve(take_robots(run, task, answer))
            elif task.role is Role.DOCUMENT:
                self._resolve(take_document(run, task, answer))
                release_held(run, task.url)
            elif task.role is Role.SOURCE:
                take_source(run, task, answer)
            else:
                take_page(run, task, answer)
            run.frontier.save_host(task.host)
            run.ledger.save_counts()
        run.store.rotate()

    def failed(self, task: Task, trouble: Trouble) -> None:
        """Takes that a request got no answer."""
        run = self.run
        with run.frontier.transaction():
            self._landed(task)
            if task.role is Role.ROBOTS:
                self._resolve(robots_failed(run, task, trouble))
            elif task.role is Role.DOCUMENT:
                self._resolve(document_failed(run, task, trouble))
                release_held(run, task.url)
            elif task.role is Role.SOURCE:
                source_failed(run, task, trouble)
            else:
                page_failed(run, task, trouble)
            run.frontier.save_host(task.host)
            run.ledger.save_counts()

    def _landed(self, task: Task) -> None:
        self.in_flight -= 1
        self.pages_in_flight -= task.role is Role.PAGE
        self.run.ledger.requests += 1
        self.run.gates.get(task.host).busy = False

    def _resolve(self, origin: str) -> None:
        """Lets the hosts go on that waited for an origin's rules, and asks for a site's sitemaps; "" for no origin."""
        run = self.run
        if not origin:
            return
        for gate in run.gates.table.values():
            if gate.waiting_for == origin:
                gate.waiting_for = ""
        policy = run.policies.policy(origin, run.now())
        if policy is None:
            return
        if policy.robots.state == "disallow":
            # At once, not when the host's back-off is over: nothing of it will be asked for.
            for task in run.frontier.waiting_of(origin):
                run.drop(task, Verdict.ROBOTS, policy.robots.reason)
        if origin in self.fronts:
            queue_guesses(run, origin, self.fronts.pop(origin))

    # The end.

    def finish(self) -> dict[str, Any]:
        """Gives every URL that still waits its verdict, and marks the run as finished; returns its statistics.

        A run that could not read a single source is not finished: started again it asks for them again.
        """
        run = self.run
        run.store.close()
        reason = self.ended or "nothing is left to fetch"
        with run.frontier.transaction():
            for task in run.frontier.waiting():
                run.ledger.note(task, *left_out(run, task, self.ended))
            stats = statistics(run, reason)
            if not stats["unreachable"]:
                run.ledger.finish(run.now(), reason, stats)
        return stats

    def close(self) -> None:
        """Ends the process's part of a run that is not finished; it can be resumed."""
        self.run.store.close()
