"""Kills a crawl of 2,000 pages 20 times at random moments: are all pages there, and what was asked for twice?

Run from the repository: `python -m benchmarks.crawl_kills [HOSTS]`.
"""

import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from crawler.warc import Damage, pages
from tests.crawler.conftest import crawl, make_options, start
from tests.crawler.web import OFF_TOPIC, SEED, Web, article, feed

PAGES, KILLS = 2_000, 20


def build(web: Web, hosts: int) -> set[str]:
    """Papers with one feed each; the URLs of their articles."""
    urls = set()
    for h in range(hosts):
        items = []
        for i in range(PAGES // hosts):
            title = f"Velmar crossing talks part {i}" if i % 4 == 0 else f"Pruning apple trees and pears part {i}"
            path = "/2025/11/18/" + title.lower().replace(" ", "-")
            web.add(f"paper{h}.test", path, article(title, f"{OFF_TOPIC if i % 4 else SEED}\n\n{h} {i}"))
            items.append((web.url(f"paper{h}.test", path), title, "Tue, 18 Nov 2025 10:00:00 GMT"))
            urls.add(items[-1][0])
        web.add(f"paper{h}.test", "/feed", feed(items), type="application/rss+xml")
    return urls


def main() -> None:
    """Prints the figures."""
    hosts = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    chance = random.Random(11)
    with Web() as web, tempfile.TemporaryDirectory() as folder:
        urls = build(web, hosts)
        feeds = tuple(web.url(f"paper{h}.test", "/feed") for h in range(hosts))
        limits = {"pages": 10_000, "pages_per_host": 1_000, "seconds": 900.0, "least_chance": 0.0}
        options = make_options(web, Path(folder) / "state", feeds=feeds, politeness={"delay": 0.12}, limits=limits)
        kills: list[float] = []
        while len(kills) < KILLS:
            process = start(options)
            goal = len(web.hits) + chance.randint(20, 160)
            while len(web.hits) < goal and process.poll() is None:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills.append(time.time())
        run = crawl(options, 900)
        report(web, urls, Path(folder) / "state/warc", run.code)
        print(f"of these, {in_flight(web, kills)} were the last request of their host before a kill")


def in_flight(web: Web, kills: list[float]) -> int:
    """How many of the pages that were asked for twice were the last that their host was asked for before a kill."""
    last: dict[tuple[str, int], str] = {}
    twice = 0
    for hit in web.hits:
        era = sum(kill < hit.began for kill in kills)
        if "/2025/" not in hit.path:
            continue
        twice += any(last.get((hit.host, before)) == hit.path for before in range(era))
        last[hit.host, era] = hit.path
    return twice


def report(web: Web, urls: set[str], folder: Path, code: int) -> None:
    """Prints what was found in the files and asked of the server."""
    damages: list[Damage] = []
    files = sorted(folder.iterdir())
    stored = [page.url for page in pages(files, on_damage=damages.append)]
    records = 0
    for path in files:
        with path.open("rb") as stream:
            records += len(list(ArchiveIterator(stream, check_digests="raise")))  # type: ignore[no-untyped-call]
    asked = Counter(f"{hit.host}{hit.path}" for hit in web.hits if "/2025/" in hit.path)
    twice = sum(asked.values()) - len(asked)
    print(f"exit code {code}; {KILLS} SIGKILLs; {len(files)} files, {records} records read by warcio with digests")
    print(f"pages {len(set(stored))}/{len(urls)}, stored twice {len(stored) - len(set(stored))}, damage {len(damages)}")
    print(f"asked for twice: {twice} ({twice / len(urls):.2%})")


if __name__ == "__main__":
    main()
