"""Answers to requests for sources -> candidates, further sources, and when to ask again."""

from collections.abc import Iterable

from cleaning.decode import is_html
from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble, sha1
from crawler.apis import query_terms, wordpress_query
from crawler.candidates import Kind, Pointer
from crawler.discovery import read_listing
from crawler.frontier import Task
from crawler.links import read_page
from crawler.payload import PayloadError, decode, gunzip_file
from crawler.run import MAX_ATTEMPTS, MAX_HOPS, Run
from crawler.sources import Source

_API_TERMS = 2


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
    if answer.status == 304:
        _answered(run, source, answer, "", changed=False)
    else:
        _read(run, task, source, answer)
    run.frontier.fetched(task, run.now())


def source_failed(run: Run, task: Task, trouble: Trouble) -> None:
    """Deals with a request for a source that gave nothing: another attempt, or a note of the failure."""
    run.count_trouble(task, trouble)
    if trouble.may_retry and task.attempts + 1 < MAX_ATTEMPTS and not run.gates.get(task.host).closed:
        run.frontier.retry(task)
        return
    run.sources.failed(task.url, f"{trouble.verdict}: {trouble.reason}", gone=trouble.verdict is Verdict.GONE)
    run.frontier.drop(task, trouble.verdict, trouble.reason, run.now())


def _redirected(run: Run, task: Task, source: Source, target: str) -> None:
    """Queues the source's new address; the old one is asked again in the next run."""
    refusal = run.guard.refuses_url(target)
    if task.hops >= MAX_HOPS or refusal or target == task.url:
        reason = f"redirects to {target}: {refusal}" if refusal else f"more than {MAX_HOPS} redirects"
        run.sources.failed(task.url, reason)
        run.frontier.drop(task, Verdict.REFUSED_ADDRESS if refusal else Verdict.TRAP, reason, run.now())
        return
    moved = run.sources.register(target, source.kind, given=source.given, parent=task.url)
    run.harvest.queue_source(moved, hops=task.hops + 1)
    run.sources.answered(source, run.now(), changed=True, etag="", last_modified="", digest="")
    run.frontier.fetched(task, run.now())


def _answered(run: Run, source: Source, answer: Answer, digest: str, *, changed: bool) -> None:
    etag, last_modified = answer.validators
    run.sources.answered(source, run.now(), changed=changed, etag=etag, last_modified=last_modified, digest=digest)


def _read(run: Run, task: Task, source: Source, answer: Answer) -> None:
    """Takes in a source's document; one that is the same as before is not read again."""
    most = run.options.limits.source_bytes
    try:
        payload = decode(answer.exchange.body, answer.headers.get("content-encoding", ""), most, lenient=True)
        payload = gunzip_file(payload, most)
    except PayloadError as error:
        run.sources.failed(task.url, str(error))
        return
    digest = sha1(payload)
    if digest == source.digest:
        _answered(run, source, answer, digest, changed=False)
        return
    fresh = _take_in(run, task, source, payload, answer.content_type)
    if fresh is None:
        run.sources.failed(task.url, f"neither feed nor sitemap nor page: {answer.content_type or 'no type'}")
    else:
        _answered(run, source, answer, digest, changed=fresh > 0 or source.checked is None)


def _take_in(run: Run, task: Task, source: Source, payload: bytes, content_type: str) -> int | None:
    """The number of new candidates of a document, or None where it is none that lists anything."""
    listing = read_listing(payload, task.url, content_type)
    if listing is not None:
        return run.harvest.listing(source, listing)
    if source.kind is not Kind.SECTION or not is_html(payload, content_type):
        return None
    links = read_page(payload, task.url, content_type)
    if source.given:
        run.harvest.pointers(links.feeds, task.url)
        run.harvest.pointers(_search(run, links.api), task.url)
    return run.harvest.page(task, links, relevant=None)


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
    run.harvest.pointers(pointers or guessed, front)
