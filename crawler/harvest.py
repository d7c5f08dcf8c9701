"""What sources and pages list -> the frontier: which candidates are worth a request, and how much."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from cleaning.urls import host_of, identity, site_of
from cleaning.verdict import Verdict
from crawler.candidates import (
    Candidate,
    Kind,
    Listing,
    Pointer,
    is_hub_link,
    is_page_of_list,
    looks_like_hub,
)
from crawler.entries import Added, Entry, Role, Task
from crawler.frontier import LISTED, Frontier
from crawler.gates import gate_of
from crawler.guards import Guard
from crawler.links import PageLinks
from crawler.options import CrawlOptions
from crawler.ranking import BEST_YIELD, LINKING, Ranking, is_hub
from crawler.relevance import BASE_YIELD, is_telling
from crawler.screening import Screen, day_in
from crawler.sources import Source, Sources
from crawler.withdrawals import doubt_unlisted

MAX_CHILDREN = 50
"""Sitemaps of one index that are asked for in a run, the latest first."""

_URGENCY = {
    Kind.FEED: 1.6,
    Kind.NEWS_SITEMAP: 1.6,
    Kind.API: 1.5,
    Kind.SITEMAP: 1.4,
    Kind.SECTION: 1.3,
    Kind.LINK: 1.2,
}
_HUB_YIELD = 0.35
_OTHER_YIELD = 0.1
_MOVED = 0.1
# A few bad pages say little: lowering sources at once made the crawl of benchmarks.crawl_bestfirst a third longer.
_ENOUGH = 10
_MAX_RESCORED = 2_000
_MAX_NESTING = 5
# Freshness fades while a URL waits, by less than this.
_SLACK = 0.002
_DATED_LIST = 3


@dataclass(frozen=True, slots=True)
class Context:
    """Where candidates were found: the source, its kind and yield 0..1, the depth they get, the sites they must be of.

    `sites` is empty where any site is accepted.
    """

    source: str
    kind: Kind
    source_yield: float = BASE_YIELD
    depth: int = 0
    sites: frozenset[str] = frozenset()
    tells_changes: bool = True


@dataclass(slots=True)
class Harvest:
    """Puts candidates and sources into the frontier of a run.

    `vouching` gives, for a sitemap, the sites whose robots.txt names it.
    """

    options: CrawlOptions
    frontier: Frontier
    sources: Sources
    guard: Guard
    screen: Screen
    ranking: Ranking
    vouching: Callable[[str], frozenset[str]]
    _ranked: dict[str, float] = field(default_factory=dict)

    def listed(self, urls: Sequence[str]) -> None:
        """Queues the URLs that the options list, in their order; those that are known to be asked for again."""
        for i, url in enumerate(urls):
            entry = Entry(
                key=identity(url),
                url=url,
                host=gate_of(host_of(url)),
                role=Role.PAGE,
                score=LISTED - i / (1 + len(urls)) / 100,
                title_score=self.ranking.title_score("", url),
                kind=Kind.LIST,
                source=Kind.LIST,
            )
            if reason := self.guard.refuses_url(url):
                self.frontier.ledger.note(entry, Verdict.REFUSED_ADDRESS, reason)
            else:
                self.frontier.add(entry, again=True)
        self.sources.tally(Kind.LIST, candidates=len(urls))

    def queue_source(self, source: Source, *, hops: int = 0) -> None:
        """Queues a request to a source: feeds and sitemaps before everything else, sections by what they yield."""
        entry = Entry(
            key=f"source:{source.url}",
            url=source.url,
            host=gate_of(host_of(source.url)),
            role=Role.SOURCE,
            score=self._urgency(source),
            kind=source.kind,
            source=source.parent,
            hops=hops,
        )
        self.frontier.add(entry, again=True)

    def _urgency(self, source: Source) -> float:
        """A source's place in the queue: 1..2 before all pages, 0..1 among them."""
        if source.kind is Kind.ARCHIVE:
            return _HUB_YIELD * self.sources.family_yield(source.parent)
        if source.kind is Kind.SECTION and not source.given:
            return _HUB_YIELD * source.expected_yield
        return _URGENCY[source.kind] * (0.9 + 0.1 * source.expected_yield)

    def listing(self, source: Source, listing: Listing) -> int:
        """Takes in what a feed, sitemap or interface lists; returns how many of its candidates are new or changed."""
        context = Context(
            source=source.url,
            kind=listing.kind,
            source_yield=source.expected_yield,
            sites=self._bound_sites(source, listing.kind),
            tells_changes=source.tells_changes,
        )
        self._ranked[source.url] = context.source_yield
        fresh = self.candidates(listing.candidates, context)
        self.pointers(listing.pointers, source.url)
        self._doubt_unlisted(source, listing)
        return fresh

    def _doubt_unlisted(self, source: Source, listing: Listing) -> None:
        """Asks for relevant articles again that a dated list skips, though it lists older ones."""
        dates = [candidate.published.timestamp() for candidate in listing.candidates if candidate.published]
        if listing.kind in (Kind.FEED, Kind.NEWS_SITEMAP) and len(dates) >= _DATED_LIST:
            listed = {identity(candidate.url) for candidate in listing.candidates}
            doubt_unlisted(self.frontier, source.url, listed, min(dates))

    def _bound_sites(self, source: Source, kind: Kind) -> frozenset[str]:
        """The only sites that a source may list URLs of: its own, but any for feeds and interfaces of the options.

        Sitemaps must keep to their site, and to those whose robots.txt names them or their index (sitemaps.org,
        "Sitemaps & Cross Submits"); so must sources that were found.
        """
        if source.given and kind in (Kind.FEED, Kind.API):
            return frozenset()
        sites = {site_of(host_of(source.url))}
        at: Source | None = source
        for _ in range(_MAX_NESTING):
            if at is None or kind not in (Kind.SITEMAP, Kind.NEWS_SITEMAP):
                break
            sites |= self.vouching(at.url)
            at = self.sources.get(at.parent)
        return frozenset(sites)

    def page(self, task: Task, links: PageLinks, *, relevant: bool | None) -> int:
        """Takes in the links of a page or section; returns how many are new."""
        depth = task.depth + 1
        if links.no_follow or depth > self.options.limits.depth:
            return 0
        source_yield = self._yield_of_page(task, links, relevant=relevant)
        if relevant is None:
            self._ranked[task.url] = source_yield
        context = Context(
            source=task.url,
            kind=_kind_of_links(task),
            source_yield=source_yield,
            depth=depth,
            sites=frozenset((site_of(host_of(task.url)),)),
        )
        # The next page of a list is no news itself: one that goes on for ever without any would be followed for ever.
        following = links.next_page if looks_like_hub(links.next_page) else ""
        fresh = self.candidates((link for link in links.links if link.url != following), context)
        if following and fresh:
            self._add(Candidate(following), replace(context, kind=Kind.SECTION, depth=task.depth))
        elif following:
            self._pass_over(Candidate(following), context)
        return fresh

    def _pass_over(self, candidate: Candidate, context: Context) -> None:
        """Notes why the next page of a list is not asked for, unless it is known already."""
        entry = self._entry(candidate, context)
        reason = self.screen.refusal(candidate) or (
            Verdict.UNLIKELY,
            "the page of the list before it named nothing new",
        )
        if not self.frontier.is_known(entry.key) and not self.sources.get_any(candidate.url):
            self.frontier.ledger.note(entry, *reason)

    def _yield_of_page(self, task: Task, links: PageLinks, *, relevant: bool | None) -> float:
        """What is expected of a page's links: of a source what it gave, of a section what its headlines promise."""
        known = self.sources.get(task.url)
        if relevant is None or known:
            return known.expected_yield if known else BASE_YIELD
        if relevant or not is_hub(task):
            return BEST_YIELD if relevant else _OTHER_YIELD
        return self.ranking.promise(task.url, links.links)

    def pointers(self, pointers: Iterable[Pointer], parent: str, *, anywhere: bool = False) -> None:
        """Registers and queues the sources that another one names, the latest first, those of the period only.

        They must be of the same site, but may be `anywhere` where robots.txt names them.
        """
        since = self.options.since
        site = site_of(host_of(parent))
        fitting = [
            pointer
            for pointer in pointers
            if (anywhere or site_of(host_of(pointer.url)) == site)
            and not (since and pointer.modified and pointer.modified < since)
            and not self.guard.refuses_url(pointer.url)
        ]
        # Stable: those without a date keep the index's order, after the dated ones.
        fitting.sort(key=lambda pointer: -(pointer.modified.timestamp() if pointer.modified else 0.0))
        for pointer in fitting[:MAX_CHILDREN]:
            self._point(pointer, parent)

    def _point(self, pointer: Pointer, parent: str) -> None:
        source = self.sources.register(pointer.url, pointer.kind, parent=parent)
        changed = pointer.modified is None or source.checked is None or pointer.modified.timestamp() > source.checked
        asked = source.checked is not None and source.checked >= self.frontier.ledger.started
        is_due = source.next_at <= self.ranking.clock().timestamp() and source.failures == 0 and not asked
        if source.checked is None or (changed and is_due):
            self.queue_source(source)

    def candidates(self, candidates: Iterable[Candidate], context: Context) -> int:
        """Puts the candidates that may be wanted into the frontier; returns how many are new or changed.

        Further pages of a list do not count.
        """
        counts = {Added.NEW: 0, Added.QUEUED: 0, Added.CHANGED: 0, Added.KNOWN: 0}
        total = pages = 0
        for candidate in candidates:
            if context.sites and site_of(host_of(candidate.url)) not in context.sites:
                continue
            total += 1
            added = self._add(candidate, context)
            if added is not None:
                counts[added] += 1
                pages += added in (Added.NEW, Added.CHANGED) and is_page_of_list(candidate.url)
        self.sources.tally(context.source, candidates=total, known=counts[Added.KNOWN])
        return counts[Added.NEW] + counts[Added.CHANGED] - pages

    def _add(self, candidate: Candidate, context: Context) -> Added | None:
        if self.sources.get_any(candidate.url):
            return Added.KNOWN
        entry = self._entry(candidate, context)
        refusal = self.screen.refusal(candidate)
        if refusal:
            self.frontier.ledger.note(entry, *refusal)
            return None
        return self.frontier.add(entry)

    def _entry(self, candidate: Candidate, context: Context) -> Entry:
        is_section = context.kind in LINKING and is_hub_link(candidate.title, candidate.url)
        published = candidate.published or day_in(candidate.url)
        modified = candidate.modified if context.tells_changes else None
        title_score = self.ranking.title_score(candidate.title, candidate.url)
        telling = is_telling(candidate.title, candidate.url) and not is_section
        key = identity(candidate.url)
        if is_section:
            score = self.ranking.section(candidate.url, title_score, context.source, context.source_yield)
        else:
            score = self.ranking.article(candidate, key, published, context.source_yield)
        return Entry(
            key=key,
            url=candidate.url,
            host=gate_of(urlsplit(candidate.url).hostname or ""),
            role=Role.PAGE,
            score=score,
            title_score=title_score if telling else max(title_score, 0.5 * context.source_yield),
            depth=context.depth,
            kind=Kind.SECTION if is_section else context.kind,
            source=context.source,
            title=candidate.title,
            published=published.timestamp() if published else None,
            modified=modified.timestamp() if modified else None,
            is_titled=context.kind in (Kind.FEED, Kind.NEWS_SITEMAP, Kind.API),
        )

    def rescore(self, url: str) -> None:
        """Ranks what waits of a source anew, where its yield has moved since it was ranked last.

        A URL that another source ranked better keeps its place, and so do the links of articles: their own page's
        relevance tells more about them.
        """
        source, before = self.sources.get(url), self._ranked.get(url)
        if source is None or before is None:
            return
        after = source.expected_yield
        is_bad_luck = after < before and source.fetched < _ENOUGH
        if abs(after - before) < _MOVED or is_bad_luck:
            return
        self._ranked[url] = after
        waiting = self.frontier.waiting_of_source(url, _MAX_RESCORED)
        for task in waiting:
            self._rescore(task, before, after)
        for host in sorted({task.host for task in waiting}):
            self.frontier.refresh_top(host)

    def _rescore(self, task: Task, before: float, after: float) -> None:
        was, score = (self.ranking.again(task, share) for share in (before, after))
        if score > task.score or task.score <= was + _SLACK:
            self.frontier.rescore(task, score)

    def is_overrated(self, task: Task) -> bool:
        """Whether a URL's place is too good by what titles like its own have taught since; it gets its new one then."""
        score = self.ranking.lowered(task)
        if score is None:
            return False
        self.frontier.rescore(task, score)
        self.frontier.refresh_top(task.host)
        return True


def _kind_of_links(task: Task) -> Kind:
    if task.kind == Kind.ARCHIVE:
        return Kind.ARCHIVE
    return Kind.SECTION if task.role is Role.SOURCE or task.kind == Kind.SECTION else Kind.LINK
