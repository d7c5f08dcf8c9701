"""Serves datasets on their recipes' schedules: a Prefect deployment for each, run in processes of this machine."""

import asyncio
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, FlowRun, State, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron, Interval, Schedule
from prefect.settings import get_current_settings
from prefect.states import Cancelled, Crashed
from prefect.types.entrypoint import EntrypointType

from flows.config import Dataset
from flows.errors import RecipeError, ServerError, StateError
from flows.pipeline import grow
from flows.runs import locked_file, locked_state
from flows.scheduling.automations import (
    HEARTBEAT_SECONDS,
    SILENT_SECONDS,
    alert_action,
    crash_silent_runs,
    ensure,
    tell_failures,
)
from flows.scheduling.serving import check_server
from flows.scheduling.temporary_server import answers
from flows.scheduling.timetable import ANCHOR, parse_interval

_UNENDED = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How datasets are served.

    `silent_seconds` without a sign of life make a run crashed (10 or more); `alert` names the block that tells of
    failures ("": none).
    """

    silent_seconds: float = SILENT_SECONDS
    alert: str = ""


def serve(datasets: Sequence[Dataset], options: ServeOptions = ServeOptions()) -> None:
    """Runs the datasets when they are due, until the process is stopped.

    Runs that were due while nothing served them are made up for by one; a run that another process died over is marked
    as crashed, and the next goes on where it stopped.

    Raises:
        RecipeError: a recipe has no schedule, or no sources.
        ServerError: no Prefect server is configured, or it does not answer.
        StateError: a dataset is served already.
        InputError: the server has no block of the name that `options.alert` gives.
    """
    for dataset in datasets:
        check_served(dataset)
    address = _configured_address()
    runner = _runner()
    with ExitStack() as held:
        for dataset in datasets:
            held.enter_context(_served_alone(dataset))
        with get_client(sync_client=True) as client:
            _set_up_automations(client, options)
            served = [(dataset, cast(UUID, runner.add_deployment(deployment(dataset)))) for dataset in datasets]
            _end_orphans_of_all(client, served)
        try:
            asyncio.run(runner.start())
        finally:
            if answers(address):  # the runner has ended its runs; who follows them shall not wait for the automation
                with get_client(sync_client=True) as client:
                    _end_orphans_of_all(client, served)


def _runner() -> Runner:
    """Prefect's runner, whose schedules go on while it is away, and which takes SIGTERM as Ctrl-C.

    Its own handler of SIGTERM ends the process before the runs that it started.
    """
    runner = Runner(name="likewise", pause_on_shutdown=False, heartbeat_seconds=HEARTBEAT_SECONDS)
    runner.handle_sigterm = lambda *_: signal.raise_signal(signal.SIGINT)  # type: ignore[method-assign]
    return runner


def check_served(dataset: Dataset) -> None:
    """Makes sure that a recipe says when to run, and on what.

    Raises:
        RecipeError: it does not.
    """
    recipe = dataset.recipe
    if not (recipe.schedule.cron or recipe.schedule.interval):
        raise RecipeError(
            f"{dataset.recipe_path}: [schedule] does not say when to run.",
            'Add `cron = "0 6 * * *"` or `interval = "6h"` to it.',
        )
    if not len(recipe.sources):
        raise RecipeError(
            f"{dataset.recipe_path}: [sources] names nothing to crawl.", "Add sites, feeds or sitemaps to it."
        )


def _configured_address() -> str:
    address = get_current_settings().api.url
    if address is None:
        raise ServerError(
            "No Prefect server is configured: a schedule needs one that stays.",
            "Start one with `prefect server start`, and set PREFECT_API_URL=http://127.0.0.1:4200/api.",
        )
    return check_server(address)


@contextmanager
def _served_alone(dataset: Dataset) -> Iterator[None]:
    """Holds the dataset for this server of it; the system lets go when the process ends, however it ends."""
    with locked_file(dataset.state / "serve.lock") as held:
        if not held:
            raise StateError(f"{dataset.name} is served already.", "Stop the other `likewise serve` first.")
        yield


def deployment(dataset: Dataset) -> RunnerDeployment:
    """The dataset's deployment: at most one run at a time, the next one waits for it."""
    made: Any = grow.to_deployment(
        name=dataset.name,
        schedule=schedule(dataset),
        parameters={"recipe": str(dataset.recipe_path)},
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
        description=dataset.recipe.description or dataset.recipe.title,
        tags=["likewise"],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(made, RunnerDeployment)
    return made


def schedule(dataset: Dataset) -> Schedule:
    """The recipe's schedule as Prefect has it."""
    asked = dataset.recipe.schedule
    if asked.cron:
        return Cron(asked.cron, timezone=asked.timezone)
    return Interval(parse_interval(asked.interval), anchor_date=ANCHOR, timezone="UTC")


def _set_up_automations(client: SyncPrefectClient, options: ServeOptions) -> None:
    ensure(client, crash_silent_runs(options.silent_seconds))
    if options.alert:
        ensure(client, tell_failures(alert_action(client, options.alert)))


def _end_orphans_of_all(client: SyncPrefectClient, served: Iterable[tuple[Dataset, UUID]]) -> None:
    for dataset, deployment_id in served:
        end_orphans(client, dataset, deployment_id)


def end_orphans(client: SyncPrefectClient, dataset: Dataset, deployment_id: UUID) -> list[FlowRun]:
    """Ends the deployment's runs that the server holds for running though nobody works on the dataset; gives them.

    Only one process serves a dataset, so one that begins to has no runs yet: who still works on it was started by an
    earlier one, and holds the state.
    """
    unended = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_UNENDED))),
    )
    found = client.read_flow_runs(flow_run_filter=unended)
    if not found or not _is_idle(dataset):
        return []
    for run in found:
        asked_to_stop = run.state_type == StateType.CANCELLING
        state: State[Any] = Cancelled() if asked_to_stop else Crashed(message="Its process is gone.")
        client.set_flow_run_state(run.id, state, force=True)
    return found


def _is_idle(dataset: Dataset) -> bool:
    try:
        with locked_state(dataset):
            return True
    except StateError:
        return False
