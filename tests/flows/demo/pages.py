"""Helpers to look at the newsroom as a client does."""

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from flows.demo import Newsroom, Response

PORT = 8799


def fetch(newsroom: Newsroom, url: str, day: int = 1) -> Response:
    """The answer to a URL."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return newsroom.page(parts.netloc, path or "/", day)


def visible(response: Response) -> str:
    """The text of an HTML page with its white space folded."""
    encoding = response.header("Content-Type").partition("charset=")[2]
    tree = html.document_fromstring(response.body, parser=html.HTMLParser(encoding=encoding))
    return fold(tree.text_content())


def fold(text: str) -> str:
    """The text with its white space folded."""
    return " ".join(text.split())


def links(url: str, response: Response) -> Iterator[str]:
    """The absolute URLs that a page, feed or sitemap names."""
    if response.header("Content-Type").startswith("text/html"):
        for href in html.document_fromstring(response.body).xpath("//a/@href | //link/@href"):
            yield urljoin(url, str(href))


def xml(body: bytes) -> etree._Element:
    """The root of a feed or sitemap."""
    return etree.fromstring(body)
