"""What a crawl asks for, what it leaves out, and in which order; by the clock of the crawl, not of the machine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.answers import Answer
from crawler.crawl import Crawl
from crawler.entries import Task
from crawler.options import CrawlOptions, Limits, Politeness
from crawler.relevance import Relevance
from crawler.run import make_run
from crawler.state import open_database
from crawler.store import Exchange
from tests.crawler.conftest import crawl, make_options
from tests.crawler.web import OFF_TOPIC, SEED, Web, article, feed

START = 1_763_000_000.0


class Paper:
    """A site without a network, and a crawl of it whose clock only moves when the crawl waits."""

    def __init__(self, state: Path, **fields: object) -> None:
        self.now = START
        self.bodies: dict[str, str] = {}
        self.asked: list[tuple[str, float]] = []
        self.stats: dict[str, Any] = {}
        options = CrawlOptions("r1", state, (SEED,), **fields)  # type: ignore[arg-type]
        run = make_run(options, Relevance.from_seeds(options.seeds), open_database(state), lambda: self.now)
        assert run is not None
        self.crawl = Crawl(run)

    def answer(self, task: Task) -> Answer:
        """What the site says: 404 where it has nothing."""
        body = self.bodies.get(task.url)
        at = datetime.fromtimestamp(self.now, UTC)
        status = 404 if body is None else 200
        return Answer(Exchange(task.url, status, [], [], (body or "").encode(), at), {"content-type": "text/html"})

    def walk(self) -> list[str]:
        """Crawls to the end; the pages in the order in which they were asked for."""
        self.crawl.open()
        while self.crawl.has_work():
            task = self.crawl.next_task()
            if task is None:
                self.now += self.crawl.wake_in() or 0.01
                continue
            self.asked.append((task.url, self.now))
            self.crawl.answered(task, self.answer(task))
        self.stats = self.crawl.finish()
        self.crawl.run.frontier.database.close()
        return [url for url, _ in self.asked if "/news/" in url]


SITE = "https://paper.example"


def put_news(paper: Paper, count: int, title: str = "Velmar crossing talks", text: str = SEED) -> list[str]:
    """A feed whose articles have one title each and are a day older than the one before, listed at random."""
    urls = [f"{SITE}/news/p{i}" for i in range(count)]
    days = {url: f"{28 - i} Oct 2025 10:00:00 GMT" for i, url in enumerate(urls)}
    paper.bodies |= {url: article(title, f"{text} {url}") for url in urls}
    shuffled = [urls[i * 7 % count] for i in range(count)]
    paper.bodies[f"{SITE}/feed"] = feed([(url, title, days[url]) for url in shuffled])
    return urls


def test_the_order_is_explained_in_the_statistics(tmp_path: Path) -> None:
    """What each kind of source gave, which words of titles spoke for and against pages, and what was left out."""
    paper = Paper(tmp_path, feeds=(f"{SITE}/feed", f"{SITE}/garden"))
    good = put_news(paper, 4)
    bad = [f"{SITE}/news/g{i}" for i in range(4)]
    paper.bodies |= {url: article("Pruning trees", f"{OFF_TOPIC} {url}") for url in bad}
    paper.bodies[f"{SITE}/garden"] = feed([(url, "Pruning apple trees", "18 Oct 2025 10:00:00 GMT") for url in bad])
    assert set(paper.walk()) == {*good, *bad}
    order = paper.stats["order"]
    assert order["kinds"] == {"feed": {"fetched": 8, "relevant": 4}}
    assert set(order["words"]["raising"]) >= {"velmar", "crossing"}
    assert set(order["words"]["lowering"]) >= {"pruning", "apple"}


def test_of_equals_the_newest_is_asked_for_first(tmp_path: Path) -> None:
    """A run that may fetch five pages of a feed fetches the five latest."""
    paper = Paper(tmp_path, feeds=(f"{SITE}/feed",), limits=Limits(pages=5))
    urls = put_news(paper, 20)
    assert paper.walk() == urls[:5]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [("2025-10-20", None, range(9)), (None, "2025-10-12", range(17, 20)), ("2025-10-20", "2025-10-22", range(7, 9))],
)
def test_what_is_dated_outside_the_period_is_not_asked_for(
    tmp_path: Path, since: str | None, until: str | None, expected: range
) -> None:
    """Its source's date is enough; the first day counts, the last does not."""
    period = {
        key: datetime.fromisoformat(value).replace(tzinfo=UTC)
        for key, value in (("since", since), ("until", until))
        if value
    }
    paper = Paper(tmp_path, feeds=(f"{SITE}/feed",), **period)
    urls = put_news(paper, 20)
    assert paper.walk() == [urls[i] for i in expected]
    assert paper.crawl.run.ledger.skipped["outside_period"] == 20 - len(expected)


