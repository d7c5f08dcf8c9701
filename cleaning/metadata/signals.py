"""The signals of a page that its metadata is read from, gathered in one pass."""

from dataclasses import dataclass

from lxml.html import HtmlElement

from cleaning.page import jsonld, microdata
from cleaning.page.decode import one_line


@dataclass(frozen=True, slots=True)
class Signals:
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


def gather(tree: HtmlElement, url: str, stated: list[jsonld.Node]) -> Signals:
    """Reads the signals of a parsed page; `stated` is its JSON-LD. `tree` is not changed."""
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
    article, marked = (jsonld.main_article(nodes, url, headings) or {} for nodes in (stated, items))
    return Signals(tree, url, meta, stated, article, items, marked, h1, title_tag)


def headings_of(signals: Signals) -> tuple[str, ...]:
    """All that a page gives as its heading or title, each once."""
    stated = jsonld.text_of(signals.article.get("headline"))
    return tuple(dict.fromkeys([*signals.h1, *signals.meta.get("og:title", []), signals.title_tag, stated]))


def outlet_of(signals: Signals) -> str:
    """The name of the outlet that publishes the page: JSON-LD's, else that of the head; empty for none."""
    publisher = jsonld.resolve(signals.article.get("publisher"), signals.nodes)
    return jsonld.text_of(publisher) or signals.first("og:site_name", "application-name", "publisher")
