"""robots.txt as RFC 9309 specifies it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.policies import PolicyBook
from crawler.policy import (
    MAX_CRAWL_DELAY,
    ROBOTS_BYTES,
    Robots,
    policy_documents,
    read_robots,
    robots_text,
    unreachable_robots,
)
from crawler.rights import path_matches, usage_rules
from crawler.state import open_database

CORPORA = Path(__file__).parents[2] / "../shared/corpora"
ORIGIN = "https://example.com"


def rules(text: str) -> Robots:
    """The rules of a robots.txt that was read."""
    return read_robots(200, text.encode())


@pytest.mark.parametrize(
    ("status", "allowed"),
    [(200, True), (204, True), (400, True), (401, True), (403, True), (404, True), (410, True), (429, False),
     (500, False), (503, False), (599, False)],
)  # fmt: skip
def test_what_each_status_means(status: int, allowed: bool) -> None:
    """2.3.1: unavailable (4xx) allows everything, unreachable (5xx) disallows everything; 429 is a server in need."""
    assert read_robots(status, b"").allows(f"{ORIGIN}/a") is allowed


def test_robots_that_cannot_be_reached_disallow_everything() -> None:
    """2.3.1.4: time-outs and broken connections are unreachability."""
    assert not unreachable_robots("time-out").allows(f"{ORIGIN}/")


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /private", "/private/a", False),
        ("User-agent: *\nDisallow: /private", "/public", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /\nAllow: /news", "/news/a", True),
        ("User-agent: *\nAllow: /\nDisallow: /a", "/a", False),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.php$", "/a.php", False),
        ("User-agent: *\nDisallow: /*.php$", "/a.php?x", True),
        ("User-agent: *\nDisallow: /a%3Cd.html", "/a%3cd.html", False),
        ("User-agent: likewise\nDisallow: /\nUser-agent: *\nDisallow:", "/a", False),
        ("User-agent: LikeWise\nDisallow: /a\n\nUser-agent: likewise\nDisallow: /b", "/b", False),
        ("User-agent: GreedyBot\nDisallow: /\n\nUser-agent: *\nDisallow: /x", "/a", True),
        ("User-agent: GreedyBot\nUser-agent: likewise\nDisallow: /", "/a", False),
        ("User-agent: likewise\nDisallow:\n\nUser-agent: *\nDisallow: /", "/a", True),
        ("USER-AGENT: *\nDISALLOW: /a # comment", "/a", False),
        ("Disallow: /", "/a", True),
        ("<html><body>not found</body></html>", "/a", True),
        ("User-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("User-agent: *\nDisallow: /robots.txt", "/robots.txt", True),
    ],
)
def test_rules(text: str, path: str, allowed: bool) -> None:
    """2.2: groups by product token, the longest match wins, allow wins a tie; rules of other agents do not bind."""
    assert rules(text).allows(ORIGIN + path) is allowed


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_passed_over(encoding: str) -> None:
    """2.3: a mark before the first line does not hide it."""
    assert not read_robots(200, "User-agent: *\nDisallow: /".encode(encoding)).allows(f"{ORIGIN}/a")


def test_at_least_500_kibibytes_are_read_and_no_more() -> None:
    """2.5: a rule within the limit binds, one beyond it is not seen, and none is cut in half."""
    head = b"User-agent: *\n"
    filler = b"# filler line\n" * (ROBOTS_BYTES // 14)
    within = head + filler[: 500 * 1024 - 100] + b"\nDisallow: /a\n"
    beyond = head + filler + b"\nDisallow: /a\n" + filler
    assert not read_robots(200, within).allows(f"{ORIGIN}/a")
    assert read_robots(200, beyond).allows(f"{ORIGIN}/a")
    assert len(robots_text(head + b"Disallow: /" + b"a" * ROBOTS_BYTES)) <= ROBOTS_BYTES


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 2.5", 2.5),
        ("User-agent: *\nCrawl-delay: 100000", MAX_CRAWL_DELAY),
        ("User-agent: *\nCrawl-delay: soon", 0.0),
        ("User-agent: *\nRequest-rate: 1/10", 10.0),
        ("User-agent: GreedyBot\nCrawl-delay: 9", 0.0),
        ("", 0.0),
    ],
)
def test_pace(text: str, delay: float) -> None:
    """Crawl-delay and Request-rate of this agent's group are honoured up to two minutes."""
    assert rules(text).delay == delay


def test_sitemaps_are_made_canonical() -> None:
    """Sitemap lines hold for every agent, and may be relative."""
    text = "Sitemap: https://example.com/s.xml\nUser-agent: x\nDisallow: /\nsitemap: /news.xml\nSitemap: ftp://e.com/x"
    assert rules(text).sitemaps(ORIGIN) == ("https://example.com/s.xml", "https://example.com/news.xml")


