"""What holds of every replica, on a real S3 server and on the double of the Hub."""

import json
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.curation.history import compact, rollback
from flows.destination import LocalFolder
from flows.destinations.hub import HubReplica
from flows.destinations.pull import pull
from flows.destinations.push import push
from flows.destinations.replica import RaceLostError, Replica, ReplicaError
from flows.errors import InputError
from flows.manifest import Policy, Shard
from flows.publishing.publish import publish_version
from tests.flows import made_up
from tests.flows.hub_double import TOKEN
from tests.flows.places import Place, published
from tests.flows.releases import local_ids, new_dataset, release, row
from tests.flows.storage import SECRET

pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),  # inside huggingface_hub's upload
    pytest.mark.filterwarnings("ignore:SOCKS support in urllib3"),  # at the first import of trafilatura
]


@pytest.fixture
def dataset(small: Dataset) -> Dataset:
    return small


def without_versions(dataset: Dataset) -> Dataset:
    """The dataset as on another machine, with its recipe alone."""
    for path in [*dataset.folder.iterdir()]:
        if path.is_symlink():
            path.unlink()
        elif path.name == ".versions":
            path.rename(path.with_name("lost"))
    return dataset


def test_a_push_is_done_once(dataset: Dataset, place: Place) -> None:
    """The first push brings the version, the second finds nothing to do, the third only what is new."""
    first = push(dataset, place.replica)
    assert (first.before, first.version, first.uploaded) == (None, 1, ("data/articles-r1.parquet",))
    assert published(dataset, place)
    assert not push(dataset, place.replica).is_new
    release(dataset, [row(10)])
    assert push(dataset, place.replica).uploaded == ("data/articles-r2.parquet",)
    assert published(dataset, place)


def test_nothing_to_push_is_an_error(tmp_path: Path, place: Place) -> None:
    """Before the first version there is nothing to push."""
    with pytest.raises(InputError, match="nothing is published"):
        push(new_dataset(tmp_path / "empty"), place.replica)


def test_readers_get_every_step(dataset: Dataset, place: Place, tmp_path: Path) -> None:
    """In a fresh process with one cache: an append, a correction and a rollback are seen, and pins stay."""
    titles: dict[int, list[str]] = {}

    def pushed() -> None:
        assert push(dataset, place.replica).is_new
        seen = place.read(tmp_path)
        assert [key for key, _ in seen] == local_ids(dataset)
        titles[place.replica.head().manifest.version] = sorted(title for _, title in seen)

    pushed()
    release(dataset, [row(10), row(11)])
    pushed()
    release(dataset, [row(10, title="Corrected", version=2)], without=[row(10)["id"]])
    pushed()
    assert "Corrected" in titles[3]
    rollback(dataset, 1)
    pushed()
    assert titles[4] == titles[1]
    pinned = place.read(tmp_path, place.pin(2), streaming=True)
    assert sorted(title for _, title in pinned) == titles[2]


def test_readers_get_a_column_that_a_release_adds(place: Place, tmp_path: Path) -> None:
    """In a fresh process with one cache: what an earlier release published, and what today's puts on top of it."""
    dataset = made_up.new_dataset(tmp_path / "home")
    made_up.brought(dataset, "r1", "a", "b")
    made_up.forget_column(dataset, "agency")
    for names in ("ab", "abc"):
        assert push(dataset, place.replica).is_new
        assert [title for _, title in sorted(place.read(tmp_path), key=itemgetter(1))] == list(names)
        made_up.brought(dataset, "r2", "c")
    assert [title for _, title in sorted(place.read(tmp_path, streaming=True), key=itemgetter(1))] == list("abc")
    rollback(dataset, 1)
    push(dataset, place.replica)
    assert [title for _, title in sorted(place.read(tmp_path), key=itemgetter(1))] == list("ab")


def test_a_dry_run_writes_nothing(dataset: Dataset, place: Place) -> None:
    """What a push would do is told, and the place stays as it is."""
    planned = push(dataset, place.replica, dry_run=True)
    assert (planned.uploaded, planned.dry_run) == (("data/articles-r1.parquet",), True)
    assert place.replica.head().token is None
    assert not (dataset.state / "replicas.json").exists()


