"""Labelled pages for training: readers of the two corpus layouts, and which blocks of a page its gold text holds."""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from cleaning.page.blocks import Segments

_WORD = re.compile(r"\w+")
_RUN = 3
_AGREES = 0.7
"""Share of a block's runs of words that the gold text must hold for the block to be the article's."""
_SHORT = 6
"""Words under which a block must be a line of the gold text, or stand among the article's paragraphs."""
_AROUND = 9
"""Blocks around a short one among which a paragraph of the article must lie."""
_LEFT = 0.5
"""Share of a block's runs of words that the gold text must hold beyond those of the blocks taken before it."""

Run = tuple[str, str, str]
Runs = Counter[Run]
Labels = npt.NDArray[np.bool_]
Sizes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """A page with its gold text (paragraphs in lines) and kind (`article`, `listing`, `product` ...)."""

    url: str
    html: bytes
    kind: str
    text: str
    corpus: str


def read_corpora(folder: Path) -> Iterator[LabelledPage]:
    """All pages of `news-pages` and `wcxb-dev` under a folder.

    Raises:
        FileNotFoundError: one of the two is not there.
    """
    yield from _read_news(folder / "news-pages")
    yield from _read_wcxb(folder / "wcxb-dev")


def _read_news(folder: Path) -> Iterator[LabelledPage]:
    with (folder / "articles.jsonl").open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            html = gzip.decompress((folder / "html" / record["html"]).read_bytes())
            yield LabelledPage(record.get("url") or "", html, "article", "\n".join(record["paragraphs"]), folder.name)


def _read_wcxb(folder: Path) -> Iterator[LabelledPage]:
    for path in sorted((folder / "ground-truth").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        html = gzip.decompress((folder / "html" / f"{path.stem}.html.gz").read_bytes())
        text = record["ground_truth"].get("main_content") or ""
        yield LabelledPage(
            record.get("url") or "", html, record["_internal"]["page_type"]["primary"], text, folder.name
        )


def fold_of(url: str, folds: int) -> int:
    """The fold of a page by the last two labels of its host, so that no host is in two folds."""
    host = ".".join(urlsplit(url).netloc.lower().split(":")[0].split(".")[-2:])
    return int(hashlib.sha1(host.encode()).hexdigest(), 16) % folds


def label(found: Segments, gold: str) -> tuple[Labels, Sizes]:
    """Which blocks the gold text holds, and the number of words of each block.

    A block is the article's when 70 % of its runs of three words are in the gold text. A shorter one must be one of its
    lines and stand among longer blocks of the article. Of blocks that say the same more often than the gold text does,
    in the same words or in parts (a pull quote, the whole article again in one block), those among most of the article
    are taken.
    """
    lines = [_WORD.findall(line) for line in gold.lower().split("\n")]
    whole = {" ".join(line) for line in lines if line}
    words = [word for line in lines for word in line]
    runs = Counter(_runs(words))
    blocks = [_WORD.findall(block.text.lower()) for block in found.blocks]
    sizes = np.asarray([len(block) for block in blocks], np.int64)
    agrees = np.asarray([_agreement(block, runs, whole) >= _AGREES for block in blocks], np.bool_)
    if not len(sizes):
        return agrees, sizes
    weights = (agrees & (sizes >= 8)) * np.minimum(sizes, 50).astype(float)
    around = (
        np.convolve(weights, np.ones(_AROUND), "same") if len(sizes) >= _AROUND else np.full(len(sizes), weights.sum())
    )
    agrees &= (sizes >= _SHORT) | (around > 0)
    agrees = _without_repeats(blocks, agrees, around, f" {' '.join(words)} ")
    return _without_parts(blocks, agrees, around, runs), sizes


def _runs(words: list[str]) -> list[Run]:
    return list(zip(words, words[1:], words[2:], strict=False))


def _agreement(block: list[str], runs: Runs, whole: set[str]) -> float:
    if " ".join(block) in whole:
        return 1.0
    if len(block) < _RUN:
        return 0.0
    own = _runs(block)
    return sum(run in runs for run in own) / len(own)


def _without_repeats(blocks: list[list[str]], agrees: Labels, around: npt.NDArray[np.float64], gold: str) -> Labels:
    keys = [" ".join(block) for block in blocks]
    counts = Counter(key for key, agree in zip(keys, agrees, strict=True) if agree)
    for key in [key for key, count in counts.items() if count > 1]:
        places = sorted((i for i, other in enumerate(keys) if other == key and agrees[i]), key=lambda i: -around[i])
        for i in places[max(1, gold.count(f" {key} ")) :]:
            agrees[i] = False
    return agrees


def _without_parts(blocks: list[list[str]], agrees: Labels, around: npt.NDArray[np.float64], gold: Runs) -> Labels:
    """Takes from the blocks' labels what the gold text says only once, block by block, from the densest place on."""
    left = gold.copy()
    for i in sorted(np.flatnonzero(agrees).tolist(), key=lambda i: -around[i]):
        own = Counter(_runs(blocks[i]))
        if (own & left).total() < _LEFT * own.total():
            agrees[i] = False
        else:
            left.subtract(own)
    return agrees
