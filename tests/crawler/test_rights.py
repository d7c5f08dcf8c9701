"""Reservations of text and data mining, by their specifications."""

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.schema import Page
from cleaning.verdict import Verdict
from crawler.entries import Entry, Role, Warc
from crawler.feeds import local_name
from crawler.frontier import Frontier
from crawler.gates import Gates
from crawler.outcomes import outcomes
from crawler.policies import PolicyBook
from crawler.policy import AI_TXT, TDMREP, SitePolicy, read_robots, rights_json, site_policy
from crawler.rights import header_signals, meta_signals, tdmrep_rules, usage_rules
from crawler.rsl import header_licences, rsl_rules
from crawler.state import open_database
from crawler.warc import pages
from crawler.withdrawals import drop_ended, note_end
from tests.crawler.conftest import crawl, make_options
from tests.crawler.web import SEED, Web, article, feed

ORIGIN = "https://example.com"
PAGE = f"{ORIGIN}/news/talks"
FREE_SEARCH = '<permits type="usage">search</permits><payment type="free"/>'


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
    ("licences", "expected"),
    [
        ([FREE_SEARCH], True),
        ([FREE_SEARCH, '<permits type="usage">ai-train</permits><payment type="crawl"/>'], True),
        ([FREE_SEARCH, '<permits type="usage">ai-train</permits><payment type="free"/>'], False),
        ([FREE_SEARCH, '<permits type="usage">search</permits><permits type="usage">ai-all</permits>'], False),
        (['<permits type="usage">all</permits>', '<prohibits type="usage">ai-train</prohibits>'], True),
        ([], False),
    ],
)
def test_a_choice_of_rsl_licences(licences: list[str], expected: bool) -> None:
    """Of several licences one that permits mining freely is enough, unless one prohibits it."""
    terms = "".join(f"<license>{licence}</license>" for licence in licences)
    rules = rsl_rules(f'<rsl><content url="/news/*">{terms}</content></rsl>'.encode(), ORIGIN)
    assert rules is not None
    assert [rule.reserves for rule in rules if rule.matches("/news/talks")] == [expected]


def test_a_licence_belongs_to_the_innermost_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """However deep contents are nested, each has its own licences alone, and every element is looked at once."""
    depth, looked = 200, []
    monkeypatch.setattr("crawler.rsl.local_name", lambda node: looked.append(node) or local_name(node))
    inner = '<license><prohibits type="usage">all</prohibits></license>' * 300
    opened = "".join(f'<content url="/{i}/">' for i in range(depth))
    rules = rsl_rules(f"<rsl>{opened}{inner}{'</content>' * depth}</rsl>".encode(), ORIGIN)
    assert [rule.pattern for rule in rules if rule.reserves] == [f"/{depth - 1}/"]
    assert len(looked) <= depth + 2 * 300 + 2


