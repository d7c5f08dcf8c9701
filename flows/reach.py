"""Which settings under [network] a recipe lacks to reach its sources: this machine, or ports that are not the web's."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from flows.config import NetworkSection

_WEB = {"http": 80, "https": 443}


def lacking_settings(network: NetworkSection, urls: Iterable[str]) -> list[str]:
    """The lines that [network] needs before the crawl may connect to `urls`; none for addresses of the open web.

    A name other than localhost is not looked up.
    """
    places = [urlsplit(url) for url in urls]
    ports = {place.port or _WEB[place.scheme] for place in places}
    loopback = any(_is_loopback(place.hostname or "") for place in places)
    settings = ["allow_loopback = true"] if loopback and not network.allow_loopback else []
    if missing := ports - set(network.ports):
        settings.append(f"ports = {sorted({*network.ports, *missing})}")
    return settings


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False
