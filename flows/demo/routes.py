"""The addresses of articles: the canonical path of each, the other paths that lead to it, and the way back."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from flows.demo.article import Article
from flows.demo.publishers import Publisher

_TRACKING = ("utm_source", "utm_medium", "utm_campaign", "fbclid", "ref", "share")
_DECORATION = {"query": ("title", "sid")}
_SLUG_AFTER_ID = re.compile(r"(/\d{5,})-[^/]*$")
_REDIRECTS = ("short", "moved")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads: an article, and as what: page, amp, print, or a redirect (short, moved)."""

    number: int
    variant: str

    @property
    def is_redirect(self) -> bool:
        """Whether the path only points to the canonical one."""
        return self.variant in _REDIRECTS


def article_path(publisher: Publisher, article: Article) -> str:
    """The canonical path of an article."""
    day = article.published
    return publisher.path.format(
        section=article.section,
        year=day.year,
        month=f"{day.month:02}",
        day=f"{day.day:02}",
        slug=article.slug,
        id=article.id,
    )


def variant_paths(publisher: Publisher, article: Article) -> dict[str, str]:
    """The other paths that lead to an article, by the name of the variant."""
    path = article_path(publisher, article)
    short_slug = "-".join(article.slug.split("-")[:4])
    known = {
        "utm": f"{path}?utm_source=rss&utm_medium=feed",
        "amp": f"{path}/amp",
        "print": f"/print/{article.id}",
        "short": f"/?p={article.id}" if publisher.style == "wordpress" else f"/s/{article.id:x}",
        "moved": f"/{article.section}/{short_slug}-{article.id}",
        "slugs": f"/news/{article.id}-live-updates",
        "query": f"{path}&title={short_slug}",
    }
    return {name: known[name] for name in known if name in publisher.variants}


class Routes:
    """Finds the article behind a path of a publisher."""

    def __init__(self, articles: Iterable[Article], publishers: Mapping[str, Publisher]) -> None:
        self._table: dict[tuple[str, str], Route] = {}
        for article in articles:
            publisher = publishers[article.publisher]
            self._add(publisher, article_path(publisher, article), Route(article.number, "page"))
            for name, path in variant_paths(publisher, article).items():
                variant = name if name in ("amp", "print", *_REDIRECTS) else "page"
                self._add(publisher, path, Route(article.number, variant))

    def _add(self, publisher: Publisher, path: str, route: Route) -> None:
        known = self._table.setdefault((publisher.name, plain_path(publisher, path)), route)
        if known != route:
            raise ValueError(f"{publisher.host}{path}: two articles share this path; give one another headline")

    def find(self, publisher: Publisher, path: str) -> Route | None:
        """The route of a path with its query; None where no article has it."""
        return self._table.get((publisher.name, plain_path(publisher, path)))


def plain_path(publisher: Publisher, path: str) -> str:
    """The path without tracking parameters, and without what the publisher's server does not look at."""
    parts = urlsplit(path)
    ignored = {*_TRACKING, *(key for name in publisher.variants for key in _DECORATION.get(name, ()))}
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key not in ignored])
    bare = _SLUG_AFTER_ID.sub(r"\1", parts.path) if "slugs" in publisher.variants else parts.path
    return f"{bare}?{query}" if query else bare
