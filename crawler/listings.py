"""Requests for sources: which are due, what their answers list, and when to ask again."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from cleaning.page.decode import is_html
from cleaning.urls import canonical
from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble, sha1
from crawler.apis import gdelt_query, query_terms, wordpress_query
from crawler.archives import EMPTY_PAGES, archive_pages
from crawler.candidates import Kind, Pointer
from crawler.discovery import read_listing
from crawler.entries import Task
from crawler.links import read_page
from crawler.options import CrawlOptions
from crawler.payload import PayloadError, decode, gunzip_file
from crawler.run import MAX_ATTEMPTS, MAX_HOPS, ArchiveWalk, Run
from crawler.sources import Source, given_sources

log = logging.getLogger("crawler")

_API_TERMS = 2
_DAY = 86_400.0


def open_sources(run: Run) -> None:
    """Registers the sources that the options name, and queues all that are due."""
    named = [*given_sources(run.options), *_gdelt_source(run.options)]
    run.sources.name_given(named)
    for url, _ in named:
        run.sources.tally(url)
    for source in run.sources.due(run.now()):
        run.harvest.queue_source(source)
    for pattern in run.options.archives:
        queue_archive(run, pattern)


def _gdelt_source(options: CrawlOptions) -> list[tuple[str, Kind]]:
    """The query for the names that the seeds share, where the options ask for it."""
    terms = query_terms(options.seeds) if options.gdelt else ()
    if options.gdelt and not terms:
        log.warning("GDELT is not asked: the seeds share no name to search for")
    url = canonical(gdelt_query(terms, options.since, options.until, options.gdelt)) if terms else None
    return [(url, Kind.API)] if url else []


def take_source(run: Run, task: Task, answer: Answer) -> None:
    """Deals with the answer to a request for a source, whatever it is; inside the caller's transaction."""
    source = run.sources.get(task.url) or run.sources.register(task.url, Kind(task.kind))
    if answer.target is not None:
        run.gates.succeeded(task.host, run.now(), run.extra_delay(task))
        _redirected(run, task, source, answer.target)
        return
    trouble = answer.trouble()
    if trouble:
        source_failed(run, task, trouble)
        return
    run.gates.succeeded(task.host, run.now(), run.extra_delay(task))
    fresh = 0
    if answer.status == 304:
        _answered(run, source, answer, "", changed=False)
    else:
        fresh = _read(run, task, source, answer)
    run.frontier.fetched(task, run.now())
    _go_on(run, task, fresh)


def source_failed(run: Run, task: Task, trouble: Trouble) -> None:
    """Deals with a request for a source that gave nothing: another attempt, or a note of the failure."""
    run.count_trouble(task, trouble)
    if trouble.may_retry and task.attempts + 1 < MAX_ATTEMPTS and not run.gates.get(task.host).closed:
        run.frontier.retry(task)
        return
    is_gone = trouble.verdict is Verdict.GONE
    source = run.sources.get(task.url)
    if is_gone and source and task.kind == Kind.ARCHIVE and run.sources.is_family_read(task.source):
        # A day on which nothing was published, where other days of the archive are there.
        run.sources.answered(source, run.now(), changed=False, etag="", last_modified="", digest="")
    else:
        run.sources.failed(task.url, f"{trouble.verdict}: {trouble.reason}", gone=is_gone and task.kind != Kind.ARCHIVE)
    run.frontier.drop(task, trouble.verdict, trouble.reason, run.now())
    _go_on(run, task, 0)


def _redirected(run: Run, task: Task, source: Source, target: str) -> None:
    """Queues the source's new address; the old one is asked again in the next run."""
    refusal = run.guard.refuses_url(target)
    if task.hops >= MAX_HOPS or refusal or target == task.url:
        reason = f"redirects to {target}: {refusal}" if refusal else f"more than {MAX_HOPS} redirects"
        run.sources.failed(task.url, reason)
        run.frontier.drop(task, Verdict.REFUSED_ADDRESS if refusal else Verdict.TRAP, reason, run.now())
        return
    parent = source.parent if source.kind is Kind.ARCHIVE else task.url
    moved = run.sources.register(target, source.kind, given=source.given, parent=parent)
    run.harvest.queue_source(moved, hops=task.hops + 1)
    run.sources.answered(source, run.now(), changed=True, etag="", last_modified="", digest="")
    run.frontier.fetched(task, run.now())


