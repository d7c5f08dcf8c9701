"""Reservations of text and data mining, by their specifications."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.policy import AI_TXT, TDMREP, SitePolicy, read_robots, rights_json, site_policy
from crawler.rights import header_signals, meta_signals, rsl_rules, tdmrep_rules, usage_rules

ORIGIN = "https://example.com"
PAGE = f"{ORIGIN}/news/talks"


def policy(robots: str = "", documents: dict[str, bytes] | None = None) -> SitePolicy:
    """The policy of a site with this robots.txt and these other declarations."""
    return site_policy(ORIGIN, documents or {}, read_robots(200, robots.encode()))


def reserved(found: SitePolicy, url: str = PAGE) -> bool:
    """Whether any signal reserves a page."""
    return any(signal.reserves for signal in found.signals(url))


@pytest.mark.parametrize(
    ("robots", "expected"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /", True),
        ("User-agent: *\nContent-Signal: ai-train=yes, search=no", False),
        ("User-agent: *\nContent-Signal: ai-input=no", False),
        ("User-agent: *\nContent-Usage: train-ai=n", True),
        ("User-agent: *\nContent-Usage: train-ai=y", False),
        ("User-agent: *\nContent-Usage: /other/ train-ai=n", False),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /news/ train-ai=y", False),
        ("User-agent: GreedyBot\nContent-Signal: ai-train=no\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: likewise\nContent-Signal: ai-train=no\n\nUser-agent: *\nContent-Signal: ai-train=yes", True),
        ("Content-Signal: ai-train=no", True),
        ("# Content-Signal: ai-train=no", False),
    ],
)
def test_content_signals_and_usage(robots: str, expected: bool) -> None:
    """The lines of the group that binds this agent count, by the longest path; those for other agents do not."""
    assert reserved(policy(robots)) is expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([{"location": "/", "tdm-reservation": 1}], True),
        ([{"location": "/*", "tdm-reservation": 1, "tdm-policy": "https://example.com/p"}], True),
        ([{"location": "/news/*", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}], False),
        ([{"location": "/other/*", "tdm-reservation": 1}], False),
        ([{"location": "/", "tdm-reservation": "1"}], True),
        ({"location": "/", "tdm-reservation": 1}, True),
        ([{"location": 5}, "x", None], False),
        ("x", False),
    ],
)
def test_tdmrep_file(entries: object, expected: bool) -> None:
    """The first entry whose location matches decides."""
    assert reserved(policy(documents={TDMREP: json.dumps(entries).encode()})) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("User-Agent: *\nDisallow: /", True),
        ("User-Agent: *\nDisallow: news/", True),
        ("User-Agent: *\nDisallow: *.jpg\nAllow: /", False),
        ("User-Agent: GreedyBot\nDisallow: /", False),
        ("<html>no such page</html>", False),
    ],
)
def test_ai_txt(body: str, expected: bool) -> None:
    """Its rules are robots.txt's, for the use of pages."""
    assert reserved(policy(documents={AI_TXT: body.encode()})) is expected


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ('<prohibits type="usage">train-ai</prohibits>', True),
        ('<prohibits type="usage">all</prohibits>', True),
        ('<permits type="usage">search</permits>', True),
        ('<permits type="usage">train-ai search</permits>', False),
        ('<permits type="usage">all</permits><payment type="subscription"/>', True),
        ('<permits type="usage">all</permits><payment type="free"/>', False),
        ("", False),
    ],
)
def test_rsl_licences(terms: str, expected: bool) -> None:
    """Training that is prohibited, not among what is permitted, or to be paid for, is reserved."""
    body = f'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>{terms}</license></content></rsl>'
    robots = "License: https://example.com/license.xml\nUser-agent: *\nAllow: /"
    found = policy(robots, {"https://example.com/license.xml": body.encode()})
    assert usage_rules(robots)[1] == ("https://example.com/license.xml",)
    assert reserved(found) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"tdm-reservation": "1"}, True),
        ({"tdm-reservation": "0"}, False),
        ({"x-robots-tag": "noai, noimageai"}, True),
        ({"x-robots-tag": "noimageai"}, False),
        ({"x-robots-tag": "googlebot: noai"}, False),
        ({"x-robots-tag": "googlebot: noindex, noai"}, False),
        ({"x-robots-tag": "likewise: noai"}, True),
        ({"x-robots-tag": "max-snippet: 10, noarchive"}, True),
        ({"content-usage": "train-ai=n"}, True),
        ({"content-signal": "ai-train=yes"}, False),
        ({}, False),
    ],
)
def test_headers(headers: dict[str, str], expected: bool) -> None:
    """Headers count where they are for every agent or for this one."""
    assert any(signal.reserves for signal in header_signals(headers, PAGE)) is expected


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (("robots", "noai"), True),
        (("robots", "NOINDEX, nofollow"), True),
        (("robots", "index, follow"), False),
        (("googlebot", "noai"), False),
        (("likewise", "noai"), True),
        (("tdm-reservation", "1"), True),
    ],
)
def test_meta_elements(meta: tuple[str, str], expected: bool) -> None:
    """So do meta elements."""
    assert any(signal.reserves for signal in meta_signals([meta], PAGE)) is expected


def test_evidence_says_what_was_found_where() -> None:
    """Under `strict` a reservation opts the page out; under `record` it is only noted."""
    signals = list(header_signals({"tdm-reservation": "1"}, PAGE))
    strict, record = rights_json(signals, "strict"), rights_json(signals, "record")
    assert strict["verdict"] == "opted_out"
    assert record["verdict"] == "allowed"
    assert record["signals"] == [
        {"signal": "tdmrep-header", "value": "tdm-reservation: 1", "where": PAGE, "reserves": True}
    ]
    assert rights_json([], "strict")["verdict"] == "allowed"


@given(st.binary(max_size=300))
def test_noise_declares_nothing_and_breaks_nothing(noise: bytes) -> None:
    """No declaration escapes with an exception."""
    found = policy(noise.decode("utf-8", "replace"), {TDMREP: noise, AI_TXT: noise})
    found.signals(PAGE)
    tdmrep_rules(noise.decode("latin-1"))
    rsl_rules(b"<rsl><content>" + noise, ORIGIN)
