"""Search interfaces that list articles: WordPress REST and GDELT DOC; the queries, and what their answers list."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cleaning.topic.background import shipped
from cleaning.urls import canonical
from crawler.candidates import Candidate, Kind, Listing
from crawler.feeds import plain, time_of

GDELT = "https://api.gdeltproject.org/api/v2/doc/doc"
"""The public GDELT DOC 2.0 interface; it knows the articles of the last three months."""

_GDELT_MOST = 250
_WORDPRESS_MOST = 100
_NAME = re.compile(r"(?<=[a-z,] )([A-Z][a-z]{3,20})\b")
_GDELT_TIME = "%Y%m%d%H%M%S"


def wordpress_query(api: str, terms: Sequence[str], since: datetime | None = None) -> str:
    """The URL that lists a WordPress site's posts with some words, newest first.

    Args:
        api: the root of its REST interface, as the site's `https://api.w.org/` link names it.
        terms: words to search for; WordPress asks for all of them, so one or two find most.
        since: the earliest date of publication.
    """
    fields = {"search": " ".join(terms), "per_page": _WORDPRESS_MOST, "orderby": "date", "_fields": _POST_FIELDS}
    after = {"after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")} if since else {}
    return f"{api.rstrip('/')}/wp/v2/posts?{urlencode(fields | after)}"


def gdelt_query(
    terms: Sequence[str], since: datetime | None = None, until: datetime | None = None, endpoint: str = GDELT
) -> str:
    """The URL that lists articles with all of some words from a GDELT DOC 2.0 interface, newest first, at most 250."""
    fields = {
        "query": " ".join(terms),
        "mode": "artlist",
        "format": "json",
        "maxrecords": _GDELT_MOST,
        "sort": "datedesc",
    }
    times = {"startdatetime": since, "enddatetime": until}
    return f"{endpoint}?{urlencode(fields | {key: at.strftime(_GDELT_TIME) for key, at in times.items() if at})}"


_POST_FIELDS = "link,title,date_gmt,modified_gmt"


def query_terms(seeds: Sequence[str], most: int = 3) -> tuple[str, ...]:
    """The words to search for: names that most seeds share, the rarest first; () where they share none.

    A name is a word that is written with a capital inside a sentence. Rarity is that of the shipped background.
    """
    table = shipped()
    counts: Counter[str] = Counter()
    for seed in seeds:
        counts.update({found[1] for found in _NAME.finditer(seed)})
    shared = [(name, n) for name, n in counts.items() if 2 * n > len(seeds)]
    ranked = sorted(shared, key=lambda pair: (-pair[1] * table.idf.get(pair[0].lower(), table.unseen), pair[0]))
    return tuple(name for name, _ in ranked[:most])


def parse_api(body: bytes, url: str) -> Listing | None:
    """What an answer of WordPress (a list of posts) or GDELT (an object of `articles`) lists; None for other JSON."""
    try:
        answer = json.loads(body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return None
    if isinstance(answer, list):
        return Listing(Kind.API, tuple(_posts(answer, url)))
    if isinstance(answer, dict) and isinstance(answer.get("articles"), list):
        return Listing(Kind.API, tuple(_articles(answer["articles"], url)))
    return None


def _posts(posts: list[Any], url: str) -> Iterator[Candidate]:
    for post in posts:
        address = canonical(str(post.get("link") or ""), url) if isinstance(post, dict) and post.get("link") else None
        if address:
            title = post.get("title")
            text = title.get("rendered") if isinstance(title, dict) else title
            published, modified = (time_of(str(post.get(key) or "")) for key in ("date_gmt", "modified_gmt"))
            yield Candidate(address, plain(str(text or "")), published, modified)


def _articles(articles: list[Any], url: str) -> Iterator[Candidate]:
    for article in articles:
        address = (
            canonical(str(article.get("url") or ""), url) if isinstance(article, dict) and article.get("url") else None
        )
        if address:
            # `seendate` is when GDELT saw it, 20250312T101500Z: at most a quarter of an hour after the publication.
            yield Candidate(
                address, plain(str(article.get("title") or "")), time_of(str(article.get("seendate") or ""))
            )
