"""What follows when an article is withdrawn: it goes when that is certain, and the best of its copies steps in."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.copies.duplicates import Relation
from cleaning.schema import ARTICLES
from cleaning.urls import canonical
from cleaning.verdict import Verdict
from flows.copies.index import CopyIndex
from flows.crawling import THERE_NAME
from flows.destination import LocalFolder
from flows.runs import Run
from flows.tables import not_in_the_future, rows_if_there
from flows.takedown import Takedowns, read_takedowns

WITHDRAWN_NAME = "withdrawn.parquet"
PROMOTED_NAME = "promoted.parquet"
PROMOTED = pa.schema(
    [
        pa.field("old_representative_id", pa.string(), nullable=False),
        pa.field("new_representative_id", pa.string(), nullable=False),
        pa.field("cluster_id", pa.string(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("version", pa.int32(), nullable=False),
    ]
)
"""Copies that take the place of withdrawn articles; the whole row of each is in the state of the run `run_id`."""

_NOT_FOUND = "HTTP 404"
_CUT = frozenset((Relation.TRUNCATED, Relation.EXCERPT))
_LATE = datetime.max.replace(tzinfo=UTC)
_COPIES = ["id", "representative_id", "cluster_id", "relation", "published_at", "word_count", "run_id"]

Row = dict[str, Any]


def gone_articles(run: Run, index: CopyIndex) -> set[str]:
    """The ids of known articles that the crawl found gone for certain, or reserved by now.

    An answer of 404 may be an accident: it counts when a later run gets it again, and the article was not seen between.
    An answer of 410, an end that the publisher named before, and an opt-out that is obeyed count at once. An article
    that the run found there, at whichever of its addresses, is not gone.
    """
    rows = rows_if_there(run.folder / "outcomes.parquet")
    there = _known_at(index, [row["url"] for row in rows_if_there(run.folder / THERE_NAME)])
    gone = [row for row in rows if row["verdict"] == Verdict.GONE]
    doubtful = _known_at(index, [row["url"] for row in gone if row["reason"] == _NOT_FOUND])
    certain = [row for row in gone if row["reason"] != _NOT_FOUND]
    certain += [row for row in rows if row["verdict"] == Verdict.OPTED_OUT]
    found = _known_at(index, [row["url"] for row in certain]) - there
    return found | index.missed_again(run.id, sorted(doubtful - found - there), sorted(there))


def _known_at(index: CopyIndex, urls: Collection[str]) -> set[str]:
    return index.known_at(sorted({address for url in urls for address in (url, canonical(url) or url)}))


def promotions(run: Run, index: CopyIndex, withdrawn: Collection[str], decisions: pa.Table) -> pa.Table:
    """The copies that take the place of withdrawn articles, as PROMOTED says.

    The best copy is one that is not cut, then the one dated first, then the longest, of those whose page is still in
    the state and that no takedown names. Where there is none, the copies go with the article, and are published when
    they are fetched again.
    """
    found: dict[str, Row] = {}
    candidates = [*_published_copies(run, withdrawn), *_new_copies(run, withdrawn, decisions)]
    there = _ids_in_state(run, candidates, Takedowns.of(read_takedowns(run.dataset)))
    for row in sorted(candidates, key=_preference):
        if row["id"] in there and row["id"] not in withdrawn:
            found.setdefault(row["representative_id"], row)
    versions = index.versions([row["id"] for row in found.values()])
    rows = [
        {"old_representative_id": old, "new_representative_id": row["id"], "cluster_id": row["cluster_id"],
         "run_id": row["run_id"], "version": versions[row["id"]]}
        for old, row in sorted(found.items())
        if row["id"] in versions
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PROMOTED)


def promoted_rows(run: Run) -> Iterator[Row]:
    """The rows of `articles` that the run's promoted copies become, with their whole texts."""
    return (row for _, row in _promoted(run))


def _promoted(run: Run) -> Iterator[tuple[str, Row]]:
    """The promoted copies as rows of `articles`, each with the id of the article in whose place it is."""
    for promoted in rows_if_there(run.folder / PROMOTED_NAME):
        article = promoted["new_representative_id"]
        row = _row_in_state(Run(run.dataset, promoted["run_id"]), article)
        if row is not None:
            more = {name: promoted[name] for name in ("cluster_id", "version")} | {"id": article, "run_id": run.id}
            yield promoted["old_representative_id"], {c.name: (row | more).get(c.name) for c in ARTICLES}


