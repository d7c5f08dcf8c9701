"""What the runs since the last published version change, decided by id alone: the rows themselves stay in the runs.

A row is named by its place (run, part, row), so that a million of them fit in memory;
`flows.publishing.gathering` reads them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.duplicates import Relation
from cleaning.schema import CONFIGS, TIME, arrow_schema
from cleaning.verdict import Verdict
from flows.publishing.promotion import promoted_rows
from flows.runs import Run
from flows.tables import not_in_the_future
from flows.takedown import NONE, Takedowns

SCHEMAS: dict[str, pa.Schema] = {config: arrow_schema(columns) for config, columns in CONFIGS.items()}

Row = dict[str, Any]

PLACE = (("run", pa.int32()), ("part", pa.int32()), ("row", pa.int32()))
PICKS = pa.schema(
    [
        ("id", pa.string()),
        ("representative_id", pa.string()),
        ("cluster_id", pa.string()),
        ("relation", pa.string()),
        ("containment", pa.float32()),
        ("version", pa.int32()),
        ("run_id", pa.string()),
        ("url", pa.string()),
        ("published_at", TIME),
        ("words", pa.int32()),
        *PLACE,
    ]
)
"""Rows to add to `articles` (those that are their own representative) and `copies`, with what was decided of them."""

REJECTS = pa.schema([("url", pa.string()), ("verdict", pa.string()), ("run_id", pa.string()), *PLACE])
"""Rows to add to `rejected`; the part is OUTCOMES for what the crawl itself left out."""

OUTCOMES = -1


@dataclass(frozen=True, slots=True)
class Change:
    """What to add, by place in `runs`, and what becomes of published rows.

    Attributes:
        runs: the runs that are published; `run` in the tables counts from 0 here.
        picks: rows to add, as PICKS says; an id occurs once.
        rejects: rows to add, as REJECTS says; a URL occurs once.
        gone: ids whose published row goes: withdrawn, promoted, or replaced by a pick.
        moved: published articles that become copies; by id, what makes their row one of `copies`.
        renamed: representatives that others took the place of; by the id of the old one that of the new one.
        promoted: rows of `articles` that were published as copies before.
    """

    runs: tuple[Run, ...]
    picks: pa.Table
    rejects: pa.Table
    gone: frozenset[str] = frozenset()
    moved: Mapping[str, Row] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    promoted: tuple[Row, ...] = ()

    def articles(self) -> pa.Table:
        """The picks that are articles."""
        return self.picks.filter(pc.equal(self.picks["id"], self.picks["representative_id"]))

    def copies(self) -> pa.Table:
        """The picks that are copies of articles."""
        return self.picks.filter(pc.not_equal(self.picks["id"], self.picks["representative_id"]))


@dataclass(frozen=True, slots=True)
class _Step:
    """Another article takes the place of a representative, in the run with that number."""

    run: int
    new: str
    as_copy: Row


@dataclass(frozen=True, slots=True)
class _Events:
    """What the runs say of single articles: by id, their successors in order, and the last run that withdrew them."""

    steps: dict[str, list[_Step]]
    withdrawn: dict[str, int]

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

    def _next(self, article: str, run: int) -> _Step | None:
        return next((step for step in self.steps.get(article, ()) if step.run >= run), None)


def collect(runs: Sequence[Run], takedowns: Takedowns = NONE) -> Change:
    """The change that some runs make, in their order; a later run's edition replaces an earlier one's.

    What a takedown names is left out, be it that the run was made before the takedown.
    """
    found = [_read_run(number, run, takedowns) for number, run in enumerate(runs)]
    every = pa.concat_tables([picks for picks, _ in found] or [PICKS.empty_table()])
    rejects = pa.concat_tables([rejects for _, rejects in found] or [REJECTS.empty_table()])
    events = _events(runs)
    picks = _allowed(_settled(_last_by("id", every), events), takedowns)
    picked = _these(picks, "id", {*events.steps, *events.withdrawn})
    promoted = _promoted(runs, picked, events, takedowns)
    editions = every.filter(pc.equal(every["relation"], str(Relation.VERSION)))["id"].to_pylist()
    return Change(
        runs=tuple(runs),
        picks=picks,
        rejects=_left_out(_last_by("url", rejects), picks),
        gone=frozenset((*events.withdrawn, *editions, *(row["id"] for row in promoted))),
        moved=_moved(events, picked | {*editions}),
        renamed={old: events.standing(old, -1) for old in events.steps},
        promoted=promoted,
    )


def _read_run(number: int, run: Run, takedowns: Takedowns) -> tuple[pa.Table, pa.Table]:
    """The places of the run's fresh articles, and of what it rejected."""
    decisions = pq.read_table(run.folder / "copies.parquet", partitioning=None)
    picks, rejects, done = [PICKS.empty_table()], [REJECTS.empty_table()], 0
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        light = _light(run, path, number, takedowns)
        is_kept = pc.equal(light["verdict"], str(Verdict.KEPT))
        kept = light.filter(is_kept)
        rejects.append(light.filter(pc.and_(pc.invert(is_kept), light["allowed"])).select(REJECTS.names))
        picks.append(_picked(kept, decisions.slice(done, kept.num_rows)))
        done += kept.num_rows
    if done != decisions.num_rows:
        raise ValueError(f"{run.folder}: {decisions.num_rows} decisions for {done} articles")
    rejects.append(_outcomes(run, number, takedowns))
    return pa.concat_tables(picks), pa.concat_tables(rejects)


