"""When an article was published and changed, by what a page says, its address, or a search of its text."""

from collections.abc import Iterator
from datetime import datetime

from htmldate import find_date

from cleaning.metadata.dates import first_time, noon
from cleaning.metadata.signals import Signals
from cleaning.page import jsonld
from cleaning.urls import date_in

GUESSED = "text"
"""The `published_how` of a day that was only found by searching all of the text."""
_ONLY_A_YEAR = "-01-01"
"""How the day ends that htmldate gives for a year alone, as in copyright lines."""
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


def published(signals: Signals) -> tuple[datetime | None, str]:
    """The time of publication and the signal that gave it: one of those stated for machines, `url`, `htmldate`, or
    GUESSED; (None, "") for none.
    """
    moment, how = first_time(_stated_times(signals))
    if moment is None and (day := date_in(signals.url)):
        moment, how = noon(day), "url"
    if moment is None:
        moment, how = first_time([("htmldate", _htmldate(signals))])
    if moment is None and (guess := _htmldate(signals, is_extensive=True)) and not guess.endswith(_ONLY_A_YEAR):
        moment, how = first_time([(GUESSED, guess)])
    return (moment, how) if moment else (None, "")


def modified(signals: Signals) -> datetime | None:
    """The time of the last change, where the page states one."""
    stated = [
        signals.article.get("dateModified"),
        *map(signals.first, _MODIFIED_NAMES),
        jsonld.text_of(signals.marked.get("dateModified")),
    ]
    return first_time([("", value) for value in stated])[0]


def _stated_times(signals: Signals) -> Iterator[tuple[str, object]]:
    """The times of publication that are stated for machines, the more reliable first, each with its name."""
    yield "json-ld", signals.article.get("datePublished")
    yield from ((f"meta {name}", signals.first(name)) for name in _PUBLISHED_NAMES)
    for element in signals.tree.xpath('.//*[@itemprop="datePublished"]')[:3]:
        yield "microdata", element.get("datetime") or element.get("content") or element.text_content()
    yield "json-ld created", signals.article.get("dateCreated")
    yield from (("time element", element.get("datetime")) for element in signals.tree.xpath(".//time[@datetime]")[:1])


def _htmldate(signals: Signals, *, is_extensive: bool = False) -> str | None:
    """The day htmldate finds, in all of the text where `is_extensive`. Its latest possible day is fixed, because by
    default it is the clock's.
    """
    found: str | None = find_date(
        signals.tree, extensive_search=is_extensive, original_date=True, url=signals.url or None, max_date="2100-01-01"
    )
    return found
