"""Prefect's task runners, by recipe: processes of this machine, or the workers of a Ray or a Dask cluster."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from flows.clusters import keep_nodes_as_they_are, require_cluster
from flows.config import RunSection
from flows.errors import ClusterError, LikewiseError
from flows.runs import Run
from flows.spreading.parts import Part, do_part
from flows.spreading.program import program
from flows.spreading.spread import Job
from flows.spreading.workplace import Workplace
from flows.stages import default_workers

RETRIES = 2
"""Times that a worker tries a part again. A part whose worker is lost is given to another one by Ray and by Dask."""

_AHEAD = 200
"""Parts that are under way on a cluster: more than it has cores, and a bound for what lies in the folder."""


@dataclass(frozen=True, slots=True)
class TaskSpread:
    """Workers behind one of Prefect's task runners; a part is a task run, and the runner lives as long as a stage."""

    run: RunSection
    workplace: Workplace

    def __call__(self, part: Part, jobs: Iterable[Job]) -> Iterator[tuple[Job, str]]:
        """As `Spread` says."""
        work = task(name=part.__name__.replace("_", "-"), retries=RETRIES, cache_policy=NO_CACHE)(do_part)
        waiting: deque[tuple[Job, PrefectFuture[Any]]] = deque()
        left = _Jobs(iter(jobs))
        if (first := next(left, None)) is None:
            return  # before workers are started for nothing
        if self.run.address:
            require_cluster(self.run.address, "Check `run.address`, and whether the cluster is up.")
        with _explained(self.run, left), _runner(self.run) as runner:
            for job in chain((first,), left):
                to = self.workplace.place(part.__name__, *job.values())
                waiting.append((job, runner.submit(work, {"part": part, "by": program(), "given": {**job, "to": to}})))
                if len(waiting) >= _ahead(self.run):
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)


@dataclass(slots=True)
class _Jobs:
    """Jobs as they are made, by reading pages and putting them into the folder; an error of that is the run's own."""

    made: Iterator[Job]
    error: Exception | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Job:
        try:
            return next(self.made)
        except StopIteration:
            raise
        except Exception as error:
            self.error = error
            raise


def spread_for(run: Run) -> TaskSpread | None:
    """What the recipe spreads a run's parts over; None where this process does them itself."""
    options = run.dataset.recipe.run
    if options.runner == "threads":
        return None
    folder = f"{options.work.rstrip('/')}/{run.dataset.name}/{run.id}" if options.work else f"file://{run.folder}/work"
    return TaskSpread(options, Workplace(folder))


def _next(waiting: deque[tuple[Job, PrefectFuture[Any]]]) -> tuple[Job, str]:
    job, future = waiting.popleft()
    return job, str(future.result())


def _ahead(run: RunSection) -> int:
    return 2 * default_workers().processes if run.runner == "processes" else _AHEAD


def _runner(run: RunSection) -> TaskRunner[Any]:
    try:
        return _new_runner(run)
    except ImportError as error:
        raise ClusterError(f"run.runner = {run.runner!r}: {error}.", f"pip install 'likewise[{run.runner}]'") from error


def _new_runner(run: RunSection) -> TaskRunner[Any]:
    address: dict[str, Any] = {"address": run.address} if run.address else {}
    if run.runner == "ray":  # Ray and Dask are extras
        keep_nodes_as_they_are()
        from prefect_ray.task_runners import RayTaskRunner

        return RayTaskRunner(**address, init_kwargs={"log_to_driver": False})
    if run.runner == "dask":
        from prefect_dask.task_runners import DaskTaskRunner

        local = {"n_workers": default_workers().processes, "threads_per_worker": 1, "dashboard_address": None}
        return DaskTaskRunner(**(address or {"cluster_kwargs": local}))
    return ProcessPoolTaskRunner(max_workers=default_workers().processes)


@contextmanager
def _explained(run: RunSection, jobs: _Jobs) -> Iterator[None]:
    """Says of whatever comes from a runner what to look at; what comes from the jobs speaks for itself."""
    where = f"{run.runner} at {run.address}" if run.address else run.runner
    try:
        yield
    except LikewiseError:
        raise
    except Exception as error:
        if error is jobs.error:
            raise
        raise ClusterError(
            f"The workers ({where}) did not do their part: {type(error).__name__}: {error}.",
            "Check that they can be reached, have this version of likewise, and have in their environment what opens"
            " `run.work`; the same command goes on where it stopped.",
        ) from error
