"""The record types that pass between the stages, and their Arrow schemas with one sentence a column."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from cleaning.verdict import Verdict

TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Page:
    """One fetched page as cleaning gets it, whether it comes from WARC, from a folder or from a test.

    `body` is the payload without transfer and content encodings, not yet decoded to text; `content_type` the header's
    value or "". The `hint_*` fields are what the source said before the fetch. `rights` is JSON: the robots and opt-out
    signals found at the fetch, with their evidence. `warc_offset` is in bytes, -1 where there is no WARC.
    """

    url: str
    body: bytes
    content_type: str = ""
    status: int = 200
    fetched_at: datetime | None = None
    source: str = ""
    source_kind: str = "file"
    hint_title: str = ""
    hint_published: datetime | None = None
    rights: str = "{}"
    warc_file: str = ""
    warc_offset: int = -1


@dataclass(frozen=True, slots=True)
class Extraction:
    """What cleaning made of a page: an article, or a verdict with its reason; one record for every page.

    `verdict` is KEPT for an article. Times are aware, in UTC; None where unknown. `published_how` names the signal that
    gave `published_at`. `language` is ISO 639-1, `language_score` and `confidence` (of the text) are within 0..1.
    `content_sha256` is the hex digest of the payload.
    """

    url: str
    verdict: Verdict
    reason: str = ""
    canonical_url: str = ""
    domain: str = ""
    title: str = ""
    text: str = ""
    description: str = ""
    authors: tuple[str, ...] = ()
    agency: str = ""
    published_at: datetime | None = None
    published_how: str = ""
    modified_at: datetime | None = None
    fetched_at: datetime | None = None
    language: str = ""
    language_score: float = 0.0
    section: str = ""
    tags: tuple[str, ...] = ()
    image_url: str = ""
    is_paywalled: bool | None = None
    license: str = ""
    rights: str = "{}"
    word_count: int = 0
    confidence: float = 0.0
    source: str = ""
    source_kind: str = ""
    extractor: str = ""
    extractor_version: str = ""
    warc_file: str = ""
    warc_offset: int = -1
    content_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its Arrow type, a sentence that says what it holds, and whether it may be null."""

    name: str
    type: pa.DataType
    sentence: str
    nullable: bool = True
    unit: str = field(default="", kw_only=True)

    def arrow(self) -> pa.Field:
        """The Arrow field, with the sentence and the unit in its metadata."""
        metadata = {"description": self.sentence} | ({"unit": self.unit} if self.unit else {})
        return pa.field(self.name, self.type, nullable=self.nullable, metadata=metadata)


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The Arrow schema of some columns, in their order."""
    return pa.schema([column.arrow() for column in columns])


_TEXT, _LIST, _REAL = pa.string(), pa.list_(pa.string()), pa.float32()

URL = Column("url", _TEXT, "The URL that was fetched, after redirects.", False)
DOMAIN = Column("domain", _TEXT, "The host of the URL, without `www.`.", False)
VERDICT = Column("verdict", _TEXT, "Why the page was kept or dropped; the card lists the values.", False)
REASON = Column("reason", _TEXT, "What exactly led to the verdict, for people to read.", False)
FETCHED_AT = Column(
    "fetched_at", TIME, "When the page was fetched; null for pages from files without a date.", unit="UTC"
)
SIMILARITY = Column(
    "similarity",
    _REAL,
    "Similarity of the text to its nearest seeds; what people labelled may raise or lower it.",
    unit="0..1",
)
SOURCE = Column("source", _TEXT, "The feed, sitemap, page or file in which the URL was found.", False)
SOURCE_KIND = Column(
    "source_kind", _TEXT, "The kind of that source: feed, news_sitemap, sitemap, section, link, file.", False
)
RUN_ID = Column("run_id", _TEXT, "The run that published the row.", False)
ID = Column("id", _TEXT, "Hash of the article's first canonical URL; never changes.", False)
CLUSTER_ID = Column(
    "cluster_id", _TEXT, "The `id` of the first article of the cluster of copies that the row belongs to.", False
)

_FOUND = (
    URL,
    Column("canonical_url", _TEXT, "The canonical form of the address that the page names as its own.", False),
    DOMAIN,
    Column("title", _TEXT, "Headline, without the name of the outlet.", False),
    Column("text", _TEXT, "The article's text without boilerplate; paragraphs are separated by an empty line."),
    Column("description", _TEXT, "The publisher's summary."),
    Column("authors", _LIST, "The people named as authors; no agencies, desks or outlets.", False),
    Column("published_at", TIME, "When the article was first published, as the publisher says.", unit="UTC"),
    Column("modified_at", TIME, "When it was last changed, as the publisher says.", unit="UTC"),
    FETCHED_AT,
    Column("language", _TEXT, "Language of the text, ISO 639-1.", False),
    Column("language_score", _REAL, "Confidence of the language.", unit="0..1"),
    Column("section", _TEXT, "The publisher's section."),
    Column("tags", _LIST, "The publisher's keywords.", False),
    Column("image_url", _TEXT, "Address of the lead image."),
)
_PROVENANCE = (
    SOURCE_KIND,
    Column("agency", _TEXT, "The news agency that the article credits."),
    Column(
        "is_paywalled", pa.bool_(), "Whether the page says that it is not free to read; null where it says nothing."
    ),
    Column("license", _TEXT, "The licence or copyright line that the page states."),
    Column("rights", _TEXT, "Robots and opt-out signals with their evidence, as JSON.", False),
    Column("word_count", pa.int32(), "Words of the text.", False, unit="words"),
    Column("extractor", _TEXT, "What extracted the text.", False),
    Column("extractor_version", _TEXT, "Version of the extractor.", False),
    Column("warc_file", _TEXT, "Name of the WARC file that holds the page; empty for other input.", False),
    Column(
        "warc_offset", pa.int64(), "Offset of the response record in that file; -1 without one.", False, unit="bytes"
    ),
    Column("content_sha256", _TEXT, "SHA-256 of the page's payload, in hexadecimal.", False),
)

EXTRACTED = (
    VERDICT,
    REASON,
    *_FOUND,
    SOURCE,
    *_PROVENANCE,
    Column("confidence", _REAL, "Confidence that the text is the whole article and nothing else.", False, unit="0..1"),
    Column("published_how", _TEXT, "The signal that gave `published_at`.", False),
)
"""Columns of the state's extracted pages: one row for every page, whatever its verdict."""