@given(st.binary(max_size=600))
def test_noise_gives_rules(noise: bytes) -> None:
    """No robots.txt escapes with an exception."""
    robots = read_robots(200, noise)
    robots.allows(f"{ORIGIN}/a")
    robots.sitemaps(ORIGIN)
    assert 0 <= robots.delay <= MAX_CRAWL_DELAY
    usage_rules(robots.text)


@given(st.text("ab*$/", max_size=12), st.text("ab/", max_size=12))
def test_patterns_match_like_their_regular_expression(pattern: str, path: str) -> None:
    """2.2.3: `*` is any run of characters, `$` at the end is the end, and matching starts at the beginning."""
    import re

    anchored = pattern.endswith("$")
    body = pattern.rstrip("$")
    expression = "".join(".*" if char == "*" else re.escape(char) for char in body) + ("$" if anchored else "")
    assert path_matches(pattern, path) is bool(re.match(expression, path, re.DOTALL))


@pytest.mark.skipif(not (CORPORA / "robots").exists(), reason="robots samples are not beside the repository")
def test_robots_of_four_thousand_sites() -> None:
    """Every real robots.txt is read without an exception (each tenth here; all of them in benchmarks)."""
    paths = sorted(path for path in (CORPORA / "robots").rglob("*") if path.is_file())[::10]
    for path in paths:
        robots = read_robots(200, path.read_bytes())
        robots.allows(f"{ORIGIN}/world/2025/03/12/talks-end?x=1")
        robots.sitemaps(ORIGIN)
        usage_rules(robots.text)


@pytest.mark.skipif(not (CORPORA / "crawler-commons").exists(), reason="crawler-commons is not beside the repository")
@pytest.mark.parametrize(
    ("file", "path", "allowed"),
    [
        ("rfc9309-example-longest-match-robots.txt", "/example/page/", True),
        ("rfc9309-example-longest-match-robots.txt", "/example/page/disallowed.gif", False),
        ("robots-with-utf8-bom.txt", "/profile", False),
        ("robots-with-utf16le-bom.txt", "/profile", False),
        ("robots-with-utf16be-bom.txt", "/profile", False),
    ],
)
def test_robots_of_crawler_commons(file: str, path: str, allowed: bool) -> None:
    """The examples of the RFC, and files with byte order marks, mean what its test suite says; agents named foobot."""
    body = (CORPORA / "crawler-commons/robots" / file).read_bytes()
    text = robots_text(body).replace("foobot", "likewise").replace("FooBot", "likewise")
    assert rules(text).allows("https://www.example.com" + path) is allowed


def test_rules_are_used_for_a_day(tmp_path: Path) -> None:
    """robots.txt is asked for anew after 24 hours, and sooner where it could not be read (RFC 9309, 2.4)."""
    database = open_database(tmp_path)
    book = PolicyBook(database)
    site = "https://e.com"
    for body in (b"User-agent: *\nDisallow: /", b"User-agent: *\nAllow: /"):
        book.robots_answered(book.next_request(site, 0.0), 200, body, 0.0)
    for _ in policy_documents(site, read_robots(200, b"")):
        book.document_answered(book.next_request(site, 0.0), b"", 0.0)
    assert book.policy(site, 23 * 3600.0) is not None
    assert book.policy(site, 25 * 3600.0) is None
    assert book.next_request(site, 25 * 3600.0).url == f"{site}/robots.txt"
    book.robots_answered(book.next_request(site, 25 * 3600.0), 503, b"", 25 * 3600.0)
    assert book.next_request(site, 25.5 * 3600.0).url == f"{site}/robots.txt"
    database.close()


def test_what_a_page_is_stored_with_is_not_forgotten(tmp_path: Path) -> None:
    """However many other origins were asked while the page was on its way, its own declarations go with it."""
    database = open_database(tmp_path)
    book = PolicyBook(database)
    sites = [f"https://e{number}.com" for number in range(600)]
    for site in sites:
        book.robots_answered(book.next_request(site, 0.0), 200, b"User-agent: *\nContent-Signal: ai-train=no", 0.0)
        for _ in policy_documents(site, read_robots(200, b"")):
            book.document_answered(book.next_request(site, 0.0), b"", 0.0)
        assert book.policy(site, 1.0) is not None
    first = book.known(sites[0])
    assert first is not None
    assert [signal.reserves for signal in first.signals(f"{sites[0]}/page")] == [True]
    assert book.policy(sites[0], 25 * 3600.0) is None
    database.close()
