"""HTML to article: one page in, one record with a verdict out."""

import hashlib
from dataclasses import dataclass, replace
from importlib.metadata import version

from lxml.html import HtmlElement
from resiliparse.extract.html2text import extract_plain_text
from trafilatura import bare_extraction
from trafilatura.settings import Document

from cleaning.article.bios import without_bios
from cleaning.article.forest import model
from cleaning.article.gate import is_article, page_features
from cleaning.article.lede import with_lede, without_lede
from cleaning.article.overlap import Versions
from cleaning.article.selection import Choice, Selection, select
from cleaning.article.trimming import without_box_headings, without_embeds
from cleaning.language import count_words, language_of
from cleaning.metadata.find import Metadata, find_metadata
from cleaning.page import jsonld
from cleaning.page.blocks import Block, Segments, segment
from cleaning.page.decode import decode, is_html, one_line, repair_mojibake, repair_page, tidy
from cleaning.page.glance import Signs, glance, signs_of
from cleaning.page.kinds import Kind, media_kind, other_kind, stand_in
from cleaning.page.tree import parse
from cleaning.schema import Extraction, Page
from cleaning.urls import canonical, host_of
from cleaning.verdict import Verdict

EXTRACTOR = "likewise"
EXTRACTOR_VERSION = f"0.1+trafilatura-{version('trafilatura')}"
_MAX_BYTES = 20_000_000
_DEEP = 200
"""Block-level elements inside each other; of 324 real pages the deepest has 44."""


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    """What counts as an article: `min_words` of text at least; pages over `max_bytes` are not parsed.

    `least_article` is the score of the article gate, 0..1, from which on a page counts as an article; by default the
    cut at which the gate was calibrated, on pages of all kinds. `models` is the folder of the models to use instead of
    the shipped ones; only evaluation has other ones. `lede` keeps the standfirst above the article in its text.
    """

    min_words: int = 40
    max_bytes: int = _MAX_BYTES
    least_article: float | None = None
    models: str = ""
    lede: bool = True


@dataclass(frozen=True, slots=True)
class Examined:
    """A page's record with what it rests on: its blocks in reading order, and the choice on each of them.

    Both are empty where the page was turned away before it was taken apart.
    """

    record: Extraction
    blocks: tuple[Block, ...] = ()
    choices: tuple[Choice, ...] = ()


def extract(page: Page, options: ExtractOptions = ExtractOptions()) -> Extraction:
    """Cleans one page into an article, or into a verdict with its reason; never raises for any body.

    Memory and time are bounded by `options.max_bytes` only: a caller that meets hostile pages runs this in a worker
    process with a deadline.
    """
    return examine(page, options).record


def examine(page: Page, options: ExtractOptions = ExtractOptions()) -> Examined:
    """What `extract` gives, with the blocks of the page and why each was kept or left out."""
    record = _stamp(page)
    if refused := _refusal(page, options):
        verdict, reason = refused
        return Examined(replace(record, verdict=verdict, reason=reason))
    tree = parse(repair_page(decode(page.body, page.content_type).text))
    if tree is None:
        return Examined(replace(record, verdict=Verdict.NO_TEXT, reason="the markup holds no element"))
    stated = jsonld.nodes(tree)
    found, signs = segment(tree), signs_of(tree, record.url, stated)
    if kind := _turned_away(found, signs, options):
        return Examined(replace(record, verdict=kind[0], reason=kind[1], title=signs.title or record.title))
    metadata = find_metadata(tree, record.url, stated)
    versions = versions_of(tree, metadata, is_deep=any(container.depth > _DEEP for container in found.containers))
    chosen = without_box_headings(found, without_embeds(found, select(found, versions, options.models)))
    chosen = without_bios(found, chosen, metadata.authors)
    chosen = (with_lede if options.lede else without_lede)(found, chosen, metadata)
    text = chosen.text or _lines(versions.chosen)
    record = replace(_describe(record, metadata, text), confidence=chosen.confidence)
    return Examined(_judged(record, found, chosen, metadata, signs, options), tuple(found.blocks), chosen.choices)


def _refusal(page: Page, options: ExtractOptions) -> tuple[Verdict, str] | None:
    """Why a page is not looked into, by its size, type and status."""
    if len(page.body) > options.max_bytes:
        return Verdict.TOO_LARGE, f"{len(page.body)} bytes, over {options.max_bytes}"
    if not is_html(page.body, page.content_type):
        return Verdict.NOT_HTML, f"content type {page.content_type or 'unknown'}"
    if page.status >= 400:
        return Verdict.ERROR_PAGE, f"HTTP status {page.status}"
    return None


