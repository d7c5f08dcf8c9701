"""What a page says about its article: title, authors, agency, times, section, tags, access, rights."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from htmldate import find_date
from lxml.etree import XPath
from lxml.html import HtmlElement
from trafilatura.metadata import extract_author

from cleaning.metadata.authors import agency_of, people, stated_people
from cleaning.metadata.dates import first_time, noon
from cleaning.page import jsonld, microdata
from cleaning.page.decode import one_line
from cleaning.urls import canonical, date_in, host_of

GUESSED = "text"
"""The `published_how` of a day that was only found by searching all of the text."""
_ONLY_A_YEAR = "-01-01"
"""How the day ends that htmldate gives for a year alone, as in copyright lines."""
_MAX_TAGS = 50
_SUFFIX = re.compile(r"\s+(?:[|•·»«›‹~⋆*]|[-–—―]|::)\s+")
_MARKS = re.compile(r"\W+")
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
_PUBLISHED_NAMES = (
    "article:published_time", "og:article:published_time", "article:published", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dcterms.date", "dc.date", "publish-date", "publishdate",
    "publication_date", "pubdate", "cxenseparse:recs:publishtime", "last-publish-date", "date", "vr:published_time",
    "og:published_time", "rnews:datepublished", "article.published", "originalpublicationdate",
    "cxenseparse:publishtime", "citation_publication_date",
)  # fmt: skip
_MODIFIED_NAMES = (
    "article:modified_time",
    "og:updated_time",
    "article:modified",
    "datemodified",
    "dcterms.modified",
    "last-modified",
    "revised",
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
_LICENSES = XPath('.//a[contains(@href,"creativecommons.org/")]|.//link[@rel="license"]')
_RIGHTS_PLACES = XPath('.//*[self::footer or contains(@class,"copyright")]')
_RIGHTS = re.compile(r"(?:©|\(c\)|copyright)\s*(?:©|\(c\))?\s*(?:\d{4}|\w)[^\n]{0,160}", re.I)
_CC = re.compile(r"creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)", re.I)


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


@dataclass(frozen=True, slots=True)
class _Source:
    """One page's signals, gathered in one pass: `<meta>` values by lower-case name, headings, JSON-LD `nodes` and
    microdata `items`, and of each the one that describes the article (`article`, `marked`; empty for none).
    """

    tree: HtmlElement
    url: str
    meta: dict[str, list[str]]
    nodes: list[jsonld.Node]
    article: jsonld.Node
    items: list[jsonld.Node]
    marked: jsonld.Node
    h1: list[str]
    title_tag: str

    def first(self, *names: str) -> str:
        """The first non-empty `<meta>` value of some names, in the order of the names."""
        return next((value for name in names for value in self.meta.get(name, ()) if value), "")


def find_metadata(tree: HtmlElement, url: str, stated: list[jsonld.Node] | None = None) -> Metadata:
    """Reads the metadata of a parsed page, the most reliable signal first: JSON-LD, headings, OpenGraph, the rest.

    `tree` is not changed. `stated` is its JSON-LD, where that is read already. A date that only htmldate finds is a
    day, given as noon UTC.
    """
    source = _gather(tree, url, jsonld.nodes(tree) if stated is None else stated)
    outlet = _outlet(source)
    title = _title(source, outlet)
    bylines = list(_stated_bylines(source))
    authors = _authors(bylines, outlet) or _persons(source, outlet)
    authors = authors or _authors(chain(_visible_bylines(source), _marked_bylines(source)), outlet)
    published, how = _published(source)
    free = jsonld.is_free([*source.nodes, *source.items])
    tier = source.first("article:content_tier")
    return Metadata(
        title=title,
        authors=authors,
        agency=_agency(source, bylines, outlet),
        published_at=published,
        published_how=how,
        modified_at=first_time(
            [
                ("", source.article.get("dateModified")),
                *(("", source.first(name)) for name in _MODIFIED_NAMES),
                ("", jsonld.text_of(source.marked.get("dateModified"))),
            ]
        )[0],
        section=one_line(
            jsonld.text_of(source.article.get("articleSection"))
            or source.first("article:section", "section", "parsely-section")
        ),
        tags=_tags(source),
        description=source.first("description", "og:description", "twitter:description")
        or jsonld.text_of(source.article.get("description")),
        image_url=_image(source),
        canonical_url=_canonical(source),
        outlet=outlet,
        language=_language(source),
        page_type=source.first("og:type").lower(),
        is_paywalled=not free
        if free is not None
        else {"free": False, "metered": True, "locked": True}.get(tier.lower()),
        license=_license(source),
        json_types=tuple(dict.fromkeys(kind for node in source.nodes for kind in jsonld.types(node)))[:40],
        headings=tuple(_headings(source)),
        body=next((text for node in source.nodes if (text := jsonld.text_of(node.get("articleBody")))), ""),
    )


def _gather(tree: HtmlElement, url: str, found: list[jsonld.Node]) -> _Source:
    meta: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop")
        content = one_line(element.get("content"))
        if name and content:
            meta.setdefault(name.strip().lower(), []).append(content)
    h1 = [text for element in tree.iter("h1") if (text := one_line(" ".join(element.itertext())))]
    tag = tree.find(".//title")
    title_tag = one_line(tag.text_content()) if tag is not None else ""
    headings = [*h1, *meta.get("og:title", []), title_tag]
    items = microdata.nodes(tree)
    article, marked = (jsonld.main_article(nodes, url, headings) or {} for nodes in (found, items))
    return _Source(tree, url, meta, found, article, items, marked, h1, title_tag)


def _headings(source: _Source) -> Iterator[str]:
    yield from dict.fromkeys(
        [*source.h1, *source.meta.get("og:title", []), source.title_tag, jsonld.text_of(source.article.get("headline"))]
    )


def _outlet(source: _Source) -> str:
    publisher = jsonld.resolve(source.article.get("publisher"), source.nodes)
    return jsonld.text_of(publisher) or source.first("og:site_name", "application-name", "publisher")


def _title(source: _Source, outlet: str) -> str:
    """The headline: JSON-LD's, unless a heading of the page is its longer form; else the best h1, og:title, title."""
    social = strip_outlet(
        source.first("og:title", "twitter:title", "parsely-title", "dc.title", "title"), outlet, source.url
    )
    tag = strip_outlet(source.title_tag, outlet, source.url)
    stated = jsonld.text_of(source.article.get("headline")) or jsonld.text_of(source.marked.get("headline"))
    headline = strip_outlet(stated, outlet, source.url)
    h1 = _best_h1(source.h1, [headline, social, tag])
    chosen = headline if headline and not (h1 and _extends(h1, headline)) else h1 or social or tag
    return next((other for other in (h1, social) if _drops_kicker(chosen, other)), chosen)


