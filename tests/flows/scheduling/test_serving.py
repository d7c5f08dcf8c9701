"""A run beside its Prefect server, which may go away."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.errors import ServerError, StateError
from flows.scheduling.serving import some_server


class _Healthy(BaseHTTPRequestHandler):
    """Answers what Prefect's server answers when it is asked whether it is well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Healthy) as found:
        Thread(target=found.serve_forever, daemon=True).start()
        with temporary_settings(updates={PREFECT_API_URL: f"http://127.0.0.1:{found.server_port}/api"}):
            yield found
        found.shutdown()


def _lose(server: HTTPServer) -> None:
    server.shutdown()
    server.server_close()
    raise ConnectionError("All connection attempts failed")


def test_a_server_that_goes_away_is_named(server: HTTPServer) -> None:
    """What fails once the server is gone is laid to the server, and the same command goes on later."""
    with pytest.raises(ServerError, match="stopped answering"), some_server():
        _lose(server)


@pytest.mark.parametrize("error", [ConnectionError("elsewhere"), StateError("The disk is full.", "Free space.")])
def test_other_errors_come_through(server: HTTPServer, error: Exception) -> None:
    """While the server answers, an error is what it is."""
    with pytest.raises(type(error)) as caught, some_server():
        raise error
    assert caught.value is error
