"""One publisher's website on one day: which answer each path gets."""

import hashlib
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import parse_qs

from flows.demo.article import FIRST_DAY, Article
from flows.demo.feeds import feed, robots_txt, sitemap_files, tdmrep
from flows.demo.pages import Renderer, Site, surroundings
from flows.demo.publishers import Publisher
from flows.demo.routes import Route, Routes, article_path, plain_path


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `fault` is what the server does with it: slow, busy, flaky, reset, truncated, or nothing."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fault: str = ""

    @classmethod
    def plain(cls, status: int, text: str, *headers: tuple[str, str]) -> Self:
        """A short answer in plain text."""
        return cls(status, (("Content-Type", "text/plain; charset=utf-8"), *headers), text.encode())

    @classmethod
    def validated(cls, content_type: str, body: bytes, modified: datetime, *headers: tuple[str, str]) -> Self:
        """A good answer with an ETag and a Last-Modified date."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        stamp = format_datetime(modified, usegmt=True)
        return cls(200, (("Content-Type", content_type), ("ETag", etag), ("Last-Modified", stamp), *headers), body)

    def header(self, name: str) -> str:
        """The value of a header, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Website:
    """The website of a publisher as it stands on a day, reached through a port. `articles` come newest first."""

    def __init__(
        self,
        publisher: Publisher,
        articles: Sequence[Article],
        routes: Routes,
        renderer: Renderer,
        seed: int,
        port: int,
        day: int,
    ) -> None:
        self._publisher, self._routes, self._renderer, self._seed = publisher, routes, renderer, seed
        self._site = Site(publisher, port)
        self._day = day
        self._now = FIRST_DAY + timedelta(days=day - 1, hours=20)
        self._all = {article.number: article.on(day) for article in articles if article.day <= day}
        self._online = [article for article in self._all.values() if not self._is_gone(article)]

    def _is_gone(self, article: Article) -> bool:
        return article.withdrawn and self._day >= 2

    def answer(self, path: str) -> Response:
        """The answer to a path with its query."""
        route = self._routes.find(self._publisher, path)
        if route is not None and route.number in self._all:
            return self._article(self._all[route.number], route)
        plain = plain_path(self._publisher, path)
        for pattern, handler in self._handlers():
            if match := pattern.fullmatch(path):
                return handler(match)
        return self._list_file(plain) or self._section(plain) or Response.plain(404, "Not found.")

    def _handlers(self) -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Response]], ...]:
        return (
            (_PATTERN["robots"], self._robots),
            (_PATTERN["front"], self._front),
            (_PATTERN["tdmrep"], self._tdmrep),
            (_PATTERN["calendar"], self._calendar),
            (_PATTERN["forum"], self._forum),
            (_PATTERN["broken"], self._broken),
            (_PATTERN["loop"], lambda match: _redirect(302, "/loop/b" if match[1] == "a" else "/loop/a")),
            (_PATTERN["intranet"], lambda _: _redirect(302, "http://169.254.169.254/latest/")),
            (_PATTERN["posts"], self._posts),
        )

    # Articles.

    def _article(self, article: Article, route: Route) -> Response:
        if self._is_gone(article):
            return Response.plain(410, "This article has been withdrawn.")
        if route.is_redirect:
            return _redirect(301, self._site.link(article_path(self._publisher, article)))
        in_print = [a for a in self._all.values() if a.day <= article.day and a.number != article.number]
        rng = random.Random(f"{self._seed}/around/{article.number}")
        # An article's page must not change from day to day, so its lists are those of the day on which it appeared.
        around = surroundings(self._site, article, [a for a in in_print if a.access != "disallowed"], rng)
        body = self._renderer.article(self._site, article, route.variant, around)
        response = self._html(body, article.modified or article.published, *_RIGHTS.get(article.access, ()))
        return replace(response, fault=article.fault if route.variant == "page" else "")

    def _html(self, body: bytes, modified: datetime, *headers: tuple[str, str]) -> Response:
        return Response.validated(f"text/html; charset={self._publisher.charset}", body, modified, *headers)

    # Lists of articles.

    def _front(self, _: re.Match[str]) -> Response:
        shown = [] if self._publisher.splash else self._online[: self._publisher.front_items]
        return self._listing("Home", shown, (), _LINKS.get(self._publisher.name, ()))

    def _listing(
        self,
        title: str,
        shown: Sequence[Article],
        pages: Sequence[Mapping[str, Any]],
        links: Sequence[tuple[str, str]] = (),
    ) -> Response:
        listing = {"title": title, "entries": [self._site.item(article) for article in shown], "pages": pages}
        named = [{"url": url, "title": text} for url, text in links]
        popular = [] if self._publisher.splash else [self._site.item(a, "short") for a in self._online[:5]]
        return self._html(self._renderer.listing(self._site, listing, named, popular), self._changed())

    def _changed(self) -> datetime:
        return max((a.modified or a.published for a in self._online), default=FIRST_DAY)

    def _section(self, path: str) -> Response | None:
        """A page of a section's articles; None where the path is no section's."""
        for section in (*self._publisher.sections, "members"):
            members = [a for a in self._online if a.section == section]
            count = max(1, -(-len(members) // self._publisher.page_items))
            for page in range(1, count + 1):
                if path == self._publisher.section_url(section, page):
                    return self._section_page(section, members, page, count)
        return None

    def _section_page(self, section: str, members: Sequence[Article], page: int, count: int) -> Response:
        pages = [
            {"number": n, "url": self._publisher.section_url(section, n), "current": n == page}
            for n in range(1, count + 1)
        ]
        size = self._publisher.page_items
        return self._listing(section.title(), members[(page - 1) * size : page * size], pages)

    # Files for crawlers.

    def _list_file(self, path: str) -> Response | None:
        for known, form in self._publisher.feeds:
            if path == known:
                return self._file(*feed(self._renderer, self._site, path, form, self._listed()))
        files = sitemap_files(self._renderer, self._site, self._in_sitemaps(), self._now)
        return self._file(*files[path]) if path in files else None

    def _file(self, content_type: str, body: bytes) -> Response:
        return Response.validated(content_type, body, max(self._changed(), FIRST_DAY))

    def _listed(self) -> list[Article]:
        return [article for article in self._online if article.access != "disallowed"]

    def _in_sitemaps(self) -> list[Article]:
        """What the sitemaps name: what is online, and the withdrawn whose withdrawal they announce by a new date."""
        withdrawn = [
            replace(article, modified=FIRST_DAY + timedelta(days=1, hours=7))
            for article in self._all.values()
            if self._is_gone(article) and article.announced
        ]
        return sorted((*self._listed(), *withdrawn), key=lambda a: (a.published, a.number), reverse=True)

    def _robots(self, _: re.Match[str]) -> Response:
        status = self._publisher.robots_status
        if status != 200:
            return Response.plain(status, "Temporarily out of order." if status >= 500 else "Not found.")
        return Response.validated("text/plain; charset=utf-8", robots_txt(self._site), FIRST_DAY)

    def _tdmrep(self, _: re.Match[str]) -> Response:
        reserved = [article_path(self._publisher, a) for a in self._all.values() if a.access == "wellknown"]
        if not reserved:
            return Response.plain(404, "Not found.")
        return Response.validated("application/json", tdmrep(reserved), FIRST_DAY)

    def _posts(self, match: re.Match[str]) -> Response:
        """WordPress's REST list of posts, with `search`, `page` and `per_page`."""
        if self._publisher.style != "wordpress":
            return Response.plain(404, "Not found.")
        query = {key: values[0] for key, values in parse_qs(match[1] or "").items()}
        words = query.get("search", "").lower().split()
        found = [
            a for a in self._listed() if all(word in " ".join((a.headline, *a.paragraphs)).lower() for word in words)
        ]
        size, page = _number(query.get("per_page"), 10, 100), _number(query.get("page"), 1, 10_000)
        posts = [self._post(article) for article in found[(page - 1) * size : page * size]]
        return Response.validated("application/json; charset=UTF-8", json.dumps(posts).encode(), self._changed())

    def _post(self, article: Article) -> dict[str, Any]:
        item = self._site.item(article)
        stamp = "%Y-%m-%dT%H:%M:%S"
        return {
            "id": article.id,
            "date_gmt": article.published.strftime(stamp),
            "modified_gmt": (article.modified or article.published).strftime(stamp),
            "link": item["url"],
            "title": {"rendered": item["title"]},
            "excerpt": {"rendered": f"<p>{item['summary']}</p>"},
        }

    # What every web has besides.

    def _calendar(self, match: re.Match[str]) -> Response:
        """An endless calendar: every month links to the next, the one before, and its days."""
        year, month = int(match[1]), int(match[2])
        months = [divmod(year * 12 + month - 1 + step, 12) for step in (-1, 1, 12)]
        links = [(f"/calendar/{y}/{m + 1:02}", f"{y}-{m + 1:02}") for y, m in months]
        links += [(f"/calendar/{year}/{month:02}?day={day}", f"Day {day}") for day in range(1, 29)]
        return self._listing(f"Calendar {year}-{month:02}", (), (), links)

    def _forum(self, match: re.Match[str]) -> Response:
        """An endless forum: every link carries a new session."""
        sessions = [hashlib.sha256(f"{match[1]}/{n}".encode()).hexdigest()[:16] for n in range(5)]
        return self._listing("Forum", (), (), [(f"/forum.php?sid={sid}", f"Thread {sid[:4]}") for sid in sessions])

    def _broken(self, match: re.Match[str]) -> Response:
        if match[1] == "error":
            return Response.plain(500, "Something went wrong.")
        return Response(200, (("Content-Type", "text/html; charset=utf-8"),), b"<html><body><p>Half a page", match[1])


_PATTERN = {
    name: re.compile(pattern)
    for name, pattern in {
        "robots": r"/robots\.txt",
        "front": r"/(?:index\.(?:html|php))?(?:\?utm_.*)?",
        "tdmrep": r"/\.well-known/tdmrep\.json",
        "calendar": r"/calendar/(\d{4,6})/(\d\d)(?:\?day=\d+)?",
        "forum": r"/forum\.php\?sid=(\w+)",
        "broken": r"/broken/(error|reset|truncated)",
        "loop": r"/loop/([ab])",
        "intranet": r"/go/intranet",
        "posts": r"/wp-json/wp/v2/posts(?:\?(.*))?",
    }.items()
}
_RIGHTS = {
    "tdm": (("tdm-reservation", "1"), ("tdm-policy", "https://review.newsroom.example/policy.json")),
    "xrobots": (("X-Robots-Tag", "noai, noimageai"),),
}
_LINKS = {
    "almanac": (("/calendar/2025/03", "Calendar of events"), ("/members/", "For members")),
    "beacon": (
        ("/broken/error", "Archive"),
        ("/broken/reset", "Live"),
        ("/broken/truncated", "Photos"),
        ("/loop/a", "Contest"),
    ),
    "observer": (("/go/intranet", "Staff"), ("/?s=meeting", "Search")),
}


def _number(text: str | None, default: int, most: int) -> int:
    return min(most, max(1, int(text))) if text and text.isdecimal() else default


def _redirect(status: int, url: str) -> Response:
    return Response.plain(status, f"Moved to {url}", ("Location", url))
