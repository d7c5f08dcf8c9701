"""The demo: serves the newsroom, grows a dataset from it on two days through the Prefect flow, and scores it."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.commands.terminal import print_funnel, print_table
from flows.config import RECIPE_NAME, called_as, load_dataset_config, python_as
from flows.curation.labels import LABELS_NAME
from flows.demo.newsroom import Newsroom
from flows.demo.score import Score, score
from flows.demo.server import NewsServer, serve
from flows.errors import InputError
from flows.publishing import report
from flows.runs import Run, write_text
from flows.scheduling.serving import run_flow

NAME = "newsroom"
MARK = ".likewise-demo"
DAYS = (1, 2)
ROWS_SHOWN = 5
TITLE_SHOWN = 44


@dataclass(frozen=True, slots=True)
class Day:
    """What one day's run did: `requests` at the newsroom, `seconds` of wall time, and how right the dataset is then."""

    day: int
    run: Run
    requests: int
    seconds: float
    version: int
    score: Score


@dataclass(frozen=True, slots=True)
class Tour:
    """The days, and the first rows of the dataset as a reader gets them."""

    folder: Path
    days: tuple[Day, ...]
    rows: int
    first: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """The tour for scripts."""
        days = [
            report.as_json(day.run)
            | {"day": day.day, "requests": day.requests, "seconds": round(day.seconds, 1), "score": asdict(day.score)}
            for day in self.days
        ]
        return {"folder": str(self.folder), "rows": self.rows, "days": days}

    def show(self, console: Console) -> None:
        """Prints the funnel of each day, the figures, the first rows and how to load them."""
        for day in self.days:
            print_funnel(report.funnel(day.run), f"Day {day.day}: what became of every page")
        print_table(_figures(self.days))
        print_table(_rows(self.first, self.rows))
        for line in _next_steps(self.folder, self.first[0]["id"] if self.first else ""):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _next_steps(folder: Path, article: str) -> Iterator[str]:
    """What to type next, from where the demo was started; the newsroom itself is closed by now."""
    likewise = called_as()
    yield f"To use it, in {python_as()}:"
    yield f'  from datasets import load_dataset; articles = load_dataset("{folder}", split="train")'
    yield "To go on:"
    yield f"  {likewise} status {folder}"
    yield f"  {likewise} diff {folder} {DAYS[0]} {DAYS[-1]}"
    if article:
        yield f"  {likewise} explain {folder} {article}"
    yield f"  {likewise} label {folder}"
    yield "With articles and a site of your own:"
    yield f"  {likewise} new my-topic --seeds first.txt second.txt third.txt --site https://news.example/"


def tour(folder: Path, seed: int, verbose: bool) -> Tour:
    """Runs the demo in a folder of its own, which is emptied first if an earlier demo made it.

    Raises:
        InputError: the folder exists, and no demo made it.
    """
    _fresh(folder)
    newsroom = Newsroom(seed)
    with serve(newsroom) as server:
        recipe = _write_recipe(folder, newsroom, server)
        days = tuple(_day(day, recipe, server, verbose) for day in DAYS)
    rows, first = _load(recipe.parent)
    return Tour(recipe.parent, days, rows, first)


def _fresh(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise InputError(f"{folder}: is there already, and no demo made it.", "Give another one with --folder.")
        if labels := sorted(folder.glob(f"datasets/*/{LABELS_NAME}")):
            raise InputError(f"{labels[0]}: has labels of yours.", "Delete it, or give another folder with --folder.")
        shutil.rmtree(folder)
    write_text(folder / MARK, "Made by `likewise demo`, which empties this folder when it runs again.\n")


def _write_recipe(folder: Path, newsroom: Newsroom, server: NewsServer) -> Path:
    recipe = folder / "datasets" / NAME / RECIPE_NAME
    write_text(recipe, server.recipe_toml())
    for one in newsroom.seeds:
        write_text(recipe.parent / "seeds" / f"{one.name}.txt", one.text)
    return recipe


def _day(day: int, recipe: Path, server: NewsServer, verbose: bool) -> Day:
    server.set_day(day)
    server.clear_log()
    started = time.monotonic()
    summary = run_flow(str(recipe), None, verbose)
    seconds = time.monotonic() - started
    run = Run(load_dataset_config(str(recipe)), summary["run"])
    return Day(day, run, len(server.log), seconds, summary["version"], score(_published(recipe.parent), server.truth()))


def _published(folder: Path) -> list[dict[str, Any]]:
    shards = sorted((folder / "data").glob("articles-*.parquet"))
    return [row for shard in shards for row in pq.read_table(shard, partitioning=None).to_pylist()]


def _load(folder: Path) -> tuple[int, tuple[dict[str, Any], ...]]:
    """Opens the dataset as its readers do."""
    from datasets.load import load_dataset  # seconds to import, and needed only here
    from datasets.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    articles = load_dataset(str(folder), split="train")
    dates = list(articles["published_at"])
    by_date = sorted(range(len(dates)), key=lambda place: (dates[place] is None, dates[place] or 0))
    return len(dates), tuple(articles.select(by_date[:ROWS_SHOWN]))


def _figures(days: Sequence[Day]) -> Table:
    table = Table(title="Beside the newsroom's truth", title_justify="left", title_style="bold")
    table.add_column("")
    for day in days:
        table.add_column(f"day {day.day}", justify="right")
    for name, show in _FIGURES.items():
        table.add_row(name, *(show(day) for day in days))
    return table


_FIGURES: dict[str, Callable[[Day], str]] = {
    "precision": lambda day: f"{day.score.precision:.3f}",
    "recall": lambda day: f"{day.score.recall:.3f}",
    "copies kept beside their original": lambda day: str(day.score.copies_beside_original),
    "word F1 of the texts": lambda day: f"{day.score.word_f1:.3f}",
    "titles exactly right": lambda day: f"{day.score.titles:.3f}",
    "pages that robots.txt or an opt-out forbids": lambda day: str(len(day.score.forbidden)),
    "requests at the newsroom": lambda day: str(day.requests),
    "seconds": lambda day: f"{day.seconds:.0f}",
    "version published": lambda day: str(day.version),
}


def _cut(title: str) -> str:
    return title if len(title) <= TITLE_SHOWN else f"{title[: TITLE_SHOWN - 1]}…"


def _rows(rows: Sequence[dict[str, Any]], total: int) -> Table:
    table = Table(title=f"The first of {total} articles", title_justify="left", title_style="bold")
    table.add_column("published", no_wrap=True)
    table.add_column("title")  # the one that folds where the terminal is narrow
    table.add_column("source", no_wrap=True)
    for row in rows:
        published = f"{row['published_at']:%Y-%m-%d}" if row["published_at"] else ""
        table.add_row(published, Text(_cut(row["title"])), row["domain"].partition(".")[0])
    return table
