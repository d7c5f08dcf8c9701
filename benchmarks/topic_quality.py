"""What the topic model finds: by width and number of seeds, from one seed, from mixed seeds, by language, after labels.

    python -m benchmarks.topic_quality ../shared/corpora widths|one-seed|mixed-seeds|languages|labels|month

The figures of docs/topic.md come from here. `eval/relevance.py` scores the same model from outside.
"""

import argparse
import json
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from cleaning.topic.feedback import Label
from cleaning.topic.profile import TopicOptions, TopicProfile
from cleaning.topic.terms import weighted_terms
from cleaning.topic.threshold import Width

FEWEST_WORDS = 40
SAME, OTHER = 1.5, 3.5
"""Judgements of SemEval-2022 task 8, 1 (same story) to 4, up to which, and from which, a pair counts as that."""

NOTABLE = 0.05
"""A change of F1 that is worth counting."""

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """Seeds, and the articles among which `wanted` ones are to be found."""

    topic: int
    seeds: tuple[Record, ...]
    rest: tuple[Record, ...]
    wanted: tuple[bool, ...]

    @classmethod
    def of(cls, articles: Sequence[Record], seeds: Sequence[Record], by: str) -> "Query":
        """All articles but the seeds, those wanted that have the first seed's event or topic."""
        rest = tuple(article for article in articles if article not in seeds)
        return cls(int(seeds[0]["topic"]), tuple(seeds), rest, tuple(it[by] == seeds[0][by] for it in rest))

    def profile(self, width: Width = "auto", labels: Sequence[Label] = ()) -> TopicProfile:
        """The topic of the seeds."""
        return TopicProfile.fit([seed["text"] for seed in self.seeds], options=TopicOptions(width=width), labels=labels)


@dataclass(frozen=True, slots=True)
class Quality:
    """Average precision, F1 at the topic's own threshold and at the best one, 0..1."""

    precision: float
    own: float
    best: float

    @classmethod
    def of(cls, profile: TopicProfile, texts: Sequence[str], wanted: Sequence[bool]) -> "Quality":
        """How well a profile tells the wanted texts from the others."""
        scores = profile.score_many(texts)
        similarity, truth = np.array([score.similarity for score in scores]), np.array(wanted)
        right = np.cumsum(truth[np.argsort(-similarity, kind="stable")])
        best = (2 * right / (np.arange(1, len(right) + 1) + truth.sum())).max()
        own = f1([score.is_relevant for score in scores], wanted)
        return cls(float(average_precision_score(truth, similarity)), own, float(best))


def f1(kept: Sequence[bool], wanted: Sequence[bool]) -> float:
    """The harmonic mean of precision and recall."""
    both = sum(a and b for a, b in zip(kept, wanted, strict=True))
    return 2 * both / max(1, sum(kept) + sum(wanted))


def records(path: Path) -> list[Record]:
    """The lines of a JSON lines file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def ecb(corpora: Path) -> list[Record]:
    """The articles of ECB+ that have at least 40 words."""
    found = records(corpora / "events-ecbplus/articles.jsonl")
    return [record for record in found if len(record["text"].split()) >= FEWEST_WORDS]


def members(articles: Sequence[Record], by: str) -> Iterator[list[Record]]:
    """The articles of each event or topic; those of a topic's events in turn, so that seeds come from both."""
    groups: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for article in articles:
        groups[article[by]][article["event"]].append(article)
    for events in groups.values():
        longest = max(map(len, events.values()))
        yield [events[name][i] for i in range(longest) for name in sorted(events) if i < len(events[name])]


def queries(articles: Sequence[Record], by: str, seeds: int) -> list[Query]:
    """The first articles of each event or topic as seeds, where at least two more are there to be found."""
    return [Query.of(articles, group[:seeds], by) for group in members(articles, by) if len(group) >= seeds + 2]


