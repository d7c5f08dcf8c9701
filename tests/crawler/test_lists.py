"""What a crawl is told to look at besides its sources: a list of URLs, archives by date, sitemaps on other hosts."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.archives import archive_pages, archive_patterns
from crawler.candidates import Kind
from crawler.outcomes import Totals, totals
from crawler.process import FAILED, main
from crawler.warc import pages
from tests.crawler.conftest import Crawled, crawl, make_options
from tests.crawler.web import SEED, Reply, Web, article, feed, news_sitemap

DATE = "Tue, 18 Nov 2025 10:00:00 GMT"
ISO = "2025-11-18T10:00:00Z"
POLICY = ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json")


def asked(web: Web, host: str) -> list[str]:
    """The paths asked of a host, without those of its policy."""
    return [path for path in web.paths(host) if path not in POLICY]


def counted(options_state: Path, run_id: str = "r1") -> Totals:
    """The totals of a run."""
    found = totals(options_state, run_id)
    assert found is not None
    return found


# A list of URLs.


def build_paper(web: Web, host: str = "paper.test") -> list[str]:
    """A paper with a feed of three articles, each of which links to a fourth."""
    paths = [f"/2025/11/18/velmar-crossing-talks-part-{i}" for i in range(3)]
    for path in [*paths, "/2025/11/18/velmar-crossing-talks-linked"]:
        links = '<a href="/2025/11/18/velmar-crossing-talks-linked">Velmar crossing talks linked</a>'
        web.add(host, path, article("Velmar", f"{SEED} {path}", links), headers={"ETag": f'"{path[-6:]}"'})
    items = [(web.url(host, path), path.rpartition("/")[2].replace("-", " "), DATE) for path in paths]
    web.add(host, "/feed", feed(items), type="application/rss+xml")
    return paths


def test_a_list_is_fetched_and_nothing_else(web: Web, crawled: Callable[..., Crawled], tmp_path: Path) -> None:
    """No source is asked and no link followed; robots.txt, rights and guard hold; each URL has its outcome."""
    paths = build_paper(web)
    web.add("paper.test", "/robots.txt", f"User-agent: *\nDisallow: {paths[1]}", type="text/plain")
    web.add("tdm.test", "/.well-known/tdmrep.json", '[{"location": "/", "tdm-reservation": 1}]')
    web.add("moved.test", "/old", status=301, headers={"Location": web.url("paper.test", paths[2])})
    urls = [web.url("paper.test", path) for path in (*paths[:2], "/none")]
    urls += [web.url("tdm.test", "/news"), "http://10.0.0.1/news", web.url("moved.test", "/old"), urls[0]]
    run = crawled(urls=tuple(urls), feeds=(web.url("paper.test", "/feed"),), sites=(web.url("paper.test"),))
    assert run.code == 0, run.log
    verdicts = [run.verdict(url) for url in urls]
    assert verdicts == ["kept", "robots", "gone", "opted_out", "refused_address", "known", "kept"]
    assert run.verdict(web.url("paper.test", paths[2])) == "kept", "where the redirect leads"
    assert asked(web, "paper.test") == [paths[0], "/none", paths[2]]
    assert asked(web, "tdm.test") == []
    assert {outcome.source_kind for outcome in run.outcomes.values()} == {"list"}
    assert {page.source_kind for page in pages(sorted((tmp_path / "state/warc").iterdir()))} == {"list"}
    assert [(s.source, s.kind, s.candidates) for s in counted(tmp_path / "state").sources] == [("list", "list", 6)]


def test_known_urls_of_a_list_are_asked_for_conditionally(web: Web, crawled: Callable[..., Crawled]) -> None:
    """And what other runs left waiting is not asked for, nor is a list's remainder by the runs after it."""
    paths = build_paper(web)
    urls = tuple(web.url("paper.test", path) for path in paths)
    crawled("r1", feeds=(web.url("paper.test", "/feed"),), limits={"pages": 1})
    known = next(path for path in asked(web, "paper.test") if path != "/feed")
    del web.hits[:]
    second = crawled("r2", urls=(web.url("paper.test", known),))
    assert second.verdict(web.url("paper.test", known)) == "not_modified"
    assert asked(web, "paper.test") == [known]
    assert "if-none-match" in web.hits[-1].headers
    third = crawled("r3", urls=urls, limits={"pages": 1})
    assert third.stats["fetched"] == 1
    assert "over_budget" in {third.verdict(url) for url in urls}
    del web.hits[:]
    assert crawled("r4", urls=urls[:1]).code == 0
    assert asked(web, "paper.test") == [paths[0]]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"urls": ("mailto:a@b.test",)}, "take it out of the list"),
        ({"archives": ("https://a.test/archive",)}, "{year}"),
        ({"archives": ("https://a.test/{year}/{day}",)}, "{month}"),
        ({"archives": ("https://a.test/{year}/{page}",)}, "{month}"),
        ({"archives": ("https://a.test/{year",)}, "is no pattern"),
        ({"archives": ("ftp://a.test/{year}",)}, "is no http(s) URL"),
    ],
)
def test_lists_and_archives_that_cannot_be_meant(
    web: Web, tmp_path: Path, fields: dict[str, tuple[str, ...]], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The message names what was found and what to do."""
    path = tmp_path / "o.json"
    path.write_text(make_options(web, tmp_path / "state", **fields).to_json(), encoding="utf-8")
    assert main([str(path)]) == FAILED
    assert words in caplog.text


# Archives by date.


def moment(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("https://a.test/{year}/{month}/{day}", ["2025/03/02", "2025/03/01", "2025/02/28"]),
        ("https://a.test/{year}/{month}", ["2025/03", "2025/02"]),
        ("https://a.test/{year}", ["2025"]),
    ],
)
def test_archives_are_expanded_backwards(pattern: str, expected: list[str]) -> None:
    """Each day, month or year of the period once, the latest first; `until` is the first moment outside."""
    found = list(archive_pages(pattern, moment("2025-02-28"), moment("2025-03-03")))
    assert [page.url.removeprefix("https://a.test/") for page in found] == expected
    assert (
        found[0].ended
        == {3: moment("2025-03-03"), 2: moment("2025-04-01"), 1: moment("2026-01-01")}[pattern.count("{")].timestamp()
    )


def test_an_endless_archive_ends(tmp_path: Path) -> None:
    """Without a first date as many pages are considered as eleven years have days, and none before 1990."""
    assert len(list(archive_pages("https://a.test/{year}-{month}-{day}", None, moment("2025-03-03")))) == 4_000
    assert len(list(archive_pages("https://a.test/{year}", None, moment("2025-03-03")))) == 36


def build_archive(web: Web) -> None:
    """An archive with an article on each of four days, of which one day's page moved; nothing is older."""
    for day in ("17", "15", "14", "13"):
        path = f"/news/velmar-crossing-talks-of-day-{day}"
        web.add("old.test", path, article("Velmar", f"{SEED} {day}"))
        listing = article("Archive", "x", f'<a href="{path}">Velmar crossing talks of day {day}</a>')
        web.add("old.test", f"/archive/2025/11/{day}" + ("/" if day == "15" else ""), listing)
    web.add("old.test", "/archive/2025/11/15", status=301, headers={"Location": "/archive/2025/11/15/"})


def test_an_archive_is_read_from_the_newest_day_until_it_yields_nothing(
    web: Web, crawled: Callable[..., Crawled], tmp_path: Path
) -> None:
    """A day that is missing or moved does not end it, five days without anything new do; read days are settled."""
    build_archive(web)
    fields = {
        "archives": (web.url("old.test", "/archive/{year}/{month}/{day}"),),
        "since": moment("2025-01-01"),
        "until": moment("2025-11-18"),
    }
    run = crawled("r1", **fields)
    assert run.code == 0, run.log
    days = [path for path in asked(web, "old.test") if path.startswith("/archive")]
    assert [path.removeprefix("/archive/2025/11/") for path in days] == [
        "17", "16", "15", "15/", "14", "13", "12", "11", "10", "09", "08",
    ]  # fmt: skip
    assert run.stats["fetched"] == 4
    sources = [source for source in counted(tmp_path / "state").sources if source.kind == Kind.ARCHIVE]
    assert sum(source.relevant for source in sources) == 4
    assert not [url for url, outcome in run.outcomes.items() if outcome.verdict == "gone"], "no page was missing"
    del web.hits[:]
    assert crawled("r2", **fields).code == 0
    again = [path.removeprefix("/archive/2025/11/") for path in asked(web, "old.test")]
    assert again == ["07", "06", "05", "04", "03"], "days that are over are not read again, the search goes on"


def test_archive_patterns_are_kept_as_they_are(web: Web, tmp_path: Path) -> None:
    """They are the options' own."""
    pattern = web.url("old.test", "/{year}/{month}")
    assert archive_patterns(make_options(web, tmp_path, archives=(pattern,))) == (pattern,)


# Sitemaps that list the URLs of other hosts.


def test_a_sitemap_elsewhere_may_list_the_sites_that_name_it(web: Web, tmp_path: Path) -> None:
    """A site's robots.txt may name a sitemap, or an index of them, on another host (sitemaps.org, cross submits)."""
    page, foreign = "/news/velmar-crossing-talks-go-on", "/news/velmar-crossing-talks-elsewhere"
    web.add("paper.test", "/", article("Front", "x"))
    web.add("paper.test", "/robots.txt", f"Sitemap: {web.url('store.example', '/index.xml')}", type="text/plain")
    web.add("paper.test", page, article("Velmar", SEED))
    web.add("third.test", foreign, article("Velmar", SEED + " third"))
    index = f"<sitemapindex><sitemap><loc>{web.url('store.example', '/news.xml')}</loc></sitemap></sitemapindex>"
    web.add("store.example", "/index.xml", index, type="application/xml")
    listed = [(web.url(h, p), "Velmar crossing talks", ISO) for h, p in (("paper.test", page), ("third.test", foreign))]
    web.add("store.example", "/news.xml", news_sitemap(listed), type="application/xml")
    names = {"*.test": "127.0.0.1", "store.example": "127.0.0.1"}
    run = crawl(make_options(web, tmp_path / "s", sites=(web.url("paper.test"),), network={"resolve": names}))
    assert run.code == 0, run.log
    assert run.verdict(web.url("paper.test", page)) == "kept"
    assert web.paths("third.test") == []


def test_guessed_addresses_that_are_missing_are_no_pages(web: Web, tmp_path: Path) -> None:
    """A site's usual sitemap addresses are tried; where there are none the totals say so, and no outcome does."""
    web.add("bare.test", "/", article("Front", "x", '<a href="/news/velmar-crossing-talks-end">Velmar crossing</a>'))
    web.add("bare.test", "/news/velmar-crossing-talks-end", article("Velmar", SEED))
    options = make_options(web, tmp_path / "state", sites=(web.url("bare.test"),))
    run = crawl(options)
    assert {"/sitemap.xml", "/news-sitemap.xml"} <= set(web.paths("bare.test"))
    assert [outcome.url for outcome in run.outcomes.values() if outcome.verdict == "gone"] == []
    missing = {source.source for source in counted(options.state).sources if source.error.startswith("gone")}
    assert missing == {web.url("bare.test", path) for path in ("/sitemap.xml", "/news-sitemap.xml")}


def test_a_sitemap_that_names_itself_is_asked_once(web: Web, tmp_path: Path) -> None:
    """Indexes that go in circles end, and of an index with thousands of children the first fifty are asked."""
    web.pages["loop.test", "/a.xml"] = Reply(_index(web, ["/a.xml", "/b.xml"]), type="application/xml")
    web.pages["loop.test", "/b.xml"] = Reply(_index(web, ["/a.xml", "/b.xml"]), type="application/xml")
    web.pages["loop.test", "/many.xml"] = Reply(_index(web, [f"/{i}.xml" for i in range(200)]), type="application/xml")
    maps = (web.url("loop.test", "/a.xml"), web.url("loop.test", "/many.xml"))
    assert crawl(make_options(web, tmp_path / "state", sitemaps=maps, politeness={"delay": 0.001})).code == 0
    found = asked(web, "loop.test")
    assert found.count("/a.xml") == found.count("/b.xml") == 1
    assert len(found) == 3 + 50


def _index(web: Web, paths: list[str]) -> str:
    entries = "".join(f"<sitemap><loc>{web.url('loop.test', path)}</loc></sitemap>" for path in paths)
    return f"<sitemapindex>{entries}</sitemapindex>"
