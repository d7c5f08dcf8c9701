"""The whole way from seeds to a published dataset, on the newsroom of the demo."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.demo.newsroom import Newsroom
from flows.demo.score import Score, score
from flows.demo.server import Request, serve
from flows.demo.truth import Truth
from flows.runs import start_run
from flows.stages import Input, clean, run_stages
from flows.workers import WorkerOptions
from tests.flows.conftest import published_rows, write_newsroom_recipe

RUNS = (("day-1", 1), ("day-2", 2), ("day-2-again", 2))


@dataclass
class Grown:
    """A dataset after three runs: what each said and asked for, and how right the dataset was after it."""

    dataset: Dataset
    truth: list[Truth]
    said: dict[str, dict[str, Any]]
    asked: dict[str, list[Request]]
    scores: dict[str, Score]
    port: int

    def address(self, request: Request) -> str:
        """The URL that was asked for."""
        return f"http://{request.host}:{self.port}{request.path}"

    def articles(self) -> dict[str, Truth]:
        """The truth of each article page by its URL."""
        return {page.url: page for page in self.truth}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, newsroom: Newsroom) -> Iterator[Grown]:
    with serve(newsroom, port=0) as server:
        dataset = write_newsroom_recipe(tmp_path_factory.mktemp("grown"), newsroom, server)
        result = Grown(dataset, newsroom.truth(2, server.port), {}, {}, {}, server.port)
        for run_id, day in RUNS:
            server.set_day(day)
            server.clear_log()
            result.said[run_id] = run_stages(start_run(dataset, run_id))
            result.asked[run_id] = list(server.log)
            result.scores[run_id] = score(published_rows(dataset), server.truth())
        yield result


@pytest.mark.parametrize("run_id", ["day-1", "day-2"])
def test_it_finds_the_relevant_articles_and_little_else(grown: Grown, run_id: str) -> None:
    """Recall of the relevant articles is at least .95 and precision at least .9 after duplicates, on both days."""
    found = grown.scores[run_id]
    assert found.recall >= 0.95, found.missed
    assert found.precision >= 0.9, found.wrong


@pytest.mark.parametrize("run_id", ["day-1", "day-2"])
def test_no_copy_is_kept_beside_its_original(grown: Grown, run_id: str) -> None:
    """Of each article and its wire copies, one is published."""
    assert grown.scores[run_id].copies_beside_original == 0


@pytest.mark.parametrize("run_id", ["day-1", "day-2"])
def test_the_texts_are_the_articles(grown: Grown, run_id: str) -> None:
    """The word F1 of the published texts is at least .97."""
    assert grown.scores[run_id].word_f1 >= 0.97


def test_nothing_reserved_is_published(grown: Grown) -> None:
    """No row comes from a page that robots.txt, an opt-out or a paywall keeps from it, or that was withdrawn."""
    for found in grown.scores.values():
        assert (found.forbidden, found.paywalled, found.withdrawn) == ((), (), ())


def test_no_page_is_fetched_that_robots_forbids(grown: Grown) -> None:
    """None of the pages that robots.txt forbids, or of a host whose robots.txt is out of order, is asked for."""
    forbidden = {page.url for page in grown.truth if not page.fetchable}
    assert forbidden
    for asked in grown.asked.values():
        assert not {grown.address(request) for request in asked} & forbidden


def test_the_trap_is_bounded(grown: Grown) -> None:
    """The endless calendar costs at most a few dozen requests a run."""
    for asked in grown.asked.values():
        calendar = [request for request in asked if "calendar" in request.path]
        assert len(calendar) <= 30


def fetched_articles(grown: Grown, run_id: str) -> set[str]:
    """The article pages that a run got in full."""
    return {grown.address(request) for request in grown.asked[run_id] if request.status == 200} & set(grown.articles())


def test_day_two_fetches_only_what_is_new_or_changed(grown: Grown) -> None:
    """On day 2 no article page is fetched again in full unless it was corrected."""
    first, second = fetched_articles(grown, "day-1"), fetched_articles(grown, "day-2")
    assert len(first) > 100
    assert [url for url in sorted(first & second) if grown.articles()[url].version == 1] == []


def test_nothing_new_publishes_no_version(grown: Grown) -> None:
    """A run that finds nothing new leaves the version as it is, and fetches no article."""
    assert (grown.said["day-2"]["version"], grown.said["day-2-again"]["version"]) == (2, 2)
    assert grown.said["day-2-again"]["is_new"] is False
    assert fetched_articles(grown, "day-2-again") == set()


def test_sources_without_news_answer_that_nothing_changed(grown: Grown) -> None:
    """In a run that finds nothing new, at least 95 of 100 requests to working hosts are answered 304."""
    working = [request for request in grown.asked["day-2-again"] if request.status < 500]
    unchanged = [request for request in working if request.status == 304]
    assert len(unchanged) >= 0.95 * len(working) > 0


def test_corrected_articles_are_replaced_by_their_later_edition(grown: Grown) -> None:
    """A relevant article that was corrected on day 2 is there once, in its second edition, with its old id."""
    rows = {row["url"]: row for row in published_rows(grown.dataset)}
    corrected = [page for page in grown.truth if page.wanted and page.version > 1 and page.url in rows]
    assert corrected
    for page in corrected:
        assert rows[page.url]["version"] == 2


def test_ids_are_unique_in_every_config(grown: Grown) -> None:
    """No id occurs twice in `articles`, none twice in `copies`, and none in both."""
    ids = [row["id"] for config in ("articles", "copies") for row in published_rows(grown.dataset, config)]
    assert [identifier for identifier, number in Counter(ids).items() if number > 1] == []


def test_every_copy_names_an_article(grown: Grown) -> None:
    """The representative of each copy is a published article, or one that was withdrawn."""
    articles = {row["id"] for row in published_rows(grown.dataset)}
    orphans = [row for row in published_rows(grown.dataset, "copies") if row["representative_id"] not in articles]
    gone = {page.cluster for page in grown.truth if page.status != 200}
    truth = {url: page for page in grown.truth for url in (page.url, *page.variants)}
    assert [row["url"] for row in orphans if truth[row["url"]].cluster not in gone] == []


@pytest.mark.parametrize("processes", [1, 3])
def test_the_same_warc_gives_the_same_bytes(grown: Grown, tmp_path: Path, processes: int) -> None:
    """The same WARC, recipe and run id give byte-identical Parquet, with any number of workers."""
    warc = Input("warc", tuple(sorted((grown.dataset.state / "warc").glob("day-1-*.warc.gz"))))
    shards = []
    for name, workers in (("two", 2), ("other", processes)):
        folder = tmp_path / name / "datasets" / "newsroom"
        folder.mkdir(parents=True)
        shutil.copy(grown.dataset.recipe_path, folder)
        shutil.copytree(grown.dataset.folder / "seeds", folder / "seeds")
        run = start_run(load_dataset_config(str(folder), {}), "r1", "backfill")
        clean(run, warc, WorkerOptions(processes=workers))
        run_stages(run, warc)
        shards.append({path.name: path.read_bytes() for path in sorted((folder / "data").iterdir())})
    assert shards[0] == shards[1]
    assert {name.split("-")[0] for name in shards[0]} == {"articles", "copies", "rejected"}


_READER = """
import json, sys
from datasets import load_dataset
folder = sys.argv[1]
counts = {config: len(load_dataset(folder, config, split="train")) for config in ("articles", "copies", "rejected")}
print(json.dumps(counts | {"default": len(load_dataset(folder, split="train")),
      "streamed": sum(1 for _ in load_dataset(folder, split="train", streaming=True)),
      "files": len(load_dataset("parquet", data_files=folder + "/data/articles-*.parquet", split="train"))}))
