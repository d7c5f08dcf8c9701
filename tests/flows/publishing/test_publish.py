"""What publishing makes of the rows of runs: each rule, on runs made up as the stages before leave them."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.config import Dataset
from flows.destination import LocalFolder
from flows.publishing import publish as publishing
from flows.publishing.changes import collect
from flows.publishing.checks import RefusedVersionError
from flows.runs import Run
from flows.takedown import Takedown, Takedowns
from tests.flows.conftest import published_rows
from tests.flows.made_up import (
    NOON,
    brought,
    decision,
    id_of,
    new_dataset,
    page,
    publish,
    titles,
    url,
    with_recipe,
    write_run,
)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return new_dataset(tmp_path)


def test_rows_of_several_runs_follow_one_another(dataset: Dataset) -> None:
    """What runs bring is added, and shards that do not change are the same files."""
    assert brought(dataset, "r1", "a", "b").added["articles"] == 2
    before = {shard.path for shard in LocalFolder(dataset.folder).manifest().shards}
    assert brought(dataset, "r2", "c").version == 2
    after = {shard.path for shard in LocalFolder(dataset.folder).manifest().shards}
    assert titles(dataset) == ["a", "b", "c"]
    assert before < after


def test_a_copy_of_an_old_article_rewrites_nothing(dataset: Dataset) -> None:
    """A copy of a published article makes a row of `copies`, and leaves the shards of `articles` as they are."""
    brought(dataset, "r1", "a")
    before = LocalFolder(dataset.folder).manifest().of("articles")
    brought(dataset, "r2", "b", decisions=[decision("b", "a")])
    assert LocalFolder(dataset.folder).manifest().of("articles") == before
    assert [row["representative_id"] for row in published_rows(dataset, "copies")] == [id_of("a")]


def test_a_demoted_article_becomes_a_copy_and_its_copies_follow(dataset: Dataset) -> None:
    """When another article takes the place of a published one, that one and its copies name the other from then on."""
    brought(dataset, "r1", "a", "b", decisions=[decision("a"), decision("b", "a")])
    brought(dataset, "r2", "c", demoted=[("a", "c")])
    assert titles(dataset) == ["c"]
    copies = {row["title"]: row["representative_id"] for row in published_rows(dataset, "copies")}
    assert copies == {"a": id_of("c"), "b": id_of("c")}


def test_demotions_in_unpublished_runs_are_followed_to_the_end(dataset: Dataset) -> None:
    """An article demoted twice before anything is published names the one that stands at last."""
    write_run(dataset, "r1", [page("a"), page("b")], [decision("a"), decision("b", "a")])
    write_run(dataset, "r2", [page("c")], demoted=[("a", "c")])
    brought(dataset, "r3", "d", demoted=[("c", "d")])
    assert titles(dataset) == ["d"]
    assert {row["representative_id"] for row in published_rows(dataset, "copies")} == {id_of("d")}
    assert titles(dataset, "copies") == ["a", "b", "c"]


def test_a_later_edition_takes_the_place_of_the_row(dataset: Dataset) -> None:
    """A later edition is there once, with its text, also when its article was demoted in the same runs."""
    brought(dataset, "r1", "a", "x")
    write_run(dataset, "r2", [page("b")], demoted=[("a", "b")])
    edition = page("a", text="Corrected. " + "word " * 90)
    decided = [decision("a", "b", relation="version", version=2)]
    publish(dataset, write_run(dataset, "r3", [edition], decided))
    assert titles(dataset) == ["b", "x"]
    assert [(row["title"], row["relation"]) for row in published_rows(dataset, "copies")] == [("a", "version")]


def test_a_page_that_is_accepted_later_is_rejected_no_more(dataset: Dataset) -> None:
    """The row of an earlier run goes from `rejected` when the page is published."""
    publish(
        dataset, write_run(dataset, "r1", [page("a"), page("b", verdict="off_topic"), page("c", verdict="listing")])
    )
    assert titles(dataset, "rejected") == ["b", "c"]
    brought(dataset, "r2", "b")
    assert (titles(dataset), titles(dataset, "rejected")) == (["a", "b"], ["c"])


def test_a_page_is_rejected_once_with_its_last_verdict(dataset: Dataset) -> None:
    """A URL is in `rejected` once; the same verdict again changes nothing, another one takes its place."""
    brought(dataset, "r1", "a", outcomes=[("x", "robots"), ("y", "blocked")])
    brought(dataset, "r2", "b", outcomes=[("x", "robots"), ("y", "fetch_failed")])
    rows = {row["url"]: (row["verdict"], row["run_id"]) for row in published_rows(dataset, "rejected")}
    assert rows == {url("x"): ("robots", "r1"), url("y"): ("fetch_failed", "r2")}


def test_a_published_page_is_not_rejected(dataset: Dataset) -> None:
    """A failed fetch of a page whose article is published says nothing against it."""
    brought(dataset, "r1", "a")
    brought(dataset, "r2", "b", outcomes=[("a", "fetch_failed")])
    assert published_rows(dataset, "rejected") == []


def test_a_withdrawn_article_goes_with_the_copies_that_name_it(dataset: Dataset) -> None:
    """A withdrawn article goes, copies of it that nothing takes the place of go too, and are told to the index."""
    rest = [decision(name) for name in "cdefgh"]
    brought(dataset, "r1", *"abcdefgh", decisions=[decision("a"), decision("b", "a"), *rest])
    run = write_run(dataset, "r2", withdrawn=["a"], outcomes=[("a", "gone")])
    publish(dataset, run)
    assert (titles(dataset), titles(dataset, "copies")) == ([*"cdefgh"], [])
    assert [row["verdict"] for row in published_rows(dataset, "rejected")] == ["gone"]
    assert pq.read_table(run.folder / "orphans.parquet")["id"].to_pylist() == [id_of("b")]


def test_rejected_pages_alone_wait_but_not_for_ever(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that bring nothing but rejected pages make no version until there are many of them."""
    monkeypatch.setattr(publishing, "HELD_RUNS", 3)
    brought(dataset, "r00", "a")
    for number in range(1, 4):
        done = brought(dataset, f"r{number:02d}", outcomes=[(f"x{number}", "robots")])
        assert (done.version, done.is_new) == (1, False)
    assert brought(dataset, "r99", outcomes=[("y", "robots")]).is_new
    assert LocalFolder(dataset.folder).manifest().through == "r99"
    assert len(published_rows(dataset, "rejected")) == 4


