"""The Prefect flow: the stages as tasks, with retries, the crawl's log lines in the run's log, and artifacts."""

import re
from collections.abc import Callable
from typing import Any

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows import crawling, report, stages
from flows.config import load_dataset_config
from flows.errors import InputError, PublishError, RecipeError
from flows.runs import Run, locked_state, open_run, start_run
from flows.watching import Watcher, current_watcher

Summary = dict[str, Any]


def _run(recipe: str, run_id: str) -> Run:
    return Run(load_dataset_config(recipe), run_id)


def _worth_another_try(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Bad input stays bad; anything else may pass."""
    try:
        state.result()
    except (RecipeError, InputError, PublishError):
        return False
    except Exception:  # noqa: BLE001 - the task failed with it already; here it only decides on the retry
        return True
    return True


def _watcher() -> Watcher:
    return current_watcher() & Watcher(log=get_run_logger().info)


@task(
    name="crawl", retries=2, retry_delay_seconds=[10, 60], retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE
)
def crawl(recipe: str, run_id: str) -> Summary:
    """Fetches into WARC; a retry goes on where the crawl stopped."""
    return crawling.crawl(_run(recipe, run_id), watcher=_watcher())


@task(name="clean", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def clean(recipe: str, run_id: str) -> Summary:
    """Extracts the pages of the run's WARC files."""
    return stages.clean(_run(recipe, run_id), watcher=_watcher())


@task(name="filter", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def filter_articles(recipe: str, run_id: str) -> Summary:
    """Keeps the articles like the seeds."""
    return stages.filter_articles(_run(recipe, run_id), watcher=_watcher())


@task(name="copies", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def find_copies(recipe: str, run_id: str) -> Summary:
    """Recognises copies and later editions."""
    return stages.find_copies(_run(recipe, run_id), watcher=_watcher())


@task(name="publish", retries=1, retry_condition_fn=_worth_another_try, cache_policy=NO_CACHE)
def publish(recipe: str, run_id: str) -> Summary:
    """Publishes a new version, where there is something new."""
    return stages.publish(_run(recipe, run_id), watcher=_watcher())


@task(name="report", cache_policy=NO_CACHE)
def write_report(recipe: str, run_id: str) -> str:
    """Writes the run's report, and shows its counts and a link to it in Prefect."""
    run = _run(recipe, run_id)
    path = stages.write_report(run)
    key = re.sub(r"[^a-z0-9]+", "-", f"{run.dataset.name}-funnel".lower()).strip("-")
    create_table_artifact(
        [vars_of(line) for line in report.funnel(run)], key=key, description="; ".join(report.notes(run))
    )
    create_link_artifact(path.as_uri(), key=f"{key}-report", link_text=f"report of run {run.id}")
    return str(path)


def vars_of(line: report.Line) -> Summary:
    """A line of the funnel as a row of Prefect's table."""
    return {"stage": line.stage, "verdict": line.verdict, "pages": line.count, "meaning": line.meaning}


STAGES: tuple[Callable[[str, str], Any], ...] = (crawl, clean, filter_articles, find_copies, publish, write_report)


@flow(name="likewise", validate_parameters=True)
def grow(recipe: str, run_id: str | None = None) -> Summary:
    """Crawls, cleans, filters, recognises copies and publishes: one run of a dataset.

    Args:
        recipe: name of the dataset, its folder, or its recipe file.
        run_id: the run to make or to finish; by default the last one if it was cut short, else a new one.
    """
    dataset = load_dataset_config(recipe)
    with locked_state(dataset):
        run = start_run(dataset, run_id) if run_id else open_run(dataset)
        for stage in STAGES:
            stage(str(dataset.recipe_path), run.id)
        return stages.finish(run)
