"""The replica on S3, on a real server."""

import dataclasses
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from flows.config import Dataset
from flows.destination import LocalFolder
from flows.destinations import s3 as module
from flows.destinations.addresses import replica_at
from flows.destinations.push import push
from flows.destinations.replica import RaceLostError, ReplicaError
from flows.destinations.s3 import S3Replica
from flows.errors import InputError
from flows.manifest import Manifest
from tests.flows.places import Place, published
from tests.flows.releases import release, row
from tests.flows.storage import BUCKET, Storage


def objects(storage: Storage, place: Place) -> set[str]:
    """What lies below the replica's prefix, without it."""
    start = place.url.removeprefix(f"s3://{BUCKET}/") + "/"
    found = storage.client().list_objects_v2(Bucket=BUCKET, Prefix=start).get("Contents", [])
    return {one["Key"].removeprefix(start) for one in found}


def store(storage: Storage, place: Place, path: str, body: bytes) -> None:
    start = place.url.removeprefix(f"s3://{BUCKET}/")
    storage.client().put_object(Bucket=BUCKET, Key=f"{start}/{path}", Body=body)


def manifest_of(dataset: Dataset) -> Manifest:
    found = LocalFolder(dataset.folder).manifest()
    assert found is not None
    return found


@pytest.mark.parametrize("is_first", [True, False], ids=["first version", "next version"])
def test_of_several_writers_one_wins(small: Dataset, s3: Place, storage: Storage, is_first: bool) -> None:
    """Of writers that commit at the same moment on top of the same card, exactly one succeeds; the others know it."""
    if not is_first:
        push(small, s3.replica)
        release(small, [row(10)])
    manifest, head = manifest_of(small), s3.replica.head()
    folder = LocalFolder(small.folder).folder_of(manifest.version)
    for shard in s3.replica.lacking(manifest, head):
        store(storage, s3, shard.path, (folder / shard.path).read_bytes())
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def write() -> None:
        replica = dataclasses.replace(s3.replica)  # type: ignore[type-var]
        barrier.wait()
        try:
            replica.commit(folder, manifest, [], head)
        except RaceLostError:
            outcomes.append("lost")
        else:
            outcomes.append("won")

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == ["lost", "lost", "lost", "won"]
    assert published(small, s3)


def test_the_card_is_the_only_object_that_changes(small: Dataset, s3: Place, storage: Storage) -> None:
    """A version adds its shards and its folder; what was there stays for readers of the version before."""
    push(small, s3.replica)
    first = objects(storage, s3)
    release(small, [row(10)], without=[row(1)["id"]])
    push(small, s3.replica)
    assert first < objects(storage, s3)
    assert {path.split("/")[0] for path in objects(storage, s3)} == {"README.md", "data", "versions"}


