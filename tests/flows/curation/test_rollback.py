"""What an earlier version's rows are today: what publishers withdrew or withhold since does not come back with them."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.curation import history
from flows.curation.restoring import Restored
from flows.destination import LocalFolder
from flows.publishing.shard_index import ShardIndex
from flows.takedown import Takedown, record_takedown
from tests.cleaning.copies.test_sketched import text
from tests.flows.conftest import published_rows
from tests.flows.publishing.test_promotion import brought, id_of, page, titles, url

NOARCHIVE = {"signal": "robots-meta", "value": "noarchive", "where": "x", "reserves": False, "withholds": "text"}
WITHHELD = json.dumps({"verdict": "allowed", "signals": [NOARCHIVE], "withhold": "text"})


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return with_recipe(tmp_path / "datasets" / "d")


def with_recipe(folder: Path, more: str = "") -> Dataset:
    """The dataset of a folder, with more in its recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text('[topic]\nseeds = ["*.txt"]\n[expect]\ndrop = 1.0\n' + more, encoding="utf-8")
    return load_dataset_config(str(folder), {})


def rolled_back(dataset: Dataset, number: int) -> Restored:
    """The dataset after a rollback, as the command does it; every copy names an article that is there."""
    (dataset.state / "copies.duckdb").unlink(missing_ok=True)
    made = history.rollback(dataset, number)
    with ShardIndex(dataset.state / "check.duckdb") as index:
        index.follow(made.manifest, LocalFolder(dataset.folder).current)
        assert index.faults() == []
    return made.restored


def left_out(again: Restored) -> dict[str, int]:
    found = {name: getattr(again, name) for name in ("withdrawn", "promoted", "withheld", "taken_down")}
    return {name: number for name, number in found.items() if number}


def shown(dataset: Dataset) -> dict[str, str | None]:
    """The texts that readers see, by title."""
    return {row["title"]: row["text"] for row in published_rows(dataset)}


@pytest.mark.parametrize(
    ("verdict", "reason", "is_state_lost"),
    [
        ("gone", "HTTP 410", False),
        ("gone", "its publisher let it end (unavailable_after)", True),
        ("opted_out", "X-Robots-Tag: noai", True),
    ],
)
def test_what_was_withdrawn_stays_withdrawn(dataset: Dataset, verdict: str, reason: str, is_state_lost: bool) -> None:
    """An article that its publisher withdrew does not come back by a rollback, be it that the state was deleted."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    brought(dataset, "r2", page("c", text(3)), gone={url("a"): reason}, verdict=verdict)
    if is_state_lost:
        shutil.rmtree(dataset.state)
    for _ in range(2):
        assert left_out(rolled_back(dataset, 1)) == {"withdrawn": 1}
        assert titles(dataset) == ["b"]
        assert [(row["url"], row["verdict"]) for row in published_rows(dataset, "rejected")] == [(url("a"), verdict)]


def test_what_was_retracted_stays_withdrawn(dataset: Dataset) -> None:
    """A notice in the place of an article withdraws it, as the state's runs tell."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    brought(dataset, "r2", page("a", "Retracted.", verdict="too_short"))
    assert left_out(rolled_back(dataset, 1)) == {"withdrawn": 1}
    assert titles(dataset) == ["b"]


@pytest.mark.parametrize("is_state_lost", [False, True])
def test_the_copy_that_took_the_place_keeps_it(dataset: Dataset, is_state_lost: bool) -> None:
    """The promoted copy is the article of the other copies, with its text."""
    whole = text(1)
    brought(dataset, "r1", page("a", whole), page("early", whole, 1), page("late", whole, 2), page("b", text(2)))
    brought(dataset, "r2", page("c", text(3)), gone={url("a"): "HTTP 410"})
    if is_state_lost:
        shutil.rmtree(dataset.state)
    assert left_out(rolled_back(dataset, 1)) == {"withdrawn": 1, "promoted": 1}
    assert (titles(dataset), titles(dataset, "copies")) == (["b", "early"], ["late"])
    assert shown(dataset)["early"] == whole
    brought(dataset, "r3", page("late2", whole, 4))
    assert {row["representative_id"] for row in published_rows(dataset, "copies")} == {id_of("early")}


