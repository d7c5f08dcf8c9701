"""RSS, Atom and JSON Feed -> candidate URLs; reads ill-formed ones as far as they go."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from html.entities import name2codepoint
from typing import Any

from lxml import etree

from cleaning.metadata.dates import parse_time
from cleaning.urls import canonical
from crawler.candidates import Candidate, Kind, Listing, Pointer

MAX_ITEMS = 5_000
"""Items of one feed that are looked at; real ones have 10 to 500."""

_XML_ENTITIES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,30});")
_TAG = re.compile(r"<[^<>]{1,2000}>")
_DECLARED = re.compile(rb"^(\s*<\?xml[^>]{0,200}?)\s+encoding\s*=\s*[\"'][^\"']*[\"']", re.IGNORECASE)
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_PUBLISHED = ("published", "pubdate", "issued", "created", "date", "dcterms:issued")
_MODIFIED = ("updated", "modified", "lastbuilddate")


def parse_feed(body: bytes, url: str, charset: str = "") -> Listing:
    """What an RSS, RDF or Atom feed lists; nothing where the body is no XML at all.

    Args:
        body: the payload.
        url: where it was fetched; relative links are resolved against it.
        charset: the charset of the Content-Type header, which goes before the document's own (RFC 7303, 3).
    """
    root = parse_xml(body, charset)
    if root is None:
        return Listing(Kind.FEED)
    items = (node for node in root.iter() if local_name(node) in ("item", "entry"))
    found = [candidate for node, _ in zip(items, range(MAX_ITEMS), strict=False) if (candidate := _item(node, url))]
    return Listing(Kind.FEED, tuple(found), tuple(_next_page(root, url)))


def parse_json_feed(body: bytes, url: str) -> Listing:
    """What a JSON Feed (jsonfeed.org, version 1 and 1.1) lists; nothing where the body is no JSON object."""
    try:
        feed = json.loads(body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return Listing(Kind.FEED)
    items = feed.get("items") if isinstance(feed, dict) else None
    found = (_json_item(item, url) for item in (items if isinstance(items, list) else [])[:MAX_ITEMS])
    following = canonical(str(feed["next_url"]), url) if isinstance(feed, dict) and feed.get("next_url") else None
    pointers = (Pointer(following, Kind.FEED),) if following else ()
    return Listing(Kind.FEED, tuple(candidate for candidate in found if candidate), pointers)


def parse_xml(body: bytes, charset: str = "") -> etree._Element | None:
    """The root of an XML document, recovered where it is ill-formed; no entity, DTD or network is ever resolved."""
    body = body.lstrip(b" \t\r\n\0") if body[:2] not in (b"\xff\xfe", b"\xfe\xff") else body
    if b"&" in body:
        body = _ENTITY.sub(_numeric_entity, body)
    for encoding in dict.fromkeys((charset or None, None, "utf-8", "windows-1252")):
        root = _recover(body if encoding is None else _DECLARED.sub(rb"\1", body, count=1), encoding)
        if root is not None and len(root):
            return root
    return None


def plain(text: str | None) -> str:
    """A title as plain text: one line, markup and entities resolved."""
    text = text or ""
    if "&" in text or "<" in text:
        text = unescape(_TAG.sub(" ", unescape(text)))
    return " ".join(text.split())[:500]


def _recover(body: bytes, encoding: str | None) -> etree._Element | None:
    try:
        parser = etree.XMLParser(
            encoding=encoding,
            recover=True,
            resolve_entities=False,
            no_network=True,
            remove_comments=True,
            remove_pis=True,
        )
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):  # LookupError: a charset that does not exist
        return None


def local_name(node: etree._Element) -> str:
    """The name of an element in lower case, without its namespace or prefix."""
    tag = node.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _numeric_entity(found: re.Match[bytes]) -> bytes:
    """HTML's named entities as numbers: feeds use them without declaring them."""
    name = found[1]
    code = name2codepoint.get(name.decode("ascii"))
    return found[0] if name in _XML_ENTITIES or code is None else b"&#%d;" % code


def _item(node: etree._Element, feed_url: str) -> Candidate | None:
    fields: dict[str, etree._Element] = {}
    links: list[etree._Element] = []
    for child in node.iterchildren():
        name = local_name(child)
        if name == "link":
            links.append(child)
        else:
            fields.setdefault(name, child)
    address = canonical(_link(fields, links), _base(node, feed_url))
    if not address:
        return None
    title = plain("".join(fields["title"].itertext())) if "title" in fields else ""
    return Candidate(address, title, _first_time(fields, _PUBLISHED), _first_time(fields, _MODIFIED))


def _link(fields: dict[str, etree._Element], links: Iterable[etree._Element]) -> str:
    """The item's address: what a proxy says was the original, the alternate link, or the permanent identifier."""
    if "origlink" in fields:
        return _text(fields["origlink"])
    alternates = [link for link in links if link.get("rel", "alternate") == "alternate"]
    for link in alternates:
        if address := (link.get("href") or _text(link)).strip():
            return address
    guid = fields.get("guid", fields.get("id"))
    permanent = guid is not None and guid.get("isPermaLink", "true").lower() != "false"
    address = _text(guid) if guid is not None and permanent else ""
    return address if address.startswith(("http://", "https://")) else ""


def _text(node: etree._Element) -> str:
    return "".join(node.itertext()).strip()


def _base(node: etree._Element, url: str) -> str:
    bases = [base for at in (node, *node.iterancestors()) if (base := at.get(_XML_BASE))]
    for base in reversed(bases):
        url = canonical(base, url) or url
    return url


def _first_time(fields: dict[str, etree._Element], names: Iterable[str]) -> datetime | None:
    return next((moment for name in names if name in fields and (moment := time_of(_text(fields[name])))), None)


def time_of(text: str) -> datetime | None:
    """An aware time in UTC from a feed or a sitemap; None where it is none. A day without a time is noon."""
    text = text.strip()
    if len(text) <= 10:
        return parse_time(text) if text else None
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return parse_time(text)


def _next_page(root: etree._Element, url: str) -> Iterator[Pointer]:
    """The next page of a paged feed (RFC 5005, 3)."""
    for node in root.iter("{http://www.w3.org/2005/Atom}link"):
        address = canonical(node.get("href", ""), url) if node.get("rel") == "next" else None
        if address:
            yield Pointer(address, Kind.FEED)
            return


def _json_item(item: Any, url: str) -> Candidate | None:
    if not isinstance(item, dict):
        return None
    named = item.get("url") or item.get("id") or item.get("external_url") or ""
    address = canonical(named, url) if isinstance(named, str) and named else None
    if not address:
        return None
    published, modified = (time_of(str(item.get(key) or "")) for key in ("date_published", "date_modified"))
    return Candidate(address, plain(str(item.get("title") or "")), published, modified)
