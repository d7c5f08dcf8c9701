"""What people see: progress bars on a terminal, plain lines elsewhere, counts as a table, errors with their remedy."""

import errno
import json
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows.errors import LikewiseError, StateError
from flows.watching import Watcher

if TYPE_CHECKING:
    from flows.publishing.report import Line  # at run time it would bring the libraries of the card along

OUT = Console()
ERR = Console(stderr=True)
SECONDS_BETWEEN_LINES = 5.0
INTERRUPTED = 130

_TITLES = {
    "crawl": "crawl: pages fetched",
    "clean": "clean: pages extracted",
    "filter": "filter: parts judged",
    "copies": "copies: articles compared",
    "publish": "publish",
}


@contextmanager
def progress(verbose: bool = False) -> Iterator[Watcher]:
    """A watcher that shows how each stage goes on, on standard error; with `verbose`, log lines too."""
    log = _say if verbose else lambda _line: None
    if ERR.is_terminal:
        with _bars() as bars:
            yield Watcher(_on_bars(bars), log)
    else:
        yield Watcher(_plain_lines(), log)


def _say(line: str) -> None:
    ERR.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)


def _bars() -> Progress:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=ERR)


def _on_bars(bars: Progress) -> Any:
    tasks: dict[str, TaskID] = {}

    def show(stage: str, done: int, total: int | None) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(_TITLES.get(stage, stage), total=total)
        bars.update(tasks[stage], completed=done, total=total)

    return show


def _plain_lines() -> Any:
    said: dict[str, float] = {}

    def show(stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage in said and done != total and now - said[stage] < SECONDS_BETWEEN_LINES:
            return
        said[stage] = now
        ERR.print(f"{_TITLES.get(stage, stage)} {done}" + (f" of {total}" if total else ""), highlight=False)

    return show


def print_json(value: Any) -> None:
    """Prints a value as JSON on standard output, for scripts: nothing but the JSON, whatever the terminal."""
    typer.echo(json.dumps(value, default=str, indent=1, ensure_ascii=False))


def print_funnel(lines: "Sequence[Line]", title: str) -> None:
    """The counts by stage and verdict, as a table on standard output."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("stage")
    table.add_column("verdict")
    table.add_column("pages", justify="right")
    table.add_column("meaning")
    stage = ""
    for line in lines:
        if stage and line.stage != stage:
            table.add_section()
        table.add_row("" if line.stage == stage else line.stage, line.verdict, str(line.count), line.meaning)
        stage = line.stage
    OUT.print(table)


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Turns errors that a user can meet into a message with its remedy and an exit code; others keep their trace.

    SIGTERM counts as Ctrl-C: what the command started is stopped in good order too.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        ERR.print("\nStopped. Nothing is lost: the same command goes on from here.", style="yellow")
        raise typer.Exit(INTERRUPTED) from None
    except LikewiseError as error:
        _fail(error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT):
            raise
        _fail(
            StateError(
                f"{error.filename or 'The disk'}: {error.strerror}.",
                "Free space or mend the permissions; then run the same command again, nothing is lost.",
            )
        )


def _fail(error: LikewiseError) -> None:
    ERR.print(f"[bold red]Error:[/] {_plain(error.what)}", highlight=False, soft_wrap=True)
    ERR.print(f"[bold]What to do:[/] {_plain(error.remedy)}", highlight=False, soft_wrap=True)
    raise typer.Exit(error.exit_code) from None


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
