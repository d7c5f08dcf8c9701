"""What papers do to an agency's article before they print it: the edits of real wire copies."""

import random
from collections.abc import Callable, Mapping

from flows.demo.prose import Writer

Edit = Callable[[tuple[str, ...], Writer, Mapping[str, str]], tuple[str, ...]]
"""Paragraphs of the original, the writer and the slots of a paper's own lines -> paragraphs of the copy."""

_HEADLINES = ("{}, agency reports", "Report: {}", "What we know: {}", "{} – as it stands")
_HOUSE_STYLE = (
    ("spokesman", "spokesperson"),
    (" said ", " stated "),
    ("percent", "per cent"),
    ("officials", "functionaries"),
)
_STRAIGHT = str.maketrans("“”’", '""\'')
_KEPT_SHARE = 0.65


def new_headline(headline: str, rng: random.Random) -> str:
    """Another headline for a copy."""
    return rng.choice(_HEADLINES).format(headline)


def _verbatim(paragraphs: tuple[str, ...], _: Writer, __: Mapping[str, str]) -> tuple[str, ...]:
    return paragraphs


def _truncated(paragraphs: tuple[str, ...], _: Writer, __: Mapping[str, str]) -> tuple[str, ...]:
    return paragraphs[: max(5, round(len(paragraphs) * _KEPT_SHARE))]


def _extended(paragraphs: tuple[str, ...], writer: Writer, slots: Mapping[str, str]) -> tuple[str, ...]:
    return (*paragraphs, *writer.lines("local.angle", 2, slots))


def _copy_edited(paragraphs: tuple[str, ...], _: Writer, __: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_house_style(paragraph).translate(_STRAIGHT) for paragraph in paragraphs)


def _house_style(paragraph: str) -> str:
    for theirs, ours in _HOUSE_STYLE:
        paragraph = paragraph.replace(theirs, ours, 1)
    return paragraph


def _reordered(paragraphs: tuple[str, ...], _: Writer, __: Mapping[str, str]) -> tuple[str, ...]:
    """Without the second paragraph, and with the last two exchanged."""
    first, _second, *rest = paragraphs
    return (first, *rest[:-2], rest[-1], rest[-2])


EDITS: dict[str, Edit] = {
    "verbatim": _verbatim,
    "headline": _verbatim,
    "truncated": _truncated,
    "extended": _extended,
    "copy-edited": _copy_edited,
    "reordered": _reordered,
}
"""Name of an edit -> what it makes of the paragraphs; all but `verbatim` also change the headline."""
