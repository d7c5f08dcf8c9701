"""Taking articles down: what is said of it, to people and to scripts."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.config import Dataset
from flows.curation import named
from flows.destination import LocalFolder
from flows.takedown import read_takedowns
from tests.flows.made_up import brought, decision, id_of, new_dataset, titles, url, with_recipe


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Two versions: an article with a copy, then another article and a page that was rejected."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    made = with_recipe(new_dataset(tmp_path), "[expect]\ndrop = 1.0\n")
    (made.folder / "seed.txt").write_text("An article. " * 100, encoding="utf-8")
    brought(made, "r1", "first", "copy", decisions=[decision("first"), decision("copy", of="first")])
    brought(made, "r2", "second", outcomes=[("refused", "robots")])
    return made


def takedown(dataset: Dataset, *options: str) -> str:
    result = CliRunner().invoke(app, ["takedown", str(dataset.folder), "--reason", "asked", *options])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def takedown_json(dataset: Dataset, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(takedown(dataset, *options, "--json"))
    return found


def test_articles_copies_and_versions_that_went_are_told(dataset: Dataset) -> None:
    """The rows that each request named, those that are left, and the versions that were cleared away are said."""
    said = takedown(dataset, "--url", url("first")).splitlines()
    assert said[0] == f"url {url('first')}: 1 article, 1 copy, 0 rejected pages"
    before, left = "2 articles, 1 copy, 1 rejected page", "1 article, 0 copies, 1 rejected page"
    assert said[1] == f"Published version 3 without them: {before} before, {left} now."
    assert said[2] == "Cleared away, because they held it: version 1, 2."
    assert titles(dataset) == ["second"]
    assert LocalFolder(dataset.folder).numbers() == [3]


def test_scripts_get_what_matched_and_the_version(dataset: Dataset) -> None:
    """`--json` has the matches of each request, the rows before and after, the version, and what was cleared."""
    done = takedown_json(dataset, "--id", id_of("first"), "--url", url("refused"))
    assert done["requests"] == [
        {"kind": "url", "value": url("refused"), "matched": {"articles": 0, "copies": 0, "rejected": 1}},
        {"kind": "id", "value": id_of("first"), "matched": {"articles": 1, "copies": 1, "rejected": 0}},
    ]
    assert done["before"] == {"articles": 2, "copies": 1, "rejected": 1}
    assert done["after"] == {"articles": 1, "copies": 0, "rejected": 0}
    assert (done["version"], done["is_new"], done["cleared"]) == (3, True, [1, 2])


def test_what_matches_nothing_is_recorded_and_told(dataset: Dataset) -> None:
    """An address that nothing published has is kept out of later runs, and the request says that it matched nothing."""
    said = takedown(dataset, "--url", url("unknown"), "--url", url("second"))
    assert f"url {url('unknown')}: nothing that is published matches it" in said
    assert f"url {url('second')}: 1 article" in said
    assert [request.value for request in read_takedowns(dataset)] == [url("unknown"), url("second")]


def test_a_takedown_that_changes_nothing_makes_no_version(dataset: Dataset) -> None:
    """Where nothing matches, the version stays and none is cleared away."""
    done = takedown_json(dataset, "--id", "0" * 32)
    assert (done["version"], done["is_new"], done["cleared"]) == (2, False, [])
    assert LocalFolder(dataset.folder).numbers() == [1, 2]


def test_rows_of_earlier_versions_match_too(dataset: Dataset) -> None:
    """An article that only an old version holds is counted, and that version goes."""
    brought(dataset, "r3", withdrawn=["second"])
    assert "second" not in titles(dataset)
    done = takedown_json(dataset, "--host", "news.example")
    assert done["requests"][0]["matched"] == {"articles": 2, "copies": 1, "rejected": 1}


def test_a_takedown_before_anything_is_published_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a version a request is recorded, and matches nothing."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    made = new_dataset(tmp_path)
    said = takedown(made, "--host", "news.example")
    assert "Nothing is published yet." in said
    assert len(read_takedowns(made)) == 1


def test_a_request_that_is_wrong_leaves_all_undone(dataset: Dataset) -> None:
    """Where one value is not of its kind, none is recorded: one that were would hold for later runs only."""
    options = ["--reason", "asked", "--url", url("first"), "--id", "no id"]
    result = CliRunner().invoke(app, ["takedown", str(dataset.folder), *options])
    assert (result.exit_code, "is no id" in result.stderr) == (2, True)
    assert (read_takedowns(dataset), titles(dataset)) == ([], ["first", "second"])


def test_each_shard_is_read_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many versions have a shard, and however much is to be told, its rows are looked at once."""
    read: list[str] = []

    def reading(path: Path) -> list[named.Row]:
        read.append(path.name)
        return naming_columns(path)

    naming_columns = named.naming_columns
    monkeypatch.setattr(named, "naming_columns", reading)
    before = {shard.path for number in (1, 2) for shard in LocalFolder(dataset.folder).manifest_of(number).shards}
    takedown(dataset, "--url", url("first"))
    assert sorted(read) == sorted(Path(path).name for path in before)


def test_what_is_named_in_one_version_goes_from_all() -> None:
    """An article that an earlier version had at the address asked for goes by its id, wherever it moved since."""
    ids = pa.array(["moved", "other", None])
    found = named.Named([], ids, pa.array([True, True, True])).also_by(frozenset({"moved"}))
    assert (found.kept.to_pylist(), found.removed_ids, found.is_untouched) == ([False, True, True], ["moved"], False)
