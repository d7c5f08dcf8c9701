"""Numbers that tell an article's blocks from the rest of a page: one row a block, for the classifier in `selection`."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from cleaning.article.columns import Array, Column, column
from cleaning.article.furniture import is_about_outlet, is_caption, reason_of
from cleaning.article.overlap import Versions, overlap_columns
from cleaning.article.trunk import NAMES as TRUNK
from cleaning.article.trunk import trunk_columns
from cleaning.page.blocks import REGIONS, Container, Segments
from cleaning.page.families import FAMILIES
from cleaning.page.jsonld import ARTICLE_TYPES

_STOPS = tuple(".!?…。！？؟۔।")
_CLOSERS = "\"'”’»)]›“」』）】"
_ADDRESS = re.compile(r"https?://|www\.|\w@\w")
_START = 200
"""Characters of a block whose letters and digits are counted."""
_UPPER, _DIGITS = string.ascii_uppercase.encode(), string.digits.encode()
_ENGLISH = re.compile(r" (?:the|and|of|to|in) ")
_SAMPLE = 20_000
"""Characters of a page's prose that its language is judged by."""
_TAG_NAMES = (
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "li",
    "blockquote",
    "tr",
    "figcaption",
    "div",
    "pre",
    "dd",
    "section",
    "article",
    "aside",
)
_TAGS = {name: number for number, name in enumerate(_TAG_NAMES)}
_REASONS = (
    "image placeholder",
    "image credit",
    "copyright",
    "syndication",
    "credit",
    "comments",
    "share prompt",
    "follow prompt",
    "newsletter prompt",
    "paywall prompt",
    "consent",
    "advertisement",
    "related",
    "navigation",
    "publication line",
    "about the outlet",
    "ornament",
)
_REACH = 3
"""Neighbours that a block sees on each side."""


def featurize(found: Segments, versions: Versions) -> Array:
    """The features of the blocks of a page, as an array of (blocks, `len(NAMES)`); finite everywhere."""
    if not found.blocks:
        return np.zeros((0, len(NAMES)), np.float32)
    columns = _text_columns(found) | _place_columns(found) | overlap_columns(found.blocks, versions)
    columns |= _container_columns(found) | _signature_columns(found, columns)
    columns |= _order_columns(columns) | _page_columns(found, columns) | _kind_columns(found, versions.kinds)
    columns |= trunk_columns(found, np.expm1(columns["chars"]), columns["chosen"], columns["link_density"])
    return np.stack([columns[name] for name in NAMES], axis=1).astype(np.float32)


