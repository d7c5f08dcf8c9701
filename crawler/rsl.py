"""Licences in RSL 1.0 (Really Simple Licensing, rslstandard.org/rsl): where a page names one, and what it reserves."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml import etree

from cleaning.urls import canonical
from crawler.feeds import local_name, parse_xml
from crawler.rights import PathRule, Signal, longest_match, path_of

RSL_TYPE = "application/rsl+xml"
"""The media type that sets an RSL licence apart from other documents under `rel="license"`."""

MOST_LICENCES = 3
"""Licences of one page that are looked at."""

_USES = frozenset(("all", "ai-all", "ai-train", "train-ai", "tdm"))
_FREE = frozenset(("", "free", "attribution"))
_MAX_RULES = 1_000
_MAX_HEADER = 8_000
_LINK = re.compile(r'<([^<>]*)>((?:[^,"]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)
_WORDS = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class PageLicences:
    """The licences of a page: canonical URLs in its `Link` header and `link` elements, and the documents it holds."""

    in_header: tuple[str, ...] = ()
    in_links: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """The URLs, each once."""
        return tuple(dict.fromkeys((*self.in_header, *self.in_links)))[:MOST_LICENCES]


def header_licences(value: str, url: str) -> tuple[str, ...]:
    """The RSL licences that a `Link` header (RFC 8288) names: `<URL>; rel="license"; type="application/rsl+xml"`."""
    found = (_licence(target, parameters, url) for target, parameters in _LINK.findall(value[:_MAX_HEADER]))
    return tuple(dict.fromkeys(address for address in found if address))[:MOST_LICENCES]


def _licence(target: str, parameters: str, url: str) -> str | None:
    named = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(parameters)}
    is_licence = "license" in named.get("rel", "").lower().split() and named.get("type", "").lower() == RSL_TYPE
    return canonical(target, url) if is_licence else None


def rsl_rules(body: bytes, base: str) -> tuple[PathRule, ...] | None:
    """The licences of an RSL document for the contents of an origin; None where the document is none.

    A content is reserved where a licence prohibits its use for training or any use, where no licence permits that
    freely, or where a licence must be obtained from a server.

    Args:
        body: the document.
        base: a URL of the origin, which relative addresses are relative to.
    """
    root = parse_xml(body)
    if root is None or local_name(root) != "rsl":
        return None
    origin = urljoin(base, "/")
    addressed = [(content, urljoin(base, content.url)) for content in _contents(root)]
    return tuple(_rule(content, address) for content, address in addressed if address.startswith(origin))


@dataclass(slots=True)
class _Licence:
    """The words of a licence for uses, and the kinds of payment that it asks for, in lower case."""

    permits: set[str] = field(default_factory=set)
    prohibits: set[str] = field(default_factory=set)
    payments: set[str] = field(default_factory=set)

    def note(self, name: str, node: etree._Element) -> None:
        """Takes in an element of the licence."""
        if name == "payment":
            self.payments.add(node.get("type", "").lower())
        elif name in ("permits", "prohibits") and node.get("type") == "usage":
            words = self.permits if name == "permits" else self.prohibits
            words.update(word for word in _WORDS.split((node.text or "").lower()) if word)

    @property
    def is_prohibitive(self) -> bool:
        return bool(self.prohibits & _USES)

    @property
    def is_permissive(self) -> bool:
        """Whether it lets texts be mined for nothing; one that lists no use permits all (RSL 1.0, `permits`)."""
        return not self.payments - _FREE and (not self.permits or bool(self.permits & _USES))


@dataclass(slots=True)
class _Content:
    """What licences are given for: an address, and whether they must be obtained from a server."""

    url: str
    has_server: bool
    licences: list[_Licence] = field(default_factory=list)


def _contents(root: etree._Element) -> list[_Content]:
    """The contents of a document, in one pass: what they hold belongs to the innermost, however they are nested."""
    found: list[_Content] = []
    within: list[tuple[_Content | None, _Licence | None]] = [(None, None)]
    for event, node in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            within.pop()
            continue
        content, licence = within[-1]
        name = local_name(node)
        if name == "content":
            content, licence = _Content(node.get("url") or "/", bool(node.get("server"))), None
            found.append(content)
        elif name == "license" and content is not None:
            licence = _Licence()
            content.licences.append(licence)
        elif licence is not None:
            licence.note(name, node)
        within.append((content, licence))
    return found[:_MAX_RULES]


def _rule(content: _Content, address: str) -> PathRule:
    licences = content.licences
    reserves = content.has_server or any(licence.is_prohibitive for licence in licences)
    reserves = reserves or (bool(licences) and not any(licence.is_permissive for licence in licences))
    return PathRule(path_of(address), reserves, f"licence for {address}")


def unread(address: str) -> str:
    """What is noted of a licence that is named and cannot be read: it cannot be shown to permit anything."""
    return f"the licence {address} could not be read"


def licence_signals(
    licences: PageLicences, read: Callable[[str], tuple[PathRule, ...] | None], url: str
) -> Iterator[Signal]:
    """What a page's licences declare about it.

    Args:
        licences: those of the page.
        read: gives the rules of a licence document; None where it could not be read, which reserves.
        url: the page's.
    """
    names = dict.fromkeys(licences.in_links, "rsl-link") | dict.fromkeys(licences.in_header, "rsl-header")
    for address in licences.named:
        yield from _signals(names[address], read(address), address, url)
    for text in licences.embedded[:MOST_LICENCES]:
        yield from _signals("rsl-embedded", rsl_rules(text.encode(), url), url, url)


def _signals(name: str, rules: tuple[PathRule, ...] | None, where: str, url: str) -> Iterator[Signal]:
    if rules is None:
        yield Signal(name, unread(where), where, True)
    elif rule := longest_match(rules, path_of(url)):
        yield Signal(name, rule.value, where, rule.reserves)
