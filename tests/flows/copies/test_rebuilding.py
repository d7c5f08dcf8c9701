"""The index of known articles made again from what is published."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from cleaning.copies.shingles import SAMPLE, SKETCH_VERSION
from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.copies.file import TABLES_VERSION
from flows.copies.index import DOCUMENTS, CopyIndex, CopyIndexLockedError, article_id
from flows.copies.rebuilding import open_index
from flows.copies.sketches import SKETCHES, sketch_table
from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer, serve
from flows.runs import start_run
from flows.stages import Input, run_stages
from tests.cleaning.copies.test_sketched import text
from tests.flows.conftest import publish_pages, published_rows, write_newsroom_recipe, write_pages

WHEN = datetime(2025, 6, 1, tzinfo=UTC)


def row(name: str, body: str | None, **more: Any) -> dict[str, Any]:
    url = f"http://{name}.example/{name}"
    return {"url": url, "canonical_url": url, "domain": f"{name}.example", "agency": None, "published_at": WHEN,
            "fetched_at": WHEN, "text": body} | more  # fmt: skip


def published(*rows: dict[str, Any], words: int) -> pa.Table:
    more = [{"id": article_id(one["url"]), "cluster_id": "first", "version": 1, "word_count": words} for one in rows]
    return pa.Table.from_pylist([one | rest for one, rest in zip(rows, more, strict=True)])


def test_a_withheld_text_is_known_by_its_sketch(tmp_path: Path):
    """Its copies are found, it is told unchanged from a later edition, and a weather of words is not enough."""
    whole = text(1)
    sketches = sketch_table(published(row("a", whole), words=400))
    articles = published(row("a", None), row("none", ""), words=400)
    part = " ".join(whole.split()[:200])
    with CopyIndex.rebuild(tmp_path / "i.duckdb", [articles], [], [sketches]) as index:
        table = pa.Table.from_pylist([row("b", part), row("c", text(2)), row("a", whole.upper())], schema=DOCUMENTS)
        cut, other, same = index.add("r1", table).to_pylist()
        edition = index.add("r2", pa.Table.from_pylist([row("a", text(3))], schema=DOCUMENTS)).to_pylist()[0]
    with CopyIndex(tmp_path / "i.duckdb") as index:
        late = index.add("r3", pa.Table.from_pylist([row("d", text(3))], schema=DOCUMENTS)).to_pylist()[0]
    assert (cut["relation"], cut["representative_id"], cut["cluster_id"]) == ("truncated", same["id"], "first")
    assert (other["relation"], same["relation"], same["is_fresh"]) == ("new", "same", False)
    assert (edition["relation"], edition["version"]) == ("version", 2)
    assert (late["relation"], late["representative_id"]) == ("same", same["id"])


def test_a_sketch_is_small_and_of_one_version():
    """It takes about a byte a word, an article without words has one too, and none makes none."""
    table = sketch_table(published(row("a", text(1, 800)), row("b", None), words=800))
    assert table.schema.equals(SKETCHES)
    assert len(table["shingles"][0]) * SAMPLE == pytest.approx(800, rel=0.5)
    assert table["words"].to_pylist() == [800, 0]
    assert sketch_table(table.slice(0, 0).append_column("text", pa.array([], pa.string()))).num_rows == 0


def test_sketches_of_another_version_are_passed_over(tmp_path: Path):
    """What was hashed otherwise is never compared with today's."""
    sketches = sketch_table(published(row("a", text(1)), words=400))
    at = SKETCHES.get_field_index("sketch_version")
    old = sketches.set_column(at, SKETCHES.field(at), pa.array([-1], pa.int32()))
    with CopyIndex.rebuild(tmp_path / "i.duckdb", [published(row("a", None), words=400)], [], [old]) as index:
        answer = index.add("r1", pa.Table.from_pylist([row("b", text(1))], schema=DOCUMENTS)).to_pylist()[0]
    assert answer["relation"] == "new"


def likewise(*arguments: str) -> None:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def grown_once(tmp_path_factory: pytest.TempPathFactory, newsroom: Newsroom) -> Path:
    """A dataset of two backfills, whose pages are in the folders r1 and r2 beside it."""
    folder = tmp_path_factory.mktemp("grown")
    with serve(newsroom, port=0) as server:
        publish_pages(folder, newsroom, server, r1=slice(0, 4), r2=slice(4, 8))
    return folder


