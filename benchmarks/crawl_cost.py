"""What the crawl costs: CPU a page beside bare Scrapy, memory with a long queue, a large sitemap, many robots.txt.

Run from the repository: `python -m benchmarks.crawl_cost [PAGES]`; pages are those of ../shared/corpora/wcxb-dev.
"""

import gzip
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crawler.entries import Entry, Role
from crawler.frontier import Frontier
from crawler.gates import Gates
from crawler.policy import read_robots
from crawler.relevance import Relevance
from crawler.sitemaps import parse_sitemap
from crawler.state import open_database
from tests.crawler.conftest import REPOSITORY, crawl, make_options
from tests.crawler.web import SEED, Reply, Web, feed, news_sitemap

CORPORA = REPOSITORY / "../shared/corpora"
HOSTS = 20

BARE = """
import sys, scrapy
from scrapy.crawler import AsyncCrawlerProcess
class Bare(scrapy.Spider):
    name = "bare"
    async def start(self):
        for line in open(sys.argv[1]):
            host = line.split("/")[2].split(":")[0]
            url = line.strip().replace(host, "127.0.0.1")
            yield scrapy.Request(url, headers={"Host": line.split("/")[2]}, dont_filter=True)
    def parse(self, response):
        pass
process = AsyncCrawlerProcess({"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False,
    "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16})
process.crawl(Bare)
process.start()
"""


def children() -> float:
    """CPU seconds of the child processes so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def page_cost(count: int) -> None:
    """CPU a page of the whole crawl and of bare Scrapy, with start-up taken out by a run of few pages."""
    paths = sorted((CORPORA / "wcxb-dev").rglob("*.html.gz"))[:count]
    with Web() as web, tempfile.TemporaryDirectory() as folder:
        urls = serve(web, paths)
        costs = {}
        for name, few in (("start", urls[:HOSTS]), ("all", urls)):
            options = make_options(
                web, Path(folder) / name, feeds=list_in_feeds(web, few), politeness={"delay": 0.0},
                limits={"pages": 10_000, "pages_per_host": 10_000, "seconds": 600.0, "depth": 0, "least_chance": 0.0},
            )  # fmt: skip
            before = children()
            run = crawl(options, 600)
            costs[name] = (children() - before, run.stats["fetched"])
            listed = Path(folder) / "urls.txt"
            listed.write_text("\n".join(few), encoding="utf-8")
            before = children()
            subprocess.run([sys.executable, "-c", BARE, str(listed)], check=True, cwd=REPOSITORY)
            costs["bare " + name] = (children() - before, len(few))
    for name in ("", "bare "):
        (least, few_pages), (most, pages) = costs[name + "start"], costs[name + "all"]
        each = (most - least) / max(1, pages - few_pages) * 1000
        print(f"{name or 'crawl '}: {each:.1f} ms CPU a page ({pages} pages; start-up {least:.1f} s)")


def serve(web: Web, paths: list[Path]) -> list[str]:
    """Puts pages on the web, gzipped as servers send them; returns their URLs."""
    urls = []
    for i, path in enumerate(paths):
        host = f"h{i % HOSTS}.test"
        web.pages[host, f"/news/page-of-the-corpus-{i}"] = Reply(
            path.read_bytes(), headers={"Content-Encoding": "gzip"}
        )
        urls.append(web.url(host, f"/news/page-of-the-corpus-{i}"))
    sizes = [len(gzip.decompress(path.read_bytes())) for path in paths]
    print(f"{len(paths)} pages, {sum(sizes) / len(sizes) / 1000:.0f} KB in the mean")
    return urls


def list_in_feeds(web: Web, urls: list[str]) -> tuple[str, ...]:
    """One feed a host."""
    for h in range(HOSTS):
        items = [(url, "", "Tue, 18 Nov 2025 10:00:00 GMT") for url in urls if f"//h{h}.test:" in url]
        web.add(f"h{h}.test", "/feed", feed(items), type="application/rss+xml")
    return tuple(web.url(f"h{h}.test", "/feed") for h in range(HOSTS))


def queue_cost(count: int = 200_000) -> None:
    """Memory and CPU of a frontier with many URLs of 200 hosts, with the topic loaded."""
    topic = Relevance.from_seeds([SEED])
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder))
        frontier = Frontier(database, "r1", Gates(1.0, 60.0))
        frontier.begin(0.0)
        began = time.process_time()
        with frontier.transaction():
            for i in range(count):
                name = f"h{i % 200}.test/news/page-of-the-corpus-{i}"
                frontier.add(Entry(name, f"http://{name}", f"h{i % 200}.test", Role.PAGE, topic.title("", name)))
        added = time.process_time() - began
        began = time.process_time()
        for i in range(5_000):
            with frontier.transaction():
                task = frontier.best(f"h{i % 200}.test")
                assert task is not None
                frontier.fetched(task, 1.0)
        taken = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(f"{count} URLs queued: {added / count * 1e6:.0f} us each; acknowledged: {taken / 5_000 * 1e6:.0f} us")
        print(f"peak RSS {peak:.0f} MB; database {(Path(folder) / 'frontier.sqlite').stat().st_size / 1e6:.0f} MB")
        database.close()


def sitemap_cost() -> None:
    """CPU of a news sitemap of 50,000 URLs."""
    items = [
        (f"https://www.example.com/2025/11/18/talks-of-day-{i}", f"Talks of day {i}", "2025-11-18T10:00:00Z")
        for i in range(50_000)
    ]
    body = news_sitemap(items).encode()
    began = time.process_time()
    found = parse_sitemap(body, "https://www.example.com/sitemap.xml")
    print(f"news sitemap of {len(found.candidates)} URLs: {time.process_time() - began:.2f} s CPU")


def robots_cost() -> None:
    """All robots.txt of the corpus: exceptions and CPU."""
    paths = [path for path in (CORPORA / "robots").rglob("*") if path.is_file()]
    began = time.process_time()
    for path in paths:
        robots = read_robots(200, path.read_bytes())
        robots.allows("https://example.com/news/talks")
        robots.sitemaps("https://example.com")
    print(f"{len(paths)} robots.txt read: {(time.process_time() - began) / len(paths) * 1000:.2f} ms CPU each")


def main() -> None:
    """Prints all figures."""
    queue_cost()
    sitemap_cost()
    robots_cost()
    page_cost(int(sys.argv[1]) if len(sys.argv) > 1 else 400)


if __name__ == "__main__":
    main()
