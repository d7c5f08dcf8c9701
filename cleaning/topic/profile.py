"""What the seeds are about: scores any text by its likeness to the nearest seeds, and knows where the topic ends."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self, get_args

from cleaning.topic.background import Background, shipped
from cleaning.topic.feedback import MOST_LABELS, REACH, Label, dot, informative, learn
from cleaning.topic.terms import is_number, title_terms, weighted_terms
from cleaning.topic.threshold import (
    Cosines,
    Width,
    automatic_threshold,
    log_odds,
    originals,
    probability,
    seed_problems,
    steepness,
)

FEWEST_TERMS = 15
"""Different terms that a seed must have; fewer are a headline, not an article."""

NUMBER_WEIGHTS: dict[Width, float] = {"narrow": 2.5, "auto": 2.5, "wide": 1.0}
"""Factor of numbers and dates, by the topic's width: they tell an event from its siblings, and say nothing of the topic
that both have. With 2.5 in place of 1.5, mean average precision on ECB+ from every single article as a seed rises from
.960 to .967 by event, and falls from .912 to .878 by topic (both halves alike). Much of that comes from datelines:
without the lines that hold dates it rises from .950 to .952. With 3 the correlation with people's judgements in
SemEval-2022 task 8 falls (English: .82 with 1.5, .80 with 2.5, .79 with 3)."""

# About the rarity of two telling words, added to a title's: one matching word alone is weak evidence.
_FEW_WORDS = 10.0

_NEAREST = 5
_SHARPNESS = 4


class TopicError(ValueError):
    """A topic cannot be made from these seeds; the message names the seed, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class TopicOptions:
    """Where the topic ends.

    `threshold` is the least similarity of a relevant text, 0..1, or "auto" to set it from the seeds. `width` moves the
    automatic one: "narrow" keeps to the seeds' own event, "wide" takes in events of the same kind.
    """

    threshold: float | Literal["auto"] = "auto"
    width: Width = "auto"


