"""The rows of runs to a new version in one atomic commit; what it costs depends on what changes, not on what is there.

collect (by id) -> plan (which shards are touched) -> shards: carried over, rewritten, new -> checks -> commit
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import pyarrow as pa

from cleaning.schema import CONFIGS
from flows.config import Dataset
from flows.destination import CARD_NAME, COUNTS_NAME, CROISSANT_NAME, REPORT_NAME, LocalFolder
from flows.manifest import Manifest, Policy, Shard
from flows.publishing.card import render_card
from flows.publishing.changes import Change, collect
from flows.publishing.checks import check_version
from flows.publishing.counts import count_version
from flows.publishing.croissant import render_croissant
from flows.publishing.drafting import Draft, version_shards
from flows.publishing.plan import Plan, is_narrower, planned
from flows.publishing.shard_index import INDEX_NAME, ShardIndex
from flows.publishing.shards import Shelf
from flows.publishing.withholding import not_noted
from flows.runs import Run, list_runs, write_text
from flows.tables import write_table
from flows.takedown import Takedowns, read_takedowns

HELD_RUNS = 24
"""Runs that bring nothing but rejected pages wait for one that brings more, but no more of them than this."""

THROUGH_NAME = "through.json"
ORPHANS_NAME = "orphans.parquet"


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did: the version that readers see now, whether it is new, and the rows added to each config."""

    version: int
    is_new: bool
    added: dict[str, int]


def publish_pending(run: Run, order: Sequence[str], report: str) -> Published:
    """Publishes what the runs since the published version bring; makes no version where they bring nothing.

    Args:
        run: the run that publishes, and gives the new shards their names.
        order: the ids of the runs in the copies index, in the order in which they entered it.
        report: the text of report.html.

    Raises:
        PublishError: the published dataset is broken or of an unknown format, or the new version is not what the recipe
            expects; readers keep the old one.
    """
    destination = LocalFolder(run.dataset.folder)
    parent = destination.manifest()
    if parent is not None and parent.run == run.id:
        clear_wider(destination, parent)  # killed after the commit, before it was written down
        return Published(parent.version, True, {})
    base = parent or Manifest(run.dataset.name, 0, "", "")
    pending = _pending(run, order, base)
    change = collect(pending, Takedowns.of(read_takedowns(run.dataset)))
    with ShardIndex(run.dataset.state / INDEX_NAME) as index:
        index.follow(parent, destination.current)
        plan = planned(noting(change, index, destination.current), base, run.dataset.recipe, index)
        if plan.is_empty and pending:
            _pass_over(run.dataset, base, pending[-1].id)
        if not plan.is_seen and (plan.is_empty or len(pending) <= HELD_RUNS):
            return Published(base.version, False, {})
        through = pending[-1].id if pending else base.through
        manifest = _publish(run, plan, base, through, report)
        index.follow(manifest, destination.current)
    return Published(manifest.version, True, _added(plan))


def noting(change: Change, index: ShardIndex, folder: Path) -> Change:
    """The change with those declarations only that its articles, or the published ones below `folder`, lack."""
    new = change.new_articles() if change.withheld else ()
    return replace(change, withheld=not_noted(change.withheld, index, folder, new))


def _publish(run: Run, plan: Plan, base: Manifest, through: str, report: str) -> Manifest:
    write_table(run.folder / ORPHANS_NAME, pa.table({"id": pa.array(sorted(plan.orphans), pa.string())}))
    destination = LocalFolder(run.dataset.folder)

    def shards(draft: Path) -> Iterator[Shard]:
        return version_shards(Draft(plan, base, destination.current, Shelf(draft, run.id, plan.policy)))

    manifest = publish_version(run.dataset, base, shards, run.id, through, report, plan.policy)
    clear_wider(destination, manifest)
    return manifest


def clear_wider(destination: LocalFolder, manifest: Manifest) -> None:
    """Clears away the earlier versions that give readers more of the texts than a version does."""
    for number in destination.numbers()[:-1]:
        if is_narrower(manifest.policy, destination.manifest_of(number).policy):
            shutil.rmtree(destination.folder_of(number))


def publish_version(
    dataset: Dataset,
    base: Manifest,
    shards: Callable[[Path], Iterable[Shard]],
    run_id: str,
    through: str,
    report: str,
    policy: Policy | None = None,
) -> Manifest:
    """Publishes the version after `base`, in one atomic commit.

    Args:
        dataset: whose version it is.
        base: the published version, or one without shards.
        shards: puts the shards into the draft folder that it is given, and yields them.
        run_id: what makes the version.
        through: the last run whose rows are in it.
        report: the text of report.html.
        policy: what its rows follow; that of `base` where none is given.

    Raises:
        PublishError: the version is not what the recipe expects.
    """
    destination = LocalFolder(dataset.folder)
    draft = destination.begin(base.version + 1)
    try:
        manifest = base.next(run_id, through, _in_order(shards(draft)), policy)
        check_version(manifest, base, dataset.recipe)
        _describe(dataset, manifest, base, draft, report)
    except BaseException:
        destination.abandon(draft)
        raise
    destination.commit(draft, manifest)
    return manifest


def _in_order(shards: Iterable[Shard]) -> tuple[Shard, ...]:
    """The shards by config, those of articles by split, else as they come."""
    configs = list(CONFIGS)
    return tuple(
        sorted(
            shards,
            key=lambda shard: (configs.index(shard.config) if shard.config in configs else len(configs), shard.split),
        )
    )


def _describe(dataset: Dataset, manifest: Manifest, base: Manifest, draft: Path, report: str) -> None:
    """Writes what goes with the shards into the draft: card, counts, Croissant, report."""
    counts = count_version(draft, manifest, LocalFolder(dataset.folder).current, base)
    texts = {
        CARD_NAME: render_card(dataset, manifest, counts),
        COUNTS_NAME: counts.to_json(),
        CROISSANT_NAME: render_croissant(dataset, manifest),
        REPORT_NAME: report,
    }
    for name, text in texts.items():
        (draft / name).write_text(text, encoding="utf-8")


def _pending(run: Run, order: Sequence[str], base: Manifest) -> list[Run]:
    """The runs in the index that are not in the published version, up to one whose own files are not complete."""
    known = {known.id: known for known in list_runs(run.dataset)}
    passed = _passed_over(run.dataset, base)
    through = passed if passed in order else base.through
    since = order[order.index(through) + 1 :] if through in order else order
    there = (known[run_id] for run_id in since if run_id in known)
    return list(takewhile(lambda pending: pending.summary("copies") is not None, there))


def _pass_over(dataset: Dataset, base: Manifest, run_id: str) -> None:
    """Remembers that the runs up to one add nothing to a version, so that they are not read again."""
    write_text(dataset.state / THROUGH_NAME, json.dumps({"version": base.version, "through": run_id}))


def _passed_over(dataset: Dataset, base: Manifest) -> str | None:
    path = dataset.state / THROUGH_NAME
    try:
        said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError:
        return None  # it only saves work
    return said.get("through") if said.get("version") == base.version else None


def _added(plan: Plan) -> dict[str, int]:
    change = plan.change
    articles = change.articles().num_rows
    return {
        "articles": articles + len(change.promoted),
        "copies": change.picks.num_rows - articles + len(change.moved),
        "rejected": change.rejects.num_rows,
    }