def _text_columns(found: Segments) -> dict[str, Column]:
    texts = [block.text for block in found.blocks]
    chars = column([len(text) for text in texts])
    reasons = [reason_of(text) for text in texts]
    ends = [text.rstrip(_CLOSERS) for text in texts]
    starts = [text[:_START] for text in texts]
    return {
        "chars": np.log1p(column([block.extent for block in found.blocks])),
        "words": column([block.text.count(" ") + 1 + (block.extent - len(block.text)) // 4 for block in found.blocks]),
        "stops": column([end.endswith(_STOPS) for end in ends]),
        "colon": column([text.endswith((":", "：")) for text in texts]),
        "dots": column([text.endswith(("...", "…")) for text in texts]),
        "sentences": column(
            [text.count(". ") + text.count("? ") + text.count("! ") + text.count("。") for text in texts]
        ),
        "starts_upper": column([text[0].isupper() for text in texts]),
        "starts_lower": column([text[0].islower() for text in texts]),
        "starts_quote": column([text[0] in "\"'“„«‚‘—–-" for text in texts]),
        "upper": column([_count(start, str.isupper, _UPPER) for start in starts]) / np.minimum(chars, _START),
        "digits": column([_count(start, str.isdigit, _DIGITS) for start in starts]) / np.minimum(chars, _START),
        "commas": column([text.count(",") + text.count("、") + text.count("，") for text in texts]),
        "bars": column([text.count("|") + text.count("•") + text.count("·") for text in texts]),
        "address": column([_has_address(text) for text in texts]),
        "rights": column(["©" in text for text in texts]),
        "links": column([block.links for block in found.blocks]),
        "link_density": column([block.link_chars for block in found.blocks]) / chars,
        "strong_density": column([block.strong_chars for block in found.blocks]) / chars,
        "after_break": column([block.after_break for block in found.blocks]),
        "furniture": column([_REASONS.index(reason) if reason in _REASONS else -1 for reason in reasons]),
        "caption": column([is_caption(text) for text in texts]),
        "about": column(
            [is_about_outlet(text) if length > 60 else False for text, length in zip(texts, chars, strict=True)]
        ),
        "copies": column([*map(Counter(texts).__getitem__, texts)]),
    }


def _count(text: str, is_one: Callable[[str], bool], codes: bytes) -> int:
    """How many characters are of a kind, which in ASCII has these codes."""
    if not text.isascii():
        return sum(map(is_one, text))
    return len(text) - len(text.encode().translate(None, codes))


def _has_address(text: str) -> bool:
    return ("@" in text or "www." in text or "://" in text) and bool(_ADDRESS.search(text))


def _place_columns(found: Segments) -> dict[str, Column]:
    own = [found.containers[block.container] for block in found.blocks]
    parents = [_parent(found, container) for container in own]
    close = np.asarray([near(found, container) for container in own], np.int64)
    far = np.asarray([container.far for container in own], np.int64)
    regions = np.asarray([container.regions for container in own], np.int64)
    columns = {f"near_{name}": _bit(close, i) for i, name in enumerate(FAMILIES)}
    columns |= {f"far_{name}": _bit(far, i) for i, name in enumerate(FAMILIES)}
    columns |= {f"in_{name}": _bit(regions, i) for i, name in enumerate(REGIONS)}
    columns["tag"] = column([_TAGS.get(container.tag, len(_TAGS)) for container in own])
    columns["parent_tag"] = column([_TAGS.get(parent.tag, len(_TAGS)) for parent in parents])
    columns["depth"] = column([container.depth for container in own])
    return columns | _article_columns(found)


def _article_columns(found: Segments) -> dict[str, Column]:
    """Which of the page's `article` elements and stretches under an `h1` a block lies in, and that element's size."""
    total = max(1, found.containers[0].paragraph_chars)
    number, home = -1, [-1] * len(found.containers)
    numbers = [-1] * len(found.containers)
    for i, container in enumerate(found.containers):
        if container.tag == "article":
            number += 1
            home[i], numbers[i] = i, number
        elif container.parent >= 0:
            home[i], numbers[i] = home[container.parent], numbers[container.parent]
    homes = [home[block.container] for block in found.blocks]
    sizes = [found.containers[i].paragraph_chars / total if i >= 0 else -1.0 for i in homes]
    largest = max(sizes)
    return {
        "article_number": column([numbers[block.container] for block in found.blocks]),
        "article_share": column(sizes),
        "largest_article": column([size == largest for size in sizes]),
        "h1_passed": np.cumsum([found.tag(block) == "h1" for block in found.blocks]).astype(np.float32),
    }


def _bit(masks: npt.NDArray[np.int64], i: int) -> Column:
    return ((masks >> i) & 1).astype(np.float32)


def _parent(found: Segments, container: Container) -> Container:
    return found.containers[container.parent] if container.parent >= 0 else container


def near(found: Segments, container: Container) -> int:
    """The mask of the class families of a container, its parent and its grandparent."""
    parent = _parent(found, container)
    return container.own | parent.own | _parent(found, parent).own


def _container_columns(found: Segments) -> dict[str, Column]:
    """Sizes and link densities of a block's container and the two around it, and their share of the paragraphs."""
    total = max(1, found.containers[0].paragraph_chars if found.containers else 1)
    columns: dict[str, Column] = {}
    level = [found.containers[block.container] for block in found.blocks]
    for name in ("own", "parent", "grand"):
        chars = column([container.chars for container in level])
        columns[f"{name}_chars"] = np.log1p(chars)
        columns[f"{name}_link_density"] = column([container.link_chars for container in level]) / np.maximum(chars, 1)
        columns[f"{name}_blocks"] = column([container.blocks for container in level])
        columns[f"{name}_share"] = column([container.paragraph_chars / total for container in level])
        level = [_parent(found, container) for container in level]
    return columns


def _signature_columns(found: Segments, columns: dict[str, Column]) -> dict[str, Column]:
    """What blocks of the same markup (tag and class, and those of the parent) have in common on this page."""
    numbers: dict[str, int] = {}
    group = np.asarray(
        [numbers.setdefault(found.containers[block.container].signature, len(numbers)) for block in found.blocks]
    )
    size = np.bincount(group)
    result: dict[str, Column] = {"alike": size[group].astype(np.float32)}
    for name in ("chars", "link_density", "chosen", "stops"):
        result[f"alike_{name}"] = (np.bincount(group, columns[name]) / size)[group].astype(np.float32)
    return result


def _order_columns(columns: dict[str, Column]) -> dict[str, Column]:
    """What stands around each block in reading order: neighbours, marks passed, the stretch that trafilatura chose."""
    size = len(columns["chars"])
    result: dict[str, Column] = {}
    for name in _SEEN:
        padded = np.pad(columns[name], _REACH, constant_values=-1)
        for step in _STEPS:
            result[f"{name}{step:+d}"] = padded[_REACH + step : _REACH + step + size]
    chosen = columns["chosen"]
    for width in (5, 12):
        result[f"chosen_within_{width}"] = (
            np.convolve(chosen, np.ones(2 * width + 1), "same").astype(np.float32) / (2 * width + 1)
            if size > 2 * width
            else np.full(size, chosen.mean(), np.float32)
        )
    order = np.arange(size, dtype=np.float32)
    marks = {
        "title": columns["of_title"] > 0.8,
        "related": columns["furniture"] == _REASONS.index("related"),
        "comments": columns["furniture"] == _REASONS.index("comments"),
        "heading": (columns["tag"] >= 1) & (columns["tag"] <= 4),
        "furniture": columns["furniture"] >= 0,
        "chosen": chosen > 0.5,
    }
    for name, hits in marks.items():
        last = np.maximum.accumulate(np.where(hits, order, -1))
        result[f"since_{name}"] = np.where(last < 0, 999, order - last).astype(np.float32)
    where = np.flatnonzero(marks["chosen"])
    first, final = (where[0], where[-1]) if len(where) else (0, size)
    result["from_first_chosen"] = order - first
    result["from_last_chosen"] = order - final
    result["furniture_share"] = np.cumsum(marks["furniture"]).astype(np.float32) / size
    return result


def _page_columns(found: Segments, columns: dict[str, Column]) -> dict[str, Column]:
    size = len(found.blocks)
    chars = np.expm1(columns["chars"])
    taken = float((chars * columns["chosen"]).sum())
    page = {
        "page_blocks": size,
        "page_chosen": np.log1p(taken),
        "page_chosen_share": taken / max(1.0, float(chars.sum())),
        "page_paragraphs": np.log1p(found.containers[0].paragraph_chars),
    }
    result: dict[str, Column] = {name: np.full(size, value, np.float32) for name, value in page.items()}
    result["position"] = np.arange(size, dtype=np.float32) / size
    result["chars_before"] = (np.cumsum(chars) / max(1.0, float(chars.sum()))).astype(np.float32)
    return result


def _kind_columns(found: Segments, kinds: Sequence[str]) -> dict[str, Column]:
    """What the page says it is, and how much of its prose reads as English, the language of most labelled guides."""
    prose = " ".join(block.text for block in found.blocks if len(block.text) > 80)[:_SAMPLE]
    news = 2 if any("News" in kind for kind in kinds) else int(bool(ARTICLE_TYPES.intersection(kinds)))
    page = {"news": news, "typed": bool(kinds), "english": 1000 * len(_ENGLISH.findall(prose)) / max(1, len(prose))}
    return {name: np.full(len(found.blocks), value, np.float32) for name, value in page.items()}


_SEEN = ("chosen", "chars", "link_density", "stops", "furniture", "tag")
_STEPS = (-3, -2, -1, 1, 2, 3)


def _names() -> tuple[str, ...]:
    text = (
        "chars words stops colon dots sentences starts_upper starts_lower starts_quote upper digits commas bars "
        "address rights links link_density strong_density after_break furniture caption about copies"
    )
    words = (
        "chosen body repeats repeated article_number article_share largest_article h1_passed in_title of_title "
        "in_description of_description tag parent_tag depth"
    )
    places = [
        *(f"near_{name}" for name in FAMILIES),
        *(f"far_{name}" for name in FAMILIES),
        *(f"in_{name}" for name in REGIONS),
    ]
    containers = [
        f"{level}_{what}"
        for level in ("own", "parent", "grand")
        for what in ("chars", "link_density", "blocks", "share")
    ]
    alike = "alike alike_chars alike_link_density alike_chosen alike_stops"
    around = [f"{name}{step:+d}" for name in _SEEN for step in _STEPS]
    order = (
        "chosen_within_5 chosen_within_12 since_title since_related since_comments since_heading since_furniture "
        "since_chosen from_first_chosen from_last_chosen furniture_share"
    )
    page = "page_blocks page_chosen page_chosen_share page_paragraphs position chars_before news typed english"
    listed = (text, words, " ".join([*places, *containers]), alike, " ".join(around), order, page, " ".join(TRUNK))
    return tuple(name for names in listed for name in names.split())


NAMES = _names()
"""Names of the features, in the order of the columns of `featurize`."""
