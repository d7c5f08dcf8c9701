"""A replica on the Hugging Face Hub: one commit a version on top of the commit that was looked at, and a tag for it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem, RepoFile
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalTokenNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from flows.destination import DATA
from flows.destinations.replica import Head, Old, RaceLostError, ReplicaError, metadata_files, read_manifest
from flows.manifest import MANIFEST_NAME, Manifest, Shard

_DATASET = "dataset"
_MAY_BE_THERE = {".gitattributes", ".gitignore", "LICENSE"}
_LOST = {409, 412}


@dataclass(frozen=True)
class HubReplica:
    """A dataset repository; the token comes from HF_TOKEN or the login that the Hub's own client keeps.

    Attributes:
        repo: `owner/name`.
        endpoint: another address than the Hub's own.
    """

    repo: str
    endpoint: str | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"hf://datasets/{self.repo}"

    @property
    def purge_hint(self) -> str:
        """How to make the Hub forget earlier commits."""
        return (
            f"Earlier commits of {self.repo} can still be read by their hash. To purge them: "
            f'`HfApi().super_squash_history("{self.repo}", repo_type="dataset")`, then delete the old files with '
            f"`list_lfs_files` and `permanently_delete_lfs_files`."
        )

    @cached_property
    def _api(self) -> HfApi:
        return HfApi(endpoint=self.endpoint)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what the client raises into an error that says what to do; never shows a token."""
        try:
            yield
        except (GatedRepoError, LocalTokenNotFoundError) as error:
            raise self._no_right("the token has no right to it") from error
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status in _LOST:
                raise self._lost() from error
            if status in (401, 403, 404):
                raise self._no_right(f"the Hub answered {status}") from error
            raise ReplicaError(f"{self.url}: the Hub answered {status}.", "Try again later.") from error
        except (httpx2.HTTPError, OSError, RuntimeError, ValueError) as error:  # of networks and broken answers
            raise ReplicaError(f"{self.url}: {type(error).__name__}: {error}", "Try again later.") from error

    def _lost(self) -> RaceLostError:
        return RaceLostError(f"{self.url}: another writer committed at the same time.", "Run `likewise push` again.")

    def _no_right(self, why: str) -> ReplicaError:
        return ReplicaError(
            f"{self.url}: {why}.", "Log in with `hf auth login`, or set HF_TOKEN to a token that may write there."
        )

    def head(self) -> Head:
        """What `main` holds."""
        with self._told():
            try:
                found = self._api.repo_info(self.repo, repo_type=_DATASET)
            except RepositoryNotFoundError:
                return Head()
        token = str(found.sha)
        names = set(self._tree(token))
        if MANIFEST_NAME in names:
            return Head(self._manifest(token), token, token)
        return Head(token=token, at=token, foreign=bool(names - _MAY_BE_THERE))

    def _tree(self, revision: str) -> dict[str, RepoFile]:
        with self._told():
            found = self._api.list_repo_tree(self.repo, recursive=True, revision=revision, repo_type=_DATASET)
            return {item.path: item for item in found if isinstance(item, RepoFile)}

    def _manifest(self, at: str) -> Manifest:
        with tempfile.TemporaryDirectory() as scratch:
            return read_manifest(self, at, Path(scratch))

    def lacking(self, manifest: Manifest, head: Head, replace: bool = False) -> list[Shard]:  # noqa: ARG002 - a commit replaces safely
        """The shards that are not in the commit with the right digest."""
        there = self._tree(head.token) if head.token else {}
        digests = {path: file.lfs.sha256 for path, file in there.items() if file.lfs}
        return [shard for shard in manifest.shards if digests.get(shard.path) != shard.sha256]

    def dropped(self, manifest: Manifest, head: Head) -> list[str]:
        """Superseded shards leave with the commit; the tags of earlier versions still lead to them."""
        there = self._tree(head.token) if head.token else {}
        staying = {shard.path for shard in manifest.shards}
        return sorted(path for path in there if path.startswith(f"{DATA}/") and path not in staying)

    def commit(
        self,
        folder: Path,
        manifest: Manifest,
        lacking: Sequence[Shard],
        head: Head,
        replace: bool = False,  # noqa: ARG002 - a commit replaces safely
    ) -> None:
        """One commit with the new shards, without the superseded ones, on top of the commit of `head`; then its tag."""
        head = head if head.token else self._created()
        paths = [*(shard.path for shard in lacking), *(path.name for path in metadata_files(folder))]
        operations: list[Any] = [CommitOperationAdd(path, folder / path) for path in paths]
        operations += [CommitOperationDelete(path) for path in self.dropped(manifest, head)]
        with self._told():
            done = self._api.create_commit(
                self.repo,
                operations,
                commit_message=f"Version {manifest.version}",
                repo_type=_DATASET,
                parent_commit=head.token,
            )
        self._tag(manifest, str(done.oid))

    def _created(self) -> Head:
        """The repository, made private: whoever publishes other people's texts decides who may read them."""
        with self._told():
            self._api.create_repo(self.repo, repo_type=_DATASET, private=True, exist_ok=True)
        made = self.head()
        if made.manifest or made.foreign:
            raise self._lost()
        return made

    def _tag(self, manifest: Manifest, revision: str) -> None:
        """Lets the version's tag lead to a commit, be it that it led elsewhere."""
        name = tag_of(manifest.version)
        known = self._tags()
        with self._told():
            if name in known and known[name] != revision:
                self._api.delete_tag(self.repo, tag=name, repo_type=_DATASET)
            self._api.create_tag(self.repo, tag=name, revision=revision, repo_type=_DATASET, exist_ok=True)

    def _tags(self) -> dict[str, str]:
        """The tags of versions, in their order, with their commits."""
        with self._told():
            refs = self._api.list_repo_refs(self.repo, repo_type=_DATASET)
        found = {tag.name: tag.target_commit for tag in refs.tags}
        return {name: found[name] for name in sorted(found) if name[:1] == "v" and name[1:].isdigit()}

    def settle(self, head: Head) -> None:
        """Makes the version's tag if it is missing."""
        if head.manifest and head.token and tag_of(head.manifest.version) not in self._tags():
            self._tag(head.manifest, head.token)

    def old_versions(self, head: Head) -> list[Old]:
        """The versions that have a tag, but the one that readers see."""
        current = tag_of(head.manifest.version) if head.manifest else ""
        return [Old(self._manifest(name), name) for name in self._tags() if name != current]

    def files(self, at: str) -> list[str]:
        """The names of the files beside `data/`."""
        return sorted(path for path in self._tree(at) if "/" not in path and path not in _MAY_BE_THERE)

    def fetch(self, at: str, path: str, target: Path) -> None:
        """Copies one file of a version to `target`."""
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch, self._told():
            try:
                found = self._api.hf_hub_download(
                    self.repo, path, repo_type=_DATASET, revision=at, local_dir=scratch, force_download=True
                )
            except (EntryNotFoundError, RevisionNotFoundError) as error:
                raise ReplicaError(f"{self.url}: {path} is not there.", "Push from a folder that has it.") from error
            Path(found).replace(target)

    def open(self, at: str, path: str) -> BinaryIO:
        """One file of a version, read by ranges."""
        files = HfFileSystem(endpoint=self.endpoint, skip_instance_cache=True, use_listings_cache=False)
        return cast("BinaryIO", files.open(f"datasets/{self.repo}@{at}/{path}", "rb"))  # type: ignore[no-untyped-call]

    def drop(self, old: Sequence[Old], kept: Sequence[Manifest]) -> None:  # noqa: ARG002 - git keeps files by commit
        """Takes the tags of old versions away; `purge_hint` says how to remove their commits."""
        for version in old:
            with self._told():
                self._api.delete_tag(self.repo, tag=version.at, repo_type=_DATASET)

    def expire(self, before: datetime) -> list[int]:  # noqa: ARG002 - a tag is somebody's pin
        """Nothing: what was superseded already left with its commit, and tags stay."""
        return []


def tag_of(version: int) -> str:
    """The tag of a version: v000001, v000002, ..."""
    return f"v{version:06d}"
