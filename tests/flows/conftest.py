"""A newsroom on loopback, and datasets grown from it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pyarrow.parquet as pq
import pytest

from flows.config import Dataset, load_dataset_config
from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer, serve
from flows.destinations.hub import HubReplica
from flows.destinations.s3 import S3Replica
from flows.runs import start_run
from flows.stages import Input, run_stages
from tests.flows.hub_double import TOKEN, running_hub
from tests.flows.places import Place
from tests.flows.releases import new_dataset, release, row
from tests.flows.storage import BUCKET, Storage, running_storage


def write_newsroom_recipe(
    folder: Path, newsroom: Newsroom, server: NewsServer, exploration: float | None = None
) -> Dataset:
    """A dataset of the newsroom's topic, below a folder of its own; with a share of exploration if one is given."""
    home = folder / "datasets" / "newsroom"
    (home / "seeds").mkdir(parents=True)
    recipe = server.recipe_toml()
    if exploration is not None:
        assert "[limits]\n" in recipe
        recipe = recipe.replace("[limits]\n", f"[limits]\nexploration = {exploration}\n")
    (home / "recipe.toml").write_text(recipe, encoding="utf-8")
    for seed in newsroom.seeds:
        (home / "seeds" / f"{seed.name}.txt").write_text(seed.text, encoding="utf-8")
    return load_dataset_config(str(home), {})


def published_rows(dataset: Dataset, config: str = "articles") -> list[dict[str, Any]]:
    """The rows of a config of the published version, in the order of the shards."""
    shards = sorted((dataset.folder / "data").glob(f"{config}-*.parquet"))
    return [row for shard in shards for row in pq.read_table(shard, partitioning=None).to_pylist()]


def write_pages(folder: Path, newsroom: Newsroom, server: NewsServer, numbers: slice) -> Path:
    """Some wanted article pages of the newsroom as HTML files."""
    folder.mkdir()
    wanted = [page for page in newsroom.truth(1, server.port) if page.wanted and page.copy_of is None][numbers]
    for number, page in enumerate(wanted):
        path = page.url.split(str(server.port), 1)[1]
        (folder / f"{number:02d}.html").write_bytes(newsroom.page(f"{page.host}:{server.port}", path, 1).body)
    return folder


def publish_pages(folder: Path, newsroom: Newsroom, server: NewsServer, **runs: slice) -> Dataset:
    """A dataset with a version from each of some backfills, of wanted pages in folders named like the runs."""
    dataset = write_newsroom_recipe(folder, newsroom, server)
    for run_id, numbers in runs.items():
        pages = write_pages(folder / run_id, newsroom, server, numbers)
        run_stages(start_run(dataset, run_id, "backfill"), Input("html", (pages,)))
    return dataset


@pytest.fixture(scope="session")
def newsroom() -> Newsroom:
    return Newsroom(7)


@pytest.fixture
def news_server(newsroom: Newsroom) -> Iterator[NewsServer]:
    with serve(newsroom, port=0) as server:
        yield server


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with running_storage(tmp_path_factory.mktemp("storage")) as server:
        yield server


@pytest.fixture
def s3(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name, value in storage.environment.items():
        monkeypatch.setenv(name, value)
    return Place(S3Replica(BUCKET, f"tests/{tmp_path.name}"), storage.environment)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    with running_hub() as double:
        yield Place(HubReplica("tester/small", double.endpoint), double.environment, double)


@pytest.fixture(params=["s3", "hub"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    """A dataset with one version of ten articles."""
    made = new_dataset(tmp_path / "home")
    release(made, [row(number) for number in range(10)])
    return made
