"""Numbers that tell an article's blocks from the rest of a page: one row a block, for the classifier in `selection`."""

import re
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaning.article.furniture import is_about_outlet, is_caption, reason_of
from cleaning.article.trunk import NAMES as TRUNK
from cleaning.article.trunk import trunk_columns
from cleaning.page.blocks import FAMILIES, REGIONS, Block, Container, Segments
from cleaning.page.jsonld import ARTICLE_TYPES

Array = npt.NDArray[np.float32]
Column = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.uint64]

_WORD = re.compile(r"\w+")
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
_SHINGLE = 3
"""Words of a run that is looked up in other versions of the text; shorter blocks are looked up as whole lines."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Other readings of the same page that blocks are compared with: what trafilatura took for the text, the title, the
    publisher's description, and the body that JSON-LD holds; empty where there is none. `kinds` are the page's
    schema.org types, by which news tells itself from guides: news has fact boxes beside its text, guides within it.
    """

    chosen: str = ""
    title: str = ""
    description: str = ""
    body: str = ""
    kinds: tuple[str, ...] = ()


def featurize(found: Segments, versions: Versions) -> Array:
    """The features of the blocks of a page, as an array of (blocks, `len(NAMES)`); finite everywhere."""
    if not found.blocks:
        return np.zeros((0, len(NAMES)), np.float32)
    words = _Words(found.blocks)
    columns = _text_columns(found) | _place_columns(found) | words.columns(versions)
    columns |= _container_columns(found) | _signature_columns(found, columns)
    columns |= _order_columns(columns) | _page_columns(found, columns) | _kind_columns(found, versions.kinds)
    columns |= trunk_columns(found, np.expm1(columns["chars"]), columns["chosen"], columns["link_density"])
    return np.stack([columns[name] for name in NAMES], axis=1).astype(np.float32)


def _column(values: Sequence[float]) -> Column:
    return np.asarray(values, np.float32)


