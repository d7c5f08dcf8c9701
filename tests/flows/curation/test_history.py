"""What can be done to a published dataset: each step is one that readers in a fresh process see whole."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows import stages
from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.curation import history
from flows.demo.newsroom import Newsroom
from flows.demo.server import serve
from flows.destination import LocalFolder
from flows.errors import InputError, StateError
from flows.runs import locked_state, start_run
from flows.stages import Input, run_stages
from tests.flows.conftest import publish_pages, published_rows

_READER = """
import json, sys
from datasets import load_dataset
print(json.dumps(sorted(load_dataset(sys.argv[1], split="train")["id"])))
"""


@pytest.fixture(scope="module")
def twice_published(tmp_path_factory: pytest.TempPathFactory, newsroom: Newsroom) -> Iterator[Dataset]:
    """A dataset with two versions, from two backfills."""
    with serve(newsroom, port=0) as server:
        folder = tmp_path_factory.mktemp("history")
        yield publish_pages(folder, newsroom, server, r1=slice(0, 10), r2=slice(10, 18))


@pytest.fixture
def dataset(twice_published: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A copy of that dataset to work on."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    shutil.copytree(twice_published.folder.parent.parent, tmp_path / "home", symlinks=True)
    return load_dataset_config(str(tmp_path / "home" / "datasets" / "newsroom"), {})


def likewise(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def ids_for_readers(dataset: Dataset, cache: Path) -> list[str]:
    """The ids that load_dataset gives in a fresh process, with one cache for all versions."""
    environment = {"HF_HOME": str(cache / "cache"), "HF_HUB_OFFLINE": "1", "PATH": ""}
    command = [sys.executable, "-c", _READER, str(dataset.folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, cwd=cache)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def ids(dataset: Dataset) -> list[str]:
    return sorted(row["id"] for row in published_rows(dataset))


def test_versions_are_listed_and_compared(dataset: Dataset) -> None:
    """`versions` lists both, and `diff` names exactly the articles of the second."""
    found = json.loads(likewise("versions", str(dataset.folder), "--json").stdout)
    assert [version["version"] for version in found] == [1, 2]
    difference = json.loads(likewise("diff", str(dataset.folder), "1", "2", "--json").stdout)
    second = {row["id"] for row in published_rows(dataset) if row["run_id"] == "r2"}
    assert (set(difference["added"]), difference["removed"], difference["changed"]) == (second, [], [])


def test_a_rollback_is_a_new_version_with_the_old_rows(dataset: Dataset, tmp_path: Path) -> None:
    """After a rollback readers get the rows of the earlier version, under a number of its own."""
    assert ids_for_readers(dataset, tmp_path) == ids(dataset)
    first = {row["id"] for row in published_rows(dataset) if row["run_id"] == "r1"}
    assert likewise("rollback", str(dataset.folder), "1").exit_code == 0
    assert set(ids(dataset)) == first
    assert ids_for_readers(dataset, tmp_path) == sorted(first)
    assert [version.version for version in history.versions(dataset)] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["url", "host", "id"])
def test_a_takedown_removes_the_rows_everywhere(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    """What a takedown names is in no config and no version any more, and the rest is as it was."""
    row = next(row for row in published_rows(dataset) if row["domain"])
    value = {"url": row["url"] + "?utm_source=x", "host": row["domain"], "id": row["id"]}[kind]
    column = {"url": "url", "host": "domain", "id": "id"}[kind]
    gone = {other["id"] for other in published_rows(dataset) if other[column] == row[column]}
    before = ids(dataset)
    assert likewise("takedown", str(dataset.folder), f"--{kind}", value, "--reason", "asked for").exit_code == 0
    assert ids(dataset) == sorted(set(before) - gone)
    assert ids_for_readers(dataset, tmp_path) == ids(dataset)
    for version in history.versions(dataset):
        folder = dataset.folder / ".versions" / f"{version.version:06d}"
        assert not any(row["id"].encode() in path.read_bytes() for path in folder.rglob("*.parquet"))
    for config in ("copies", "rejected"):
        assert row["url"] not in {other["url"] for other in published_rows(dataset, config)}


def test_a_takedown_outlives_the_state(dataset: Dataset) -> None:
    """Even when the state was deleted and the same pages come again, the row stays out."""
    row = next(row for row in published_rows(dataset) if row["run_id"] == "r1" and row["domain"])
    likewise("takedown", str(dataset.folder), "--url", row["url"], "--reason", "asked for")
    shutil.rmtree(dataset.state)
    pages = dataset.folder.parent.parent / "r1"
    again = run_stages(start_run(dataset, "r3", "backfill"), Input("html", (pages,)))
    assert row["id"] not in ids(dataset)
    assert [line["count"] for line in again["counts"] if line["verdict"] == "taken_down"] == [1]


def test_the_same_pages_after_the_state_was_deleted_add_nothing(dataset: Dataset) -> None:
    """Published articles are known again from what is published, so that no row is there twice."""
    before = ids(dataset)
    shutil.rmtree(dataset.state)
    for run_id in ("r1", "r2"):
        pages = dataset.folder.parent.parent / run_id
        done = run_stages(start_run(dataset, f"again-{run_id}", "backfill"), Input("html", (pages,)))
        assert done["is_new"] is False
    assert ids(dataset) == before


def test_compacting_keeps_the_rows(dataset: Dataset, tmp_path: Path) -> None:
    """`compact` leaves the same rows in one file a config."""
    before = {row["id"]: row for row in published_rows(dataset)}
    assert likewise("compact", str(dataset.folder)).exit_code == 0
    assert {row["id"]: row for row in published_rows(dataset)} == before
    assert len(list((dataset.folder / "data").glob("articles-*.parquet"))) == 1
    assert ids_for_readers(dataset, tmp_path) == sorted(before)


def test_old_versions_are_cleared_away_and_the_current_one_stays(dataset: Dataset, tmp_path: Path) -> None:
    """`gc` removes versions that were replaced long ago; readers see no difference."""
    assert history.clear_old(dataset) == []
    assert history.clear_old(dataset, now=datetime.now(UTC) + timedelta(days=31)) == [1]
    assert [version.version for version in history.versions(dataset)] == [2]
    assert ids_for_readers(dataset, tmp_path) == ids(dataset)


def test_a_version_that_the_recipe_does_not_expect_is_refused(dataset: Dataset) -> None:
    """A version with fewer articles than the recipe expects is not published, and readers keep the old one."""
    recipe = dataset.recipe_path.read_text(encoding="utf-8")
    dataset.recipe_path.write_text(recipe + "\n[expect]\narticles = 1000\n", encoding="utf-8")
    before = ids(dataset)
    extra = dataset.folder.parent.parent / "extra"
    extra.mkdir()
    source = dataset.folder.parent.parent / "r1" / "00.html"
    moved = source.read_bytes().replace(b"newsroom.example", b"elsewhere.example").replace(b"Pelm", b"Oster")
    (extra / "one.html").write_bytes(moved)
    result = likewise("backfill", str(dataset.folder), "--html", str(extra))
    assert result.exit_code == 5
    assert "expects at least 1000" in result.stderr
    assert ids(dataset) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diff", "1", "9"], "no version 9"),
        (["rollback", "9"], "no version 9"),
        (["takedown", "--reason", "x"], "Nothing to"),
        (["takedown", "--reason", "x", "--url", "not an address"], "no http or https URL"),
    ],
)
def test_what_is_not_there_is_an_error(dataset: Dataset, arguments: list[str], said: str) -> None:
    """A version or a request that is not there ends with exit code 2."""
    result = likewise(arguments[0], str(dataset.folder), *arguments[1:])
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_folder_copied_without_its_links_is_not_published_over(dataset: Dataset) -> None:
    """When the link to the current version is lost, nothing is overwritten, and the error says how to make it again."""
    before = ids(dataset)
    (dataset.folder / "current").unlink()
    pages = dataset.folder.parent.parent / "r1"
    result = likewise("backfill", str(dataset.folder), "--html", str(pages))
    assert result.exit_code == 5
    assert "ln -s .versions/000002" in result.stderr.replace("\n", " ")
    (dataset.folder / "current").symlink_to(".versions/000002")
    assert ids(dataset) == before


def test_a_stage_needs_the_one_before_it(dataset: Dataset) -> None:
    """A stage of a run whose earlier stage is not finished is refused, and marks nothing as done."""
    for stage, earlier in (("clean", "crawl"), ("filter", "clean"), ("copies", "filter"), ("publish", "copies")):
        result = likewise(stage, str(dataset.folder))
        assert result.exit_code == 2
        assert f"the stage `{earlier}` is not finished" in result.stderr


def test_a_lost_index_loses_no_run(dataset: Dataset) -> None:
    """A run that had entered the index when it was lost enters it again, and is published whole."""
    extra = dataset.folder.parent.parent / "extra"
    extra.mkdir()
    source = dataset.folder.parent.parent / "r1" / "01.html"
    (extra / "one.html").write_bytes(source.read_bytes().replace(b"newsroom.example", b"elsewhere.example"))
    run, pages = start_run(dataset, "r3", "backfill"), Input("html", (extra,))
    stages.clean(run, pages)
    stages.filter_articles(run)
    stages.find_copies(run)
    (dataset.state / "copies.duckdb").unlink()
    done = run_stages(run, pages)
    everywhere = {row["url"] for config in ("articles", "copies") for row in published_rows(dataset, config)}
    assert any("elsewhere.example" in url for url in everywhere)
    assert done["is_new"] is True


@pytest.mark.parametrize("run_id", ["../../evil", "a/b", "", ".hidden", "x" * 65])
def test_a_run_id_is_a_plain_name(dataset: Dataset, run_id: str) -> None:
    """An id that would lead out of the state folder is refused."""
    with pytest.raises(InputError, match="cannot be the id of a run"):
        start_run(dataset, run_id)


def test_each_command_prints_json_for_scripts(dataset: Dataset) -> None:
    """`rollback`, `takedown`, `compact` and `gc` say what they did as JSON; `diff` names the titles of what changed."""
    difference = json.loads(likewise("diff", str(dataset.folder), "1", "2", "--json").stdout)
    published = {row["id"]: row["title"] for row in published_rows(dataset) if row["run_id"] == "r2"}
    assert difference["titles"] == published
    assert all(title in likewise("diff", str(dataset.folder), "1", "2").stdout for title in published.values())
    assert json.loads(likewise("rollback", str(dataset.folder), "1", "--json").stdout)["version"] == 3
    gone = published_rows(dataset)[0]["id"]
    taken = likewise("takedown", str(dataset.folder), "--id", gone, "--reason", "x", "--json")
    (request,) = json.loads(taken.stdout)["requests"]
    assert (request["kind"], request["value"], request["matched"]["articles"]) == ("id", gone, 1)
    assert json.loads(likewise("compact", str(dataset.folder), "--json").stdout)["files"] > 0
    assert json.loads(likewise("gc", str(dataset.folder), "--json").stdout)["cleared"] == []


def test_a_retracted_article_goes(dataset: Dataset) -> None:
    """A known page that comes back too short to be an article takes its row with it, and is listed as rejected."""
    pages = dataset.folder.parent.parent / "r3"
    pages.mkdir()
    row = next(row for row in published_rows(dataset) if row["canonical_url"].startswith("http"))
    notice = f'<html><head><title>Notice</title><link rel="canonical" href="{row["canonical_url"]}"></head>'
    (pages / "0.html").write_text(notice + "<body><article><p>This article was retracted.</p></article></body></html>")
    before = ids(dataset)
    run_stages(start_run(dataset, "r3", "backfill"), Input("html", (pages,)))
    assert ids(dataset) == sorted(set(before) - {row["id"]})
    assert "too_short" in {one["verdict"] for one in published_rows(dataset, "rejected") if one["run_id"] == "r3"}


def test_two_datasets_of_one_name_do_not_share_a_state(dataset: Dataset, tmp_path: Path) -> None:
    """The state of a dataset is refused to another of the same name, and kept by one that was moved."""
    home = {"LIKEWISE_HOME": str(tmp_path / "states")}
    with locked_state(load_dataset_config(str(dataset.folder), home)):
        pass
    shutil.copytree(dataset.folder, tmp_path / "other" / "newsroom", symlinks=True)
    other = load_dataset_config(str(tmp_path / "other" / "newsroom"), home)
    with pytest.raises(StateError, match="this is the state of"), locked_state(other):
        pass
    shutil.rmtree(dataset.folder)
    with locked_state(other):
        pass


def test_the_whole_dataset_can_be_checked(dataset: Dataset) -> None:
    """`doctor` finds an id that is there twice."""
    manifest = LocalFolder(dataset.folder).manifest()
    first, second = manifest.of("articles")
    paths = [dataset.folder / "current" / shard.path for shard in (first, second)]
    paths[1].unlink()
    shutil.copy(paths[0], paths[1])
    result = likewise("doctor", str(dataset.folder), "--json")
    (check,) = (one for one in json.loads(result.stdout) if one["name"] == "published")
    assert (check["ok"], "is there 2 times" in check["detail"]) == (False, True)
