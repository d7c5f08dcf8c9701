"""The shards of the next version: carried over, rewritten without what is dropped, and new."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.manifest import Manifest, Shard
from flows.publishing.changes import SCHEMAS, Change
from flows.publishing.gathering import added, made, stored
from flows.publishing.plan import Plan
from flows.publishing.shards import Shelf
from flows.publishing.sorting import Source, sorted_tables
from flows.publishing.withholding import with_declared
from flows.tables import conform

SPOOL = ".spool"


@dataclass(frozen=True, slots=True)
class Draft:
    """A version on its way: what it is made of, and where.

    Attributes:
        plan: what it changes.
        base: the version before it, whose files lie below `old`.
        shelf: where new shards go.
        moved: rows of `copies` that were articles; filled while articles are written.
        hidden: published articles whose whole texts are not shown from now on; filled while articles are written.
    """

    plan: Plan
    base: Manifest
    old: Path
    shelf: Shelf
    moved: list[pa.Table] = field(default_factory=list)
    hidden: list[pa.Table] = field(default_factory=list)


def version_shards(draft: Draft) -> Iterator[Shard]:
    """The shards of the next version: carried over, rewritten without what is dropped, and new."""
    yield from _articles(draft)
    yield from _copies(draft)
    yield from _others(draft)


def _articles(draft: Draft) -> Iterator[Shard]:
    change, shelf, spool = draft.plan.change, draft.shelf, draft.shelf.draft / SPOOL
    sources = [*added(change, "articles"), *([made("articles", change.promoted)] if change.promoted else [])]
    if draft.plan.is_resplit:
        left = [source for shard in draft.base.of("articles") if (source := _stored(draft, shard))]
        yield from shelf.articles(sorted_tables(left, spool), is_whole=_was_whole(draft))
    else:
        for shard in draft.base.of("articles"):
            rows = _left(draft, shard)
            if rows is None:
                yield _carried(draft, shard)
            else:
                yield from shelf.articles([rows], is_whole=_was_whole(draft))
    yield from shelf.articles(with_declared(rows, change.withheld) for rows in sorted_tables(sources, spool))
    yield from shelf.sketches(draft.hidden)


def _was_whole(draft: Draft) -> bool:
    """Whether the published texts are whole and are shortened now, so that they are to be sketched."""
    return draft.plan.is_narrower and draft.base.policy.text == "full"


def _stored(draft: Draft, shard: Shard) -> Source | None:
    rows = _left(draft, shard)
    path = draft.old / shard.path
    if rows is None:
        return stored(shard.config, partial(read_shard, path, shard.config))
    return made(shard.config, rows) if rows.num_rows else None


def _copies(draft: Draft) -> Iterator[Shard]:
    for shard in draft.base.of("copies"):
        rows = _left(draft, shard)
        yield from [_carried(draft, shard)] if rows is None else draft.shelf.others("copies", [rows])
    sources = [*added(draft.plan.change, "copies"), *(made("copies", rows) for rows in draft.moved)]
    yield from draft.shelf.others("copies", sorted_tables(sources, draft.shelf.draft / SPOOL))


def _others(draft: Draft) -> Iterator[Shard]:
    for shard in draft.base.shards:
        if shard.config not in ("articles", "copies"):
            rows = _left(draft, shard)
            yield from [_carried(draft, shard)] if rows is None else draft.shelf.others(shard.config, [rows])
    rejects = added(draft.plan.change, "rejected")
    yield from draft.shelf.others("rejected", sorted_tables(rejects, draft.shelf.draft / SPOOL))


def _carried(draft: Draft, shard: Shard) -> Shard:
    (draft.shelf.draft / shard.path).hardlink_to((draft.old / shard.path).resolve())
    return shard


def _left(draft: Draft, shard: Shard) -> pa.Table | None:
    """The rows of a shard as they are after the change; None where they stay as they are.

    Rows of articles that became copies move to `draft.moved`, which is written after the articles.
    """
    plan = draft.plan
    if shard.path not in plan.touched and not (shard.config == "articles" and plan.is_narrower):
        return None
    rows = read_shard(draft.old / shard.path, shard.config)
    name = "url" if shard.config == "rejected" else "id"
    dropped = pc.is_in(rows[name], pa.array(sorted(plan.drop[shard.config]), pa.string()))
    if shard.config == "articles":
        _move(rows.filter(dropped), draft)
    rows = rows.filter(pc.invert(dropped))
    if shard.config == "articles":
        return _hide(rows, draft)
    return _follow_representatives(rows, plan.change) if shard.config == "copies" else rows


def read_shard(path: Path, config: str, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a published shard, with the columns of today's schema; or some columns as they are."""
    rows = pq.read_table(path, columns=list(columns) if columns else None, partitioning=None)
    return rows if columns or config not in SCHEMAS else conform(rows, SCHEMAS[config])


def is_outdated(path: Path, config: str) -> bool:
    """Whether a published shard lacks a column of today's schema: an earlier release wrote it."""
    return config in SCHEMAS and not set(SCHEMAS[config].names) <= set(pq.read_schema(path).names)


def _move(dropped: pa.Table, draft: Draft) -> None:
    as_copies = draft.plan.change.moved
    rows = [row | as_copies[row["id"]] for row in dropped.to_pylist() if row["id"] in as_copies]
    if rows:
        draft.moved.append(pa.Table.from_pylist(rows, schema=SCHEMAS["copies"]))


def _hide(rows: pa.Table, draft: Draft) -> pa.Table:
    """Articles with what was declared of them since; the shelf leaves out the texts that are withheld."""
    declared = draft.plan.change.withheld
    is_whole = draft.base.policy.text == "full" and not draft.plan.is_narrower
    if is_whole and draft.plan.policy.rights == "strict":
        named = pc.is_in(rows["id"], pa.array(sorted(declared), pa.string()))
        draft.hidden.append(rows.filter(pc.and_(named, pc.is_valid(rows["text"]))))
    return with_declared(rows, declared)


def _follow_representatives(copies: pa.Table, change: Change) -> pa.Table:
    names = [change.renamed.get(name, name) for name in copies["representative_id"].to_pylist()]
    at = copies.schema.get_field_index("representative_id")
    return copies.set_column(at, copies.schema.field(at), pa.array(names, pa.string()))
