"""How much of each block other readings of the page have: titles, descriptions, what trafilatura took, other blocks."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
import numpy.typing as npt

from cleaning.article.columns import Column, column
from cleaning.page.blocks import Block

Ids = npt.NDArray[np.uint64]

_WORD = re.compile(r"\w+")
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


def overlap_columns(blocks: Sequence[Block], versions: Versions) -> dict[str, Column]:
    """Shares, 0..1, of each block's words and runs of words that the versions and the page's other blocks have.

    `body` is -1 throughout where the page has none.
    """
    return _Words(blocks).columns(versions)


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
        same_line = column([len(line) < _SHINGLE and tuple(line) in whole for line in self.lines])
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
        return column(
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
