"""What discovery finds: candidate URLs with what their source says about them, and further sources."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from cleaning.urls import date_in, slug_words


class Kind(StrEnum):
    """The kind of a source, and so of the candidates that it lists."""

    FEED = "feed"
    NEWS_SITEMAP = "news_sitemap"
    SITEMAP = "sitemap"
    SECTION = "section"
    LINK = "link"
    API = "api"
    ARCHIVE = "archive"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A URL that a source lists, canonical, with the source's title and times for it ("" and None where it has none).

    Times are aware, in UTC. `published` and `modified` are what the source says, not what is known.
    """

    url: str
    title: str = ""
    published: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pointer:
    """A further source that a source names: a sitemap of an index, a feed of a page, the next page of an archive."""

    url: str
    kind: Kind
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """All that one document lists, in its order. `kind` is what the document turned out to be."""

    kind: Kind
    candidates: tuple[Candidate, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    next_page: str = ""


_NO_PAGE = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|css|js|mjs|json|xml|rss|atom|pdf|docx?|xlsx?|pptx?|zip|gz|tar|rar|7z"
    r"|mp[34]|m4[av]|mov|avi|webm|og[gv]|wav|woff2?|ttf|eot|exe|dmg|apk|iso|ics|csv|epub)$",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"/(?:wp-(?:admin|login|json|content)|login|log-?in|sign-?(?:in|up)|register|account|cart|checkout|subscribe|logout"
    r"|privacy|terms|cookies?|contact|about(?:-us)?|advertis\w*|careers|jobs|help|faq|feed|rss|search|share|newsletters?"
    r"|authors?|bylines?|staff|profiles?|users?|members?|forums?|comments?)(?:[/.?]|$)",
    re.IGNORECASE,
)
_HUB = re.compile(
    r"(?:^|/)(?:page|pages|category|categories|tags?|topics?|sections?|archives?|latest|all|index)(?:[/.?-]|$)",
    re.IGNORECASE,
)
_PAGED_QUERY = re.compile(r"(?:^|&)(?:page|paged|p|offset|start|pg)=\d+", re.IGNORECASE)
_PAGE_OF_LIST = re.compile(
    r"/page[/-]?\d+(?:/|$|\?)|[?&](?:(?:page|paged|pg|offset|start)=\d+|p=\d{1,3}(?:&|$))", re.IGNORECASE
)
_ARTICLE_WORDS = 4
_HEADLINE_WORDS = 5


def is_file(url: str) -> bool:
    """Whether a URL's path ends like an image, a script or another file that is no page."""
    return bool(_NO_PAGE.search(urlsplit(url).path))


def is_about_site(url: str) -> bool:
    """Whether a URL's path begins like a page for the site's users or about it: login, legal, authors, forum."""
    return bool(_NEVER.match(urlsplit(url).path))


def is_hub_link(title: str, url: str) -> bool:
    """Whether a link reads like one to a section: a hub's address, and no headline for its text."""
    return len(title.split()) < _HEADLINE_WORDS and looks_like_hub(url)


def is_page_of_list(url: str) -> bool:
    """Whether a URL is of a further page of a list, by its number."""
    return bool(_PAGE_OF_LIST.search(url))


def is_same_section(url: str, other: str) -> bool:
    """Whether one of two URLs lies below the other, as pages and articles of a section do; never for a front page."""
    one, two = urlsplit(url), urlsplit(other)
    shorter, longer = sorted((one.path.rstrip("/"), two.path.rstrip("/")), key=len)
    return one.netloc == two.netloc and bool(shorter) and f"{longer}/".startswith(f"{shorter}/")


def looks_like_hub(url: str) -> bool:
    """Whether a URL reads like a front, section, tag or archive page rather than like an article.

    Only decides what is tried first and what is looked at again on the next run: both kinds are fetched and kept.
    """
    parts = urlsplit(url)
    if _PAGED_QUERY.search(parts.query) or _HUB.search(parts.path):
        return True
    last = parts.path.rstrip("/").rpartition("/")[2]
    if re.search(r"\d{4,}|\.\w{3,5}$", last) or (date_in(url) and len(slug_words(url)) > 1):
        return False
    return len(slug_words(url)) < _ARTICLE_WORDS and not parts.query
