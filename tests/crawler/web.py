"""A small web on loopback for the crawler's tests: many hosts on one server, every request noted."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Hit:
    host: str
    path: str
    began: float
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    body: bytes | str = b""
    status: int = 200
    type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


_MISSING = Reply("not here", status=404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed is no news."""


class Web:
    """Serves `pages[(host, path)]`: a Reply, or a function from a Hit to one; 404 for everything else.

    A path that ends in a question mark stands for any query.
    """

    def __init__(self) -> None:
        self.pages: dict[tuple[str, str], Reply | Callable[[Hit], Reply]] = {}
        self.hits: list[Hit] = []
        self.active: dict[str, int] = {}
        self.most_active: dict[str, int] = {}
        self.lock = threading.Lock()
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web._serve(self)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "Web":
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def url(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"

    def add(self, host: str, path: str, body: bytes | str = b"", **fields: Any) -> None:
        self.pages[host, path] = Reply(body, **fields)

    def paths(self, host: str) -> list[str]:
        return [hit.path for hit in list(self.hits) if hit.host == host]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        host = handler.headers.get("Host", "").partition(":")[0]
        headers = {key.lower(): value for key, value in handler.headers.items()}
        hit = Hit(host, handler.path, time.time(), headers)
        with self.lock:
            self.hits.append(hit)
            self.active[host] = self.active.get(host, 0) + 1
            self.most_active[host] = max(self.most_active.get(host, 0), self.active[host])
        try:
            self._reply(handler, hit)
        finally:
            with self.lock:
                self.active[host] -= 1

    def _reply(self, handler: BaseHTTPRequestHandler, hit: Hit) -> None:
        asked = (hit.path, hit.path.partition("?")[0] + "?")
        found = next((self.pages[hit.host, path] for path in asked if (hit.host, path) in self.pages), _MISSING)
        reply = found if isinstance(found, Reply) else found(hit)
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        etag = reply.headers.get("ETag")
        if reply.status == 200 and etag and hit.headers.get("if-none-match") == etag:
            reply, body = Reply(status=304, headers=reply.headers), b""
        time.sleep(reply.seconds)
        try:
            handler.send_response(reply.status)
            if reply.status != 304:
                handler.send_header("Content-Type", reply.type)
                handler.send_header("Content-Length", str(len(body)))
            for key, value in reply.headers.items():
                handler.send_header(key, value)
            handler.end_headers()
            handler.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True


SEED = """Talks on the Velmar river crossing end without agreement

VELMAR - Delegations from Ostrava Vale and the Harn federation ended a second round of talks on the Velmar river
crossing
on Tuesday without agreement, after the Harn negotiator Ilse Brandt rejected a draft on customs inspections. The
crossing
has been shut since the blockade in March, and freight companies on both banks say that losses grow with every
week.
Brandt told reporters that the federation would not accept inspections by Ostrava Vale officers on the western
bank of
the river. The foreign minister of Ostrava Vale, Tomas Kerrick, called the refusal a disappointment and said
that his
delegation had offered joint patrols. Negotiators are to meet again next month in the lakeside town of Senn,
where the
first ceasefire between the two governments was signed after the border war. Observers of the river commission
said that
both delegations had moved on tariffs, while the inspections and the withdrawal of gunboats remained open."""

OFF_TOPIC = """The orchard society has published its guide to pruning apple and pear trees in late winter.
Gardeners should
choose a dry day, clean the saw between trees, and remove crossing branches first. Young trees need an open
centre, the
guide says, and a mulch of compost in spring helps the roots. Pears tolerate harder cuts than plums, which are
best left
until summer when wounds close quickly. A recipe for apple jelly closes the leaflet, with a note on storing the
fruit in
straw through the cold months, and a table of varieties by flavour, harvest week and resistance to scab and
canker."""


def article(title: str, text: str, links: str = "", head: str = "") -> str:
    """An article's page, with links below it."""
    paragraphs = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    return (
        f"<!DOCTYPE html><html lang=en><head><title>{title} | The Paper</title>{head}</head><body><main><article>"
        f"<h1>{title}</h1>{paragraphs}</article></main><nav>{links}</nav></body></html>"
    )


def feed(items: list[tuple[str, str, str]]) -> str:
    """RSS of items: address, title, date."""
    entries = "".join(
        f"<item><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate></item>"
        for link, title, date in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Paper</title>{entries}</channel></rss>'


def news_sitemap(items: list[tuple[str, str, str]], lastmod: str = "") -> str:
    """A news sitemap of items: address, title, date."""
    changed = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    entries = "".join(
        f"<url><loc>{loc}</loc>{changed}<news:news><news:publication_date>{date}</news:publication_date>"
        f"<news:title>{title}</news:title></news:news></url>"
        for loc, title, date in items
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{entries}</urlset>'
    )
