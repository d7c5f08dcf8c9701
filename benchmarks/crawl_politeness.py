"""10,000 requests against a server that checks robots.txt, delays, Retry-After and concurrency: how many violations?

Run from the repository: `python -m benchmarks.crawl_politeness [REQUESTS]`.
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crawler.conftest import crawl, make_options
from tests.crawler.web import OFF_TOPIC, Hit, Reply, Web, article, feed

HOSTS = 40
DELAY = 0.02
CRAWL_DELAY = 0.08
DECLARATIONS = ("/ai.txt", "/.well-known/tdmrep.json")
FORBIDDEN = 20
"""Every so manieth page of a host may not be fetched."""


@dataclass
class Checker:
    """Notes each request that comes too early, twice at once, or to what is forbidden."""

    violations: Counter[str] = field(default_factory=Counter)
    ended: dict[str, float] = field(default_factory=dict)
    not_before: dict[str, float] = field(default_factory=dict)
    active: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, hit: Hit, delay: float) -> int:
        """Checks a request; returns how many the host had before."""
        now = time.time()
        with self.lock:
            self.active[hit.host] += 1
            self.violations["two at once"] += self.active[hit.host] > 1
            self.violations["forbidden"] += "/private/" in hit.path
            self.violations["before Retry-After"] += now < self.not_before.get(hit.host, 0.0)
            self.violations["before the delay"] += now < self.ended.get(hit.host, 0.0) + delay
            self.served[hit.host] += 1
            return self.served[hit.host]

    def end(self, hit: Hit, wait: float = 0.0) -> None:
        """Notes the end of an answer, with the seconds that it asks to wait."""
        with self.lock:
            self.active[hit.host] -= 1
            self.ended[hit.host] = time.time()
            if wait:
                self.not_before[hit.host] = time.time() + wait


def build(web: Web, checker: Checker, each: int) -> None:
    """Hosts with `each` pages that may be fetched; every second has a crawl-delay, every fourth asks to wait at times.

    Every request is checked, to robots.txt and the other declarations as well.
    """
    for h in range(HOSTS):
        host = f"paper{h}.test"
        delay = CRAWL_DELAY if h % 2 else DELAY
        robots = "User-agent: *\nDisallow: /private/\n" + (f"Crawl-delay: {CRAWL_DELAY}\n" if h % 2 else "")
        web.pages[host, "/robots.txt"] = checked(checker, DELAY, Reply(robots, type="text/plain"), busy=False)
        for path in DECLARATIONS:
            web.pages[host, path] = checked(checker, delay, Reply("not here", status=404), busy=False)
        numbers = range(each * FORBIDDEN // (FORBIDDEN - 1) + 1)
        folders = ["private" if i % FORBIDDEN == 7 else "news" for i in numbers]
        paths = [f"/{folders[i]}/apple-and-pear-trees-part-{i}" for i in numbers]
        items = [(web.url(host, path), "Apple and pear trees", "Tue, 18 Nov 2025 10:00:00 GMT") for path in paths]
        web.pages[host, "/feed"] = checked(checker, delay, Reply(feed(items), type="application/rss+xml"), busy=False)
        for i, path in enumerate(paths):
            reply = Reply(article(f"Trees {i}", f"{OFF_TOPIC} {h} {i}"))
            web.pages[host, path] = checked(checker, delay, reply, busy=h % 4 == 0)


def checked(checker: Checker, delay: float, reply: Reply, *, busy: bool) -> Callable[[Hit], Reply]:
    """A page whose requests are checked; a busy host refuses each fiftieth."""

    def answer(hit: Hit) -> Reply:
        number = checker.begin(hit, delay)
        refuse = busy and number % 50 == 0
        checker.end(hit, 1.0 if refuse else 0.0)
        return Reply("later", 429, headers={"Retry-After": "1"}) if refuse else reply

    return answer


def main() -> None:
    """Prints the figures."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    checker = Checker()
    with Web() as web, tempfile.TemporaryDirectory() as folder:
        build(web, checker, requests // HOSTS)
        limits = {"pages": 100_000, "pages_per_host": 100_000, "seconds": 3_000.0, "least_chance": 0.0}
        feeds = tuple(web.url(f"paper{h}.test", "/feed") for h in range(HOSTS))
        options = make_options(web, Path(folder) / "state", feeds=feeds, limits=limits, politeness={"delay": DELAY})
        began = time.time()
        run = crawl(options, 3_000)
        seconds = time.time() - began
    print(f"exit code {run.code}; {sum(checker.served.values())} requests checked in {seconds:.0f} s")
    print(run.stats["skipped"])
    print(f"violations: {sum(checker.violations.values())} {dict(checker.violations)}")


if __name__ == "__main__":
    main()
