"""The documents of a run as they arrive at the index of known articles: what each is, and which is judged when."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from cleaning.copies.clusters import Article
from cleaning.copies.shingles import Words
from cleaning.schema import TIME
from flows.copies.records import moment

DOCUMENTS = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("canonical_url", pa.string()),
        pa.field("domain", pa.string()),
        pa.field("agency", pa.string()),
        pa.field("published_at", TIME),
        pa.field("fetched_at", TIME),
        pa.field("text", pa.string()),
    ]
)
"""The columns that an index reads; others are passed over."""

LIGHT = pa.schema([field for field in DOCUMENTS if field.name != "text"])
"""The columns that say which document is judged when."""

_LATE = datetime.max.replace(tzinfo=UTC)
_FIRST_PAGE = datetime(1991, 8, 6, tzinfo=UTC)
_SLACK = timedelta(days=1)


def article_id(canonical_url: str) -> str:
    """The id of the article that was first seen under a canonical URL: 32 hexadecimal digits."""
    return hashlib.sha256(canonical_url.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def address_of(row: Mapping[str, Any]) -> str | None:
    """What `article_id` gives for the URL that an article was fetched from, where it is not its canonical one."""
    return article_id(row["url"]) if row["canonical_url"] and row["url"] != row["canonical_url"] else None


def article_of(row: Mapping[str, Any], article: str, cluster: str, words: Words) -> Article:
    """The article of a row, under an id and in a cluster."""
    return Article(article, cluster, words, row["domain"] or "", row["agency"] or "", reliable_date(row))


def reliable_date(row: Mapping[str, Any]) -> datetime | None:
    """When an article was published, unless its page says what cannot be: a time after its fetch, or before the web."""
    when: datetime | None = row["published_at"]
    fetched: datetime | None = row["fetched_at"]
    if when is None or when < _FIRST_PAGE or (fetched is not None and when > fetched + _SLACK):
        return None
    return when


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Documents without their texts: their rows, and the ids of their articles.

    `chosen` gives for each article the row that is judged, and `order` these rows in the order in which they are.
    """

    rows: list[dict[str, Any]]
    ids: list[str]
    chosen: dict[str, int]
    order: list[int]

    @classmethod
    def of(cls, documents: pa.Table) -> "Arrivals":
        """Reads the columns of LIGHT.

        Of an article that is there several times, the page at its canonical URL is judged, and of several of these the
        oldest; articles are judged from the oldest to the newest. What is equally old follows its URL, then its place.
        """
        rows = _rows(documents.select(LIGHT.names).cast(LIGHT))
        ids = [article_id(row["canonical_url"] or row["url"]) for row in rows]
        ages = [_age(row) for row in rows]
        at_home = [row["url"] == row["canonical_url"] for row in rows]
        chosen: dict[str, int] = {}
        for place in sorted(range(len(rows)), key=lambda place: (not at_home[place], *ages[place])):
            chosen.setdefault(ids[place], place)
        return cls(rows, ids, chosen, sorted(chosen.values(), key=ages.__getitem__))


def _rows(documents: pa.Table) -> list[dict[str, Any]]:
    values = [
        [moment(value) for value in column.cast(pa.int64()).to_pylist()] if column.type == TIME else column.to_pylist()
        for column in documents.columns
    ]
    return [dict(zip(documents.column_names, row, strict=True)) for row in zip(*values, strict=True)]


def _age(row: dict[str, Any]) -> tuple[datetime, datetime, str]:
    fetched = row["fetched_at"] or _LATE
    return reliable_date(row) or fetched, fetched, row["url"]
