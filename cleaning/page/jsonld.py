"""The schema.org data that a page embeds as JSON-LD: its nodes, and the one that describes the article."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from cleaning.page.decode import one_line

Node = dict[str, Any]

ARTICLE_TYPES = frozenset(
    [
        "Article",
        "NewsArticle",
        "ReportageNewsArticle",
        "AnalysisNewsArticle",
        "BackgroundNewsArticle",
        "OpinionNewsArticle",
        "ReviewNewsArticle",
        "AskPublicNewsArticle",
        "AdvertiserContentArticle",
        "LiveBlogPosting",
        "BlogPosting",
        "SatiricalArticle",
        "Report",
        "TechArticle",
        "ScholarlyArticle",
        "SocialMediaPosting",
        "OpinionArticle",
        "MediaNewsArticle",
    ]
)
_MAX_NODES = 2_000
_MAX_DEPTH = 12
_MAX_CHARACTERS = 2_000_000
_WRAPPER = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\s*\]\]>|\]\]>|;)\s*$", re.S)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")


def nodes(tree: HtmlElement) -> list[Node]:
    """Every object in the page's JSON-LD, in document order, outer before inner; broken scripts are passed over."""
    found: list[Node] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text and len(script.text) < _MAX_CHARACTERS:
            for node in _objects(_parse(script.text), 0):
                found.append(node)
                if len(found) >= _MAX_NODES:
                    return found
    return found


def _parse(text: str) -> Any:
    text = _WRAPPER.sub("", text.strip())
    for candidate in (text, _TRAILING_COMMA.sub(r"\1", text), unescape(text)):
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _objects(value: Any, depth: int) -> Iterator[Node]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from _objects(item, depth + 1)


def types(node: Node) -> list[str]:
    """The schema.org types of a node, without the vocabulary's address."""
    kinds = node.get("@type")
    return [str(kind).rpartition("/")[2] for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind]


def as_list(value: Any) -> list[Any]:
    """A JSON-LD value as a list: itself, one item, or nothing for null."""
    return value if isinstance(value, list) else [] if value is None else [value]


def text_of(value: Any) -> str:
    """The text of a JSON-LD value that may be a string, a language-tagged object or a list; entities resolved."""
    for item in as_list(value):
        if isinstance(item, dict):
            item = item.get("@value") or item.get("name")
        if isinstance(item, str) and item.strip():
            return one_line(unescape(item))
    return ""


def main_article(found: list[Node], url: str, headings: list[str]) -> Node | None:
    """The article node that the page is about: the one that names its address or its headline, else the only one.

    `headings` are the page's own titles (`h1`, `og:title`, `title`), against which several articles are told apart.
    """
    articles = [
        node
        for node in found
        if ARTICLE_TYPES.intersection(types(node)) and (node.get("headline") or node.get("datePublished"))
    ]
    if not articles:
        return None
    best = max(articles, key=lambda node: (_match(node, url, headings), _fields(node)))
    return (
        best
        if _match(best, url, headings) > 0 or len({text_of(node.get("headline")) for node in articles}) == 1
        else None
    )


def _fields(node: Node) -> int:
    return sum(
        bool(node.get(key)) for key in ("headline", "datePublished", "author", "articleBody", "mainEntityOfPage")
    )


def _match(node: Node, url: str, headings: list[str]) -> int:
    """How surely a node describes the page, 0..3: its address, and its headline within a heading of the page."""
    path = _path(url)
    main = node.get("mainEntityOfPage")
    addresses = [node.get("url"), node.get("@id"), main.get("@id") if isinstance(main, dict) else main]
    same_page = any(isinstance(address, str) and len(path) > 1 and _path(address) == path for address in addresses)
    headline = text_of(node.get("headline")).lower()
    same_title = len(headline) > 8 and any(
        headline in heading.lower() or heading.lower() in headline for heading in headings if heading
    )
    return 2 * same_page + same_title


def _path(address: str) -> str:
    try:
        return urlsplit(address).path.rstrip("/")
    except ValueError:
        return ""


def resolve(value: Any, found: list[Node]) -> list[Any]:
    """A value as a list, with bare `@id` references replaced by the nodes that they name."""
    named = {node["@id"]: node for node in reversed(found) if isinstance(node.get("@id"), str) and len(node) > 1}
    items = as_list(value)
    return [
        named.get(item["@id"], item)
        if isinstance(item, dict) and isinstance(item.get("@id"), str) and len(item) <= 2
        else item
        for item in items
    ]


def is_free(found: list[Node]) -> bool | None:
    """What the first node with `isAccessibleForFree` says about access; None where none has it."""
    for node in found:
        said = next(map(str, as_list(node.get("isAccessibleForFree"))), "").strip().lower().rpartition("/")[2]
        if said in {"true", "1", "yes"} and ARTICLE_TYPES.intersection(types(node)):
            return True
        if said in {"false", "0", "no"}:
            return False
    return None
