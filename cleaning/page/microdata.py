"""The schema.org data that a page marks up in its own elements (microdata), in the shape of JSON-LD nodes."""

from typing import Any

from lxml.html import HtmlElement

from cleaning.page.decode import one_line
from cleaning.page.jsonld import Node

_MAX_ITEMS = 200
_MAX_PROPERTIES = 1_000
_LONGEST = 2_000
"""Characters of a value that are kept; the body of an article is read from the page's blocks."""
_ADDRESSES = frozenset({"url", "mainEntityOfPage", "license"})
_READ = _ADDRESSES | {
    "author", "creator", "dateCreated", "dateModified", "datePublished", "headline", "isAccessibleForFree", "name",
    "publisher",
}  # fmt: skip
"""Properties that are read. Of the others an element's text would be much, and nothing here asks for it."""


def nodes(tree: HtmlElement) -> list[Node]:
    """The items of a page in document order, as `jsonld.nodes` gives them: `@type`, and values by property.

    A property belongs to the nearest item around it, and one that is an item itself has that item for its value
    (WHATWG HTML, "Microdata"). At most `_MAX_ITEMS` items and `_MAX_PROPERTIES` properties are looked at.
    """
    found: dict[HtmlElement, Node] = {
        element: {"@type": (element.get("itemtype") or "").split()}
        for element in tree.xpath(".//*[@itemscope]")[:_MAX_ITEMS]
    }
    for element in tree.xpath(".//*[@itemprop]")[:_MAX_PROPERTIES] if found else ():
        names = _READ.intersection(element.get("itemprop").split())
        owner = next((around for around in element.iterancestors() if around in found), None) if names else None
        if owner is not None:
            for name in sorted(names):
                found[owner].setdefault(name, []).append(found.get(element) or _value(element, name))
    return list(found.values())


def _value(element: HtmlElement, name: str) -> Any:
    """What an element says about a property: its machine-readable attribute, else its text."""
    address = element.get("href") if name in _ADDRESSES else None
    stated = element.get("content") or element.get("datetime") or address
    return one_line(stated or " ".join(element.itertext()))[:_LONGEST]
