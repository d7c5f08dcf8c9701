"""Deriving a dataset again from its stored pages."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.copies.rebuilding import open_index
from flows.demo.newsroom import Newsroom
from flows.demo.server import serve
from flows.destination import LocalFolder
from flows.inputs import warc_pages
from flows.manifest import Manifest, Shard
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


_DYING = """
import importlib, os, signal, sys
owner, name, times, is_after = sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "after"
module, _, kind = owner.partition(":")
holder = importlib.import_module(module)
holder = getattr(holder, kind) if kind else holder
real = getattr(holder, name)

def until_killed(*arguments, **options):
    global times
    times -= 1
    found = real(*arguments, **options) if times or is_after else None
    if not times:
        os.kill(os.getpid(), signal.SIGKILL)
    return found

from flows.cli import app
setattr(holder, name, until_killed)
app(["reclean", sys.argv[1], "--allow-drop"])
"""

DEATHS = (
    ("pyarrow.parquet", "write_table", 5, "after"),
    ("flows.curation.reclean", "filter_articles", 2, "before"),
    ("flows.curation.reclean", "find_copies", 1, "after"),
    ("flows.publishing.shards", "write_shard", 2, "after"),
    ("flows.curation.reclean", "discard", 1, "after"),
    ("flows.destination:LocalFolder", "_swap", 1, "before"),
    ("flows.destination:LocalFolder", "commit", 1, "after"),
)
"""Where the process is killed, one after another: in each stage, in the draft, just before the commit, just after."""


def test_a_command_that_is_killed_is_gone_on_with(dataset: Dataset, tmp_path: Path) -> None:
    """SIGKILL anywhere, and the repeated command makes the version of an undisturbed one; readers see old or new."""
    likeness = sorted(row["similarity"] for row in published_rows(dataset))
    recipe = dataset.recipe_path.read_text(encoding="utf-8")
    stricter = re.sub("threshold = .*", f"threshold = {likeness[len(likeness) // 2]}", recipe)
    dataset.recipe_path.write_text(stricter, encoding="utf-8")
    shutil.copytree(tmp_path / "home", tmp_path / "calm", symlinks=True)
    calm = load_dataset_config(str(tmp_path / "calm" / "datasets" / "newsroom"), {})
    expected = said(reclean(calm, "--allow-drop", "--json"))
    before, after = whole(dataset), whole(calm)
    assert before != after
    for death in DEATHS:
        assert _killed(dataset, *death, seen=(before, after)) == -signal.SIGKILL, death
    assert said(reclean(dataset, "--allow-drop", "--json")) == expected
    assert (rows(dataset), whole(dataset)) == (rows(calm), after)
    assert not (dataset.state / "reclean").exists()
    with open_index(dataset) as index:
        assert index.known(sorted(rows(dataset))) == rows(dataset).keys()


def test_what_was_killed_is_not_gone_on_with_under_other_conditions(dataset: Dataset) -> None:
    """After a kill that followed the commit, a command with another recipe derives everything by that one."""
    before, seen = rows(dataset), whole(dataset)
    recipe = dataset.recipe_path.read_text(encoding="utf-8")
    dataset.recipe_path.write_text(re.sub("threshold = .*", "threshold = 0.99", recipe), encoding="utf-8")
    assert _killed(dataset, *DEATHS[-1], seen=(seen, (3, set()))) == -signal.SIGKILL
    assert not rows(dataset)
    dataset.recipe_path.write_text(recipe, encoding="utf-8")
    assert said(reclean(dataset, "--json"))["version"] == 4
    assert rows(dataset) == before


def test_versions_that_give_readers_more_go(dataset: Dataset) -> None:
    """Where the recipe publishes less by now, the version that follows it is the only one that is left."""
    recipe = dataset.recipe_path.read_text(encoding="utf-8")
    dataset.recipe_path.write_text(recipe.replace('text = "full"', 'text = "none"'), encoding="utf-8")
    reclean(dataset)
    assert LocalFolder(dataset.folder).numbers() == [3]
    assert not any(row["text"] for row in published_rows(dataset))


def _killed(dataset: Dataset, *death: object, seen: tuple[object, object]) -> int:
    """The exit code of a command that dies, while a reader looks at what is published all the time."""
    command = [sys.executable, "-c", _DYING, str(dataset.folder), *map(str, death)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            assert whole(dataset) in seen
            time.sleep(0.02)
    assert whole(dataset) in seen
    return process.returncode


def whole(dataset: Dataset) -> tuple[int, set[str]]:
    """The version that readers see, and the ids of its articles; every shard has its digest."""
    at = (dataset.folder / "current").resolve()
    manifest = Manifest.read(at / "manifest.json")
    for shard in manifest.shards:
        assert Shard.of(shard.config, at, shard.path, shard.rows, shard.split) == shard
    found = [
        pq.read_table(at / shard.path, columns=["id"], partitioning=None)["id"] for shard in manifest.of("articles")
    ]
    return manifest.version, {name for ids in found for name in ids.to_pylist()}


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


def test_a_copy_that_went_with_its_article_may_come_back(dataset: Dataset, tmp_path: Path) -> None:
    """A copy without a stored page goes with its article; fetched again, it is published again."""
    article = next(row for row in published_rows(dataset) if row["run_id"] == "r1" and row["canonical_url"])
    pages = {page.url: page for page in warc_pages(sorted((dataset.state / "warc").glob("r1-*")), print)}
    (tmp_path / "copy").mkdir()
    body = pages[article["url"]].body.replace(article["domain"].encode(), b"elsewhere.example")
    (tmp_path / "copy" / "0.html").write_bytes(body)
    run_stages(start_run(dataset, "r3", "backfill"), Input("html", (tmp_path / "copy",)))
    (copy,) = (row["id"] for row in published_rows(dataset, "copies") if row["run_id"] == "r3")
    recipe = dataset.recipe_path.read_text(encoding="utf-8")
    dataset.recipe_path.write_text(re.sub("threshold = .*", "threshold = 0.99", recipe), encoding="utf-8")
    assert said(reclean(dataset, "--allow-drop", "--json"))["stayed"] == 0
    assert not {copy, article["id"]} & rows(dataset).keys()
    dataset.recipe_path.write_text(recipe, encoding="utf-8")
    run_stages(start_run(dataset, "r4", "backfill"), Input("html", (tmp_path / "copy",)))
    assert copy in {row["id"] for row in published_rows(dataset)}
