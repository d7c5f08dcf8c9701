"""Answers to requests for pages -> WARC records, links, scores and verdicts."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cleaning.page.decode import is_html
from cleaning.urls import identity
from cleaning.verdict import Verdict
from crawler.answers import Answer, Trouble, sha1
from crawler.candidates import Kind, looks_like_hub
from crawler.entries import Added, Entry, Role, Task, Warc
from crawler.gates import gate_of
from crawler.links import PageLinks, read_page
from crawler.outcomes import UNCHANGED, WITHHELD, as_time
from crawler.payload import OversizeError, PayloadError, decode
from crawler.policy import opt_out, rights_json
from crawler.ranking import is_hub
from crawler.rights import Signal, header_signals, meta_signals
from crawler.rsl import PageLicences, header_licences, licence_signals
from crawler.run import MAX_ATTEMPTS, MAX_HOPS, Run
from crawler.store import payload_digest
from crawler.withdrawals import note_end, note_missing

_HUB_LINKS = 8


def take_page(run: Run, task: Task, answer: Answer) -> None:
    """Deals with the answer to a request for a page, whatever it is; inside the caller's transaction."""
    if answer.target is not None:
        run.gates.succeeded(task.host, run.now(), run.extra_delay(task))
        _redirected(run, task, answer.target)
        return
    trouble = answer.trouble()
    if trouble:
        page_failed(run, task, trouble)
        return
    run.gates.succeeded(task.host, run.now(), run.extra_delay(task))
    if answer.status == 304:
        _unchanged(run, task, answer, task.digest)
        return
    try:
        payload = decode(
            answer.exchange.body,
            answer.headers.get("content-encoding", ""),
            run.options.limits.page_bytes,
            lenient=True,
        )
    except OversizeError as error:
        run.frontier.drop(task, Verdict.TOO_LARGE, str(error), run.now())
        return
    except PayloadError as error:
        run.frontier.drop(task, Verdict.FETCH_FAILED, str(error), run.now())
        return
    _stored(run, task, answer, payload)


def page_failed(run: Run, task: Task, trouble: Trouble) -> None:
    """Deals with a request for a page that gave no page: another attempt, or its verdict."""
    run.count_trouble(task, trouble)
    if trouble.may_retry and task.attempts + 1 < MAX_ATTEMPTS and not run.gates.get(task.host).closed:
        run.frontier.retry(task)
    elif trouble.may_return:
        note_missing(run.frontier, task, trouble.reason, run.now())
    else:
        run.frontier.drop(task, trouble.verdict, trouble.reason, run.now())


def _redirected(run: Run, task: Task, target: str) -> None:
    """Queues where a redirect leads, so that it passes robots.txt, guard and gate like everything else."""
    if task.hops >= MAX_HOPS:
        run.frontier.drop(task, Verdict.TRAP, f"more than {MAX_HOPS} redirects", run.now())
        return
    if refusal := run.guard.refuses_url(target):
        run.frontier.drop(task, Verdict.REFUSED_ADDRESS, f"redirects to {target}: {refusal}", run.now())
        return
    key, host = identity(target), gate_of(urlsplit(target).hostname or "")
    if key == task.key:
        run.frontier.move(task, target, host)
        return
    entry = Entry(
        key=key,
        url=target,
        host=host,
        role=Role.PAGE,
        score=task.score,
        title_score=task.title_score,
        depth=task.depth,
        kind=task.kind,
        source=task.source,
        title=task.title,
        published=task.published,
        modified=task.modified,
        hops=task.hops + 1,
    )
    added = run.frontier.add(entry, again=task.kind == Kind.LIST)
    known = "known already" if added is Added.KNOWN else "fetched there"
    run.frontier.drop(task, Verdict.KNOWN, f"redirects to {target}, {known}", run.now())


def _unchanged(run: Run, task: Task, answer: Answer, digest: str) -> None:
    """Notes a page that is as before, and what its site or its headers declare by now: an opt-out, or a text withheld.

    Its body, and so what it declares itself, did not change.
    """
    run.store.append_revisit(answer.exchange, metadata(task, {}), digest, as_time(task.fetched))
    policy = run.policies.known(task.origin)
    site = policy.signals(task.url) if policy else ()
    declared = [*site, *header_signals(answer.headers, task.url, answer.at)]
    if reserved := opt_out(declared, run.options.politeness.rights):
        run.frontier.drop(task, Verdict.OPTED_OUT, f"{reserved.name}: {reserved.value}", run.now())
    else:
        said = next((f"{WITHHELD}{one.name}: {one.value}" for one in declared if one.withholds), UNCHANGED)
        run.frontier.unchanged(task, run.now(), validators=answer.validators, reason=said)
    _note_position(run)
    _claim(run, task, changed=False)


