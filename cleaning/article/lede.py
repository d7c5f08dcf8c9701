"""The standfirst above an article: recognised among its blocks, put back where it is missing, or left out."""

import re
from dataclasses import replace

from cleaning.article.selection import Selection
from cleaning.article.trimming import leave_out
from cleaning.metadata.find import Metadata
from cleaning.page.blocks import Block, Segments
from cleaning.page.families import bit_of

_LEDE = bit_of("lede")
_WORD = re.compile(r"\w+")
_LEADING = 3
"""Blocks at the beginning of an article among which its standfirst may be."""
_ABOVE = 12
"""Blocks above the article's first one that are searched for a standfirst that was left out."""
_ALIKE, _COVERED = 0.85, 0.5
"""Share of the description's words that a standfirst has, and of its own that are in the description, if cut short."""
_LONGEST = 700
_UNLIKE = "not like an article's text"
"""The reason of a block that says nothing of itself that speaks against it."""
_FEWEST = 6
"""Words; shorter blocks are labels, and shorter descriptions slogans of an outlet."""


def with_lede(found: Segments, chosen: Selection, metadata: Metadata) -> Selection:
    """The selection with the standfirst put back: the nearest block above the text that the page's description repeats.

    Blocks that say of themselves that they are furniture, and texts that have a block of the same words, stay as they
    are.
    """
    first = next((i for i, choice in enumerate(chosen.choices) if choice.kept), None)
    if first is None or not metadata.description:
        return chosen
    if any(_is_description(block.text, metadata) for block in kept_blocks(found, chosen)):
        return chosen
    for i in range(first - 1, max(-1, first - _ABOVE), -1):
        if _is_description(found.blocks[i].text, metadata) and chosen.choices[i].reason == _UNLIKE:
            choices = (*chosen.choices[:i], replace(chosen.choices[i], kept=True, reason=""), *chosen.choices[i + 1 :])
            return replace(chosen, text=f"{found.blocks[i].text}\n\n{chosen.text}", choices=choices)
    return chosen


def without_lede(found: Segments, chosen: Selection, metadata: Metadata) -> Selection:
    """The selection without the standfirst: one of its first blocks that stands apart from the article's paragraphs.

    It is marked as a standfirst, or repeats the description and is no neighbour of the paragraphs in the markup.
    """
    kept = [i for i, choice in enumerate(chosen.choices) if choice.kept]
    body = [_home(found, found.blocks[i]) for i in kept[_LEADING:]] or [-1]
    lede = next((i for i in kept[:_LEADING] if _is_lede(found, found.blocks[i], metadata, set(body))), None)
    if lede is None or len(kept) <= _LEADING:
        return chosen
    return leave_out(chosen, {lede: "the lede, which the recipe leaves out"})


def kept_blocks(found: Segments, chosen: Selection) -> list[Block]:
    """The blocks that were kept, in their order."""
    return [block for block, choice in zip(found.blocks, chosen.choices, strict=True) if choice.kept]


def _is_lede(found: Segments, block: Block, metadata: Metadata, body: set[int]) -> bool:
    if len(block.text) > _LONGEST or len(block.text.split()) < _FEWEST:
        return False
    if found.containers[block.container].own & _LEDE:
        return True
    apart = _home(found, block) not in body
    return apart and (_is_parent_lede(found, block) or _is_description(block.text, metadata))


def _is_parent_lede(found: Segments, block: Block) -> bool:
    parent = found.containers[block.container].parent
    return parent >= 0 and bool(found.containers[parent].own & _LEDE)


def _home(found: Segments, block: Block) -> int:
    """The container around a block's own element."""
    return found.containers[block.container].parent


def _is_description(text: str, metadata: Metadata) -> bool:
    """Whether a block has the words of the page's description, which may be cut short."""
    words, wanted = (set(_WORD.findall(side.lower())) for side in (text, metadata.description))
    if min(len(words), len(wanted)) < _FEWEST or len(text) > _LONGEST:
        return False
    shared = len(words & wanted)
    return shared >= _ALIKE * len(wanted) and shared >= _COVERED * len(words)
