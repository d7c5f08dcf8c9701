"""The crawl from end to end: one web of many hosts, crawled once in a process of its own, then once more."""

import email.utils
import gzip
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cleaning.schema import Page
from cleaning.verdict import Verdict
from crawler.outcomes import totals
from crawler.warc import pages
from tests.crawler.conftest import Crawled, crawl, make_options
from tests.crawler.web import SEED, Hit, Reply, Web, article, feed, news_sitemap

DATE = "Tue, 18 Nov 2025 10:00:00 GMT"
ISO = "2025-11-18T10:00:00Z"
BOMB = gzip.compress(bytes(60_000_000))


class World:
    """A web, and what two runs over it gave."""

    def __init__(self, web: Web, state: Path) -> None:
        self.web = web
        self.state = state
        self.build()
        self.feeds = tuple(web.url(host, path) for host, path in web.pages if path == "/feed")
        self.first = self.run("r1")
        self.seen = len(web.hits)
        self.change()
        self.second = self.run("r2")

    def run(self, run_id: str) -> Crawled:
        """One crawl of everything."""
        options = make_options(
            self.web,
            self.state,
            run_id,
            feeds=self.feeds,
            sitemaps=(self.web.url("maps.test", "/index.xml"), self.web.url("inject.test", "/sitemap.xml")),
            sites=(self.web.url("site.test"),),
            sections=(self.web.url("sections.test", "/world/"),),
            limits={"page_seconds": 2.0, "page_bytes": 2_000_000, "depth": 2},
        )
        return crawl(options, 90)

    def url(self, host: str, path: str) -> str:
        """A URL of the web."""
        return self.web.url(host, path)

    def hits(self, host: str, run: int = 1) -> list[Hit]:
        """The requests to a host in a run."""
        part = self.web.hits[: self.seen] if run == 1 else self.web.hits[self.seen :]
        return [hit for hit in part if hit.host == host]

    def paths(self, host: str, run: int = 1) -> list[str]:
        """The paths asked of a host in a run, without those of its policy."""
        asked = [hit.path for hit in self.hits(host, run)]
        return [path for path in asked if path not in ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json")]

    def paper(self, host: str, count: int = 2, **fields: object) -> list[str]:
        """A host with a feed of some articles on the topic."""
        paths = [f"/2025/11/18/velmar-crossing-talks-part-{i}" for i in range(count)]
        for i, path in enumerate(paths):
            page = article(f"Velmar crossing talks part {i}", f"{SEED}\n\n{host} {i}")
            self.web.add(host, path, page, headers={"ETag": f'"{host}{i}"'})
        self.put_feed(host, paths)
        return paths

    def put_feed(self, host: str, paths: list[str]) -> None:
        """The host's feed."""
        items = [(self.url(host, path), path.rpartition("/")[2].replace("-", " "), DATE) for path in paths]
        self.web.add(host, "/feed", feed(items), type="application/rss+xml", headers={"ETag": f'"{len(paths)}{host}"'})

    def put_dated_feed(self, host: str, paths: list[str]) -> None:
        """A feed whose entries have days of their own, by their numbers."""
        dates = {path: f"{10 + int(path[-1])} Nov 2025 10:00:00 GMT" for path in paths}
        items = [(self.url(host, path), path.rpartition("/")[2].replace("-", " "), dates[path]) for path in paths]
        self.web.add(host, "/feed", feed(items), type="application/rss+xml")

    def build(self) -> None:
        """The web on its first day."""
        self.build_robots()
        self.build_answers()
        self.build_lists()
        self.build_rights()

    def build_robots(self) -> None:
        """Hosts that differ in their robots.txt."""
        for host, reply in {
            "plain.test": Reply("User-agent: *\nDisallow: /private", type="text/plain"),
            "forbidden.test": Reply("User-agent: *\nDisallow: /2025/", type="text/plain"),
            "others.test": Reply("User-agent: GreedyBot\nDisallow: /", type="text/plain"),
            "error.test": Reply("down", status=503),
            "hidden.test": Reply("forbidden", status=403),
            "moved.test": Reply(status=301, headers={"Location": self.url("plain.test", "/moved-robots")}),
            "endless.test": Reply(status=302, headers={"Location": "/robots.txt?again"}),
            "hanging.test": Reply("late", seconds=4.0),
            "delay.test": Reply("User-agent: *\nCrawl-delay: 0.6", type="text/plain"),
        }.items():
            self.paper(host, 3)
            self.web.pages[host, "/robots.txt"] = reply
        self.web.add("plain.test", "/moved-robots", "User-agent: *\nDisallow: /2025/11/18/velmar-crossing-talks-part-1")
        self.web.pages["endless.test", "/robots.txt?again"] = self.web.pages["endless.test", "/robots.txt"]

    def build_answers(self) -> None:
        """Hosts whose pages answer in all manners."""
        paths = self.paper("busy.test", 2)
        self.web.pages["busy.test", paths[0]] = once(
            Reply("slow", 429, headers={"Retry-After": "1"}), article("B", SEED)
        )
        paths = self.paper("dated.test", 2)
        self.web.pages["dated.test", paths[0]] = at_date()
        paths = self.paper("trouble.test", 8)
        for path, reply in zip(
            paths,
            [
                Reply("gone", 410),
                Reply("no", 403),
                Reply("error", 500),
                Reply(BOMB, headers={"Content-Encoding": "gzip"}),
                Reply(b"x" * 3_000_000),
                Reply(b"%PDF-1.4 x", type="application/pdf"),
                Reply(status=302, headers={"Location": paths[7].replace("part-7", "part-8")}),
                Reply(status=302, headers={"Location": "http://10.0.0.1/"}),
            ],
            strict=True,
        ):
            self.web.pages["trouble.test", path] = reply
        self.web.add("trouble.test", paths[7].replace("part-7", "part-8"), article("Velmar", SEED + " moved"))
        path = "/wire/velmar-talks-end-again-today"
        wire = gzip.compress(article("Velmar talks", SEED + " gzip").encode())
        self.web.add("gzip.test", path, wire, headers={"Content-Encoding": "gzip"})
        self.put_feed("gzip.test", [path])

    def build_lists(self) -> None:
        """Hosts whose articles are found in all manners."""
        talks = "/a/velmar-crossing-talks-fail"
        variants = [talks, f"{talks}?utm_source=x", f"{talks}/amp", "/b/1234567-velmar-talks", "/b/1234567-other-title"]
        for path in variants:
            self.web.add("variants.test", path, article("Velmar", SEED + path[:4]))
        self.put_feed("variants.test", variants)
        page = "/news/velmar-delegations-meet-in-senn"
        self.web.add("maps.test", page, article("Velmar delegations", SEED + " maps"))
        index = f"<sitemapindex><sitemap><loc>{self.url('maps.test', '/s1.xml.gz')}</loc></sitemap></sitemapindex>"
        self.web.add("maps.test", "/index.xml", index, type="application/xml")
        body = gzip.compress(news_sitemap([(self.url("maps.test", page), "Velmar delegations meet", ISO)]).encode())
        self.web.add("maps.test", "/s1.xml.gz", body, type="application/octet-stream")
        foreign = [(self.url("inject.test", "/news/velmar-talks-go-on-here"), "Velmar talks go on", ISO),
                   (self.url("casino.test", "/velmar-talks-bonus-casino"), "Velmar talks bonus", ISO)]  # fmt: skip
        self.web.add("inject.test", "/sitemap.xml", news_sitemap(foreign), type="application/xml")
        self.web.add("inject.test", "/news/velmar-talks-go-on-here", article("Velmar", SEED + " inject"))
        self.build_site()

    def build_site(self) -> None:
        """A site of which only the front page is given, and a section of which only the first page is."""
        head = '<link rel="alternate" type="application/rss+xml" href="/offered">'
        self.web.add("site.test", "/", article("Front", "x", '<a href="/calendar/2025/12">next</a>', head))
        self.web.add("site.test", "/robots.txt", f"Sitemap: {self.url('site.test', '/named.xml')}", type="text/plain")
        lists = {"/named.xml": "/n/velmar-river-crossing-shut-again", "/offered": "/o/velmar-river-crossing-open-again"}
        for name, path in lists.items():
            self.web.add("site.test", path, article("Velmar river", SEED + name))
            make = news_sitemap if name.endswith("xml") else feed
            date = ISO if name.endswith("xml") else DATE
            self.web.add("site.test", name, make([(self.url("site.test", path), "Velmar river crossing", date)]))
        self.put_dated_feed("silent.test", self.paper("silent.test", 6))
        for number in range(1, 4):
            path = f"/world/velmar-crossing-report-number-{number}"
            self.web.add("sections.test", path, article("Velmar report", f"{SEED} section {number}"))
            more = f'<a href="/world/?page={number + 1}" rel="next">Next</a>'
            listing = article("World", "x", f'<a href="{path}">Velmar crossing report number {number}</a>{more}')
            self.web.add("sections.test", "/world/" if number == 1 else f"/world/?page={number}", listing)

    def build_rights(self) -> None:
        """Hosts that reserve text and data mining."""
        self.paper("tdm.test")
        body = json.dumps([{"location": "/", "tdm-reservation": 1}])
        self.web.add("tdm.test", "/.well-known/tdmrep.json", body, type="application/json")
        paths = self.paper("header.test", 1)
        self.web.add("header.test", paths[0], article("Velmar", SEED + " header"), headers={"X-Robots-Tag": "noai"})

    def change(self) -> None:
        """The web on its second day: one article more, one that its list calls changed and is gone."""
        paths = [f"/2025/11/18/velmar-crossing-talks-part-{i}" for i in range(3)]
        self.web.add("plain.test", "/2025/11/19/velmar-crossing-talks-resume", article("Velmar", SEED + " new"))
        self.put_feed("plain.test", [*paths, "/2025/11/19/velmar-crossing-talks-resume"])
        page = "/news/velmar-delegations-meet-in-senn"
        self.web.add("maps.test", page, "withdrawn", status=410)
        silent = [f"/2025/11/18/velmar-crossing-talks-part-{i}" for i in range(6)]
        self.put_dated_feed("silent.test", [*silent[:3], *silent[4:]])
        self.web.add("silent.test", silent[3], "withdrawn", status=410)
        changed = news_sitemap([(self.url("maps.test", page), "Velmar delegations meet", ISO)], "2025-11-20T10:00:00Z")
        self.web.add("maps.test", "/s1.xml.gz", gzip.compress(changed.encode()), type="application/octet-stream")


def once(first: Reply, body: str):
    """A page that answers otherwise the first time."""
    answers = [first]
    return lambda hit: answers.pop() if answers else Reply(body)


def at_date():
    """A page that asks, the first time, to wait until a date about two seconds ahead."""
    asked: list[float] = []

    def reply(hit: Hit) -> Reply:
        if asked:
            return Reply(article("Velmar", SEED + " dated"))
        asked.append(hit.began)
        return Reply("later", 503, headers={"Retry-After": email.utils.formatdate(hit.began + 2.0, usegmt=True)})

    return reply


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The web, crawled twice."""
    with Web() as web:
        yield World(web, tmp_path_factory.mktemp("world") / "state")


def kept(run: Crawled, host: str) -> set[str]:
    """The paths of a host that were fetched."""
    return {urlsplit(o.url).path for o in run.outcomes.values() if o.verdict is Verdict.KEPT and f"//{host}:" in o.url}


PARTS = {f"/2025/11/18/velmar-crossing-talks-part-{i}" for i in range(3)}


def test_the_run_ends_by_itself(world: World) -> None:
    """It exits with 0, its last line says so, and its totals are those of the database."""
    assert world.first.code == 0, world.first.log
    assert world.first.stats["done"] is True
    found = totals(world.state, "r1")
    assert found is not None
    assert found.finished
    assert found.pages == world.first.stats["fetched"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("plain.test", PARTS),
        ("others.test", PARTS),
        ("hidden.test", PARTS),
        ("delay.test", PARTS),
        ("forbidden.test", set()),
        ("error.test", set()),
        ("hanging.test", set()),
        ("moved.test", {path for path in PARTS if not path.endswith("1")}),
        ("endless.test", PARTS),
    ],
)
def test_robots_decide_what_is_fetched(world: World, host: str, expected: set[str]) -> None:
    """4xx and endless redirects allow, 5xx and time-outs disallow; rules for other agents do not bind."""
    asked = {path for path in world.paths(host) if path.startswith("/2025")}
    assert asked == expected
    assert kept(world.first, host) == expected


def test_what_robots_forbid_has_its_verdict(world: World) -> None:
    """A page that may not be fetched is counted, with the reason."""
    outcome = world.first.outcomes[world.url("forbidden.test", "/2025/11/18/velmar-crossing-talks-part-0")]
    assert outcome.verdict is Verdict.ROBOTS
    assert outcome.reason == "robots.txt forbids it"
    assert "/feed" not in world.paths("error.test")
    error = totals(world.state, "r1")
    assert error is not None
    assert "robots" in next(source.error for source in error.sources if "error.test" in source.source)


def test_crawl_delay_is_honoured(world: World) -> None:
    """Two requests are at least the site's delay apart, robots.txt apart."""
    times = [hit.began for hit in world.hits("delay.test") if hit.path != "/robots.txt"]
    assert len(times) == 6
    assert min(b - a for a, b in pairwise(times)) >= 0.6


def test_one_request_at_a_time(world: World) -> None:
    """No host ever had two requests at once, but for the one that goes on working after its time-out."""
    assert {host for host, most in world.web.most_active.items() if most > 1} <= {"hanging.test"}


@pytest.mark.parametrize(("host", "seconds"), [("busy.test", 1.0), ("dated.test", 0.9)])
def test_retry_after_is_honoured_in_both_forms(world: World, host: str, seconds: float) -> None:
    """The whole host waits as long as it asked for, and the page is fetched then. A date has whole seconds."""
    hits = world.hits(host)
    refused = next(i for i, hit in enumerate(hits) if hit.path.endswith("part-0"))
    assert hits[refused + 1].began - hits[refused].began >= seconds
    assert kept(world.first, host) == {path for path in PARTS if not path.endswith("2")}


@pytest.mark.parametrize(
    ("part", "verdict", "requests"),
    [
        (0, Verdict.GONE, 1),
        (1, Verdict.BLOCKED, 1),
        (2, Verdict.FETCH_FAILED, 3),
        (3, Verdict.TOO_LARGE, 1),
        (4, Verdict.TOO_LARGE, 1),
        (5, Verdict.NOT_HTML, 1),
        (6, Verdict.KNOWN, 1),
        (7, Verdict.REFUSED_ADDRESS, 1),
        (8, Verdict.KEPT, 1),
    ],
)
def test_each_answer_has_its_verdict(world: World, part: int, verdict: Verdict, requests: int) -> None:
    """Nothing is dropped without saying why, and only what may get better is asked for again."""
    path = f"/2025/11/18/velmar-crossing-talks-part-{part}"
    assert world.first.verdict(world.url("trouble.test", path)) == verdict
    assert world.paths("trouble.test").count(path) == requests


def test_variants_are_fetched_once(world: World) -> None:
    """Tracking, AMP and other slugs of one id are the same article."""
    assert len([path for path in world.paths("variants.test") if path != "/feed"]) == 2


def test_sitemaps_are_followed_through_their_index(world: World) -> None:
    """An index leads to a gzipped news sitemap, and that to the article."""
    assert kept(world.first, "maps.test") == {"/news/velmar-delegations-meet-in-senn"}


def test_foreign_urls_in_sitemaps_are_not_fetched(world: World) -> None:
    """A sitemap may only list its own site (sitemaps.org, cross submits)."""
    assert kept(world.first, "inject.test") == {"/news/velmar-talks-go-on-here"}
    assert world.hits("casino.test") == []


def test_the_sources_of_a_site_are_found(world: World) -> None:
    """Its robots.txt names a sitemap, its front page a feed; its calendar is a trap."""
    assert kept(world.first, "site.test") >= {
        "/n/velmar-river-crossing-shut-again",
        "/o/velmar-river-crossing-open-again",
    }
    assert world.first.verdict(world.url("site.test", "/calendar/2025/12")) == Verdict.TRAP


def test_sections_are_followed_page_by_page(world: World) -> None:
    """The pages of a section are read as long as they bring something new."""
    assert {f"/world/velmar-crossing-report-number-{n}" for n in (1, 2, 3)} <= kept(world.first, "sections.test")


def test_reserved_pages_are_not_used(world: World) -> None:
    """A site that reserves mining is not fetched; a page that does is noted for cleaning to drop."""
    assert world.paths("tdm.test") == ["/feed"]
    page = stored(world)[world.url("header.test", "/2025/11/18/velmar-crossing-talks-part-0")]
    rights = json.loads(page.rights)
    assert rights["verdict"] == "opted_out"
    assert [signal["signal"] for signal in rights["signals"]] == ["robots-tag"]


def stored(world: World, run: str = "r1") -> dict[str, Page]:
    """The pages in a run's WARC files, by URL."""
    return {page.url: page for page in pages(sorted((world.state / "warc").glob(f"{run}-*.warc.gz")))}


def test_every_page_is_in_the_warc_with_what_is_known_of_it(world: World) -> None:
    """The pages that are kept are those in the files, decoded, with source and hints, where the outcome says."""
    found = stored(world)
    outcomes = {o.url: o for o in world.first.outcomes.values() if o.verdict is Verdict.KEPT}
    assert set(found) == set(outcomes)
    page = found[world.url("plain.test", "/2025/11/18/velmar-crossing-talks-part-0")]
    assert page.source == world.url("plain.test", "/feed")
    assert page.source_kind == "feed"
    assert page.hint_title == "velmar crossing talks part 0"
    assert page.hint_published is not None
    assert json.loads(page.rights) == {"verdict": "allowed", "policy": "strict", "signals": []}
    assert (page.warc_file, page.warc_offset) == (outcomes[page.url].warc_file, outcomes[page.url].warc_offset)
    wire = found[world.url("gzip.test", "/wire/velmar-talks-end-again-today")]
    assert b"<article>" in wire.body


def test_requests_are_honest(world: World) -> None:
    """The agent names the project and the contact, and no cookie or referrer is sent."""
    headers = world.hits("plain.test")[-1].headers
    assert headers["user-agent"] == "likewise/0.1 (+crawl@example.org)"
    assert not {"cookie", "referer", "authorization"} & set(headers)


def test_the_second_run_asks_only_for_what_changed(world: World) -> None:
    """Sources are asked conditionally; known articles are not asked for; a new one is fetched."""
    assert world.second.code == 0, world.second.log
    assert world.paths("plain.test", 2) == ["/feed", "/2025/11/19/velmar-crossing-talks-resume"]
    assert world.paths("others.test", 2) == ["/feed"]
    assert "if-none-match" in world.hits("others.test", 2)[0].headers
    assert kept(world.second, "plain.test") == {"/2025/11/19/velmar-crossing-talks-resume"}
    assert set(stored(world, "r2")) == {o.url for o in world.second.outcomes.values() if o.verdict is Verdict.KEPT}


def test_a_withdrawn_article_is_noticed(world: World) -> None:
    """Where its list calls it changed, the page is asked for again, and its absence is told."""
    page = world.url("maps.test", "/news/velmar-delegations-meet-in-senn")
    assert world.second.verdict(page) == Verdict.GONE


def test_a_silently_withdrawn_article_is_noticed(world: World) -> None:
    """Where a list skips it and names older ones, it is asked for again; the others are not."""
    assert world.paths("silent.test", 2) == ["/feed", "/2025/11/18/velmar-crossing-talks-part-3"]
    page = world.url("silent.test", "/2025/11/18/velmar-crossing-talks-part-3")
    assert world.second.verdict(page) == Verdict.GONE


def test_a_finished_run_is_not_repeated(world: World) -> None:
    """Starting it again asks for nothing and gives the same last line."""
    count = len(world.web.hits)
    started = time.monotonic()
    again = world.run("r2")
    assert again.code == 0
    assert again.stats == world.second.stats
    assert len(world.web.hits) == count
    assert time.monotonic() - started < 30
