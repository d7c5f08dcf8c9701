"""The trunk of a page, the nested elements that hold most of its article, and where each block branches off from it."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cleaning.article.columns import Column
from cleaning.page.blocks import Container, Segments
from cleaning.page.families import FAMILIES

Places = npt.NDArray[np.intp]

_LONG = 80
"""Characters of a block from which on it counts as a paragraph."""
_UNSURE = 0.3
"""Weight of a paragraph that trafilatura passed over: it leaves out half of some articles, but no comments."""
_TAGS = ("div", "p", "ul", "ol", "li", "section", "article", "aside", "figure", "blockquote", "table", "form", "header")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_FAMILIES = (
    "related", "teaser", "newsletter", "ad", "caption", "byline", "embed", "box", "quote", "product", "comment", "list",
    "lede",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Branches:
    """For each container, by index: the branch it lies in (the outermost container off the trunk; itself on the trunk),
    how far inside that branch it is (0 on the trunk), and how deep the branch's foot is; `last` is the trunk's tip.
    """

    branch: list[int]
    inside: list[int]
    foot: list[int]
    last: int


def trunk_columns(found: Segments, chars: Column, chosen: Column, link_density: Column) -> dict[str, Column]:
    """Features of each block by its branch: columns by name, in the order of `NAMES`.

    `chars`, `chosen` (share that trafilatura took, 0..1) and `link_density` (0..1) have one entry a block. Fact boxes,
    teasers and embeds stand in branches of their own, the article's paragraphs at the trunk's tip.
    """
    weights = np.where((chars > _LONG) & (link_density < 0.5), chars * np.maximum(chosen, _UNSURE), 0.0)
    masses = _masses(found, weights)
    total = float(weights.sum()) or 1.0
    branches = _branches(found, masses, total / 2)
    homes = np.asarray([block.container for block in found.blocks], np.intp)
    places = np.asarray(branches.branch, np.intp)[homes]
    off = np.asarray(branches.inside, np.float32)[homes]
    deepest = found.containers[branches.last].depth
    columns: dict[str, Column] = {
        "branch_foot": deepest - np.asarray(branches.foot, np.float32)[homes],
        "branch_inside": off,
        "branch_share": (np.asarray(masses)[places] / total).astype(np.float32),
        "tip_passed": (homes >= branches.last).astype(np.float32),
    }
    return columns | _branch_columns(found, places, off > 0) | _start_columns(found, places, off > 0)


def _masses(found: Segments, weights: Column) -> list[float]:
    """The weight of the blocks inside each container."""
    homes = [block.container for block in found.blocks]
    masses: list[float] = np.bincount(homes, weights, minlength=len(found.containers)).tolist()
    for i in range(len(masses) - 1, 0, -1):
        masses[max(0, found.containers[i].parent)] += masses[i]
    return masses


def _branches(found: Segments, masses: list[float], half: float) -> _Branches:
    """Follows the containers that hold more than half of the weight down from the root."""
    size = len(found.containers)
    result = _Branches(list(range(size)), [0] * size, [0] * size, 0)
    last = 0
    for i, container in enumerate(found.containers):
        parent = container.parent
        if parent < 0 or masses[i] > half:
            result.foot[i], last = container.depth, i
            continue
        result.inside[i], result.foot[i] = result.inside[parent] + 1, result.foot[parent]
        if result.inside[parent]:
            result.branch[i] = result.branch[parent]
    return _Branches(result.branch, result.inside, result.foot, last)


def _branch_columns(found: Segments, places: Places, is_off: npt.NDArray[np.bool_]) -> dict[str, Column]:
    """Size, links, tag and class families of each block's branch, and how many beside it look the same."""
    unique, back = np.unique(places, return_inverse=True)
    branches = [found.containers[i] for i in unique.tolist()]
    alike = Counter((branch.parent, branch.signature) for branch in branches)
    table = np.asarray(
        [(*_values(branch), alike[branch.parent, branch.signature]) for branch in branches], np.float32
    ).reshape(-1, len(_VALUES))[back]
    table[:, len(_ALWAYS) :] *= is_off[:, None]
    return {f"branch_{name}": table[:, i] for i, name in enumerate(_VALUES)}


def _values(branch: Container) -> tuple[float, ...]:
    families = ((branch.own >> FAMILIES.index(name)) & 1 for name in _FAMILIES)
    tag = _TAGS.index(branch.tag) if branch.tag in _TAGS else len(_TAGS)
    links = branch.link_chars / max(1, branch.chars)
    return float(np.log1p(branch.chars)), links, tag, *families, branch.blocks


def _start_columns(found: Segments, places: Places, is_off: npt.NDArray[np.bool_]) -> dict[str, Column]:
    """Whether each block's branch opens with a heading, and how many blocks into the branch it stands."""
    _, first, back = np.unique(places, return_index=True, return_inverse=True)
    starts = first[back]
    headings = np.asarray([found.tag(found.blocks[i]) in _HEADINGS for i in first.tolist()])[back]
    return {
        "branch_headed": (headings & is_off).astype(np.float32),
        "branch_start": (np.arange(len(places)) - starts).astype(np.float32),
    }


_ALWAYS = ("chars", "links", "tag")
_VALUES = (*_ALWAYS, *_FAMILIES, "blocks", "alike")
NAMES = (
    "branch_foot", "branch_inside", "branch_share", "tip_passed", *(f"branch_{name}" for name in _VALUES),
    "branch_headed", "branch_start",
)  # fmt: skip
"""Names of the columns of `trunk_columns`."""
