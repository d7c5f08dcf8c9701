"""Deriving a dataset again from its stored pages."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.demo.newsroom import Newsroom
from flows.demo.server import serve
from flows.destination import LocalFolder
from flows.runs import start_run
from flows.stages import Input, run_stages
from tests.flows.conftest import published_rows, write_newsroom_recipe


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, newsroom: Newsroom) -> Path:
    """A dataset of two runs, each of which crawled some articles; copies are among them."""
    home = tmp_path_factory.mktemp("crawled")
    with serve(newsroom, port=0) as server:
        dataset = write_newsroom_recipe(home, newsroom, server)
        wanted = [page.url for page in server.truth() if page.wanted][:16]
        for run_id, urls in (("r1", wanted[:10]), ("r2", wanted[10:])):
            run_stages(start_run(dataset, run_id), Input("crawl", urls=tuple(urls)))
    return home


@pytest.fixture
def dataset(crawled: Path, tmp_path: Path) -> Dataset:
    shutil.copytree(crawled, tmp_path / "home", symlinks=True)
    return load_dataset_config(str(tmp_path / "home" / "datasets" / "newsroom"), {})


def reclean(dataset: Dataset, *options: str) -> Result:
    return CliRunner().invoke(app, ["reclean", str(dataset.folder), *options])


def said(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Articles and copies by id, without what names the run."""
    both = [row for config in ("articles", "copies") for row in published_rows(dataset, config)]
    return {row["id"]: {key: value for key, value in row.items() if key != "run_id"} for row in both}


def test_the_same_code_and_recipe_give_the_same_rows(dataset: Dataset) -> None:
    """Nothing changed since: the version has the same rows, and the next run on the same pages brings nothing."""
    before = rows(dataset)
    done = said(reclean(dataset, "--json"))
    assert done["diff"] == {"added": [], "removed": [], "changed": [], "titles": {}}
    assert (done["version"], done["stayed"]) == (3, 0)
    assert rows(dataset) == before
    assert not (dataset.state / "reclean").exists()
    again = Input("warc", tuple(sorted((dataset.state / "warc").glob("*.warc.gz"))))
    assert run_stages(start_run(dataset, "r3", "backfill"), again)["is_new"] is False


def test_a_stricter_recipe_takes_rows_out_as_one_version(dataset: Dataset) -> None:
    """A dry run says what would go and publishes nothing; more than the recipe expects goes only when allowed."""
    before = rows(dataset)
    recipe = dataset.recipe_path.read_text(encoding="utf-8")
    dataset.recipe_path.write_text(re.sub("threshold = .*", "threshold = 0.9", recipe), encoding="utf-8")
    tried = said(reclean(dataset, "--dry-run", "--json"))
    assert tried["version"] is None
    assert len(tried["diff"]["removed"]) == len(published_rows(dataset)) > 0
    refused = reclean(dataset)
    assert (refused.exit_code, "larger drop" in refused.stderr) == (5, True)
    assert rows(dataset) == before
    done = said(reclean(dataset, "--allow-drop", "--json"))
    assert done["diff"]["removed"] == tried["diff"]["removed"]
    assert rows(dataset) == {}
    assert {row["verdict"] for row in published_rows(dataset, "rejected")} >= {"off_topic"}


def test_rows_whose_page_is_gone_stay(dataset: Dataset) -> None:
    """Where a WARC file was deleted, its rows stay as they are, and the command says how many."""
    before = rows(dataset)
    lost = {row["id"] for row in published_rows(dataset) if row["warc_file"].startswith("r1-")}
    for path in (dataset.state / "warc").glob("r1-*"):
        path.unlink()
    done = said(reclean(dataset, "--json"))
    assert done["stayed"] >= len(lost) > 0
    assert rows(dataset) == before
    assert {row["id"] for row in published_rows(dataset) if row["run_id"] == "r1"} == lost


def test_a_dataset_without_raw_pages_cannot_be_derived_again(dataset: Dataset) -> None:
    """Without any raw page the command is refused, and says what to do."""
    shutil.rmtree(dataset.state / "warc")
    result = reclean(dataset)
    assert (result.exit_code, "no raw page" in result.stderr) == (2, True)
    assert LocalFolder(dataset.folder).manifest().version == 2