@pytest.fixture
def grown(grown_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A copy of that dataset to work on."""
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    shutil.copytree(grown_once, tmp_path, symlinks=True, dirs_exist_ok=True)
    return load_dataset_config(str(tmp_path / "datasets" / "newsroom"), {})


def ids(dataset: Dataset, config: str = "articles") -> set[str]:
    return {row["id"] for row in published_rows(dataset, config)}


def test_after_a_rollback_the_same_pages_are_published_again(grown: Dataset, tmp_path: Path):
    """What a rollback took back is new to the index, and comes back by a run with the same pages, once."""
    both = ids(grown)
    first = {row["id"] for row in published_rows(grown) if row["run_id"] == "r1"}
    likewise("rollback", str(grown.folder), "1")
    assert ids(grown) == first
    likewise("backfill", str(grown.folder), "--html", str(tmp_path / "r2"))
    assert ids(grown) == both
    assert len(published_rows(grown)) == len(both)
    likewise("backfill", str(grown.folder), "--html", str(tmp_path / "r1"), "--new")
    assert len(published_rows(grown)) == len(both)


def test_a_damaged_index_is_made_again(grown: Dataset, tmp_path: Path):
    """A run that finds the index broken makes it from what is published, and publishes nothing twice."""
    before = ids(grown)
    (grown.state / "copies.duckdb").write_bytes(b"no database at all" * 100)
    run_stages(start_run(grown, "r3", "backfill"), Input("html", (tmp_path / "r1",)))
    assert ids(grown) == before
    assert len(published_rows(grown)) == len(before)


@pytest.mark.parametrize("statement", ["UPDATE versions SET tables = tables - 1", "DROP TABLE versions"])
def test_an_index_of_another_version_is_made_again(grown: Dataset, tmp_path: Path, statement: str):
    """A run of a newer program makes it from what is published, knows all articles and copies, and goes on."""
    before, copies = ids(grown), ids(grown, "copies")
    path = grown.state / "copies.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)
    run_stages(start_run(grown, "r3", "backfill"), Input("html", (tmp_path / "r1",)))
    assert (ids(grown), ids(grown, "copies")) == (before, copies)
    assert len(published_rows(grown)) == len(before)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("FROM versions").fetchall() == [(SKETCH_VERSION, TABLES_VERSION)]
    with open_index(grown) as index:
        assert index.runs() == ["rebuilt", "r3"]
        assert index.known(sorted(before | copies)) == before | copies


def test_an_index_that_is_held_is_left_alone(grown: Dataset):
    """A lock is no damage: the index stays as it is, and the error is given."""
    with open_index(grown) as index:
        runs = index.runs()
    path = str(grown.state / "copies.duckdb")
    code = (
        "import sys; from flows.copies.index import CopyIndex\n"
        "with CopyIndex(sys.argv[1]): print(1, flush=True); input()"
    )
    command = [sys.executable, "-c", code, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(CopyIndexLockedError, match="another process"):
            open_index(grown)
        holder.communicate("\n")
    with open_index(grown) as index:
        assert index.runs() == runs == ["rebuilt", "r1", "r2"]


@pytest.mark.parametrize("is_state_lost", [False, True])
def test_withheld_texts_are_known_from_the_state_or_from_sketches(
    tmp_path: Path, newsroom: Newsroom, news_server: NewsServer, is_state_lost: bool
):
    """With only excerpts published, a rebuilt index finds the copies of every article."""
    home = write_newsroom_recipe(tmp_path, newsroom, news_server).folder
    recipe = (home / "recipe.toml").read_text(encoding="utf-8")
    (home / "recipe.toml").write_text(recipe.replace('text = "full"', 'text = "excerpt"'), encoding="utf-8")
    dataset = load_dataset_config(str(home), {})
    pages = write_pages(tmp_path / "r1", newsroom, news_server, slice(0, 4))
    run_stages(start_run(dataset, "r1", "backfill"), Input("html", (pages,)))
    whole = {
        row["url"]: row["text"]
        for part in sorted((dataset.state / "runs" / "r1" / "clean").glob("*.parquet"))
        for row in pq.read_table(part, partitioning=None).to_pylist()
    }
    if is_state_lost:
        shutil.rmtree(dataset.state)
    else:
        (dataset.state / "copies.duckdb").unlink()
    articles = published_rows(dataset)
    assert all(row["text"].endswith(" …") for row in articles)
    copies = [row(f"copy{n}", whole[article["url"]]) for n, article in enumerate(articles)]
    with open_index(dataset) as index:
        found = index.add("r2", pa.Table.from_pylist(copies, schema=DOCUMENTS)).to_pylist()
    assert [one["representative_id"] for one in found] == [article["id"] for article in articles]
    assert {one["relation"] for one in found} == {"same"}
