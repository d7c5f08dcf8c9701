"""Datasets and states that earlier releases left: today's code goes on with them (`frozen/make.py` makes one)."""

import json
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.config import Dataset, load_dataset_config
from flows.curation import history
from flows.runs import start_run
from flows.stages import Input, run_stages
from tests.flows.conftest import published_rows

ARCHIVES = sorted((Path(__file__).parent / "frozen").glob("*.tar.gz"))


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.gz"))
def frozen(request: pytest.FixtureRequest, tmp_path: Path) -> Dataset:
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="tar")
    return load_dataset_config(str(tmp_path / "home" / "datasets" / "newsroom"), {})


def test_the_next_run_goes_on_with_what_an_earlier_release_left(frozen: Dataset) -> None:
    """Known pages bring no new row, new ones make the next version, and earlier rows keep their ids.

    A page whose text is extracted otherwise today comes as a later edition.
    """
    home = frozen.folder.parent.parent
    before = {row["id"]: row for row in published_rows(frozen)}
    run_stages(start_run(frozen, "r3", "backfill"), Input("html", (home / "r1",)))
    assert {row["id"] for row in published_rows(frozen)} == before.keys()
    assert run_stages(start_run(frozen, "r4", "backfill"), Input("html", (home / "later",)))["is_new"]
    after = {row["id"]: row for row in published_rows(frozen)}
    assert before.keys() < after.keys()
    assert {key for key in before if after[key] != before[key]} == {key for key in before if after[key]["version"] > 1}


def test_versions_of_an_earlier_release_can_be_compared_and_taken_back(frozen: Dataset) -> None:
    """`versions`, `diff`, `doctor` and `rollback` work on what an earlier release published."""
    assert [version.version for version in history.versions(frozen)] == [1, 2]
    assert len(history.diff(frozen, 1, 2).added) == 2
    checked = json.loads(CliRunner().invoke(app, ["doctor", str(frozen.folder), "--json"]).stdout)
    assert [check["ok"] for check in checked if check["name"] == "published"] == [True]
    assert CliRunner().invoke(app, ["rollback", str(frozen.folder), "1"]).exit_code == 0
    assert len(published_rows(frozen)) == 4