def widths(corpora: Path) -> None:
    """MAP and F1 by width, number of seeds, and what is wanted."""
    articles = ecb(corpora)
    for by in ("event", "topic"):
        for seeds in (1, 3, 5):
            asked = queries(articles, by, seeds)
            for width in ("narrow", "auto", "wide"):
                show(f"by {by}, {seeds} seeds, {width}", judged(asked, width))


def judged(asked: Sequence[Query], width: Width = "auto") -> list[Quality]:
    """The quality of each query's profile."""
    return [Quality.of(query.profile(width), [it["text"] for it in query.rest], query.wanted) for query in asked]


def show(what: str, found: Sequence[Quality]) -> None:
    """Prints means."""
    precision, own, best = (
        statistics.fmean(getattr(it, name) for it in found) for name in ("precision", "own", "best")
    )
    print(
        f"{what}: MAP {precision:.3f}, F1 {own:.3f}, at each query's best threshold {best:.3f} ({len(found)} queries)"
    )


def one_seed(corpora: Path) -> None:
    """Every third article as the only seed; and what a faultless model of the event would have by topic."""
    articles = ecb(corpora)
    for by in ("event", "topic"):
        groups = [group for group in members(articles, by) if len(group) >= 3]
        asked = [Query.of(articles, [seed], by) for group in groups for seed in group[::3]]
        for width in ("auto", "wide"):
            for parity, half in enumerate(("even", "odd")):
                show(f"{half} topics, by {by}, {width}", judged([it for it in asked if it.topic % 2 == parity], width))
    for by, accepted in (("event", "topic"), ("topic", "event")):
        found = [
            f1([it[accepted] == query.seeds[0][accepted] for it in query.rest], query.wanted)
            for query in queries(articles, by, 1)
        ]
        print(f"a faultless model by {accepted}, judged by {by}: F1 {statistics.fmean(found):.3f}")


def mixed_seeds(corpora: Path) -> None:
    """How often seeds of one topic stay without a complaint, and seeds of two topics, or a stranger, are told."""
    dice = random.Random(7)
    topics = list(members(ecb(corpora), "topic"))
    for size in (2, 3, 5, 10, 20):
        told: dict[str, int] = defaultdict(int)
        for _ in range(100):
            one, two = (
                [it["text"] for it in dice.sample(topic, min(size, len(topic)))] for topic in dice.sample(topics, 2)
            )
            told["one topic"] += not complaints(one)
            told["two topics"] += any("2 different things" in said for said in complaints(one + two))
            told["a stranger"] += any("unlike the other" in said for said in complaints(one + two[:1]))
        print(f"{size} seeds: " + ", ".join(f"{kind} {count} %" for kind, count in told.items()))


def complaints(seeds: Sequence[str]) -> list[str]:
    """What is said about seeds, copies left out."""
    return [said for said in TopicProfile.fit(seeds).problems() if "same text" not in said]


def languages(corpora: Path) -> None:
    """By the languages of seed and article: rank correlation with people, and what one seed accepts."""
    pairs: dict[str, list[tuple[float, float, bool]]] = defaultdict(list)
    for record in records(corpora / "similarity-semeval8/pairs.jsonl"):
        for seed, other in (("a", "b"), ("b", "a")):
            if min(len(weighted_terms(record[side])) for side in "ab") >= FEWEST_WORDS:
                score = TopicProfile.fit([record[seed]]).score(record[other])
                pairs["-".join(sorted(record["langs"]))].append(
                    (record["overall"], score.similarity, score.is_relevant)
                )
    for spoken, found in sorted(pairs.items()):
        judgements, similarities, _ = zip(*found, strict=True)
        same, different = [k for j, _, k in found if j <= SAME], [k for j, _, k in found if j >= OTHER]
        print(f"{spoken}: {len(found) // 2} pairs, correlation {-spearmanr(judgements, similarities).statistic:.2f}, "
              f"same story {share(same)}, other story {share(different)}")  # fmt: skip


