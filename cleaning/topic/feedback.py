"""What people say of articles, and what it changes: the threshold, and the words that speak for or against a text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

REACH = 0.5
"""How far labels can move a text, in ln(similarity): whatever they say, a text under 0.61 times the threshold that the
seeds set stays out, and one over 1.65 times of it stays in. So the topic cannot drift away from its seeds."""

MOST_LABELS = 500
"""Labels that take part, the last ones; the fit's time grows with their cube."""

# Standard deviations of the Gaussian prior, in log-odds: of the shift of the threshold, and of the part that depends on
# the words. Chosen on the even topics of ECB+, with ten labels in one half of the articles, judged on the other half.
_SHIFT = 0.7
_WORDS = 4.0

_SLIPS = 0.05
"""Share of answers that are taken for slips; .02 to .1 measured alike."""

_STEPS = 50
_HALVINGS = 20
_CONVERGED = 1e-9
_DECIMALS = 9

_ALIKE = 2.0
"""Log-odds by which a copy of an article already chosen is less worth asking about; 1 to 4 measured alike."""

Vector = Mapping[str, float]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Label:
    """A person's word on an article: whether it belongs to the topic.

    `terms` are the article's weighted terms before rarity (see `cleaning.topic.terms`): all that is needed to learn
    from it.
    """

    name: str
    terms: Vector
    is_relevant: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """What labels change, in log-odds: a shift of every text, and a weight for each term of a text's unit vector."""

    shift: float = 0.0
    words: dict[str, float] = field(default_factory=dict)


def learn(vectors: Sequence[Vector], log_odds: Sequence[float], truths: Sequence[bool], shifts: bool) -> Correction:
    """The correction that labelled articles ask for: the mode of a Gaussian process over the seeds' own judgement.

    The log-odds of a text are those that the seeds give it, plus a shift, plus a linear function of its unit vector,
    both with Gaussian priors around 0; the labels are the evidence. Newton's method with halved steps finds the one
    mode (Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 3.1). Articles near the
    threshold move it most; a label that only says what the seeds say changes nearly nothing. One that is far from what
    the seeds say may be a slip, and counts by the probability that it is none.

    Args:
        vectors: of the labelled articles, of unit length.
        log_odds: what the seeds alone say of each.
        truths: what the person said.
        shifts: whether the threshold may move.
    """
    if not vectors:
        return Correction()
    shift_variance, word_variance = _SHIFT**2 * shifts, _WORDS**2
    kernel = shift_variance + word_variance * _cosines(vectors)
    evidence = _Evidence.of(np.array(log_odds, dtype=float), np.array(truths, dtype=float))
    pulls = _mode(kernel, evidence).round(_DECIMALS)
    words: dict[str, float] = {}
    for vector, pull in zip(vectors, pulls.tolist(), strict=True):
        for term, weight in vector.items():
            words[term] = words.get(term, 0.0) + word_variance * pull * weight
    return Correction(shift_variance * math.fsum(pulls.tolist()), words)


def informative(log_odds: Sequence[float], vectors: Sequence[Vector], most: int) -> list[int]:
    """Which articles to ask about, most informative first: nearest to even odds, and unlike those before them.

    Args:
        log_odds: of each article.
        vectors: of the same articles, of unit length.
        most: how many at most.

    Returns:
        Their positions.
    """
    likeness = [0.0] * len(vectors)
    left = list(range(len(vectors)))
    chosen: list[int] = []
    while left and len(chosen) < most:
        best = min(left, key=lambda i: (abs(log_odds[i]) + _ALIKE * likeness[i], i))
        left.remove(best)
        chosen.append(best)
        for i in left:
            likeness[i] = max(likeness[i], dot(vectors[best], vectors[i]))
    return chosen


def dot(a: Vector, b: Vector) -> float:
    """The sum over common terms of the products of their weights."""
    return sum(weight * b[term] for term, weight in a.items() if term in b)


def _cosines(vectors: Sequence[Vector]) -> Array:
    postings: dict[str, tuple[list[int], list[float]]] = {}
    for i, vector in enumerate(vectors):
        for term, weight in vector.items():
            places, weights = postings.setdefault(term, ([], []))
            places.append(i)
            weights.append(weight)
    found = np.zeros((len(vectors), len(vectors)))
    for places, weights in postings.values():
        found[np.ix_(places, places)] += np.outer(weights, weights)
    return found


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Of each label: the log-odds that the seeds give, 1 for yes and 0 for no, and how much it counts, 0..1."""

    prior: Array
    truths: Array
    trust: Array

    @classmethod
    def of(cls, prior: Array, truths: Array) -> "_Evidence":
        right = _logistic(np.where(truths > 0, prior, -prior)) * (1.0 - _SLIPS)
        slip = (1.0 - right / (1.0 - _SLIPS)) * _SLIPS
        return cls(prior, truths, right / (right + slip))

    def log_likelihood(self, moved: Array) -> float:
        signed: Array = np.where(self.truths > 0, 1.0, -1.0) * (self.prior + moved)
        return float(-(self.trust * np.logaddexp(0.0, -signed)).sum())


def _mode(kernel: Array, evidence: _Evidence) -> Array:
    """How strongly each label pulls at the most probable function: the kernel times these is the correction."""
    pulls: Array = np.zeros(len(evidence.prior))
    reached = _log_posterior(kernel, evidence, pulls)
    for _ in range(_STEPS):
        trial, gained = _uphill(kernel, evidence, pulls, reached)
        pulls, reached = trial, reached + gained
        if gained < _CONVERGED:
            break
    return pulls


def _uphill(kernel: Array, evidence: _Evidence, pulls: Array, reached: float) -> tuple[Array, float]:
    """Newton's step, halved until it gains; the same place again, and 0, where none does."""
    step = _newton(kernel, evidence, pulls) - pulls
    for halving in range(_HALVINGS):
        trial = pulls + step * 0.5**halving
        gained = _log_posterior(kernel, evidence, trial) - reached
        if gained >= 0:
            return trial, gained
    return pulls, 0.0


def _newton(kernel: Array, evidence: _Evidence, pulls: Array) -> Array:
    moved = kernel @ pulls
    chance = _logistic(evidence.prior + moved)
    root: Array = np.sqrt(evidence.trust * chance * (1.0 - chance))
    target = root * root * moved + evidence.trust * (evidence.truths - chance)
    system = np.eye(len(pulls)) + root[:, None] * kernel * root[None, :]
    solved: Array = target - root * np.linalg.solve(system, root * (kernel @ target))
    return solved


def _log_posterior(kernel: Array, evidence: _Evidence, pulls: Array) -> float:
    moved = kernel @ pulls
    return evidence.log_likelihood(moved) - 0.5 * float(pulls @ moved)


def _logistic(log_odds: Array) -> Array:
    bounded: Array = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -100.0, 100.0)))
    return bounded
