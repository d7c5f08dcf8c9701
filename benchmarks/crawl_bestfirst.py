"""Best-first beside breadth-first on a large newsroom: after how many fetches are the relevant pages there?

Run from the repository: `python -m benchmarks.crawl_bestfirst [PAGES [HOSTS]]`.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cleaning.urls import identity
from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble
from crawler.crawl import Crawl
from crawler.entries import Added, Entry, Role, Task
from crawler.options import CrawlOptions, Limits, Network, Politeness
from crawler.relevance import Relevance
from crawler.run import Run, make_run
from crawler.state import open_database
from crawler.store import Exchange
from flows.demo.newsroom import PORT, Newsroom


@dataclass
class Clock:
    """A clock that the crawl moves itself: a thirtieth of a second a request, and the waits."""

    now: float = 1_763_000_000.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.now


def fetch(room: Newsroom, task: Task, clock: Clock) -> Answer:
    """The newsroom's answer, without a network."""
    parts = urlsplit(task.url)
    response = room.page(parts.netloc, parts.path + (f"?{parts.query}" if parts.query else ""))
    headers = {key.lower(): value for key, value in response.headers}
    wire = [(key.encode(), value.encode("latin-1", "replace")) for key, value in response.headers]
    at = datetime.fromtimestamp(clock.now, UTC)
    return Answer(Exchange(task.url, response.status, [], wire, response.body, at), headers)


def walk(room: Newsroom, breadth_first: bool) -> Iterator[str]:
    """The identities of the pages in the order in which a crawl fetches them; sites are all that it is told."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        options = CrawlOptions(
            "r1",
            Path(folder),
            tuple(seed.text for seed in room.seeds),
            sites=tuple(room.site_urls()),
            limits=Limits(pages=100_000, pages_per_host=100_000, seconds=1e9, least_chance=0.0, depth=20),
            politeness=Politeness(delay=1.0, rights="record"),
            network=Network(True, (PORT,), {"*.newsroom.example": "127.0.0.1"}),
        )
        relevance = Relevance.from_seeds(options.seeds)
        database = open_database(options.state)
        run = make_run(options, relevance, database, clock.time)
        assert run is not None
        if breadth_first:
            flatten(run)
        crawl = Crawl(run)
        crawl.open()
        while crawl.has_work():
            task = crawl.next_task()
            if task is None:
                clock.now += crawl.wake_in() or 0.01
                continue
            if task.role is Role.PAGE:
                yield identity(task.url)
            clock.now += 1 / 30
            answer = fetch(room, task, clock)
            if room.page(urlsplit(task.url).netloc, urlsplit(task.url).path).fault in ("reset", "truncated"):
                crawl.failed(task, Trouble(Verdict.FETCH_FAILED, "the connection broke"))
            else:
                crawl.answered(task, answer)
        database.close()


def flatten(run: Run) -> None:
    """Gives every page the same score, so that the order of the finding decides."""
    add = run.frontier.add

    def same(entry: Entry, *, again: bool = False) -> Added:
        flat = replace(entry, score=0.1, title_score=0.1) if entry.role is Role.PAGE else entry
        return add(flat, again=again)

    run.frontier.add = same  # type: ignore[method-assign]


def figures(name: str, order: list[str], wanted: set[str]) -> tuple[int, int]:
    """Prints and returns the relevant pages in the first 100 fetches, and the fetches that 95 % of all take."""
    found = [i for i, key in enumerate(order, 1) if key in wanted]
    early = sum(i <= 100 for i in found)
    enough = found[min(len(found), int(0.95 * len(wanted)) + 1) - 1] if found else 0
    print(f"{name}: {len(order)} pages, {len(found)}/{len(wanted)} relevant; first 100: {early}; 95 % after {enough}")
    return early, enough


def main() -> None:
    """Prints both, and their relation."""
    pages, hosts = (int(value) for value in (sys.argv[1:] + ["3000", "30"][len(sys.argv) - 1 :])[:2])
    room = Newsroom.scaled(pages=pages, hosts=hosts)
    wanted = {
        identity(truth.url) for truth in room.truth() if truth.relevant and truth.fetchable and truth.status == 200
    }
    best = figures("best-first", list(walk(room, False)), wanted)
    breadth_order = list(walk(room, True))
    breadth = figures("breadth-first", breadth_order, wanted)
    print(f"first 100: {best[0] / max(1, breadth[0]):.1f} times; 95 % within {best[1] / len(breadth_order):.1%}")


if __name__ == "__main__":
    main()
