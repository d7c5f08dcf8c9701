"""The crawl's own process: reads its options, runs to the end, tells its progress, closes in good order on signals."""

import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.utils.reactor import install_reactor

from cleaning.topic.profile import TopicError
from crawler.archives import archive_patterns
from crawler.crawl import Crawl
from crawler.errors import CrawlError, OptionsError
from crawler.options import CrawlOptions
from crawler.outcomes import totals
from crawler.relevance import Relevance
from crawler.resolver import GuardedResolver
from crawler.run import make_run
from crawler.settings import scrapy_settings
from crawler.sources import given_sources, listed_urls
from crawler.spider import CrawlSpider
from crawler.state import locked, open_database
from crawler.summary import progress

FINISHED, FAILED, UNREACHABLE = 0, 1, 3
"""Exit codes; a signal gives 128 and its number."""

_PROGRESS_SECONDS = 1.0
_GRACE_SECONDS = 5.0
_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"

log = logging.getLogger("crawler")


def main(arguments: list[str], out: TextIO = sys.stdout) -> int:
    """Runs `python -m crawler OPTIONS.json`; returns the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(logging.INFO)
    logging.getLogger("scrapy").setLevel(logging.ERROR)
    if len(arguments) != 1:
        log.error("usage: python -m crawler OPTIONS.json")
        return FAILED
    try:
        return run(read_options(Path(arguments[0])), out)
    except CrawlError as error:
        log.error("%s", error)
        return FAILED
    except sqlite3.Error as error:
        log.error("the crawl's database: %s. Free space or set permissions, then start again: the crawl resumes", error)
        return FAILED


def read_options(path: Path) -> CrawlOptions:
    """The options in a JSON file.

    Raises:
        OptionsError: the file cannot be read, is not what `CrawlOptions.to_json` writes, or no crawl can be made of it.
    """
    try:
        options = CrawlOptions.from_json(path.read_text(encoding="utf-8"))
        named = [*given_sources(options), *listed_urls(options), *archive_patterns(options)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise OptionsError(
            f"{path}: {type(error).__name__}: {error}. Write the file with CrawlOptions.to_json"
        ) from error
    if not named and not options.gdelt:
        raise OptionsError(f"{path}: no sources. Name at least one site, feed, sitemap, section or archive, or URLs")
    if options.politeness.rights not in ("strict", "record"):
        raise OptionsError(f'{path}: rights is {options.politeness.rights!r}. Give "strict" or "record"')
    return options


def run(options: CrawlOptions, out: TextIO) -> int:
    """Runs a crawl, or resumes it; one that is finished is left as it is. Returns the exit code.

    Raises:
        CrawlError: the seeds make no topic, the state cannot be used, or the disk failed.
    """
    done = totals(options.state, options.run_id)
    if done is not None and done.finished:
        log.info("run %s is finished: nothing to do", options.run_id)
        _tell(out, done.stats)
        return FINISHED
    try:
        relevance = Relevance.from_seeds(options.seeds, options.topic, options.labels)
    except TopicError as error:
        raise OptionsError(str(error)) from error
    with locked(options.state), closing(open_database(options.state)) as database:
        parts = make_run(options, relevance, database, time.time)
        if parts is None:
            return FINISHED
        crawl = Crawl(parts)
        crawl.open()
        return _Process(options, crawl, out).run()


def _tell(out: TextIO, progress: dict[str, Any]) -> None:
    out.write(json.dumps(progress, sort_keys=True) + "\n")
    out.flush()


class _Process:
    """The reactor of a run, its signals and its progress."""

    def __init__(self, options: CrawlOptions, crawl: Crawl, out: TextIO) -> None:
        self.options = options
        self.crawl = crawl
        self.out = out
        self.signal = 0
        self.error: Exception | None = None
        # The loop itself keeps only weak references to what runs in it.
        self.tasks: list[asyncio.Future[None]] = []

    def run(self) -> int:
        """Runs the reactor until the crawl is over; returns the exit code."""
        install_reactor(_REACTOR)
        from twisted.internet import reactor as installed  # it is made by the line above

        reactor: Any = installed
        resolver = GuardedResolver(reactor, self.crawl.run.guard)
        reactor.installNameResolver(resolver)
        loop = asyncio.get_event_loop()
        runner = AsyncCrawlerRunner(scrapy_settings(self.options))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number, runner, reactor)
        self.tasks.append(loop.create_task(self._work(runner, resolver, reactor)))
        reactor.run(installSignalHandlers=False)
        return self._end()

    async def _work(self, runner: AsyncCrawlerRunner, resolver: GuardedResolver, reactor: Any) -> None:
        ticker = asyncio.ensure_future(self._tick())
        try:
            await runner.crawl(CrawlSpider, crawl=self.crawl, refused=resolver.refused, troubles=self._note_error)
        except Exception as error:  # noqa: BLE001, whatever it is, it ends the process with its message
            self.error = self.error or error
        finally:
            ticker.cancel()
            if reactor.running:
                reactor.stop()

    def _note_error(self, error: Exception) -> None:
        self.error = self.error or error

    async def _tick(self) -> None:
        """Tells the progress and syncs the WARC file every second; closes when the parent process is gone."""
        parent = os.getppid()
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            self.crawl.run.store.sync()
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            _tell(self.out, progress(self.crawl.run))

    def _stop(self, number: int, runner: AsyncCrawlerRunner, reactor: Any) -> None:
        """Ends in good order: what is in flight may land for a few seconds; the second signal does not wait."""
        if self.signal:
            reactor.stop()
            return
        self.signal = number
        log.info("%s: closing", signal.Signals(number).name)
        self.crawl.ended = f"stopped by {signal.Signals(number).name}"
        reactor.callLater(_GRACE_SECONDS, lambda: reactor.stop() if reactor.running else None)
        self.tasks.append(asyncio.ensure_future(runner.stop()))

    def _end(self) -> int:
        if self.error is not None or self.signal:
            self.crawl.close()
            if self.error is not None:
                log.error("%s: %s", type(self.error).__name__, self.error, exc_info=_unexpected(self.error))
                return FAILED
            return 128 + self.signal
        stats = self.crawl.finish()
        _tell(self.out, stats)
        log.info("%s pages in %s requests: %s", stats["fetched"], stats["requests"], stats["reason"])
        return UNREACHABLE if stats["unreachable"] else FINISHED


def _unexpected(error: Exception) -> Exception | None:
    return None if isinstance(error, CrawlError) else error
