"""Restores the local folder of a dataset from a replica, digest by digest and in one atomic step."""

import os
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from flows.config import Dataset
from flows.curation import history
from flows.destination import LocalFolder
from flows.destinations.replica import Head, Replica, ReplicaError
from flows.errors import InputError
from flows.manifest import MANIFEST_NAME, Manifest, Shard
from flows.takedown import Takedowns, read_takedowns


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did: the version that is here now, and the shards and bytes that were fetched for it."""

    url: str
    version: int
    fetched: int
    bytes: int


def pull(dataset: Dataset, replica: Replica) -> Pulled:
    """Makes the version that a replica's readers see the published version of the local folder.

    What takedowns beside the recipe name is taken out again, in a version of its own.

    Raises:
        InputError: nothing is there.
        ReplicaError: what is there is not this dataset or damaged, or the local folder holds another history.
    """
    head = replica.head()
    local = LocalFolder(dataset.folder)
    here, there = local.manifest(), _wanted(dataset, replica, head)
    if here == there:
        return Pulled(replica.url, there.version, 0, 0)
    _check_history(local, here, there, replica)
    fetched = _restore(local, here, replica, head, there)
    version = there.version
    if requests := read_takedowns(dataset):
        version = history.remove_rows(dataset, Takedowns.of(requests)).version
    return Pulled(replica.url, version, len(fetched), sum(shard.bytes for shard in fetched))


def _wanted(dataset: Dataset, replica: Replica, head: Head) -> Manifest:
    if head.manifest is None:
        raise InputError(f"{replica.url}: likewise has published nothing there.", "Check the address.")
    if head.manifest.name != dataset.name:
        raise ReplicaError(
            f"{replica.url}: holds the dataset {head.manifest.name!r}, not {dataset.name!r}.", "Check the address."
        )
    return head.manifest


def _check_history(local: LocalFolder, here: Manifest | None, there: Manifest, replica: Replica) -> None:
    """Makes sure that nothing that was only published here gets lost."""
    if here is None:
        return
    if here.version >= there.version:
        raise ReplicaError(
            f"{local.root}: is at version {here.version}, {replica.url} at {there.version}.",
            "Push this folder, or move what is published in it away before you pull.",
        )
    if here not in [old.manifest for old in replica.old_versions(replica.head())]:
        raise ReplicaError(
            f"{local.root}: its version {here.version} was never pushed to {replica.url}.",
            "Move what is published in it away before you pull, or `likewise push --replace`.",
        )


def _restore(local: LocalFolder, here: Manifest | None, replica: Replica, head: Head, there: Manifest) -> list[Shard]:
    draft = local.begin(there.version)
    known = {(shard.path, shard.sha256) for shard in here.shards} if here else set()
    fetched = []
    for shard in there.shards:
        if (shard.path, shard.sha256) in known:
            local.carry_over(shard, draft)
        else:
            _fetch_shard(replica, head.at, shard, draft)
            fetched.append(shard)
    for name in replica.files(head.at):
        if name != MANIFEST_NAME:
            replica.fetch(head.at, name, _inside(draft, name))
    local.commit(draft, there)
    return fetched


def _inside(draft: Path, name: str) -> Path:
    """Where a file of the replica goes; a name from the network leads nowhere else."""
    if os.path.basename(name) != name or name.startswith("."):  # noqa: PTH119 - a name, not a path
        raise ReplicaError(f"A file of the replica is named {name!r}.", "Remove it there; likewise did not put it.")
    return draft / name


def _fetch_shard(replica: Replica, at: str, shard: Shard, draft: Path) -> None:
    target = draft / shard.path
    if not target.resolve().is_relative_to(draft.resolve()):
        raise ReplicaError(f"{replica.url}: the manifest names {shard.path!r}.", "Do not use this replica.")
    replica.fetch(at, shard.path, target)
    with target.open("rb") as file:
        found = file_digest(file, "sha256").hexdigest()
    if found != shard.sha256:
        raise ReplicaError(
            f"{replica.url}: {shard.path} has the digest {found[:12]}…, the manifest says {shard.sha256[:12]}….",
            "The replica is damaged; pull from another one.",
        )
