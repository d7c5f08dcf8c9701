"""Brings replicas up to the published version; may be killed and repeated anywhere, and readers see whole versions."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from dataclasses import replace as fields_replaced
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pyarrow.parquet as pq

from flows.config import Dataset
from flows.curation.named import NAMING
from flows.destination import LocalFolder
from flows.destinations.addresses import replica_at
from flows.destinations.replica import Head, Old, RaceLostError, Replica, ReplicaError
from flows.errors import InputError, LikewiseError
from flows.manifest import Manifest, Shard
from flows.publishing.plan import is_narrower
from flows.runs import write_text
from flows.takedown import NONE, Takedowns, read_takedowns

ATTEMPTS = 5
STATE_NAME = "replicas.json"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did, or with `dry_run` would do.

    Attributes:
        url: where.
        before: the version that readers saw; None for the first push.
        version: the version that they see now.
        uploaded: the paths of the shards that were not there.
        bytes: the size of these.
        deleted: the paths that the commit took away.
        cleared: the numbers of the old versions that were taken away: they held rows taken down since, or texts that
            readers shall no longer have.
        hint: what is left to do by hand after that.
        dry_run: whether nothing was written.
    """

    url: str
    before: int | None
    version: int
    uploaded: tuple[str, ...] = ()
    bytes: int = 0
    deleted: tuple[str, ...] = ()
    cleared: tuple[int, ...] = ()
    hint: str = ""
    dry_run: bool = False

    @property
    def is_new(self) -> bool:
        """Whether readers see another version than before."""
        return self.before != self.version or bool(self.uploaded)


def push(dataset: Dataset, replica: Replica, dry_run: bool = False, replace: bool = False) -> Pushed:
    """Brings one replica up to the version that is published in the local folder.

    Another writer's commit in between is looked at again: a push goes on where that was a version of the same history.

    Args:
        dataset: whose local folder is pushed.
        replica: to where.
        dry_run: only say what would be done; nothing is written anywhere.
        replace: make the replica a copy of the local folder whatever is there.

    Raises:
        InputError: nothing is published yet.
        ReplicaError: the replica cannot be reached, is ahead, or holds another dataset or another history.
        RaceLostError: other writers were faster ATTEMPTS times.
    """
    manifest = LocalFolder(dataset.folder).manifest()
    if manifest is None:
        raise InputError(f"{dataset.folder}: nothing is published yet.", "`likewise run` makes the first version.")
    for _ in range(ATTEMPTS - 1):
        with suppress(RaceLostError):
            return _push_once(dataset, manifest, replica, dry_run, replace)
    return _push_once(dataset, manifest, replica, dry_run, replace)


def _push_once(dataset: Dataset, manifest: Manifest, replica: Replica, dry_run: bool, replace: bool) -> Pushed:
    head = replica.head()
    if head.manifest == manifest:
        done = Pushed(replica.url, manifest.version, manifest.version, dry_run=dry_run)
    else:
        if not replace:
            _check_history(dataset, manifest, replica, head)
        done = _plan(manifest, replica, head, dry_run, replace)
        if not dry_run:
            lacking = [shard for shard in manifest.shards if shard.path in set(done.uploaded)]
            folder = LocalFolder(dataset.folder).folder_of(manifest.version)
            replica.commit(folder, manifest, lacking, head, replace)
            head = replica.head()
    return done if dry_run else _settled(dataset, manifest, replica, head, done)


def _plan(manifest: Manifest, replica: Replica, head: Head, dry_run: bool, replace: bool) -> Pushed:
    lacking = replica.lacking(manifest, head, replace)
    return Pushed(
        replica.url,
        head.manifest.version if head.manifest else None,
        manifest.version,
        tuple(shard.path for shard in lacking),
        sum(shard.bytes for shard in lacking),
        tuple(replica.dropped(manifest, head)),
        dry_run=dry_run,
    )


def _check_history(dataset: Dataset, manifest: Manifest, replica: Replica, head: Head) -> None:
    """Makes sure that what readers see there is an earlier version of what is published here."""
    there = head.manifest
    if there is None:
        if head.foreign:
            raise ReplicaError(
                f"{replica.url}: there is something that likewise did not publish.",
                "Choose another place, or overwrite it with `likewise push --replace`.",
            )
        return
    if there.name != manifest.name:
        raise ReplicaError(
            f"{replica.url}: holds another dataset, {there.name!r}.", "Choose another place for this one."
        )
    if there.version > manifest.version:
        raise ReplicaError(
            f"{replica.url}: is ahead, at version {there.version}; here it is {manifest.version}.",
            f"Fetch it: likewise pull {manifest.name} --from {replica.url}. Or --replace it.",
        )
    if not _is_ours(dataset, there, replica):
        raise ReplicaError(
            f"{replica.url}: its version {there.version} was not published from this folder.",
            "If this folder is the right one, `likewise push --replace`; else move it away and `likewise pull`.",
        )


def _is_ours(dataset: Dataset, there: Manifest, replica: Replica) -> bool:
    """Whether a version is one of this folder's, or the last one that was pushed from here."""
    local = LocalFolder(dataset.folder)
    if there.version in local.numbers():
        return local.manifest_of(there.version) == there
    return _remembered(dataset).get(replica.url, {}).get("manifest") == _digest(there)


# What is remembered of each replica: what was pushed last, and what its old versions were searched for