_LIGHT = ["url", "canonical_url", "published_at", "fetched_at", "word_count"]


def _light(run: Run, path: Path, number: int, takedowns: Takedowns) -> pa.Table:
    """Of each page of a part: its place, its verdict, what it is sorted by, and whether no takedown names it."""
    pages = pq.read_table(run.clean_folder / path.name, columns=_LIGHT, partitioning=None)
    verdicts = pq.read_table(path, columns=["verdict"], partitioning=None)["verdict"]
    return _placed(
        {
            "url": pages["url"],
            "verdict": verdicts,
            "published_at": not_in_the_future(pages["published_at"], pages["fetched_at"]),
            "words": pages["word_count"],
            "allowed": _not_taken_down(pages, takedowns),
        },
        run.id,
        (number, int(path.stem)),
    )


def _placed(columns: dict[str, Any], run_id: str, place: tuple[int, int]) -> pa.Table:
    table = pa.table(columns)
    rows = table.num_rows
    for name, value in zip(("run", "part"), place, strict=True):
        table = table.append_column(name, pa.array([value] * rows, pa.int32()))
    table = table.append_column("row", pa.array(range(rows), pa.int32()))
    return table.append_column("run_id", pa.array([run_id] * rows, pa.string()))


def _picked(kept: pa.Table, decisions: pa.Table) -> pa.Table:
    both = kept
    for name in ("id", "representative_id", "cluster_id", "relation", "containment", "version"):
        both = both.append_column(name, decisions[name])
    return both.filter(pc.and_(decisions["is_fresh"], kept["allowed"])).select(PICKS.names).cast(PICKS)


def _outcomes(run: Run, number: int, takedowns: Takedowns) -> pa.Table:
    path = run.folder / "outcomes.parquet"
    if not path.exists():
        return REJECTS.empty_table()
    found = pq.read_table(path, columns=["url", "verdict"], partitioning=None)
    placed = _placed({"url": found["url"], "verdict": found["verdict"]}, run.id, (number, OUTCOMES))
    return placed.select(REJECTS.names).cast(REJECTS).filter(_not_taken_down(found, takedowns))


def _not_taken_down(rows: pa.Table, takedowns: Takedowns) -> pa.Array:
    if not (takedowns.urls or takedowns.hosts):
        return pa.array([True] * rows.num_rows, pa.bool_())
    names = [name for name in ("url", "canonical_url") if name in rows.column_names]
    return pa.array([not takedowns.cover(row) for row in rows.select(names).to_pylist()], pa.bool_())


def _allowed(picks: pa.Table, takedowns: Takedowns) -> pa.Table:
    taken = pa.array(sorted(takedowns.ids), pa.string())
    named = pc.or_(pc.is_in(picks["id"], taken), pc.is_in(picks["representative_id"], taken))
    return picks.filter(pc.invert(named)) if takedowns.ids else picks


