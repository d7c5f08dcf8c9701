"""Renders the newsroom's pages and lists: each publisher's template, filled from plain views of its articles.

Templates get `site` (title, url, language, sections, feeds), `title`, `article` or `listing`, and the lists `teasers`,
`popular`, `related` and `links`; feeds and sitemaps get `site`, `items` and what their format needs.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from flows.demo.article import Article
from flows.demo.publishers import Publisher
from flows.demo.routes import article_path, variant_paths

_MIME = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
_WORDS = {
    "en": {
        "posted": "Posted on",
        "by": "by",
        "share": "Share this:",
        "related": "Related",
        "filed": "Posted in",
        "reply": "Leave a Reply",
        "notes": "Your email address will not be published. Required fields are marked *",
        "recent": "Recent Posts",
    },
    "de": {
        "posted": "Veröffentlicht am",
        "by": "von",
        "share": "Teilen mit:",
        "related": "Ähnliche Beiträge",
        "filed": "Veröffentlicht in",
        "reply": "Schreiben Sie einen Kommentar",
        "notes": "Ihre E-Mail-Adresse wird nicht veröffentlicht. Erforderliche Felder sind mit * markiert",
        "recent": "Neueste Beiträge",
    },
}
_CREDITS = (
    "This story was originally published by Northwire.",
    "©2025 Northwire News Agency. Distributed by Coastal Content Agency, LLC.",
    "With reporting by Northwire.",
    "Source: Northwire",
)
_TEASER_WORDS = 24


def _linked(paragraph: str, url: str) -> Markup:
    """The paragraph with a link on its third to fifth word."""
    words = paragraph.split(" ")
    before, middle, after = (" ".join(part) for part in (words[:2], words[2:5], words[5:]))
    return Markup('{} <a href="{}">{}</a> {}').format(before, url, middle, after)


def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "iso": lambda moment: moment.isoformat(timespec="seconds"),
        "rfc822": format_datetime,
        "day": lambda moment: f"{moment:%B} {moment.day}, {moment.year}",
        "weekday": lambda moment: f"{moment:%A}",
        "clock": lambda moment: f"{moment:%H:%M}",
        "linked": _linked,
    }
    return environment


@dataclass(frozen=True, slots=True)
class Site:
    """A publisher as it is reached through one port."""

    publisher: Publisher
    port: int

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash."""
        return f"http://{self.publisher.host}" + (f":{self.port}" if self.port != 80 else "")

    def link(self, path: str) -> str:
        """The absolute URL of a path."""
        return self.url + path

    def view(self) -> dict[str, Any]:
        """What templates know of the site."""
        publisher = self.publisher
        feeds = [{"url": self.link(path), "type": _MIME[form]} for path, form in publisher.feeds]
        sections = [{"title": name.title(), "url": publisher.section_url(name)} for name in publisher.sections]
        return {
            "title": publisher.title,
            "url": self.url,
            "language": publisher.language,
            "feeds": feeds,
            "sections": sections,
        }

    def local(self, moment: datetime | None) -> datetime | None:
        """The moment on the publisher's clock."""
        return moment and moment.astimezone(timezone(timedelta(hours=self.publisher.zone)))

    def item(self, article: Article, place: str = "") -> dict[str, Any]:
        """An article as an entry of a list; `place` may ask for a variant of its address."""
        path = article_path(self.publisher, article)
        variants = variant_paths(self.publisher, article)
        return {
            "title": article.headline,
            "url": self.link(variants.get(place, path)),
            "feed_url": self.link(variants.get("utm", path)),
            "summary": summary(article),
            "published": self.local(article.published),
            "modified": self.local(article.modified),
            "authors": article.authors,
            "section": article.section,
        }

    def article(self, article: Article, variant: str) -> dict[str, Any]:
        """An article as its page shows it."""
        variants = {name: self.link(path) for name, path in variant_paths(self.publisher, article).items()}
        paywalled = article.access == "paywalled"
        view = self.item(article) | {
            "id": article.id,
            "variant": variant,
            "headline": article.headline,
            "paragraphs": article.paragraphs[:1] if paywalled else article.paragraphs,
            "section": article.section.title(),
            "section_url": self.publisher.section_url(article.section),
            "image": self.link(f"/images/{article.id}-16x9.jpg"),
            "caption": f"A view of the {article.section} desk's archive, number {article.id}.",
            "amp_url": variants.get("amp", ""),
            "print_url": variants.get("print", ""),
            "short_url": variants.get("short", ""),
            "noai": article.access == "noai",
            "paywalled": paywalled,
            "credit": credit(article),
        }
        return view | {"jsonld": _jsonld(view, self.publisher)}