@dataclass(frozen=True, slots=True)
class Score:
    """How like the seeds a text is: `similarity` 0..1, and the `probability` 0..1 that it belongs to the topic.

    Labels raise or lower the similarity, within bounds; without labels it is the likeness to the seeds alone.
    """

    similarity: float
    probability: float
    is_relevant: bool
    nearest_seed: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """A term of a text, and its part in a sum: > 0 where it speaks for the text, < 0 where it speaks against it."""

    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text scores as it does.

    `terms` are shared with the nearest seed, strongest first, and add up to their `cosine`. `seed_similarity` is what
    the seeds alone say, `lift` the factor that labels put on it, and `label_terms` the terms that made that factor,
    strongest first; they add up to its logarithm where that stays within its bounds.
    """

    score: Score
    cosine: float
    terms: tuple[Contribution, ...]
    seed_similarity: float
    lift: float = 1.0
    label_terms: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicProfile:
    """The seeds as vectors of unit length, by term, and the threshold that they set.

    Texts are compared by the cosine of term weights (see `cleaning.topic.terms`) times rarity in the shipped
    background, and times `number_weight` for numbers.
    A text's similarity is the power mean (exponent 4) of its cosines with its five nearest seeds: close to the
    maximum, which serves seeds that differ, yet above it for a text that several seeds resemble. On the even topics of
    ECB+ its mean average precision from three seeds is .01 over the maximum's.

    Labels move the threshold away from `seed_threshold`, and give terms weights that raise or lower a text's similarity
    by a bounded factor (see `cleaning.topic.feedback`). `refused` names the articles that were called relevant though
    they are too unlike every seed to be learnt from: a topic is widened by seeds, not by labels.
    """

    names: tuple[str, ...]
    threshold: float
    background: Background
    number_weight: float
    postings: dict[str, tuple[tuple[int, float], ...]]
    title_weights: dict[str, float]
    cosines: tuple[tuple[float, ...], ...]
    different_seeds: int
    seed_threshold: float
    word_weights: dict[str, float] = field(default_factory=dict)
    refused: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls,
        seeds: Sequence[str],
        names: Sequence[str] | None = None,
        options: TopicOptions = TopicOptions(),
        background: Background | None = None,
        labels: Sequence[Label] = (),
    ) -> Self:
        """The profile of `seeds`.

        Args:
            seeds: cleaned texts of the seed articles, one or more; the first line is usually the title.
            names: what to call them in scores and messages; "seed 1" and so on by default.
            options: where the topic ends.
            background: rarity of terms; the shipped table by default.
            labels: what people said of articles, oldest first; the last `MOST_LABELS` count.

        Raises:
            TopicError: there is no seed, one is empty or too short, or an option is out of its range.
        """
        called = tuple(names) if names is not None else tuple(f"seed {i}" for i in range(1, len(seeds) + 1))
        _check(seeds, called, options)
        table, number_weight = background or shipped(), NUMBER_WEIGHTS[options.width]
        weights = [weighted_terms(seed) for seed in seeds]
        vectors = [_unit(of_seed, table, number_weight) for of_seed in weights]
        _check_vectors(vectors, called)
        cosines = tuple(tuple(dot(a, b) for b in vectors) for a in vectors)
        threshold = _threshold(cosines, options)
        profile = cls(
            names=called,
            threshold=threshold,
            background=table,
            number_weight=number_weight,
            postings=_by_term(vectors),
            title_weights=_title_weights([_unit(of_seed, table) for of_seed in weights]),
            cosines=cosines,
            different_seeds=len(set(originals(cosines))),
            seed_threshold=threshold,
        )
        return profile._taught(labels[-MOST_LABELS:], shifts=options.threshold == "auto")

    def score(self, text: str) -> Score:
        """How like the seeds `text` is; a text without words scores 0."""
        return self._score(self._vector(weighted_terms(text)))

    def score_many(self, texts: Iterable[str]) -> list[Score]:
        """`score` of each text, in order."""
        return [self.score(text) for text in texts]

    def score_title(self, title: str, url: str = "") -> float:
        """How promising a page is before it is fetched, from its headline and the words of its URL: 0..1.

        The share of the words' rarity that the seeds account for. It ranks candidates; no threshold applies to it.
        """
        total = shared = 0.0
        for term in title_terms(title, url):
            rarity = self.background.idf.get(term, self.background.unseen)
            total += rarity
            shared += rarity * self.title_weights.get(term, 0.0)
        return shared / (total + _FEW_WORDS)

    def explain(self, text: str) -> Explanation:
        """The seed nearest to `text`, the terms that they share, and those on which labels have a say."""
        vector = self._vector(weighted_terms(text))
        cosines = self._cosines(vector)
        nearest = cosines.index(max(cosines))
        seed = {term: dict(self.postings[term]).get(nearest, 0.0) for term in vector if term in self.postings}
        return Explanation(
            score=self._score(vector),
            cosine=cosines[nearest],
            terms=_contributions(vector, seed),
            seed_similarity=_power_mean(cosines),
            lift=math.exp(self._lift(vector)),
            label_terms=_contributions(vector, self.word_weights),
        )

    def borderline(self, texts: Iterable[str], most: int) -> list[int]:
        """The positions of the texts whose labels would teach most, most informative first."""
        vectors = [self._vector(weighted_terms(text)) for text in texts]
        odds = [log_odds(self._score(vector).similarity, self.threshold, self.different_seeds) for vector in vectors]
        return informative(odds, vectors, most)

    def problems(self) -> tuple[str, ...]:
        """What is odd about the seeds, a sentence each: copies, a seed unlike the others, different topics."""
        return seed_problems(self.names, self.cosines)

    def _taught(self, labels: Sequence[Label], shifts: bool) -> Self:
        """The profile with what labels change; those that call an article relevant that cannot be are refused."""
        vectors = [self._vector(label.terms) for label in labels]
        likeness = [_power_mean(self._cosines(vector)) for vector in vectors]
        least = self.seed_threshold * math.exp(-REACH)
        used = [i for i, label in enumerate(labels) if likeness[i] >= least or not label.is_relevant]
        correction = learn(
            [vectors[i] for i in used],
            [log_odds(likeness[i], self.seed_threshold, self.different_seeds) for i in used],
            [labels[i].is_relevant for i in used],
            shifts,
        )
        scale = steepness(self.different_seeds)
        return replace(
            self,
            threshold=min(1.0, self.seed_threshold * math.exp(-_bounded(correction.shift / scale))),
            word_weights={term: weight / scale for term, weight in correction.words.items()},
            refused=tuple(label.name for i, label in enumerate(labels) if i not in set(used)),
        )

    def _vector(self, weights: Mapping[str, float]) -> dict[str, float]:
        return _unit(weights, self.background, self.number_weight)

    def _score(self, vector: dict[str, float]) -> Score:
        cosines = self._cosines(vector)
        similarity = min(1.0, _power_mean(cosines) * math.exp(self._lift(vector)))
        return Score(
            similarity=similarity,
            probability=probability(similarity, self.threshold, self.different_seeds),
            is_relevant=similarity >= self.threshold,
            nearest_seed=self.names[cosines.index(max(cosines))],
        )

    def _lift(self, vector: dict[str, float]) -> float:
        """What labels add to ln(similarity); with the moved threshold, never more than `REACH` either way."""
        moved = math.log(self.threshold / self.seed_threshold)
        lift = dot(vector, self.word_weights) if self.word_weights else 0.0
        return _bounded(lift - moved) + moved

    def _cosines(self, vector: dict[str, float]) -> list[float]:
        found = [0.0] * len(self.names)
        for term, weight in vector.items():
            for seed, of_seed in self.postings.get(term, ()):
                found[seed] += weight * of_seed
        return found


def _check(seeds: Sequence[str], names: tuple[str, ...], options: TopicOptions) -> None:
    if not seeds:
        raise TopicError("There is no seed. Give at least one article's text.")
    if len(names) != len(seeds):
        raise TopicError(f"{len(seeds)} seeds have {len(names)} names. Give each seed one name.")
    if options.threshold != "auto" and not 0 < options.threshold < 1:
        raise TopicError(f'threshold is {options.threshold}. Give "auto" or a number between 0 and 1.')
    if options.width not in get_args(Width):
        raise TopicError(f"width is {options.width!r}. Give one of {', '.join(get_args(Width))}.")


def _check_vectors(vectors: list[dict[str, float]], names: tuple[str, ...]) -> None:
    for name, vector in zip(names, vectors, strict=True):
        if len(vector) < FEWEST_TERMS:
            found = f"has only {len(vector)} different telling words" if vector else "holds no telling words"
            raise TopicError(f"{name} {found}. Give the article's whole text, or take this seed out.")


def _unit(weights: Mapping[str, float], background: Background, number_weight: float = 1.0) -> dict[str, float]:
    """The terms' weights times their rarity, as a vector of unit length; without terms of no rarity."""
    idf, unseen = background.idf, background.unseen
    vector = {
        term: weight * idf.get(term, unseen) * (number_weight if is_number(term) else 1.0)
        for term, weight in weights.items()
    }
    norm = math.sqrt(sum(weight * weight for weight in vector.values()))
    return {term: weight / norm for term, weight in vector.items() if weight > 0}


