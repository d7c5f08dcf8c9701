"""What a page says of itself and links to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.candidates import is_hub_link, is_same_section, looks_like_hub
from crawler.links import MAX_LINKS, read_page

ENCODINGS = Path(__file__).parents[2] / "../shared/corpora/encodings"
URL = "https://example.com/world/"

PAGE = b"""<html><head><title> Front  page </title><base href="https://example.com/base/">
<link rel="canonical" href="/world"><link rel="amphtml" href="/world/amp"><link rel="next" href="?page=2">
<link rel="alternate" type="application/rss+xml" href="/feed.xml"><link rel="alternate" hreflang="de" href="/de/">
<link rel="https://api.w.org/" href="/wp-json/">
<meta name="robots" content="noarchive"><meta name="tdm-reservation" content="1">
</head><body><a href="one"><img alt="Picture of talks"></a><a href="/two">2</a>
<a href="/two"><h3>Talks end</h3><p>Long summary</p></a>
<a href="#top">top</a><a href="javascript:x()">x</a><a href="/ad" rel="sponsored">ad</a><a href="/logo.png">logo</a>
<a href="/login">Log in</a><a href="mailto:a@b.c">mail</a></body></html>"""


def test_links_with_their_texts() -> None:
    """Each address comes once, with its best text, resolved against the base; ads, files and services do not come."""
    links = read_page(PAGE, URL).links
    assert [(link.url, link.title) for link in links] == [
        ("https://example.com/base/one", "Picture of talks"),
        ("https://example.com/two", "Talks end"),
    ]


def test_what_a_page_says_of_itself() -> None:
    """Canonical and AMP address, next page, feeds, interface and declarations are read."""
    page = read_page(PAGE, URL)
    assert page.title == "Front page"
    assert page.canonical == "https://example.com/world"
    assert page.amp == "https://example.com/world/amp"
    assert page.next_page == "https://example.com/base/?page=2"
    assert [pointer.url for pointer in page.feeds] == ["https://example.com/feed.xml"]
    assert page.api == "https://example.com/wp-json/"
    assert page.metas == (("robots", "noarchive"), ("tdm-reservation", "1"))
    assert not page.no_follow


@pytest.mark.parametrize("text", ["Next", "Older posts", "»"])
def test_the_next_page_may_be_an_ordinary_link(text: str) -> None:
    """Without rel=next its wording tells."""
    page = read_page(f'<a href="/p/1">1</a><a href="/p/2">{text}</a>'.encode(), URL)
    assert page.next_page == "https://example.com/p/2"


def test_a_page_may_ask_to_have_no_link_followed() -> None:
    """`nofollow` and `none` in its robots meta say so."""
    assert read_page(b'<meta name="robots" content="index, NOFOLLOW"><a href=/a>a</a>', URL).no_follow
    assert read_page(b'<meta name="robots" content="none">', URL).no_follow


def test_links_are_bounded() -> None:
    """A page of endless links costs no more than a large front page."""
    body = b"".join(b'<a href="/n%d">n</a>' % i for i in range(3 * MAX_LINKS))
    assert len(read_page(body, URL).links) == MAX_LINKS


@given(st.binary(max_size=500))
def test_noise_has_no_links_and_no_exception(noise: bytes) -> None:
    """Any bytes can be read as a page."""
    read_page(noise, URL)
    read_page(b"<a href=" + noise, URL, "text/html; charset=nonsense")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.com/", True),
        ("https://e.com/world/", True),
        ("https://e.com/category/world/page/2/", True),
        ("https://e.com/world?page=3", True),
        ("https://e.com/index.php?section=world", True),
        ("https://e.com/world/talks-on-river-end-again", False),
        ("https://e.com/2025/03/12/talks-end", False),
        ("https://e.com/article-123456", False),
        ("https://e.com/talks.html", False),
        ("https://e.com/article.php?id=5", False),
    ],
)
def test_hubs_are_told_by_their_address(url: str, expected: bool) -> None:
    """Short and paged addresses are sections; worded, dated and numbered ones are articles."""
    assert looks_like_hub(url) is expected


@pytest.mark.parametrize(
    ("title", "expected"), [("World", True), ("2", True), ("Talks on river crossing end again", False), ("", True)]
)
def test_a_headline_is_no_link_to_a_section(title: str, expected: bool) -> None:
    """Whatever the address is: short addresses and numbers lead to articles as well."""
    assert is_hub_link(title, "https://e.com/?p=4711") is expected


@pytest.mark.parametrize(
    ("url", "other", "expected"),
    [
        ("https://e.com/world/", "https://e.com/world/?page=2", True),
        ("https://e.com/world", "https://e.com/world/2025/03/talks", True),
        ("https://e.com/world/", "https://e.com/worldwide/", False),
        ("https://e.com/", "https://e.com/world/", False),
        ("https://e.com/world/", "https://f.com/world/", False),
    ],
)
def test_pages_of_one_section(url: str, other: str, expected: bool) -> None:
    """The one lies below the other, on the same host."""
    assert is_same_section(url, other) is is_same_section(other, url) is expected


@pytest.mark.skipif(not ENCODINGS.exists(), reason="encoding samples are not beside the repository")
def test_pages_in_fifty_encodings() -> None:
    """No encoding escapes with an exception."""
    for path in sorted(path for path in ENCODINGS.rglob("*") if path.is_file()):
        read_page(path.read_bytes()[:200_000], URL)
