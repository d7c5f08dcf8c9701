"""Which scheduled time a flow run stands for, and whether a later one makes it needless."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext

from flows.runs import RUN_ID_FORMAT

_DOING_ITS_WORK = frozenset({StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.COMPLETED})
"""States of a later run that make an earlier one needless; one that failed or was cancelled leaves the work to do."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A flow run of a deployment: when it was due (aware, UTC), whether the schedule made it, and its state's type."""

    id: UUID
    deployment: UUID
    due: datetime
    scheduled: bool
    state: StateType | None

    @property
    def run_id(self) -> str:
        """The run that it makes: another try, or a second delivery, of the same time makes the same run."""
        return self.due.astimezone(UTC).strftime(RUN_ID_FORMAT)


def superseding(own: Occasion, others: Iterable[Occasion], now: datetime) -> Occasion | None:
    """The last run of the deployment that was due after `own` and by `now` and does its work, if there is one.

    After downtime every missed run is still there; all but the last are superseded, so that they collapse into one.
    Runs that somebody asked for by hand are never superseded.
    """
    if not own.scheduled:
        return None
    later = [other for other in others if own.due < other.due <= now and other.state in _DOING_ITS_WORK]
    return max((other for other in later if other.scheduled), key=lambda other: other.due, default=None)


def current_occasion() -> Occasion | None:
    """What the running flow stands for; None where no deployment started it."""
    context = FlowRunContext.get()
    return occasion_of(context.flow_run) if context and context.flow_run else None


def occasion_of(run: FlowRun) -> Occasion | None:
    """What a flow run stands for; None where it is of no deployment, or was never due."""
    if run.deployment_id is None or run.expected_start_time is None:
        return None
    return Occasion(run.id, run.deployment_id, run.expected_start_time, bool(run.auto_scheduled), run.state_type)


def occasions_since(own: Occasion, now: datetime) -> list[Occasion]:
    """The runs of the same deployment that were due from `own` to `now`, as the Prefect server knows them."""
    wanted = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[own.deployment]),
        expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"after_": own.due, "before_": now}),
    )
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=wanted)
    return [occasion for run in found if (occasion := occasion_of(run))]
