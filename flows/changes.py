"""What the runs since the last published version change: rows to add to each config, and ids to take out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.schema import ARTICLES, CONFIGS, COPIES, REJECTED, arrow_schema
from cleaning.verdict import Verdict
from flows.config import Recipe
from flows.runs import Run

SCHEMAS: dict[str, pa.Schema] = {config: arrow_schema(columns) for config, columns in CONFIGS.items()}
EXCERPT_WORDS = 60
NEW, SAME, VERSION = "new", "same", "version"

Row = dict[str, Any]


@dataclass(slots=True)
class Change:
    """Rows to add (by id; rejected ones by URL) and ids to drop, by config; built up run by run."""

    add: dict[str, dict[str, Row]] = field(default_factory=lambda: {config: {} for config in CONFIGS})
    drop: dict[str, set[str]] = field(default_factory=lambda: {"articles": set(), "copies": set()})

    def __bool__(self) -> bool:
        """Whether readers of articles or copies would see a difference; rejected rows alone make no new version."""
        return any(self.add[config] or self.drop[config] for config in ("articles", "copies"))

    def table(self, config: str) -> pa.Table:
        """The rows to add, sorted by publication date (rejected ones by URL), as the config's schema has them."""
        key = _by_url if config == "rejected" else _by_date
        return pa.Table.from_pylist(sorted(self.add[config].values(), key=key), schema=SCHEMAS[config])


def _by_date(row: Row) -> tuple[str, str]:
    return (row["published_at"].isoformat() if row["published_at"] else "", row["id"])


def _by_url(row: Row) -> tuple[str, str]:
    return (row["url"], row["verdict"])


def collect(runs: Sequence[Run], recipe: Recipe) -> Change:
    """The change that some runs make, in their order; a later run's edition replaces an earlier one's."""
    change = Change()
    for run in runs:
        _add_run(change, run, recipe)
    return change


def kept_rows(run: Run, columns: list[str] | None = None) -> Iterator[Row]:
    """The run's articles that passed the filter, in order, each with its similarity and nearest seed."""
    for row in _all_rows(run, columns):
        if row["verdict"] == Verdict.KEPT:
            yield row


def _all_rows(run: Run, columns: list[str] | None = None) -> Iterator[Row]:
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        extracted = pq.read_table(run.clean_folder / path.name, columns=columns, partitioning=None).to_pylist()
        judged = pq.read_table(path, partitioning=None).to_pylist()
        for row, judgement in zip(extracted, judged, strict=True):
            yield row | judgement


def _add_run(change: Change, run: Run, recipe: Recipe) -> None:
    decisions = iter(pq.read_table(run.folder / "copies.parquet", partitioning=None).to_pylist())
    for row in _all_rows(run):
        if row["verdict"] == Verdict.KEPT:
            _add_article(change, row | next(decisions) | {"run_id": run.id}, recipe)
        else:
            _reject(change, row, run)
    for outcome in _rows_if_there(run.folder / "outcomes.parquet"):
        _reject(change, outcome, run)
    for withdrawn in _rows_if_there(run.folder / "withdrawn.parquet"):
        _forget(change, withdrawn["id"])


def _add_article(change: Change, row: Row, recipe: Recipe) -> None:
    config, columns = ("articles", ARTICLES) if row["representative_id"] == row["id"] else ("copies", COPIES)
    if row["relation"] == SAME and row["representative_id"] == row["id"]:
        return
    if row["relation"] != NEW:
        _forget(change, row["id"])
    change.add[config][row["id"]] = _fit(row | {"text": shortened(row["text"], recipe.publish.text)}, columns)


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


def shortened(text: str, policy: str) -> str | None:
    """The text as the recipe publishes it: `full`, an `excerpt` of the first EXCERPT_WORDS words, or `none`."""
    if policy == "full":
        return text
    return " ".join(text.split()[:EXCERPT_WORDS]) + " …" if policy == "excerpt" else None
