"""A page at a glance: cheap numbers and signs from its markup, blocks and address, before its article is sought."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import log1p
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from lxml.html import HtmlElement

from cleaning.language import spaced_words
from cleaning.page import jsonld
from cleaning.page.blocks import Block, Segments
from cleaning.page.decode import one_line
from cleaning.page.families import FAMILIES

Row = npt.NDArray[np.float32]
"""The numbers of a page, as an array of (1, `len(NAMES)`)."""

PROSE = 80
"""Characters of a block that lists and menus rarely have; an unlinked one of them counts as prose."""
_LONG = 200
_LINKED = 0.3
_DIGIT = re.compile(r"\d")
_PRICE = re.compile(r"[$€£¥₹]\s?\d|\d\s?(?:€|zł|kr|руб|USD|EUR)\b")
_WORD_OF_OTHERS = re.compile(r"\b(?:you|your|we|our)\b")
_NOTICE = 2_000
_SHELL_IDS = frozenset({"root", "app", "__next", "__nuxt", "___gatsby", "app-root", "react-root", "main-app", "svelte"})
"""Ids of the element that frameworks of scripts fill, by their own templates."""
_SHELL_TAGS = ("app-root", "ng-app", "app-component")
_TAGS = ("p", "li", "tr", "figcaption", "div", "h2", "h3", "pre", "dd", "blockquote")
_NOTED = ("product", "comment", "teaser", "form", "nav", "list", "body", "byline", "meta", "related", "caption", "live")

SCHEMA_KINDS = {
    "article": jsonld.ARTICLE_TYPES,
    "video": frozenset({"VideoObject", "Movie", "TVEpisode", "BroadcastEvent", "PodcastEpisode", "MusicRecording"}),
    "gallery": frozenset({"ImageGallery", "MediaGallery", "ImageObjectGallery"}),
    "product": frozenset(
        {"Product", "ProductGroup", "Offer", "AggregateOffer", "SoftwareApplication", "OfferCatalog", "Book"}
    ),
    "forum": frozenset({"DiscussionForumPosting", "QAPage", "Question", "Answer"}),
    "list": frozenset({"ItemList", "SearchResultsPage", "ProfilePage", "Blog"}),
    "section": frozenset({"CollectionPage"}),
    "service": frozenset({"Service", "LocalBusiness", "ProfessionalService", "FAQPage", "HowTo", "Course"}),
}
"""schema.org types by the kind of page that they speak for."""
PATHS = {
    kind: re.compile(rf"(?:^|/)(?:{words})(?=[/.]|$)", re.I)
    for kind, words in {
        "article": r"news|article|articles|story|blog|opinion|20[012]\d",
        "list": r"category|categories|tags?|archives?|authors?|search|suche|recherche|buscar|collections?|list|index"
        r"|page|directory|results?",
        "section": r"topics?|sections?|ressort|rubrik|rubrique|seccion|channel",
        "product": r"products?|shop|store|item|dp|buy|p",
        "forum": r"forums?|threads?|questions?|community|discussions?|viewtopic|t|r|q",
        "document": r"docs?|documentation|api|reference|guides?|manual|help|support|wiki|learn|tutorial|kb",
        "service": r"services?|solutions?|about|contact|pricing|features|platform|industries",
        "video": r"videos?|watch|vídeos?|mediathek|tv",
        "gallery": r"gallery|galleries|photos?|slideshows?|fotos?|galer[ií]as?|bilder|fotostrecken?|diaporamas?"
        r"|in-pictures",
    }.items()
}
"""Parts of an address's path by the kind of page that they are common on."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page says of itself: schema.org types, `og:type`, its title, the first heading, and what it loads.

    `kinds` are the keys of SCHEMA_KINDS that its types speak for; `scripts` counts script elements, `videos` players
    and frames; `notice` is what the page tells readers without scripts, and `is_shell` whether it has an element that
    scripts are to fill; `path` is the address's, "/" for none.
    """

    kinds: frozenset[str] = frozenset()
    og_type: str = ""
    title: str = ""
    heading: str = ""
    scripts: int = 0
    videos: int = 0
    notice: str = ""
    is_shell: bool = False
    path: str = "/"
    query: str = ""

    @property
    def is_declared_article(self) -> bool:
        """Whether the page calls itself an article."""
        return "article" in self.kinds or "article" in self.og_type


def signs_of(tree: HtmlElement, url: str, stated: list[jsonld.Node] | None = None) -> Signs:
    """Reads the signs of a parsed page; `tree` is not changed. `stated` is its JSON-LD, where that is read already."""
    types = {kind for node in (jsonld.nodes(tree) if stated is None else stated) for kind in jsonld.types(node)}
    counts = Counter(str(element.tag) for element in tree.iter("script", "video", "iframe"))
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    return Signs(
        kinds=frozenset(name for name, known in SCHEMA_KINDS.items() if types & known),
        og_type=_og_type(tree),
        title=_text_of_first(tree, "title"),
        heading=_text_of_first(tree, "h1"),
        scripts=counts["script"],
        videos=counts["video"] + counts["iframe"],
        notice=" ".join(text for element in tree.iter("noscript") if (text := _text(element)))[:_NOTICE],
        is_shell=any(_is_shell(element) for element in tree.iter("body", "div", "main", *_SHELL_TAGS)),
        path=parts.path or "/",
        query=parts.query,
    )


def _og_type(tree: HtmlElement) -> str:
    for element in tree.iter("meta"):
        if element.get("property") == "og:type":
            return (element.get("content") or "").strip().lower()[:40]
    return ""


def _text_of_first(tree: HtmlElement, tag: str) -> str:
    return next((text for element in tree.iter(tag) if (text := _text(element))), "")


def _text(element: HtmlElement) -> str:
    return one_line(" ".join(islice(element.itertext(), 50))[:1_000])


def _is_shell(element: HtmlElement) -> bool:
    is_named = element.get("id") in _SHELL_IDS or element.tag in _SHELL_TAGS
    return is_named and len(element) < 2 and not _text(element)


def prose_of(found: Segments) -> list[Block]:
    """The blocks that are long and hardly linked."""
    return [block for block in found.blocks if _is_prose(block)]


def _is_prose(block: Block) -> bool:
    size = len(block.text)
    return block.extent > PROSE and block.link_chars < _LINKED * size


def has_price(text: str) -> bool:
    """Whether a text names a sum of money."""
    return bool(_DIGIT.search(text) and _PRICE.search(text))


def glance(found: Segments, signs: Signs) -> Row:
    """The numbers of one page, as one row of (1, `len(NAMES)`); finite everywhere."""
    values = _block_values(found) | _sign_values(signs)
    return np.asarray([[values[name] for name in NAMES]], np.float32)


def _block_values(found: Segments) -> dict[str, float]:
    blocks, prose = found.blocks, prose_of(found)
    size = max(1, len(blocks))
    chars = sum(block.extent for block in blocks) or 1
    prose_chars = sum(block.extent for block in prose)
    homes = Counter(found.containers[block.container].parent for block in prose)
    tags = Counter(found.tag(block) for block in blocks)
    prose_tags = Counter(found.tag(block) for block in prose)
    return {
        "blocks": size,
        "chars": log1p(chars),
        "linked": sum(block.link_chars * block.extent / len(block.text) for block in blocks) / chars,
        "links": sum(block.links for block in blocks) / size,
        "prose": len(prose),
        "prose_chars": log1p(prose_chars),
        "prose_share": prose_chars / chars,
        "prose_mean": prose_chars / max(1, len(prose)),
        "long": sum(block.extent > _LONG for block in prose),
        "one_home": max(homes.values(), default=0) / max(1, len(prose)),
        "largest_home": max(homes.values(), default=0),
        "prose_paragraphs": prose_tags["p"] / max(1, len(prose)),
        "stops": sum(block.text.endswith((".", "!", "?", "”", '"', "»", "。")) for block in prose) / max(1, len(prose)),
        "prices": sum(has_price(block.text[:200]) for block in blocks) / size,
        "addressed": sum(bool(_WORD_OF_OTHERS.search(block.text.lower())) for block in prose) / max(1, len(prose)),
        "headings": (tags["h2"] + tags["h3"]) / size,
        **{f"tag_{tag}": tags[tag] / size for tag in _TAGS},
        **_family_values(found),
    }


def _family_values(found: Segments) -> dict[str, float]:
    masks = np.asarray([found.containers[block.container].far for block in found.blocks], np.int64)
    bits = {name: (masks >> FAMILIES.index(name)) & 1 for name in _NOTED}
    return {f"family_{name}": float(bit.mean()) if len(bit) else 0.0 for name, bit in bits.items()}


def _sign_values(signs: Signs) -> dict[str, float]:
    last = signs.path.rstrip("/").rpartition("/")[2]
    return {
        **{f"json_{kind}": float(kind in signs.kinds) for kind in SCHEMA_KINDS},
        "json_any": float(bool(signs.kinds)),
        "og_article": float("article" in signs.og_type),
        "og_website": float(signs.og_type == "website"),
        "og_other": float(bool(signs.og_type) and signs.og_type not in ("article", "website")),
        "title_words": spaced_words(signs.title),
        "heading_words": spaced_words(signs.heading),
        "depth": signs.path.rstrip("/").count("/"),
        "dashes": last.count("-") + last.count("_"),
        "last_chars": len(last),
        "digits": sum(map(str.isdigit, signs.path)),
        "query": len(signs.query),
        **{f"path_{kind}": float(bool(pattern.search(signs.path))) for kind, pattern in PATHS.items()},
    }


def _names() -> Iterator[str]:
    yield from _block_values(Segments())
    yield from _sign_values(Signs())


NAMES = tuple(_names())
"""Names of the numbers, in the order of the columns of `glance`."""
