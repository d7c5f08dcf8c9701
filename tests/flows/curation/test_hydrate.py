"""Texts that were not published, rebuilt from WARC files and from the publishers."""

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.curation import history, hydrate
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


def hydrated(place: str, out: Path, *options: str, code: int = 0) -> tuple[dict[str, Any], dict[str, str | None]]:
    """What the command says, and the texts that it wrote; with the exit code that it must have."""
    result = CliRunner().invoke(app, ["hydrate", place, "--out", str(out), "--json", *options])
    assert result.exit_code == code, result.stderr
    rows = [row for path in sorted((out / "data").glob("articles-*")) for row in pq.read_table(path).to_pylist()]
    return json.loads(result.stdout), {row["id"]: row["text"] for row in rows}


def test_the_texts_come_back_from_warc(bare: Bare, tmp_path: Path) -> None:
    """From the WARC files of the pages, every row gets the text that was left out, by a folder and by a URL."""
    warc = str(bare.dataset.state / "warc")
    for place in (str(bare.dataset.folder), f"file://{bare.dataset.folder}"):
        said, texts = hydrated(place, tmp_path / str(len(place)), "--warc", warc)
        assert said["rows"] == {"same": 6}
        assert texts == bare.texts


def test_what_was_fetched_before_counts_beside_named_files(bare: Bare, tmp_path: Path) -> None:
    """WARC files that are named do not take the place of those that were fetched for the folder."""
    out, empty = tmp_path / "out", tmp_path / "other.warc.gz"
    shutil.copytree(bare.dataset.state / "warc", out / "var" / "out" / "warc")
    empty.write_bytes(b"")
    said, texts = hydrated(str(bare.dataset.folder), out, "--warc", str(empty))
    assert said["rows"] == {"same": 6}
    assert texts == bare.texts


def test_pages_that_changed_or_are_missing_are_told_apart(bare: Bare, tmp_path: Path) -> None:
    """A page with another digest is changed, and its text is taken only when asked for; one in no file is missing."""
    copy = tmp_path / "copy" / "data"
    copy.mkdir(parents=True)
    (shard,) = (bare.dataset.folder / "data").glob("articles-*")
    rows = pq.read_table(shard).to_pylist()
    rows[0] |= {"content_sha256": "0" * 64}
    rows[1] |= {"content_sha256": "1" * 64, "url": "https://elsewhere.example/gone"}
    pq.write_table(pq.read_table(shard).from_pylist(rows, pq.read_schema(shard)), copy / "articles-0.parquet")
    warc = ["--warc", str(bare.dataset.state / "warc")]
    said, texts = hydrated(str(copy.parent), tmp_path / "strict", *warc, code=3)
    assert said["rows"] == {"changed": 1, "missing": 1, "same": 4}
    assert said["unsettled"] == 1
    assert [texts[row["id"]] for row in rows[:2]] == [None, None]
    status = json.loads((tmp_path / "strict" / "hydration.json").read_text(encoding="utf-8"))
    assert [status[row["id"]] for row in rows[:3]] == ["changed", "missing", "same"]
    _, texts = hydrated(str(copy.parent), tmp_path / "loose", *warc, "--keep-changed", code=3)
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