def _answered(run: Run, source: Source, answer: Answer, digest: str, *, changed: bool) -> None:
    etag, last_modified = answer.validators
    run.sources.answered(source, run.now(), changed=changed, etag=etag, last_modified=last_modified, digest=digest)


def _read(run: Run, task: Task, source: Source, answer: Answer) -> int:
    """Takes in a source's document, unless it is the same as before; returns how many candidates are new or changed."""
    most = run.options.limits.source_bytes
    try:
        payload = decode(answer.exchange.body, answer.headers.get("content-encoding", ""), most, lenient=True)
        payload = gunzip_file(payload, most)
    except PayloadError as error:
        run.sources.failed(task.url, str(error))
        return 0
    digest = sha1(payload)
    if digest == source.digest:
        _answered(run, source, answer, digest, changed=False)
        return 0
    fresh = _take_in(run, task, source, payload, answer)
    if fresh is None:
        run.sources.failed(task.url, f"neither feed nor sitemap nor page: {answer.content_type or 'no type'}")
    else:
        _answered(run, source, answer, digest, changed=fresh > 0 or source.checked is None)
    return fresh or 0


def _take_in(run: Run, task: Task, source: Source, payload: bytes, answer: Answer) -> int | None:
    """The number of new candidates of a document, or None where it is none that lists anything."""
    content_type = answer.content_type
    listing = read_listing(payload, task.url, content_type)
    if listing is not None:
        return run.harvest.listing(source, listing)
    if source.kind not in (Kind.SECTION, Kind.ARCHIVE) or not is_html(payload, content_type):
        return None
    links = read_page(payload, task.url, content_type)
    if source.given:
        run.harvest.pointers(links.feeds, task.url)
        run.harvest.pointers(_search(run, links.api), task.url)
    return 0 if answer.no_follow else run.harvest.page(task, links, relevant=None)


def _search(run: Run, api: str) -> Iterable[Pointer]:
    """The search of a WordPress site for the words that the seeds share."""
    terms = query_terms(run.options.seeds, _API_TERMS)
    if api and terms:
        yield Pointer(wordpress_query(api, terms, run.options.since), Kind.API)


def queue_guesses(run: Run, origin: str, front: str) -> None:
    """Queues the sitemaps that a site's robots.txt names, or the usual addresses where it names none."""
    policy = run.policies.known(origin)
    named = policy.robots.sitemaps(origin) if policy else ()
    pointers = [Pointer(url, Kind.SITEMAP) for url in named]
    guessed = [Pointer(origin + path, Kind.SITEMAP) for path in ("/sitemap.xml", "/news-sitemap.xml")]
    run.harvest.pointers(pointers or guessed, front, anywhere=bool(pointers))


def queue_archive(run: Run, pattern: str) -> None:
    """Queues the latest page of an archive that the run has not asked for, and that may have changed since it was read.

    A page is read once more on the day after its own day, month or year is over, and not after that.
    """
    walk = run.archives.get(pattern)
    if walk is None:
        now = datetime.fromtimestamp(run.now(), UTC)
        until = min(run.options.until or now, now)
        walk = run.archives[pattern] = ArchiveWalk(archive_pages(pattern, run.options.since, until))
    for page in walk.pages:
        source = run.sources.register(page.url, Kind.ARCHIVE, parent=pattern)
        is_settled = source.checked is not None and source.checked >= page.ended + _DAY
        if not is_settled and source.failures < MAX_ATTEMPTS and not run.sources.is_asked(page.url):
            run.harvest.queue_source(source)
            return


def _go_on(run: Run, task: Task, fresh: int) -> None:
    """Goes on to the next page of an archive, unless too many of its pages gave nothing."""
    if task.kind != Kind.ARCHIVE or task.source not in run.options.archives:
        return
    walk = run.archives.get(task.source)
    empty = 0 if fresh else 1 + (walk.empty if walk else 0)
    if empty < EMPTY_PAGES:
        queue_archive(run, task.source)
        run.archives[task.source].empty = empty
