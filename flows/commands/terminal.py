"""What people see: progress bars on a terminal, plain lines elsewhere, tables, errors with their remedy."""

import errno
import json
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows.errors import InternalError, LikewiseError, StateError
from flows.watching import Watcher

if TYPE_CHECKING:
    from flows.publishing.report import Line  # at run time it would bring the libraries of the card along

OUT = Console()
ERR = Console(stderr=True)
SECONDS_BETWEEN_LINES = 5.0
INTERRUPTED = 130
_ANY_WIDTH = 10_000
_LONGEST_CAUSE = 300

_TITLES = {
    "crawl": "crawl: pages fetched",
    "clean": "clean: pages extracted",
    "filter": "filter: parts judged",
    "copies": "copies: articles compared",
    "publish": "publish: done",
}

_DISK = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.ENOTDIR)


@contextmanager
def progress(verbose: bool = False) -> Iterator[Watcher]:
    """A watcher that shows how each stage goes on, on standard error; with `verbose`, log lines too."""
    log = _say if verbose else lambda _line: None
    if not ERR.is_terminal:
        lines = _Lines()
        yield Watcher(lines.show, log)
        lines.end()
        return
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR) as bars:
        stages = _Bars(bars)
        yield Watcher(stages.show, log)
        stages.end()


def _say(line: str) -> None:
    ERR.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)


class _Bars:
    """A bar for each stage. What a stage has done when another one begins was all there was to do."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stage = ""
        self._task: TaskID | None = None
        self._done = 0

    def show(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage or self._task is None:
            self.end()
            self._stage, self._task = stage, self._bars.add_task(_TITLES.get(stage, stage), total=total)
        self._done = done
        self._bars.update(self._task, completed=done, total=total)

    def end(self) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=self._done, total=self._done)


class _Lines:
    """A line for each stage every few seconds, and one at its end, as for `_Bars`."""

    def __init__(self) -> None:
        self._stage = ""
        self._done, self._said_done = 0, 0
        self._said_at = 0.0

    def show(self, stage: str, done: int, total: int | None) -> None:
        is_new = stage != self._stage
        if is_new:
            self.end()
        self._stage, self._done = stage, done
        if is_new or done == total != self._said_done or time.monotonic() - self._said_at >= SECONDS_BETWEEN_LINES:
            self._print(f"{done}" + (f" of {total}" if total else ""))

    def end(self) -> None:
        if self._done != self._said_done:
            self._print(str(self._done))

    def _print(self, said: str) -> None:
        self._said_done, self._said_at = self._done, time.monotonic()
        ERR.print(f"{_TITLES.get(self._stage, self._stage)} {said}", highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Prints a value as JSON on standard output, for scripts: nothing but the JSON, whatever the terminal."""
    typer.echo(json.dumps(value, default=str, indent=1, ensure_ascii=False))


def print_table(table: Table) -> None:
    """Prints a table on standard output: as wide as the terminal, and elsewhere a plain line a row, of any length."""
    if OUT.is_terminal:
        OUT.print(table)
        return
    table.box, table.pad_edge = None, False
    drawn = StringIO()
    Console(file=drawn, width=_ANY_WIDTH).print(table)
    for line in drawn.getvalue().splitlines():
        typer.echo(line.rstrip())


def print_funnel(lines: "Sequence[Line]", title: str) -> None:
    """The counts by stage and verdict, as a table on standard output."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("pages", justify="right", no_wrap=True)
    table.add_column("meaning")
    stage = ""
    for line in lines:
        if stage and line.stage != stage and OUT.is_terminal:
            table.add_row()
        said = "" if line.stage == stage and OUT.is_terminal else line.stage
        table.add_row(said, line.verdict, str(line.count), line.meaning)
        stage = line.stage
    print_table(table)


@contextmanager
def errors_for_people(verbose: bool = False) -> Iterator[None]:
    """Turns errors into a message with its remedy and an exit code.

    An error that nobody foresaw is a fault in likewise: its traceback goes to a file, and is shown with `verbose`.
    SIGTERM counts as Ctrl-C: what the command started is stopped in good order too.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        ERR.print("\nStopped. Nothing is lost: the same command goes on from here.", style="yellow")
        raise typer.Exit(INTERRUPTED) from None
    except LikewiseError as error:
        raise _told(error) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise _told(_of_the_disk(error)) from error
        if verbose:
            traceback.print_exception(error)
        raise _told(_unforeseen(error)) from error


def _of_the_disk(error: OSError) -> StateError:
    return StateError(
        f"{error.filename or 'The disk'}: {error.strerror}.",
        "Free space, or mend the path or its permissions; then run the same command again, nothing is lost.",
    )


def _unforeseen(error: Exception) -> InternalError:
    """What people are told of a fault of ours: what broke and where, and the file that has the traceback."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    lines = traceback.format_exception(error)
    report = f"{' '.join(sys.argv)}\n\n{''.join(lines)}".encode(errors="backslashreplace")  # names may be no UTF-8
    with NamedTemporaryFile(prefix="likewise-", suffix=".txt", delete=False) as file:
        file.write(report)
    said = " ".join(traceback.format_exception_only(error)[-1].split())
    return InternalError(
        f"{said[:_LONGEST_CAUSE]} ({Path(place.filename).name}, line {place.lineno}). This is a fault in likewise.",
        f"Run the same command again: what is published is whole. If it fails again, report it with {file.name}.",
    )


def _told(error: LikewiseError) -> typer.Exit:
    """Prints an error with its remedy; gives what ends the command with its exit code."""
    ERR.print(f"[bold red]Error:[/] {_plain(error.what)}", highlight=False, soft_wrap=True)
    ERR.print(f"[bold]What to do:[/] {_plain(error.remedy)}", highlight=False, soft_wrap=True)
    return typer.Exit(error.exit_code)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
