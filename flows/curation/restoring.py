"""An earlier version's rows as they may be published today, whatever publishers and others asked for since.

What was withdrawn stays withdrawn, with the copy in its place that took it, and texts that are withheld by now stay so.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.copies.sketches import SKETCHES, SKETCHES_CONFIG
from flows.curation.since import Since, strings, withdrawn_since, withheld_since
from flows.manifest import Shard
from flows.publishing.changes import SCHEMAS, collect
from flows.publishing.drafting import Draft, version_shards
from flows.publishing.events import Row
from flows.publishing.plan import Plan, planned
from flows.publishing.publish import noting
from flows.publishing.shard_index import ShardIndex
from flows.publishing.shards import Shelf
from flows.publishing.sightings import Brought, declared_since
from flows.publishing.withholding import Declared, with_declared
from flows.takedown import NONE, Takedowns

_NAMING = ("id", "url", "canonical_url")


@dataclass(frozen=True, slots=True)
class Restored:
    """An earlier version as it may be published today.

    Attributes:
        since: the version, and what came after it.
        plan: what changes in it.
        short: rows of `articles` in place of withdrawn ones of which readers saw less than the whole text.
        sketches: those of the articles in `short`.
        rejected: what became of the pages of withdrawn articles, as the last version has it that says so.
        withdrawn: how many articles and copies go because they were withdrawn, or name one that was.
        taken_down: how many go because a takedown names them.
    """

    since: Since
    plan: Plan
    short: pa.Table
    sketches: pa.Table
    rejected: pa.Table
    withdrawn: int
    taken_down: int

    def shards(self, draft: Path, name: str) -> Iterator[Shard]:
        """The shards of the version to be published, new ones under names that have `name` in them."""
        shelf = Shelf(draft, name, self.plan.policy)
        yield from version_shards(Draft(self.plan, self.since.source, self.since.folder, shelf))
        yield from shelf.articles([with_declared(self.short, self.plan.change.withheld)], is_whole=False)
        yield from shelf.others(SKETCHES_CONFIG, [self.sketches])
        yield from shelf.others("rejected", [self.rejected])

    @property
    def promoted(self) -> int:
        """How many copies are articles now."""
        return len(self.plan.change.promoted) + int(self.short.num_rows)

    @property
    def withheld(self) -> int:
        """How many articles have no text any more, or what withholds it noted."""
        return len(self.plan.change.withheld)


def restored(since: Since, takedowns: Takedowns, rights: str, index: ShardIndex) -> Restored:
    """What is left of a version today.

    Args:
        since: the version, and what came after it.
        takedowns: those of the dataset.
        rights: the policy that rows follow today, for a version that does not say which one it follows.
        index: knows the shards of the version.
    """
    taken, urls = _taken_down(since, takedowns)
    taken |= index.ids_of_copies(taken)
    withdrawn = withdrawn_since(since) - taken
    heirs = _heirs(since, withdrawn, taken)
    gone = withdrawn | taken
    change = replace(
        collect([]),
        gone=gone | {heir["id"] for heir in heirs.values()},
        promoted=tuple(heirs.values()),
        renamed={old: heir["id"] for old, heir in heirs.items()},
        withheld={article: said for article, said in _withheld(since).items() if article not in gone},
    )
    source = since.source
    plan = planned(noting(change, index, since.folder), source, since.dataset.recipe, index)
    policy = replace(source.policy, rights=source.policy.rights or rights)
    plan = _without_rejected(replace(plan, policy=policy, is_narrower=False, is_resplit=False), urls, index)
    sketches = _sketches(since, plan.change.promoted)
    whole, short = _by_text(plan.change.promoted, sketches)
    plan = replace(plan, change=replace(plan.change, promoted=whole))
    rejected = _rejected(since, withdrawn, index)
    return Restored(since, plan, short, sketches, rejected, len(withdrawn | plan.orphans), len(taken))


def _withheld(since: Since) -> Declared:
    """What withholds the texts of articles by now, be it that they are copies, whose rows have no evidence."""
    copies = strings({article for _, rows in since.new("copies", "id") for article in rows["id"].to_pylist()})
    demoted: dict[str, Brought] = {}
    for rows in since.own("articles", "id", "run_id", "url"):
        for row in rows.filter(pc.is_in(rows["id"], copies)).to_pylist():
            demoted[row["id"]] = Brought(row["run_id"], row["url"])
    return {**declared_since(since.dataset, demoted), **withheld_since(since)}


def _taken_down(since: Since, takedowns: Takedowns) -> tuple[frozenset[str], frozenset[str]]:
    """The ids of the version's articles and copies that takedowns name, and the URLs of its rejected pages."""
    if takedowns == NONE:
        return frozenset(), frozenset()
    columns = {"articles": [], "copies": ["representative_id"]}
    tables = (rows for config, more in columns.items() for rows in since.own(config, *_NAMING, *more))
    ids = frozenset(row["id"] for rows in tables for row in rows.to_pylist() if takedowns.cover(row))
    rejected = (row for rows in since.own("rejected", "url") for row in rows.to_pylist())
    return ids, frozenset(row["url"] for row in rejected if takedowns.cover(row))


def _heirs(since: Since, withdrawn: Set[str], taken: Set[str]) -> dict[str, Row]:
    """By the id of a withdrawn article: the copy of it that was an article since, as the last version has it."""
    copies: dict[str, str] = {}
    for rows in since.own("copies", "id", "representative_id"):
        of_these = rows.filter(pc.is_in(rows["representative_id"], strings(withdrawn))).to_pylist()
        copies |= {row["id"]: row["representative_id"] for row in of_these if row["id"] not in withdrawn | taken}
    return {copies[row["id"]]: row for row in since.rows("articles", copies)}


def _rejected(since: Since, withdrawn: Set[str], index: ShardIndex) -> pa.Table:
    """The rows of `rejected` about pages of withdrawn articles at which nothing else is published."""
    urls: set[str] = set()
    for config in ("articles", "copies"):
        for rows in since.own(config, *_NAMING):
            gone = rows.filter(pc.is_in(rows["id"], strings(withdrawn)))
            urls.update(gone["url"].to_pylist(), gone["canonical_url"].to_pylist())
    published = {url for url, articles in index.addresses(urls).items() if articles - withdrawn}
    news = urls - published - index.rejected(urls).keys()
    found = {row["url"]: row for row in since.rows("rejected", news, by="url")}
    return pa.Table.from_pylist(list(found.values()), schema=SCHEMAS["rejected"])


def _sketches(since: Since, articles: Iterable[Row]) -> pa.Table:
    """The sketches that later versions have of some articles."""
    found = {row["id"]: row for row in since.rows(SKETCHES_CONFIG, [row["id"] for row in articles])}
    return pa.Table.from_pylist(list(found.values()), schema=SKETCHES)


def _by_text(articles: Iterable[Row], sketches: pa.Table) -> tuple[tuple[Row, ...], pa.Table]:
    """The articles that are published with their whole texts, and the table of the others, which are sketched."""
    sketched = set(sketches["id"].to_pylist())
    whole = tuple(row for row in articles if row["text"] and row["id"] not in sketched)
    ids = {row["id"] for row in whole}
    short = [row for row in articles if row["id"] not in ids]
    return whole, pa.Table.from_pylist(short, schema=SCHEMAS["articles"])


def _without_rejected(plan: Plan, urls: frozenset[str], index: ShardIndex) -> Plan:
    paths = {path for path, _ in index.rejected(urls).values()}
    drop = plan.drop | {"rejected": plan.drop["rejected"] | urls}
    return replace(plan, drop=drop, touched=plan.touched | paths)