def summary(article: Article) -> str:
    """The first words of an article, for teasers and descriptions."""
    words = article.paragraphs[0].split()
    return " ".join(words[:_TEASER_WORDS]) + (" ..." if len(words) > _TEASER_WORDS else "")


def credit(article: Article) -> str:
    """The line that names the agency of a copy; not a part of the article's text."""
    return _CREDITS[article.number % len(_CREDITS)] if article.copy_of is not None else ""


def _jsonld(view: Mapping[str, Any], publisher: Publisher) -> dict[str, Any]:
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": view["headline"],
        "datePublished": view["published"].isoformat(timespec="seconds"),
        "dateModified": (view["modified"] or view["published"]).isoformat(timespec="seconds"),
        "author": [{"@type": "Person", "name": name} for name in view["authors"]],
        "publisher": {"@type": "Organization", "name": publisher.title},
        "mainEntityOfPage": view["url"],
        "articleSection": view["section"],
        "isAccessibleForFree": not view["paywalled"],
    }
    if view["paywalled"]:
        data["hasPart"] = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".article-body"}
    return data


class Renderer:
    """Turns views into bytes, with the publisher's own template."""

    def __init__(self, publishers: Iterable[Publisher]) -> None:
        self._environment = _environment()
        self._own = {p.name: self._environment.from_string(p.markup) for p in publishers if p.markup}

    def _template(self, publisher: Publisher) -> Template:
        return self._own.get(publisher.name) or self._environment.get_template(f"{publisher.style}.html")

    def article(self, site: Site, article: Article, variant: str, around: Mapping[str, Sequence[Any]]) -> bytes:
        """The page of an article, amid the lists `teasers`, `popular` and `related`."""
        view = site.article(article, variant)
        return self._page(
            site, {"title": article.headline, "article": view, "listing": None, "links": ()} | dict(around)
        )

    def listing(
        self, site: Site, listing: Mapping[str, Any], links: Sequence[Mapping[str, str]], popular: Sequence[Any]
    ) -> bytes:
        """A front, section or other page of links. `listing` has title, entries and pages."""
        lists = {"teasers": (), "related": (), "popular": popular, "links": links}
        return self._page(site, {"title": listing["title"], "article": None, "listing": listing} | lists)

    def _page(self, site: Site, names: Mapping[str, Any]) -> bytes:
        words = _WORDS[site.publisher.language]
        html = self._template(site.publisher).render(site=site.view(), words=words, **names)
        return html.encode(site.publisher.charset, "xmlcharrefreplace")

    def list_file(self, template: str, **names: Any) -> bytes:
        """A feed or sitemap."""
        return self._environment.get_template(template).render(**names).encode()


def surroundings(
    site: Site, article: Article, others: Sequence[Article], rng: random.Random
) -> dict[str, list[dict[str, Any]]]:
    """The teasers, most-read and related lists of an article's page, chosen among what its publisher has in print."""
    alike = [other for other in others if other.kind == article.kind]
    chosen = rng.sample(others, min(12, len(others)))
    return {
        "teasers": [site.item(other) for other in chosen],
        "popular": [site.item(other, "short") for other in chosen[-5:]],
        "related": [site.item(other, "moved") for other in rng.sample(alike, min(4, len(alike)))],
    }