def test_runs_that_bring_nothing_are_not_read_again(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without any news is passed over from then on."""
    brought(dataset, "r1", "a", outcomes=[("x", "robots")])
    brought(dataset, "r2", outcomes=[("x", "robots")])
    read: list[str] = []

    def watched(runs: list[Run], takedowns: Takedowns) -> Any:
        read.extend(run.id for run in runs)
        return collect(runs, takedowns)

    monkeypatch.setattr(publishing, "collect", watched)
    brought(dataset, "r3", outcomes=[("x", "robots")])
    assert read == ["r3"]


def test_an_article_that_is_published_already_is_refused(dataset: Dataset) -> None:
    """An id never gets into the dataset twice; the draft of the refused version is cleared away."""
    brought(dataset, "r1", "a")
    with pytest.raises(RefusedVersionError, match="published already"):
        brought(dataset, "r2", "a", "b")
    assert titles(dataset) == ["a"]


def test_an_article_without_text_is_refused(dataset: Dataset) -> None:
    """No row without its text is published, and nothing of the refused version is left lying."""
    brought(dataset, "r1", "a")
    with pytest.raises(RefusedVersionError, match="has no text"):
        publish(dataset, write_run(dataset, "r2", [page("b", text=" ")]))
    assert sorted(path.name for path in (dataset.folder / ".versions").iterdir()) == ["000001"]


@pytest.mark.parametrize(("policy", "begins"), [("excerpt", "The text of a."), ("none", None)])
def test_less_text_is_taken_from_old_rows_too(dataset: Dataset, policy: str, begins: str | None) -> None:
    """When the recipe publishes less of the texts, no reader gets more any longer, of old rows or old versions."""
    brought(dataset, "r1", "a")
    narrow = with_recipe(dataset, f'[publish]\ntext = "{policy}"\n')
    assert publish(narrow, write_run(narrow, "r2")).is_new
    (row,) = published_rows(dataset)
    assert row["text"] is None if begins is None else row["text"].startswith(begins) and row["text"].endswith(" …")
    assert [path.name for path in (dataset.folder / ".versions").glob("[0-9]*")] == ["000002"]
    assert not publish(narrow, write_run(narrow, "r3")).is_new


def test_versions_with_more_text_go_after_a_kill_too(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that was killed right after the commit of less text takes the old version away when it is repeated."""
    brought(dataset, "r1", "a")
    narrow = with_recipe(dataset, '[publish]\ntext = "none"\n')
    run = write_run(narrow, "r2")
    with monkeypatch.context() as killed:
        killed.setattr(publishing, "clear_wider", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish(narrow, run)
    assert publish(narrow, run).is_new
    assert LocalFolder(dataset.folder).numbers() == [2]


def test_more_text_is_given_of_new_rows(dataset: Dataset) -> None:
    """When the recipe publishes more of the texts, old rows stay as they are."""
    none = with_recipe(dataset, '[publish]\ntext = "none"\n')
    brought(none, "r1", "a")
    brought(with_recipe(dataset, ""), "r2", "b")
    assert {row["title"]: row["text"] is None for row in published_rows(dataset)} == {"a": True, "b": False}


def test_what_is_not_published_is_sketched(dataset: Dataset) -> None:
    """Articles whose text is kept back have a sketch in a shard that no config names, and it goes with its row."""
    none = with_recipe(dataset, '[publish]\ntext = "none"\n')
    brought(none, "r1", "a", *"bcdefgh")
    brought(none, "r2", withdrawn=["a"])
    manifest = LocalFolder(dataset.folder).manifest()
    (sketches,) = manifest.of("sketches")
    assert sorted(pq.read_table(dataset.folder / sketches.path)["id"].to_pylist()) == sorted(map(id_of, "bcdefgh"))
    assert "sketches" not in (dataset.folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("policy", "is_shown"), [("strict", False), ("record", True)])
def test_a_text_that_its_publisher_withholds_is_not_shown(dataset: Dataset, policy: str, is_shown: bool) -> None:
    """Under strict rights a row whose evidence withholds the text is published without it."""
    chosen = with_recipe(dataset, f'[politeness]\nrights = "{policy}"\n')
    rights = json.dumps({"withhold": "text", "signals": []})
    publish(chosen, write_run(chosen, "r1", [page("a", rights=rights), page("b")]))
    assert {row["title"]: row["text"] is not None for row in published_rows(dataset)} == {"a": is_shown, "b": True}


def test_rows_lie_by_date_in_shards_and_by_host_within(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of rows, through files where they do not fit in memory, end in shards that follow the dates."""
    monkeypatch.setattr("flows.publishing.sorting.ROWS_AT_ONCE", 20)
    monkeypatch.setattr("flows.publishing.shards.ROWS_A_SHARD", 10)
    pages = [
        page(
            f"p{n * 37 % 100:02d}",
            published_at=NOON + timedelta(days=n * 37 % 100),
            domain=f"h{n % 3}.example",
            fetched_at=None,
        )
        for n in range(100)
    ]
    publish(dataset, write_run(dataset, "r1", pages, part=7))
    shards = [published_shard(dataset, shard.path) for shard in LocalFolder(dataset.folder).manifest().of("articles")]
    assert [sorted(shard["title"].to_pylist()) for shard in shards] == [
        [f"p{n:02d}" for n in range(start, start + 10)] for start in range(0, 100, 10)
    ]
    for shard in shards:
        assert shard["domain"].to_pylist() == sorted(shard["domain"].to_pylist())
        assert all(text.startswith(f"The text of {title}.") for text, title in zip(shard["text"].to_pylist(), shard["title"].to_pylist(), strict=True))  # fmt: skip # noqa: E501
    assert not list(dataset.folder.rglob(".spool"))


def published_shard(dataset: Dataset, path: str) -> pa.Table:
    return pq.read_table(dataset.folder / path, partitioning=None)


def test_no_publisher_knows_the_future(dataset: Dataset) -> None:
    """Dates of publication and change that lie after the fetch are left out."""
    later = NOON + timedelta(days=3)
    publish(dataset, write_run(dataset, "r1", [page("a", published_at=later, modified_at=later)]))
    (row,) = published_rows(dataset)
    assert (row["published_at"], row["modified_at"], row["fetched_at"]) == (None, None, NOON)


def test_takedowns_cover_rows_of_earlier_runs(dataset: Dataset) -> None:
    """What a takedown names is left out of every config, also by a copy's representative."""
    run = write_run(
        dataset,
        "r1",
        [page("a"), page("b"), page("c"), page("d", verdict="listing")],
        [decision("a"), decision("b", "a"), decision("c")],
    )
    requests = [Takedown("id", id_of("a"), "", ""), Takedown("url", url("d"), "", "")]
    change = collect([run], Takedowns.of(requests))
    assert (change.picks["id"].to_pylist(), change.rejects.num_rows) == ([id_of("c")], 0)
