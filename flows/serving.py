"""Runs the flow from the command line, on the configured Prefect server or on a temporary one."""

import logging
from typing import Any

from prefect.logging.handlers import PrefectConsoleHandler
from prefect.settings import (
    PREFECT_SERVER_ANALYTICS_ENABLED,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    temporary_settings,
)

from flows.pipeline import grow

STARTUP_SECONDS = 120
"""The first start on a fresh home migrates the database, which takes longer than Prefect's default of 20 seconds."""


def run_flow(recipe: str, run_id: str | None, verbose: bool) -> dict[str, Any]:
    """Runs the flow in this process and gives its summary; Prefect's own log lines are shown with `verbose` only."""
    quiet_console(logging.INFO if verbose else logging.ERROR)
    settings = {
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: STARTUP_SECONDS,
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
    }
    with temporary_settings(updates=settings):
        summary: dict[str, Any] = grow(recipe, run_id)
    return summary


def quiet_console(level: int) -> None:
    """Sets the level of Prefect's console handlers; what goes to its server stays as it is."""
    for name in ("", "prefect", "prefect.flow_runs", "prefect.task_runs"):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, PrefectConsoleHandler):
                handler.setLevel(level)
