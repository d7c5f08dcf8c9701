"""Search interfaces, from end to end: a server that speaks their formats, and what a crawl fetches by them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler.apis import query_terms
from crawler.outcomes import totals
from tests.crawler.conftest import Crawled
from tests.crawler.web import OFF_TOPIC, SEED, Hit, Reply, Web, article

SINCE = datetime(2025, 11, 1, tzinfo=UTC)
DAY = "/2025/11/18"
TALKS, OLD, ORCHARD = f"{DAY}/velmar-crossing-talks-end", "/2025/03/02/velmar-talks-begin", f"{DAY}/orchard-society"


@pytest.fixture
def papers(web: Web) -> Web:
    """Two papers with an article each on and off the topic, none linked from a front page."""
    for host in ("one.test", "two.test"):
        web.add(host, "/", "<html><body><p>Welcome to our paper.</p></body></html>")
        web.add(host, TALKS, article("Velmar crossing talks end", f"{SEED} {host}"))
        web.add(host, OLD, article("Velmar talks begin", f"{SEED} {host} in spring"))
        web.add(host, ORCHARD, article("Orchard society prunes", f"{OFF_TOPIC} {host}"))
    return web


def query(hit: Hit) -> dict[str, str]:
    """The query of a request, each key once."""
    return {key: values[0] for key, values in parse_qs(urlsplit(hit.path).query).items()}


def gdelt_answer(web: Web, asked: list[dict[str, str]]) -> Callable[[Hit], Reply]:
    """What a GDELT DOC 2.0 interface answers in its mode `artlist`: articles of both papers, as far as they match."""
    listed = [
        {"url": web.url(host, path), "title": title, "seendate": seen, "domain": host, "language": "English"}
        for host in ("one.test", "two.test")
        for path, title, seen in (
            (TALKS, "Velmar crossing talks end", "20251118T101500Z"),
            (OLD, "Velmar talks begin", "20250302T101500Z"),
        )
    ]

    def answer(hit: Hit) -> Reply:
        asked.append(query(hit))
        within = [item for item in listed if item["seendate"] >= asked[-1]["startdatetime"]]
        return Reply(json.dumps({"articles": within}), type="application/json; charset=utf-8")

    return answer


def test_articles_that_gdelt_lists_are_fetched(papers: Web, crawled: Callable[..., Crawled]) -> None:
    """The interface is asked for the seeds' names and the period; articles of any site that it lists are fetched."""
    asked: list[dict[str, str]] = []
    papers.pages["gdelt.test", "/api/v2/doc/doc?"] = gdelt_answer(papers, asked)
    run = crawled(gdelt=papers.url("gdelt.test", "/api/v2/doc/doc"), since=SINCE)
    assert run.code == 0, run.log
    assert [run.verdict(papers.url(host, TALKS)) for host in ("one.test", "two.test")] == ["kept", "kept"]
    assert {run.outcomes[papers.url(host, TALKS)].source_kind for host in ("one.test", "two.test")} == {"api"}
    assert not papers.paths("one.test").count(OLD)
    assert len(asked) == 1
    assert asked[0]["query"].split() == list(query_terms((SEED,)))
    assert (asked[0]["mode"], asked[0]["format"], asked[0]["startdatetime"]) == ("artlist", "json", "20251101000000")


def test_what_gdelt_lists_again_is_not_fetched_again(papers: Web, crawled: Callable[..., Crawled]) -> None:
    """The query of a recipe stays the same, so the second run knows what it lists."""
    asked: list[dict[str, str]] = []
    papers.pages["gdelt.test", "/api/v2/doc/doc?"] = gdelt_answer(papers, asked)
    for run_id in ("r1", "r2"):
        assert crawled(run_id, gdelt=papers.url("gdelt.test", "/api/v2/doc/doc"), since=SINCE).code == 0
    assert len(asked) == 2
    assert papers.paths("one.test").count(TALKS) == papers.paths("two.test").count(TALKS) == 1


def test_an_answer_of_gdelt_in_words_is_an_error_of_the_source(
    papers: Web, crawled: Callable[..., Crawled], tmp_path: Path
) -> None:
    """GDELT answers a query that it does not like with a sentence and status 200; the run says so and is not over."""
    papers.add("gdelt.test", "/api/v2/doc/doc?", "The specified phrase is too short.")
    run = crawled(gdelt=papers.url("gdelt.test", "/api/v2/doc/doc"))
    assert run.code == 3
    found = totals(tmp_path / "state", "r1")
    assert found is not None
    assert ["neither feed nor sitemap nor page" in source.error for source in found.sources] == [True]


def posts_answer(web: Web, host: str, asked: list[dict[str, str]]) -> Callable[[Hit], Reply]:
    """What the posts of a WordPress REST interface answer to `search`, `after` and `per_page`."""
    posts = [
        (TALKS, "Velmar &#8211; crossing talks end", "2025-11-18T10:00:00", SEED),
        (OLD, "Velmar talks begin", "2025-03-02T10:00:00", SEED),
        (ORCHARD, "Orchard society prunes", "2025-11-18T09:00:00", OFF_TOPIC),
    ]

    def answer(hit: Hit) -> Reply:
        asked.append(query(hit))
        words = asked[-1]["search"].lower().split()
        found = [
            {"link": web.url(host, path), "title": {"rendered": title}, "date_gmt": at, "modified_gmt": at}
            for path, title, at, text in posts
            if all(word in text.lower() for word in words) and at >= asked[-1].get("after", "")
        ]
        return Reply(json.dumps(found), type="application/json; charset=UTF-8")

    return answer


def test_articles_that_a_wordpress_search_lists_are_fetched(papers: Web, crawled: Callable[..., Crawled]) -> None:
    """A bare site whose front page names its REST interface is searched for the seeds' names, in the period."""
    link = f'<link rel="https://api.w.org/" href="{papers.url("one.test", "/wp-json/")}">'
    papers.add("one.test", "/", f"<html><head>{link}</head><body><p>Welcome.</p></body></html>")
    asked: list[dict[str, str]] = []
    papers.pages["one.test", "/wp-json/wp/v2/posts?"] = posts_answer(papers, "one.test", asked)
    run = crawled(sites=(papers.url("one.test"),), since=SINCE)
    assert run.code == 0, run.log
    assert run.verdict(papers.url("one.test", TALKS)) == "kept"
    assert run.outcomes[papers.url("one.test", TALKS)].title == "Velmar – crossing talks end"
    assert not {OLD, ORCHARD} & set(papers.paths("one.test"))
    assert [ask["after"] for ask in asked] == ["2025-11-01T00:00:00"]