def _turned_away(found: Segments, signs: Signs, options: ExtractOptions) -> Kind | None:
    """Why a page is obviously no article, by what it says and what it is made of, before its article is sought.

    Out of fold this loses 1 of 916 articles, a page without text, and saves the work on 4 of 10 other pages
    (`cleaning/data/prefilter.json`).
    """
    if kind := stand_in(found, signs) or _too_little(found, options.min_words) or media_kind(found, signs):
        return kind
    judge = model("prefilter", options.models)
    score = float(judge.probability(glance(found, signs))[0])
    if score >= judge.cut:
        return None
    verdict, reason = other_kind(found, signs)
    return verdict, f"{reason} (score {score:.2f} at a glance)"


def _too_little(found: Segments, least: int) -> Kind | None:
    """The verdict on a page that has fewer words, with all its furniture, than an article must have."""
    if len(found.blocks) >= least:
        return None
    words = sum(count_words(block.text) for block in found.blocks)
    if words >= least:
        return None
    if not words:
        return Verdict.NO_TEXT, "the page shows no text"
    return Verdict.TOO_SHORT, f"the whole page has {words} words, under {least}"


def _judged(
    record: Extraction,
    found: Segments,
    chosen: Selection,
    metadata: Metadata,
    signs: Signs,
    options: ExtractOptions,
) -> Extraction:
    """The record with its verdict: too short, an article, or another kind of page."""
    text = record.text
    if not text:
        return replace(record, verdict=Verdict.NO_TEXT, reason="no block of text reads as an article's")
    if record.word_count < options.min_words:
        return replace(
            record, verdict=Verdict.TOO_SHORT, reason=f"{record.word_count} words, under {options.min_words}"
        )
    judge = model("gate", options.models)
    row = page_features(found, chosen, metadata, record.url)
    score = float(judge.probability(row)[0])
    if not is_article(row, score, options.least_article or judge.cut, metadata):
        verdict, reason = other_kind(found, signs)
        return replace(record, verdict=verdict, reason=f"{reason} (article score {score:.2f})")
    return record


def _lines(text: str) -> str:
    """A text of one paragraph a line, tidy, with empty lines between the paragraphs."""
    lines = tidy(repair_mojibake(text)).split("\n")
    return "\n\n".join(line.strip() for line in lines if line.strip())


def _stamp(page: Page) -> Extraction:
    """The record of a page before anything is known about its content."""
    return Extraction(
        url=page.url,
        verdict=Verdict.KEPT,
        domain=host_of(page.url),
        fetched_at=page.fetched_at,
        rights=page.rights,
        source=page.source,
        source_kind=page.source_kind,
        title=page.hint_title,
        published_at=page.hint_published,
        published_how="source" if page.hint_published else "",
        extractor=EXTRACTOR,
        extractor_version=EXTRACTOR_VERSION,
        warc_file=page.warc_file,
        warc_offset=page.warc_offset,
        content_sha256=hashlib.sha256(page.body).hexdigest(),
    )


def _describe(record: Extraction, metadata: Metadata, text: str) -> Extraction:
    language, score = language_of(text)
    dated = metadata.published_at is not None
    return replace(
        record,
        canonical_url=metadata.canonical_url or canonical(record.url) or record.url,
        title=metadata.title or record.title,
        text=text,
        description=metadata.description,
        authors=metadata.authors,
        agency=metadata.agency,
        published_at=metadata.published_at if dated else record.published_at,
        published_how=metadata.published_how if dated else record.published_how,
        modified_at=metadata.modified_at,
        language=language,
        language_score=score,
        section=metadata.section,
        tags=metadata.tags,
        image_url=metadata.image_url,
        is_paywalled=metadata.is_paywalled,
        license=metadata.license,
        word_count=count_words(text),
    )


def versions_of(tree: HtmlElement, metadata: Metadata, *, is_deep: bool = False) -> Versions:
    """What the page's blocks are compared with. trafilatura runs in its fast mode: as a feature of the classifier its
    comparison with other extractors gained nothing on pages out of fold, and it takes a third of the time.

    It does not run on a deep page, because nested tables take it time by the square of their depth.
    """
    document = None if is_deep else bare_extraction(tree, fast=True, include_comments=False)
    text = document.text or "" if isinstance(document, Document) else ""
    return Versions(text, metadata.title, metadata.description, metadata.body, metadata.json_types)


def plain_text(page: Page) -> str:
    """All visible text of a page, furniture included, in about 1 ms: for the prefilter. Empty for what is no HTML."""
    if not is_html(page.body, page.content_type):
        return ""
    return one_line(extract_plain_text(decode(page.body, page.content_type).text, preserve_formatting=False))
