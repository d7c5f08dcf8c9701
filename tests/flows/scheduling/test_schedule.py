"""Datasets on a schedule, on a real Prefect server: runs that are due, killed, cancelled, silent and failing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml

pytest.importorskip("prefect")

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.states import Cancelling, Running, Scheduled

from flows.config import Dataset, load_dataset_config
from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer, serve
from flows.runs import RUN_ID_FORMAT, Run, due_runs, list_runs, start_run
from flows.scheduling.occasions import Occasion, superseding
from flows.scheduling.status import dataset_status
from flows.stages import Input
from tests.flows.conftest import published_rows, write_newsroom_recipe
from tests.flows.prefect_server import ROOT, children, running_prefect, started, wait_until

SOURCES = """[sources]
feeds = ["http://beacon.newsroom.example:{port}/atom.xml"]
"""


# What collapses


def occasion(minute: int, state: StateType = StateType.SCHEDULED, scheduled: bool = True) -> Occasion:
    """A run that was due some minutes after ten."""
    return Occasion(uuid4(), UUID(int=1), datetime(2026, 3, 1, 10, minute, tzinfo=UTC), scheduled, state)


NOW = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)


def test_missed_runs_collapse_into_the_last() -> None:
    """Of the runs that were due during downtime only the last does the work."""
    missed = [occasion(minute) for minute in (0, 10, 20)]
    left = [one for one in missed if superseding(one, missed, NOW) is None]
    assert left == missed[-1:]


@pytest.mark.parametrize(
    ("other", "is_superseded"),
    [
        (occasion(10, StateType.RUNNING), True),
        (occasion(10, StateType.COMPLETED), True),
        (occasion(10, StateType.PENDING), True),
        (occasion(10, StateType.FAILED), False),
        (occasion(10, StateType.CRASHED), False),
        (occasion(10, StateType.CANCELLED), False),
        (occasion(40), False),
        (occasion(5), False),
        (occasion(1), False),
        (occasion(10, scheduled=False), False),
    ],
)
def test_only_a_later_run_that_does_the_work_supersedes(other: Occasion, is_superseded: bool) -> None:
    """A run gives way to one that was due later and by now, unless that one failed, was cancelled or made by hand."""
    assert (superseding(occasion(5), [other], NOW) is not None) == is_superseded


def test_a_run_that_was_asked_for_is_never_superseded() -> None:
    """What somebody started by hand runs, whatever the schedule does."""
    assert superseding(occasion(5, scheduled=False), [occasion(10)], NOW) is None


# What a scheduled run does


def test_a_time_that_is_delivered_twice_makes_one_run(tmp_path: Path) -> None:
    """The run of a time is gone on with until it is done, and then not made again."""
    dataset = bare_dataset(tmp_path)
    (first,) = due_runs(dataset, "20260301T100000Z")
    assert due_runs(dataset, "20260301T100000Z") == [first]
    first.finish("done", {})
    assert due_runs(dataset, "20260301T100000Z") == []


def test_an_unfinished_run_comes_first(tmp_path: Path) -> None:
    """What an earlier run left is finished before the run's own work; backfills are left alone."""
    dataset = bare_dataset(tmp_path)
    start_run(dataset, "cut-short")
    start_run(dataset, "other", kind="backfill")
    assert [run.id for run in due_runs(dataset, "20260301T100000Z")] == ["cut-short", "20260301T100000Z"]


def bare_dataset(folder: Path) -> Dataset:
    """A dataset that nobody runs."""
    (folder / "recipe.toml").write_text('[topic]\nseeds = ["*.txt"]\n', encoding="utf-8")
    return load_dataset_config(str(folder), {})


