"""Sitemaps as sitemaps.org and Google's news extension specify them."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.candidates import Kind
from crawler.discovery import read_listing
from crawler.payload import gunzip_file
from crawler.sitemaps import MAX_URLS, parse_sitemap, parse_text_sitemap

SAMPLES = Path(__file__).parents[2] / "../shared/corpora/crawler-commons"
URL = "https://example.com/sitemap.xml"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="crawler-commons samples are not beside the repository")

NEWS = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> https://example.com/a?utm_medium=x </loc><lastmod>2025-11-19T08:00:00+00:00</lastmod>
<news:news><news:publication><news:name>Paper</news:name></news:publication>
<news:publication_date>2025-11-18T10:00:00+01:00</news:publication_date>
<news:title>Talks &amp; tariffs</news:title></news:news>
<image:image><image:loc>https://example.com/a.jpg</image:loc><image:title>A picture</image:title></image:image></url>
<url><loc>/b</loc></url></urlset>"""

INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://example.com/s1.xml.gz</loc><lastmod>2025-11-18</lastmod></sitemap>
<sitemap><loc>https://example.com/s2.xml</loc></sitemap></sitemapindex>"""


def test_news_sitemaps_keep_title_and_date() -> None:
    """The fields by which candidates are ranked are read; those of images are not mistaken for them."""
    listing = parse_sitemap(NEWS, URL)
    first, second = listing.candidates
    assert listing.kind is Kind.NEWS_SITEMAP
    assert (first.url, first.title) == ("https://example.com/a", "Talks & tariffs")
    assert first.published == datetime(2025, 11, 18, 9, tzinfo=UTC)
    assert first.modified == datetime(2025, 11, 19, 8, tzinfo=UTC)
    assert (second.url, second.title, second.published) == ("https://example.com/b", "", None)


def test_an_index_names_sitemaps_and_no_pages() -> None:
    """Children come with their lastmod."""
    listing = parse_sitemap(INDEX, URL)
    assert listing.candidates == ()
    assert [pointer.url for pointer in listing.pointers] == [
        "https://example.com/s1.xml.gz",
        "https://example.com/s2.xml",
    ]
    assert listing.pointers[0].modified == datetime(2025, 11, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize("namespace", ["http://www.google.com/schemas/sitemap/0.9", "urn:wrong", ""])
def test_any_namespace_is_accepted(namespace: str) -> None:
    """Sites get it wrong, and their URLs are right all the same."""
    body = NEWS.replace(b"http://www.sitemaps.org/schemas/sitemap/0.9", namespace.encode())
    assert len(parse_sitemap(body, URL).candidates) == 2


@pytest.mark.parametrize("kept", [0.4, 0.7, 0.95])
def test_a_cut_sitemap_gives_what_came_before(kept: float) -> None:
    """A broken end costs no whole entry."""
    body = NEWS.replace(b"</urlset>", b"") * 1
    many = body + b"".join(b"<url><loc>https://example.com/n%d</loc></url>" % i for i in range(100))
    found = parse_sitemap(many[: int(len(many) * kept)], URL).candidates
    assert len(found) > 10 * kept


def test_a_sitemap_may_be_a_list_of_addresses() -> None:
    """Text sitemaps are one URL a line, with or without a byte order mark."""
    body = b"\xef\xbb\xbfhttps://example.com/a\r\nhttps://example.com/b\nnot an address\n"
    listing = read_listing(body, URL, "text/plain")
    assert listing is not None
    assert [candidate.url for candidate in listing.candidates] == ["https://example.com/a", "https://example.com/b"]
    assert parse_text_sitemap(body, URL) == listing


def test_the_content_tells_what_a_sitemap_is() -> None:
    """Neither the file's name nor its type is believed; gzip is undone."""
    listing = read_listing(gunzip_file(gzip.compress(NEWS), 100_000), "https://example.com/x.php?y", "text/html")
    assert listing is not None
    assert listing.kind is Kind.NEWS_SITEMAP


def test_a_sitemap_is_read_up_to_its_limit() -> None:
    """50,000 URLs are the protocol's limit; what comes after is not looked at."""
    entries = b"".join(b"<url><loc>https://e.com/%d</loc></url>" % i for i in range(MAX_URLS + 10))
    assert len(parse_sitemap(b"<urlset>" + entries + b"</urlset>", URL).candidates) == MAX_URLS


@given(st.binary(max_size=300), st.sampled_from([b"<urlset><url><loc>", b"<sitemapindex>", b"http://e.com/", b""]))
def test_noise_gives_a_listing_or_none(noise: bytes, start: bytes) -> None:
    """No bytes escape with an exception."""
    read_listing(start + noise, URL)
    parse_sitemap(start + noise, URL)


COUNTS = {
    "atom.xml": 1,
    "do-not-visit.txt": 1,
    "sitemap-with-bom.txt": 2,
    "sitemap.badns.xml": 2,
    "sitemap.ns.xml": 2,
    "sitemap.txt": 2,
    "sitemap.txt.gz": 5,
    "xmlSitemap.gz": 5,
    "hebdenbridgetimes-articles-sitemap.xml": 74,
    "pagemaps-sitemap.xml": 2,
    "shinpaideshou-news-sitemap.xml": 3,
    "sitemap-images.xml": 1,
    "sitemap-links.xml": 3,
    "sitemap-mobile.xml": 3,
    "sitemap-news.xml": 2,
}


@needs_samples
def test_sitemaps_of_crawler_commons() -> None:
    """Each sample lists as many pages as its test suite expects."""
    found = {}
    for path in sorted((SAMPLES / "sitemaps").rglob("*.*")):
        listing = read_listing(gunzip_file(path.read_bytes(), 10_000_000), "http://www.example.com/")
        found[path.name] = len(listing.candidates) if listing else -1
    assert {name: found[name] for name in COUNTS} == COUNTS


@needs_samples
def test_an_index_of_crawler_commons() -> None:
    """An index whose addresses stand without `loc` around them is read all the same."""
    listing = read_listing((SAMPLES / "sitemaps/sitemap.index.xml").read_bytes(), "https://example.com/")
    assert listing is not None
    assert len(listing.pointers) >= 15
