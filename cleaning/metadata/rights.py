"""On what terms an article is given: its licence or copyright line, and whether readers pay."""

import re

from lxml.etree import XPath
from lxml.html import HtmlElement

from cleaning.metadata.signals import Signals
from cleaning.page import jsonld
from cleaning.page.decode import one_line

_LICENSES = XPath('.//a[contains(@href,"creativecommons.org/")]|.//link[@rel="license"]')
_RIGHTS_PLACES = XPath('.//*[self::footer or contains(@class,"copyright")]')
_RIGHTS = re.compile(r"(?:©|\(c\)|copyright)\s*(?:©|\(c\))?\s*(?:\d{4}|\w)[^\n]{0,160}", re.I)
_IS_PAID = {"free": False, "metered": True, "locked": True}
"""Whether readers pay, by the values of `article:content_tier`."""
_CC = re.compile(r"creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)", re.I)


def license_of(signals: Signals) -> str:
    """The licence or copyright line: Creative Commons links first, then JSON-LD, meta, and the page's © line."""
    for link in _LICENSES(signals.tree)[:5]:
        if match := _CC.search(link.get("href") or ""):
            return f"CC {match[1].upper()} {match[2]}"
    stated = (
        jsonld.text_of(signals.article.get("copyrightNotice"))
        or jsonld.text_of(signals.article.get("license"))
        or signals.first("copyright", "dcterms.rights", "rights")
    )
    return stated[:300] or _rights_line(signals.tree)


def is_paywalled(signals: Signals) -> bool | None:
    """Whether readers pay for the article, by JSON-LD or microdata, else by `content_tier`; None where nothing says."""
    free = jsonld.is_free([*signals.nodes, *signals.items])
    if free is not None:
        return not free
    return _IS_PAID.get(signals.first("article:content_tier").lower())


def _rights_line(tree: HtmlElement) -> str:
    for element in _RIGHTS_PLACES(tree)[:6]:
        if match := _RIGHTS.search(one_line(" ".join(element.itertext()))[:20_000]):
            return match[0].strip()[:160]
    return ""
