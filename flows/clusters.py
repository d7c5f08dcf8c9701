"""Whether a cluster can be reached at its address, asked before Ray or Dask is, which wait for minutes."""

import socket
from urllib.parse import urlsplit

from flows.errors import ClusterError

_SECONDS = 5.0


def require_cluster(address: str, remedy: str) -> None:
    """Makes sure that something listens at `HOST:PORT`, `ray://HOST:PORT` or `tcp://HOST:PORT`.

    An address without a port, such as Ray's `auto`, is left to Ray and Dask.

    Raises:
        ClusterError: nothing does, or the address cannot be one.
    """
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        if place.hostname and place.port:
            socket.create_connection((place.hostname, place.port), _SECONDS).close()
    except (OSError, ValueError) as error:
        raise ClusterError(f"{address}: no cluster answers there ({error}).", remedy) from error
