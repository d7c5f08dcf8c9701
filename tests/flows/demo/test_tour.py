"""How the demo begins, in a folder of its own, and how it ends: with what to type next."""

import io
import re
import shlex
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.main import get_command

from flows.cli import app
from flows.commands import terminal
from flows.curation.labels import LABELS_NAME
from flows.demo.tour import MARK, NAME, Tour, tour
from flows.errors import InputError

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
FIRST = {"id": "0" * 32, "title": "A title", "published_at": None, "domain": "beacon.example"}


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    Tour(Path("likewise-demo/datasets/newsroom"), (), 1, (FIRST,)).show(Console())
    return capsys.readouterr().out


def test_the_demo_says_how_to_go_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with calls of commands that exist, with arguments that they take, on the dataset that it made."""
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    calls = [shlex.split(call) for call in re.findall(r"^  likewise (.+)$", shown(capsys), re.MULTILINE)]
    assert [words[0] for words in calls] == ["status", "diff", "explain", "label", "new"]
    for words in calls:
        COMMANDS[words[0]].make_context(words[0], words[1:])
    assert all(words[1] == "likewise-demo/datasets/newsroom" for words in calls[:-1])
    assert 'load_dataset("likewise-demo/datasets/newsroom", split="train")' in shown(capsys)


@pytest.mark.parametrize("width", [60, 80])
def test_the_first_rows_are_readable_at_any_width(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Dates and sources are whole on narrow terminals too; a long title is cut, and folds where it has to."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=width, color_system=None)
    monkeypatch.setattr(terminal, "OUT", console)
    row = FIRST | {"title": "A title that is " + "very " * 20 + "long", "published_at": datetime(2025, 2, 7)}
    Tour(Path("demo"), (), 1, (row,)).show(console)
    assert "│ 2025-02-07 │ A title that is" in written.getvalue()
    assert "│ beacon │" in written.getvalue()


def test_below_uv_run_the_calls_begin_with_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was started by `uv run` is not on the user's path, so the calls begin with `uv run`."""
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert "  uv run likewise status likewise-demo/datasets/newsroom\n" in shown(capsys)


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    """What no demo made stays, and the error says what to do."""
    (tmp_path / "thesis.txt").write_text("Mine.", encoding="utf-8")
    with pytest.raises(InputError, match="no demo made it"):
        tour(tmp_path, 7, verbose=False)
    assert (tmp_path / "thesis.txt").exists()


def test_labels_given_in_an_earlier_demo_are_not_thrown_away(tmp_path: Path) -> None:
    """A demo's folder is emptied by the next one, but for labels: these are somebody's work."""
    labels = tmp_path / "datasets" / NAME / LABELS_NAME
    labels.parent.mkdir(parents=True)
    labels.write_text("{}\n", encoding="utf-8")
    (tmp_path / MARK).write_text("Made by a demo.", encoding="utf-8")
    with pytest.raises(InputError, match=r"labels\.jsonl: has labels of yours"):
        tour(tmp_path, 7, verbose=False)
    assert labels.exists()
