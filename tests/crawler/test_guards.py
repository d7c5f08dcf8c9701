"""Addresses, ports and schemes that a crawl may not reach, and URLs that look like traps."""

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.urls import canonical
from crawler.guards import Guard, trap_reason
from crawler.options import Network
from crawler.resolver import GuardedResolver
from tests.crawler.conftest import crawl, make_options
from tests.crawler.web import Hit, Reply, Web, article, feed, news_sitemap

CLOSED = Guard(Network())
OPEN = Guard(
    Network(allow_loopback=True, ports=(80, 443, 8080), resolve={"*.test": "127.0.0.1", "a.b.test": "127.0.0.9"})
)

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "fe80::1", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
    "2002:a00:1::", "2001:db8::1", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    """Private, local, reserved and multicast addresses, and IPv6 ones that stand for them."""
    assert CLOSED.refuses_address(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_accepted(address: str) -> None:
    """What is on the public internet is reached."""
    assert not CLOSED.refuses_address(address)


def test_loopback_is_allowed_where_the_options_say_so() -> None:
    """And nothing else that is private."""
    assert not OPEN.refuses_address("127.0.0.1")
    assert not OPEN.refuses_address("::1")
    assert OPEN.refuses_address("10.0.0.1")


@pytest.mark.parametrize(
    "url", ["http://example.com:22/", "https://example.com:8443/", "http://[::1]/", "http://10.0.0.1/"]
)
def test_urls_that_are_refused_before_they_are_resolved(url: str) -> None:
    """Other ports, and literal addresses that are private."""
    assert CLOSED.refuses_url(url)


def test_names_are_pinned_by_the_longest_wildcard() -> None:
    """An exact name goes before a wildcard."""
    assert OPEN.pinned("paper.test") == "127.0.0.1"
    assert OPEN.pinned("a.b.test") == "127.0.0.9"
    assert OPEN.pinned("test") == ""
    assert OPEN.pinned("example.com") == ""


@given(st.ip_addresses())
def test_every_address_has_an_answer(address: Any) -> None:
    """Mapped to IPv6, an IPv4 address has the same answer."""
    plain = bool(CLOSED.refuses_address(str(address)))
    if isinstance(address, ipaddress.IPv4Address):
        assert bool(CLOSED.refuses_address(f"::ffff:{address}")) is plain


class Clock:
    """A reactor's clock and receiver, for the resolver alone."""

    def __init__(self) -> None:
        self.now = 0.0
        self.addresses: list[str] = []

    def seconds(self) -> float:
        """The time."""
        return self.now

    def resolutionBegan(self, resolution: object) -> None:
        """Part of the receiver's interface."""

    def addressResolved(self, address: Any) -> None:
        """An address that was accepted."""
        self.addresses.append(address.host)

    def resolutionComplete(self) -> None:
        """Part of the receiver's interface."""


def test_a_name_that_changes_its_answer_is_checked_each_time() -> None:
    """Rebinding: a public answer first and a private one later gives nothing later."""
    clock = Clock()
    resolver = GuardedResolver(clock, CLOSED, ttl=60.0)
    assert resolver._accept("rebind.example", ("93.184.215.14",)) == ("93.184.215.14",)
    clock.now = 61.0
    assert resolver._known("rebind.example") is None
    assert resolver._accept("rebind.example", ("127.0.0.1",)) == ()
    assert "loopback" in resolver.refused["rebind.example"]
    resolver.resolveHostName(clock, "rebind.example")
    assert clock.addresses == []


def test_of_mixed_answers_only_the_public_are_given() -> None:
    """A name with a public and a private address is reached at the public one alone."""
    resolver = GuardedResolver(Clock(), CLOSED)
    assert resolver._accept("mixed.example", ("10.0.0.1", "93.184.215.14", "::1")) == ("93.184.215.14",)
    assert resolver.refused == {}


@pytest.mark.parametrize(
    "path",
    [
        "/calendar/2031/05/",
        "/events?year=2031&month=5",
        "/a/b/a/b/a/b/",
        "/x/x/x/",
        "/" + "/".join(str(n) + "a" for n in range(20)),
        "/list?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9",
        "/session/0123456789abcdef0123/page",
        "/agenda/2025/12/24",
        "/shop?x=1&x=2&x=3&x=4",
    ],
)
def test_traps(path: str) -> None:
    """Calendars, repeated and endless paths, sessions and heaps of parameters are not followed."""
    assert trap_reason("https://example.com" + path)


@pytest.mark.parametrize(
    "path",
    ["/2025/03/12/talks-end", "/world/europe/talks-end-in-senn", "/article.php?id=5&section=world", "/news/2025/talks",
     "/events-that-shaped-the-year-2025", "/world/?page=3"],
)  # fmt: skip
def test_articles_are_no_traps(path: str) -> None:
    """Dates and numbers alone make no trap."""
    assert not trap_reason("https://example.com" + path)


SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.0.53", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "localhost", "LOCALHOST",
    "localhost.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "0.0.0.0", "0", "[::]",
    "127.0.0.1%2e", "%31%32%37.0.0.1", socket.gethostname(),
]  # fmt: skip