def test_a_licence_is_read_once_for_many_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules are kept until it is asked for again; of many licences the latest are."""
    read: list[str] = []
    monkeypatch.setattr("crawler.policies.rsl_rules", lambda body, url: read.append(url) or rsl_rules(body, url))
    with closing(open_database(tmp_path)) as database:
        book = PolicyBook(database)
        for number in range(40):
            book.document_answered(book.licence_request(f"{ORIGIN}/{number}.xml", ORIGIN), PAID.encode(), 0.0)
        assert [book.licence(f"{ORIGIN}/1.xml") == rsl_rules(PAID.encode(), ORIGIN) for _ in range(3)] == [True] * 3
        assert len(read) == 1
        book.document_answered(book.licence_request(f"{ORIGIN}/1.xml", ORIGIN), b"", 0.0)
        assert book.licence(f"{ORIGIN}/1.xml") is None
        for number in range(40):
            book.licence(f"{ORIGIN}/{number}.xml")
        assert book.licence(f"{ORIGIN}/0.xml") is not None
    assert read.count(f"{ORIGIN}/0.xml") == 2


@pytest.mark.parametrize("body", [b"", b"not found", b"<html></html>", b"<rsl", b"\xff\xfe"])
def test_a_licence_that_cannot_be_read_permits_nothing(body: bytes) -> None:
    """robots.txt names a licence; what is there instead is no permission, and nor is one of another origin."""
    robots = "License: /license.xml\nUser-agent: *\nAllow: /"
    assert reserved(policy(robots, {"https://example.com/license.xml": body}))
    assert reserved(policy("License: https://collective.example/royalty.xml"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://example.com/l.xml>; rel="license"; type="application/rsl+xml"', ["https://example.com/l.xml"]),
        ("</l.xml>; type=application/rsl+xml; rel=license", ["https://example.com/l.xml"]),
        ('</a>; rel="next", </l.xml>; rel="copyright license"; type="application/rsl+xml"',
         ["https://example.com/l.xml"]),
        ('</l.xml>; title="a, b; c"; rel=license; TYPE="Application/RSL+xml"', ["https://example.com/l.xml"]),
        ('<https://creativecommons.org/licenses/by/4.0/>; rel="license"', []),
        ('</l.xml>; rel="alternate"; type="application/rsl+xml"', []),
        ('</l.xml; rel="license', []),
        ("", []),
    ],
)  # fmt: skip
def test_licences_in_link_headers(header: str, expected: list[str]) -> None:
    """An RSL licence is a link with the relation `license` and RSL's media type (RFC 8288)."""
    assert list(header_licences(header, PAGE)) == expected


@given(st.text(max_size=300))
def test_any_link_header_is_read(header: str) -> None:
    """No `Link` header escapes with an exception."""
    assert len(header_licences(header, PAGE)) <= 3


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
        ({"x-robots-tag": "max-snippet: 10, noarchive"}, False),
        ({"x-robots-tag": "max-snippet: 10, max-image-preview: large"}, False),
        ({"x-robots-tag": "nosnippet, none"}, True),
        ({"content-usage": "train-ai=n"}, True),
        ({"content-signal": "ai-train=yes"}, False),
        ({}, False),
    ],
)
def test_headers(headers: dict[str, str], expected: bool) -> None:
    """Headers count where they are for every agent or for this one."""
    assert any(signal.reserves for signal in header_signals(headers, PAGE)) is expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("noarchive", True),
        ("max-snippet: 10, noarchive", True),
        ("max-snippet:0", True),
        ("nosnippet", True),
        ("nocache", True),
        ("max-snippet: 10", False),
        ("googlebot: noarchive", False),
        ("noai", False),
    ],
)
def test_words_that_withhold_the_text(tag: str, expected: bool) -> None:
    """Who asks for no cached copy and no snippet has the row published without its text; its rights say so."""
    in_header, in_meta = header_signals({"x-robots-tag": tag}, PAGE), meta_signals([("robots", tag)], PAGE)
    for signals in (list(in_header), list(in_meta)):
        rights = rights_json(signals, "strict")
        assert rights.get("withhold") == ("text" if expected else None)
        assert rights["verdict"] == ("opted_out" if tag == "noai" else "allowed")


@pytest.mark.parametrize(
    ("tag", "over"),
    [
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", True),
        ("noimageai, unavailable_after: Friday, 25-Jun-10 15:00:00 GMT, nofollow", True),
        ("unavailable_after: 2010-06-25T15:00:00+02:00", True),
        ("likewise: unavailable_after: 2010-06-25", True),
        ("unavailable_after: Fri, 25 Jun 2060 15:00:00 GMT", False),
        ("googlebot: unavailable_after: 2010-06-25", False),
        ("unavailable_after: some day", False),
        ("unavailable_after:", False),
    ],
)
def test_pages_that_are_not_available_any_more(tag: str, over: bool) -> None:
    """A page is reserved from the time on that `unavailable_after` names, in any of its three forms."""
    at = datetime(2025, 3, 4, tzinfo=UTC)
    signals = [*header_signals({"x-robots-tag": tag}, PAGE, at), *meta_signals([("robots", tag)], PAGE, at)]
    assert [signal.reserves for signal in signals if "unavailable" in signal.value and signal.reserves] == [True] * (
        2 * over
    )
    assert any(signal.until for signal in signals) is ("2060" in tag)


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