@dataclass
class Host:
    """A publisher's server: what it answers to each path, with a status, a body and headers; and what it was asked."""

    answers: dict[str, tuple[int, bytes, dict[str, str]]]
    asked: list[str] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def host() -> Iterator[Host]:
    """A server whose pages are not where they were: one moved, one is gone, one gives a fault, one is another."""
    words = " ".join(f"word{number}" for number in range(200)).encode()
    page = b"<html><body><article><h1>Some title</h1><p>" + words + b"</p></article></body></html>"
    found = Host(
        {
            "/moved": (301, b"", {"Location": "/elsewhere"}),
            "/elsewhere": (200, page, {}),
            "/gone": (410, b"", {}),
            "/faulty": (403, b"", {}),
            "/there": (200, page + b" ", {}),
        }
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            status, body, headers = found.answers.get(self.path, (404, b"", {}))
            self.send_response(status)
            for name, value in ({"Content-Type": "text/html", "Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps standard error clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def out_on_loopback(folder: Path, port: int) -> Path:
    """A folder whose recipe lets the crawl ask this machine."""
    folder.mkdir()
    (folder / "seed.txt").write_text(hydrate._SEED_TEXT, encoding="utf-8")
    recipe = '[topic]\nseeds = ["seed.txt"]\n[politeness]\ndelay = 0.01\n[network]\nallow_loopback = true\n'
    (folder / "recipe.toml").write_text(f"{recipe}ports = [80, {port}]\n", encoding="utf-8")
    return folder


def test_what_was_not_reached_is_asked_for_again(host: Host, tmp_path: Path) -> None:
    """A page that was refused is told apart from one that is gone, and it alone is asked for by the next call."""
    paths = ["there", "moved", "gone", "faulty"]
    place = without_text(tmp_path / "bare", *(f"http://127.0.0.1:{host.port}/{path}" for path in paths))
    out = out_on_loopback(tmp_path / "out", host.port)
    result = CliRunner().invoke(app, ["hydrate", place, "--out", str(out)])
    assert (result.exit_code, "blocked, 1: the server refused" in result.stderr) == (3, True)
    assert "1 of 4 texts could not be had" in result.stderr
    assert "Run the same command again" in result.stderr
    status = json.loads((out / "hydration.json").read_text(encoding="utf-8"))
    assert sorted(status.values()) == ["blocked", "changed", "changed", "gone"]
    host.answers["/faulty"] = host.answers["/there"]
    host.asked.clear()
    said, texts = hydrated(place, out, "--keep-changed")
    assert (said["rows"], said["unsettled"]) == ({"changed": 3, "gone": 1}, 0)
    assert [path for path in host.asked if path.strip("/") in paths] == ["/faulty"]
    assert sum(text is not None for text in texts.values()) == 3
    host.asked.clear()
    assert hydrated(place, out)[0]["rows"] == {"changed": 3, "gone": 1}
    assert host.asked == []


def test_a_network_failure_names_the_dataset(tmp_path: Path) -> None:
    """Where no page could be reached, the error names the dataset that was given, and why; nothing is written."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        port = closed.getsockname()[1]
        place = without_text(tmp_path / "bare", f"http://127.0.0.1:{port}/a")
        out = out_on_loopback(tmp_path / "out", port)
        result = CliRunner().invoke(app, ["hydrate", place, "--out", str(out)])
    assert result.exit_code == 3
    assert f"Not one page of {place} could be reached, of 1:" in result.stderr
    assert "Connection was refused" in result.stderr
    assert "recipe.toml" not in result.stderr
    assert not (out / "hydration.json").exists()


def test_a_place_without_a_dataset_is_refused(tmp_path: Path) -> None:
    """Where there is no shard of articles, the command says what it looked for."""
    result = CliRunner().invoke(app, ["hydrate", str(tmp_path), "--out", str(tmp_path / "out")])
    assert (result.exit_code, "no data/articles-" in result.stderr) == (2, True)


def without_text(folder: Path, *urls: str) -> str:
    """A dataset of articles at some addresses, as others get it; of one article if none is given."""
    (folder / "data").mkdir(parents=True)
    rows = [row(number, text=None) | ({"url": url} if url else {}) for number, url in enumerate(urls or [""], 1)]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / "data" / "articles-0.parquet")
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


def test_a_dataset_of_ones_own_is_not_replaced(bare: Bare, tmp_path: Path) -> None:
    """Where the folder holds a dataset that runs made, be it the very one, no version of other rows follows there."""
    for place in (without_text(tmp_path / "bare"), str(bare.dataset.folder)):
        result = CliRunner().invoke(app, ["hydrate", place, "--out", str(bare.dataset.folder)])
        assert (result.exit_code, "Name another folder" in result.stderr) == (2, True)
    assert [version.version for version in history.versions(bare.dataset)] == [1]


@pytest.mark.parametrize("damage", ["protocol", "bytes", "columns"])
def test_a_place_that_cannot_be_read_is_named(tmp_path: Path, damage: str) -> None:
    """An address of an unknown kind, a broken shard and one without a page's address are errors of the input."""
    place = without_text(tmp_path / "bare")
    shard = Path(place) / "data" / "articles-0.parquet"
    if damage == "bytes":
        shard.write_bytes(b"broken")
    if damage == "columns":
        pq.write_table(pa.table({"id": ["1"]}), shard)
    place = "unheard-of://there" if damage == "protocol" else place
    result = CliRunner().invoke(app, ["hydrate", place, "--out", str(tmp_path / "out")])
    assert (result.exit_code, place in result.stderr) == (2, True)


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
    place, out = without_text(tmp_path / "bare", "http://refused.example:8009/a"), tmp_path / "out"
    said, texts = hydrated(place, out)
    assert said["rows"] == {"refused_address": 1}
    assert list(texts.values()) == [None]


def test_every_page_may_be_asked_for(tmp_path: Path) -> None:
    """The recipe that is made lets the crawl ask for all pages of one host, however many; a name may be any."""
    place = without_text(tmp_path / "Übersicht 🗞")
    limits = hydrate._run(hydrate.Published.at(place), tmp_path / "out", "", 30_000).dataset.recipe.limits
    assert (limits.pages, limits.pages_per_host) == (30_000, 30_000)
    assert limits.minutes >= 30_000 / 60