def build_spelled(web: Web) -> Sequence[str]:
    """A public host whose redirects, robots.txt, sitemaps, feeds and links lead to loopback in every spelling."""
    targets = [f"http://{name}:{web.port}/reached-{i}" for i, name in enumerate(SPELLINGS)]
    public = "public.example"
    links = []
    for i, target in enumerate(targets):
        path = f"/velmar-crossing-talks-redirect-{i}"
        web.add(public, path, status=302, headers={"Location": target})
        links.append((web.url(public, path), "Velmar crossing talks", "Tue, 18 Nov 2025 10:00:00 GMT"))
        web.add(f"r{i}.example", "/robots.txt", status=301, headers={"Location": target})
        web.add(f"r{i}.example", "/feed", feed([]), type="application/rss+xml")
    direct = [
        (f"{target}/velmar-crossing-talks", "Velmar crossing talks", "Tue, 18 Nov 2025 10:00:00 GMT")
        for target in targets
    ]
    web.add(public, "/feed", feed(links + direct), type="application/rss+xml")
    listed = news_sitemap([(link, title, "2025-11-18") for link, title, _ in direct])
    index = "<sitemapindex>" + "".join(f"<sitemap><loc>{t}</loc></sitemap>" for t in targets) + "</sitemapindex>"
    web.add(public, "/sitemap.xml", listed, type="application/xml")
    web.add(public, "/index.xml", index, type="application/xml")
    anchors = "".join(f'<a href="{target}/velmar-crossing-talks-link">Velmar crossing talks</a>' for target in targets)
    web.add(public, "/", article("Front", "x", anchors))
    return targets


def test_no_spelling_of_loopback_is_reached_by_any_way(web: Web, tmp_path: Path) -> None:
    """Direct, through a redirect, a robots.txt, a sitemap, an index, a feed or a link: nothing arrives."""
    targets = build_spelled(web)
    names = {"public.example": "127.0.0.1"} | {f"r{i}.example": "127.0.0.1" for i in range(len(targets))}
    options = make_options(
        web,
        tmp_path / "state",
        feeds=(web.url("public.example", "/feed"), *(web.url(f"r{i}.example", "/feed") for i in range(len(targets))),
               *(f"{target}/feed" for target in targets if canonical(target))),
        sitemaps=(web.url("public.example", "/sitemap.xml"), web.url("public.example", "/index.xml")),
        sites=(web.url("public.example"),),
        network={"allow_loopback": False, "resolve": names},
    )  # fmt: skip
    run = crawl(options, 90)
    assert run.code == 0, run.log
    reached = [hit for hit in web.hits if hit.host not in names]
    assert reached == []
    refused = [outcome for outcome in run.outcomes.values() if outcome.verdict == "refused_address"]
    assert len(refused) >= 15


def test_a_bomb_costs_little_memory(web: Web, tmp_path: Path) -> None:
    """An answer that never ends is cut off at the limit."""
    chunk = b"x" * 65_536

    def endless(hit: Hit) -> Reply:
        return Reply(chunk * 400)

    web.pages["big.test", "/velmar-crossing-talks-go-on"] = endless
    link = (
        web.url("big.test", "/velmar-crossing-talks-go-on"),
        "Velmar crossing talks",
        "Tue, 18 Nov 2025 10:00:00 GMT",
    )
    web.add("big.test", "/feed", feed([link]), type="application/rss+xml")
    run = crawl(
        make_options(web, tmp_path / "state", feeds=(web.url("big.test", "/feed"),), limits={"page_bytes": 1_000_000})
    )
    assert [outcome.verdict for outcome in run.outcomes.values()] == ["too_large"]
