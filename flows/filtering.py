"""Judges extracted articles against the recipe: topic, language, period, paywall and rights; pure, on Arrow tables."""

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from cleaning.schema import REASON, SIMILARITY, VERDICT, Column, arrow_schema
from cleaning.topic.feedback import Label
from cleaning.topic.profile import Score, TopicOptions, TopicProfile
from cleaning.verdict import Verdict
from flows.config import Recipe, Seed
from flows.takedown import Takedown, Takedowns

FILTERED = arrow_schema(
    (
        VERDICT,
        REASON,
        SIMILARITY,
        Column("nearest_seed", pa.string(), "Name of the seed that the text is most like."),
    )
)

_NEEDED = [
    "url",
    "canonical_url",
    "verdict",
    "reason",
    "text",
    "title",
    "language",
    "published_at",
    "is_paywalled",
    "rights",
]


@dataclass(frozen=True, slots=True)
class Criteria:
    """All that articles are judged by: whoever has it judges as the run would."""

    recipe: Recipe
    seeds: tuple[Seed, ...]
    labels: tuple[Label, ...]
    takedowns: tuple[Takedown, ...]

    def profile(self) -> TopicProfile:
        """The topic of the seeds and labels, at the threshold that the recipe asks for.

        Raises:
            TopicError: the seeds make none.
        """
        topic = self.recipe.topic
        return TopicProfile.fit(
            [seed.text for seed in self.seeds],
            [seed.name for seed in self.seeds],
            TopicOptions(topic.threshold, topic.width),
            labels=self.labels,
        )

    def judge(self, extracted: pa.Table, profile: TopicProfile) -> pa.Table:
        """One row of FILTERED for each extracted row; only rows that were KEPT so far are scored, by `profile()`."""
        takedowns = Takedowns.of(self.takedowns)
        rows = [_taken_down(row) if takedowns.cover(row) else row for row in extracted.select(_NEEDED).to_pylist()]
        kept = [row for row in rows if row["verdict"] == Verdict.KEPT]
        scores = iter(profile.score_many([text_to_score(row) for row in kept]))
        judged = [
            _judge(row, next(scores), profile.threshold, self.recipe)
            if row["verdict"] == Verdict.KEPT
            else _passed_on(row)
            for row in rows
        ]
        return pa.Table.from_pylist(judged, schema=FILTERED)

    def to_json(self) -> str:
        """For others, to the last digit."""
        return _CRITERIA.dump_json(self, exclude_defaults=True).decode()

    @staticmethod
    def from_json(text: str) -> "Criteria":
        """What `to_json` gave."""
        return _CRITERIA.validate_json(text, strict=False)  # dates are texts in JSON


_CRITERIA = TypeAdapter(Criteria)


def text_to_score(row: dict[str, Any]) -> str:
    """What the topic looks at: the title and the text, as a seed has them."""
    return f"{row['title']}\n\n{row['text'] or ''}"


def _taken_down(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"verdict": str(Verdict.TAKEN_DOWN), "reason": "named by a takedown beside the recipe"}


def _passed_on(row: dict[str, Any]) -> dict[str, Any]:
    return {"verdict": row["verdict"], "reason": row["reason"], "similarity": None, "nearest_seed": None}


def _judge(row: dict[str, Any], score: Score, threshold: float, recipe: Recipe) -> dict[str, Any]:
    verdict, reason = _objection(row, recipe) or _topic(score, threshold)
    return {
        "verdict": str(verdict),
        "reason": reason,
        "similarity": score.similarity,
        "nearest_seed": score.nearest_seed,
    }


def _topic(score: Score, threshold: float) -> tuple[Verdict, str]:
    if score.is_relevant:
        return Verdict.KEPT, ""
    return (
        Verdict.OFF_TOPIC,
        f"similarity {score.similarity:.3f} to {score.nearest_seed}, under the threshold {threshold:.3f}",
    )


def _objection(row: dict[str, Any], recipe: Recipe) -> tuple[Verdict, str] | None:
    """What speaks against publishing the row, whatever it is about; the strongest objection first."""
    rights = json.loads(row["rights"])
    if recipe.politeness.rights == "strict" and rights.get("verdict") == Verdict.OPTED_OUT:
        return Verdict.OPTED_OUT, str(rights.get("reason") or "an opt-out signal of the publisher")
    if row["is_paywalled"] and not recipe.publish.paywalled:
        return Verdict.PAYWALLED, "the page says that it is not free to read"
    if recipe.topic.languages and row["language"] not in recipe.topic.languages:
        return Verdict.OTHER_LANGUAGE, f"language {row['language'] or 'unknown'}"
    return _out_of_period(row, recipe)


def _out_of_period(row: dict[str, Any], recipe: Recipe) -> tuple[Verdict, str] | None:
    published, period = row["published_at"], recipe.period
    if published is None or not (
        (period.since and published < period.since) or (period.until and published >= period.until)
    ):
        return None
    return Verdict.OUTSIDE_PERIOD, f"published {published.isoformat()}"