def test_a_shard_that_arrives_damaged_is_refused(small: Dataset, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server checks the digest that comes with a shard; readers keep what they have."""

    class Wrong:
        def __init__(self, real):
            self.real = real

        def digest(self) -> bytes:
            return b"\0" * 32

        def hexdigest(self) -> str:
            return str(self.real.hexdigest())

    real = module.file_digest
    monkeypatch.setattr(module, "file_digest", lambda file, name: Wrong(real(file, name)))
    with pytest.raises(ReplicaError, match="BadDigest"):
        push(small, s3.replica)
    assert s3.replica.head().token is None


def test_what_somebody_else_put_there_stays(small: Dataset, s3: Place, storage: Storage) -> None:
    """A card of another origin is not overwritten unless that is asked for."""
    store(storage, s3, "README.md", b"mine")
    with pytest.raises(ReplicaError, match="did not publish"):
        push(small, s3.replica)
    push(small, s3.replica, replace=True)
    assert published(small, s3)


def test_a_shard_with_other_content_is_not_overwritten(small: Dataset, s3: Place, storage: Storage) -> None:
    """A file of the same name may belong to another writer; the right content is taken as it is."""
    store(storage, s3, "data/articles-r1.parquet", b"of another writer")
    with pytest.raises(ReplicaError, match="other content"):
        push(small, s3.replica)
    shard = LocalFolder(small.folder).current / "data" / "articles-r1.parquet"
    store(storage, s3, "data/articles-r1.parquet", shard.read_bytes())
    assert push(small, s3.replica).uploaded == ()
    assert published(small, s3)


def test_old_versions_are_cleared_away(small: Dataset, s3: Place, storage: Storage) -> None:
    """What was replaced before the time goes with the shards that no other version has; the current one stays."""
    push(small, s3.replica)
    release(small, [row(10)], without=[row(1)["id"]])
    push(small, s3.replica)
    assert s3.replica.expire(datetime.now(UTC) - timedelta(days=30)) == []
    assert s3.replica.expire(datetime.now(UTC) + timedelta(minutes=1)) == [1]
    assert {path for path in objects(storage, s3) if path.startswith("data/")} == {"data/articles-r2.parquet"}
    assert published(small, s3)
    assert not push(small, s3.replica).is_new


def test_shards_that_no_version_names_are_cleared_away_after_a_day(
    small: Dataset, s3: Place, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push that never came to its end leaves nothing for good, and one that goes on is left alone."""
    push(small, s3.replica)
    store(storage, s3, "data/articles-r9.parquet", b"of a push that was killed")
    s3.replica.expire(datetime.now(UTC))
    assert "data/articles-r9.parquet" in objects(storage, s3)
    monkeypatch.setattr(module, "UNCLAIMED", timedelta(seconds=-60))
    s3.replica.expire(datetime.now(UTC))
    assert "data/articles-r9.parquet" not in objects(storage, s3)
    assert published(small, s3)


@pytest.mark.parametrize("variable", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
def test_a_wrong_key_is_an_error_with_a_remedy(
    small: Dataset, s3: Place, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's reason is told, the key is not."""
    monkeypatch.setenv(variable, "SomeOtherKey")
    with pytest.raises(ReplicaError, match="was refused") as told:
        push(small, S3Replica(BUCKET, "elsewhere"))
    assert "SomeOtherKey" not in str(told.value)


def test_no_key_is_an_error_with_a_remedy(small: Dataset, s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any key the message says where keys are looked for."""
    for variable in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(variable)
    with pytest.raises(ReplicaError, match="AWS_PROFILE"):
        push(small, S3Replica(BUCKET, "elsewhere"))


def test_the_client_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the message says what to install."""
    monkeypatch.delitem(sys.modules, "flows.destinations.s3")
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(ReplicaError, match=r"likewise\[s3\]"):
        replica_at("s3://bucket/prefix")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://my.bucket-1/a/b.c/", "s3://my.bucket-1/a/b.c"),
        ("hf://datasets/owner/name/", "hf://datasets/owner/name"),
    ],
)
def test_addresses(address: str, url: str) -> None:
    """Each known kind of address leads to its replica."""
    assert replica_at(address).url == url


@pytest.mark.parametrize(
    "address", ["s3://", "s3://Bad_Bucket", "s3://a..b c/x", "hf://owner/name", "gs://b/x", "/tmp"]
)
def test_other_addresses_are_refused(address: str) -> None:
    """What is no address of a known kind is an error that shows the kinds."""
    with pytest.raises(InputError, match="hf://datasets/OWNER/NAME"):
        replica_at(address)


def test_the_server_checks_conditions(storage: Storage) -> None:
    """The server of these tests is one that enforces what the commit relies on."""
    client = storage.client()
    etag = client.put_object(Bucket=BUCKET, Key="condition", Body=b"1", IfNoneMatch="*")["ETag"]
    client.put_object(Bucket=BUCKET, Key="condition", Body=b"2", IfMatch=etag)
    for condition in ({"IfMatch": etag}, {"IfNoneMatch": "*"}):
        with pytest.raises(ClientError, match="PreconditionFailed"):
            client.put_object(Bucket=BUCKET, Key="condition", Body=b"3", **condition)
