"""Article or not: a page's markup, address and text against those of lists, products, forums and services."""

import re
from collections import Counter
from math import log1p
from urllib.parse import urlsplit

import numpy as np

from cleaning.article.columns import Array
from cleaning.article.selection import Selection, expected_f1
from cleaning.language import spaced_words
from cleaning.metadata.find import Metadata
from cleaning.metadata.times import GUESSED
from cleaning.page.blocks import Segments
from cleaning.page.families import FAMILIES
from cleaning.page.glance import has_price
from cleaning.page.jsonld import ARTICLE_TYPES

_BLOCKS, _MEAN, _CHARS = 4, 60, 500
"""Paragraphs, their mean length and all their characters, from which on signed text counts as prose."""
_FEW_LINKS, _LEAST = 0.1, 0.1
_OTHER_SIGNS = (
    "json_product", "json_forum", "json_list", "json_service", "og_product", "path_forum", "path_document", "docs_host",
)  # fmt: skip
_SURE = 0.5
"""Score from which on a kept block speaks for the page: what is taken below it, for want of better, tells nothing."""
_LONG = 200
"""Characters of a paragraph that prose has and lists have not."""
_KINDS = {
    "article": ARTICLE_TYPES,
    "list": frozenset({"CollectionPage", "ItemList", "SearchResultsPage", "OfferCatalog", "Blog", "ProfilePage"}),
    "product": frozenset({"Product", "Offer", "AggregateOffer", "SoftwareApplication", "ProductGroup", "Book"}),
    "forum": frozenset({"DiscussionForumPosting", "QAPage", "Question", "Answer", "Comment"}),
    "service": frozenset(
        {"Service", "LocalBusiness", "ProfessionalService", "FAQPage", "HowTo", "Course", "Dentist", "LegalService"}
    ),
    "media": frozenset({"VideoObject", "ImageGallery", "PodcastEpisode", "MusicRecording", "Movie"}),
    "document": frozenset({"TechArticle", "APIReference", "WebApplication", "SoftwareSourceCode"}),
}
_PATH_WORDS = {
    "path_article": r"news|article|story|blog|post|opinion|20[012]\d",
    "path_list": r"category|tags?|topics?|section|archive|author|search|collections?|list|index|page|directory"
    r"|resources",
    "path_product": r"products?|shop|store|item|dp|buy|p",
    "path_forum": r"forums?|threads?|topic|questions?|community|discussion|viewtopic|comments|t|r|q",
    "path_document": r"docs?|documentation|api|reference|guides?|manual|help|support|wiki|learn|tutorial|kb"
    r"|latest|stable",
    "path_service": r"services?|solutions?|about|contact|pricing|features|platform|industries|practice-areas|company",
    "path_media": r"videos?|gallery|galleries|photos?|podcasts?|watch|live",
}
_PATH = {name: re.compile(rf"(?:^|[/.])(?:{words})(?=[/.]|$)", re.I) for name, words in _PATH_WORDS.items()}
_NOTED_FAMILIES = (
    "product",
    "comment",
    "teaser",
    "form",
    "related",
    "byline",
    "body",
    "content",
    "nav",
    "list",
    "live",
    "meta",
)
_HOW = ("", "json-ld", "microdata", "time element", "url", "htmldate")


def page_features(found: Segments, selection: Selection, metadata: Metadata, url: str) -> Array:
    """The features of one page, as one row of (1, `len(NAMES)`)."""
    values = _text_values(found, selection) | _metadata_values(metadata) | _address_values(url)
    return np.asarray([[values[name] for name in NAMES]], np.float32)


