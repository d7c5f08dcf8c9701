"""Bytes of a feed, a sitemap or an interface's list -> candidate URLs; pure parsing, whatever the server calls it."""

import re

from crawler.apis import parse_api
from crawler.candidates import Listing
from crawler.feeds import parse_feed, parse_json_feed
from crawler.sitemaps import parse_sitemap, parse_text_sitemap

_HEAD = 4_096
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([A-Za-z][\w.-]*)")
_SKIPPED = re.compile(r"<!--.*?(?:-->|$)|<\?.*?(?:\?>|$)|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_FEED_ROOTS = frozenset(("rss", "rdf", "feed", "channel"))
_SITEMAP_ROOTS = frozenset(("urlset", "sitemapindex"))


def root_name(body: bytes) -> str:
    """The name of a document's first element in lower case, `{` or `[` for JSON, `http` for a list of URLs, or ""."""
    head = body[:_HEAD]
    text = (
        head.decode("utf-16", "replace") if head[:2] in (b"\xff\xfe", b"\xfe\xff") else head.decode("utf-8", "replace")
    )
    text = text.replace("\0", "").lstrip("\ufeff \t\r\n")
    if text[:1] in ("{", "["):
        return text[:1]
    if text[:4].lower() == "http":
        return "http"
    found = _ROOT.search(_SKIPPED.sub("", text))
    return found[1].lower() if found else ""


def read_listing(body: bytes, url: str, content_type: str = "") -> Listing | None:
    """What a feed, sitemap or interface lists, told by its content, not its name or type; None for other documents.

    Args:
        body: the payload, already bounded in size; a gzip file is to be undone before.
        url: where it was fetched.
        content_type: the header's value; only its charset counts, for feeds.
    """
    root = root_name(body)
    if root in _SITEMAP_ROOTS:
        return parse_sitemap(body, url)
    if root in _FEED_ROOTS:
        found = _CHARSET.search(content_type)
        return parse_feed(body, url, found[1] if found else "")
    if root == "http":
        return parse_text_sitemap(body, url)
    if root == "{" and b"jsonfeed.org" in body[:_HEAD]:
        return parse_json_feed(body, url)
    if root in ("{", "["):
        return parse_api(body, url) or (parse_json_feed(body, url) if root == "{" else None)
    return None