def _text_columns(found: Segments) -> dict[str, Column]:
    texts = [block.text for block in found.blocks]
    chars = _column([len(text) for text in texts])
    reasons = [reason_of(text) for text in texts]
    ends = [text.rstrip(_CLOSERS) for text in texts]
    starts = [text[:_START] for text in texts]
    return {
        "chars": np.log1p(_column([block.extent for block in found.blocks])),
        "words": _column([block.text.count(" ") + 1 + (block.extent - len(block.text)) // 4 for block in found.blocks]),
        "stops": _column([end.endswith(_STOPS) for end in ends]),
        "colon": _column([text.endswith((":", "：")) for text in texts]),
        "dots": _column([text.endswith(("...", "…")) for text in texts]),
        "sentences": _column(
            [text.count(". ") + text.count("? ") + text.count("! ") + text.count("。") for text in texts]
        ),
        "starts_upper": _column([text[0].isupper() for text in texts]),
        "starts_lower": _column([text[0].islower() for text in texts]),
        "starts_quote": _column([text[0] in "\"'“„«‚‘—–-" for text in texts]),
        "upper": _column([_count(start, str.isupper, _UPPER) for start in starts]) / np.minimum(chars, _START),
        "digits": _column([_count(start, str.isdigit, _DIGITS) for start in starts]) / np.minimum(chars, _START),
        "commas": _column([text.count(",") + text.count("、") + text.count("，") for text in texts]),
        "bars": _column([text.count("|") + text.count("•") + text.count("·") for text in texts]),
        "address": _column([_has_address(text) for text in texts]),
        "rights": _column(["©" in text for text in texts]),
        "links": _column([block.links for block in found.blocks]),
        "link_density": _column([block.link_chars for block in found.blocks]) / chars,
        "strong_density": _column([block.strong_chars for block in found.blocks]) / chars,
        "after_break": _column([block.after_break for block in found.blocks]),
        "furniture": _column([_REASONS.index(reason) if reason in _REASONS else -1 for reason in reasons]),
        "caption": _column([is_caption(text) for text in texts]),
        "about": _column(
            [is_about_outlet(text) if length > 60 else False for text, length in zip(texts, chars, strict=True)]
        ),
        "copies": _column([*map(Counter(texts).__getitem__, texts)]),
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
    columns["tag"] = _column([_TAGS.get(container.tag, len(_TAGS)) for container in own])
    columns["parent_tag"] = _column([_TAGS.get(parent.tag, len(_TAGS)) for parent in parents])
    columns["depth"] = _column([container.depth for container in own])
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
        "article_number": _column([numbers[block.container] for block in found.blocks]),
        "article_share": _column(sizes),
        "largest_article": _column([size == largest for size in sizes]),
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
        chars = _column([container.chars for container in level])
        columns[f"{name}_chars"] = np.log1p(chars)
        columns[f"{name}_link_density"] = _column([container.link_chars for container in level]) / np.maximum(chars, 1)
        columns[f"{name}_blocks"] = _column([container.blocks for container in level])
        columns[f"{name}_share"] = _column([container.paragraph_chars / total for container in level])
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


class _Words:
    """The words of all blocks as numbers, so that runs of words are compared as arrays."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.numbers: dict[str, int] = defaultdict(count().__next__)
        self.lines = [_WORD.findall(block.text.lower()) for block in blocks]
        self.sizes = np.asarray([len(line) for line in self.lines])
        self.block_of = np.repeat(np.arange(len(blocks)), self.sizes)
        self.flat = self._numbers(chain.from_iterable(self.lines))
        inside = (
            self.block_of[: -_SHINGLE + 1] == self.block_of[_SHINGLE - 1 :]
            if len(self.flat) >= _SHINGLE
            else np.zeros(0, bool)
        )
        self.runs, self.run_block = _runs(self.flat)[inside], self.block_of[: len(inside)][inside]
        self.run_count = np.bincount(self.run_block, minlength=len(blocks))

    def _numbers(self, words: Iterable[str]) -> Ids:
        return np.asarray(list(map(self.numbers.__getitem__, words)), np.uint64)

    def columns(self, versions: Versions) -> dict[str, Column]:
        title, description = (_WORD.findall(text.lower()) for text in (versions.title, versions.description))
        return {
            "chosen": self.share(versions.chosen),
            "body": self.share(versions.body) if versions.body else np.full(len(self.lines), -1, np.float32),
            "in_title": self.contained(title),
            "of_title": self.covers(title),
            "repeats": self._repeated(self.runs),
            "repeated": self._repeated(self.runs[::-1], backwards=True),
            "in_description": self.contained(description),
            "of_description": self.covers(description),
        }

    def share(self, text: str) -> Column:
        """The share of each block's runs of words that another text holds; of shorter ones, whether it has the line."""
        lines = [_WORD.findall(line) for line in text.lower().split("\n")]
        whole = {tuple(line) for line in lines if len(line) < _SHINGLE}
        words = self._numbers(chain.from_iterable(lines))
        hits = np.bincount(self.run_block, np.isin(self.runs, _runs(words)), minlength=len(self.lines))
        shares = hits / np.maximum(self.run_count, 1)
        same_line = _column([len(line) < _SHINGLE and tuple(line) in whole for line in self.lines])
        return np.where(self.run_count > 0, shares, same_line).astype(np.float32)

    def _repeated(self, runs: Ids, backwards: bool = False) -> Column:
        """The share of each block's runs of words that an earlier block has; a later one, when looking backwards."""
        if not len(runs):
            return np.zeros(len(self.lines), np.float32)
        block = self.run_block[::-1] if backwards else self.run_block
        _, first, place = np.unique(runs, return_index=True, return_inverse=True)
        hits = np.bincount(block, block[first][place] != block, minlength=len(self.lines))
        shares: Column = (hits / np.maximum(self.run_count, 1)).astype(np.float32)
        return shares

    def contained(self, words: list[str]) -> Column:
        """The share of each block's words that are among some words."""
        known = self._numbers(dict.fromkeys(words))
        hits = np.bincount(self.block_of, np.isin(self.flat, known), minlength=len(self.lines))
        shares: Column = (hits / np.maximum(self.sizes, 1)).astype(np.float32)
        return shares

    def covers(self, words: list[str]) -> Column:
        """The share of some words that each block holds; 0 for blocks of more than four times their number."""
        wanted = set(words)
        if not wanted:
            return np.zeros(len(self.lines), np.float32)
        return _column(
            [
                len(wanted.intersection(line)) / len(wanted) if len(line) <= 4 * len(words) else 0.0
                for line in self.lines
            ]
        )


def _runs(words: Ids) -> Ids:
    """Hashes of the runs of three words, by multiplication modulo 2^64."""
    if len(words) < _SHINGLE:
        return np.zeros(0, np.uint64)
    first, second = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
    mixed: Ids = (words[:-2] + np.uint64(1)) * first ^ (words[1:-1] + np.uint64(1)) * second ^ words[2:]
    return mixed


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
