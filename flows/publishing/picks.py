"""The rows that a run has for publishing, named by their places in its parts: a million of them fit in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.schema import TIME
from cleaning.verdict import Verdict
from flows.publishing.withholding import Declared, declared_by, declared_in
from flows.runs import Run
from flows.tables import not_in_the_future
from flows.takedown import Takedowns

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

_LIGHT = ["url", "canonical_url", "published_at", "fetched_at", "word_count", "rights"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run brings: `picks` as PICKS says, `rejects` as REJECTS says, and texts that are withheld by now."""

    picks: pa.Table
    rejects: pa.Table
    withheld: Declared


def found_in(number: int, run: Run, takedowns: Takedowns) -> Found:
    """The places of the run's fresh articles, and of what it rejected; `number` is the run's among those published.

    Raises:
        ValueError: the run's parts do not belong together.
    """
    decisions = pq.read_table(run.folder / "copies.parquet", partitioning=None)
    picks, rejects, done = [PICKS.empty_table()], [REJECTS.empty_table()], 0
    withheld = declared_by(run)
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        light = _light(run, path, number, takedowns)
        is_kept = pc.equal(light["verdict"], str(Verdict.KEPT))
        kept = light.filter(is_kept)
        decided = decisions.slice(done, kept.num_rows)
        rejects.append(light.filter(pc.and_(pc.invert(is_kept), light["allowed"])).select(REJECTS.names))
        picks.append(_picked(kept, decided))
        withheld |= declared_in(kept, decided)
        done += kept.num_rows
    if done != decisions.num_rows:
        raise ValueError(f"{run.folder}: {decisions.num_rows} decisions for {done} articles")
    rejects.append(_outcomes(run, number, takedowns))
    return Found(pa.concat_tables(picks), pa.concat_tables(rejects), withheld)


def _light(run: Run, path: Path, number: int, takedowns: Takedowns) -> pa.Table:
    """Of each page of a part: its place, its verdict, what it is sorted by, and whether no takedown names it."""
    pages = pq.read_table(run.clean_folder / path.name, columns=_LIGHT, partitioning=None)
    verdicts = pq.read_table(path, columns=["verdict"], partitioning=None)["verdict"]
    columns = {
        "url": pages["url"],
        "canonical_url": pages["canonical_url"],
        "rights": pages["rights"],
        "verdict": verdicts,
        "published_at": not_in_the_future(pages["published_at"], pages["fetched_at"]),
        "words": pages["word_count"],
        "allowed": _not_taken_down(pages, takedowns),
    }
    return _placed(columns, run.id, (number, int(path.stem)))


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


def pieces(picks: pa.Table) -> Iterator[tuple[int, int, pa.Table]]:
    """The rows of a table with PLACE by run and part: their numbers, and the rows in the part's order."""
    ordered = picks.sort_by([(name, "ascending") for name, _ in PLACE])
    counts = ordered.group_by(["run", "part"], use_threads=False).aggregate([("row", "count")])
    start = 0
    for row in counts.to_pylist():
        yield row["run"], row["part"], ordered.slice(start, row["row_count"])
        start += row["row_count"]
