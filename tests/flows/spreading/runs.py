"""Runs that have fetched their pages, to be gone on with in several ways; and all that came of them."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from crawler.store import Exchange, WarcStore
from flows.config import Dataset, load_dataset_config
from flows.demo.newsroom import Newsroom
from flows.demo.server import serve
from flows.runs import start_run
from tests.flows.conftest import write_newsroom_recipe
from tests.flows.prefect_server import ROOT
from tests.flows.storage import BUCKET, Storage

FETCHED = datetime(2025, 2, 9, tzinfo=UTC)


def fetched_pages(folder: Path, newsroom: Newsroom, pages: int) -> Dataset:
    """A dataset whose run has some of the newsroom's articles in WARC, copies among them."""
    with serve(newsroom, port=0) as server:
        dataset = write_newsroom_recipe(folder, newsroom, server)
        store = WarcStore(dataset.state / "warc", "r1", {})
        copied = {page.copy_of for page in server.truth()}
        for page in sorted(server.truth(), key=lambda page: not (page.copy_of or page.url in copied))[:pages]:
            found = newsroom.page(f"{page.host}:{server.port}", page.url.split(str(server.port), 1)[1], 1)
            answer = Exchange(page.url, 200, [], [(b"Content-Type", b"text/html")], found.body, FETCHED)
            store.append_response(answer, {"source": page.host, "source_kind": "feed"})
        store.close()
    start_run(dataset, "r1").finish("crawl", {"pages": pages})
    return dataset


def again(dataset: Dataset, folder: Path, run: str) -> Dataset:
    """A copy of a dataset and its state, with the table [run]."""
    shutil.copytree(dataset.folder.parent.parent, folder)
    recipe = folder / "datasets" / dataset.name / "recipe.toml"
    recipe.write_text(f"{recipe.read_text(encoding='utf-8')}\n[run]\n{run}\n", encoding="utf-8")
    return load_dataset_config(str(recipe), {})


def made(dataset: Dataset) -> dict[str, bytes]:
    """All tables that the run made, and what is published, by their paths; what is left behind would be among them."""
    run = dataset.state / "runs" / "r1"
    tables = {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*.parquet")}
    return tables | {path.name: path.read_bytes() for path in (dataset.folder / "data").iterdir()}


def begin(
    dataset: Dataset, environment: Mapping[str, str], pages: int, warc: Path | None = None
) -> subprocess.Popen[bytes]:
    """The run, with so many pages a part, in a process: a Prefect flow run, or the backfill of WARC files."""
    command = [sys.executable, "-m", "tests.flows.spreading.make_run", str(dataset.recipe_path), str(pages)]
    command += [str(warc)] if warc else []
    with (dataset.folder / "log").open("ab") as log:
        return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)


def finish(process: subprocess.Popen[bytes], dataset: Dataset, seconds: float = 240.0) -> None:
    """Waits for the run's end, which has to be a good one."""
    try:
        assert process.wait(seconds) == 0, (dataset.folder / "log").read_text(encoding="utf-8")[-3000:]
    finally:
        process.kill()
        process.wait()


def left_in(storage: Storage, prefix: str) -> list[str]:
    """The objects that begin so."""
    listed = storage.client().list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [found["Key"] for found in listed.get("Contents", [])]