# A real server


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Prefect server of its own; gives the environment of its clients."""
    with running_prefect(tmp_path_factory.mktemp("prefect")) as environment:
        yield environment


@pytest.fixture
def client(prefect: dict[str, str]) -> Iterator[SyncPrefectClient]:
    settings: dict[Any, Any] = {PREFECT_API_URL: prefect["PREFECT_API_URL"], PREFECT_HOME: prefect["PREFECT_HOME"]}
    with temporary_settings(settings), get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def slow_server(newsroom: Newsroom) -> Iterator[NewsServer]:
    """The newsroom, slow enough to be caught in the middle of a crawl."""
    with serve(newsroom, port=0, latency=0.5) as server:
        yield server


def serving(dataset: Dataset, environment: dict[str, str], *options: str) -> Any:
    """`likewise serve`, in a process."""
    command = [sys.executable, "-m", "flows.cli", "serve", str(dataset.folder), *options]
    return started(command, environment, dataset.folder / "serve.log")


def scheduled_newsroom(folder: Path, newsroom: Newsroom, server: NewsServer, name: str) -> Dataset:
    """A dataset of one of the newsroom's feeds, due once a day."""
    made = write_newsroom_recipe(folder, newsroom, server)
    before, _, rest = made.recipe_path.read_text(encoding="utf-8").partition("[sources]")
    recipe = before + SOURCES.format(port=server.port) + rest[rest.index("[period]") :]
    made.recipe_path.write_text(recipe + '\n[schedule]\ninterval = "1d"\n', encoding="utf-8")
    home = made.folder.rename(made.folder.with_name(name))
    return load_dataset_config(str(home), {})


def deployed(client: SyncPrefectClient, name: str) -> Any:
    """The deployment of a dataset, once it is served."""

    def find() -> Any:
        found = [one for one in client.read_deployments() if one.name == name]
        return found[0] if found else None

    return wait_until(find)


def ask_for_run(client: SyncPrefectClient, name: str) -> UUID:
    """A run of the deployment that is due now."""
    due = Scheduled(scheduled_time=datetime.now(UTC))
    return client.create_flow_run_from_deployment(deployed(client, name).id, state=due).id


