"""Tells how two texts are related: one article in two forms, or two articles that share some text.

The constants were fitted by hand on two seeds of a synthetic stream of syndicated copies and on six kinds of template
(weather, markets, matches, earthquakes, obituaries, daily losses); other seeds and eight other templates judged them.
"""

from enum import StrEnum
from math import log

from cleaning.copies.alignment import Overlap


class Relation(StrEnum):
    """What a text is to an article that was known before it."""

    NEW = "new"
    SAME = "same"
    VERSION = "version"
    TRUNCATED = "truncated"
    EXTENDED = "extended"
    EXCERPT = "excerpt"
    EDITED = "edited"


WHOLE = 0.8
"""Containment from which a text counts as lying within another, 0..1."""

EQUAL = 0.95
"""Containment both ways from which two texts count as the same, 0..1."""


def is_copy(overlap: Overlap, share: float) -> bool:
    """Whether two texts are one article.

    Args:
        overlap: how they overlap.
        share: their weighted containment by sampled shingles, 0..1.
    """
    common = overlap.common
    if overlap.longest < 10 or share < 0.28 or common < 24:
        return overlap.smaller == common == overlap.larger > 0
    return overlap.containment >= needed_containment(overlap) and template_score(overlap, share) <= 0


def relation(overlap: Overlap) -> Relation:
    """What a copy, the left text, is to the article, the right one, by how much of each the other has.

    A copy that has less is truncated if it has the article's beginning, and an excerpt otherwise.
    """
    copy, article, common = overlap.left, overlap.right, overlap.common
    within, around = common >= WHOLE * copy.words, common >= WHOLE * article.words
    if within and around:
        return Relation.SAME if common >= EQUAL * overlap.larger else Relation.EDITED
    if within:
        return Relation.TRUNCATED if article.head <= 0.1 * article.words else Relation.EXCERPT
    return Relation.EXTENDED if around else Relation.EDITED


def template_score(overlap: Overlap, share: float) -> float:
    """Evidence that two texts are a template filled twice, above 0, or one article edited, below 0.

    Edits change numbers, names and other words alike, or correct some figures; a template changes most figures, or
    names and nothing else, and does so often. The first two terms are log likelihood ratios of the words in slots; the
    others weigh how dense the exchanged words are, and how much of what is common stands in further articles too.
    """
    numbers, names, others = overlap.numbers, overlap.names, overlap.others
    # Names are longer than other words, and take more of the typing errors.
    edited = 3 * others.changed / max(1, others.changed + others.kept) + 0.03
    filled = edited + 0.12
    unchanged = log(max(0.01, 1 - filled) / max(0.01, 1 - edited))
    density = (numbers.changed + names.changed) / max(1, overlap.common)
    return (
        numbers.changed * log(0.60 / 0.38)
        + max(-30.0, numbers.kept * log(0.40 / 0.62))
        + names.changed * log(filled / edited)
        # A few kept names prove little: templates name agencies and sponsors.
        + max(-2.0, unchanged * names.kept)
        + unchanged * max(0, names.kept - 15) / 2
        + 150 * (density - 0.03)
        + 12 * max(0.0, overlap.containment - share - 0.2)
    )


def needed_containment(overlap: Overlap) -> float:
    """The containment that makes a copy: more for short texts, and where the common text looks like background."""
    needed = 0.38 + 8 / max(1, overlap.smaller) + 0.3 * max(0.0, 1 - overlap.larger / 200)
    sides = overlap.left, overlap.right
    if all(0.8 * side.common >= 0.9 * side.bulk and side.head >= 60 for side in sides):
        # One lump behind different beginnings: background or, at the end of both texts, the tail of a site.
        needed = max(needed, 0.6 if all(side.tail <= 30 for side in sides) else 0.44)
    if overlap.common < 5.7 * overlap.runs:
        needed = max(needed, 0.7)  # Crumbs, as reports of one event share them that were written independently.
    return needed
