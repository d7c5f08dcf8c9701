"""What the runs since the last published version change: rows to add to each config, and ids to take out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.duplicates import Relation
from cleaning.schema import ARTICLES, CONFIGS, COPIES, REJECTED, arrow_schema
from cleaning.verdict import Verdict
from flows.config import Recipe
from flows.runs import Run
from flows.takedown import NONE, Takedowns

SCHEMAS: dict[str, pa.Schema] = {config: arrow_schema(columns) for config, columns in CONFIGS.items()}
EXCERPT_WORDS = 60
_SLACK = timedelta(days=1)
"""How far after its fetch an article may say that it was published: clocks and zones are off by hours, not by days."""

Row = dict[str, Any]


@dataclass(slots=True)
class Change:
    """Rows to add (by id; rejected ones by URL) and ids to drop, by config; built up run by run.

    `demoted` holds representatives that gave way: by id, what makes their row one of `copies`. Rows of `copies` that
    name them get the new representative.
    """

    add: dict[str, dict[str, Row]] = field(default_factory=lambda: {config: {} for config in CONFIGS})
    drop: dict[str, set[str]] = field(default_factory=lambda: {"articles": set(), "copies": set()})
    demoted: dict[str, Row] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether readers of articles or copies would see a difference; rejected rows alone make no new version."""
        return any(self.add[config] or self.drop[config] for config in ("articles", "copies"))

    def move(self, article: Row) -> None:
        """Takes a published row that was dropped from `articles`: one that was demoted becomes a row of `copies`."""
        if as_copy := self.demoted.get(article["id"]):
            self.add["copies"].setdefault(article["id"], _fit(article | as_copy, COPIES))

    def table(self, config: str) -> pa.Table:
        """The rows to add, sorted by publication date (rejected ones by URL), as the config's schema has them."""
        key = _by_url if config == "rejected" else _by_date
        return pa.Table.from_pylist(sorted(self.add[config].values(), key=key), schema=SCHEMAS[config])


def _by_date(row: Row) -> tuple[str, str]:
    return (row["published_at"].isoformat() if row["published_at"] else "", row["id"])


def _by_url(row: Row) -> tuple[str, str]:
    return (row["url"], row["verdict"])


def collect(runs: Sequence[Run], recipe: Recipe, takedowns: Takedowns = NONE) -> Change:
    """The change that some runs make, in their order; a later run's edition replaces an earlier one's.

    What a takedown names is left out, be it that the run was made before the takedown.
    """
    change = Change()
    for run in runs:
        _add_run(change, run, recipe)
    for rows in change.add.values():
        for key in [key for key, row in rows.items() if takedowns.cover(row)]:
            del rows[key]
    return change


def _all_rows(run: Run) -> Iterator[Row]:
    """Every extracted page of the run, in order, with its final verdict, similarity and nearest seed."""
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        extracted = pq.read_table(run.clean_folder / path.name, partitioning=None).to_pylist()
        judged = pq.read_table(path, partitioning=None).to_pylist()
        for row, judgement in zip(extracted, judged, strict=True):
            yield row | judgement


def _add_run(change: Change, run: Run, recipe: Recipe) -> None:
    kept = []
    for row in _all_rows(run):
        if row["verdict"] == Verdict.KEPT:
            kept.append(row)
        else:
            _reject(change, row, run)
    decisions = pq.read_table(run.folder / "copies.parquet", partitioning=None).to_pylist()
    for row, decision in zip(kept, decisions, strict=True):
        _add_article(change, row | decision | {"run_id": run.id}, recipe)
    for replaced in _rows_if_there(run.folder / "representatives.parquet"):
        _demote(change, replaced, run)
    for outcome in _rows_if_there(run.folder / "outcomes.parquet"):
        _reject(change, outcome, run)
    for withdrawn in _rows_if_there(run.folder / "withdrawn.parquet"):
        _forget(change, withdrawn["id"])
        change.demoted.pop(withdrawn["id"], None)


def _add_article(change: Change, row: Row, recipe: Recipe) -> None:
    if not row["is_fresh"]:
        return
    if row["relation"] == Relation.VERSION:
        _forget(change, row["id"])
    config, columns = ("articles", ARTICLES) if row["representative_id"] == row["id"] else ("copies", COPIES)
    row = _without_future_dates(row)
    change.add[config][row["id"]] = _fit(row | {"text": shortened(row["text"], recipe.publish.text)}, columns)


def _demote(change: Change, replaced: Row, run: Run) -> None:
    """Makes a representative a copy of another, be it published already or added by an earlier run of this change."""
    old = replaced["old_representative_id"]
    as_copy = {
        "representative_id": replaced["new_representative_id"],
        "cluster_id": replaced["cluster_id"],
        "relation": replaced["relation"],
        "containment": replaced["containment"],
        "run_id": run.id,
    }
    change.drop["articles"].add(old)
    change.demoted[old] = as_copy
    if row := change.add["articles"].pop(old, None):
        change.add["copies"][old] = _fit(row | as_copy, COPIES)
    for copy in change.add["copies"].values():
        if copy["representative_id"] == old:
            copy["representative_id"] = as_copy["representative_id"]


def _forget(change: Change, article: str) -> None:
    """Takes an earlier edition out, be it published already or added by an earlier run of this same change."""
    for config in ("articles", "copies"):
        change.drop[config].add(article)
        change.add[config].pop(article, None)


def _reject(change: Change, row: Row, run: Run) -> None:
    change.add["rejected"][row["url"]] = _fit(row | {"run_id": run.id}, REJECTED)


def _rows_if_there(path: Path) -> list[Row]:
    return pq.read_table(path, partitioning=None).to_pylist() if path.exists() else []


def _fit(row: Row, columns: Sequence[Any]) -> Row:
    return {column.name: row.get(column.name) for column in columns}


def _without_future_dates(row: dict[str, Any]) -> dict[str, Any]:
    """The row without publication and modification times that lie after its fetch: no publisher knows the future."""
    fetched = row.get("fetched_at")
    if fetched is None:
        return row
    times = {key: row[key] for key in ("published_at", "modified_at") if row.get(key)}
    return row | {key: None for key, value in times.items() if value > fetched + _SLACK}


def shortened(text: str, policy: str) -> str | None:
    """The text as the recipe publishes it: `full`, an `excerpt` of the first EXCERPT_WORDS words, or `none`."""
    if policy == "full":
        return text
    return " ".join(text.split()[:EXCERPT_WORDS]) + " …" if policy == "excerpt" else None
