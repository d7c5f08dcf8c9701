"""Sitemaps of sitemaps.org, with Google's news extension, and their indexes -> candidate URLs."""

import re
from collections.abc import Iterator
from io import BytesIO

from lxml import etree

from cleaning.urls import canonical
from crawler.candidates import Candidate, Kind, Listing, Pointer
from crawler.feeds import local_name, plain, time_of

MAX_URLS = 50_000
"""URLs of one sitemap that are looked at, as the protocol bounds them (sitemaps.org, "Sitemap file requirements")."""

_FIELDS = frozenset(("loc", "lastmod", "title", "publication_date"))
_CONTAINERS = ("{*}url", "{*}sitemap", "{*}loc", "{*}lastmod", "{*}title", "{*}publication_date")
_LINE = re.compile(rb"^[ \t]*(https?://\S+)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)


def parse_sitemap(body: bytes, url: str) -> Listing:
    """What a sitemap or a sitemap index in XML lists; as much as comes before it is cut or too broken.

    A sitemap whose entries have `news:publication_date` is a NEWS_SITEMAP. Any namespace is accepted.
    """
    candidates: list[Candidate] = []
    pointers: list[Pointer] = []
    is_news = False
    for name, fields in _entries(body):
        address = canonical(fields.get("loc", ""), url)
        if not address:
            continue
        modified = time_of(fields.get("lastmod", ""))
        if name == "sitemap":
            pointers.append(Pointer(address, Kind.SITEMAP, modified))
        else:
            published = time_of(fields.get("publication_date", ""))
            is_news = is_news or published is not None
            candidates.append(Candidate(address, plain(fields.get("title")), published, modified))
    return Listing(Kind.NEWS_SITEMAP if is_news else Kind.SITEMAP, tuple(candidates), tuple(pointers))


def parse_text_sitemap(body: bytes, url: str) -> Listing:
    """What a sitemap of one URL a line lists."""
    lines = (found[1].decode("utf-8", errors="replace") for found in _LINE.finditer(body.removeprefix(b"\xef\xbb\xbf")))
    addresses = (canonical(line, url) for line, _ in zip(lines, range(MAX_URLS), strict=False))
    return Listing(Kind.SITEMAP, tuple(Candidate(address) for address in addresses if address))


def _entries(body: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Each `url` or `sitemap` element with the text of its fields; the tree is dropped on the way."""
    fields: dict[str, str] = {}
    count = 0
    try:
        for _, node in etree.iterparse(
            BytesIO(body.lstrip(b" \t\r\n")), tag=_CONTAINERS, recover=True, resolve_entities=False, no_network=True
        ):
            name = local_name(node)
            if name in _FIELDS:
                _note(fields, name, node)
                continue
            # Some indexes have the address without `loc` around it.
            yield name, fields if "loc" in fields else {**fields, "loc": node.text or ""}
            fields = {}
            node.clear()
            while (before := node.getprevious()) is not None and (parent := node.getparent()) is not None:
                parent.remove(before)
            count += 1
            if count >= MAX_URLS:
                return
    except etree.XMLSyntaxError:
        return


def _note(fields: dict[str, str], name: str, node: etree._Element) -> None:
    """Keeps a field of the entry itself or of its news element, not those of images, videos and page maps."""
    parent = node.getparent()
    inside = local_name(parent) if parent is not None else ""
    if inside in ("url", "sitemap", "news") and name not in fields and node.text:
        fields[name] = node.text.strip()
