"""Best-first beside breadth-first on a large newsroom: after how many fetches are the relevant pages there?

Run from the repository: `python -m benchmarks.crawl_bestfirst [--pages N] [--hosts N] [--seeds N ...]`; with
`--breadth-first` or `--best-first`, only that order is measured.
"""

import argparse
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
from crawler.lessons import Lessons
from crawler.options import CrawlOptions, Limits, Network, Politeness
from crawler.relevance import Relevance
from crawler.run import Run, make_run
from crawler.state import open_database
from crawler.store import Exchange
from flows.demo.newsroom import PORT, Newsroom
from flows.demo.publishers import NEAR

ORDERS = ("best-first", "breadth-first")


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


class Untaught(Lessons):
    """Lessons that nothing is learnt from."""

    def factor(self, title: str, url: str) -> float:  # noqa: ARG002 - the same for all
        """No title is better than another."""
        return 1.0


def flatten(run: Run) -> None:
    """Gives every page the same score for good, so that the order of the finding decides."""
    add = run.frontier.add

    def same(entry: Entry, *, again: bool = False) -> Added:
        flat = replace(entry, score=0.1, title_score=0.1) if entry.role is Role.PAGE else entry
        return add(flat, again=again)

    run.frontier.add = same  # type: ignore[method-assign]
    run.harvest.ranking.lessons = Untaught()
    run.frontier.rescore = lambda _task, _score: None  # type: ignore[method-assign,assignment]


def until_found(order: Iterator[str], wanted: set[str]) -> Iterator[str]:
    """The pages in their order, up to the last that is wanted."""
    missing = set(wanted)
    for key in order:
        yield key
        missing.discard(key)
        if not missing:
            return


def figures(name: str, order: list[str], wanted: set[str]) -> tuple[int, int]:
    """Prints and returns the relevant pages in the first 100 fetches, and the fetches that 95 % of all take."""
    found = [i for i, key in enumerate(order, 1) if key in wanted]
    early = sum(i <= 100 for i in found)
    enough = found[min(len(found), int(0.95 * len(wanted)) + 1) - 1] if found else 0
    print(f"{name}: {len(order)} pages, {len(found)}/{len(wanted)} relevant; first 100: {early}; 95 % after {enough}")
    return early, enough


def compare(room: Newsroom, orders: tuple[str, ...]) -> None:
    """Prints the figures of a newsroom for each order, and their relation."""
    truth = room.truth()
    wanted = {identity(page.url) for page in truth if page.relevant and page.fetchable and page.status == 200}
    decoys = sum(page.kind in NEAR for page in truth)
    print(f"{len(truth)} articles on {len(room.publishers)} hosts, {len(wanted)} relevant to find, {decoys} decoys")
    found = {}
    for name in orders:
        order = walk(room, name == "breadth-first")
        found[name] = figures(name, list(until_found(order, wanted)), wanted)
    if len(found) == len(ORDERS):
        (early, enough), (early_flat, enough_flat) = (found[name] for name in ORDERS)
        times, share = early / max(1, early_flat), enough / enough_flat
        print(f"first 100: {times:.1f} times; 95 % within {share:.1%} of the fetches")


def main() -> None:
    """Compares the orders on newsrooms of several seed numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=8_000, help="articles of a newsroom")
    parser.add_argument("--hosts", type=int, default=30, help="papers of a newsroom")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9], help="a newsroom for each number")
    for name in ORDERS:
        parser.add_argument(f"--{name}", dest="orders", action="append_const", const=name, help=f"measure {name}")
    told = parser.parse_args()
    for seed in told.seeds:
        print(f"newsroom {seed}")
        compare(Newsroom.scaled(seed, pages=told.pages, hosts=told.hosts), tuple(told.orders or ORDERS))


if __name__ == "__main__":
    main()