"""


def test_readers_load_it_in_a_fresh_process(grown: Grown, tmp_path: Path) -> None:
    """load_dataset opens every config of the folder, streams it, and reads its files, all with the right counts."""
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "PATH": ""}
    command = [sys.executable, "-c", _READER, str(grown.dataset.folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, cwd=tmp_path)
    counts = json.loads(done.stdout.splitlines()[-1])
    articles = len(published_rows(grown.dataset))
    assert counts["default"] == counts["streamed"] == counts["files"] == counts["articles"] == articles
    assert counts["copies"] == len(published_rows(grown.dataset, "copies"))
    assert counts["rejected"] == len(published_rows(grown.dataset, "rejected"))


def test_a_list_of_urls_is_fetched_and_no_others(tmp_path: Path, newsroom: Newsroom) -> None:
    """`backfill --urls FILE` fetches what the file lists and nothing else, and publishes what is like the seeds."""
    with serve(newsroom, port=0) as server:
        dataset = write_newsroom_recipe(tmp_path, newsroom, server)
        wanted = [page.url for page in server.truth() if page.wanted and page.copy_of is None][:6]
        (tmp_path / "urls.txt").write_text("# six articles\n" + "\n".join(wanted), encoding="utf-8")
        result = CliRunner().invoke(app, ["backfill", str(dataset.folder), "--urls", str(tmp_path / "urls.txt")])
        asked = {f"http://{request.host}:{server.port}{request.path}" for request in server.log}
        others = {page.url for page in server.truth()} - set(wanted)
    assert result.exit_code == 0, result.stderr
    assert asked >= set(wanted)
    assert not asked & others
    assert {row["url"] for row in published_rows(dataset)} == set(wanted)
