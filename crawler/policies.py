"""The policies of origins in a run: what must be asked before an origin's first page, and what was answered."""

import sqlite3
from collections import OrderedDict
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protego import Protego

from cleaning.urls import host_of, origin_of, site_of
from crawler.entries import Role, Task
from crawler.gates import gate_of
from crawler.policy import (
    ROBOTS_REDIRECTS,
    ROBOTS_TTL,
    Robots,
    SitePolicy,
    policy_documents,
    read_robots,
    site_policy,
    unreachable_robots,
)
from crawler.rights import PathRule
from crawler.rsl import rsl_rules

DOCUMENT_TTL = 7 * 86_400.0
"""Seconds for which a site's declarations besides robots.txt are used without asking again."""

DOCUMENT_BYTES = 262_144
"""Bytes of such a declaration that are read."""

_UNREACHABLE_TTL = 600.0
_ROBOTS_ATTEMPTS = 3
_CACHED = 512
_LICENCES_CACHED = 32
_MOST_VOUCHING = 100
_EVER = float("-inf")


@dataclass(slots=True)
class _Open:
    """An origin whose declarations are being asked for."""

    origin: str
    attempts: int = 0


@dataclass(slots=True)
class PolicyBook:
    """The policies of all origins, in the database; the latest of them parsed.

    `policy` says whether an origin may be decided on, `next_request` what to ask for where it may not.
    """

    database: sqlite3.Connection
    _parsed: OrderedDict[str, tuple[SitePolicy, float]] = field(default_factory=OrderedDict)
    _open: dict[str, _Open] = field(default_factory=dict)
    _delays: dict[str, float] = field(default_factory=dict)
    _licences: OrderedDict[str, tuple[PathRule, ...] | None] = field(default_factory=OrderedDict)

    def policy(self, origin: str, now: float) -> SitePolicy | None:
        """The policy of an origin, or None where something of it must be asked for first."""
        kept = self._parsed.get(origin)
        if kept and kept[1] > now:
            self._parsed.move_to_end(origin)
            return kept[0]
        found = self._stored(origin, now)
        if found is None:
            return None
        self._parsed[origin] = found
        if len(self._parsed) > _CACHED:
            self._parsed.popitem(last=False)
        return found[0]

    def known(self, origin: str) -> SitePolicy | None:
        """The policy of an origin as it was read last, be it long ago; None where it was never read."""
        # So many origins may be asked while a page is on its way that its own is no longer in mind.
        found = self._parsed.get(origin) or self._stored(origin, _EVER)
        return found[0] if found else None

    def delay(self, origin: str) -> float:
        """The seconds between two requests that an origin asks for; 0 for none, or where it is not known yet."""
        return self._delays.get(origin, 0.0)

    def vouching_sites(self, sitemap: str) -> frozenset[str]:
        """The sites whose robots.txt, where it was read, names a sitemap: it may list their URLs, wherever it lies.

        That is how sitemaps.org, "Sitemaps & Cross Submits", lets a site prove that a sitemap elsewhere is its own.
        """
        query = "SELECT origin, text FROM origins WHERE state = 'rules' AND instr(lower(text), ?) LIMIT ?"
        rows = self.database.execute(query, (host_of(sitemap), _MOST_VOUCHING)).fetchall()
        named = {row["origin"]: Robots("rules", rules=Protego.parse(row["text"])) for row in rows}
        return frozenset(
            site_of(host_of(origin)) for origin, robots in named.items() if sitemap in robots.sitemaps(origin)
        )

    def next_request(self, origin: str, now: float) -> Task:
        """The next request that an origin's policy needs: robots.txt, then each of its declarations."""
        stored = self._stored_robots(origin, now)
        if stored is None:
            return _task(Role.ROBOTS, f"{origin}/robots.txt", origin)
        missing = [url for url in policy_documents(origin, stored[0]) if self._document(url, now) is None]
        return _task(Role.DOCUMENT, missing[0], origin)

    def robots_redirected(self, task: Task, target: str) -> Task | None:
        """The request that follows a redirect of robots.txt, or None after too many."""
        if task.hops >= ROBOTS_REDIRECTS:
            return None
        return _task(Role.ROBOTS, target, task.origin, task.hops + 1)

    def robots_answered(self, task: Task, status: int, body: bytes, now: float) -> Robots:
        """Stores an answer to a request for robots.txt."""
        robots = read_robots(status, body)
        return self._store(task.origin, robots, now)

    def robots_failed(self, task: Task, reason: str, now: float, *, final: bool = False) -> Robots | None:
        """Notes that robots.txt could not be read; after three attempts nothing of the origin may be fetched.

        Returns:
            None where it is to be asked for once more, after the host's back-off.
        """
        opened = self._open.setdefault(task.origin, _Open(task.origin))
        opened.attempts += 1
        if opened.attempts < _ROBOTS_ATTEMPTS and not final:
            return None
        return self._store(task.origin, unreachable_robots(reason), now)

    def may_read_licence(self, origin: str, url: str, now: float) -> bool:
        """Whether a licence that a page of an origin names is still to be read, and may be: it lies on that origin."""
        policy = self.known(origin)
        is_ours = policy is not None and origin_of(url) == origin and policy.robots.allows(url)
        return is_ours and self._document(url, now) is None

    def licence_request(self, url: str, origin: str) -> Task:
        """The request for a licence."""
        return _task(Role.DOCUMENT, url, origin)

    def licence(self, url: str) -> tuple[PathRule, ...] | None:
        """The rules of a licence that was asked for; None where it was not, or could not be read."""
        if url not in self._licences:
            row = self.database.execute("SELECT body FROM documents WHERE url = ?", (url,)).fetchone()
            self._licences[url] = rsl_rules(row["body"] if row else b"", url)
            if len(self._licences) > _LICENCES_CACHED:
                self._licences.popitem(last=False)
        self._licences.move_to_end(url)
        return self._licences[url]

    def document_answered(self, task: Task, body: bytes, now: float) -> None:
        """Stores a declaration; an empty body where there is none."""
        self._licences.pop(task.url, None)
        self.database.execute(
            "INSERT OR REPLACE INTO documents VALUES(?, ?, ?)", (task.url, body[:DOCUMENT_BYTES], now + DOCUMENT_TTL)
        )

    def _store(self, origin: str, robots: Robots, now: float) -> Robots:
        ttl = _UNREACHABLE_TTL if robots.state == "disallow" else ROBOTS_TTL
        self.database.execute(
            "INSERT OR REPLACE INTO origins VALUES(?, ?, ?, ?, ?)",
            (origin, robots.state, robots.text, robots.reason, now + ttl),
        )
        self._open.pop(origin, None)
        self._parsed.pop(origin, None)
        self._note_delay(origin, robots)
        return robots

    def _note_delay(self, origin: str, robots: Robots) -> None:
        if robots.delay:
            self._delays[origin] = robots.delay

    def _stored(self, origin: str, now: float) -> tuple[SitePolicy, float] | None:
        """The policy of an origin and when it expires; None where something of it must be asked for first."""
        stored = self._stored_robots(origin, now)
        documents = self._stored_documents(origin, stored[0], now) if stored else None
        if stored is None or documents is None:
            return None
        return site_policy(origin, documents, stored[0]), stored[1]

    def _stored_robots(self, origin: str, now: float) -> tuple[Robots, float] | None:
        row = self.database.execute("SELECT * FROM origins WHERE origin = ?", (origin,)).fetchone()
        if row is None or row["expires"] <= now:
            return None
        rules = Protego.parse(row["text"]) if row["state"] == "rules" else None
        robots = Robots(row["state"], row["text"], row["reason"], rules)
        self._note_delay(origin, robots)
        return robots, row["expires"]

    def _stored_documents(self, origin: str, robots: Robots, now: float) -> dict[str, bytes] | None:
        """The origin's declarations by path or URL; None where one must be asked for first."""
        if robots.state == "disallow":
            return {}
        found = {}
        for url in policy_documents(origin, robots):
            body = self._document(url, now)
            if body is None:
                return None
            found[url] = found[urlsplit(url).path] = body
        return found

    def _document(self, url: str, now: float) -> bytes | None:
        row = self.database.execute("SELECT body, expires FROM documents WHERE url = ?", (url,)).fetchone()
        return row["body"] if row and row["expires"] > now else None


def _task(role: Role, url: str, origin: str, hops: int = 0) -> Task:
    return Task(role, url, gate_of(urlsplit(url).hostname or ""), score=2.0, origin=origin, hops=hops)
