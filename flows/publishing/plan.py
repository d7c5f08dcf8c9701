"""What a change does to the published version: which of its shards are touched, and which of its rows go."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from flows.config import Recipe
from flows.errors import PublishError
from flows.manifest import Manifest, Policy
from flows.publishing.changes import SCHEMAS, Change
from flows.publishing.shard_index import ShardIndex

TEXT_RANK = {"none": 0, "excerpt": 1, "full": 2}
"""How much of a text each value of `publish.text` gives to readers."""


class RefusedVersionError(PublishError):
    """A version that is not fit for readers; they keep the one before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A change beside what is published.

    Attributes:
        change: what is added; without copies of articles that are not there, and rejected pages that say nothing new.
        policy: what the rows of the new version follow.
        drop: by config, the ids of published rows that go (URLs for `rejected`).
        touched: the paths of the shards that hold such rows, or rows that name another representative from now on; with
            them, of the shards that lack a column of today's: readers of files take the columns of the first for all.
        orphans: copies that go because their article went and none took its place.
        is_narrower: readers get less of the texts than before, so every shard of articles is written again.
        is_resplit: the splits are others, so every shard of articles is written again.
    """

    change: Change
    policy: Policy
    drop: dict[str, frozenset[str]]
    touched: frozenset[str]
    orphans: frozenset[str]
    is_narrower: bool = False
    is_resplit: bool = False

    @property
    def is_seen(self) -> bool:
        """Whether readers of articles or copies would see a difference; rejected rows alone make none."""
        news = self.change.picks.num_rows or self.change.promoted or self.is_narrower or self.is_resplit
        return bool(news) or any(path for path in self.touched if not path.startswith("data/rejected-"))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to publish at all."""
        return not self.is_seen and not self.change.rejects.num_rows and not self.touched


def policy_of(recipe: Recipe) -> Policy:
    """What the rows of a version follow, as the recipe says."""
    return Policy(recipe.publish.text, recipe.politeness.rights, recipe.publish.splits)


def is_narrower(new: Policy, old: Policy) -> bool:
    """Whether readers get less than before; where a version of format 1 did not say, it may have held whole texts."""
    less = TEXT_RANK[new.text] < TEXT_RANK.get(old.text, TEXT_RANK["full"])
    return less or (new.rights == "strict" and old.rights == "record")


def planned(change: Change, base: Manifest, recipe: Recipe, index: ShardIndex) -> Plan:
    """The plan for a change on top of a published version, which the index follows.

    Raises:
        RefusedVersionError: an article of the change is published already.
    """
    _check_new(change, index)
    orphans = _orphans(change, index)
    change = replace(change, picks=_without(change.picks, "id", orphans))
    rejects, cleared = _rejected(change, index)
    gone = frozenset({*change.gone, *change.moved})
    drop = {"articles": gone, "copies": change.gone | orphans, "sketches": gone, "rejected": cleared}
    policy = policy_of(recipe)
    plan = Plan(
        change=replace(change, rejects=rejects),
        policy=policy,
        drop=drop,
        touched=frozenset(_touched(change, drop, index)),
        orphans=orphans,
        is_narrower=bool(base.of("articles")) and is_narrower(policy, base.policy),
        is_resplit=bool(base.of("articles")) and policy.splits != base.policy.splits,
    )
    outdated = (index.lacking(config, schema.names) for config, schema in SCHEMAS.items())
    return replace(plan, touched=plan.touched.union(*outdated)) if plan.is_seen else plan


def _check_new(change: Change, index: ShardIndex) -> None:
    ids = change.picks["id"].to_pylist()
    both = sorted(_all(index.holders("articles", ids)) | _all(index.holders("copies", ids)))
    there = [article for article in both if article not in change.gone]
    if there:
        raise RefusedVersionError(
            f"{len(there)} articles to add are published already: {there[:3]}.",
            "Nothing was published. Delete copies.duckdb in the state; the next run makes it from what is published.",
        )


def _all(found: dict[str, set[str]]) -> set[str]:
    return {value for values in found.values() for value in values}


def _touched(change: Change, drop: dict[str, frozenset[str]], index: ShardIndex) -> set[str]:
    paths = {*index.copies_of(change.renamed), *index.holders("articles", change.withheld)}
    for config in ("articles", "copies", "sketches"):
        paths |= set(index.holders(config, drop[config]))
    return paths | {path for path, _ in index.rejected(drop["rejected"]).values()}


def _orphans(change: Change, index: ShardIndex) -> frozenset[str]:
    """The ids of copies, published or to be added, whose article is not there after the change."""
    new = change.new_articles()
    removed = (change.gone | change.moved.keys()) - new
    suspects = {*removed, *change.renamed}
    standing = {old: change.renamed.get(old, old) for old in suspects}
    named = set(pc.unique(change.copies()["representative_id"]).to_pylist()) | {*standing.values()}
    there = new | (_all(index.holders("articles", named - new)) - removed)
    lost = [old for old, article in standing.items() if article not in there]
    published = index.ids_of_copies(lost) - change.gone if lost else set()
    copies = change.copies()
    added = copies["id"].filter(pc.invert(pc.is_in(copies["representative_id"], _array(there)))).to_pylist()
    return frozenset({*published, *added})


def _rejected(change: Change, index: ShardIndex) -> tuple[pa.Table, frozenset[str]]:
    """The rejected pages that say something new, and the URLs of published rows of `rejected` that no longer hold.

    A URL that is published is not rejected: a later fetch may have failed, but its article is still there.
    """
    urls = change.rejects["url"].to_pylist()
    verdicts = dict(zip(urls, change.rejects["verdict"].to_pylist(), strict=True))
    published = {url for url, articles in index.addresses(urls).items() if articles - change.gone}
    accepted = change.picks["url"].to_pylist()
    known = index.rejected([*urls, *accepted])
    same = {url for url, (_, verdict) in known.items() if verdicts.get(url) == verdict}
    cleared = known.keys() & ({*accepted, *verdicts} - same - published)
    return _without(change.rejects, "url", published | same), frozenset(cleared)


def _without(table: pa.Table, column: str, values: Iterable[str]) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table[column], _array(values))))


def _array(values: Iterable[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())
