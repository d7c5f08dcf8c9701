import http.client
import socket
import threading
import time

import pytest

from flows.demo import serve
from flows.demo.server import not_modified
from tests.flows.demo.pages import PORT, fetch


def ask(server, host, path, method="GET", **headers):
    """Status, headers and body of an answer; underscores in header names stand for hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": f"{host}.newsroom.example:{server.port}"} | names)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def faulty(server, fault):
    """Publisher and path of a page with a fault."""
    article = next(a for a in server.newsroom.articles if a.fault == fault)
    truth = server.newsroom.truth(2, server.port)
    page = next(t for t in truth if t.title == article.headline and t.host.startswith(article.publisher))
    return article.publisher, page.url.split(str(server.port), 1)[1]


@pytest.fixture(scope="module")
def server(newsroom):
    """The newsroom, served on a free port."""
    with serve(newsroom, port=0) as running:
        yield running


def test_pages_come_over_http_by_host_name(server):
    """The Host header chooses the publisher, and links keep the server's port."""
    status, headers, body = ask(server, "ledger", "/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"ledger.newsroom.example:{server.port}".encode() in body


def test_what_did_not_change_is_answered_with_304(server):
    """ETag and Last-Modified bring 304 for pages, feeds, sitemaps and robots.txt; another ETag brings the page."""
    for host, path in (
        ("beacon", "/atom.xml"),
        ("ledger", "/"),
        ("northwire", "/news-sitemap.xml"),
        ("ledger", "/robots.txt"),
    ):
        _, headers, _ = ask(server, host, path)
        assert ask(server, host, path, If_None_Match=headers["ETag"])[0::2] == (304, b"")
        assert ask(server, host, path, If_Modified_Since=headers["Last-Modified"])[0] == 304
        assert ask(server, host, path, If_None_Match='"other"')[0] == 200


@pytest.mark.parametrize(("headers", "fresh"), [
    ({"If-None-Match": "W/{etag}"}, True),
    ({"If-None-Match": '"a", {etag}'}, True),
    ({"If-None-Match": "*"}, True),
    ({"If-None-Match": '"a"', "If-Modified-Since": "Wed, 01 Jan 2031 00:00:00 GMT"}, False),
    ({"If-Modified-Since": "Wed, 01 Jan 2031 00:00:00 GMT"}, True),
    ({"If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}, False),
    ({"If-Modified-Since": "yesterday"}, False),
    ({}, False),
])  # fmt: skip
def test_rfc9110_conditional_requests(newsroom, headers, fresh):
    """RFC 9110, 13.2.2: If-None-Match wins over If-Modified-Since, weak tags match, an unreadable date is ignored."""
    response = fetch(newsroom, f"http://beacon.newsroom.example:{PORT}/atom.xml")
    filled = {name: value.format(etag=response.header("ETag")) for name, value in headers.items()}
    assert not_modified(response, filled) is fresh


def test_faults_befall_the_first_request(server):
    """A busy page answers 429 with Retry-After once, a flaky one 500 once; then both are served."""
    publisher, path = faulty(server, "busy")
    status, headers, _ = ask(server, publisher, path)
    assert (status, headers["Retry-After"]) == (429, "1")
    assert ask(server, publisher, path)[0] == 200
    publisher, path = faulty(server, "flaky")
    assert [ask(server, publisher, path)[0] for _ in range(2)] == [500, 200]


def test_a_slow_page_takes_its_time(server):
    """The slow page is served after about one and a half seconds."""
    publisher, path = faulty(server, "slow")
    started = time.monotonic()
    assert ask(server, publisher, path)[0] == 200
    assert time.monotonic() - started >= 1.5


def test_broken_pages_break(server):
    """One page answers 500, one resets the connection, one ends before its announced length."""
    assert ask(server, "beacon", "/broken/error")[0] == 500
    with pytest.raises(ConnectionResetError):
        ask(server, "beacon", "/broken/reset")
    with pytest.raises(http.client.IncompleteRead):
        ask(server, "beacon", "/broken/truncated")


def test_redirects_lead_in_a_circle_and_out_of_the_net(server):
    """A loop of two redirects, and a redirect to a link-local address, are there for the crawler's guards."""
    assert ask(server, "beacon", "/loop/a")[1]["Location"] == "/loop/b"
    assert ask(server, "beacon", "/loop/b")[1]["Location"] == "/loop/a"
    assert ask(server, "observer", "/go/intranet")[1]["Location"].startswith("http://169.254.")


def test_some_publishers_compress(server):
    """A publisher that compresses does so for clients that ask."""
    assert ask(server, "ledger", "/", Accept_Encoding="gzip")[1]["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in ask(server, "ledger", "/")[1]
    assert "Content-Encoding" not in ask(server, "beacon", "/", Accept_Encoding="gzip")[1]


def test_head_has_headers_only(server):
    """HEAD gives the length of the page and no body."""
    _, headers, body = ask(server, "beacon", "/", "HEAD")
    assert int(headers["Content-Length"]) > 1000
    assert body == b""


def test_the_log_tells_every_request(newsroom):
    """The log has host, method, path, status, agent and whether the request was conditional."""
    with serve(newsroom, port=0) as server:
        ask(server, "beacon", "/atom.xml", User_Agent="likewise/0.1")
        ask(server, "beacon", "/nothing", If_None_Match='"x"')
        first, second = server.log
        assert (first.host, first.method, first.path, first.status) == (
            "beacon.newsroom.example",
            "GET",
            "/atom.xml",
            200,
        )
        assert (first.agent, first.conditional) == ("likewise/0.1", False)
        assert (second.status, second.conditional) == (404, True)
        assert first.time <= first.ended <= second.ended
        server.clear_log()
        assert not server.log


def test_the_day_can_be_turned(newsroom):
    """On day 2 the server has what day 1 had not, and its truth says so."""
    with serve(newsroom, port=0) as server:
        fresh = {t.url for t in newsroom.truth(2, server.port)} - {t.url for t in server.truth()}
        host, path = next(
            (u.split("/")[2].split(".")[0], u.split(str(server.port), 1)[1]) for u in sorted(fresh) if "northwire" in u
        )
        assert ask(server, host, path)[0] == 404
        server.set_day(2)
        assert ask(server, host, path)[0] == 200
        assert {t.url for t in server.truth()} >= fresh


def test_a_taken_port_is_replaced(newsroom):
    """Where the wanted port is taken, the server listens on another and its recipe says which."""
    with socket.create_server(("127.0.0.1", 0)) as taken, serve(newsroom, port=taken.getsockname()[1]) as server:
        assert server.port != taken.getsockname()[1]
        assert f"ports = [{server.port}]" in server.recipe_toml()


def test_the_server_stops_although_clients_wait(newsroom):
    """Kept-alive connections do not hold up the end, and no thread is left."""
    before = threading.active_count()
    with serve(newsroom, port=0) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/", headers={"Host": f"beacon.newsroom.example:{server.port}"})
        connection.getresponse().read()
    connection.close()
    assert threading.active_count() == before


def test_many_clients_at_once_get_whole_pages(server, newsroom):
    """Threads that ask at the same time get the bytes that the newsroom renders."""
    paths = [t.url for t in newsroom.truth(1, server.port) if t.host.startswith("northwire")][:16]
    bodies = {}

    def one(url):
        bodies[url] = ask(server, "northwire", url.split(str(server.port), 1)[1])[2]

    threads = [threading.Thread(target=one, args=(url,)) for url in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == {url: fetch(newsroom, url).body for url in paths}
