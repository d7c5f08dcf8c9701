"""The commands that make a dataset grow: run, backfill, each stage for itself, and the report of what they did."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from flows import crawling, inputs, stages
from flows.commands.options import AsJson, Name, RunId, Verbose
from flows.commands.terminal import OUT, errors_for_people, print_funnel, print_json, progress
from flows.config import called_as, load_dataset_config, python_as
from flows.errors import InputError, RecipeError
from flows.publishing import report
from flows.runs import Run, failures_noted, list_runs, locked_state, open_run, start_run
from flows.spreading.spread import Spread
from flows.stages import Input
from flows.watching import Watcher, watched_by


@contextmanager
def _working(
    name: str, run_id: str | None, verbose: bool, kind: str = "run", fresh: bool = False
) -> Iterator[tuple[Run, Watcher]]:
    """The run to work on and who watches it, with the state locked and errors told to people."""
    with errors_for_people(verbose), progress(verbose) as watcher:
        dataset = load_dataset_config(name)
        with locked_state(dataset):
            run = start_run(dataset, run_id, kind) if run_id else open_run(dataset, kind=kind, fresh=fresh)
            with failures_noted(run):
                yield run, watcher


@contextmanager
def _spread(work: Run, verbose: bool) -> Iterator[Spread | None]:
    """What the recipe spreads the run's parts over."""
    if work.dataset.recipe.run.runner == "threads":
        yield None
        return
    from flows.scheduling.serving import spread_by_command  # Prefect takes seconds to import

    with spread_by_command(work, verbose) as spread:
        yield spread


def _show(result: dict[str, Any], run: Run, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    print_funnel(report.funnel(run), f"{run.dataset.name}, run {run.id}")
    for note in report.notes(run):
        OUT.print(note, highlight=False, markup=False)
    _say_published(run)


def _why_nothing(run: Run) -> str:
    name, likewise = run.dataset.name, called_as()
    if not any(line.stage == "filter" for line in report.funnel(run)):
        return f"no article was found. `{likewise} doctor {name}` looks at each of its sources."
    return f"no article was like the seeds. `{likewise} label {name}` shows those that came nearest."


def _say_published(run: Run) -> None:
    published = run.summary("publish")
    if published is None:
        return
    folder = run.dataset.folder
    if refused := published.get("refused"):
        OUT.print(f"Not published: {refused}", highlight=False, markup=False)
        return
    if not published["version"]:
        OUT.print(f"Nothing to publish yet: {_why_nothing(run)}", highlight=False, markup=False, soft_wrap=True)
        return
    said = "Published version {}." if published["is_new"] else "Nothing new: version {} stays."
    OUT.print(f"{said.format(published['version'])} To use it, in {python_as()}:", highlight=False)
    OUT.print(
        f'  from datasets import load_dataset; articles = load_dataset("{folder}", split="train")',
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def run(name: Name, run_id: RunId = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Crawl, clean, filter, recognise copies and publish, as a Prefect flow run.

    Uses the Prefect server that is configured (PREFECT_API_URL or a profile), else a temporary one. A run that was cut
    short is finished first. Nothing new means no new version.
    """
    with errors_for_people(verbose), progress(verbose) as watcher, watched_by(watcher):
        dataset = load_dataset_config(name)
        if not len(dataset.recipe.sources):
            raise RecipeError(
                f"{dataset.recipe_path}: [sources] names nothing to crawl.",
                "Add sites, feeds or sitemaps, or use `likewise backfill`.",
            )
        from flows.scheduling.serving import run_flow  # Prefect takes seconds to import, and only this command needs it

        result = run_flow(str(dataset.recipe_path), run_id, verbose)
    _show(result, Run(dataset, result["run"]), as_json)


def backfill(
    name: Name,
    warc: Annotated[
        list[Path] | None, typer.Option("--warc", help="WARC files, or folders of them.", show_default=False)
    ] = None,
    html: Annotated[
        list[Path] | None, typer.Option("--html", help="Folders of HTML files (.html, .html.gz).", show_default=False)
    ] = None,
    urls: Annotated[
        Path | None,
        typer.Option("--urls", help="A text file with a URL a line to fetch, and no others.", show_default=False),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(help="More files or folders of the same kind.", show_default=False)
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin a new run even if the last backfill was cut short.")
    ] = False,
    run_id: RunId = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Grow a dataset once from WARC files, HTML files or a list of URLs, without Prefect.

    Only where the recipe's [run] names a runner, the parts of the stages are Prefect's task runs on it.
    """
    with errors_for_people():
        load_dataset_config(name)
        source = _backfill_input(warc, html, urls, more or [])
    with _working(name, run_id, verbose, "backfill", new) as (work, watcher), _spread(work, verbose) as spread:
        result = stages.run_stages(work, source, watcher, spread)
    _show(result, work, as_json)


def _backfill_input(warc: list[Path] | None, html: list[Path] | None, urls: Path | None, more: list[Path]) -> Input:
    given = [option for option in (warc, html, urls) if option]
    if len(given) != 1 or (urls and more):
        raise InputError("A backfill takes its pages from one place.", "Give one of --warc, --html and --urls.")
    if urls:
        return Input("crawl", urls=inputs.url_list(urls))
    source = Input("warc", (*warc, *more)) if warc else Input("html", (*(html or ()), *more))
    source.files()
    return source


def crawl(name: Name, run_id: RunId = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Only fetch: find candidate articles and store their pages as WARC."""
    _one_stage(name, run_id, as_json, verbose, lambda work, watcher: crawling.crawl(work, watcher=watcher))


def clean(name: Name, run_id: RunId = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Only extract: turn the run's WARC pages into clean articles, in Parquet."""
    _one_stage(name, run_id, as_json, verbose, lambda work, watcher: stages.clean(work, watcher=watcher))


def filter_(name: Name, run_id: RunId = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Only judge: which of the run's articles are like the seeds."""
    _one_stage(name, run_id, as_json, verbose, stages.filter_articles)


def copies(name: Name, run_id: RunId = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Only compare: which of the run's articles are copies or later editions of known ones."""
    _one_stage(name, run_id, as_json, verbose, stages.find_copies)


def publish(name: Name, run_id: RunId = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Only publish: a new version of the dataset from all runs that are not in it yet."""
    _one_stage(name, run_id, as_json, verbose, stages.publish)


def _one_stage(
    name: str, run_id: str | None, as_json: bool, verbose: bool, stage: Callable[[Run, Watcher], Any]
) -> None:
    with _working(name, run_id, verbose) as (work, watcher):
        result = stage(work, watcher)
    _show({"run": work.id, **result}, work, as_json)


def report_(name: Name, run_id: RunId = None, as_json: AsJson = False) -> None:
    """Show what became of every page of a run, by stage and verdict, and write its report.html."""
    with errors_for_people():
        dataset = load_dataset_config(name)
        known = list_runs(dataset)
        chosen = [work for work in known if run_id in (None, work.id)]
        if not chosen:
            raise InputError(
                f"{dataset.name}: no run {run_id or ''} in {dataset.state}.",
                f"Known: {', '.join(work.id for work in known) or 'none'}. `likewise run {name}` makes one.",
            )
        path = stages.write_report(chosen[-1])
    _show(report.as_json(chosen[-1]) | {"report": str(path)}, chosen[-1], as_json)
    if not as_json:
        OUT.print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
