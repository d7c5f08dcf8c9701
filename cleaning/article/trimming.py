"""Takes blocks out of a selection after the fact: by number, and posts of social networks that a page embeds."""

import re
from collections.abc import Mapping
from dataclasses import replace

from cleaning.article.selection import Selection
from cleaning.page.blocks import Segments

_EMBED = re.compile(
    r"(?:^|[\s.])(?:twitter-tweet|twitter-video|instagram-media|fb-post|fb-video|tiktok-embed|bluesky-embed|mastodon-embed"
    r"|reddit-embed-bq|reddit-card|text-post-media|telegram-post|wp-block-embed__wrapper)(?:\s|$)"
)
"""Class names that the networks' own embedding codes have, on whatever site."""

_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_BOX = 12
"""Blocks that a box beside the text has at most."""
_OF_BOXES = frozenset({"newsletter prompt", "paywall prompt", "article meter", "follow prompt", "related"})


def leave_out(chosen: Selection, reasons: Mapping[int, str]) -> Selection:
    """The selection without some of its blocks, named by their numbers on the page, each with the reason."""
    kept = [i for i, choice in enumerate(chosen.choices) if choice.kept]
    paragraphs = chosen.text.split("\n\n")
    if not reasons or len(paragraphs) != len(kept):
        return chosen
    text = "\n\n".join(paragraph for i, paragraph in zip(kept, paragraphs, strict=True) if i not in reasons)
    choices = tuple(
        replace(choice, kept=False, reason=reasons[i]) if i in reasons and choice.kept else choice
        for i, choice in enumerate(chosen.choices)
    )
    return replace(chosen, text=text, choices=choices)


def without_embeds(found: Segments, chosen: Selection) -> Selection:
    """The selection without embedded posts, which are told by the class names of the networks' own codes."""
    embeds = {i for i, container in enumerate(found.containers) if _EMBED.search(_own_name(container.signature))}
    if not embeds:
        return chosen
    inside = {
        i: "embedded post"
        for i, choice in enumerate(chosen.choices)
        if choice.kept and _lies_in(found, found.blocks[i].container, embeds)
    }
    return leave_out(chosen, inside)


def without_box_headings(found: Segments, chosen: Selection) -> Selection:
    """The selection without the headings of boxes that were left out: where all else in a heading's own element was.

    Something of the box must have said that it is furniture; a heading over what merely scored low stays.
    """
    headings = [i for i, choice in enumerate(chosen.choices) if choice.kept and found.tag(found.blocks[i]) in _HEADINGS]
    return leave_out(chosen, {i: "heading of a box" for i in headings if _heads_furniture(found, chosen, i)})


def _heads_furniture(found: Segments, chosen: Selection, heading: int) -> bool:
    """Whether a heading opens an element of which all else was left out, some of it for what it says."""
    home = found.containers[found.blocks[heading].container].parent
    count = found.containers[home].blocks if home >= 0 else 0
    if not 1 < count <= _BOX:
        return False
    rest = range(heading + 1, min(heading + count, len(found.blocks)))
    if not all(_lies_in(found, found.blocks[i].container, {home}) and not chosen.choices[i].kept for i in rest):
        return False
    return any(chosen.choices[i].reason in _OF_BOXES for i in rest)


def _own_name(signature: str) -> str:
    return signature.rpartition("/")[2]


def _lies_in(found: Segments, container: int, embeds: set[int]) -> bool:
    while container >= 0:
        if container in embeds:
            return True
        container = found.containers[container].parent
    return False