def _extends(longer: str, shorter: str) -> bool:
    """Whether a heading is the uncut form of a headline that a publisher's system shortened."""
    return len(longer) > len(shorter) and _fold(longer).startswith(_fold(shorter.rstrip(".…")))


def _drops_kicker(title: str, other: str) -> bool:
    """Whether another heading is the title without the label before it ("Region in crisis - Headline")."""
    label = title.lower().removesuffix(other.lower())
    return len(other.split()) > 2 and label != title.lower() and label.rstrip().endswith((":", "-", "–", "—", "|", "/"))


def _fold(text: str) -> str:
    return _MARKS.sub(" ", text).strip().lower()


def _best_h1(candidates: list[str], others: list[str]) -> str:
    """The h1 whose words agree most with the other titles; one alone is believed if it is no mere label."""
    bags = [set(_fold(other).split()) for other in others if other]
    usable = [text for text in candidates if 3 < len(text) < 400]
    if not bags:
        return usable[0] if usable else ""
    scored = [(max(_jaccard(set(_fold(text).split()), bag) for bag in bags), text) for text in usable]
    score, text = max(scored, key=lambda pair: pair[0], default=(0.0, ""))
    return text if score >= 0.3 or (len(usable) == 1 and len(text.split()) > 3) else ""


def _jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0


