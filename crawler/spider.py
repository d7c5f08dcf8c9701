"""The one spider, and Scrapy's scheduler over the crawl: they hand requests out and answers in, and decide nothing."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

import scrapy
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    CloseSpider,
    DownloadCancelledError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Request, Response
from scrapy.utils.asyncio import call_later
from twisted.python.failure import Failure

from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble
from crawler.crawl import Crawl
from crawler.entries import Role, Task
from crawler.errors import CrawlError
from crawler.payload import ACCEPTED
from crawler.store import Exchange

log = logging.getLogger("crawler")

_LONGEST_NAP = 5.0
_SHORTEST_NAP = 0.001
_ACCEPT = {
    Role.PAGE: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
    Role.SOURCE: "application/rss+xml,application/atom+xml,application/json,text/xml,text/html;q=0.9,*/*;q=0.1",
    Role.ROBOTS: "text/plain,*/*;q=0.1",
    Role.DOCUMENT: "*/*",
}


class CrawlSpider(scrapy.Spider):
    """Turns Scrapy's responses and failures into the crawl's answers and troubles.

    Args:
        crawl: the run, open.
        refused: the hosts that the resolver refused, with the reason.
        troubles: told of an error that ends the crawl.
    """

    name = "likewise"

    def __init__(
        self, crawl: Crawl, refused: dict[str, str], troubles: Callable[[Exception], None], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.crawl = crawl
        self.refused = refused
        self.troubles = troubles

    async def start(self) -> AsyncIterator[Any]:
        """Nothing: the scheduler has the requests already."""
        return
        yield

    def parse(self, response: Response, **kwargs: Any) -> None:  # noqa: ARG002
        """Hands an answer in."""
        assert response.request is not None
        task: Task = response.request.meta["task"]
        with self._ending_on_errors():
            self.crawl.answered(task, answer_of(task, response))

    def failed(self, failure: Failure) -> None:
        """Hands a trouble in."""
        task: Task = failure.request.meta["task"]  # type: ignore[attr-defined]
        with self._ending_on_errors():
            self.crawl.failed(task, self.trouble_of(failure))

    @contextmanager
    def _ending_on_errors(self) -> Iterator[None]:
        """Ends the crawl on any error, as nothing was acknowledged then: a full disk, or a fault of this program."""
        try:
            yield
        except Exception as error:
            self.troubles(error)
            raise CloseSpider("error") from error

    def trouble_of(self, failure: Failure) -> Trouble:
        """What a failure of Scrapy's means."""
        error = failure.value
        reason = _reason_of(error)
        host = urlsplit(failure.request.url).hostname or ""  # type: ignore[attr-defined]
        if host in self.refused:
            return Trouble(Verdict.REFUSED_ADDRESS, self.refused[host])
        if isinstance(error, DownloadCancelledError):
            return Trouble(Verdict.TOO_LARGE, reason)
        if isinstance(error, ResponseDataLossError):
            return Trouble(Verdict.FETCH_FAILED, "the answer broke off", may_retry=True)
        if isinstance(error, CannotResolveHostError):
            # The resolver has tried for long enough; and the names of a run rarely come back within it.
            return Trouble(Verdict.FETCH_FAILED, f"the name cannot be resolved: {reason}", is_host=True)
        named = "time-out: " if isinstance(error, DownloadTimeoutError) else ""
        return Trouble(Verdict.FETCH_FAILED, f"{named}{reason}", may_retry=True, is_host=True)


def _reason_of(error: BaseException | None) -> str:
    """What an error says; of one that only wraps others, what the first of them says."""
    inner = getattr(error, "reasons", None)
    return str(inner[0].getErrorMessage() if inner else error) or type(error).__name__


def answer_of(task: Task, response: Response) -> Answer:
    """The answer in a response of Scrapy's. Its body is as it came over the wire: no middleware has decoded it."""
    assert response.request is not None
    headers = [(key, value) for key, values in response.headers.items() for value in values]
    joined: dict[str, str] = {}
    for key, value in headers:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1").strip()
        joined[name] = f"{joined[name]}, {text}" if name in joined else text
    exchange = Exchange(
        url=task.url,
        status=response.status,
        request_headers=[(key, value) for key, values in response.request.headers.items() for value in values],
        response_headers=headers,
        body=response.body,
        at=datetime.now(UTC),
        ip=str(response.ip_address or ""),
    )
    return Answer(exchange, joined)


def request_of(task: Task, spider: CrawlSpider) -> Request:
    """The request for a task: conditional where the page or source was fetched before."""
    headers = {"Accept": _ACCEPT[task.role], "Accept-Encoding": ACCEPTED}
    etag, modified = _validators(task, spider)
    if etag:
        headers["If-None-Match"] = etag
    if modified:
        headers["If-Modified-Since"] = modified
    limits = spider.crawl.run.options.limits
    most = limits.source_bytes if task.role is Role.SOURCE else limits.page_bytes
    return Request(
        task.url,
        headers=headers,
        callback=spider.parse,
        errback=spider.failed,
        dont_filter=True,
        meta={
            "task": task,
            "download_maxsize": most,
            "download_slot": task.host,
            "download_timeout": limits.page_seconds,
        },
    )


def _validators(task: Task, spider: CrawlSpider) -> tuple[str, str]:
    if task.role is Role.SOURCE:
        source = spider.crawl.run.sources.get(task.url)
        return (source.etag, source.last_modified) if source else ("", "")
    if task.role is Role.PAGE and task.fetched is not None:
        return task.etag, task.last_modified
    return "", ""


class CrawlScheduler(BaseScheduler):
    """Gives Scrapy the crawl's next request, and wakes the engine when a host that must wait may be asked again."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.nap: Any = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make it."""
        return cls(crawler)

    def has_pending_requests(self) -> bool:
        """Whether the run goes on."""
        return self._spider.crawl.has_work()

    def enqueue_request(self, request: Request) -> bool:
        """No request comes from Scrapy itself: redirects, retries and links go through the frontier."""
        raise CrawlError(f"{request.url}: a request that did not come through the frontier")

    def next_request(self) -> Request | None:
        """The next request that may be made now; None, and a nap, where all hosts must wait."""
        task = self._spider.crawl.next_task()
        if task is not None:
            return request_of(task, self._spider)
        self._set_nap()
        return None

    def close(self, reason: str) -> None:  # noqa: ARG002
        """Ends the nap."""
        if self.nap is not None:
            self.nap.cancel()
            self.nap = None

    @property
    def _spider(self) -> CrawlSpider:
        spider = self.crawler.spider
        assert isinstance(spider, CrawlSpider)
        return spider

    def _set_nap(self) -> None:
        if self.nap is not None:
            self.nap.cancel()
            self.nap = None
        seconds = self._spider.crawl.wake_in()
        if seconds is not None:
            self.nap = call_later(min(max(seconds, _SHORTEST_NAP), _LONGEST_NAP), self._wake)

    def _wake(self) -> None:
        self.nap = None
        slot = self.crawler.engine._slot if self.crawler.engine else None
        if slot is not None:
            slot.nextcall.schedule()
