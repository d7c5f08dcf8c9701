"""Scrapy's HTTP handler, without the second request that Twisted makes on its own when a connection breaks."""

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler


class PoliteHandler(HTTP11DownloadHandler):
    """One request on the wire for each request of the frontier: a repetition waits at the host's gate."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool.retryAutomatically = False
