"""Serves the newsroom on loopback: one server for all publishers, chosen by the Host header; it logs every request."""

import gzip
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.message import Message
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flows.demo.newsroom import PORT, Newsroom
from flows.demo.truth import Truth
from flows.demo.website import Response

_SLOW_SECONDS = 1.5
_RETRY_AFTER = "1"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the log keeps it. `time` is monotonic seconds; `host` has no port; `path` includes the query."""

    time: float
    host: str
    method: str
    path: str
    status: int
    agent: str
    conditional: bool
    ended: float


def not_modified(response: Response, headers: Mapping[str, str] | Message) -> bool:
    """Whether a conditional request may be answered with 304 (RFC 9110, 13.2.2: the ETag counts before the date)."""
    etag, stamp = response.header("ETag"), response.header("Last-Modified")
    if response.status != 200 or not etag:
        return False
    if "If-None-Match" in headers:
        tags = [tag.strip().removeprefix("W/") for tag in headers["If-None-Match"].split(",")]
        return "*" in tags or etag in tags
    try:
        return parsedate_to_datetime(headers.get("If-Modified-Since", "")) >= parsedate_to_datetime(stamp)
    except (TypeError, ValueError):  # An unreadable date is ignored: RFC 9110, 13.1.3.
        return False


class NewsServer(ThreadingHTTPServer):
    """The running newsroom. `latency` (seconds) is added to every answer."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, newsroom: Newsroom, day: int, port: int, latency: float) -> None:
        self.newsroom = newsroom
        self.latency = latency
        self._day = day
        self._lock = threading.Lock()
        self._log: list[Request] = []
        self._failed: Counter[tuple[str, str]] = Counter()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    @property
    def day(self) -> int:
        """The newsroom's day."""
        return self._day

    def set_day(self, day: int) -> None:
        """Turns the newsroom's calendar to a day, counted from 1; what failed for once fails once more."""
        with self._lock:
            self._day = day
            self._failed.clear()

    @property
    def log(self) -> list[Request]:
        """The requests so far, in the order of their answers."""
        with self._lock:
            return list(self._log)

    def clear_log(self) -> None:
        """Forgets the requests so far."""
        with self._lock:
            self._log.clear()

    def recipe_toml(self) -> str:
        """The newsroom's recipe, for this server's port."""
        return self.newsroom.recipe_toml(self.port)

    def truth(self) -> list[Truth]:
        """The truth of the newsroom's pages on the server's day, for its port."""
        return self.newsroom.truth(self._day, self.port)

    def record(self, request: Request) -> None:
        """Adds a request to the log."""
        with self._lock:
            self._log.append(request)

    def page(self, host: str, path: str) -> Response:
        """The newsroom's answer, with the faults that befall only the first request of a page."""
        with self._lock:
            response = self.newsroom.page(host, path, self._day)
            if response.fault not in _ONCE:
                return response
            self._failed[host, path] += 1
            return _ONCE[response.fault] if self._failed[host, path] == 1 else replace(response, fault="")

    # Connections are kept alive, so a clean stop has to end those that wait for another request.

    def process_request(self, request: Any, client_address: Any) -> None:
        """Notes the connection and hands it to its thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Closes the connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; crawlers are killed in tests."""

    def server_close(self) -> None:
        """Ends open connections, waits for their threads and frees the port."""
        with self._lock:
            waiting = list(self._open)
        for connection in waiting:
            with _gone_already():
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


_ONCE = {
    "busy": Response.plain(429, "Slow down, please.", ("Retry-After", _RETRY_AFTER)),
    "flaky": Response.plain(500, "Please try again."),
}


@contextmanager
def _gone_already() -> Iterator[None]:
    """Lets pass that the other side closed the connection first."""
    try:
        yield
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from the newsroom."""

    protocol_version = "HTTP/1.1"
    server: NewsServer
    timeout = 60

    def do_GET(self) -> None:
        """A page."""
        self._answer()

    def do_HEAD(self) -> None:
        """A page's headers."""
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on standard error: the server keeps its own log."""

    def _answer(self) -> None:
        started = time.monotonic()
        response = self.server.page(self.headers.get("Host", ""), self.path)
        time.sleep(self.server.latency + (_SLOW_SECONDS if response.fault == "slow" else 0))
        status = 304 if not_modified(response, self.headers) else response.status
        self._log(started, status)
        if response.fault == "reset":
            self._reset()
        else:
            self._send(response, status)

    def _log(self, started: float, status: int) -> None:
        conditional = "If-None-Match" in self.headers or "If-Modified-Since" in self.headers
        host, agent = self.headers.get("Host", "").partition(":")[0], self.headers.get("User-Agent", "")
        self.server.record(
            Request(started, host, self.command, self.path, status, agent, conditional, time.monotonic())
        )

    def _send(self, response: Response, status: int) -> None:
        body, encoding = self._encoded(response)
        self.send_response(status)
        for name, value in response.headers:
            self.send_header(name, value)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        if status != 304:
            self.send_header("Content-Length", str(len(body) + (1000 if response.fault == "truncated" else 0)))
        self.end_headers()
        if status != 304 and self.command == "GET":
            self.wfile.write(body)
        self.close_connection = self.close_connection or response.fault == "truncated"

    def _encoded(self, response: Response) -> tuple[bytes, str]:
        """The body, gzipped where the publisher does so and the client takes it."""
        name = self.headers.get("Host", "").partition(":")[0]
        packs = any(p.host == name and p.compress for p in self.server.newsroom.publishers)
        asked = "gzip" in self.headers.get("Accept-Encoding", "")
        if packs and asked and response.header("Content-Type").startswith("text/html"):
            return gzip.compress(response.body, 5, mtime=0), "gzip"
        return response.body, ""

    def _reset(self) -> None:
        """Ends the connection with RST instead of an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()


@contextmanager
def serve(newsroom: Newsroom, *, day: int = 1, port: int = PORT, latency: float = 0.0) -> Iterator[NewsServer]:
    """Serves the newsroom on 127.0.0.1 until the block ends; where `port` is taken (or 0) another free one is used."""
    server = _bound(newsroom, day, port, latency)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="newsroom")
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _bound(newsroom: Newsroom, day: int, port: int, latency: float) -> NewsServer:
    try:
        return NewsServer(newsroom, day, port, latency)
    except OSError:
        return NewsServer(newsroom, day, 0, latency)
