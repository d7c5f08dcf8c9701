"""The Prefect flow: the stages as tasks, with retries, the crawl's log lines in the run's log, artifacts and events."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from prefect import State, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from flows import crawling, stages
from flows.config import Dataset, load_dataset_config
from flows.errors import InputError, PublishError, RecipeError, SourcesError
from flows.publishing.checks import RefusedVersionError
from flows.runs import Run, due_runs, failures_noted, locked_state, open_run, start_run
from flows.scheduling import artifacts
from flows.scheduling.occasions import Occasion, current_occasion, occasions_since, superseding
from flows.spreading.runners import spread_for
from flows.watching import Watcher, current_watcher

Summary = dict[str, Any]


def _run(recipe: str, run_id: str) -> Run:
    return Run(load_dataset_config(recipe), run_id)


def _worth_another_try(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Bad input stays bad, and the crawl has tried its sources several times; anything else may pass."""
    try:
        state.result()
    except (RecipeError, InputError, PublishError, SourcesError):
        return False
    except Exception:  # noqa: BLE001 - the task failed with it already; here it only decides on the retry
        return True
    return True


def _watcher(run: Run, stage: str) -> Watcher:
    logger = get_run_logger()
    shown = artifacts.progress_watcher(run.dataset, stage, logger.warning)
    return current_watcher() & shown & Watcher(log=logger.info)


@task(
    name="crawl", retries=2, retry_delay_seconds=[10, 60], retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE
)
def crawl(recipe: str, run_id: str) -> Summary:
    """Fetches into WARC; a retry goes on where the crawl stopped."""
    run = _run(recipe, run_id)
    summary = crawling.crawl(run, watcher=_watcher(run, "crawl"))
    if summary.get("troubles"):
        artifacts.tell(artifacts.TROUBLED, run, troubles=summary["troubles"])
    return summary


@task(name="clean", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def clean(recipe: str, run_id: str) -> Summary:
    """Extracts the pages of the run's WARC files."""
    run = _run(recipe, run_id)
    return stages.clean(run, watcher=_watcher(run, "clean"), spread=spread_for(run))


@task(name="filter", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def filter_articles(recipe: str, run_id: str) -> Summary:
    """Keeps the articles like the seeds."""
    run = _run(recipe, run_id)
    return stages.filter_articles(run, _watcher(run, "filter"), spread_for(run))


@task(name="copies", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def find_copies(recipe: str, run_id: str) -> Summary:
    """Recognises copies and later editions."""
    run = _run(recipe, run_id)
    return stages.find_copies(run, _watcher(run, "copies"), spread=spread_for(run))


@task(name="publish", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def publish(recipe: str, run_id: str) -> Summary:
    """Publishes a new version, where there is something new, and tells so."""
    run = _run(recipe, run_id)
    try:
        published = stages.publish(run, watcher=_watcher(run, "publish"))
    except RefusedVersionError as refused:
        artifacts.tell(artifacts.REFUSED, run, reason=refused.what, remedy=refused.remedy)
        raise
    if published.get("is_new"):
        artifacts.tell(artifacts.PUBLISHED, run, version=published["version"], added=published["added"])
    return published


@task(name="report", cache_policy=NO_CACHE)
def write_report(recipe: str, run_id: str) -> str:
    """Writes the run's report, and shows its counts, its sources and a link to it in Prefect."""
    run = _run(recipe, run_id)
    path = stages.write_report(run)
    artifacts.show_tables(run)
    artifacts.show_report(run, path.as_uri())
    return str(path)


STAGES: tuple[Callable[[str, str], Any], ...] = (crawl, clean, filter_articles, find_copies, publish, write_report)


@flow(name="likewise", validate_parameters=True)
def grow(recipe: str, run_id: str | None = None) -> Summary | State[Any]:
    """Crawls, cleans, filters, recognises copies and publishes: one run of a dataset.

    A deployment's flow run is keyed on the time at which it was due: trying it again goes on with the same run. What an
    earlier run left unfinished is finished first. One that a later run of the deployment supersedes does nothing.

    Args:
        recipe: name of the dataset, its folder, or its recipe file.
        run_id: the run to make or to finish; by default the one of the flow run's scheduled time. Where there is none,
            the last run if it was cut short, else a new one.
    """
    dataset = load_dataset_config(recipe)
    occasion = None if run_id else current_occasion()
    if occasion and (later := superseding(occasion, occasions_since(occasion, now := datetime.now(UTC)), now)):
        return Completed(name="Skipped", message=f"A run that was due later, at {later.due:%H:%M} UTC, does its work.")
    with locked_state(dataset):
        done = [_make(run) for run in _runs_to_make(dataset, run_id, occasion)]
    return done[-1] if done else Completed(name="Skipped", message="This time's run is done.")


def _runs_to_make(dataset: Dataset, run_id: str | None, occasion: Occasion | None) -> list[Run]:
    if run_id:
        return [start_run(dataset, run_id)]
    return due_runs(dataset, occasion.run_id) if occasion else [open_run(dataset)]


def _make(run: Run) -> Summary:
    with failures_noted(run):
        for stage in STAGES:
            stage(str(run.dataset.recipe_path), run.id)
        return stages.finish(run)
