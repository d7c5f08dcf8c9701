"""What people see of progress, of tables at any width, and of errors that nobody foresaw."""

import io
import re
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from rich.console import Console

from flows.commands import terminal
from flows.publishing.report import Line

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LINES = [
    Line("crawl", "kept", 9, "fetched and stored"),
    Line("crawl", "opted_out", 2, "the publisher reserved text and data mining, and the recipe honours it"),
    Line("clean", "kept", 9, "an article"),
]


def shown(monkeypatch: pytest.MonkeyPatch, name: str, width: int = 80) -> io.StringIO:
    """What goes to one of the consoles, as a terminal of that width."""
    written = io.StringIO()
    monkeypatch.setattr(terminal, name, Console(file=written, force_terminal=True, width=width, color_system=None))
    return written


def two_stages() -> None:
    """A crawl whose queue is not used up, and a stage that does not know how much there is to do."""
    with terminal.progress() as watcher:
        watcher.progress("crawl", 0, 100)
        watcher.progress("crawl", 209, 277)
        watcher.progress("crawl", 231, 290)
        watcher.progress("clean", 1, None)
        watcher.progress("clean", 231, None)


def test_lines_end_at_the_true_totals(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, each stage's last line has what it did, also where lines in between were left out."""
    two_stages()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "crawl: pages fetched 0 of 100",
        "crawl: pages fetched 231",
        "clean: pages extracted 1",
        "clean: pages extracted 231",
    ]


def test_bars_end_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, what a stage did is its total once the next stage begins, and at the end."""
    written = shown(monkeypatch, "ERR")
    two_stages()
    last = _ANSI.sub("", written.getvalue()).replace("\r", "\n").split("\n")[-3:]
    assert [line.split()[-2] for line in last if line.strip()] == ["231/231", "231/231"]


def test_a_stage_that_comes_again_has_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run in one command does not turn the first one's bars back."""
    written = shown(monkeypatch, "ERR")
    with terminal.progress() as watcher:
        for done in (50, 3):
            watcher.progress("crawl", done, done)
            watcher.progress("publish", 1, 1)
    last = _ANSI.sub("", written.getvalue()).replace("\r", "\n").split("\n")[-5:]
    assert [line.split()[-2] for line in last if line.strip()] == ["50/50", "1/1", "3/3", "1/1"]


def test_a_stage_that_failed_is_not_shown_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    """An error leaves the progress where it was."""
    with suppress(ValueError), terminal.progress() as watcher:
        watcher.progress("crawl", 0, 10)
        watcher.progress("crawl", 5, 10)
        raise ValueError("broke")
    assert capsys.readouterr().err == "crawl: pages fetched 0 of 10\n"


@pytest.mark.parametrize("width", [60, 80])
def test_a_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """The counts of a run stay within the terminal, with names and numbers whole."""
    written = shown(monkeypatch, "OUT", width)
    terminal.print_funnel(LINES, "title")
    lines = _ANSI.sub("", written.getvalue()).splitlines()
    assert all(len(line) <= width for line in lines)
    assert any(line.split()[:2] == ["opted_out", "2"] for line in lines)


def test_without_a_terminal_a_row_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Elsewhere each row is one line that has all of its columns, whatever its length."""
    terminal.print_funnel(LINES, "title")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(LINES)
    assert lines[3].split()[:3] == ["crawl", "opted_out", "2"]
    assert lines[3].endswith(LINES[1].meaning)


def test_an_error_that_nobody_foresaw_is_one_line_and_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours says what broke and that it is one, puts the traceback into a file, and exits with 70."""
    monkeypatch.setattr("sys.argv", ["likewise", "run", "no UTF-8: \udcff"])
    with pytest.raises(typer.Exit) as ended, terminal.errors_for_people():
        raise KeyError("no [such] key")
    said = capsys.readouterr().err
    assert ended.value.exit_code == 70
    assert "KeyError: 'no [such] key' (test_terminal.py, line" in said
    assert "a fault in likewise" in said
    assert "Traceback" not in said
    named = re.search(r"\S+likewise-\S+\.txt", said)
    assert named
    written = Path(named[0])
    assert "Traceback (most recent call last)" in written.read_text(encoding="utf-8")
    written.unlink()


def test_verbose_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """With --verbose the traceback is shown before the message; the exit code is the same."""
    with pytest.raises(typer.Exit) as ended, terminal.errors_for_people(verbose=True):
        raise KeyError("x")
    said = capsys.readouterr().err
    assert ended.value.exit_code == 70
    assert said.index("Traceback (most recent call last)") < said.index("a fault in likewise")
    Path(re.search(r"\S+likewise-\S+\.txt", said)[0]).unlink()  # type: ignore[index]


def test_a_pipe_that_is_closed_is_no_fault() -> None:
    """`likewise report NAME | head` ends as other programs do."""
    with pytest.raises(BrokenPipeError), terminal.errors_for_people():
        raise BrokenPipeError
