"""What a crawl may connect to, and what it does not follow: addresses, ports, schemes, traps."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from crawler.options import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MAX_DEPTH = 12
_MAX_REPEATS = 3
_MAX_PARAMETERS = 8
_YEARS = range(1990, 2100)
_CALENDAR = re.compile(r"/(?:calendar|events?|agenda|kalender|diary)(?:/|$)", re.IGNORECASE)
_DATE_PARTS = re.compile(r"(?:year|month|day|week|date|tribe-bar-date|ical)", re.IGNORECASE)
_SESSION = re.compile(r"(?:^|[/;&?])(?:s|sid|session|phpsessid|jsessionid)[=/]?[0-9a-f]{16,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides by an address, and by a URL before it is resolved, whether the crawl may connect.

    Names are checked where they are resolved (`crawler.resolver`), so that redirects, robots.txt, sitemaps and names
    that change their answer all pass the same check.
    """

    network: Network

    def refuses_address(self, address: str) -> str:
        """Why an address is refused, or "" where it is not."""
        ip = _embedded(ipaddress.ip_address(address.partition("%")[0]))
        if ip.is_loopback:
            return "" if self.network.allow_loopback else f"loopback address {address}"
        if not ip.is_global or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
            return f"address {address} is not public"
        return ""

    def refuses_url(self, url: str) -> str:
        """Why a canonical URL is refused without looking its host up, or "" where it is not."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return f"scheme {parts.scheme!r}"
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port not in self.network.ports:
            return f"port {port}"
        try:
            return self.refuses_address(parts.hostname or "")
        except ValueError:  # a name, which the resolver checks
            return ""

    def pinned(self, host: str) -> str:
        """The address that the options pin for a host, exactly or by the longest `*.` wildcard; "" for none."""
        table = self.network.resolve
        if host in table:
            return table[host]
        labels = host.split(".")
        return next((table[name] for i in range(1, len(labels)) if (name := "*." + ".".join(labels[i:])) in table), "")


def _embedded(ip: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does: mapped, 6to4, NAT64, IPv4-compatible."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    if ip in _NAT64 or (int(ip) >> 32 == 0 and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def trap_reason(url: str) -> str:
    """Why a canonical URL looks like one of endlessly many, or "" where it does not.

    Too deep a path, a segment or a run of segments over and over, a calendar, a session in the path, too many
    parameters (the traps of Heritrix's PathologicalPathDecideRule and of news-crawl's URL filters).
    """
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    if len(segments) > _MAX_DEPTH:
        return f"{len(segments)} path segments"
    if repeated := _repeated(segments):
        return f"path repeats {repeated!r}"
    if _SESSION.search(parts.path):
        return "session in the path"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if len(pairs) > _MAX_PARAMETERS:
        return f"{len(pairs)} parameters"
    if len({name for name, _ in pairs}) < len(pairs) - 2:
        return "repeated parameters"
    return _calendar(parts.path, pairs)


def _repeated(segments: Sequence[str]) -> str:
    """The run of one to three segments that follows itself too often, or ""."""
    for size in (1, 2, 3):
        for start in range(len(segments) - size * _MAX_REPEATS + 1):
            run = segments[start : start + size]
            if all(segments[start + size * n : start + size * (n + 1)] == run for n in range(1, _MAX_REPEATS)):
                return "/".join(run)
    counts = {segment: segments.count(segment) for segment in segments}
    return next((segment for segment, count in counts.items() if count > _MAX_REPEATS and not segment.isdigit()), "")


def _calendar(path: str, pairs: Sequence[tuple[str, str]]) -> str:
    dated = [name for name, value in pairs if _DATE_PARTS.search(name) and re.search(r"\d", value)]
    if dated and (_CALENDAR.search(path) or len(dated) > 1):
        return "calendar"
    if _CALENDAR.search(path) and re.search(r"/(?:19|20|2[1-9])\d\d(?:[/-]\d{1,2})(?:[/-]\d{1,2})?/?$", path):
        return "calendar"
    years = [int(number) for number in re.findall(r"/(\d{4})/\d{1,2}/\d{1,2}/?$", path)]
    return "calendar" if any(year not in _YEARS for year in years) else ""
