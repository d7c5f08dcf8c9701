"""Servers that mean harm, from end to end: bombs, names that change their address, answers that never end."""

import gzip
import json
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest

from crawler.outcomes import outcomes
from tests.crawler.conftest import REPOSITORY, crawl, make_options
from tests.crawler.web import SEED, Hit, Reply, Web, article, feed

COMPRESSED = Path(__file__).parents[2] / "../shared/corpora/compressed"
DATE = "Tue, 18 Nov 2025 10:00:00 GMT"


def put_feed(web: Web, host: str, paths: list[str]) -> str:
    """A feed of some paths of a host; its URL."""
    web.add(host, "/feed", feed([(web.url(host, path), "Velmar crossing talks", DATE) for path in paths]))
    return web.url(host, "/feed")


def bombs() -> dict[str, bytes]:
    """Bodies that grow: by a thousand in each encoding, and by a million in two layers."""
    flat = bytes(100_000_000)
    return {
        "gzip": gzip.compress(flat),
        "deflate": zlib.compress(flat),
        "br": brotli.compress(flat, quality=5),
        "gzip, gzip": gzip.compress(gzip.compress(flat)),
    }


def test_bombs_of_every_encoding_are_too_large(web: Web, tmp_path: Path) -> None:
    """As pages; as feeds, sitemaps and robots.txt they end in an error of their source, and the crawl goes on."""
    paths = []
    for i, (encoding, body) in enumerate(bombs().items()):
        paths.append(f"/velmar-crossing-talks-bomb-{i}")
        web.add("bombs.test", paths[-1], body, headers={"Content-Encoding": encoding})
        web.add("bombs.test", f"/feed-{i}", body, headers={"Content-Encoding": encoding}, type="text/xml")
    web.add("bombs.test", "/map.xml.gz", bombs()["gzip"], type="application/gzip")
    web.add("robots.test", "/robots.txt", bombs()["gzip"], headers={"Content-Encoding": "gzip"}, type="text/plain")
    web.add("robots.test", "/velmar-crossing-talks", article("Velmar", SEED))
    feeds = tuple(web.url("bombs.test", f"/feed-{i}") for i in range(len(paths)))
    options = make_options(
        web,
        tmp_path / "state",
        feeds=(put_feed(web, "bombs.test", paths), put_feed(web, "robots.test", ["/velmar-crossing-talks"]), *feeds),
        sitemaps=(web.url("bombs.test", "/map.xml.gz"),),
        limits={"page_bytes": 5_000_000, "source_bytes": 5_000_000},
    )
    run = crawl(options)
    assert run.code == 0, run.log
    assert {run.verdict(web.url("bombs.test", path)) for path in paths} == {"too_large"}
    assert run.stats["fetched"] == 0, "a robots.txt that cannot be read allows nothing"


@pytest.mark.skipif(not COMPRESSED.exists(), reason="compressed samples are not beside the repository")
def test_bombs_of_scrapy_are_too_large(web: Web, tmp_path: Path) -> None:
    """The samples of 11.5 MB are over the default limit of 10 MB."""
    paths = {}
    for sample in sorted(COMPRESSED.glob("bomb-*.bin")):
        paths[f"/velmar-crossing-talks-{sample.stem}"] = sample.stem.split("-")[1]
        reply = Reply(sample.read_bytes(), headers={"Content-Encoding": sample.stem.split("-")[1]})
        web.pages["bombs.test", f"/velmar-crossing-talks-{sample.stem}"] = reply
    run = crawl(make_options(web, tmp_path / "state", feeds=(put_feed(web, "bombs.test", list(paths)),)))
    found = {encoding: run.verdict(web.url("bombs.test", path)) for path, encoding in paths.items()}
    assert found == dict.fromkeys(("gzip", "deflate", "br", "zstd"), "too_large")


# A name that changes its address between two requests. The first address, on loopback, stands for a public one, and
# the guard takes it for one; the second is loopback to it as to everyone.

REBINDING = """
import functools, sys
from crawler import guards, process, resolver
from crawler.guards import Guard

class Lenient(Guard):
    def refuses_address(self, address):
        return "" if address in sys.argv[2].split(",") else super().refuses_address(address)

answers = ["127.0.0.1"] * int(sys.argv[3])
look_up = lambda host: [answers.pop() if answers else "127.0.0.2"]
process.GuardedResolver = functools.partial(resolver.GuardedResolver, ttl=0.0, look_up=look_up)
import crawler.run
crawler.run.Guard = Lenient
sys.exit(process.main([sys.argv[1]]))
"""


