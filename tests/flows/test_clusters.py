"""Whether a cluster can be reached at its address."""

import socket
import time
from collections.abc import Iterator

import pytest

from flows.clusters import require_cluster
from flows.errors import ClusterError

FORMS = ("127.0.0.1:{}", "ray://127.0.0.1:{}", "tcp://127.0.0.1:{}")


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("form", FORMS)
def test_an_address_where_something_listens_is_left_to_the_library(form: str, listening: socket.socket) -> None:
    """Only Ray and Dask know whether it is a cluster of theirs."""
    require_cluster(form.format(listening.getsockname()[1]), "")


@pytest.mark.parametrize("form", FORMS)
def test_an_address_where_nothing_listens_is_named_at_once(form: str, listening: socket.socket) -> None:
    """The error names the address as it was given, and the remedy."""
    address = form.format(listening.getsockname()[1])
    listening.close()
    began = time.monotonic()
    with pytest.raises(ClusterError, match=f"{address}: no cluster answers there .* Look at it"):
        require_cluster(address, "Look at it.")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("address", ["nowhere.invalid:1", "127.0.0.1:99999", "ray://127.0.0.1:none", "tcp://[::1:1"])
def test_what_cannot_be_an_address_is_named(address: str) -> None:
    """An unknown host, and what is no port, are no cluster."""
    with pytest.raises(ClusterError, match="no cluster answers there"):
        require_cluster(address, "Look at it.")


@pytest.mark.parametrize("address", ["auto", "local", "ray://head.example"])
def test_an_address_without_a_port_is_left_to_the_library(address: str) -> None:
    """Ray has names and a port of its own."""
    require_cluster(address, "")
