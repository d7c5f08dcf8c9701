"""What the Prefect server does by itself for served datasets: marks silent runs as crashed, and tells of failures."""

from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CallWebhook, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound

from flows.errors import InputError
from flows.scheduling.artifacts import REFUSED, TROUBLED

SILENT = "likewise: a silent run is marked as crashed"
ALERT = "likewise: a failure is told"

HEARTBEAT_SECONDS = 30
"""How often a run gives a sign of life; Prefect allows no shorter time."""

SILENT_SECONDS = 75.0
"""Two heartbeats and a half; with the server's own delay a dead run is marked within two minutes."""

_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDED = {f"prefect.flow-run.{state}" for state in ("Completed", "Skipped", "Failed", "Cancelled", "Crashed")}
_SUBJECT = "likewise: {{ event.resource.name }}: {{ event.event }}"
_BODY = (
    '{"event": {{ event.event | tojson }}, "of": {{ event.resource.name | tojson }}, '
    '"at": {{ event.occurred | string | tojson }}, "details": {{ event.payload | tojson }}}'
)


def crash_silent_runs(silent_seconds: float) -> AutomationCore:
    """Marks a run of the flow as crashed when it gave signs of life, and then none for so many seconds (10 or more)."""
    return AutomationCore(
        name=SILENT,
        description="The machine is gone, or the process was killed; the next run goes on where this one stopped.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *_ENDED},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=_of_our_flow(),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=silent_seconds),
        ),
        actions=[
            ChangeFlowRunState(
                name="Crashed",
                state=StateType.CRASHED,
                message=f"No sign of life for {silent_seconds:g} seconds.",
                force=True,
            )
        ],
    )


def tell_failures(action: CallWebhook | SendNotification) -> AutomationCore:
    """Tells of runs that failed or crashed, of refused versions and of sources in trouble."""
    return AutomationCore(
        name=ALERT,
        description="Runs that failed or crashed, versions that were refused, sources that are in trouble.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed", REFUSED, TROUBLED},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*", "likewise.dataset.*"]}),
            match_related=_of_our_flow(),
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[action],
    )


def _of_our_flow() -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": "likewise"})


def alert_action(client: SyncPrefectClient, block: str) -> CallWebhook | SendNotification:
    """What tells of a failure: a block of the Prefect server, named as `webhook/NAME` or `slack-webhook/NAME`.

    Raises:
        InputError: the server has no such block.
    """
    kind, _, name = block.partition("/")
    try:
        found = client.read_block_document_by_name(name, kind)
    except ObjectNotFound:
        raise InputError(
            f"The Prefect server has no block {block!r}.",
            "Make one under Blocks in Prefect's pages, and name it as TYPE/NAME, such as webhook/my-alerts.",
        ) from None
    if kind == "webhook":
        return CallWebhook(block_document_id=found.id, payload=_BODY)
    return SendNotification(block_document_id=found.id, subject=_SUBJECT, body=_BODY)


def ensure(client: SyncPrefectClient, wanted: AutomationCore) -> None:
    """Makes an automation, or brings the one of that name up to date."""
    known = client.read_automations_by_name(wanted.name)
    if known:
        client.update_automation(known[0].id, wanted)
    else:
        client.create_automation(wanted)