# What each signal stops, from end to end.

PAID = (
    '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license><permits type="usage">ai-train</permits>'
    '<payment type="subscription"/></license></content></rsl>'
)
ON_SITES = {
    "tdmrep.test": (TDMREP, json.dumps([{"location": "/", "tdm-reservation": 1}])),
    "signal.test": ("/robots.txt", "User-agent: *\nContent-Signal: ai-train=no\nAllow: /"),
    "usage.test": ("/robots.txt", "User-agent: *\nContent-Usage: train-ai=n\nAllow: /"),
    "rsl.test": ("/licence.xml", '<rsl><content url="/"><license><prohibits type="usage">all</prohibits></license>'
                 "</content></rsl>"),
    "ai.test": (AI_TXT, "User-Agent: *\nDisallow: /"),
}  # fmt: skip
"""Reservations of whole sites: a host, where it says so, and what it says."""

IN_HEADERS = {
    "tdmrep-header.test": {"TDM-Reservation": "1"},
    "usage-header.test": {"Content-Usage": "train-ai=n"},
    **{f"tag-{word}.test": {"X-Robots-Tag": word} for word in ("noai", "noindex", "none")},
    "ended-tag.test": {"X-Robots-Tag": "unavailable_after: 1 Jan 2020 00:00:00 GMT"},
    "rsl-header.test": {"Link": '</licence.xml>; rel="license"; type="application/rsl+xml"'},
    "rsl-unread.test": {"Link": '<https://elsewhere.test/licence.xml>; rel="license"; type="application/rsl+xml"'},
}
IN_METAS = {
    "tdmrep-meta.test": '<meta name="tdm-reservation" content="1">',
    **{f"meta-{word}.test": f'<meta name="robots" content="{word}">' for word in ("noai", "noindex")},
    "ended-meta.test": '<meta name="robots" content="unavailable_after: Wed, 01 Jan 2020 00:00:00 GMT">',
    "rsl-link.test": '<link rel="license" type="application/rsl+xml" href="/licence.xml">',
    "rsl-script.test": f'<script type="application/rsl+xml">{PAID}</script>',
}
WITHHOLDING = {
    **{f"text-{word}.test": f'<meta name="robots" content="{word}">' for word in ("noarchive", "nosnippet")},
    "text-max.test": '<meta name="robots" content="max-snippet:0">',
}
STOPPING_NOTHING = {
    "images.test": '<meta name="robots" content="noimageai">',
    "others.test": '<meta name="googlebot" content="noindex, noai">',
    "later.test": '<meta name="robots" content="unavailable_after: 2060-01-01">',
    "rsl-free.test": '<link rel="license" type="application/rsl+xml" href="/licence.xml">',
}
PATH = "/2025/11/18/velmar-crossing-talks-fail"


def build_reserved(web: Web) -> tuple[str, ...]:
    """A host for each signal, with one article; the feeds."""
    heads = IN_METAS | WITHHOLDING | STOPPING_NOTHING
    for host in [*ON_SITES, *IN_HEADERS, *heads, "robots.test", "plain.test"]:
        page = article("Velmar", f"{SEED} {host}", head=heads.get(host, ""))
        web.add(host, PATH, page, headers=IN_HEADERS.get(host, {}))
        items = [(web.url(host, PATH), "Velmar crossing talks fail", "Tue, 18 Nov 2025 10:00:00 GMT")]
        web.add(host, "/feed", feed(items), type="application/rss+xml")
    for host, (path, body) in ON_SITES.items():
        web.add(host, path, body)
    web.add("rsl.test", "/robots.txt", f"License: {web.url('rsl.test', '/licence.xml')}\nUser-agent: *\nAllow: /")
    for host in ("rsl-header.test", "rsl-link.test"):
        web.add(host, "/licence.xml", PAID, type="application/rsl+xml")
    web.add("rsl-free.test", "/licence.xml", PAID.replace("subscription", "free"), type="application/rsl+xml")
    web.add("robots.test", "/robots.txt", f"User-agent: *\nDisallow: {PATH}")
    return tuple(web.url(host, "/feed") for host, path in web.pages if path == "/feed")


