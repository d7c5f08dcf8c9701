"""Who is told how a stage goes on: the terminal, a Prefect run, or nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watcher:
    """Gets `progress(stage, done, total or None)` often, and `log(line)` for lines that people may want to read."""

    progress: Callable[[str, int, int | None], None] = lambda _stage, _done, _total: None
    log: Callable[[str], None] = lambda _line: None

    def __and__(self, other: "Watcher") -> "Watcher":
        """A watcher that tells both."""

        def progress(stage: str, done: int, total: int | None) -> None:
            self.progress(stage, done, total)
            other.progress(stage, done, total)

        def log(line: str) -> None:
            self.log(line)
            other.log(line)

        return Watcher(progress, log)


SILENT = Watcher()

_CURRENT: ContextVar[Watcher] = ContextVar("watcher", default=SILENT)


def current_watcher() -> Watcher:
    """The watcher of this context; flow runs take only plain data as parameters, so it reaches their tasks this way."""
    return _CURRENT.get()


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Makes a watcher the current one."""
    token = _CURRENT.set(watcher)
    try:
        yield
    finally:
        _CURRENT.reset(token)
