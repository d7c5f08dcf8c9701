"""What is done before Ray or Dask is: whether the cluster can be reached, and that Ray takes its nodes as they are."""

import os
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


def keep_nodes_as_they_are() -> None:
    """Keeps Ray from making the environment of a `uv run` again on every node, which have likewise already.

    Ray reads the variable when it is first imported.
    """
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