@pytest.mark.parametrize("policy", ["strict", "record"])
def test_what_each_signal_stops(web: Web, tmp_path: Path, policy: str) -> None:
    """The table of docs/crawler.md: under `strict` a site's reservation stops the fetch, a page's its row or its text.

    Under `record` only robots.txt stops anything, and each reservation is in the page's evidence.
    """
    options = make_options(web, tmp_path / "s", feeds=build_reserved(web), politeness={"rights": policy})
    run = crawl(options)
    assert run.code == 0, run.log
    verdicts = {host: run.verdict(web.url(host, PATH)) for host, path in web.pages if path == PATH}
    assert verdicts.pop("robots.test") == "robots"
    stopped = {host for host, verdict in verdicts.items() if verdict == "opted_out"}
    assert stopped == (set(ON_SITES) if policy == "strict" else set())
    assert {verdict for host, verdict in verdicts.items() if host not in stopped} == {"kept"}
    stored = {page.url.split("/")[2].split(":")[0]: json.loads(page.rights) for page in warc_pages(options.state)}
    reserving = {host for host, rights in stored.items() if any(s["reserves"] for s in rights["signals"])}
    assert reserving == set(IN_HEADERS) | set(IN_METAS) | (set() if policy == "strict" else set(ON_SITES))
    dropped = {host for host, rights in stored.items() if rights["verdict"] == "opted_out"}
    assert dropped == (reserving if policy == "strict" else set())
    assert {host for host, rights in stored.items() if rights.get("withhold") == "text"} == set(WITHHOLDING)
    assert all(web.paths(host).count(PATH) == 1 for host in stored), "a page that waits for its licence is not repeated"


def test_a_licence_is_asked_for_once(web: Web, tmp_path: Path) -> None:
    """Pages that name the same licence wait for one request; it is not repeated in the next run."""
    web.add("rsl.test", "/licence.xml", PAID, type="application/rsl+xml")
    link = {"Link": '</licence.xml>; rel="license"; type="application/rsl+xml"'}
    items = []
    for i in range(4):
        web.add("rsl.test", f"{PATH}-{i}", article("Velmar", f"{SEED} {i}"), headers=link)
        items.append((web.url("rsl.test", f"{PATH}-{i}"), "Velmar talks fail", "Tue, 18 Nov 2025 10:00:00 GMT"))
    web.add("rsl.test", "/feed", feed(items), type="application/rss+xml")
    for run in ("r1", "r2"):
        options = make_options(web, tmp_path / "s", run, feeds=(web.url("rsl.test", "/feed"),))
        assert crawl(options).code == 0
    assert web.paths("rsl.test").count("/licence.xml") == 1
    assert {json.loads(page.rights)["verdict"] for page in warc_pages(options.state)} == {"opted_out"}


def test_a_page_that_ends_is_gone_from_then_on(tmp_path: Path) -> None:
    """What is unavailable after a time is gone in the first run after it, without a request; and not before."""
    database = open_database(tmp_path)
    frontier = Frontier(database, "r1", Gates(1.0, 300.0))
    frontier.begin(0.0)
    frontier.add(Entry(key="k", url=PAGE, host="example.com", role=Role.PAGE, score=0.5))
    task = frontier.best("example.com")
    assert task is not None
    frontier.fetched(task, 1.0, warc=Warc("f", 0, 1))
    note_end(frontier, task, datetime.fromtimestamp(100.0, UTC))
    frontier.ledger.finish(2.0, "", {})
    later = Frontier(database, "r2", Gates(1.0, 300.0))
    later.begin(50.0)
    assert [drop_ended(later, at) for at in (50.0, 150.0, 150.0)] == [0, 1, 0]
    database.close()
    assert [(found.url, found.verdict) for found in outcomes(tmp_path, "r2")] == [(PAGE, Verdict.GONE)]


