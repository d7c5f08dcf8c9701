"""Transplants teasers of other articles onto labelled pages: what a list of teasers is, whatever its class names say.

Publishers' own lists are told by their markup where it was seen before. On a template never seen a linked headline and
a summary, some of them in a row, must be enough.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

import numpy as np
from lxml.html import HtmlElement, fragment_fromstring

from training.pages import LabelledPage

_LANGUAGE = re.compile(rb"<html[^>]*\slang=[\"']?([a-zA-Z]{2})")
_HEAD = 20_000
_PARAGRAPH, _HEADLINE = 60, 75
"""Characters from which on a line is a paragraph; most characters of a headline."""
_FEWEST = 8
"""Teasers of a language under which the English ones are taken."""
_CLASSES = ("", "", "", "c{n}", "m-{n}", "module", "block{n}", "sc-{n}x", "inner", "post", "story", "entry", "teaser")
_ITEMS = ("div", "div", "article", "article", "section", "")
"""Elements of items in lists that are neither `ul` nor `table`; in some an item has none."""
_BOXES = ("div", "div", "div", "section", "ul", "table", "x-panel")
_HEADLINES = ("h2", "h3", "h3", "h4", "h5", "p", "div", "b", "strong", "span")
_SUMMARIES = ("p", "p", "div", "div", "span", "{text}", "")
"""Elements of summaries; some stand in none, and some lists have no summaries."""
_END, _START = 0.6, 0.75
"""Shares of lists below the article; of those, and those above it. The rest stand in its midst."""
_NAMELESS = 0.3
"""Share of pages that lose their own class names and ids."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Teaser:
    """A headline and the beginning of an article."""

    headline: str
    summary: str


Teasers = dict[str, list[Teaser]]
"""Teasers by the language of their pages, as two letters."""


def declared_language(page: LabelledPage) -> str:
    """The two letters of the language that a page declares; English for those that declare none."""
    found = _LANGUAGE.search(page.html[:_HEAD])
    return found[1].decode().lower() if found else "en"


def teasers_of(pages: Iterable[LabelledPage]) -> Teasers:
    """A teaser for each article of some paragraphs; its headline is the beginning of the last."""
    found: Teasers = {}
    for page in pages:
        lines = [line.strip() for line in page.text.split("\n") if len(line.strip()) > _PARAGRAPH]
        if page.kind == "article" and len(lines) > 1:
            teaser = Teaser(_shortened(lines[-1], _HEADLINE), lines[0])
            found.setdefault(declared_language(page), []).append(teaser)
    return found


def transplant(tree: HtmlElement, page: LabelledPage, teasers: Teasers) -> bool:
    """Puts one to three lists of teasers onto a page, by chances that its address decides.

    Returns whether it did: a page on which no paragraph of its gold text is found stays as it is.
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha1(page.url.encode()).digest()[:8], "big"))
    paragraphs = _paragraphs(tree, page.text)
    if not paragraphs:
        return False
    if rng.random() < _NAMELESS:
        _forget_names(tree)
    for _ in range(int(rng.integers(1, 4))):
        _put(_list(rng, _some(rng, teasers, declared_language(page))), paragraphs, rng)
    return True


def _paragraphs(tree: HtmlElement, gold: str) -> list[HtmlElement]:
    """The elements in which paragraphs of the gold text begin, in reading order."""
    starts = {line.strip()[:_PARAGRAPH] for line in gold.split("\n") if len(line.strip()) >= _PARAGRAPH}
    elements = tree.iter("p", "div", "li", "span", "td")
    return [element for element in elements if (element.text or "").strip()[:_PARAGRAPH] in starts]


def _forget_names(tree: HtmlElement) -> None:
    for element in tree.iter():
        if isinstance(element.tag, str):  # no comment
            for name in ("class", "id"):
                element.attrib.pop(name, None)


def _some(rng: np.random.Generator, teasers: Teasers, language: str) -> list[Teaser]:
    pool = teasers.get(language, [])
    pool = pool if len(pool) >= _FEWEST else teasers["en"]
    chosen = rng.choice(len(pool), size=min(int(rng.integers(2, 12)), len(pool)), replace=False)
    return [pool[i] for i in chosen.tolist()]


def _put(box: HtmlElement, paragraphs: Sequence[HtmlElement], rng: np.random.Generator) -> None:
    """Below or above the article, up to four elements further out than its paragraphs, or between two of them."""
    where = rng.random()
    if where >= _START:
        _pick(rng, paragraphs).addnext(box)
    elif where >= _END:
        _outwards(paragraphs[0], int(rng.integers(5))).addprevious(box)
    else:
        _outwards(paragraphs[-1], int(rng.integers(5))).addnext(box)


def _outwards(element: HtmlElement, steps: int) -> HtmlElement:
    for _ in range(steps):
        parent = element.getparent()
        if parent is None or parent.tag in ("body", "html"):
            break
        element = parent
    return element


def _list(rng: np.random.Generator, teasers: Sequence[Teaser]) -> HtmlElement:
    """A list in a markup of its own: its elements, their class names, numbers, dates and the length of summaries."""
    box, headline, summary = _pick(rng, _BOXES), _pick(rng, _HEADLINES), _pick(rng, _SUMMARIES)
    names = [_class(rng) for _ in range(4)]
    element = {"ul": "li", "table": "tr"}.get(box) or _pick(rng, _ITEMS)
    is_numbered, is_dated, is_linked = (rng.random(3) < (0.15, 0.3, 0.15)).tolist()
    longest, end = int(rng.integers(70, 240)), _pick(rng, (" …", ".", "."))
    items = []
    for number, teaser in enumerate(teasers, 1):
        text = escape(_shortened(teaser.summary, longest) + end if len(teaser.summary) > longest else teaser.summary)
        text = f'<a href="/{number}">{text}</a>' if is_linked else text
        item = f'<{headline}{names[0]}><a href="/{number}">{escape(teaser.headline)}</a></{headline}>'
        item += f"<span>{_date(rng)}</span>" if is_dated else ""
        item += _summary(summary, names[1], text)
        items.append(_item(element, names[2], f"{number} " if is_numbered else "", item))
    return fragment_fromstring(f"<{box}{names[3]}>{''.join(items)}</{box}>")


def _summary(element: str, name: str, text: str) -> str:
    if element in ("", "{text}"):
        return element.format(text=text)
    return f"<{element}{name}>{text}</{element}>"


def _item(element: str, name: str, number: str, item: str) -> str:
    if element == "tr":
        return f"<tr><td>{number}</td><td{name}>{item}</td></tr>"
    return f"<{element}{name}>{number}{item}</{element}>" if element else number + item


def _class(rng: np.random.Generator) -> str:
    name = _pick(rng, _CLASSES).format(n=int(rng.integers(100)))
    return f' class="{name}"' if name else ""


def _date(rng: np.random.Generator) -> str:
    return f"{int(rng.integers(1, 29))}.{int(rng.integers(1, 13))}.{int(rng.integers(2010, 2026))}"


def _pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def _shortened(text: str, longest: int) -> str:
    """The beginning of a text of no more characters, up to the end of a word where it has spaces."""
    if len(text) > longest:
        text = text[:longest].rsplit(" ", 1)[0]
    return text.rstrip(" .,;:-–")