def _text_values(found: Segments, selection: Selection) -> dict[str, float]:
    scores = np.asarray([choice.score for choice in selection.choices], np.float32)
    is_sure = np.asarray([choice.kept and choice.score >= _SURE for choice in selection.choices], np.bool_)
    kept = [block for block, sure in zip(found.blocks, is_sure.tolist(), strict=True) if sure]
    text = "\n".join(block.text for block in kept)
    lower = text.lower()
    chars = sum(block.extent for block in found.blocks) or 1
    kept_chars = sum(block.extent for block in kept) or 1
    long = [block for block in kept if block.extent > _LONG]
    homes = Counter(block.container for block in kept if block.extent > 80)
    parents: Counter[int] = Counter()
    for container, count in homes.items():
        parents[found.containers[container].parent] += count
    masks = np.asarray([found.containers[block.container].far for block in found.blocks], np.int64)
    return {
        "kept_chars": log1p(kept_chars),
        "kept_blocks": len(kept),
        "kept_mean": kept_chars / max(1, len(kept)),
        "kept_share": kept_chars / chars,
        "kept_links": sum(block.link_chars for block in kept) / kept_chars,
        "kept_link_count": sum(block.links for block in kept) / max(1, len(kept)),
        "long_share": sum(block.extent for block in long) / kept_chars,
        "long_count": len(long),
        "one_parent": max(parents.values(), default=0) / max(1, sum(parents.values())),
        "confidence": expected_f1(found, scores, is_sure),
        "doubtful": sum(0.2 < choice.score < 0.8 for choice in selection.choices) / max(1, len(selection.choices)),
        "page_blocks": len(found.blocks),
        "page_chars": log1p(chars),
        "page_links": sum(block.link_chars for block in found.blocks) / chars,
        "prices": sum(has_price(block.text) for block in found.blocks) / max(1, len(found.blocks)),
        "kept_prices": sum(has_price(block.text) for block in kept) / max(1, len(kept)),
        "questions": sum(block.text.endswith("?") for block in kept) / max(1, len(kept)),
        "first_person": len(re.findall(r"\bI(?:'m|'ve)?\b", text)) * 1000 / kept_chars,
        "you": len(re.findall(r"\byour?\b", lower)) * 1000 / kept_chars,
        "we": len(re.findall(r"\b(?:we|our)\b", lower)) * 1000 / kept_chars,
        "said": len(re.findall(r"\bsa(?:id|ys)\b|[”\"»]", text)) * 1000 / kept_chars,
        **{
            f"family_{name}": float(((masks >> FAMILIES.index(name)) & 1).mean()) if len(masks) else 0.0
            for name in _NOTED_FAMILIES
        },
    }


def _metadata_values(metadata: Metadata) -> dict[str, float]:
    kinds = set(metadata.json_types)
    og = metadata.page_type
    return {
        **{f"json_{name}": float(bool(kinds & types)) for name, types in _KINDS.items()},
        "json_any": float(bool(kinds)),
        "og_article": float("article" in og or "blog" in og),
        "og_website": float(og == "website"),
        "og_product": float("product" in og),
        "og_other": float(bool(og) and not re.search(r"article|blog|website|product", og)),
        "dated": float(
            next(
                (i for i, name in enumerate(_HOW) if name and metadata.published_how.startswith(name)),
                6 if metadata.published_how not in ("", GUESSED) else 0,
            )
        ),
        "modified": float(metadata.modified_at is not None),
        "authors": len(metadata.authors),
        "section": float(bool(metadata.section)),
        "tags": len(metadata.tags),
        "title_words": spaced_words(metadata.title),
        "headings": len(metadata.headings),
        "described": log1p(len(metadata.description)),
    }


def _address_values(url: str) -> dict[str, float]:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    last = parts.path.rstrip("/").rpartition("/")[2]
    return {
        "depth": parts.path.rstrip("/").count("/"),
        "dashes": last.count("-") + last.count("_"),
        "last_chars": len(last),
        "path_digits": sum(map(str.isdigit, parts.path)),
        "query": len(parts.query),
        "html": float(last.endswith((".html", ".htm", ".php", ".aspx"))),
        "blog_host": float(bool(re.search(r"blog|news|medium|substack|wordpress", parts.netloc))),
        "docs_host": float(
            bool(re.search(r"docs|help|support|developer|wiki|forum|community|shop|store", parts.netloc))
        ),
        **{name: float(bool(pattern.search(parts.path))) for name, pattern in _PATH.items()},
    }


def _names() -> tuple[str, ...]:
    empty = Selection("", (), 0.0)
    return (*_text_values(Segments(), empty), *_metadata_values(Metadata()), *_address_values(""))


NAMES = _names()
"""Names of the page features, in the order of the columns of `page_features`."""


def is_article(row: Array, score: float, cut: float, metadata: Metadata) -> bool:
    """Whether a page with these features and this score of the gate is an article.

    Signed and dated prose passes at a low score too, unless the page says that it is something else, because the gate
    was fitted on few layouts of news sites. Out of fold that cost .001 of precision for .005 of recall.
    """
    if score >= cut:
        return True
    value = dict(zip(NAMES, row[0].tolist(), strict=True))
    signed = bool(metadata.authors) and metadata.published_how not in ("", "htmldate", GUESSED)
    is_prose = value["kept_blocks"] >= _BLOCKS and value["kept_mean"] >= _MEAN and value["kept_links"] < _FEW_LINKS
    is_prose = is_prose and value["kept_chars"] >= log1p(_CHARS)
    other = any(value[name] for name in _OTHER_SIGNS) or (value["json_any"] and not value["json_article"])
    return signed and is_prose and not other and score >= _LEAST