@pytest.fixture
def inside(web: Web) -> Iterator[list[str]]:
    """A server on a second address of this machine, at the web's port; gives the requests that reach it."""
    reached: list[str] = []
    with socket.create_server(("127.0.0.2", web.port)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    reached.append(connection.recv(2_000).decode())
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield reached
        over.set()
        thread.join()


@pytest.mark.parametrize("public", [1, 2, 4, 5])
@pytest.mark.parametrize("accepted", ["127.0.0.1", "127.0.0.1,127.0.0.2"])
def test_a_name_that_is_bound_anew_reaches_nothing_inside(
    web: Web, inside: list[str], tmp_path: Path, public: int, accepted: str
) -> None:
    """After robots.txt, a declaration, the feed or an article had a public address, the next request is refused.

    Where the second address is accepted as well, it is reached: the name does change.
    """
    paths = [f"/velmar-crossing-talks-part-{i}" for i in range(3)]
    closing = {"Connection": "close"}
    for path in paths:
        web.add("rebind.example", path, article("Velmar", SEED + path), headers=closing)
    items = [(web.url("rebind.example", path), "Velmar crossing talks", DATE) for path in paths]
    web.add("rebind.example", "/feed", feed(items), headers=closing)
    for path in ("/robots.txt", "/ai.txt", "/.well-known/tdmrep.json"):
        web.add("rebind.example", path, "no", status=404, headers=closing)
    feeds = (web.url("rebind.example", "/feed"),)
    options = make_options(web, tmp_path / "state", feeds=feeds, network={"allow_loopback": False, "resolve": {}})
    path = tmp_path / "o.json"
    path.write_text(options.to_json(), encoding="utf-8")
    command = [sys.executable, "-c", REBINDING, str(path), accepted, str(public)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert len(web.hits) == public, done.stderr
    assert bool(inside) is ("127.0.0.2" in accepted), done.stderr
    if public == 5 and not inside:
        verdicts = sorted(outcome.verdict for outcome in outcomes(options.state, "r1"))
        assert verdicts == ["kept", "refused_address", "refused_address"]
    assert json.loads(done.stdout.splitlines()[-1])["done"] is True


# Answers that never end.


@pytest.fixture
def dripping() -> Iterator[int]:
    """A server that sends a byte of a page now and then, for ever; gives its port."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(2_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")
            while not over.wait(0.1):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=drip, args=(connection,)))
            threads[-1].start()

    threads = [threading.Thread(target=serve)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        threads[0].start()
        yield server.getsockname()[1]
        over.set()
        for thread in threads:
            thread.join()


def test_time_outs_fire(web: Web, dripping: int, tmp_path: Path) -> None:
    """However a server stalls, before its answer or in the middle of it, a page costs no more than its time."""

    def late(hit: Hit) -> Reply:
        return Reply("late", seconds=3.0)

    def moved(hit: Hit) -> Reply:
        return Reply(status=302, headers={"Location": f"http://127.0.0.1:{dripping}/velmar-crossing-talks-drip"})

    web.pages["slow.test", "/velmar-crossing-talks-late"] = late
    web.pages["fast.test", "/velmar-crossing-talks-moved"] = moved
    web.add("fast.test", "/velmar-crossing-talks-good", article("Velmar", SEED))
    feeds = (
        put_feed(web, "slow.test", ["/velmar-crossing-talks-late"]),
        put_feed(web, "fast.test", ["/velmar-crossing-talks-moved", "/velmar-crossing-talks-good"]),
    )
    options = make_options(
        web,
        tmp_path / "state",
        feeds=feeds,
        limits={"page_seconds": 1.0},
        network={"ports": (80, 443, web.port, dripping)},
    )
    run = crawl(options)
    late_page = run.outcomes[web.url("slow.test", "/velmar-crossing-talks-late")]
    assert (late_page.verdict, late_page.reason[:8]) == ("fetch_failed", "time-out")
    dripped = run.outcomes[f"http://127.0.0.1:{dripping}/velmar-crossing-talks-drip"]
    assert dripped.verdict == "robots", "its robots.txt never ends either, so nothing may be fetched"
    assert run.verdict(web.url("fast.test", "/velmar-crossing-talks-good")) == "kept"
