"""Runs the flow from the command line, on the configured Prefect server or on a temporary one."""

import atexit
import logging
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker, PrefectConsoleHandler
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    get_current_settings,
    temporary_settings,
)

from flows.errors import LikewiseError, ServerError
from flows.pipeline import grow
from flows.runs import Run
from flows.scheduling.temporary_server import answers, start_server, stop_server
from flows.spreading.runners import spread_for
from flows.spreading.spread import Spread

DRAIN_SECONDS = 10.0


def run_flow(recipe: str, run_id: str | None, verbose: bool) -> dict[str, Any]:
    """Runs the flow in this process and gives its summary; Prefect's own log lines are shown with `verbose` only.

    Raises:
        ServerError: the configured server does not answer, or the temporary one does not start.
    """
    quiet_console(logging.INFO if verbose else logging.CRITICAL)
    with some_server():
        return cast(dict[str, Any], grow(recipe, run_id))  # only a deployment's run may be skipped


@contextmanager
def spread_by_command(run: Run, verbose: bool) -> Iterator[Spread | None]:
    """What a recipe spreads a run's parts over, for a command that is no flow run.

    Raises:
        ServerError: as `run_flow` says.
    """
    quiet_console(logging.INFO if verbose else logging.CRITICAL)
    with some_server(), temporary_settings(updates={PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        yield spread_for(run)


@contextmanager
def some_server() -> Iterator[None]:
    """Makes sure of a Prefect server: the configured one, else a temporary one that lasts as long as this process.

    Raises:
        ServerError: it does not answer, before what is to be done or in the middle of it.
    """
    configured = get_current_settings().api.url
    address = check_server(configured) if configured else _temporary_server()
    with temporary_settings(updates={PREFECT_API_URL: address, PREFECT_SERVER_ANALYTICS_ENABLED: False}):
        try:
            yield
        except LikewiseError:
            raise
        except Exception as error:
            if answers(address):
                raise
            raise ServerError(
                f"The Prefect server at {address} stopped answering.",
                ("Start it again, and run" if configured else "Run") + " the same command again: it goes on from here.",
            ) from error


@cache
def _temporary_server() -> str:
    server, address = start_server()
    atexit.register(_stop_after_last_word, server)
    return address


def _stop_after_last_word(server: subprocess.Popen[bytes]) -> None:
    """Stops the server once it has got the events and log lines that are still on their way to it."""
    EventsWorker.drain_all(timeout=DRAIN_SECONDS)
    APILogWorker.drain_all(timeout=DRAIN_SECONDS)
    stop_server(server)


def check_server(address: str) -> str:
    """The address, if a Prefect server answers there.

    Raises:
        ServerError: none does.
    """
    if not answers(address):
        raise ServerError(
            f"No Prefect server answers at {address} (PREFECT_API_URL, or the Prefect profile).",
            "Start it with `prefect server start`, or mend the address; "
            "`likewise run` without an address uses a temporary server.",
        )
    return address


def quiet_console(level: int) -> None:
    """Sets the level of Prefect's console handlers; what goes to its server stays as it is."""
    for name in ("", "prefect", "prefect.flow_runs", "prefect.task_runs"):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, PrefectConsoleHandler):
                handler.setLevel(level)