def share(accepted: Sequence[bool]) -> str:
    """How many of them, as text."""
    return f"{sum(accepted) / len(accepted):.2f} of {len(accepted) // 2}" if accepted else "none"


def labels(corpora: Path) -> None:
    """What ten answers in one half of the articles change in the other half, on the odd topics."""
    articles = ecb(corpora)
    kinds: tuple[tuple[str, Width], ...] = (("event", "auto"), ("topic", "auto"), ("topic", "wide"))
    for by, width in kinds:
        for seeds in (1, 3, 5):
            asked = [it for it in queries(articles, by, seeds) if it.topic % 2 and any(it.wanted[1::2])]
            pairs = [taught(query, width) for query in asked]
            before, after = (statistics.fmean(it) for it in zip(*pairs, strict=True))
            better, worse = (sum(sign * (b - a) > NOTABLE for a, b in pairs) for sign in (1, -1))
            changes = f"of {len(pairs)}, {better} gained more than {NOTABLE}, and {worse} lost more"
            print(f"by {by}, {seeds} seeds, {width}: F1 {before:.3f} -> {after:.3f}; {changes}")


def taught(query: Query, width: Width) -> tuple[float, float]:
    """F1 in the half that is not asked about, before and after ten answers."""
    before = query.profile(width)
    pool = [article["text"] for article in query.rest[::2]]
    asked = before.borderline(pool, 10)
    answers = [label(pool[i], query.wanted[::2][i]) for i in asked]
    texts, wanted = [article["text"] for article in query.rest[1::2]], query.wanted[1::2]
    return Quality.of(before, texts, wanted).own, Quality.of(query.profile(width, answers), texts, wanted).own


def label(text: str, belongs: bool) -> Label:
    """An answer on a text."""
    return Label("", weighted_terms(text), belongs)


def month(corpora: Path) -> None:
    """A month of daily batches with three labels a day: likeness to the seeds of what is accepted, and F1."""
    asked = [query for query in queries(ecb(corpora), "topic", 4) if query.topic % 2][:12]
    for slips in (0.0, 1 / 8, 1 / 4):
        ends = [after_a_month(query, slips) for query in asked]
        likeness_before, likeness, f1_before, f1_after = (statistics.fmean(it) for it in zip(*ends, strict=True))
        likeness_said = f"likeness of what is accepted {likeness_before:.3f} -> {likeness:.3f}"
        print(f"{slips:.3f} of the answers wrong: {likeness_said}, F1 {f1_before:.3f} -> {f1_after:.3f}")


def after_a_month(query: Query, slips: float) -> tuple[float, float, float, float]:
    """Mean likeness to the seeds of what is accepted, and F1, each before and after the month."""
    dice = random.Random(7)
    order = dice.sample(range(len(query.rest)), len(query.rest))
    first = profile = query.profile()
    answers: list[Label] = []
    for day in range(30):
        batch = order[day::30]
        asked = [batch[i] for i in profile.borderline([query.rest[j]["text"] for j in batch], 3)]
        answers += [label(query.rest[i]["text"], query.wanted[i] != (dice.random() < slips)) for i in asked]
        profile = query.profile(labels=answers)
    texts = [article["text"] for article in query.rest]
    seed_scores = [score.similarity for score in first.score_many(texts)]
    kept = [[score.is_relevant for score in it.score_many(texts)] for it in (first, profile)]
    likeness = [statistics.fmean(s for s, k in zip(seed_scores, it, strict=True) if k) for it in kept]
    return likeness[0], likeness[1], f1(kept[0], query.wanted), f1(kept[1], query.wanted)


PARTS: dict[str, Callable[[Path], None]] = {
    "widths": widths,
    "one-seed": one_seed,
    "mixed-seeds": mixed_seeds,
    "languages": languages,
    "labels": labels,
    "month": month,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, help="the folder of the labelled collections")
    parser.add_argument("part", choices=PARTS)
    options = parser.parse_args()
    PARTS[options.part](options.corpora)