ARTICLES = (
    ID,
    *_FOUND,
    SIMILARITY,
    Column("nearest_seed", _TEXT, "Name of the seed that the text is most like.", False),
    CLUSTER_ID,
    *_PROVENANCE,
    Column("confidence", _REAL, "Confidence that the text is the whole article and nothing else.", False, unit="0..1"),
    RUN_ID,
    Column("version", pa.int32(), "Edition of the article: 1 at first, one more at each correction.", False),
)
"""Columns of the config `articles`: one row an article, representatives only."""

COPIES = (
    ID,
    URL,
    Column("canonical_url", _TEXT, "The canonical form of the address that the page names as its own.", False),
    DOMAIN,
    Column("title", _TEXT, "Headline of the copy.", False),
    Column("published_at", TIME, "When the copy was published, as its publisher says.", unit="UTC"),
    FETCHED_AT,
    CLUSTER_ID,
    Column("representative_id", _TEXT, "The `id` of the article of which this is a copy.", False),
    Column(
        "relation",
        _TEXT,
        "How it differs from that article: same, version, truncated, extended, excerpt or edited.",
        False,
    ),
    Column(
        "containment", _REAL, "Share of the shorter text's sampled word 3-grams that the longer one holds.", unit="0..1"
    ),
    SIMILARITY,
    Column("word_count", pa.int32(), "Words of the copy's text.", False, unit="words"),
    RUN_ID,
)
"""Columns of the config `copies`: one row a copy that was recognised, without its text."""

REJECTED = (
    URL,
    DOMAIN,
    VERDICT,
    REASON,
    Column("title", _TEXT, "Title, where one was found."),
    SIMILARITY,
    SOURCE_KIND,
    FETCHED_AT,
    RUN_ID,
)
"""Columns of the config `rejected`: one row a page that was not published, without its text."""

CONFIGS: dict[str, tuple[Column, ...]] = {"articles": ARTICLES, "copies": COPIES, "rejected": REJECTED}
"""The configs of a published dataset, the default one first."""