def _stored(run: Run, task: Task, answer: Answer, payload: bytes) -> None:
    """Stores a page that was fetched, unless it is no HTML or the same as before."""
    digest = payload_digest(answer.exchange.body)
    content = sha1(payload)
    if task.is_revisit and content == task.digest:
        _unchanged(run, task, answer, digest)
        return
    if not is_html(payload, answer.content_type):
        run.frontier.drop(task, Verdict.NOT_HTML, answer.content_type or "no type", run.now())
        return
    links = read_page(payload, task.url, answer.content_type)
    licences = PageLicences(
        header_licences(answer.headers.get("link", ""), task.url), links.licences, links.embedded_licences
    )
    if _awaits_licence(run, task, answer, licences):
        return
    relevant = run.relevance.page(payload, answer.content_type).is_relevant
    signals = _signals(run, task, answer, links, licences)
    rights = rights_json(signals, run.options.politeness.rights)
    place = run.store.append_response(answer.exchange, metadata(task, rights))
    is_followed = task.kind != Kind.LIST and not answer.no_follow
    fresh = run.harvest.page(task, links, relevant=relevant) if is_followed else 0
    if is_followed:
        _note_aliases(run, task, links)
    run.frontier.fetched(
        task,
        run.now(),
        validators=answer.validators,
        digest=content,
        relevant=relevant,
        warc=Warc(place.file, place.offset, run.store.position[1]),
    )
    note_end(run.frontier, task, min((signal.until for signal in signals if signal.until), default=None))
    _learn(run, task, relevant=relevant)
    if is_followed:
        _register_hub(run, task, answer, links, content, fresh, relevant=relevant)


def _note_position(run: Run) -> None:
    run.ledger.note_file(*run.store.position)


def _claim(run: Run, task: Task, *, changed: bool) -> None:
    """Remembers whether a source was right that an article changed."""
    if task.is_revisit and task.modified is not None and not changed:
        run.sources.claimed_falsely(task.source)


def _awaits_licence(run: Run, task: Task, answer: Answer, licences: PageLicences) -> bool:
    """Asks for the first licence of a page that was not read yet; the answer waits for it, unacknowledged."""
    missing = next((url for url in licences.named if run.policies.may_read_licence(task.origin, url, run.now())), None)
    if missing is None:
        return False
    run.held.setdefault(missing, []).append((task, answer))
    run.push(run.policies.licence_request(missing, task.origin))
    return True


def release_held(run: Run, document: str) -> None:
    """Deals with the pages that waited for a licence, be it read or not; those over the limit of pages stay queued."""
    for task, answer in run.held.pop(document, ()):
        if run.ledger.pages < run.options.limits.pages:
            take_page(run, task, answer)


def _signals(run: Run, task: Task, answer: Answer, links: PageLinks, licences: PageLicences) -> list[Signal]:
    """All that the site and the page declare about the use of the page."""
    policy = run.policies.known(task.origin)
    return [
        *(policy.signals(task.url) if policy else ()),
        *header_signals(answer.headers, task.url, answer.at),
        *meta_signals(links.metas, task.url, answer.at),
        *licence_signals(licences, run.policies.licence, task.url),
    ]


def metadata(task: Task, rights: dict[str, Any]) -> dict[str, Any]:
    """What is noted beside a page in its WARC file: where it was found, and what was said of it before the fetch."""
    published = datetime.fromtimestamp(task.published, UTC).isoformat() if task.published is not None else ""
    return {
        "source": task.source,
        "source_kind": task.kind,
        "hint_title": task.title,
        "hint_published": published,
        "score": round(task.score, 6),
        "rights": rights,
    }


def _note_aliases(run: Run, task: Task, links: PageLinks) -> None:
    """The page's canonical and AMP address are the page; they are not fetched where they are of the same host."""
    for address in (links.canonical, links.amp):
        same_host = gate_of(urlsplit(address).hostname or "") == task.host
        key = identity(address) if address else ""
        # A site that calls its front page the canonical form of everything is not believed.
        if key and key != task.key and same_host and not looks_like_front(address):
            run.frontier.add_alias(key, task)


def looks_like_front(url: str) -> bool:
    """Whether a URL is a site's front page."""
    return urlsplit(url).path.strip("/") == ""


def _learn(run: Run, task: Task, *, relevant: bool) -> None:
    """Lets the page's own relevance count for its source, and for what is expected of titles like its own."""
    run.relevant += relevant
    run.ledger.pages += 1
    run.gates.get(task.host).pages += 1
    if not is_hub(task):
        run.odds.add(task.title_score, relevant)
        run.harvest.ranking.lessons.add(task.title, task.url, relevant=relevant)
    run.sources.yielded(task.source, relevant=relevant)
    run.harvest.rescore(task.source)


def _register_hub(
    run: Run, task: Task, answer: Answer, links: PageLinks, content: str, fresh: int, *, relevant: bool
) -> None:
    """Notes a section page as a source, so that later runs look at it again."""
    many = len(links.links) >= _HUB_LINKS
    if relevant or not many or not looks_like_hub(task.url):
        return
    source = run.sources.register(task.url, Kind.SECTION, parent=task.source)
    etag, modified = answer.validators
    run.sources.answered(source, run.now(), changed=fresh > 0, etag=etag, last_modified=modified, digest=content)
