"""The registry of sources: when each is asked again, with which validators, and what it has yielded."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cleaning.urls import canonical, identity, origin_of
from crawler.candidates import Kind
from crawler.options import CrawlOptions
from crawler.relevance import expected_yield

PATIENT_CHECKS = 3
"""Checks without a change, after which a source that the crawl found itself is asked less often."""

_FIRST_INTERVAL = 900.0
_LONGEST_INTERVAL = 30 * 86_400.0
_GROWTH = 1.5
_RETIRED_AFTER = 5
_MAX_FALSE_CLAIMS = 5
_NEVER = 1e12


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the registry knows it. Times are seconds since the epoch; `given` says that the options name it."""

    url: str
    kind: Kind
    given: bool
    parent: str
    etag: str
    last_modified: str
    digest: str
    checked: float | None
    unchanged: int
    next_at: float
    failures: int
    fetched: int
    relevant: int
    false_claims: int

    @property
    def expected_yield(self) -> float:
        """The share of its pages that is expected to be relevant, 0..1."""
        return expected_yield(self.fetched, self.relevant)

    @property
    def tells_changes(self) -> bool:
        """Whether its word that an article changed is worth a request: not after it was wrong several times."""
        return self.false_claims < _MAX_FALSE_CLAIMS


_FIELDS = (
    "url, kind, given, parent, etag, last_modified, digest, checked, unchanged, next_at, failures, fetched, relevant,"
    " false_claims"
)


class Sources:
    """The sources of a state. Changes are made inside the caller's transaction."""

    def __init__(self, database: sqlite3.Connection, run_id: str) -> None:
        self.database = database
        self.run_id = run_id

    def get(self, url: str) -> Source | None:
        """A source by its canonical URL."""
        row = self.database.execute(f"SELECT {_FIELDS} FROM sources WHERE url = ?", (url,)).fetchone()
        return _source(row) if row else None

    def get_any(self, url: str) -> bool:
        """Whether a canonical URL, or one of the same identity, is a source."""
        key = identity(url)
        return self.database.execute("SELECT 1 FROM sources WHERE key = ?", (key,)).fetchone() is not None

    def register(self, url: str, kind: Kind, *, given: bool = False, parent: str = "") -> Source:
        """The source of a URL, noted where it is new."""
        self.database.execute(
            "INSERT INTO sources(url, key, kind, given, parent) VALUES(?, ?, ?, ?, ?)"
            " ON CONFLICT(url) DO UPDATE SET given = max(given, excluded.given)",
            (url, identity(url), kind, given, parent),
        )
        found = self.get(url)
        assert found is not None
        return found

    def name_given(self, named: Sequence[tuple[str, Kind]]) -> None:
        """Registers the sources that the options name; those that they no longer name, and what these named, are left.

        One that is named again is asked again, and so is what it names. Where one redirects to stays as long as it.
        """
        urls = {url for url, _ in named}
        before = {row["url"] for row in self.database.execute("SELECT url FROM sources WHERE given")}
        for url in sorted(url for url in before - urls if not self._is_below(url, urls)):
            self.database.execute("UPDATE sources SET given = 0 WHERE url = ?", (url,))
            self._ask_from(url, _NEVER)
        for url, kind in named:
            self.register(url, kind, given=True)
        for url in sorted(urls - before):
            self._ask_from(url, 0.0)

    def _is_below(self, url: str, roots: set[str]) -> bool:
        """Whether a source was found by way of one of some others."""
        seen = set[str]()
        while url not in roots and url not in seen:
            seen.add(url)
            source = self.get(url)
            if source is None:
                return False
            url = source.parent
        return url in roots

    def _ask_from(self, url: str, at: float) -> None:
        """Sets when a source, and those that it named, are asked next."""
        self.database.execute("UPDATE sources SET next_at = ? WHERE url = ? OR parent = ?", (at, url, url))

    def due(self, now: float) -> Iterator[Source]:
        """The sources to ask in this run: those given always, the others when their time has come; best yield first."""
        query = (
            f"SELECT {_FIELDS} FROM sources WHERE (given OR next_at <= ?) AND failures < ? AND kind != ? ORDER BY url"
        )
        found = [_source(row) for row in self.database.execute(query, (now, _RETIRED_AFTER, Kind.ARCHIVE))]
        given = (_source(row) for row in self.database.execute(f"SELECT {_FIELDS} FROM sources WHERE given"))
        named = {source.url: source for source in [*found, *given]}
        return iter(sorted(named.values(), key=lambda source: (-source.expected_yield, source.url)))

    def answered(
        self, source: Source, now: float, *, changed: bool, etag: str, last_modified: str, digest: str
    ) -> None:
        """Notes an answer, and when to ask again: at once while it changes, ever later while it does not.

        The interval grows by half at each check without a change, from 15 minutes to 30 days, as StormCrawler's
        adaptive scheduler does it; the first PATIENT_CHECKS such checks wait for nothing.
        """
        unchanged = 0 if changed else source.unchanged + 1
        waits = unchanged - PATIENT_CHECKS
        interval = min(_FIRST_INTERVAL * _GROWTH**waits, _LONGEST_INTERVAL) if waits >= 0 else 0.0
        self.database.execute(
            "UPDATE sources SET etag = ?, last_modified = ?, digest = ?, checked = ?, unchanged = ?, next_at = ?,"
            " failures = 0, requests = requests + 1, not_modified = not_modified + ?,"
            " changed = CASE WHEN ? THEN ? ELSE changed END WHERE url = ?",
            (
                etag or source.etag, last_modified or source.last_modified, digest or source.digest, now, unchanged,
                now + interval, not changed, changed, now, source.url,
            ),
        )  # fmt: skip
        self.tally(source.url, requests=1, not_modified=int(not changed))

    def failed(self, url: str, reason: str, *, gone: bool = False) -> None:
        """Notes that a source could not be read; one that is gone, or failed five times in a row, is retired."""
        self.database.execute(
            "UPDATE sources SET failures = failures + ?, requests = requests + 1 WHERE url = ?",
            (_RETIRED_AFTER if gone else 1, url),
        )
        self.tally(url, requests=1, error=reason)

    def yielded(self, url: str, *, relevant: bool) -> None:
        """Notes a fetched page of a source."""
        self.database.execute(
            "UPDATE sources SET fetched = fetched + 1, relevant = relevant + ? WHERE url = ?", (relevant, url)
        )
        self.tally(url, fetched=1, relevant=int(relevant))

    def claimed_falsely(self, url: str) -> None:
        """Notes that a source called an article changed that was not."""
        self.database.execute("UPDATE sources SET false_claims = false_claims + 1 WHERE url = ?", (url,))

    def tally(
        self,
        url: str,
        *,
        requests: int = 0,
        not_modified: int = 0,
        candidates: int = 0,
        known: int = 0,
        fetched: int = 0,
        relevant: int = 0,
        error: str = "",
    ) -> None:
        """Adds to what a source gave in this run."""
        self.database.execute(
            "INSERT INTO source_runs VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(run_id, source) DO UPDATE SET"
            " requests = requests + excluded.requests, not_modified = not_modified + excluded.not_modified,"
            " candidates = candidates + excluded.candidates, known = known + excluded.known,"
            " fetched = fetched + excluded.fetched, relevant = relevant + excluded.relevant,"
            " error = excluded.error",
            (self.run_id, url, requests, not_modified, candidates, known, fetched, relevant, error[:300]),
        )

    def is_asked(self, url: str) -> bool:
        """Whether a source was asked in this run."""
        query = "SELECT 1 FROM source_runs WHERE run_id = ? AND source = ? AND requests > 0"
        return self.database.execute(query, (self.run_id, url)).fetchone() is not None

    def is_family_read(self, parent: str) -> bool:
        """Whether any source that another one names could ever be read."""
        query = "SELECT 1 FROM sources WHERE parent = ? AND checked IS NOT NULL"
        return self.database.execute(query, (parent,)).fetchone() is not None

    def family_yield(self, parent: str) -> float:
        """The share of relevant pages that is expected of the next source which another one names, 0..1."""
        query = "SELECT coalesce(sum(fetched), 0), coalesce(sum(relevant), 0) FROM sources WHERE parent = ?"
        fetched, relevant = self.database.execute(query, (parent,)).fetchone()
        return expected_yield(fetched, relevant)

    def all_failed(self) -> bool:
        """Whether every source that was asked in this run failed, and there was one."""
        query = "SELECT count(*), sum(error != '') FROM source_runs WHERE run_id = ? AND requests > 0"
        asked, failed = self.database.execute(query, (self.run_id,)).fetchone()
        return bool(asked) and asked == failed


