"""The replica on the Hub, on a double of its endpoints that is as strict as they are."""

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from flows.config import Dataset
from flows.destinations.hub import HubReplica, tag_of
from flows.destinations.push import push
from flows.destinations.replica import ReplicaError
from tests.flows.hub_double import TOKEN, Blob
from tests.flows.places import Place, published
from tests.flows.releases import release, row

REPO = "tester/small"
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # inside huggingface_hub's upload


def test_a_version_is_one_commit_with_a_tag(small: Dataset, hub: Place) -> None:
    """Shards, card and manifest come, and superseded shards go, in one commit that the version's tag leads to."""
    push(small, hub.replica)
    release(small, [row(10)], without=[row(1)["id"]])
    done = push(small, hub.replica)
    repo = hub.hub.repos[REPO]
    assert (done.uploaded, done.deleted) == (("data/articles-r2.parquet",), ("data/articles-r1.parquet",))
    assert len(repo.history) == 3
    assert repo.tags == {"v000001": repo.history[1], "v000002": repo.history[2]}
    assert "data/articles-r1.parquet" not in repo.commits[repo.head]
    assert "data/articles-r1.parquet" in repo.commits[repo.tags["v000001"]]


def test_a_new_repository_is_private(small: Dataset, hub: Place) -> None:
    """Nobody else reads what was pushed before its owner says so."""
    push(small, hub.replica)
    assert hub.hub.repos[REPO].private


def test_a_dry_run_asks_for_nothing_that_writes(small: Dataset, hub: Place) -> None:
    """Neither a first version nor a next one is begun."""
    push(small, hub.replica, dry_run=True)
    assert hub.hub.writes() == []
    push(small, hub.replica)
    release(small, [row(10)], without=[row(1)["id"]])
    hub.hub.asked.clear()
    planned = push(small, hub.replica, dry_run=True)
    assert (planned.uploaded, planned.deleted) == (("data/articles-r2.parquet",), ("data/articles-r1.parquet",))
    assert hub.hub.writes() == []


def test_a_commit_in_between_is_looked_at_again(small: Dataset, hub: Place) -> None:
    """Somebody who edits a file on the Hub during a push does not stop it, and loses nothing but the same file."""
    push(small, hub.replica)
    release(small, [row(10)])
    repo = hub.hub.repos[REPO]
    hub.hub.before_commit = lambda: repo.add(repo.commits[repo.head] | {"LICENSE": Blob(b"a licence")}) and None
    push(small, hub.replica)
    assert published(small, hub)
    assert repo.commits[repo.head]["LICENSE"].content == b"a licence"
    assert repo.tags[tag_of(2)] == repo.head


def test_a_tag_that_a_kill_prevented_is_made_by_the_next_push(small: Dataset, hub: Place) -> None:
    """A push that finds its version committed makes sure that it can be pinned."""
    push(small, hub.replica)
    repo = hub.hub.repos[REPO]
    del repo.tags[tag_of(1)]
    assert not push(small, hub.replica).is_new
    assert repo.tags == {tag_of(1): repo.head}


def test_what_somebody_else_put_there_stays(small: Dataset, hub: Place) -> None:
    """A repository with files of another origin is not overwritten unless that is asked for."""
    api = HfApi(endpoint=hub.hub.endpoint)
    api.create_repo(REPO, repo_type="dataset")
    api.create_commit(REPO, [CommitOperationAdd("mine.txt", b"mine")], commit_message="mine", repo_type="dataset")
    with pytest.raises(ReplicaError, match="did not publish"):
        push(small, hub.replica)
    push(small, hub.replica, replace=True)
    assert published(small, hub)


@pytest.mark.parametrize("token", ["", "hf_SomeOtherToken"])
def test_without_the_right_to_write_the_error_says_how_to_log_in(
    small: Dataset, hub: Place, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token that was refused is not told."""
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ReplicaError, match="hf auth login") as told:
        push(small, HubReplica(REPO, hub.hub.endpoint))
    assert "SomeOther" not in str(told.value)
    assert hub.hub.repos == {}


def test_the_double_refuses_a_stale_parent(small: Dataset, hub: Place) -> None:
    """The double of these tests enforces what the commit relies on."""
    push(small, hub.replica)
    api, repo = HfApi(endpoint=hub.hub.endpoint), hub.hub.repos[REPO]
    operations = [CommitOperationAdd("x.txt", b"x")]
    with pytest.raises(HfHubHTTPError, match="412"):
        api.create_commit(REPO, operations, commit_message="x", repo_type="dataset", parent_commit=repo.history[0])


def test_the_double_refuses_other_content_than_announced(hub: Place) -> None:
    """An LFS file of another digest or size is not taken."""
    import httpx

    oid = "0" * 64
    answer = httpx.put(f"{hub.hub.endpoint}/lfs/{oid}/3", content=b"abc")
    assert (answer.status_code, hub.hub.lfs) == (422, {})
    assert TOKEN not in answer.text