@pytest.mark.parametrize("kind", ["another name", "ahead", "another history"])
def test_another_history_is_refused(dataset: Dataset, place: Place, tmp_path: Path, kind: str) -> None:
    """A replica that holds something else stays as it is, until --replace says otherwise."""
    other = new_dataset(tmp_path / "other", name="other" if kind == "another name" else "small")
    release(other, [row(50)])
    if kind == "ahead":
        release(other, [row(51)])
    push(other, place.replica)
    with pytest.raises(
        ReplicaError, match={"ahead": "is ahead", "another name": "another dataset"}.get(kind, "not published from")
    ):
        push(dataset, place.replica)
    assert published(other, place)
    push(dataset, place.replica, replace=True)
    assert published(dataset, place)


def test_the_loser_of_a_race_goes_on_after_its_own_history(
    dataset: Dataset, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes push versions of one history at the same time: the later version wins, whole."""
    push(dataset, place.replica)
    release(dataset, [row(10)])
    second = dataset.folder / "second"
    kind = type(place.replica)
    commit = kind.commit

    def late(self: Replica, *arguments: object) -> None:
        monkeypatch.setattr(kind, "commit", commit)
        push(dataset, place.replica)
        release(dataset, [row(11)])
        commit(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "commit", late)
    done = push(dataset, place.replica)
    assert not second.exists()
    assert (done.version, done.is_new) == (2, False)
    assert place.replica.head().manifest.version == 2
    assert push(dataset, place.replica).version == 3


def test_the_loser_of_a_race_with_another_history_refuses(
    dataset: Dataset, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer of another history that was faster is not overwritten."""
    other = new_dataset(tmp_path / "other")
    release(other, [row(50)])
    kind = type(place.replica)
    commit = kind.commit

    def late(self: Replica, *arguments: object) -> None:
        monkeypatch.setattr(kind, "commit", commit)
        push(other, place.replica, replace=True)
        commit(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "commit", late)
    with pytest.raises(ReplicaError):
        push(dataset, place.replica)
    assert published(other, place)


def test_endless_races_are_given_up(dataset: Dataset, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that always loses says so in the end."""
    lost = 0

    def always(*_arguments: object) -> None:
        nonlocal lost
        lost += 1
        raise RaceLostError("another writer", "again")

    monkeypatch.setattr(type(place.replica), "commit", always)
    with pytest.raises(RaceLostError):
        push(dataset, place.replica)
    assert lost == 5


def test_a_lost_folder_is_restored_and_goes_on(dataset: Dataset, place: Place) -> None:
    """After a pull the folder is the one that was pushed, and the next version follows on both sides."""
    release(dataset, [row(10)])
    before = {path.name: path.read_bytes() for path in LocalFolder(dataset.folder).current.iterdir() if path.is_file()}
    push(dataset, place.replica)
    known = local_ids(dataset)
    assert pull(without_versions(dataset), place.replica).fetched == 2
    assert local_ids(dataset) == known
    after = {path.name: path.read_bytes() for path in LocalFolder(dataset.folder).current.iterdir() if path.is_file()}
    assert after == before
    assert pull(dataset, place.replica).fetched == 0
    assert release(dataset, [row(12)]).version == 3
    assert push(dataset, place.replica).before == 2


def test_a_damaged_replica_is_not_pulled(dataset: Dataset, place: Place) -> None:
    """A shard whose digest is not the manifest's leaves the folder without a version."""
    push(dataset, place.replica)
    kind = type(place.replica)
    fetch = kind.fetch

    def damaged(self: Replica, at: str, path: str, target: Path) -> None:
        fetch(self, at, path, target)
        if path.endswith(".parquet"):
            target.write_bytes(target.read_bytes()[:-1] + b"?")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "fetch", damaged)
        with pytest.raises(ReplicaError, match="digest"):
            pull(without_versions(dataset), place.replica)
    assert LocalFolder(dataset.folder).manifest() is None


def test_a_pull_loses_nothing_that_is_only_here(dataset: Dataset, place: Place) -> None:
    """A folder that is ahead of the replica, or was never pushed to it, stays."""
    push(dataset, place.replica)
    release(dataset, [row(10)])
    with pytest.raises(ReplicaError, match="is at version 2"):
        pull(dataset, place.replica)
    assert LocalFolder(dataset.folder).manifest().version == 2


def take_down(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    return CliRunner().invoke(app, ["takedown", str(dataset.folder), *options, "--reason", "asked for"])


def with_replica(dataset: Dataset, place: Place, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The dataset with the place in its recipe."""
    if place.hub:
        endpoint = place.hub.endpoint
        monkeypatch.setattr("flows.destinations.hub.HubReplica.__init__", _with_endpoint(endpoint))
    text = dataset.recipe_path.read_text().replace("to = []", f'to = ["{place.url}"]')
    dataset.recipe_path.write_text(text)
    return load_dataset_config(str(dataset.folder), {})


def _with_endpoint(endpoint: str) -> Callable[..., None]:
    def init(self: HubReplica, repo: str, _endpoint: str | None = None) -> None:
        object.__setattr__(self, "repo", repo)
        object.__setattr__(self, "endpoint", endpoint)

    return init


def test_a_takedown_reaches_the_replica_at_once(
    dataset: Dataset, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are gone from the current version and from every older one that can be pinned, even without state."""
    listed = with_replica(dataset, place, monkeypatch)
    for number in (10, 11):
        push(listed, place.replica)
        release(listed, [row(number)])
    push(listed, place.replica)
    gone = row(10)["id"]
    done = take_down(listed, monkeypatch, "--id", gone)
    assert done.exit_code == 0, done.output
    assert gone not in [key for key, _ in place.read(tmp_path)] == local_ids(listed)
    assert [old.manifest.version for old in place.replica.old_versions(place.replica.head())] == [1]
    assert place.replica.purge_hint.split("`")[0].strip() in done.output.replace("\n", " ")


def test_a_takedown_of_a_row_that_only_old_versions_hold(
    dataset: Dataset, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was corrected away is still taken out of the replica's older versions."""
    listed = with_replica(dataset, place, monkeypatch)
    push(listed, place.replica)
    release(listed, [row(20)], without=[row(1)["id"]])
    push(listed, place.replica)
    assert take_down(listed, monkeypatch, "--url", row(1)["url"]).exit_code == 0
    assert place.replica.old_versions(place.replica.head()) == []


def test_narrowed_texts_leave_the_replica(dataset: Dataset, place: Place) -> None:
    """When readers shall no longer have the texts, older versions with texts go with the next push."""
    local = LocalFolder(dataset.folder)

    def published_as(policy: Policy) -> None:
        base = local.manifest()

        def shards(draft: Path) -> Iterator[Shard]:
            for shard in base.shards:
                local.carry_over(shard, draft)
                yield shard

        publish_version(dataset, base, shards, policy.text, "r", "<p></p>", policy)

    push(dataset, place.replica)
    published_as(Policy(text="none", rights="strict"))
    assert push(dataset, place.replica).cleared
    assert place.replica.old_versions(place.replica.head()) == []


def test_no_secret_is_told_or_kept(
    dataset: Dataset, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither output, nor log lines, nor errors, nor anything on disk holds the token or the key."""
    listed = with_replica(dataset, place, monkeypatch)
    absent = place.url.replace("tester", "nobody") if place.hub else "s3://no-such-bucket/x"
    folder, secret = str(listed.folder), TOKEN if place.hub else SECRET
    with caplog.at_level("DEBUG"):
        commands = (
            ["push", folder, "--json"],
            ["pull", folder, "--from", absent],
            ["pull", folder, "--from", place.url],
        )
        done = [CliRunner().invoke(app, command) for command in commands]
    assert [result.exit_code for result in done] == [0, 2 if place.hub else 5, 0]
    assert json.loads(done[0].stdout)[0]["version"] == 1
    assert secret not in "".join(result.output for result in done) + caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_compacted_versions_are_recognised(dataset: Dataset, place: Place) -> None:
    """A replica follows through a compaction, even when the versions that it has are gone here."""
    release(dataset, [row(10)])
    push(dataset, place.replica)
    compact(dataset)
    local = LocalFolder(dataset.folder)
    for number in local.numbers()[:-1]:
        local.folder_of(number).rename(dataset.folder / f"gone-{number}")
    assert push(dataset, place.replica).before == 2
    assert published(dataset, place)
