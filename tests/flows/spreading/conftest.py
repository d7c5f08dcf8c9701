"""A run to go on with, and what comes of it in one process."""

import pytest

from flows import stages
from flows.config import Dataset
from flows.demo.newsroom import Newsroom
from flows.runs import start_run
from tests.flows.spreading.runs import again, fetched_pages, made

PAGES, PAGES_A_PART = 23, 12


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory, newsroom: Newsroom) -> Dataset:
    """A dataset whose run has fetched its pages, and is to go on from there."""
    return fetched_pages(tmp_path_factory.mktemp("fetched"), newsroom, PAGES)


@pytest.fixture(scope="session")
def expected(fetched: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All that the run makes, by default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "PAGES_A_PART", PAGES_A_PART)
        dataset = again(fetched, tmp_path_factory.mktemp("here") / "home", 'runner = "threads"')
        stages.run_stages(start_run(dataset, "r1"))
    found = made(dataset)
    assert {f"{stage}/0000{part}.parquet" for stage in ("clean", "filter") for part in range(2)} <= set(found)
    assert {name.split("-")[0] for name in found} >= {"articles", "copies", "rejected"}
    return found


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of so few pages that the run has several."""
    monkeypatch.setattr(stages, "PAGES_A_PART", PAGES_A_PART)