def settle(run: Run, index: CopyIndex, name: str) -> None:
    """Makes the articles that a file of the run names unknown to the index, once.

    Of those that were withdrawn, promoted copies take the place. Each file is settled by itself: a run that was refused
    and is repeated may be published the second time, and only then do its orphans go.
    """
    path = run.folder / name
    if gone := sorted(row["id"] for row in rows_if_there(path)):
        promoted = [row | {"old_representative_id": old} for old, row in _promoted(run)]
        index.replace(f"{run.id}-{path.stem}", gone, promoted if name == WITHDRAWN_NAME else [])


def _preference(row: Row) -> tuple[Any, ...]:
    return row["relation"] in _CUT, row["published_at"] or _LATE, -(row["word_count"] or 0), row["id"]


def _published_copies(run: Run, withdrawn: Collection[str]) -> Iterator[Row]:
    destination = LocalFolder(run.dataset.folder)
    manifest = destination.manifest()
    for shard in manifest.of("copies") if manifest and withdrawn else ():
        copies = pq.read_table(destination.current / shard.path, columns=_COPIES, partitioning=None)
        yield from copies.filter(_is_among(copies["representative_id"], withdrawn)).to_pylist()


def _new_copies(run: Run, withdrawn: Collection[str], decisions: pa.Table) -> Iterator[Row]:
    chosen = decisions.filter(pc.and_(decisions["is_fresh"], _is_among(decisions["representative_id"], withdrawn)))
    for row in chosen.to_pylist():
        yield row | {"published_at": None, "word_count": 0, "run_id": run.id}


def _ids_in_state(run: Run, rows: list[Row], takedowns: Takedowns) -> set[str]:
    """Those of some copies whose pages are in the state of the runs that brought them, and are not taken down."""
    by_run: dict[str, list[Row]] = {}
    for row in rows:
        by_run.setdefault(row["run_id"], []).append(row)
    sources = ((Run(run.dataset, run_id), copies) for run_id, copies in sorted(by_run.items()))
    return {row["id"] for source, copies in sources for row in copies if _may_stand(source, row, takedowns)}


def _may_stand(run: Run, copy: Row, takedowns: Takedowns) -> bool:
    """Whether a copy's page is in the state, and no takedown names it."""
    place = _place_in_state(run, copy["id"])
    if place is None:
        return False
    path, number = place
    page = pq.read_table(run.clean_folder / path.name, columns=["url", "canonical_url"], partitioning=None)
    return not takedowns.cover(copy | page.slice(number, 1).to_pylist()[0])


def _place_in_state(run: Run, article: str) -> tuple[Path, int] | None:
    """The part of the run's pages that holds an article, and the row in it."""
    decided = run.folder / "copies.parquet"
    parts = sorted(run.filter_folder.glob("[0-9]*.parquet"))
    if not decided.exists():
        return None
    fresh = pq.read_table(decided, columns=["id", "is_fresh"], partitioning=None)
    is_it = pc.and_(pc.equal(fresh["id"], article), fresh["is_fresh"])
    number = pc.index(is_it, True).as_py()
    for path in parts if number >= 0 else ():
        verdicts = pq.read_table(path, columns=["verdict"], partitioning=None)["verdict"].to_pylist()
        kept = [place for place, verdict in enumerate(verdicts) if verdict == Verdict.KEPT]
        if number < len(kept):
            return path, kept[number]
        number -= len(kept)
    return None


def _row_in_state(run: Run, article: str) -> Row | None:
    place = _place_in_state(run, article)
    if place is None:
        return None
    path, number = place
    tables = (pq.read_table(folder / path.name, partitioning=None) for folder in (run.clean_folder, run.filter_folder))
    page, judgement = (table.slice(number, 1) for table in tables)
    for name in ("published_at", "modified_at"):
        at = page.schema.get_field_index(name)
        page = page.set_column(at, name, not_in_the_future(page[name], page["fetched_at"]))
    row: Row = page.to_pylist()[0] | judgement.to_pylist()[0]
    return row


def _is_among(column: pa.ChunkedArray, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(sorted(values), pa.string()))