def runs_of(client: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    """The deployment's runs."""
    return [run for run in client.read_flow_runs(limit=200) if run.deployment_id == deployment]


def state_of(client: SyncPrefectClient, run: UUID) -> str:
    return str(client.read_flow_run(run).state_name)


def is_crawling(dataset: Dataset) -> bool:
    """Whether some page is stored, and the crawl goes on."""
    stored = any(path.stat().st_size > 2_000 for path in (dataset.state / "warc").glob("*.warc.gz"))
    return stored and not any(dataset.state.glob("runs/*/crawl.json"))


def summaries(dataset: Dataset) -> list[dict[str, Any]]:
    """What the finished runs say of themselves, in their order."""
    return [done for run in list_runs(dataset) if (done := run.summary("done"))]


def test_runs_that_are_due_publish_once(
    tmp_path: Path, newsroom: Newsroom, news_server: NewsServer, prefect: dict[str, str], client: SyncPrefectClient
) -> None:
    """A scheduled run publishes, the next finds nothing new; each has the name of its time; overdue ones collapse."""
    dataset = scheduled_newsroom(tmp_path, newsroom, news_server, "due")
    with serving(dataset, prefect):
        deployment = deployed(client, "due")
        often = IntervalSchedule(interval=timedelta(seconds=20))
        client.create_deployment_schedules(deployment.id, [(often, True)])
        wait_until(lambda: sum(run.state_name == "Completed" for run in runs_of(client, deployment.id)) >= 2)
    first, second = summaries(dataset)[:2]
    assert (first["version"], first["is_new"]) == (1, True)
    assert (second["version"], second["is_new"]) == (1, False)
    runs = runs_of(client, deployment.id)
    due = {run.expected_start_time.strftime(RUN_ID_FORMAT): run for run in runs if run.expected_start_time}
    assert {run.id for run in list_runs(dataset)} <= set(due)
    assert all(due[said["run"]].state_name == "Completed" for said in (first, second))
    between = [run for run_id, run in due.items() if first["run"] < run_id < second["run"]]
    assert {run.state_name for run in between} <= {"Skipped", "AwaitingConcurrencySlot"}  # these are skipped later
    assert {one.key for one in client.read_artifacts()} >= {
        "due-funnel",
        "due-sources",
        "due-report",
        "due-crawl-progress",
    }
    assert published_rows(dataset)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kills the server of datasets and the runs that it started, as a machine does that goes down."""
    for child in children(process.pid):
        os.kill(child, signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_run_is_marked_and_taken_over(
    tmp_path: Path, newsroom: Newsroom, slow_server: NewsServer, prefect: dict[str, str], client: SyncPrefectClient
) -> None:
    """After SIGKILL of everything, the next `serve` marks the run as crashed; the next run finishes it and its own."""
    dataset = scheduled_newsroom(tmp_path, newsroom, slow_server, "killed")
    with serving(dataset, prefect) as process:
        killed = ask_for_run(client, "killed")
        wait_until(lambda: is_crawling(dataset))
        kill_all(process)
    assert state_of(client, killed) == "Running"
    slow_server.latency = 0.0
    with serving(dataset, prefect):
        wait_until(lambda: state_of(client, killed) == "Crashed")
        assert dataset_status(dataset).last_run.outcome == "cut short"  # type: ignore[union-attr]
        following = ask_for_run(client, "killed")
        wait_until(lambda: state_of(client, following) in ("Completed", "Failed"))
    assert state_of(client, following) == "Completed"
    assert [(done["version"], done["is_new"]) for done in summaries(dataset)] == [(1, True), (1, False)]
    assert [run.id for run in list_runs(dataset)] == [run_id_of(client, killed), run_id_of(client, following)]


def test_a_server_that_is_stopped_ends_its_runs(
    tmp_path: Path, newsroom: Newsroom, slow_server: NewsServer, prefect: dict[str, str], client: SyncPrefectClient
) -> None:
    """After SIGTERM a run that was at work is marked as crashed, before `serve` ends and without the automation."""
    dataset = scheduled_newsroom(tmp_path, newsroom, slow_server, "terminated")
    with serving(dataset, prefect, "--silent", "600") as process:
        stopped = ask_for_run(client, "terminated")
        wait_until(lambda: is_crawling(dataset))
        slow_server.latency = 5.0  # so that the crawl cannot end by itself
        process.terminate()
        assert process.wait(60) == 130
    assert state_of(client, stopped) == "Crashed"


def run_id_of(client: SyncPrefectClient, run: UUID) -> str:
    """The run that a flow run makes."""
    due = client.read_flow_run(run).expected_start_time
    assert due is not None
    return due.strftime(RUN_ID_FORMAT)


def test_a_cancelled_run_stops_in_good_order(
    tmp_path: Path, newsroom: Newsroom, slow_server: NewsServer, prefect: dict[str, str], client: SyncPrefectClient
) -> None:
    """Cancelled in the middle of its crawl, a run ends as Cancelled with its pages stored and nothing left running."""
    dataset = scheduled_newsroom(tmp_path, newsroom, slow_server, "stopped")
    with serving(dataset, prefect) as process:
        cancelled = ask_for_run(client, "stopped")
        wait_until(lambda: is_crawling(dataset))
        slow_server.latency = 5.0  # so that the crawl cannot end by itself before the runner looks for cancelled runs
        client.set_flow_run_state(cancelled, Cancelling())
        wait_until(lambda: state_of(client, cancelled) == "Cancelled")
        wait_until(lambda: dataset_status(dataset).last_run.outcome == "cut short")  # type: ignore[union-attr]
        wait_until(lambda: not children(process.pid))
    (run,) = list_runs(dataset)
    assert run.summary("crawl") is None
    assert next(own_pages(run)).body


def own_pages(run: Run) -> Iterator[Any]:
    """The pages that the run's crawl has stored."""
    return Input().pages(run, damaged=pytest.fail)


def with_prefect(command: str, environment: dict[str, str]) -> None:
    """Runs a command of Prefect's own, in the project's folder."""
    words = [sys.executable, "-m", "prefect", "--no-prompt", *command.split()]
    environment = environment | {"PWD": str(ROOT)}
    done = subprocess.run(words, env=environment, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_for_workers_deploys(prefect: dict[str, str], client: SyncPrefectClient) -> None:
    """`prefect deploy` takes prefect.yaml: one run at a time, heartbeats, and a recipe that there is."""
    with_prefect("work-pool create likewise --type process --overwrite", prefect)
    with_prefect("deploy --all", prefect)
    deployment = client.read_deployment_by_name("likewise/kremlin-meetings")
    assert load_dataset_config(str(ROOT / "datasets" / deployment.parameters["recipe"]), {}).recipe.sources
    assert deployment.entrypoint == "flows/pipeline.py:grow"
    assert deployment.global_concurrency_limit is not None
    assert deployment.global_concurrency_limit.limit == 1
    assert deployment.pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}]
    assert deployment.job_variables["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"


def test_a_worker_makes_the_runs_that_are_due(
    tmp_path: Path, newsroom: Newsroom, news_server: NewsServer, prefect: dict[str, str], client: SyncPrefectClient
) -> None:
    """A Prefect worker makes scheduled runs of prefect.yaml: the first publishes, the next finds nothing new."""
    dataset = scheduled_newsroom(tmp_path, newsroom, news_server, "worked")
    said = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    (deployment,) = said["deployments"]
    mine = {"name": "worked", "parameters": {"recipe": str(dataset.recipe_path)}, "schedules": [{"interval": 20}]}
    said["deployments"] = [deployment | mine]
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    with_prefect("work-pool create likewise --type process --overwrite", prefect)
    with_prefect(f"deploy --all --prefect-file {tmp_path / 'prefect.yaml'}", prefect)
    worker = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "likewise"]
    with started(worker, prefect | {"PREFECT_WORKER_QUERY_SECONDS": "1"}, tmp_path / "worker.log"):
        found = deployed(client, "worked")
        wait_until(lambda: sum(run.state_name == "Completed" for run in runs_of(client, found.id)) >= 2)
    first, second = summaries(dataset)[:2]
    assert (first["version"], first["is_new"]) == (1, True)
    assert (second["version"], second["is_new"]) == (1, False)
    assert published_rows(dataset)