def strip_outlet(title: str, outlet: str, url: str) -> str:
    """A title without the outlet's name at either end ("Headline | The Outlet", "Outlet: Headline")."""
    parts = _SUFFIX.split(title)
    if len(parts) < 2:
        return title
    host = host_of(url)
    known = {
        re.sub(r"\W+", "", name).lower() for name in (outlet, host, host.rpartition(".")[0].rpartition(".")[2]) if name
    }
    while len(parts) > 1 and _is_outlet(parts[-1], known):
        title = title[: title.rindex(parts[-1])].rstrip(" |•·»«›‹~⋆*-–—―:")
        parts.pop()
    if len(parts) > 1 and _is_outlet(parts[0], known):
        title = title[len(parts[0]) :].lstrip(" |•·»«›‹~⋆*-–—―:")
    return title


def _is_outlet(part: str, known: set[str]) -> bool:
    squeezed = re.sub(r"\W+", "", part).lower()
    return any(
        squeezed == name
        or (len(squeezed) > 3 and squeezed in name)
        or (len(name) > 3 and name in squeezed and len(part.split()) <= 5)
        for name in known
    )


def _stated_bylines(source: _Source) -> Iterator[str]:
    """Bylines stated for machines, the more reliable first; the names of one are separated by line breaks."""
    structured = [
        _author_name(author)
        for author in jsonld.resolve(source.article.get("author") or source.article.get("creator"), source.nodes)
    ]
    yield "\n".join(filter(None, structured))
    for name in _AUTHOR_NAMES:
        yield "\n".join(value for value in source.meta.get(name, ()) if not value.startswith("http"))


def _persons(source: _Source, outlet: str) -> tuple[str, ...]:
    """The authors that JSON-LD has as persons, else those that the `author` element of the head names.

    A person of the outlet's name is believed to be one where JSON-LD says so and it is no single word.
    """
    stated = jsonld.resolve(source.article.get("author"), source.nodes)
    named = [
        jsonld.text_of(node.get("name")) for node in stated if isinstance(node, dict) and "Person" in jsonld.types(node)
    ]
    host = host_of(source.url)
    return (
        stated_people(named, outlet, host)
        or stated_people(name for name in named if " " in name)
        or stated_people(source.meta.get("author", ()), outlet, host)
    )


def _visible_bylines(source: _Source) -> Iterator[str]:
    """Bylines as readers see them, in page order; those that take longest to find come last."""
    seen = (one_line(" ".join(element.itertext())) for element in _BYLINE(source.tree)[:20])
    yield from (text for text in seen if 3 < len(text) < 120)
    credits = (one_line(element.text) for element in _CREDITED(source.tree)[:5])
    yield from (text for text in credits if 3 < len(text) < 120 and _CREDIT.search(text))
    yield from (text for text in (extract_author(source.tree) or "").split(";") if 3 < len(text) < 120)


def _marked_bylines(source: _Source) -> list[str]:
    """The first author that microdata has as an item; comments under an article may mark theirs up like it."""
    authors = jsonld.as_list(source.marked.get("author"))
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


def _agency(source: _Source, bylines: list[str], outlet: str) -> str:
    """The agency in the byline or in the publisher's own fields, where it is not the outlet itself."""
    organisations = [jsonld.text_of(author) for author in jsonld.resolve(source.article.get("author"), source.nodes)]
    for text in [
        *organisations,
        *bylines[:8],
        jsonld.text_of(source.article.get("sourceOrganization")),
        source.first("article:source", "source", "dc.source", "news:source"),
    ]:
        found = agency_of(text)
        if found and found != agency_of(outlet):
            return found
    return ""


