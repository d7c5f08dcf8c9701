"""The files that tell crawlers what is there: feeds, sitemaps, robots.txt, tdmrep.json."""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flows.demo.article import Article
from flows.demo.pages import Renderer, Site

_XML = {"rss": "application/rss+xml; charset=utf-8", "atom": "application/atom+xml; charset=utf-8"}
_FEED_LENGTH = 60
_NEWS_WINDOW = timedelta(days=3)


def feed(renderer: Renderer, site: Site, path: str, form: str, articles: Sequence[Article]) -> tuple[str, bytes]:
    """Content type and bytes of a feed of the newest articles, which come newest first."""
    items = [site.item(article) for article in articles[:_FEED_LENGTH]]
    if form == "json":
        return "application/feed+json", _json_feed(site, path, items)
    updated = max((item["modified"] or item["published"] for item in items), default=None)
    body = renderer.list_file(f"{form}.xml", site=site.view(), items=items, self_url=site.link(path), updated=updated)
    return _XML[form], body


def _json_feed(site: Site, path: str, items: Sequence[dict[str, Any]]) -> bytes:
    entries = [
        {
            "id": item["url"],
            "url": item["feed_url"],
            "title": item["title"],
            "summary": item["summary"],
            "date_published": item["published"].isoformat(timespec="seconds"),
            "authors": [{"name": name} for name in item["authors"]],
        }
        | ({"date_modified": item["modified"].isoformat(timespec="seconds")} if item["modified"] else {})
        for item in items
    ]
    about = {"version": "https://jsonfeed.org/version/1.1", "title": site.publisher.title}
    links = {"home_page_url": site.link("/"), "feed_url": site.link(path)}
    return json.dumps(about | links | {"items": entries}, ensure_ascii=False, indent=1).encode()


def sitemap_files(
    renderer: Renderer, site: Site, articles: Sequence[Article], now: datetime
) -> dict[str, tuple[str, bytes]]:
    """Path -> content type and bytes of all sitemaps of a site.

    A sitemap index has one gzipped sitemap a month and a news sitemap of the last three days.
    """
    files: dict[str, tuple[str, bytes]] = {}
    for path, form in site.publisher.sitemaps:
        if form == "index":
            files |= _index(renderer, site, path, articles, now)
        else:
            files[path] = _urlset(renderer, site, articles, news=True, packed=form == "news.gz")
    return files


def _urlset(
    renderer: Renderer, site: Site, articles: Sequence[Article], *, news: bool, packed: bool
) -> tuple[str, bytes]:
    items = [site.item(article) for article in articles]
    body = renderer.list_file("urlset.xml", site=site.view(), items=items, news=news)
    return ("application/gzip", gzip.compress(body, mtime=0)) if packed else ("application/xml", body)


def _index(
    renderer: Renderer, site: Site, path: str, articles: Sequence[Article], now: datetime
) -> dict[str, tuple[str, bytes]]:
    months = {
        f"/sitemaps/{month}.xml.gz": list(members)
        for month, members in groupby(articles, lambda article: f"{article.published:%Y-%m}")
    }
    recent = [article for article in articles if _changed(article) > now - _NEWS_WINDOW]
    parts = {"/sitemaps/news.xml": recent or list(articles[:1])} | months
    views = [{"url": site.link(part), "modified": max(map(_changed, members))} for part, members in parts.items()]
    files = {part: _urlset(renderer, site, members, news=False, packed=True) for part, members in months.items()}
    files["/sitemaps/news.xml"] = _urlset(renderer, site, recent, news=True, packed=False)
    files[path] = ("application/xml", renderer.list_file("sitemapindex.xml", parts=views))
    return files


def _changed(article: Article) -> datetime:
    return article.modified or article.published


def robots_txt(site: Site) -> bytes:
    """The publisher's robots.txt."""
    return site.publisher.robots.replace("{site}", site.url).encode()


def tdmrep(paths: Sequence[str]) -> bytes:
    """A /.well-known/tdmrep.json that reserves text and data mining of some paths (W3C TDMRep, section 5.1)."""
    return json.dumps([{"location": path, "tdm-reservation": 1} for path in paths]).encode()