def warc_pages(state: Path) -> list[Page]:
    """The pages that a crawl stored."""
    return list(pages(sorted((state / "warc").iterdir())))


def test_links_are_not_followed_where_a_header_says_so(web: Web, tmp_path: Path) -> None:
    """X-Robots-Tag's nofollow is as good as the meta element's; one for another agent is not."""
    for host, tag in (("no.test", "nofollow"), ("yes.test", "googlebot: nofollow")):
        link = '<a href="/2025/11/18/velmar-crossing-talks-linked">Velmar crossing talks linked</a>'
        web.add(host, PATH, article("Velmar", f"{SEED} {host}", link), headers={"X-Robots-Tag": tag})
        web.add(host, "/2025/11/18/velmar-crossing-talks-linked", article("Velmar", f"{SEED} {host} linked"))
        items = [(web.url(host, PATH), "Velmar crossing talks fail", "Tue, 18 Nov 2025 10:00:00 GMT")]
        web.add(host, "/feed", feed(items), type="application/rss+xml")
    assert crawl(make_options(web, tmp_path / "s", feeds=tuple(web.url(h, "/feed") for h in ("no.test", "yes.test"))))
    assert any("linked" in path for path in web.paths("yes.test"))
    assert not any("linked" in path for path in web.paths("no.test"))


@pytest.mark.parametrize(("policy", "verdict"), [("strict", Verdict.OPTED_OUT), ("record", Verdict.NOT_MODIFIED)])
def test_an_opt_out_counts_on_a_page_that_did_not_change(
    web: Web, tmp_path: Path, policy: str, verdict: Verdict
) -> None:
    """A header that reserves a page stops it, under `strict`, though its body is as it was when it was free."""
    for run_id, day, headers in (("r1", "14", {}), ("r2", "15", {"X-Robots-Tag": "noai", "tdm-reservation": "1"})):
        web.add("paper.test", PATH, article("Velmar talks", SEED), headers=headers)
        items = [(web.url("paper.test", PATH), f"Velmar talks {day}", f"{day} Nov 2025 10:00:00 GMT")]
        web.add("paper.test", "/feed", feed(items), type="application/rss+xml")
        options = make_options(
            web, tmp_path / "s", run_id, feeds=(web.url("paper.test", "/feed"),), politeness={"rights": policy}
        )
        crawled = crawl(options)
    assert web.paths("paper.test").count(PATH) == 2
    assert crawled.verdict(web.url("paper.test", PATH)) == verdict


@pytest.mark.parametrize("etag", [{}, {"ETag": '"1"'}], ids=["the same body", "304"])
def test_a_text_that_is_withheld_later_is_told(web: Web, tmp_path: Path, etag: dict[str, str]) -> None:
    """The outcome of a page that did not change says by which header its text is withheld from now on."""
    told = []
    for run_id, day, headers in (("r1", "14", {}), ("r2", "15", {"X-Robots-Tag": "noarchive"}), ("r3", "16", {})):
        web.add("paper.test", PATH, article("Velmar talks", SEED), headers=headers | etag)
        items = [(web.url("paper.test", PATH), f"Velmar talks {day}", f"{day} Nov 2025 10:00:00 GMT")]
        web.add("paper.test", "/feed", feed(items), type="application/rss+xml")
        crawled = crawl(make_options(web, tmp_path / "s", run_id, feeds=(web.url("paper.test", "/feed"),)))
        outcome = crawled.outcomes[web.url("paper.test", PATH)]
        told.append((outcome.verdict, outcome.withheld))
    unchanged = Verdict.NOT_MODIFIED
    assert told == [(Verdict.KEPT, ""), (unchanged, "robots-tag: noarchive"), (unchanged, "")]