def _bounded(lift: float) -> float:
    return max(-REACH, min(REACH, lift))


def _contributions(vector: dict[str, float], weights: Mapping[str, float]) -> tuple[Contribution, ...]:
    """The products of both sides' weights of common terms, strongest first."""
    found = [Contribution(term, weight * weights.get(term, 0.0)) for term, weight in vector.items()]
    return tuple(sorted((c for c in found if c.weight), key=lambda c: (-abs(c.weight), c.term)))


def _by_term(vectors: list[dict[str, float]]) -> dict[str, tuple[tuple[int, float], ...]]:
    postings: dict[str, list[tuple[int, float]]] = {}
    for seed, vector in enumerate(vectors):
        for term, weight in vector.items():
            postings.setdefault(term, []).append((seed, weight))
    return {term: tuple(seeds) for term, seeds in postings.items()}


def _power_mean(cosines: list[float]) -> float:
    nearest = sorted(cosines)[-_NEAREST:]
    return float((sum(c**_SHARPNESS for c in nearest) / len(nearest)) ** (1 / _SHARPNESS))


def _threshold(cosines: Cosines, options: TopicOptions) -> float:
    """The threshold asked for, or the one that the different seeds set; a copy of a seed tells nothing new."""
    if options.threshold != "auto":
        return options.threshold
    own = sorted(set(originals(cosines)))
    return automatic_threshold([[cosines[i][j] for j in own] for i in own], options.width)


def _title_weights(vectors: list[dict[str, float]]) -> dict[str, float]:
    """For each term, its weight in the seed where it weighs most, as a part of that seed's strongest term: 0..1."""
    weights: dict[str, float] = {}
    for vector in vectors:
        strongest = max(vector.values())
        for term, weight in vector.items():
            weights[term] = max(weights.get(term, 0.0), weight / strongest)
    return weights
