"""A page -> what it says about itself and where its links lead; one parse."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from cleaning.page.decode import decode
from cleaning.urls import canonical
from crawler.candidates import Candidate, Kind, Pointer, is_about_site, is_file
from crawler.rights import AGENT
from crawler.rsl import MOST_LICENCES, RSL_TYPE

MAX_LINKS = 2_000
"""Links of one page that are looked at; fronts of large papers have 300 to 800."""

_FEED_TYPES = re.compile(r"application/(?:rss|atom|feed|rdf)\+(?:xml|json)|application/json", re.IGNORECASE)
_NEXT_TEXT = re.compile(
    r"(?:next(?: page)?|older(?: posts| stories| entries)?|more stories|load more|›|»|→)", re.IGNORECASE
)
_UNFOLLOWED = frozenset(("nofollow", "sponsored", "ugc"))
_ROBOTS_META = frozenset(("robots", "tdm-reservation", "tdm-policy", AGENT))
_API = "https://api.w.org/"
_HEADS = frozenset(("canonical", "amphtml", "next", "license", _API))
_MAX_SCRIPTS = 500
_MAX_LICENCE = 100_000


@dataclass(frozen=True, slots=True)
class PageLinks:
    """What a page links to, canonical.

    `links` are possible articles and sections with their anchor text as title. `metas` are the robots and opt-out
    declarations as (name in lower case, content). `feeds` are feeds that the page offers; `api` is the root of its
    WordPress REST interface; `licences` are the RSL licences that it links to, `embedded_licences` those that it
    holds; `no_follow` says that the page asks to have no link followed.
    """

    title: str = ""
    links: tuple[Candidate, ...] = ()
    canonical: str = ""
    amp: str = ""
    next_page: str = ""
    api: str = ""
    feeds: tuple[Pointer, ...] = ()
    metas: tuple[tuple[str, str], ...] = ()
    licences: tuple[str, ...] = ()
    embedded_licences: tuple[str, ...] = ()

    @property
    def no_follow(self) -> bool:
        """Whether the page's robots meta says nofollow or none."""
        words = {
            word.strip().lower()
            for name, content in self.metas
            if name in ("robots", AGENT)
            for word in content.split(",")
        }
        return bool(words & {"nofollow", "none"})


def read_page(body: bytes, url: str, content_type: str = "") -> PageLinks:
    """What a page says and links to. Never raises for a body that is no HTML: it has no links then."""
    return read_html(decode(body, content_type).text, url)


def read_html(text: str, url: str) -> PageLinks:
    """`read_page` for a page that is already text."""
    tree = LexborHTMLParser(text)
    base_node = tree.css_first("base[href]")
    base = canonical(_attribute(base_node, "href"), url) if base_node else None
    heads = _heads(tree, base or url)
    anchors = tree.css("a[href]")[:MAX_LINKS]
    title = tree.css_first("title")
    return PageLinks(
        title=" ".join(title.text().split())[:500] if title else "",
        links=tuple(_links(anchors, base or url)),
        canonical=_first(heads, "canonical"),
        amp=_first(heads, "amphtml"),
        next_page=_first(heads, "next") or _next_anchor(anchors, base or url),
        api=_first(heads, _API),
        feeds=tuple(Pointer(head.url, Kind.FEED) for head in heads if head.is_feed),
        metas=tuple(_metas(tree)),
        licences=tuple(dict.fromkeys(head.url for head in heads if head.is_rsl))[:MOST_LICENCES],
        embedded_licences=tuple(_embedded_licences(tree)),
    )


@dataclass(frozen=True, slots=True)
class _Head:
    """A `link` element of the head."""

    relations: frozenset[str]
    url: str
    type: str

    @property
    def is_feed(self) -> bool:
        return "alternate" in self.relations and bool(_FEED_TYPES.match(self.type)) and bool(self.url)

    @property
    def is_rsl(self) -> bool:
        return "license" in self.relations and self.type.strip().lower() == RSL_TYPE and bool(self.url)


def _heads(tree: LexborHTMLParser, base: str) -> list[_Head]:
    """The `link` elements that name addresses of use here; most are style sheets, icons and other languages."""
    found = []
    for node in tree.css("link[rel][href]")[:200]:
        relations = frozenset(_attribute(node, "rel").lower().split())
        if relations & _HEADS or ("alternate" in relations and _FEED_TYPES.match(_attribute(node, "type"))):
            url = canonical(_attribute(node, "href"), base) or ""
            found.append(_Head(relations, url, _attribute(node, "type")))
    return found


def _embedded_licences(tree: LexborHTMLParser) -> Iterable[str]:
    """The RSL documents in `script` elements (RSL 1.0, embedded licences)."""
    for node in tree.css("script[type]")[:_MAX_SCRIPTS]:
        if _attribute(node, "type").strip().lower() == RSL_TYPE:
            yield node.text()[:_MAX_LICENCE]


def _attribute(node: LexborNode | None, name: str) -> str:
    return (node.attributes.get(name) or "") if node is not None else ""


def _first(heads: Iterable[_Head], relation: str) -> str:
    return next((head.url for head in heads if relation in head.relations and head.url), "")


def _links(anchors: Iterable[LexborNode], base: str) -> Iterable[Candidate]:
    """The links in the page's order, each URL once with the longest of its anchor texts."""
    titles: dict[str, str] = {}
    for anchor in anchors:
        attributes = anchor.attributes
        href = (attributes.get("href") or "").strip()
        if not href or href[0] == "#" or _UNFOLLOWED & set((attributes.get("rel") or "").lower().split()):
            continue
        address = canonical(href, base)
        if address and address != base and not is_file(address) and not is_about_site(address):
            text = _anchor_text(anchor, attributes)
            if len(text) > len(titles.setdefault(address, "")):
                titles[address] = text
    return (Candidate(address, title) for address, title in titles.items())


def _anchor_text(anchor: LexborNode, attributes: dict[str, str | None]) -> str:
    """The anchor's text, or what stands for it where it is an image; of a whole card, its heading."""
    heading = anchor.css_first("h1, h2, h3, h4") if anchor.child is not None and anchor.child.next is not None else None
    text = " ".join((heading or anchor).text(separator=" ").split())
    if not text:
        image = anchor.css_first("img[alt]")
        text = attributes.get("title") or attributes.get("aria-label") or _attribute(image, "alt")
    return text[:500]


def _next_anchor(anchors: Iterable[LexborNode], base: str) -> str:
    for anchor in anchors:
        relations = _attribute(anchor, "rel").lower().split()
        if "next" in relations or _NEXT_TEXT.fullmatch(anchor.text().strip()[:20]):
            return canonical(_attribute(anchor, "href"), base) or ""
    return ""


def _metas(tree: LexborHTMLParser) -> Iterable[tuple[str, str]]:
    for node in tree.css("meta[name][content]")[:300]:
        name = _attribute(node, "name").strip().lower()
        if name in _ROBOTS_META:
            yield name, _attribute(node, "content")