def test_what_is_left_out_costs_its_host_no_time(tmp_path: Path) -> None:
    """URLs that robots.txt forbids, or that are known, are passed over without a wait."""
    paper = Paper(tmp_path, feeds=(f"{SITE}/feed",), politeness=Politeness(delay=10.0))
    urls = put_news(paper, 20)
    paper.bodies[f"{SITE}/robots.txt"] = "User-agent: *\nDisallow: /news/p\nAllow: /news/p19$"
    assert paper.walk() == [urls[19]]
    times = [at for _, at in paper.asked]
    assert len(times) == 5, "robots.txt, two declarations, the feed and the page"
    assert times[-1] - times[0] == pytest.approx(40.0)
    assert paper.crawl.run.ledger.skipped["robots"] == 19


def test_a_crawl_from_one_seed_does_not_stall(tmp_path: Path) -> None:
    """Among many unpromising titles those are asked for that say nothing, and the rest is explored a little."""
    paper = Paper(tmp_path, feeds=(f"{SITE}/feed", f"{SITE}/bare"), limits=Limits(exploration=0.05))
    put_news(paper, 20, "Pruning apple and pear trees", OFF_TOPIC)
    hidden = [f"{SITE}/news/{i}" for i in range(60)]
    paper.bodies |= {url: article("x", f"{SEED if i % 6 == 5 else OFF_TOPIC} {i}") for i, url in enumerate(hidden)}
    paper.bodies[f"{SITE}/bare"] = feed([(url, "", "18 Oct 2025 10:00:00 GMT") for url in hidden])
    asked = paper.walk()
    assert set(hidden) <= set(asked), "nothing is known against them"
    assert paper.crawl.run.relevant == 10


@pytest.mark.parametrize("following", ["/world/?page={}", "/world/page/{}/", "/world/older-than-{}"])
def test_a_list_that_goes_on_without_anything_new_ends(tmp_path: Path, following: str) -> None:
    """The next page is followed while pages list articles that are new, however many pages there are."""
    paper = Paper(tmp_path, sections=(f"{SITE}/world/",), limits=Limits(pages=100))
    for page in range(1, 80):
        numbers = range(page * 5, page * 5 + 5) if page <= 6 else range(30, 35)
        links = "".join(f'<a href="/news/talks-{i}">Velmar crossing talks number {i}</a>' for i in numbers)
        address = f"{SITE}{following.format(page)}" if page > 1 else f"{SITE}/world/"
        paper.bodies[address] = f'{links}<a rel="next" href="{following.format(page + 1)}">Next</a>'
    for i in range(40):
        paper.bodies[f"{SITE}/news/talks-{i}"] = article("Velmar crossing talks", f"{SEED} {i}")
    assert len(paper.walk()) == 30
    assert len([url for url, _ in paper.asked if "/world/" in url]) == 7


def test_what_waits_is_ranked_anew_when_its_source_turns_out_well(tmp_path: Path) -> None:
    """URLs without words of a source whose pages are relevant go before those of one whose first ten are not."""
    paper = Paper(tmp_path, feeds=(f"{SITE}/a-poor", f"{SITE}/b-good"))
    dates = "18 Oct 2025 10:00:00 GMT"
    for name, text in (("a-poor", OFF_TOPIC), ("b-good", SEED)):
        urls = [f"{SITE}/news/{name}{i}" for i in range(12)]
        paper.bodies |= {url: article("x", f"{text} {url}") for url in urls}
        paper.bodies[f"{SITE}/{name}"] = feed([(url, "", dates) for url in urls])
    asked = [url.rpartition("/")[2][:6] for url in paper.walk()]
    assert asked == ["a-poor"] * 10 + ["b-good"] * 12 + ["a-poor"] * 2


def test_an_rss_under_sitemaps_is_read_as_what_it_is(web: Web, tmp_path: Path) -> None:
    """A source is told by its content, whatever the options call it."""
    page = web.url("rss.test", "/2025/11/18/velmar-crossing-talks-end")
    web.add("rss.test", "/2025/11/18/velmar-crossing-talks-end", article("Velmar", SEED))
    web.add("rss.test", "/map", feed([(page, "Velmar crossing talks end", "18 Nov 2025 10:00:00 GMT")]))
    run = crawl(make_options(web, tmp_path / "state", sitemaps=(web.url("rss.test", "/map"),)))
    assert run.verdict(page) == "kept"
    assert run.outcomes[page].source_kind == "feed"
