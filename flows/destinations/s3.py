"""A replica on S3-compatible storage, whose card is the one object that ever changes, by a conditional write.

<prefix>/README.md                        the card, with a line that names the version's folder; the commit
<prefix>/data/*.parquet                   shards, immutable
<prefix>/versions/000002-<digest>/        the version's own card, manifest and report, immutable
"""

import re
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import file_digest, sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, cast

import botocore.session
import fsspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flows.destination import CARD_NAME, DATA
from flows.destinations.replica import Head, Old, RaceLostError, ReplicaError, metadata_files, read_manifest
from flows.manifest import MANIFEST_NAME, Manifest, Shard

VERSIONS = "versions"
UNCLAIMED = timedelta(days=1)
"""How long a shard that no version names is left alone: it may belong to a push that goes on."""

_POINTER = re.compile(r"^<!-- likewise: (versions/[0-9]{6}-[0-9a-f]{12}) -->$", re.MULTILINE)
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT = {"NoSuchKey", "NotFound", "404"}
_UPLOADS_AT_ONCE = 4
_BATCH = 1_000  # the most keys that one DeleteObjects call takes


@dataclass(frozen=True)
class S3Replica:
    """A prefix in a bucket; keys, region and endpoint come from where AWS's own tools take them."""

    bucket: str
    prefix: str = ""
    purge_hint: str = "If the bucket keeps object versions, delete the noncurrent ones too (or let a lifecycle rule)."

    @property
    def url(self) -> str:
        """Its address."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @cached_property
    def _client(self) -> Any:
        options = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=2 * _UPLOADS_AT_ONCE)  # type: ignore[no-untyped-call]
        session = botocore.session.get_session()  # type: ignore[no-untyped-call]
        region = session.get_config_variable("region") or "us-east-1"
        return session.create_client("s3", region_name=region, config=options)

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def _get(self, path: str) -> dict[str, Any] | None:
        """An object with its ETag; None where there is none."""
        with self._told():
            try:
                return cast("dict[str, Any]", self._client.get_object(Bucket=self.bucket, Key=self._key(path)))
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise

    def _list(self, folder: str) -> dict[str, dict[str, Any]]:
        """The objects below a folder: path to size, ETag and time."""
        start = len(self._key(""))
        with self._told():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._key(f"{folder}/")
            )
            return {found["Key"][start:]: found for page in pages for found in page.get("Contents", ())}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what the client raises into an error that says what to do; never shows a key."""
        try:
            yield
        except ClientError as error:
            if _code(error) in _LOST:
                raise RaceLostError(
                    f"{self.url}: another writer committed at the same time.", "Run `likewise push` again."
                ) from error
            said = f"{_code(error)}: {error.response['Error'].get('Message', '')}".rstrip(": ")
            raise ReplicaError(
                f"{self.url}: {error.operation_name} was refused: {said}.",
                "Check the bucket's name, its region and the rights of the key that is used.",
            ) from error
        except BotoCoreError as error:
            raise ReplicaError(
                f"{self.url}: {error}",
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE (and AWS_ENDPOINT_URL outside AWS).",
            ) from error

    def head(self) -> Head:
        """What the card says."""
        card = self._get(CARD_NAME)
        if card is None:
            return Head()
        pointer = _POINTER.search(card["Body"].read().decode("utf-8", errors="replace"))
        if pointer is None:
            return Head(token=card["ETag"], foreign=True)
        return Head(self._manifest(pointer[1]), card["ETag"], pointer[1])

    def _manifest(self, at: str) -> Manifest:
        with tempfile.TemporaryDirectory() as scratch:
            return read_manifest(self, at, Path(scratch))

    def lacking(self, manifest: Manifest, head: Head, replace: bool = False) -> list[Shard]:
        """The shards that are not there with the right digest."""
        known = {(shard.path, shard.sha256) for shard in head.manifest.shards} if head.manifest else set()
        there = self._list(DATA)
        return [shard for shard in manifest.shards if not self._has(shard, there, known, replace)]

    def _has(self, shard: Shard, there: dict[str, Any], known: set[tuple[str, str]], replace: bool) -> bool:
        found = there.get(shard.path)
        if found is None:
            return False
        if found["Size"] == shard.bytes and ((shard.path, shard.sha256) in known or self._is(shard)):
            return True
        if replace:
            return False
        raise ReplicaError(
            f"{self.url}: {shard.path} is there with other content, from another writer or a push that did not end.",
            "If nobody else pushes there, `likewise push --replace` overwrites it.",
        )

    def _is(self, shard: Shard) -> bool:
        """Whether the object has the shard's digest, as it was stored with it; one copied without it is read."""
        with self._told():
            stored = self._client.head_object(Bucket=self.bucket, Key=self._key(shard.path))["Metadata"].get("sha256")
        if stored is None:
            with self.open("", shard.path) as file:
                stored = file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        return bool(stored == shard.sha256)

    def dropped(self, manifest: Manifest, head: Head) -> list[str]:  # noqa: ARG002 - nothing is
        """Nothing: superseded shards stay for readers of older versions until `gc`."""
        return []

    def commit(
        self, folder: Path, manifest: Manifest, lacking: Sequence[Shard], head: Head, replace: bool = False
    ) -> None:
        """Shards, then the version's folder, then the card if it still is the one of `head`."""
        only_new = {} if replace else {"IfNoneMatch": "*"}
        with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
            list(pool.map(lambda shard: self._put_file(folder / shard.path, shard.path, **only_new), lacking))
        at = version_folder(manifest)
        for path in metadata_files(folder):
            self._put_file(path, f"{at}/{path.name}")
        card = (folder / CARD_NAME).read_text(encoding="utf-8")
        condition = {"IfMatch": head.token} if head.token else {"IfNoneMatch": "*"}
        self._put(CARD_NAME, f"{card}\n<!-- likewise: {at} -->\n".encode(), ContentType="text/markdown", **condition)

    def _put_file(self, source: Path, path: str, **condition: str) -> None:
        """Stores a file with its digest, which the server checks."""
        with source.open("rb") as file:
            digest = file_digest(file, "sha256")
            file.seek(0)
            checksum = b64encode(digest.digest()).decode()
            self._put(path, file, ChecksumSHA256=checksum, Metadata={"sha256": digest.hexdigest()}, **condition)

    def _put(self, path: str, body: Any, **options: Any) -> None:
        with self._told():
            self._client.put_object(Bucket=self.bucket, Key=self._key(path), Body=body, **options)

    def settle(self, head: Head) -> None:
        """Nothing is left to do after the card was written."""

    def old_versions(self, head: Head) -> list[Old]:
        """What lies below `versions/` apart from what the card names; some of it may never have been committed."""
        return [Old(self._manifest(at), at) for at in self._version_times() if at != head.at]

    def _version_times(self) -> dict[str, datetime]:
        """The folders of versions in their order, and when their manifests were written."""
        found = self._list(VERSIONS)
        whole = sorted(path for path in found if path.endswith(f"/{MANIFEST_NAME}"))
        return {path.removesuffix(f"/{MANIFEST_NAME}"): found[path]["LastModified"] for path in whole}

    def files(self, at: str) -> list[str]:
        """The names of the files in the version's folder."""
        return sorted(path.removeprefix(f"{at}/") for path in self._list(at))

    def fetch(self, at: str, path: str, target: Path) -> None:
        """Copies one file of a version to `target`."""
        found = self._get(path if path.startswith(f"{DATA}/") else f"{at}/{path}")
        if found is None:
            raise ReplicaError(f"{self.url}: {path} is not there.", "Push again from a folder that has it.")
        with target.open("wb") as file, self._told():
            for chunk in found["Body"].iter_chunks(1 << 20):
                file.write(chunk)

    def open(self, at: str, path: str) -> BinaryIO:  # noqa: ARG002 - shards of all versions lie together
        """One shard, read by ranges through fsspec."""
        files = fsspec.filesystem("s3", skip_instance_cache=True, use_listings_cache=False)  # type: ignore[no-untyped-call]
        return cast("BinaryIO", files.open(f"{self.bucket}/{self._key(path)}", "rb", cache_type="readahead"))

    def drop(self, old: Sequence[Old], kept: Sequence[Manifest]) -> None:
        """Takes old versions away at once, with the shards that are in none of the kept ones."""
        staying = {shard.path for manifest in kept for shard in manifest.shards}
        shards = {shard.path for version in old for shard in version.manifest.shards} - staying
        own = [path for version in old for path in self._list(version.at)]
        self._delete([*sorted(shards), *own])

    def _delete(self, paths: Sequence[str]) -> None:
        for start in range(0, len(paths), _BATCH):
            keys = [{"Key": self._key(path)} for path in paths[start : start + _BATCH]]
            with self._told():
                done = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})
            if failed := done.get("Errors"):
                raise ReplicaError(
                    f"{self.url}: {len(failed)} files were not deleted, first {failed[0]['Key']}: {failed[0]['Code']}.",
                    "Allow s3:DeleteObject to the key that is used, and run the command again.",
                )

    def expire(self, before: datetime) -> list[int]:
        """Clears away versions that were replaced before a time, and old shards that no version names."""
        head = self.head()
        times = list(self._version_times().items())
        gone = {at for (at, _), (_, replaced) in pairwise(times) if replaced < before and at != head.at}
        old = [Old(self._manifest(at), at) for at, _ in times]
        expired = [version for version in old if version.at in gone]
        kept = [version.manifest for version in old if version.at not in gone]
        self.drop(expired, kept)
        self._delete(self._unclaimed([version.manifest for version in old]))
        return sorted(version.manifest.version for version in expired)

    def _unclaimed(self, manifests: Sequence[Manifest]) -> list[str]:
        named = {shard.path for manifest in manifests for shard in manifest.shards}
        young = datetime.now(UTC) - UNCLAIMED
        found = self._list(DATA)
        return sorted(path for path in found if path not in named and found[path]["LastModified"] < young)


def version_folder(manifest: Manifest) -> str:
    """Where a version's own files lie: two writers that make different versions of one number never share it."""
    return f"{VERSIONS}/{manifest.version:06d}-{sha256(manifest.to_json().encode()).hexdigest()[:12]}"


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", "unknown"))
