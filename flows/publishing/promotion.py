"""What follows when an article is withdrawn: it goes when that is certain, and the best of its copies steps in."""

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.copies.duplicates import Relation
from cleaning.schema import ARTICLES
from cleaning.urls import canonical
from cleaning.verdict import Verdict
from flows.config import Dataset
from flows.copies.index import CopyIndex
from flows.crawling import THERE_NAME
from flows.destination import LocalFolder
from flows.publishing.sightings import Brought, declared_since
from flows.publishing.withholding import with_signals
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
        pa.field("withheld", pa.string()),
    ]
)
"""Copies that take the place of withdrawn articles; the whole row of each is in the state of the run `run_id`.

`withheld` has as JSON the signals by which a page withholds its text since that run.
"""

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
    there = _in_state(run.dataset, candidates, Takedowns.of(read_takedowns(run.dataset)))
    for row in sorted(candidates, key=_preference):
        if row["id"] in there and row["id"] not in withdrawn:
            found.setdefault(row["representative_id"], row)
    chosen = [row["id"] for row in found.values()]
    versions = index.versions(chosen)
    declared = declared_since(run.dataset, {article: there[article] for article in chosen}, run.id)
    rows = [
        {"old_representative_id": old, "new_representative_id": row["id"], "cluster_id": row["cluster_id"],
         "run_id": row["run_id"], "version": versions[row["id"]], "withheld": _as_json(declared.get(row["id"]))}
        for old, row in sorted(found.items())
        if row["id"] in versions
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PROMOTED)


def _as_json(signals: list[dict[str, Any]] | None) -> str | None:
    return json.dumps(signals, sort_keys=True, ensure_ascii=False) if signals else None


def promoted_rows(run: Run) -> Iterator[Row]:
    """The rows of `articles` that the run's promoted copies become, with their whole texts."""
    return (row for _, row in _promoted(run))


def _promoted(run: Run) -> Iterator[tuple[str, Row]]:
    """The promoted copies as rows of `articles`, each with the id of the article in whose place it is."""
    promoted = rows_if_there(run.folder / PROMOTED_NAME)
    pages: dict[str, Row] = {}
    for source, rows in _by_run(run.dataset, promoted):
        pages |= _rows(source, {row["new_representative_id"] for row in rows})
    for row in promoted:
        article = row["new_representative_id"]
        if article in pages:
            more = {name: row[name] for name in ("cluster_id", "version")} | {"id": article, "run_id": run.id}
            page = _withholding(pages[article] | more, row.get("withheld"))
            yield row["old_representative_id"], {c.name: page.get(c.name) for c in ARTICLES}


def _withholding(page: Row, signals: str | None) -> Row:
    return page | {"rights": with_signals(page["rights"], json.loads(signals))} if signals else page


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


def _in_state(dataset: Dataset, copies: list[Row], takedowns: Takedowns) -> dict[str, Brought]:
    """Those of some copies whose pages are in the state of the runs that brought them, and are not taken down."""
    found: dict[str, Brought] = {}
    for source, rows in _by_run(dataset, copies):
        pages = _addresses(source, {row["id"] for row in rows})
        may_stand = (row["id"] for row in rows if row["id"] in pages and not takedowns.cover(row | pages[row["id"]]))
        found |= {article: Brought(source.id, pages[article]["url"]) for article in may_stand}
    return found


def _by_run(dataset: Dataset, rows: Iterable[Row]) -> Iterator[tuple[Run, list[Row]]]:
    by_run: dict[str, list[Row]] = {}
    for row in rows:
        by_run.setdefault(row["run_id"], []).append(row)
    return ((Run(dataset, run_id), found) for run_id, found in sorted(by_run.items()))


def _places(run: Run, articles: Collection[str]) -> Iterator[tuple[str, dict[str, int]]]:
    """By id, the rows in which articles are that the run brought; for each part of its pages that holds any."""
    decided = run.folder / "copies.parquet"
    if not decided.exists():
        return
    fresh = pq.read_table(decided, columns=["id", "is_fresh"], partitioning=None)
    wanted = pc.and_(fresh["is_fresh"], _is_among(fresh["id"], articles))
    done = 0
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")) if pc.any(wanted).as_py() else ():
        verdicts = pq.read_table(path, columns=["verdict"], partitioning=None)["verdict"]
        kept = pc.indices_nonzero(pc.equal(verdicts, str(Verdict.KEPT)))
        here = wanted.slice(done, len(kept))
        names = fresh["id"].slice(done, len(kept)).filter(here).to_pylist()
        if names:
            yield path.name, dict(zip(names, kept.filter(here.combine_chunks()).to_pylist(), strict=True))
        done += len(kept)


def _addresses(run: Run, articles: Collection[str]) -> dict[str, Row]:
    """The addresses of the pages of articles that the run brought, by id."""
    found: dict[str, Row] = {}
    for part, places in _places(run, articles):
        pages = pq.read_table(run.clean_folder / part, columns=["url", "canonical_url"], partitioning=None)
        found |= zip(places, pages.take(list(places.values())).to_pylist(), strict=True)
    return found


def _rows(run: Run, articles: Collection[str]) -> dict[str, Row]:
    """The pages of articles that the run brought, with what was judged of them, by id."""
    found: dict[str, Row] = {}
    for part, places in _places(run, articles):
        numbers = list(places.values())
        page, judged = (
            pq.read_table(folder / part, partitioning=None).take(numbers)
            for folder in (run.clean_folder, run.filter_folder)
        )
        for name in ("published_at", "modified_at"):
            at = page.schema.get_field_index(name)
            page = page.set_column(at, name, not_in_the_future(page[name], page["fetched_at"]))
        both = (row | more for row, more in zip(page.to_pylist(), judged.to_pylist(), strict=True))
        found |= zip(places, both, strict=True)
    return found


def _is_among(column: pa.ChunkedArray, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(sorted(values), pa.string()))
