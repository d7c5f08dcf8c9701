"""Licences in RSL 1.0 (Really Simple Licensing, rslstandard.org/rsl): where a page names one, and what it reserves."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
    contents = [node for node in root.iter() if local_name(node) == "content"][:_MAX_RULES]
    origin = urljoin(base, "/")
    addressed = [(content, urljoin(base, content.get("url") or "/")) for content in contents]
    return tuple(_rule(content, address) for content, address in addressed if address.startswith(origin))


def _rule(content: etree._Element, address: str) -> PathRule:
    licences = [node for node in content.iter() if local_name(node) == "license"]
    reserves = bool(content.get("server")) or any(map(_prohibits, licences))
    reserves = reserves or (bool(licences) and not any(map(_permits, licences)))
    return PathRule(path_of(address), reserves, f"licence for {address}")


def _prohibits(licence: etree._Element) -> bool:
    return bool(_uses(licence, "prohibits") & _USES)


def _permits(licence: etree._Element) -> bool:
    """Whether a licence lets texts be mined for nothing; one that lists no use permits all (RSL 1.0, `permits`)."""
    payments = {node.get("type", "").lower() for node in licence.iter() if local_name(node) == "payment"}
    permitted = _uses(licence, "permits")
    return not payments - _FREE and (not permitted or bool(permitted & _USES))


def _uses(licence: etree._Element, name: str) -> set[str]:
    nodes = (node for node in licence.iter() if local_name(node) == name and node.get("type") == "usage")
    return {word for node in nodes for word in _WORDS.split((node.text or "").lower()) if word}


def unread(address: str) -> str:
    """What is noted of a licence that is named and cannot be read: it cannot be shown to permit anything."""
    return f"the licence {address} could not be read"


def licence_signals(licences: PageLicences, read: Callable[[str], bytes | None], url: str) -> Iterator[Signal]:
    """What a page's licences declare about it.

    Args:
        licences: those of the page.
        read: gives the body of a licence document; None or no RSL where it could not be read, which reserves.
        url: the page's.
    """
    names = dict.fromkeys(licences.in_links, "rsl-link") | dict.fromkeys(licences.in_header, "rsl-header")
    for address in licences.named:
        yield from _signals(names[address], rsl_rules(read(address) or b"", address), address, url)
    for text in licences.embedded[:MOST_LICENCES]:
        yield from _signals("rsl-embedded", rsl_rules(text.encode(), url), url, url)


def _signals(name: str, rules: tuple[PathRule, ...] | None, where: str, url: str) -> Iterator[Signal]:
    if rules is None:
        yield Signal(name, unread(where), where, True)
    elif rule := longest_match(rules, path_of(url)):
        yield Signal(name, rule.value, where, rule.reserves)
