"""Which blocks of a page are its article: the classifier's scores, the choice, and the reason for each block."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from cleaning.article.columns import Array
from cleaning.article.features import featurize, near
from cleaning.article.forest import model
from cleaning.article.furniture import reason_of
from cleaning.article.overlap import Versions
from cleaning.metadata.dates import is_bare_date, is_date_line
from cleaning.page.blocks import Segments
from cleaning.page.decode import repair_mojibake
from cleaning.page.families import bit_of

_WORD = re.compile(r"\w+")
_REPEATABLE = 40
"""Characters; a longer block that repeats an earlier one word for word is left out."""
_SURE = frozenset(
    {
        "share prompt",
        "comments",
        "advertisement",
        "image placeholder",
        "navigation",
        "consent",
        "newsletter prompt",
        "article meter",
        "copyright",
        "ornament",
    }
)
"""Kinds of furniture that are left out even where the classifier took them for the article's."""

_LEAST = 0.1
"""Lowest score of a block that is taken, however little else a page has."""
_COMMENT = bit_of("comment")
_SURER = 0.6
"""Lowest score of a block among comments: readers write prose too, and no article, however little else a page has."""
_SOME = 3
"""Blocks of the article above a comment form; words of a menu's label, and labels that a menu has more than."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The verdict on one block: whether it is the article's, the classifier's score (0..1), and why it was left out."""

    kept: bool
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The article's text, its paragraphs separated by empty lines; the choice on each block; the confidence, 0..1."""

    text: str
    choices: tuple[Choice, ...]
    confidence: float


def select(found: Segments, versions: Versions, folder: str = "") -> Selection:
    """Scores the blocks of a page with the model of a folder (by default the shipped one), and takes the best."""
    forest = model("blocks", folder)
    return put_together(found, forest.probability(featurize(found, versions)), forest.cut, versions.title)


def put_together(found: Segments, scores: Array, cut: float, title: str) -> Selection:
    """The article from scored blocks: those from `cut` on, without the title, repetitions and sure furniture.

    Where the classifier is sure of little, blocks below `cut` are taken too, as far as the page gains by it.
    """
    choices = _without_tail(_choose(found, scores, _cuts(found, scores, cut), title))
    kept = np.asarray([choice.kept for choice in choices], np.bool_)
    return Selection(_text(found, choices), choices, expected_f1(found, scores, kept))


def _cuts(found: Segments, scores: Array, most: float) -> Array:
    """The score from which on each block is taken: one for the page, and no less than `_SURER` among comments."""
    among = [near(found, found.containers[block.container]) & _COMMENT > 0 for block in found.blocks]
    least = np.where(among, np.float32(_SURER), np.float32(0))
    cut = _promising(found, np.where(scores < least, np.float32(0), scores), most)
    return np.maximum(least, np.float32(cut))


def _promising(found: Segments, scores: Array, most: float) -> float:
    """The cut, `_LEAST` to `most`, that would give the best F1 of characters if the scores were true probabilities.

    The best cut of an F1 is half of the best F1 (Lipton, Elkan, Naryanaswamy 2014): low on pages hard to read.
    """
    if not len(scores):
        return most
    order = np.argsort(-scores, kind="stable")
    sizes = np.asarray([len(block.text) for block in found.blocks], np.float64)[order]
    gains = np.cumsum(sizes * scores[order])
    best = int(np.argmax(gains / (np.cumsum(sizes) + gains[-1])))
    return float(np.clip(scores[order[best]], _LEAST, most))


def _choose(found: Segments, scores: Array, cuts: Array, title: str) -> tuple[Choice, ...]:
    seen: set[str] = set()
    choices = []
    for block, score, cut in zip(found.blocks, scores.tolist(), cuts.tolist(), strict=True):
        reason = reason_of(block.text)
        if score < cut:
            reason = reason or "not like an article's text"
        elif _same(block.text, title):
            reason = "the title again"
        elif is_bare_date(block.text) or (found.tag(block) == "p" and _is_date_or_menu(block.text)):
            reason = "date or menu line"
        elif block.text in seen:
            reason = "repeated"
        elif reason not in _SURE:
            reason = ""
        if not reason and len(block.text) > _REPEATABLE:
            seen.add(block.text)
        choices.append(Choice(not reason, score, reason))
    return tuple(choices)


def _without_tail(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Leaves out what follows the comment form: two lines of one in a row, after some of the article."""
    kept = 0
    for i, (choice, following) in enumerate(pairwise(choices)):
        kept += choice.kept
        if kept >= _SOME and choice.reason == following.reason == "comments":
            tail = (_dropped(other, "after the comments") for other in choices[i:])
            return (*choices[:i], *tail)
    return choices


def _dropped(choice: Choice, reason: str) -> Choice:
    return replace(choice, kept=False, reason=reason) if choice.kept else choice


def _is_date_or_menu(text: str) -> bool:
    """Whether a line gives a written date, or lists labels of a word or three between bars."""
    labels = text.split(" | ")
    return is_date_line(text) or (len(labels) > _SOME and all(len(label.split()) <= _SOME for label in labels))


def _same(text: str, title: str) -> bool:
    return len(text) <= 2 * len(title) and _WORD.findall(text.lower()) == _WORD.findall(title.lower())


def _text(found: Segments, choices: tuple[Choice, ...]) -> str:
    lines = (
        f"- {block.text}" if found.tag(block) == "li" else block.text
        for block, choice in zip(found.blocks, choices, strict=True)
        if choice.kept
    )
    return repair_mojibake("\n\n".join(lines))


def expected_f1(found: Segments, scores: Array, kept: npt.NDArray[np.bool_]) -> float:
    """The F1 of characters, 0..1, that the kept blocks would have if the scores were true probabilities."""
    sizes = np.asarray([len(block.text) for block in found.blocks], np.float64)
    expected = float((sizes * scores).sum())
    shared = float((sizes * scores)[kept].sum())
    return round(2 * shared / (float(sizes[kept].sum()) + expected), 4) if expected and kept.any() else 0.0
