"""The registry of sources, the interfaces that are searched, and the options."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cleaning.topic.feedback import Label
from cleaning.topic.profile import TopicOptions
from crawler.apis import gdelt_query, parse_api, query_terms, wordpress_query
from crawler.candidates import Kind
from crawler.options import CrawlOptions, Limits, Network, Politeness
from crawler.sources import PATIENT_CHECKS, Source, Sources, given_sources, site_fronts
from crawler.state import open_database

NOW = 1_763_000_000.0
URL = "https://example.com/feed"


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    """An empty registry."""
    database: sqlite3.Connection = open_database(tmp_path)
    yield Sources(database, "r1")
    database.close()


def check(sources: Sources, *, changed: bool, now: float = NOW) -> Source:
    """The source after an answer."""
    source = sources.register(URL, Kind.FEED)
    sources.answered(source, now, changed=changed, etag="e", last_modified="m", digest="d")
    found = sources.get(URL)
    assert found is not None
    return found


def test_a_source_that_does_not_change_is_asked_ever_less(sources: Sources) -> None:
    """Not at first; then after a quarter of an hour, and half as long again each time; a change ends it."""
    waits = [check(sources, changed=False).next_at - NOW for _ in range(PATIENT_CHECKS + 2)]
    assert waits == [0.0, 0.0, 900.0, 1350.0, 2025.0]
    assert list(sources.due(NOW + 2024.0)) == []
    assert [source.url for source in sources.due(NOW + 2025.0)] == [URL]
    assert check(sources, changed=True).next_at == NOW


def test_a_source_of_the_options_is_always_asked(sources: Sources) -> None:
    """However often nothing was new, and however often it failed."""
    for _ in range(9):
        check(sources, changed=False)
    sources.register(URL, Kind.FEED, given=True)
    sources.failed(URL, "HTTP 500", gone=True)
    assert [source.url for source in sources.due(NOW)] == [URL]


def test_a_source_that_the_options_no_longer_name_is_left(sources: Sources) -> None:
    """With all that it named; named again, they are asked again."""
    other = "https://other.example/feed"
    sources.name_given([(URL, Kind.SECTION), (other, Kind.FEED)])
    sources.register(f"{URL}feed", Kind.FEED, parent=URL)
    assert {source.url for source in sources.due(NOW)} == {URL, f"{URL}feed", other}
    sources.name_given([(other, Kind.FEED)])
    assert [source.url for source in sources.due(NOW)] == [other]
    sources.name_given([(URL, Kind.SECTION), (other, Kind.FEED)])
    assert {source.url for source in sources.due(NOW)} == {URL, f"{URL}feed", other}


def test_where_a_source_redirects_to_stays(sources: Sources) -> None:
    """With all that it names, as long as the options name the source."""
    home, feed = "https://www.example.com/feed", "https://www.example.com/all.rss"
    for _ in range(2):
        sources.name_given([(URL, Kind.SECTION)])
        sources.register(home, Kind.SECTION, given=True, parent=URL)
        sources.register(feed, Kind.FEED, parent=home)
        assert {source.url for source in sources.due(NOW)} == {URL, home, feed}
    sources.name_given([])
    sources.name_given([("https://other.example/feed", Kind.FEED)])
    assert [source.url for source in sources.due(NOW)] == ["https://other.example/feed"]


def test_a_source_that_is_gone_is_retired(sources: Sources) -> None:
    """So that dead sitemaps starve nothing."""
    sources.register(URL, Kind.SITEMAP)
    sources.failed(URL, "HTTP 404", gone=True)
    assert list(sources.due(NOW)) == []


def test_the_better_source_is_asked_first(sources: Sources) -> None:
    """By the share of its pages that were relevant."""
    for name, relevant in (("poor", False), ("good", True)):
        sources.register(f"https://example.com/{name}", Kind.FEED)
        for _ in range(5):
            sources.yielded(f"https://example.com/{name}", relevant=relevant)
    assert [source.url.rpartition("/")[2] for source in sources.due(NOW)] == ["good", "poor"]


def test_a_source_whose_claims_were_false_is_not_believed(sources: Sources) -> None:
    """After some articles that it called changed and that were not."""
    source = check(sources, changed=True)
    assert source.tells_changes
    for _ in range(5):
        sources.claimed_falsely(URL)
    found = sources.get(URL)
    assert found is not None
    assert not found.tells_changes


def test_the_same_address_in_another_form_is_the_same_source(sources: Sources) -> None:
    """A front page that was asked for as a source is not fetched as a page."""
    sources.register("https://www.example.com/", Kind.SECTION)
    assert sources.get_any("http://example.com/index.html")
    assert not sources.get_any("http://example.com/world/")


def options(**fields: object) -> CrawlOptions:
    """Options with these fields."""
    return CrawlOptions("r1", Path("state"), ("text",), **fields)  # type: ignore[arg-type]


def test_sources_of_the_options() -> None:
    """A bare site name is its front page; what is no address is refused."""
    named = options(sites=("example.com",), feeds=(URL,), sections=("https://example.com/",))
    assert given_sources(named) == [(URL, Kind.FEED), ("https://example.com/", Kind.SECTION)]
    assert site_fronts(named) == {"https://example.com": "https://example.com/"}
    with pytest.raises(ValueError, match="is no http"):
        given_sources(options(feeds=("mailto:x",)))


def test_options_survive_json() -> None:
    """All of them, with their types; an unknown one is refused."""
    given = options(
        since=datetime(2025, 2, 1, tzinfo=UTC),
        limits=Limits(pages=5),
        politeness=Politeness(delay=2.0, rights="record"),
        network=Network(True, (8080,), {"*.test": "127.0.0.1"}),
        gdelt="https://gdelt.test/doc",
        topic=TopicOptions(threshold=0.4, width="wide"),
        labels=(Label("Talks end", {"talks": 1.5, "end": 0.25}, is_relevant=False),),
    )
    assert CrawlOptions.from_json(given.to_json()) == given
    with pytest.raises(ValueError, match="unknown options colour"):
        CrawlOptions.from_json(json.dumps({**json.loads(given.to_json()), "colour": 1}))


def test_queries() -> None:
    """Words, period and bounds are in the address."""
    since = datetime(2025, 2, 1, tzinfo=UTC)
    asked = parse_qs(urlsplit(gdelt_query(("Velmar", "talks"), since)).query)
    assert asked["query"] == ["Velmar talks"]
    assert asked["startdatetime"] == ["20250201000000"]
    asked = parse_qs(urlsplit(wordpress_query("https://example.com/wp-json/", ("Velmar",), since)).query)
    assert asked["search"] == ["Velmar"]
    assert asked["after"] == ["2025-02-01T00:00:00"]


def test_answers_of_interfaces() -> None:
    """Posts of WordPress and articles of GDELT are candidates with titles and times; other JSON is none."""
    posts = [
        {"link": "https://e.com/a", "title": {"rendered": "A &#8211; b"}, "date_gmt": "2025-02-01T10:00:00"},
        5,
        {},
    ]
    found = parse_api(json.dumps(posts).encode(), URL)
    assert found is not None
    assert [(c.url, c.title, c.published) for c in found.candidates] == [
        ("https://e.com/a", "A – b", datetime(2025, 2, 1, 10, tzinfo=UTC))
    ]
    articles = {"articles": [{"url": "https://e.com/b", "title": "B", "seendate": "20250201T101500Z"}, None]}
    found = parse_api(json.dumps(articles).encode(), URL)
    assert found is not None
    assert [(c.url, c.published) for c in found.candidates] == [
        ("https://e.com/b", datetime(2025, 2, 1, 10, 15, tzinfo=UTC))
    ]
    assert parse_api(b'{"a": 1}', URL) is None
    assert parse_api(b"{", URL) is None


def test_search_words_are_names_that_the_seeds_share() -> None:
    """Names of one seed alone, and words that are not written large, are not searched for."""
    seeds = ("The talks in Velmar failed, said Brandt.", "A crossing at Velmar stays shut, says Kerrick.")
    assert query_terms(seeds) == ("Velmar",)
