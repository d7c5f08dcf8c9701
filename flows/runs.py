"""The state folder: one folder a run with a file for each finished stage, and the lock that keeps runs apart."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.config import RECIPE_NAME, Dataset
from flows.errors import InputError, LikewiseError, StateError

STATE_FORMAT = 1
RUN_ID_FORMAT = "%Y%m%dT%H%M%SZ"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


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
        """What a finished stage said of itself; None while it is not finished.

        Raises:
            StateError: the file is broken.
        """
        path = self.marker(stage)
        try:
            found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        except ValueError as error:
            raise StateError(f"{path}: cannot be read: {error}.", "Delete it: that stage is done again.") from error
        return found

    def require(self, stage: str) -> None:
        """Makes sure that the stage before is finished.

        Raises:
            InputError: it is not.
        """
        if self.summary(stage) is None:
            raise InputError(
                f"Run {self.id} of {self.dataset.name}: the stage `{stage}` is not finished.",
                f"Run `likewise {stage} {self.dataset.name}` first, or `likewise run` for all stages.",
            )

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
    open_ones = unfinished_runs(dataset, kind)
    if fresh:
        for run in open_ones:
            run.finish("done", {"abandoned": True})
    elif open_ones:
        return open_ones[-1]
    return start_run(dataset, _unused_id(dataset, now or datetime.now(UTC)), kind)


def unfinished_runs(dataset: Dataset, kind: str = "run") -> list[Run]:
    """The runs of a kind that were begun and not finished, in the order in which they were begun."""
    begun = [(run.summary("run") or {}, run) for run in list_runs(dataset)]
    found = [(said.get("created", ""), run.id, run) for said, run in begun if said.get("kind") == kind]
    return [run for _, _, run in sorted(found, key=lambda item: item[:2]) if run.summary("done") is None]


def due_runs(dataset: Dataset, run_id: str) -> list[Run]:
    """The runs to make when a scheduled one is due: first what an earlier one left unfinished, then its own.

    Nothing, where the run of that id is done: the same time was delivered twice.
    """
    own = start_run(dataset, run_id)
    if own.summary("done") is not None:
        return []
    return [*(run for run in unfinished_runs(dataset) if run.id != own.id), own]


@contextmanager
def failures_noted(run: Run) -> Iterator[None]:
    """Leaves in the run's folder why it stopped, for `likewise status`."""
    try:
        yield
    except LikewiseError as error:
        run.finish("failure", {"what": error.what, "remedy": error.remedy, "at": datetime.now(UTC).isoformat()})
        raise


def _unused_id(dataset: Dataset, now: datetime) -> str:
    while (dataset.state / "runs" / (run_id := now.strftime(RUN_ID_FORMAT))).exists():
        now += timedelta(seconds=1)
    return run_id


def start_run(dataset: Dataset, run_id: str, kind: str = "run") -> Run:
    """The run of that id, made if it is new.

    Raises:
        InputError: it cannot be the name of a folder.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise InputError(f"{run_id!r} cannot be the id of a run.", "Use up to 64 letters, digits, dots and dashes.")
    run = Run(dataset, run_id)
    if run.summary("run") is None:
        run.finish("run", {"kind": kind, "id": run_id, "created": datetime.now(UTC).isoformat()})
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
    with locked_file(dataset.state / "lock") as held:
        if not held:
            raise StateError(
                f"{dataset.state}: another process works on {dataset.name}.",
                "Wait until it ends; a crashed one holds nothing.",
            )
        _check_format(dataset.state / "format")
        _check_owner(dataset)
        yield


@contextmanager
def locked_file(path: Path) -> Iterator[bool]:
    """Locks a file, made if it is not there; False where another process has locked it.

    Raises:
        StateError: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"{path.parent}: the state cannot be written: {error}.",
            "Free space, mend the permissions, or set LIKEWISE_HOME to another folder.",
        ) from error
    with lock:
        yield _lock_at_once(lock.fileno())


def _lock_at_once(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _check_owner(dataset: Dataset) -> None:
    """Two datasets of one name, in different folders, must not share a state; one that was moved may keep its own.

    The folder is remembered as seen from the state, so that both may be moved or copied together.
    """
    path = dataset.state / "dataset"
    here = os.path.relpath(dataset.folder, dataset.state)
    owner = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    if owner and owner != here and (dataset.state / owner / RECIPE_NAME).exists():
        raise StateError(
            f"{dataset.state}: this is the state of {(dataset.state / owner).resolve()}, not of {dataset.folder}.",
            "Rename one of the two folders, or set LIKEWISE_HOME to another folder for one of them.",
        )
    if owner != here:
        write_text(path, f"{here}\n")


def _check_format(path: Path) -> None:
    if not path.exists():
        write_text(path, f"{STATE_FORMAT}\n")
    found = path.read_text(encoding="utf-8").strip()
    if found != str(STATE_FORMAT):
        raise StateError(
            f"{path}: the state has format {found}, this version knows {STATE_FORMAT}.",
            "Use the version of likewise that wrote it, or another LIKEWISE_HOME.",
        )
