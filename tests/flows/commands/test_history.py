"""What the commands on versions say, also where nothing is to do."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.config import Dataset
from tests.flows.releases import release, row


@pytest.fixture
def home(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LIKEWISE_HOME", raising=False)
    return small.folder


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def test_versions_are_listed_a_line_each(small: Dataset, home: Path) -> None:
    """Each version is one line with its rows; one is no plural."""
    release(small, [row(10)], without=[row(number)["id"] for number in range(10)])
    first, second = said("versions", str(home)).splitlines()
    assert first.startswith("1  ")
    assert "10 articles, 0 copies, 0 rejected" in first
    assert "1 article, 0 copies" in second


def test_compacting_says_what_it_did_and_when_there_is_nothing_to_do(small: Dataset, home: Path) -> None:
    """Small files are merged once; after that the version stays, and that is what is said."""
    release(small, [row(20)])
    assert said("compact", str(home)) == "Published version 3: the same rows in 1 file; before: 2."
    assert said("compact", str(home)) == "Nothing to merge: version 3 keeps its 1 file."
    again = json.loads(said("compact", str(home), "--json"))
    assert again == {"version": 3, "is_new": False, "files_before": 1, "files": 1}


def test_clearing_away_says_what_went_and_what_is_left(small: Dataset, home: Path) -> None:
    """Without old versions that is said, with their age; else their numbers."""
    nothing = "Nothing to clear away: no version was replaced over 30 days ago. 1 version left."
    assert said("gc", str(home)) == nothing
    release(small, [row(20)])
    assert said("gc", str(home), "--days", "0") == "Cleared away: version 1. 1 version left."
    assert json.loads(said("gc", str(home), "--json")) == {"cleared": [], "kept": 1, "elsewhere": {}}
