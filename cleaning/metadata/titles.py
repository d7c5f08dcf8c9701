"""The headline of a page among its titles, without the outlet's name or a label."""

import re

from cleaning.metadata.signals import Signals
from cleaning.page import jsonld
from cleaning.urls import host_of

_SUFFIX = re.compile(r"\s+(?:[|•·»«›‹~⋆*]|[-–—―]|::)\s+")
_MARKS = re.compile(r"\W+")


def title_of(signals: Signals, outlet: str) -> str:
    """The headline: JSON-LD's, unless a heading of the page is its longer form; else the best h1, og:title, title."""
    social = strip_outlet(
        signals.first("og:title", "twitter:title", "parsely-title", "dc.title", "title"), outlet, signals.url
    )
    tag = strip_outlet(signals.title_tag, outlet, signals.url)
    stated = jsonld.text_of(signals.article.get("headline")) or jsonld.text_of(signals.marked.get("headline"))
    headline = strip_outlet(stated, outlet, signals.url)
    h1 = _best_h1(signals.h1, [headline, social, tag])
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