def given_sources(options: CrawlOptions) -> list[tuple[str, Kind]]:
    """The sources that the options name, canonical, in their order; a site is its front page.

    Raises:
        ValueError: one of them is no http(s) URL.
    """
    named = [
        *((address, Kind.FEED) for address in options.feeds),
        *((address, Kind.SITEMAP) for address in options.sitemaps),
        *((_with_scheme(address), Kind.SECTION) for address in options.sites),
        *((address, Kind.SECTION) for address in options.sections),
    ]
    found: dict[str, Kind] = {}
    for address, kind in named:
        url = canonical(address)
        if url is None:
            raise ValueError(
                f"{address!r} is no http(s) URL: name feeds, sitemaps, sites and sections by their address"
            )
        found.setdefault(url, kind)
    return list(found.items())


def listed_urls(options: CrawlOptions) -> list[str]:
    """The URLs that the options list, canonical, each once, in their order.

    Raises:
        ValueError: one of them is no http(s) URL.
    """
    found = {address: canonical(address) for address in options.urls}
    if wrong := [address for address, url in found.items() if url is None]:
        raise ValueError(f"{wrong[0]!r} is no http(s) URL: take it out of the list, or correct it")
    return list(dict.fromkeys(url for url in found.values() if url))


def site_fronts(options: CrawlOptions) -> dict[str, str]:
    """The front page of each site that the options name, by its origin: those whose sources are to be found."""
    fronts = (canonical(_with_scheme(address)) for address in options.sites)
    return {origin_of(front): front for front in fronts if front}


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"https://{address}"


def _source(row: sqlite3.Row) -> Source:
    fields = dict(row)
    return Source(**{**fields, "kind": Kind(fields["kind"]), "given": bool(fields["given"])})
