"""Who wrote an article: the persons and the agency that a page credits, where it credits them."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from lxml.etree import XPath
from trafilatura.metadata import extract_author

from cleaning.metadata.authors import agency_of, people, stated_people
from cleaning.metadata.signals import Signals
from cleaning.page import jsonld
from cleaning.page.decode import one_line
from cleaning.urls import host_of

_AUTHOR_NAMES = (
    "author",
    "article:author",
    "og:article:author",
    "byl",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "cxenseparse:author",
    "citation_author",
)
_BYLINE = XPath(
    './/*[@rel="author" or contains(@itemprop,"author") or contains(@class,"byline")'
    ' or contains(@class,"author-name") or contains(@class,"author__name") or contains(@class,"article-author")'
    ' or contains(@class,"articleAuthor") or contains(@data-testid,"byline")'
    ' or (self::a and (contains(@href,"/autor") or contains(@href,"/author") or contains(@href,"/auteur")))'
    ' or (self::p and contains(translate(@style," ",""),"text-align:right"))]'
)
_CREDITED = XPath(
    './/*[contains(text(),"责") or contains(text(),"记者") or contains(text(),"作者") or contains(text(),"撰文")]'
)
_CREDIT = re.compile(r"(?:责编|责任编辑|记者|作者|撰文)[:：]")
"""How Chinese pages credit an article's editor, reporter or author, in a line of its own."""


def credited(signals: Signals, outlet: str) -> tuple[tuple[str, ...], str]:
    """The authors of a page's article, in order, and the agency that it is from; () and "" where none is named.

    Bylines that are stated for machines come before those that readers see. `outlet` is no author and no agency.
    """
    stated = list(_stated_bylines(signals))
    authors = _authors(stated, outlet) or _persons(signals, outlet)
    authors = authors or _authors(chain(_visible_bylines(signals), _marked_bylines(signals)), outlet)
    return authors, _agency(signals, stated, outlet)


def _stated_bylines(signals: Signals) -> Iterator[str]:
    """Bylines stated for machines, the more reliable first; the names of one are separated by line breaks."""
    structured = [
        _author_name(author)
        for author in jsonld.resolve(signals.article.get("author") or signals.article.get("creator"), signals.nodes)
    ]
    yield "\n".join(filter(None, structured))
    for name in _AUTHOR_NAMES:
        yield "\n".join(value for value in signals.meta.get(name, ()) if not value.startswith("http"))


def _persons(signals: Signals, outlet: str) -> tuple[str, ...]:
    """The authors that JSON-LD has as persons, else those that the `author` element of the head names.

    A person of the outlet's name is believed to be one where JSON-LD says so and it is no single word.
    """
    stated = jsonld.resolve(signals.article.get("author"), signals.nodes)
    named = [
        jsonld.text_of(node.get("name")) for node in stated if isinstance(node, dict) and "Person" in jsonld.types(node)
    ]
    host = host_of(signals.url)
    return (
        stated_people(named, outlet, host)
        or stated_people(name for name in named if " " in name)
        or stated_people(signals.meta.get("author", ()), outlet, host)
    )


def _visible_bylines(signals: Signals) -> Iterator[str]:
    """Bylines as readers see them, in page order; those that take longest to find come last."""
    seen = (one_line(" ".join(element.itertext())) for element in _BYLINE(signals.tree)[:20])
    yield from (text for text in seen if 3 < len(text) < 120)
    credits = (one_line(element.text) for element in _CREDITED(signals.tree)[:5])
    yield from (text for text in credits if 3 < len(text) < 120 and _CREDIT.search(text))
    yield from (text for text in (extract_author(signals.tree) or "").split(";") if 3 < len(text) < 120)


def _marked_bylines(signals: Signals) -> list[str]:
    """The first author that microdata has as an item; comments under an article may mark theirs up like it."""
    authors = jsonld.as_list(signals.marked.get("author"))
    return [_author_name(author) for author in authors if isinstance(author, dict)][:1]


def _author_name(author: Any) -> str:
    if isinstance(author, dict):
        if {"Organization", "NewsMediaOrganization"}.intersection(jsonld.types(author)):
            return ""
        name = jsonld.text_of(author.get("name"))
        return name or " ".join(
            filter(None, (jsonld.text_of(author.get("givenName")), jsonld.text_of(author.get("familyName"))))
        )
    return jsonld.text_of(author)


def _authors(bylines: Iterable[str], outlet: str) -> tuple[str, ...]:
    for byline in bylines:
        if found := people(byline.split("\n"), outlet):
            return found
    return ()


def _agency(signals: Signals, bylines: list[str], outlet: str) -> str:
    """The agency in the byline or in the publisher's own fields, where it is not the outlet itself."""
    organisations = [jsonld.text_of(author) for author in jsonld.resolve(signals.article.get("author"), signals.nodes)]
    for text in [
        *organisations,
        *bylines[:8],
        jsonld.text_of(signals.article.get("sourceOrganization")),
        signals.first("article:source", "source", "dc.source", "news:source"),
    ]:
        found = agency_of(text)
        if found and found != agency_of(outlet):
            return found
    return ""
