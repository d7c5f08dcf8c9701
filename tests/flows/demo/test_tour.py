"""How the demo ends: with what to type next."""

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
from flows.demo.tour import Tour

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
