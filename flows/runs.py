"""The state folder: one folder a run with a file for each finished stage, and the lock that keeps runs apart."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.config import Dataset
from flows.errors import StateError

STATE_FORMAT = 1
RUN_ID_FORMAT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a dataset and where its stages leave what they made.

    A stage is finished when its file is there; files appear by an atomic rename, so a killed stage leaves none.
    """

    dataset: Dataset
    id: str

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self.dataset.state / "runs" / self.id

    @property
    def clean_folder(self) -> Path:
        """Extracted pages, as Parquet parts in the pages' order."""
        return self.folder / "clean"

    @property
    def filter_folder(self) -> Path:
        """One row for each row of the extracted parts: its verdict and similarity to the seeds."""
        return self.folder / "filter"

    def marker(self, stage: str) -> Path:
        """The file that says that a stage is finished, and holds its summary."""
        return self.folder / f"{stage}.json"

    def summary(self, stage: str) -> dict[str, Any] | None:
        """What a finished stage said of itself; None while it is not finished."""
        path = self.marker(stage)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def finish(self, stage: str, summary: dict[str, Any]) -> dict[str, Any]:
        """Marks a stage as finished, and gives its summary back."""
        write_text(self.marker(stage), json.dumps(summary, indent=1, default=str, sort_keys=True) + "\n")
        return summary


def write_text(path: Path, text: str) -> None:
    """Writes a small file so that it is there whole or not at all, even after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def open_run(dataset: Dataset, now: datetime | None = None, kind: str = "run", fresh: bool = False) -> Run:
    """The run to go on with: the last one if it was not finished, else a new one named by the time.

    Args:
        dataset: whose run it is.
        now: the time that names a new run; default the present.
        kind: "run" or "backfill"; an unfinished run of the other kind is left to its own command.
        fresh: begin a new run even if the last one was not finished.
    """
    runs = [run for run in list_runs(dataset) if (run.summary("run") or {}).get("kind") == kind]
    if runs and not fresh and runs[-1].summary("done") is None:
        return runs[-1]
    return start_run(dataset, _unused_id(dataset, now or datetime.now(UTC)), kind)


def _unused_id(dataset: Dataset, now: datetime) -> str:
    while (dataset.state / "runs" / (run_id := now.strftime(RUN_ID_FORMAT))).exists():
        now += timedelta(seconds=1)
    return run_id


def start_run(dataset: Dataset, run_id: str, kind: str = "run") -> Run:
    """The run of that id, made if it is new."""
    run = Run(dataset, run_id)
    if run.summary("run") is None:
        run.finish("run", {"kind": kind, "id": run_id})
    return run


def list_runs(dataset: Dataset) -> list[Run]:
    """All runs in the order of their ids."""
    return [Run(dataset, path.parent.name) for path in sorted((dataset.state / "runs").glob("*/run.json"))]


@contextmanager
def locked_state(dataset: Dataset) -> Iterator[None]:
    """Holds the dataset's state for this process; the system frees the lock when the process ends, however it ends.

    Raises:
        StateError: another process holds it, the folder cannot be written, or a later version of likewise made it.
    """
    try:
        dataset.state.mkdir(parents=True, exist_ok=True)
        lock = (dataset.state / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"{dataset.state}: the state cannot be written: {error}.",
            "Free space, mend the permissions, or set LIKEWISE_HOME to another folder.",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(
                f"{dataset.state}: another process works on {dataset.name}.",
                "Wait until it ends; a crashed one holds nothing.",
            ) from error
        _check_format(dataset.state / "format")
        yield


def _check_format(path: Path) -> None:
    if not path.exists():
        write_text(path, f"{STATE_FORMAT}\n")
    found = path.read_text(encoding="utf-8").strip()
    if found != str(STATE_FORMAT):
        raise StateError(
            f"{path}: the state has format {found}, this version knows {STATE_FORMAT}.",
            "Use the version of likewise that wrote it, or another LIKEWISE_HOME.",
        )