def _last_by(column: str, table: pa.Table) -> pa.Table:
    """The last row with each value of a column, in the table's order."""
    numbered = pa.table({"key": table[column], "at": pa.array(range(table.num_rows), pa.int64())})
    last = numbered.group_by("key").aggregate([("at", "max")])["at_max"]
    return table.take(last.take(pc.sort_indices(last))) if last.length() < table.num_rows else table


def _events(runs: Sequence[Run]) -> _Events:
    steps: dict[str, list[_Step]] = {}
    withdrawn: dict[str, int] = {}
    for number, run in enumerate(runs):
        for row in _rows_if_there(run.folder / "representatives.parquet"):
            steps.setdefault(row["old_representative_id"], []).append(_demotion(number, row, run))
        for row in _rows_if_there(run.folder / "promoted.parquet"):
            step = _Step(number, row["new_representative_id"], {})
            steps.setdefault(row["old_representative_id"], []).append(step)
        withdrawn |= {row["id"]: number for row in _rows_if_there(run.folder / "withdrawn.parquet")}
    return _Events(steps, withdrawn)


def _demotion(number: int, row: Row, run: Run) -> _Step:
    as_copy = {name: row[name] for name in ("cluster_id", "relation", "containment")}
    return _Step(number, row["new_representative_id"], as_copy | {"run_id": run.id})


def _rows_if_there(path: Path) -> list[Row]:
    return pq.read_table(path, partitioning=None).to_pylist() if path.exists() else []


def _settled(picks: pa.Table, events: _Events) -> pa.Table:
    """The picks as they are after all runs; only those that an event names are looked at one by one."""
    named = pa.array(sorted({*events.steps, *events.withdrawn}), pa.string())
    touched = pc.or_(pc.is_in(picks["id"], named), pc.is_in(picks["representative_id"], named))
    rows = [_after(row, events) for row in picks.filter(touched).to_pylist() if not _is_over(row, events)]
    return pa.concat_tables([picks.filter(pc.invert(touched)), pa.Table.from_pylist(rows, schema=PICKS)])


def _is_over(row: Row, events: _Events) -> bool:
    return events.is_withdrawn(row["id"], row["run"])


def _after(row: Row, events: _Events) -> Row:
    is_article = row["representative_id"] == row["id"]
    standing = {"representative_id": events.standing(row["representative_id"], row["run"])}
    return row | ((events.demotion(row["id"], row["run"]) or {}) if is_article else {}) | standing


def _these(table: pa.Table, column: str, values: set[str]) -> set[str]:
    """The values that a column has."""
    found = pc.is_in(table[column], pa.array(sorted(values), pa.string()))
    return set(table[column].filter(found).to_pylist())


def _moved(events: _Events, picked: set[str]) -> dict[str, Row]:
    """The published articles that became copies; one that was picked has its row there, and one withdrawn has none."""
    found: dict[str, Row] = {}
    for article in events.steps:
        as_copy = events.demotion(article, -1)
        if as_copy and article not in picked and article not in events.withdrawn:
            found[article] = as_copy | {"representative_id": events.standing(article, -1)}
    return found


def _promoted(runs: Sequence[Run], picked: set[str], events: _Events, takedowns: Takedowns) -> tuple[Row, ...]:
    rows = [(number, row) for number, run in enumerate(runs) for row in _promoted_by(run)]
    return tuple(
        row
        for number, row in rows
        if row["id"] not in picked
        and not events.is_withdrawn(row["id"], number)
        and events.demotion(row["id"], number) is None
        and not takedowns.cover(row)
    )


def _promoted_by(run: Run) -> Iterator[Row]:
    if (run.folder / "promoted.parquet").exists():
        yield from promoted_rows(run)


def _left_out(rejects: pa.Table, picks: pa.Table) -> pa.Table:
    """The rejected pages without those whose URL is published after all."""
    return rejects.filter(pc.invert(pc.is_in(rejects["url"], picks["url"].combine_chunks())))


def pieces(picks: pa.Table) -> Iterator[tuple[int, int, pa.Table]]:
    """The rows of a table with PLACE by run and part: their numbers, and the rows in the part's order."""
    ordered = picks.sort_by([(name, "ascending") for name, _ in PLACE])
    counts = ordered.group_by(["run", "part"], use_threads=False).aggregate([("row", "count")])
    start = 0
    for row in counts.to_pylist():
        yield row["run"], row["part"], ordered.slice(start, row["row_count"])
        start += row["row_count"]
