"""Where a topic ends: the least similarity of a relevant text, and the probability that belongs to a similarity."""

import math
from collections.abc import Sequence
from typing import Literal

Width = Literal["auto", "narrow", "wide"]
"""How far a topic reaches: as far as the seeds suggest, less far (their own event only) or farther (others like it)."""

Cosines = Sequence[Sequence[float]]
"""The seeds' cosines with each other, 0..1: a symmetric matrix."""

UNRELATED = 0.08
"""Cosine under which two seeds have no topic in common: of unrelated articles of ECB+, 19 pairs in 20 stay under it."""

SAME_TEXT = 0.9
"""Cosine from which one seed is taken for a copy of another. It then says nothing on how wide the topic is."""

_NEAREST = 4
_BASE = 0.06
_SLOPE = 0.60
_TYPICAL_COSINE = 0.38
_FACTORS: dict[Width, float] = {"narrow": 1.15, "auto": 1.0, "wide": 0.7}

# Logistic regression of relevance on the logarithm of similarity over threshold, over all topics of ECB+, from one to
# five seeds. The more seeds there are, the more a similarity says.
_AT_THRESHOLD = -0.8
_STEEPNESS = 11.6
_LESS_FROM_ONE = 6.3
_LEAST_LOG_ODDS = -100.0


def automatic_threshold(cosines: Cosines, width: Width = "auto") -> float:
    """The threshold that these seeds set: 0.06 + 0.6 times the likeness among them.

    Likeness is each seed's mean cosine with its four nearest others of its group, averaged over the seeds, and drawn
    towards the 0.38 that is typical of one event as if one more pair had it; so one seed gives 0.29. Seeds that tell
    of one event in like words make a narrow topic; seeds of several events, far apart, a wide one. Seeds of different
    groups do not count: a stranger among the seeds would widen the topic to anything. The constants were chosen on the
    even topics of ECB+, by event and by topic together, as round numbers in the flat region of the best F1.

    Args:
        cosines: of at least one seed, without seeds that are copies of another.
        width: "narrow" takes 1.15 times that threshold, "wide" 0.7 times.

    Returns:
        A similarity, 0..1.
    """
    total, pairs = _TYPICAL_COSINE, 1.0
    for group in related_groups(cosines):
        weight = min(len(group) * (len(group) - 1), _NEAREST * (_NEAREST + 1)) / 2
        total += weight * _likeness(cosines, group)
        pairs += weight
    return min(1.0, (_BASE + _SLOPE * total / pairs) * _FACTORS[width])


def related_groups(cosines: Cosines) -> list[list[int]]:
    """The seeds in groups that cosines of at least `UNRELATED` connect, each in order, the first seed's group first."""
    left = list(range(len(cosines)))
    groups = []
    while left:
        group, reached = [left.pop(0)], 0
        while reached < len(group):
            near = [j for j in left if cosines[group[reached]][j] >= UNRELATED]
            left = [j for j in left if j not in near]
            group += near
            reached += 1
        groups.append(sorted(group))
    return groups


def originals(cosines: Cosines) -> list[int]:
    """For each seed, the first seed that is nearly the same text: mostly itself."""
    return [next(j for j, cosine in enumerate(row) if j == i or cosine >= SAME_TEXT) for i, row in enumerate(cosines)]


def seed_problems(names: Sequence[str], cosines: Cosines) -> tuple[str, ...]:
    """What is odd about seeds of these names, a sentence each: copies, a seed unlike the others, different topics."""
    copies = [(names[i], names[j]) for i, j in enumerate(originals(cosines)) if i != j]
    said = [f"{copy} is nearly the same text as {original}; one of them is enough." for copy, original in copies]
    return (*said, *_strangers(names, related_groups(cosines)))


def _strangers(names: Sequence[str], groups: list[list[int]]) -> list[str]:
    if len(groups) == 1:
        return []
    alone = [names[group[0]] for group in groups if len(group) == 1]
    if len(groups) - len(alone) == 1:
        return [f"{name} is unlike the other seeds; take it out if it is not what you look for." for name in alone]
    parts = "; ".join(", ".join(names[i] for i in group) for group in groups)
    return [f"The seeds are about {len(groups)} different things ({parts}); a dataset for each would be sharper."]


def probability(similarity: float, threshold: float, seeds: int) -> float:
    """The probability, 0..1, that a text of this similarity belongs to the topic that so many seeds set.

    It was fitted among articles of which some are about sibling events, the hardest case. Judged on topics of ECB+ that
    were left out of the fit, what it says differs from what is true by .015 in the mean. A single topic can differ by
    .2 in the middle of the range: how hard its sibling events are cannot be seen from its seeds. At the threshold it is
    0.31: the best F1 accepts texts that are less likely relevant than not (Lipton et al. 2014, "Thresholding
    classifiers to maximize F1 score").
    """
    return 1.0 / (1.0 + math.exp(-log_odds(similarity, threshold, seeds)))


def log_odds(similarity: float, threshold: float, seeds: int) -> float:
    """The logarithm of the odds of `probability`, at least -100; linear in the logarithm of similarity / threshold."""
    if similarity <= 0:
        return _LEAST_LOG_ODDS
    return max(_LEAST_LOG_ODDS, _AT_THRESHOLD + steepness(seeds) * math.log(similarity / threshold))


def steepness(seeds: int) -> float:
    """By how much the log-odds rise when the logarithm of the similarity rises by one."""
    return _STEEPNESS - _LESS_FROM_ONE / seeds


def _likeness(cosines: Cosines, group: Sequence[int]) -> float:
    """The mean over a group's seeds of their mean cosine with the nearest others of the group; 0 for one alone."""
    means = []
    for i in group:
        nearest = sorted((cosines[i][j] for j in group if j != i), reverse=True)[:_NEAREST]
        means.append(sum(nearest) / max(1, len(nearest)))
    return sum(means) / len(means)
