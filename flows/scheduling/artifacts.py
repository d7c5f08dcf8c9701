"""What Prefect shows of a run beside its log: tables, progress, a link to the report, and events to follow."""

import re
import time
from collections.abc import Callable
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.events import emit_event

from crawler.outcomes import totals
from flows.config import Dataset
from flows.publishing import report
from flows.runs import Run
from flows.watching import Watcher

PUBLISHED = "likewise.version.published"
REFUSED = "likewise.version.refused"
TROUBLED = "likewise.sources.troubled"

_SECONDS_BETWEEN_UPDATES = 5.0


def key_of(dataset: Dataset, what: str) -> str:
    """The key of an artifact, of the letters that Prefect allows."""
    return re.sub(r"[^a-z0-9]+", "-", f"{dataset.name}-{what}".lower()).strip("-")


def show_tables(run: Run) -> None:
    """The counts by stage and verdict, and what each source gave, as tables."""
    lines = [
        {"stage": line.stage, "verdict": line.verdict, "pages": line.count, "meaning": line.meaning}
        for line in report.funnel(run)
    ]
    create_table_artifact(lines, key=key_of(run.dataset, "funnel"), description="; ".join(report.notes(run)))
    troubles = (run.summary("crawl") or {}).get("troubles", [])
    create_table_artifact(
        source_rows(run), key=key_of(run.dataset, "sources"), description="; ".join(troubles) or "All as usual."
    )


def source_rows(run: Run) -> list[dict[str, Any]]:
    """What each source gave in the run, those with most pages first."""
    found = totals(run.dataset.state, run.id)
    ordered = sorted(found.sources if found else (), key=lambda one: (-one.fetched, one.source))
    keys = ("source", "kind", "requests", "not_modified", "candidates", "known", "fetched", "relevant", "error")
    return [{key: getattr(one, key) for key in keys} for one in ordered]


def show_report(run: Run, address: str) -> None:
    """A link to the run's report."""
    create_link_artifact(address, key=key_of(run.dataset, "report"), link_text=f"report of run {run.id}")


def tell(event: str, run: Run, **payload: Any) -> None:
    """Emits an event about a dataset; its payload names the run."""
    dataset = {"prefect.resource.id": f"likewise.dataset.{run.dataset.name}", "prefect.resource.name": run.dataset.name}
    emit_event(event, resource=dataset, payload={"run": run.id, **payload})


def progress_watcher(dataset: Dataset, stage: str, warn: Callable[[str], None]) -> Watcher:
    """A watcher that shows as an artifact how far a stage is, in percent, every few seconds.

    Args:
        dataset: whose stage it is.
        stage: the name of the stage.
        warn: is told when Prefect cannot be; the stage goes on without its progress.
    """
    return Watcher(progress=_Bar(key_of(dataset, f"{stage}-progress"), stage, warn).show)


class _Bar:
    """The progress artifact of one stage, made at the first report that knows a total."""

    def __init__(self, key: str, stage: str, warn: Callable[[str], None]) -> None:
        self.key, self.stage, self.warn = key, stage, warn
        self.artifact: Any = None
        self.told_at = float("-inf")

    def show(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage != self.stage or not total or (done < total and now - self.told_at < _SECONDS_BETWEEN_UPDATES):
            return
        self.told_at = now
        try:
            self._tell(min(100.0, 100.0 * done / total), f"{done} of {total}")
        except Exception as error:  # noqa: BLE001 - a server that is away must not end a crawl
            self.warn(f"progress of {stage} cannot be shown: {type(error).__name__}: {error}")

    def _tell(self, percent: float, said: str) -> None:
        if self.artifact is None:
            self.artifact = create_progress_artifact(percent, key=self.key, description=said)
        else:
            update_progress_artifact(self.artifact, percent, description=said)
