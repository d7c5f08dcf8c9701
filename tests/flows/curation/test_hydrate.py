"""Texts that were not published, rebuilt from WARC files and from the publishers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.curation import hydrate
from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer, serve
from flows.errors import SourcesError
from flows.runs import start_run
from flows.stages import Input, run_stages
from tests.flows.conftest import published_rows, write_newsroom_recipe
from tests.flows.releases import SCHEMA, row


@dataclass
class Bare:
    """A dataset without texts, its texts by id, and the server that has its pages."""

    dataset: Dataset
    texts: dict[str, str]
    server: NewsServer


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, newsroom: Newsroom) -> Iterator[Bare]:
    with serve(newsroom, port=0) as server:
        dataset = write_newsroom_recipe(tmp_path_factory.mktemp("bare"), newsroom, server)
        recipe = dataset.recipe_path.read_text(encoding="utf-8")
        dataset.recipe_path.write_text(recipe.replace('text = "full"', 'text = "none"'), encoding="utf-8")
        dataset = load_dataset_config(str(dataset.folder), {})
        wanted = [page.url for page in server.truth() if page.wanted and page.copy_of is None][:6]
        run = start_run(dataset, "r1")
        run_stages(run, Input("crawl", urls=tuple(wanted)))
        pages = pq.read_table(run.clean_folder / "00000.parquet").to_pylist()
        by_url = {page["url"]: page["text"] for page in pages}
        rows = published_rows(dataset)
        assert [row["text"] for row in rows] == [None] * 6
        yield Bare(dataset, {row["id"]: by_url[row["url"]] for row in rows}, server)


def hydrated(place: str, out: Path, *options: str) -> tuple[dict[str, Any], dict[str, str | None]]:
    """What the command says, and the texts that it wrote."""
    result = CliRunner().invoke(app, ["hydrate", place, "--out", str(out), "--json", *options])
    assert result.exit_code == 0, result.stderr
    rows = [row for path in sorted((out / "data").glob("articles-*")) for row in pq.read_table(path).to_pylist()]
    return json.loads(result.stdout), {row["id"]: row["text"] for row in rows}


def test_the_texts_come_back_from_warc(bare: Bare, tmp_path: Path) -> None:
    """From the WARC files of the pages, every row gets the text that was left out, by a folder and by a URL."""
    warc = str(bare.dataset.state / "warc")
    for place in (str(bare.dataset.folder), f"file://{bare.dataset.folder}"):
        said, texts = hydrated(place, tmp_path / str(len(place)), "--warc", warc)
        assert said["rows"] == {"same": 6}
        assert texts == bare.texts


def test_pages_that_changed_or_are_gone_are_told_apart(bare: Bare, tmp_path: Path) -> None:
    """A page with another digest is changed, and its text is taken only when asked for; without a page it is gone."""
    copy = tmp_path / "copy" / "data"
    copy.mkdir(parents=True)
    (shard,) = (bare.dataset.folder / "data").glob("articles-*")
    rows = pq.read_table(shard).to_pylist()
    rows[0] |= {"content_sha256": "0" * 64}
    rows[1] |= {"content_sha256": "1" * 64, "url": "https://elsewhere.example/gone"}
    pq.write_table(pq.read_table(shard).from_pylist(rows, pq.read_schema(shard)), copy / "articles-0.parquet")
    warc = ["--warc", str(bare.dataset.state / "warc")]
    said, texts = hydrated(str(copy.parent), tmp_path / "strict", *warc)
    assert said["rows"] == {"changed": 1, "gone": 1, "same": 4}
    assert [texts[row["id"]] for row in rows[:2]] == [None, None]
    status = json.loads((tmp_path / "strict" / "hydration.json").read_text(encoding="utf-8"))
    assert [status[row["id"]] for row in rows[:3]] == ["changed", "gone", "same"]
    _, texts = hydrated(str(copy.parent), tmp_path / "loose", *warc, "--keep-changed")
    assert texts[rows[0]["id"]] == bare.texts[rows[0]["id"]]


def test_the_texts_come_back_from_the_publishers(bare: Bare, tmp_path: Path) -> None:
    """Without WARC files the addresses are asked for by the crawl, which keeps to robots.txt; nothing else is."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "recipe.toml").write_text(bare.dataset.recipe_path.read_text(encoding="utf-8"), encoding="utf-8")
    (out / "seeds").symlink_to(bare.dataset.folder / "seeds")
    bare.server.clear_log()
    said, texts = hydrated(str(bare.dataset.folder), out)
    asked = {request.path for request in bare.server.log}
    assert said["rows"] == {"same": 6}
    assert texts == bare.texts
    assert len(asked - {"/robots.txt"}) <= 6 + sum("/.well-known/" in path or path.endswith(".txt") for path in asked)


def test_a_place_without_a_dataset_is_refused(tmp_path: Path) -> None:
    """Where there is no shard of articles, the command says what it looked for."""
    result = CliRunner().invoke(app, ["hydrate", str(tmp_path), "--out", str(tmp_path / "out")])
    assert (result.exit_code, "no data/articles-" in result.stderr) == (2, True)


def without_text(folder: Path, **changed: Any) -> str:
    """A dataset of one article, as others get it."""
    (folder / "data").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row(1, text=None, **changed)], SCHEMA), folder / "data" / "articles-0.parquet")
    return str(folder)


def test_a_missing_file_leaves_nothing_behind(tmp_path: Path) -> None:
    """Without the WARC file that is named, the folder that was asked for is not made."""
    place, out = without_text(tmp_path / "bare"), tmp_path / "out"
    result = CliRunner().invoke(app, ["hydrate", place, "--out", str(out), "--warc", "missing"])
    assert (result.exit_code, "What to do:" in result.stderr) == (2, True)
    assert not out.exists()


def test_a_folder_of_somebody_else_is_refused_before_the_work(tmp_path: Path) -> None:
    """Where the folder holds a dataset that likewise did not publish, nothing is written into it."""
    place, other = without_text(tmp_path / "bare"), without_text(tmp_path / "other")
    result = CliRunner().invoke(app, ["hydrate", place, "--out", other])
    assert result.exit_code == 5
    assert [path.name for path in Path(other).iterdir()] == ["data"]


def test_a_crawl_that_fetched_nothing_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no publisher answers, the recipe and the seed that were made for the crawl go again."""

    def unanswered(*_: Any) -> None:
        raise SourcesError("None answered.", "Look at them.")

    monkeypatch.setattr(hydrate, "crawl", unanswered)
    place, out = without_text(tmp_path / "bare"), tmp_path / "out"
    assert CliRunner().invoke(app, ["hydrate", place, "--out", str(out)]).exit_code == 3
    assert not out.exists()


def test_one_short_title_is_enough(tmp_path: Path) -> None:
    """The crawl needs no topic of the dataset: its only article, with two words for a title, is asked for."""
    place, out = without_text(tmp_path / "bare", url="http://refused.example:8009/a"), tmp_path / "out"
    said, texts = hydrated(place, out)
    assert said["rows"] == {"gone": 1}
    assert list(texts.values()) == [None]


def test_every_page_may_be_asked_for(tmp_path: Path) -> None:
    """The recipe that is made lets the crawl ask for all pages of one host, however many; a name may be any."""
    place = without_text(tmp_path / "Übersicht 🗞")
    limits = hydrate._run(hydrate.Published.at(place), tmp_path / "out", "", 30_000).dataset.recipe.limits
    assert (limits.pages, limits.pages_per_host) == (30_000, 30_000)
    assert limits.minutes >= 30_000 / 60