def _published(source: _Source) -> tuple[datetime | None, str]:
    moment, how = first_time(_stated_times(source))
    if moment is None and (day := date_in(source.url)):
        moment, how = noon(day), "url"
    if moment is None:
        moment, how = first_time([("htmldate", _htmldate(source))])
    if moment is None and (guess := _htmldate(source, is_extensive=True)) and not guess.endswith(_ONLY_A_YEAR):
        moment, how = first_time([(GUESSED, guess)])
    return (moment, how) if moment else (None, "")


def _stated_times(source: _Source) -> Iterator[tuple[str, object]]:
    """The times of publication that are stated for machines, the more reliable first, each with its name."""
    yield "json-ld", source.article.get("datePublished")
    yield from ((f"meta {name}", source.first(name)) for name in _PUBLISHED_NAMES)
    for element in source.tree.xpath('.//*[@itemprop="datePublished"]')[:3]:
        yield "microdata", element.get("datetime") or element.get("content") or element.text_content()
    yield "json-ld created", source.article.get("dateCreated")
    yield from (("time element", element.get("datetime")) for element in source.tree.xpath(".//time[@datetime]")[:1])


def _htmldate(source: _Source, *, is_extensive: bool = False) -> str | None:
    """The day htmldate finds, in all of the text where `is_extensive`. Its latest possible day is fixed, because by
    default it is the clock's.
    """
    found: str | None = find_date(
        source.tree, extensive_search=is_extensive, original_date=True, url=source.url or None, max_date="2100-01-01"
    )
    return found


def _tags(source: _Source) -> tuple[str, ...]:
    listed = [
        tag
        for value in jsonld.as_list(source.article.get("keywords"))
        if isinstance(value, str)
        for tag in value.split(",")
    ]
    listed = listed or [
        tag
        for name in ("article:tag", "news_keywords", "keywords", "parsely-tags")
        for value in source.meta.get(name, ())
        for tag in value.split(",")
    ]
    return tuple(dict.fromkeys(tag for text in listed if (tag := one_line(text)) and len(tag) < 80))[:_MAX_TAGS]


def _image(source: _Source) -> str:
    images = jsonld.resolve(source.article.get("image"), source.nodes)
    first = next(
        (image.get("url") or image.get("contentUrl") if isinstance(image, dict) else image for image in images), None
    )
    found = source.first("og:image", "og:image:url", "og:image:secure_url", "twitter:image") or (
        first if isinstance(first, str) else ""
    )
    return _absolute(source.url, found)


def _canonical(source: _Source) -> str:
    """The address that the page names as its own; an AMP or print page names the article's."""
    for link in source.tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split() and link.get("href"):
            return _absolute(source.url, link.get("href") or "")
    return _absolute(source.url, source.first("og:url"))


def _absolute(base: str, address: str) -> str:
    return canonical(address, base) or "" if address else ""


def _language(source: _Source) -> str:
    named = (
        source.tree.get("lang")
        or source.first("og:locale", "content-language", "language")
        or jsonld.text_of(source.article.get("inLanguage"))
    )
    return re.split(r"[-_,; ]", named.strip().lower())[0] if named else ""


def _license(source: _Source) -> str:
    """The licence or copyright line: Creative Commons links first, then JSON-LD, meta, and the page's © line."""
    for link in _LICENSES(source.tree)[:5]:
        if match := _CC.search(link.get("href") or ""):
            return f"CC {match[1].upper()} {match[2]}"
    stated = (
        jsonld.text_of(source.article.get("copyrightNotice"))
        or jsonld.text_of(source.article.get("license"))
        or source.first("copyright", "dcterms.rights", "rights")
    )
    return stated[:300] or _rights_line(source.tree)


def _rights_line(tree: HtmlElement) -> str:
    for element in _RIGHTS_PLACES(tree)[:6]:
        if match := _RIGHTS.search(one_line(" ".join(element.itertext()))[:20_000]):
            return match[0].strip()[:160]
    return ""
