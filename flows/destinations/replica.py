"""What every replica of a dataset can do, and the errors that it can meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from flows.errors import LikewiseError, PublishError
from flows.manifest import MANIFEST_NAME, Manifest, Shard


class ReplicaError(LikewiseError):
    """A replica cannot be reached, read or brought up to the published version; the local folder is as it was."""

    exit_code = 5


class RaceLostError(LikewiseError):
    """Another writer committed to the replica between our look at it and our commit; nothing of ours is visible."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class Head:
    """What readers of a replica see at a moment.

    Attributes:
        manifest: the version; None where likewise has not published yet.
        token: what a conditional commit is compared with (the card's ETag, the commit); None where nothing is there.
        at: where the version's files lie, in the replica's own terms.
        foreign: whether there is something that likewise did not publish.
    """

    manifest: Manifest | None = None
    token: str | None = None
    at: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Old:
    """A version that readers no longer see unless they are pinned to it."""

    manifest: Manifest
    at: str


class Replica(Protocol):
    """A place that holds a copy of the published versions; its commit is one conditional write."""

    @property
    def url(self) -> str:
        """Its address, as the recipe has it; holds no secret."""

    @property
    def purge_hint(self) -> str:
        """How to remove what the place itself keeps of deleted files."""

    def head(self) -> Head:
        """What readers see now."""

    def lacking(self, manifest: Manifest, head: Head, replace: bool = False) -> list[Shard]:
        """The shards of a version that are not there yet, by path and digest; reads only.

        Raises:
            ReplicaError: a file of that name with other content is there, and is not to be replaced.
        """

    def dropped(self, manifest: Manifest, head: Head) -> list[str]:
        """The paths that the commit of a version takes away; reads only."""

    def commit(
        self, folder: Path, manifest: Manifest, lacking: Sequence[Shard], head: Head, replace: bool = False
    ) -> None:
        """Brings a version's files there, then makes it what readers see, if that still is `head`.

        Files of the same name with other content are overwritten only with `replace`.

        Raises:
            RaceLostError: readers see something else by now.
        """

    def settle(self, head: Head) -> None:
        """Does what a commit that was killed right after its decisive write had left undone."""

    def old_versions(self, head: Head) -> list[Old]:
        """The earlier versions that are there, in their order."""

    def files(self, at: str) -> list[str]:
        """The names of a version's files apart from its shards."""

    def fetch(self, at: str, path: str, target: Path) -> None:
        """Copies one file of a version to `target`."""

    def open(self, at: str, path: str) -> BinaryIO:
        """One file of a version, to be read here and there."""

    def drop(self, old: Sequence[Old], kept: Sequence[Manifest]) -> None:
        """Takes old versions away at once, with the shards that are in none of the kept ones."""

    def expire(self, before: datetime) -> list[int]:
        """Clears away versions that were replaced before a time; gives their numbers."""


def read_manifest(replica: Replica, at: str, scratch: Path) -> Manifest:
    """The manifest of a version on a replica, through a scratch folder.

    Raises:
        ReplicaError: it is broken, or of a format that is not known.
    """
    path = scratch / MANIFEST_NAME
    replica.fetch(at, MANIFEST_NAME, path)
    try:
        return Manifest.read(path)
    except PublishError as error:
        what = error.what.replace(str(path), f"{replica.url}: {MANIFEST_NAME}")
        raise ReplicaError(what, "Use the version of likewise that wrote it, or push to an empty place.") from error


def metadata_files(folder: Path) -> list[Path]:
    """The files of a local version that are not shards, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