def test_a_promoted_copy_whose_text_is_not_shown_keeps_its_sketch(tmp_path: Path) -> None:
    """Where readers get excerpts, the promoted copy has its excerpt, and its copies are found by its sketch."""
    dataset = with_recipe(tmp_path / "datasets" / "d", '[publish]\ntext = "excerpt"\n')
    whole = text(1)
    brought(dataset, "r1", page("a", whole), page("early", whole, 1), page("b", text(2)))
    brought(dataset, "r2", page("c", text(3)), gone={url("a"): "HTTP 410"})
    before = shown(dataset)["early"]
    shutil.rmtree(dataset.state)
    rolled_back(dataset, 1)
    assert (titles(dataset), shown(dataset)["early"]) == (["b", "early"], before)
    assert {row["id"] for row in published_rows(dataset, "sketches")} == {id_of("b"), id_of("early")}
    brought(dataset, "r3", page("late", whole, 4))
    assert [row["representative_id"] for row in published_rows(dataset, "copies")] == [id_of("early")]


def test_copies_without_an_heir_go_with_their_article(dataset: Dataset) -> None:
    """Copies that nothing took the place for are left out with the withdrawn article, and counted."""
    run = brought(dataset, "r1", page("a", text(1)), page("copy", text(1), 1), page("b", text(2)))
    (run.folder / "copies.parquet").unlink()
    brought(dataset, "r2", page("c", text(3)), gone={url("a"): "HTTP 410"})
    assert left_out(rolled_back(dataset, 1)) == {"withdrawn": 2}
    assert (titles(dataset), titles(dataset, "copies")) == (["b"], [])


def test_what_came_back_since_comes_back(dataset: Dataset) -> None:
    """An article that was withdrawn and is there again is restored, though a version lies between that lacks it."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    brought(dataset, "r2", page("c", text(3)), gone={url("a"): "HTTP 410"})
    brought(dataset, "r3", page("a", text(1), 2))
    assert left_out(rolled_back(dataset, 2)) == {}
    assert titles(dataset) == ["b", "c"]
    assert left_out(rolled_back(dataset, 1)) == {}
    assert titles(dataset) == ["a", "b"]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_what_came_back_comes_back_when_a_rollback_is_undone(dataset: Dataset, is_compacted: bool) -> None:
    """A rollback to a version that says that an article is gone is no news of it, nor is a compaction of that."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)), page("z", text(6), verdict="off_topic"))
    brought(dataset, "r2", page("y", text(7), verdict="off_topic"), page("c", text(3)), gone={url("a"): "HTTP 410"})
    brought(dataset, "r3", page("a", text(1), 2))
    rolled_back(dataset, 2)
    if is_compacted:
        history.compact(dataset)
    for number, expected in ((3, ["a", "b", "c"]), (1, ["a", "b"])):
        assert left_out(rolled_back(dataset, number)) == {}
        assert titles(dataset) == expected


def test_what_a_rollback_took_back_is_not_withdrawn(dataset: Dataset) -> None:
    """A rollback forwards, to the version before another rollback, has all of its rows."""
    brought(dataset, "r1", page("a", text(1)))
    brought(dataset, "r2", page("b", text(2)))
    rolled_back(dataset, 1)
    assert left_out(rolled_back(dataset, 2)) == {}
    assert titles(dataset) == ["a", "b"]


