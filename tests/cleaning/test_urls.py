"""Canonical form and identity of URLs, checked with tables and properties."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cleaning.urls import canonical, date_in, host_of, identity, origin_of, site_of, slug_words

TABLE = Path(__file__).parents[2] / "../shared/corpora/crawler-commons/normalizer/weirdToNormalizedUrls.csv"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Example.COM:80/A", "http://example.com/A"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com//a//b", "https://example.com/a/b"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://example.com/a?utm_source=x&id=5&fbclid=1", "https://example.com/a?id=5"),
        ("https://example.com/a?gallery=3&region=eu", "https://example.com/a?gallery=3&region=eu"),
        ("https://example.com/a?b=2&a=1", "https://example.com/a?b=2&a=1"),
        ("https://example.com/a;jsessionid=ABC123?x=1", "https://example.com/a?x=1"),
        ("https://example.com/%7euser/%2f", "https://example.com/~user/%2F"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://münchen.example/ä b", "https://xn--mnchen-3ya.example/%C3%A4%20b"),
        (" \thttps://example.com/a\n", "https://example.com/a"),
        ("https:\\\\example.com\\a", "https://example.com/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_canonical_form(url: str, expected: str) -> None:
    """Only what no server tells apart is made equal, and trackers go."""
    assert canonical(url) == expected


@pytest.mark.parametrize(
    "url",
    ["", "mailto:a@b.c", "javascript:void(0)", "ftp://e.com/x", "file:///etc/passwd", "http://", "http://:80/",
     "http://e.com:99999/", "http://[::1", "http://a b.com/", "//e.com", "data:text/html,x",
     "http://e.com/" + "a" * 3_000],
)  # fmt: skip
def test_what_is_no_web_address_has_no_canonical_form(url: str) -> None:
    """Other schemes, broken and endless addresses give None, not an exception."""
    assert canonical(url) is None


def test_relative_links_are_resolved_against_their_page() -> None:
    """A base makes a relative URL whole."""
    assert canonical("../b?x=1#y", "https://example.com/a/c/d") == "https://example.com/a/b?x=1"
    assert canonical("//other.example/x", "https://example.com/") == "https://other.example/x"


@pytest.mark.parametrize(
    "variant",
    [
        "https://www.example.com/world/talks-fail",
        "http://example.com/world/talks-fail",
        "https://m.example.com/world/talks-fail/",
        "https://amp.example.com/world/talks-fail",
        "https://example.com/amp/world/talks-fail",
        "https://example.com/world/talks-fail/amp/",
        "https://example.com/world/talks-fail.amp",
        "https://example.com/world/talks-fail?amp=1",
        "https://example.com/world/talks-fail?outputType=amp",
        "https://example.com/world/talks-fail/print",
        "https://example.com/print/world/talks-fail",
        "https://example.com/world/talks-fail?print=true",
        "https://example.com/world/talks-fail/index.html",
    ],
)
def test_variants_of_an_article_have_one_identity(variant: str) -> None:
    """Scheme, www, mobile, AMP and print forms are the same article."""
    assert identity(canonical(variant) or "") == identity("https://example.com/world/talks-fail")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.com/news/123456-old-title", "https://e.com/news/123456-new-title"),
        ("https://e.com/news/old-title-1234567.html", "https://e.com/news/new-title-1234567.html"),
        ("https://e.com/item/40123/old-title", "https://e.com/item/40123/new-title"),
        ("https://e.com/a?b=1&a=2", "https://e.com/a?a=2&b=1"),
    ],
)
def test_one_id_under_many_slugs_is_one_article(one: str, other: str) -> None:
    """Where an id names the article, its slug is decoration."""
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.com/20250312-talks", "https://e.com/20250312-floods"),
        ("https://e.com/news/202503/talks-fail", "https://e.com/news/202503/floods-rise"),
        ("https://e.com/2025/03/12/talks-fail", "https://e.com/2025/03/12/floods-rise"),
        ("https://e.com/article.php?id=5", "https://e.com/article.php?id=6"),
        ("https://e.com/news/123456-a", "https://e.com/sport/123456-a"),
        ("https://e.com/story-123456", "https://e.com/story-654321"),
        ("https://e.com/champions/page", "https://e.com/champ/page"),
        ("https://one.e.com/a", "https://two.e.com/a"),
    ],
)
def test_different_articles_keep_their_identities(one: str, other: str) -> None:
    """Dates are no ids, and folders, parameters and hosts count."""
    assert identity(one) != identity(other)


PATHS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12), max_size=5)


@example(parts=[], query={"": "&\x08"}, scheme="http")
@given(PATHS, st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4), st.sampled_from(["http", "https"]))
def test_canonical_is_idempotent(parts: list[str], query: dict[str, str], scheme: str) -> None:
    """A canonical URL is its own canonical form, whatever it was made from."""
    url = f"{scheme}://www.example.com/" + "/".join(parts) + "?" + "&".join(f"{k}={v}" for k, v in query.items())
    found = canonical(url)
    if found is not None:
        assert canonical(found) == found
        assert found.isascii()
        assert identity(found) == identity(found.replace("http://", "https://"))


@given(st.text(max_size=200))
def test_no_text_breaks_the_parsers(text: str) -> None:
    """Any text gives a URL or None, and every URL has an identity, a host, an origin and words."""
    for found in (canonical(text), canonical(text, "https://example.com/a/"), canonical("http://e.com/" + text)):
        if found is not None:
            assert identity(found)
            assert host_of(found)
            assert origin_of(found).startswith("http")
            slug_words(found)
            date_in(found)


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://e.com/2025/03/12/talks", date(2025, 3, 12)),
        ("https://e.com/news/2025-03-12-talks", date(2025, 3, 12)),
        ("https://e.com/news/20250312/talks", date(2025, 3, 12)),
        ("https://e.com/2025/mar/12/talks", date(2025, 3, 12)),
        ("https://e.com/2025/02/31/talks", None),
        ("https://e.com/2025/03/talks", None),
        ("https://e.com/2025/12/talks", None),
        ("https://e.com/item/12345678", None),
    ],
)
def test_day_in_the_path(url: str, day: date | None) -> None:
    """A path names a day only where the day exists."""
    assert date_in(url) == day


def test_site_is_the_registrable_domain() -> None:
    """Public suffixes count; hosts without one give their last two labels."""
    assert site_of("news.bbc.co.uk") == "bbc.co.uk"
    assert site_of("www.example.com") == "example.com"
    assert site_of("paper.newsroom.test") == "newsroom.test"
    assert site_of("127.0.0.1:8080") == "127.0.0.1"


def test_slug_words_are_those_of_the_segment_most_like_a_title() -> None:
    """Ids and suffixes are not words."""
    assert slug_words("https://e.com/world/2025/talks-fail-in-geneva-41036.html") == ["talks", "fail", "in", "geneva"]
    assert slug_words("https://e.com/article.php?id=5") == ["article"]


def test_a_word_of_a_slug_may_hold_a_short_number() -> None:
    """Names such as G20, COVID19 and 5G are words; ids, hashes and bare numbers are none."""
    assert slug_words("https://e.com/putin-at-the-g20-summit-2019") == ["putin", "at", "the", "g20", "summit"]
    assert slug_words("https://e.com/5g-and-covid19_myths-a20250619") == ["5g", "and", "covid19", "myths"]


# The table sorts parameters, keeps `referer` and makes `http:/` of `http:////`; here their order may matter to the
# server, `referer` is a tracker, and an address without a host is none.
DIFFERENT = ("b=1&a=1", "b=2&a=1", "b&a=1", "b=&a=1", "?&b=1", "&=1&a=1", "=1&b=1", "referer=", "http:///")


@pytest.mark.skipif(not TABLE.exists(), reason="crawler-commons table is not beside the repository")
def test_normal_forms_of_crawler_commons() -> None:
    """Of the table's web addresses at least 97 % have the same normal form; the rest differ by intent."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.reader(lines) if len(row) > 1 and row[0].startswith("http")]
    judged = [row for row in rows if not any(part in row[0] for part in DIFFERENT)]
    right = [row for row in judged if canonical(row[0]) == row[1].strip()]
    assert len(judged) >= 90
    assert len(right) / len(judged) >= 0.97
