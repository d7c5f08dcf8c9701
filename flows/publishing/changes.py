"""What the runs since the last published version change, decided by id alone: the rows themselves stay in the runs.

`flows.publishing.picks` names them by their places, `flows.publishing.gathering` reads them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cleaning.copies.duplicates import Relation
from cleaning.schema import CONFIGS, arrow_schema
from flows.publishing.events import Events, Row
from flows.publishing.picks import PICKS, REJECTS, Found, found_in
from flows.publishing.promotion import PROMOTED_NAME, promoted_rows
from flows.publishing.withholding import Declared
from flows.runs import Run
from flows.takedown import NONE, Takedowns

SCHEMAS: dict[str, pa.Schema] = {config: arrow_schema(columns) for config, columns in CONFIGS.items()}


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
        withheld: articles whose publishers ask by now that the text be not shown, published or to be added.
    """

    runs: tuple[Run, ...]
    picks: pa.Table
    rejects: pa.Table
    gone: frozenset[str] = frozenset()
    moved: Mapping[str, Row] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    promoted: tuple[Row, ...] = ()
    withheld: Declared = field(default_factory=dict)

    def articles(self) -> pa.Table:
        """The picks that are articles."""
        return self.picks.filter(pc.equal(self.picks["id"], self.picks["representative_id"]))

    def copies(self) -> pa.Table:
        """The picks that are copies of articles."""
        return self.picks.filter(pc.not_equal(self.picks["id"], self.picks["representative_id"]))

    def new_articles(self) -> set[str]:
        """The ids of the articles that are added."""
        return {*self.articles()["id"].to_pylist(), *(row["id"] for row in self.promoted)}


def collect(runs: Sequence[Run], takedowns: Takedowns = NONE) -> Change:
    """The change that some runs make, in their order; a later run's edition replaces an earlier one's.

    What a takedown names is left out, be it that the run was made before the takedown.
    """
    found = [found_in(number, run, takedowns) for number, run in enumerate(runs)]
    every = pa.concat_tables([one.picks for one in found] or [PICKS.empty_table()])
    rejects = pa.concat_tables([one.rejects for one in found] or [REJECTS.empty_table()])
    events = Events.of(runs)
    picks = _allowed(_settled(_last_by("id", every), events), takedowns)
    picked = _these(picks, "id", events.named)
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
        withheld=_withheld(found, picks),
    )


def _allowed(picks: pa.Table, takedowns: Takedowns) -> pa.Table:
    taken = pa.array(sorted(takedowns.ids), pa.string())
    named = pc.or_(pc.is_in(picks["id"], taken), pc.is_in(picks["representative_id"], taken))
    return picks.filter(pc.invert(named)) if takedowns.ids else picks


def _last_by(column: str, table: pa.Table) -> pa.Table:
    """The last row with each value of a column, in the table's order."""
    numbered = pa.table({"key": table[column], "at": pa.array(range(table.num_rows), pa.int64())})
    last = numbered.group_by("key").aggregate([("at", "max")])["at_max"]
    return table.take(last.take(pc.sort_indices(last))) if last.length() < table.num_rows else table


def _settled(picks: pa.Table, events: Events) -> pa.Table:
    """The picks as they are after all runs; only those that an event names are looked at one by one."""
    named = pa.array(sorted(events.named), pa.string())
    touched = pc.or_(pc.is_in(picks["id"], named), pc.is_in(picks["representative_id"], named))
    rows = [_after(row, events) for row in picks.filter(touched).to_pylist() if not _is_over(row, events)]
    return pa.concat_tables([picks.filter(pc.invert(touched)), pa.Table.from_pylist(rows, schema=PICKS)])


def _is_over(row: Row, events: Events) -> bool:
    return events.is_withdrawn(row["id"], row["run"])


def _after(row: Row, events: Events) -> Row:
    is_article = row["representative_id"] == row["id"]
    standing = {"representative_id": events.standing(row["representative_id"], row["run"])}
    return row | ((events.demotion(row["id"], row["run"]) or {}) if is_article else {}) | standing


def _these(table: pa.Table, column: str, values: set[str]) -> set[str]:
    """The values that a column has."""
    found = pc.is_in(table[column], pa.array(sorted(values), pa.string()))
    return set(table[column].filter(found).to_pylist())


def _moved(events: Events, picked: set[str]) -> dict[str, Row]:
    """The published articles that became copies; one that was picked has its row there, and one withdrawn has none."""
    found: dict[str, Row] = {}
    for article in events.steps:
        as_copy = events.demotion(article, -1)
        if as_copy and article not in picked and article not in events.withdrawn:
            found[article] = as_copy | {"representative_id": events.standing(article, -1)}
    return found


def _promoted(runs: Sequence[Run], picked: set[str], events: Events, takedowns: Takedowns) -> tuple[Row, ...]:
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
    if (run.folder / PROMOTED_NAME).exists():
        yield from promoted_rows(run)


def _left_out(rejects: pa.Table, picks: pa.Table) -> pa.Table:
    """The rejected pages without those whose URL is published after all."""
    return rejects.filter(pc.invert(pc.is_in(rejects["url"], picks["url"].combine_chunks())))


def _withheld(found: Sequence[Found], picks: pa.Table) -> Declared:
    """What the runs declare last of articles, unless a later edition speaks for itself; by id where it is picked."""
    last = {key: (number, signals) for number, one in enumerate(found) for key, signals in one.withheld.items()}
    names = pa.array(sorted(last), pa.string())
    named = picks.filter(pc.or_(pc.is_in(picks["id"], names), pc.is_in(picks["url"], names)))
    for row in named.select(["id", "url", "run"]).to_pylist():
        since: list[tuple[int, Any]] = [last.pop(key) for key in (row["url"], row["id"]) if key in last]
        if later := [one for one in since if one[0] >= row["run"]]:
            last[row["id"]] = later[-1]
    return {key: signals for key, (_, signals) in last.items()}