class _Inbox(BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    got: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(json.loads(json.loads(body)) if body[:1] == b'"' else json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def inbox() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a webhook, and what it got."""
    got: list[dict[str, Any]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Inbox", (_Inbox,), {"got": got}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", got
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_silent_run_is_marked_and_told(
    tmp_path: Path,
    newsroom: Newsroom,
    news_server: NewsServer,
    prefect: dict[str, str],
    client: SyncPrefectClient,
    inbox: tuple[str, list[dict[str, Any]]],
) -> None:
    """A run without signs of life is marked as crashed by the server itself, which then tells of it."""
    from prefect.blocks.webhook import Webhook

    address, got = inbox
    Webhook(url=address).save("alerts", overwrite=True)
    dataset = scheduled_newsroom(tmp_path, newsroom, news_server, "silent")
    with serving(dataset, prefect, "--silent", "10", "--alert", "webhook/alerts"):
        deployment = deployed(client, "silent")
        wait_until(lambda: len(client.read_automations()) == 2)
    silent = client.create_flow_run_from_deployment(deployment.id, state=Running()).id
    give_sign_of_life(silent, deployment.flow_id)
    wait_until(lambda: state_of(client, silent) == "Crashed", 40)
    told = wait_until(lambda: [one for one in got if one["event"] == "prefect.flow-run.Crashed"], 40)
    assert told


def give_sign_of_life(run: UUID, flow: UUID) -> None:
    """The event that a running flow emits every half minute."""
    from prefect.events import emit_event
    from prefect.events.worker import EventsWorker

    related = {
        "prefect.resource.id": f"prefect.flow.{flow}",
        "prefect.resource.role": "flow",
        "prefect.resource.name": "likewise",
    }
    emit_event(
        "prefect.flow-run.heartbeat",
        resource={"prefect.resource.id": f"prefect.flow-run.{run}", "prefect.resource.name": "silent"},
        related=[related],
    )
    EventsWorker.drain_all(timeout=10)
