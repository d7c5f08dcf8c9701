"""Looks names up for the crawl and gives only addresses that the guard accepts."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from twisted.internet.threads import deferToThreadPool
from zope.interface.declarations import implementer

from crawler.guards import Guard

_DNS_SECONDS = 10.0
_CACHE_MOST = 20_000


@implementer(IHostResolution)  # type: ignore[no-untyped-call]
@dataclass(slots=True)
class _Resolution:
    name: str

    def cancel(self) -> None:
        """Nothing to cancel: the look-up in its thread ends by its own time limit, and its answer is dropped."""


@dataclass(slots=True)
class _Answer:
    addresses: tuple[str, ...]
    until: float


@implementer(IHostnameResolver)  # type: ignore[no-untyped-call]
@dataclass(slots=True)
class GuardedResolver:
    """Twisted's resolver of names and literals, IPv4 and IPv6, that gives only addresses which the guard accepts.

    Args:
        reactor: whose thread pool looks names up.
        guard: what is refused.
        ttl: seconds for which an answer is kept; every answer is checked before it is kept.
        look_up: asks the system for the addresses of a name; it blocks, and raises OSError where there is none.
    """

    reactor: Any
    guard: Guard
    ttl: float = 60.0
    look_up: Callable[[str], Sequence[str]] = field(default=lambda host: _look_up(host))
    refused: dict[str, str] = field(default_factory=dict)
    _cache: dict[str, _Answer] = field(default_factory=dict, repr=False)

    def resolveHostName(  # noqa: N802, the interface's name
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type] | None = None,  # noqa: N803, ARG002
        transportSemantics: str = "TCP",  # noqa: N803, ARG002
    ) -> Any:
        """Gives the receiver the acceptable addresses of a host; none where it has none, which fails the request."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        known = self._known(hostName)
        if known is not None:
            _give(resolutionReceiver, known, portNumber)
            return resolution
        looked_up = deferToThreadPool(self.reactor, self.reactor.getThreadPool(), self.look_up, hostName)
        looked_up.addTimeout(_DNS_SECONDS, self.reactor)
        looked_up.addCallback(lambda found: self._accept(hostName, found))
        looked_up.addErrback(lambda _failure: ())
        looked_up.addCallback(lambda addresses: _give(resolutionReceiver, addresses, portNumber))
        return resolution

    def _known(self, host: str) -> tuple[str, ...] | None:
        pinned = self.guard.pinned(host)
        if pinned:
            return (pinned,)
        answer = self._cache.get(host)
        if answer and answer.until > self.reactor.seconds():
            return answer.addresses
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return None
        return self._accept(host, (host.strip("[]"),))

    def _accept(self, host: str, found: Sequence[str]) -> tuple[str, ...]:
        reasons = {address: self.guard.refuses_address(address) for address in found}
        accepted = tuple(address for address, reason in reasons.items() if not reason)
        self.refused.pop(host, None)
        if reasons and not accepted:
            self.refused[host] = "; ".join(reasons.values())
        if len(self._cache) >= _CACHE_MOST:
            self._cache.clear()
        self._cache[host] = _Answer(accepted, self.reactor.seconds() + self.ttl)
        return accepted


def _look_up(host: str) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _give(receiver: Any, addresses: Sequence[str], port: int) -> None:
    for address in addresses:
        kind = IPv6Address if ":" in address else IPv4Address
        receiver.addressResolved(kind("TCP", address, port))
    receiver.resolutionComplete()
