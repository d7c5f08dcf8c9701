"""What a page says about its article: title, authors, agency, times, section, tags, access, rights."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from lxml.html import HtmlElement

from cleaning.metadata.bylines import credited
from cleaning.metadata.rights import is_paywalled, license_of
from cleaning.metadata.signals import Signals, gather, headings_of, outlet_of
from cleaning.metadata.times import modified, published
from cleaning.metadata.titles import title_of
from cleaning.page import jsonld
from cleaning.page.decode import one_line
from cleaning.urls import canonical

_MAX_TAGS = 50


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of one page; empty, None or () where it says nothing. Times are aware, in the zone that they
    were written in.
    """

    title: str = ""
    authors: tuple[str, ...] = ()
    agency: str = ""
    published_at: datetime | None = None
    published_how: str = ""
    modified_at: datetime | None = None
    section: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    image_url: str = ""
    canonical_url: str = ""
    outlet: str = ""
    language: str = ""
    page_type: str = ""
    is_paywalled: bool | None = None
    license: str = ""
    json_types: tuple[str, ...] = ()
    headings: tuple[str, ...] = field(default=(), repr=False)
    body: str = field(default="", repr=False)


def find_metadata(tree: HtmlElement, url: str, stated: list[jsonld.Node] | None = None) -> Metadata:
    """Reads the metadata of a parsed page, the most reliable signal first: JSON-LD, headings, OpenGraph, the rest.

    `tree` is not changed. `stated` is its JSON-LD, where that is read already. A date that only htmldate finds is a
    day, given as noon UTC.
    """
    signals = gather(tree, url, jsonld.nodes(tree) if stated is None else stated)
    outlet = outlet_of(signals)
    title = title_of(signals, outlet)
    authors, agency = credited(signals, outlet)
    published_at, published_how = published(signals)
    return Metadata(
        title=title,
        authors=authors,
        agency=agency,
        published_at=published_at,
        published_how=published_how,
        modified_at=modified(signals),
        section=_section(signals),
        tags=_tags(signals),
        description=_description(signals),
        image_url=_image(signals),
        canonical_url=_canonical(signals),
        outlet=outlet,
        language=_language(signals),
        page_type=signals.first("og:type").lower(),
        is_paywalled=is_paywalled(signals),
        license=license_of(signals),
        json_types=tuple(dict.fromkeys(kind for node in signals.nodes for kind in jsonld.types(node)))[:40],
        headings=headings_of(signals),
        body=next((text for node in signals.nodes if (text := jsonld.text_of(node.get("articleBody")))), ""),
    )


def _section(signals: Signals) -> str:
    stated = jsonld.text_of(signals.article.get("articleSection"))
    return one_line(stated or signals.first("article:section", "section", "parsely-section"))


def _description(signals: Signals) -> str:
    named = signals.first("description", "og:description", "twitter:description")
    return named or jsonld.text_of(signals.article.get("description"))


def _tags(signals: Signals) -> tuple[str, ...]:
    listed = [
        tag
        for value in jsonld.as_list(signals.article.get("keywords"))
        if isinstance(value, str)
        for tag in value.split(",")
    ]
    listed = listed or [
        tag
        for name in ("article:tag", "news_keywords", "keywords", "parsely-tags")
        for value in signals.meta.get(name, ())
        for tag in value.split(",")
    ]
    return tuple(dict.fromkeys(tag for text in listed if (tag := one_line(text)) and len(tag) < 80))[:_MAX_TAGS]


def _image(signals: Signals) -> str:
    images = jsonld.resolve(signals.article.get("image"), signals.nodes)
    first = next(
        (image.get("url") or image.get("contentUrl") if isinstance(image, dict) else image for image in images), None
    )
    found = signals.first("og:image", "og:image:url", "og:image:secure_url", "twitter:image") or (
        first if isinstance(first, str) else ""
    )
    return _absolute(signals.url, found)


def _canonical(signals: Signals) -> str:
    """The address that the page names as its own; an AMP or print page names the article's."""
    for link in signals.tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split() and link.get("href"):
            return _absolute(signals.url, link.get("href") or "")
    return _absolute(signals.url, signals.first("og:url"))


def _absolute(base: str, address: str) -> str:
    return canonical(address, base) or "" if address else ""


def _language(signals: Signals) -> str:
    named = (
        signals.tree.get("lang")
        or signals.first("og:locale", "content-language", "language")
        or jsonld.text_of(signals.article.get("inLanguage"))
    )
    return re.split(r"[-_,; ]", named.strip().lower())[0] if named else ""
