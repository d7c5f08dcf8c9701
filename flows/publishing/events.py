"""What runs say of single articles that are published already, or were brought by a run before: who stands for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.publishing.promotion import PROMOTED_NAME, WITHDRAWN_NAME
from flows.runs import Run
from flows.tables import rows_if_there

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Another article takes the place of a representative, in the run with that number.

    `as_copy` is what makes the old one's row one of `copies`; empty where it is withdrawn.
    """

    run: int
    new: str
    as_copy: Row


@dataclass(frozen=True, slots=True)
class Events:
    """What the runs say of single articles: by id, their successors in order, and the last run that withdrew them."""

    steps: dict[str, list[Step]]
    withdrawn: dict[str, int]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Events":
        """The events of some runs, which are numbered from 0."""
        steps: dict[str, list[Step]] = {}
        withdrawn: dict[str, int] = {}
        for number, run in enumerate(runs):
            for row in rows_if_there(run.folder / "representatives.parquet"):
                steps.setdefault(row["old_representative_id"], []).append(_demotion(number, row, run))
            for row in rows_if_there(run.folder / PROMOTED_NAME):
                step = Step(number, row["new_representative_id"], {})
                steps.setdefault(row["old_representative_id"], []).append(step)
            withdrawn |= {row["id"]: number for row in rows_if_there(run.folder / WITHDRAWN_NAME)}
        return cls(steps, withdrawn)

    @property
    def named(self) -> set[str]:
        """The ids of the articles that became copies or were withdrawn."""
        return {*self.steps, *self.withdrawn}

    def standing(self, article: str, run: int) -> str:
        """The representative that stands for one that a run named, after all runs."""
        seen = set[str]()
        while article not in seen and (step := self._next(article, run)):
            seen.add(article)
            article, run = step.new, step.run
        return article

    def demotion(self, article: str, run: int) -> Row | None:
        """What made an article a copy after a run; None where nothing did."""
        found = [step.as_copy for step in self.steps.get(article, ()) if step.run >= run and step.as_copy]
        return found[-1] if found else None

    def is_withdrawn(self, article: str, run: int) -> bool:
        """Whether an article that a run named was withdrawn after it."""
        return self.withdrawn.get(article, -1) >= run

    def _next(self, article: str, run: int) -> Step | None:
        return next((step for step in self.steps.get(article, ()) if step.run >= run), None)


def _demotion(number: int, row: Row, run: Run) -> Step:
    as_copy = {name: row[name] for name in ("cluster_id", "relation", "containment")}
    return Step(number, row["new_representative_id"], as_copy | {"run_id": run.id})