def _settled(dataset: Dataset, manifest: Manifest, replica: Replica, head: Head, done: Pushed) -> Pushed:
    """The push with what comes after the commit: what a killed one left undone, and what was withdrawn."""
    replica.settle(head)
    requests = read_takedowns(dataset)
    withdrawn = json.dumps([asdict(manifest.policy), *(asdict(one) for one in requests)])
    said = {"manifest": _digest(manifest), "withdrawn": sha256(withdrawn.encode()).hexdigest()}
    cleared: list[int] = []
    if _remembered(dataset).get(replica.url, {}).get("withdrawn") != said["withdrawn"]:
        cleared = clear_withdrawn(replica, head, Takedowns.of(requests))
    _remember(dataset, replica.url, said)
    return fields_replaced(done, cleared=tuple(cleared), hint=replica.purge_hint) if cleared else done


def expire_all(dataset: Dataset, days: float) -> dict[str, list[int]]:
    """Clears away, on every replica of the recipe, what was replaced more than `days` ago; gives version numbers."""
    before = datetime.now(UTC) - timedelta(days=days)
    return {url: replica_at(url).expire(before) for url in dataset.recipe.publish.to}


def clear_withdrawn(replica: Replica, head: Head, takedowns: Takedowns) -> list[int]:
    """Takes away a replica's old versions that hold a row taken down, or more of the texts than readers may have now.

    Returns:
        Their numbers.
    """
    if head.manifest is None:
        return []
    old = replica.old_versions(head)
    tainted = _tainted(replica, old, set(head.manifest.shards), takedowns) if takedowns != NONE else set()
    gone = [
        version
        for version in old
        if not tainted.isdisjoint(version.manifest.shards)
        or (head.manifest.policy.text and _is_wider(version, head.manifest))
    ]
    kept = [version.manifest for version in old if version not in gone]
    replica.drop(gone, [*kept, head.manifest])
    return sorted(version.manifest.version for version in gone)


def _is_wider(version: Old, now: Manifest) -> bool:
    """Whether a version gives more of the texts; one that does not say what its texts follow is left alone."""
    return bool(now.policy.text) and is_narrower(now.policy, version.manifest.policy)


def _tainted(replica: Replica, old: Sequence[Old], clean: set[Shard], takedowns: Takedowns) -> set[Shard]:
    """The shards of old versions that hold a row that takedowns name.

    Only the columns by which rows are named are read, and nothing of the current version's shards, which are `clean`.
    """
    places = {shard: version.at for version in old for shard in version.manifest.shards if shard not in clean}

    def named(shard: Shard, wanted: Takedowns) -> list[str]:
        with replica.open(places[shard], shard.path) as file:
            return _named(file, wanted)

    articles = [shard for shard in places if shard.config == "articles"]
    ids = {article for shard in articles for article in named(shard, takedowns)}  # their copies go with them
    wanted = fields_replaced(takedowns, ids=takedowns.ids | ids)
    return {shard for shard in places if named(shard, wanted)}


def _named(file: Any, takedowns: Takedowns) -> list[str]:
    """The rows of a shard that takedowns name, by id; by URL where there is none."""
    parquet = pq.ParquetFile(file)
    names = [name for name in parquet.schema_arrow.names if name in NAMING]
    rows = (row for batch in parquet.iter_batches(columns=names) for row in batch.to_pylist())
    return [row.get("id") or row.get("url") for row in rows if takedowns.cover(row)]


def _digest(manifest: Manifest) -> str:
    return sha256(manifest.to_json().encode()).hexdigest()


def _remembered(dataset: Dataset) -> dict[str, dict[str, str]]:
    path = dataset.state / STATE_NAME
    try:
        found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # lost with the state: old versions are searched once more
    return found


def _remember(dataset: Dataset, url: str, said: dict[str, str]) -> None:
    known = _remembered(dataset)
    if known.get(url) != said:
        write_text(dataset.state / STATE_NAME, json.dumps(known | {url: said}, indent=1, sort_keys=True) + "\n")


def push_all(dataset: Dataset, tell: Callable[[str], None] = lambda _line: None) -> list[Pushed]:
    """Brings every replica of the recipe up to the published version, be it that one of them fails.

    Raises:
        LikewiseError: the first failure, after the others were tried.
    """
    if LocalFolder(dataset.folder).manifest() is None:
        return []
    return _each(dataset.recipe.publish.to, lambda url: push(dataset, replica_at(url)), tell)


def _each(urls: Iterable[str], do: Callable[[str], Pushed], tell: Callable[[str], None]) -> list[Pushed]:
    done, failures = [], list[LikewiseError]()
    for url in urls:
        try:
            done.append(do(url))
        except (ReplicaError, RaceLostError) as failure:
            failures.append(failure)
            tell(str(failure))
        else:
            tell(said(done[-1]))
    if failures:
        raise failures[0]
    return done


def said(done: Pushed) -> str:
    """A push in a line for people."""
    would = "would be " if done.dry_run else ""
    if not done.is_new:
        return f"{done.url}: has version {done.version} already" + _said_cleared(done)
    return (
        f"{done.url}: version {done.version} {would}published, {len(done.uploaded)} files uploaded "
        f"({done.bytes:,} bytes), {len(done.deleted)} deleted" + _said_cleared(done)
    )


def _said_cleared(done: Pushed) -> str:
    versions = ", ".join(map(str, done.cleared))
    return f"; old versions with what was withdrawn are gone: {versions}. {done.hint}" if done.cleared else "."