@pytest.mark.parametrize("is_state_lost", [False, True])
def test_a_text_that_is_withheld_since_stays_withheld(dataset: Dataset, is_state_lost: bool) -> None:
    """The row comes back without its text and with the evidence, by any number of rollbacks; copies are found still."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    brought(dataset, "r2", page("a", text(1), 1, rights=WITHHELD))
    evidence = {row["title"]: row["rights"] for row in published_rows(dataset)}
    assert shown(dataset) == {"a": None, "b": text(2)}
    if is_state_lost:
        shutil.rmtree(dataset.state)
    for _ in range(2):
        assert left_out(rolled_back(dataset, 1)) == {"withheld": 1}
        assert shown(dataset) == {"a": None, "b": text(2)}
        assert {row["title"]: row["rights"] for row in published_rows(dataset)} == evidence
        assert [row["id"] for row in published_rows(dataset, "sketches")] == [id_of("a")]


def test_a_text_that_is_withheld_since_it_is_a_copy_stays_withheld(dataset: Dataset) -> None:
    """An article that gave way to another, and was withheld then, is an article again without its text."""
    cut = " ".join(text(1).split()[:200])
    brought(dataset, "r1", page("a", cut, 1), page("b", text(2)))
    brought(dataset, "r2", page("whole", text(1), 1))
    assert (titles(dataset), titles(dataset, "copies")) == (["b", "whole"], ["a"])
    brought(dataset, "r3", page("c", text(3)), withheld=[url("a")])
    assert left_out(rolled_back(dataset, 1)) == {"withheld": 1}
    assert shown(dataset) == {"a": None, "b": text(2)}


def test_a_later_edition_without_the_mark_gives_the_text_back(dataset: Dataset) -> None:
    """The last word counts: a publisher that shows a later edition again withholds the earlier one no longer."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    brought(dataset, "r2", page("a", text(1), 1, rights=WITHHELD))
    brought(dataset, "r3", page("a", text(5), 2))
    assert left_out(rolled_back(dataset, 1)) == {}
    assert shown(dataset) == {"a": text(1), "b": text(2)}


@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_text_that_was_shown_again_is_shown_when_a_rollback_is_undone(dataset: Dataset, is_compacted: bool) -> None:
    """A rollback to an edition that withholds its text is no news of it, nor is a compaction of that."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    brought(dataset, "r2", page("a", text(1), 1, rights=WITHHELD))
    brought(dataset, "r3", page("a", text(5), 2))
    rolled_back(dataset, 2)
    assert shown(dataset)["a"] is None
    if is_compacted:
        brought(dataset, "r4", page("c", text(3)))
        history.compact(dataset)
    for number, expected in ((3, text(5)), (1, text(1))):
        assert left_out(rolled_back(dataset, number)) == {}
        assert shown(dataset)["a"] == expected


def test_the_command_says_what_it_left_out(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, and as numbers for scripts."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    brought(dataset, "r1", page("a", text(1)), page("copy", text(1), 1), page("b", text(2)))
    brought(dataset, "r2", page("b", text(2), 1, rights=WITHHELD), gone={url("a"): "HTTP 410"})
    words = CliRunner().invoke(app, ["rollback", str(dataset.folder), "1"])
    assert words.stdout.splitlines() == [
        "Published version 3 with 2 articles as of version 1.",
        "Withdrawn by their publishers since: 1 row; 1 copy stands in their place.",
        "Withheld by their publishers since: 1 text.",
    ]
    numbers = json.loads(CliRunner().invoke(app, ["rollback", str(dataset.folder), "1", "--json"]).stdout)
    assert numbers == {
        "version": 4,
        "articles": 2,
        "back_to": 1,
        "withdrawn": 1,
        "promoted": 1,
        "withheld": 1,
        "taken_down": 0,
    }


def test_takedowns_are_applied_again(dataset: Dataset) -> None:
    """What a takedown names goes, with an article's copies and with rejected pages; nothing takes its place."""
    left_behind = page("d", text(4), verdict="off_topic", url="https://a.example/d", canonical_url="")
    brought(dataset, "r1", page("a", text(1)), page("copy", text(1), 1), page("b", text(2)), left_behind)
    brought(dataset, "r2", page("c", text(3)))
    record_takedown(dataset, Takedown("host", "a.example", "asked for", "2025-03-05T00:00:00Z"))
    assert left_out(rolled_back(dataset, 1)) == {"taken_down": 2}
    assert [titles(dataset, config) for config in ("articles", "copies", "rejected")] == [["b"], [], []]
