"""Worker processes that clean a page at a time under a deadline and a memory limit; results keep the pages' order."""

import math
import multiprocessing
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from cleaning.schema import Extraction, Page
from cleaning.verdict import Verdict
from flows.errors import StateError

Clean = Callable[[Page], Extraction]

STARTUP_SECONDS = 120.0
_READY = "ready"


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How many processes, and what one page may use: `seconds` of CPU, `memory` bytes beyond an idle worker's.

    `patience` is the wall time in seconds after which a page is given up that uses none, or is on a machine too busy to
    run it. The verdict on a page that takes long is so that of its work, and not of what else the machine does.
    """

    processes: int = 2
    seconds: float = 20.0
    patience: float = 180.0
    memory: int = 1_500_000_000
    ahead: int = 64


class _Worker:
    """One child process and its pipe; busy with at most one page."""

    def __init__(self, context: multiprocessing.context.BaseContext, clean: Clean, options: WorkerOptions) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, clean, options), daemon=True)  # type: ignore[attr-defined]
        self.process.start()
        theirs.close()
        self._wait_until_ready()
        self.ticket = -1
        self.page: Page | None = None
        self.deadline = 0.0

    def _wait_until_ready(self) -> None:
        """Waits for the child's first word, so that its imports do not count against a page's deadline."""
        try:
            if self.pipe.poll(STARTUP_SECONDS) and self.pipe.recv() == _READY:
                return
        except (EOFError, OSError):
            pass
        self.stop()
        raise StateError(
            "A worker process did not start.",
            "In a script of your own, put the calls under `if __name__ == '__main__':`; else see the lines above.",
        )

    def give(self, ticket: int, page: Page, patience: float) -> None:
        """Hands over a page; `patience` is in seconds."""
        self.ticket, self.page, self.deadline = ticket, page, time.monotonic() + patience
        self.pipe.send(page)

    def ended_by(self) -> int:
        """The number of the signal that ended the process; 0 for none."""
        self.process.join(STARTUP_SECONDS)
        return max(0, -(self.process.exitcode or 0))

    def stop(self) -> None:
        """Ends the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.pipe.close()


def clean_pages(pages: Iterable[Page], clean: Clean, options: WorkerOptions = WorkerOptions()) -> Iterator[Extraction]:
    """The extraction of every page, in the order of `pages`, however many processes there are.

    A page that overruns its deadline ends as TIMED_OUT, one that breaks its process or exceeds its memory as CRASHED;
    the process is replaced and the rest go on.

    Args:
        pages: read lazily; at most `options.ahead` pages and results are held.
        clean: a picklable callable; it runs in the children.
        options: the number of processes and the limits of a page.

    Raises:
        StateError: the processes do not start.
    """
    pool = _Pool(clean, options)
    try:
        yield from pool.run(iter(pages))
    finally:
        pool.stop()


class _Pool:
    def __init__(self, clean: Clean, options: WorkerOptions) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["cleaning.extract"])
        self.clean, self.options = clean, options
        self.workers = [self._start() for _ in range(options.processes)]

    def _start(self) -> _Worker:
        return _Worker(self.context, self.clean, self.options)

    def run(self, pages: Iterator[Page]) -> Iterator[Extraction]:
        results: dict[int, Extraction] = {}
        order: deque[int] = deque()
        tickets, more = enumerate(pages), True
        while more or order:
            is_ready = bool(order) and order[0] in results
            results.update(self._collect(0.0 if is_ready else math.inf))
            # Free workers have their next pages before the caller deals with a result, which takes time too.
            more = more and self._hand_out(tickets, order)
            if order and order[0] in results:
                yield results.pop(order.popleft())

    def _hand_out(self, tickets: Iterator[tuple[int, Page]], order: deque[int]) -> bool:
        """Gives the free workers pages, as far as so many may be held; False when there are no more of them."""
        for worker in self.workers:
            if worker.page is None and len(order) < self.options.ahead:
                ticket, page = next(tickets, (-1, None))
                if page is None:
                    return False
                self._give(worker, ticket, page)
                order.append(ticket)
        return True

    def _give(self, worker: _Worker, ticket: int, page: Page) -> None:
        try:
            worker.give(ticket, page, self.options.patience)
        except OSError:  # the idle process was killed from outside; the page is not to blame
            fresh = self._replace(worker)
            fresh.give(ticket, page, self.options.patience)

    def _collect(self, seconds: float) -> Iterator[tuple[int, Extraction]]:
        """Results that are there, and verdicts of pages that overran; waits until there is one, so long at most."""
        busy = [worker for worker in self.workers if worker.page is not None]
        if not busy:
            return
        patience = min(worker.deadline for worker in busy) - time.monotonic()
        ready = set(wait([worker.pipe for worker in busy], max(0.0, min(patience, seconds))))
        for worker in busy:
            if worker.pipe in ready:
                yield self._received(worker)
            elif time.monotonic() >= worker.deadline:
                yield self._ended(worker, Verdict.TIMED_OUT, f"no answer in {self.options.patience:g} s")

    def _received(self, worker: _Worker) -> tuple[int, Extraction]:
        try:
            result = worker.pipe.recv()
        except (EOFError, OSError):
            if worker.ended_by() == signal.SIGXCPU:
                return self._ended(worker, Verdict.TIMED_OUT, f"cleaning took over {self.options.seconds:g} s of CPU")
            return self._ended(worker, Verdict.CRASHED, "the worker process ended")
        if isinstance(result, str):
            return self._ended(worker, Verdict.CRASHED, result)
        worker.page = None
        return worker.ticket, result

    def _ended(self, worker: _Worker, verdict: Verdict, reason: str) -> tuple[int, Extraction]:
        page, ticket = worker.page, worker.ticket
        assert page is not None
        self._replace(worker)
        return ticket, failed(page, verdict, reason)

    def _replace(self, worker: _Worker) -> _Worker:
        fresh = self._start()
        self.workers[self.workers.index(worker)] = fresh
        worker.stop()
        return fresh

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()


def failed(page: Page, verdict: Verdict, reason: str) -> Extraction:
    """The record of a page that cleaning could not finish."""
    return Extraction(
        url=page.url,
        verdict=verdict,
        reason=reason,
        fetched_at=page.fetched_at,
        source=page.source,
        source_kind=page.source_kind,
        rights=page.rights,
        warc_file=page.warc_file,
        warc_offset=page.warc_offset,
    )


def _serve(pipe: Connection, clean: Clean, options: WorkerOptions) -> None:
    """The child's life: a page in, its extraction (or the name of the fault) out."""
    pipe.send(_READY)
    _limit_memory(options.memory)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    while True:
        _limit_cpu(options.seconds)
        try:
            page = pipe.recv()
        except (EOFError, ConnectionError, KeyboardInterrupt):  # the run ended, or was killed
            return
        try:
            answer: Extraction | str = clean(page)
        except KeyboardInterrupt:
            return
        except BaseException as error:  # noqa: BLE001 - whatever breaks is told to the parent, which records the page
            answer = f"{type(error).__name__}: {error}"[:300]
        pipe.send(answer)


def _limit_cpu(seconds: float) -> None:
    """Lets the system end this process once it has used so many more seconds of CPU, to the next whole one."""
    limit = math.ceil(time.process_time() + seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _limit_memory(memory: int) -> None:
    """Bounds the address space at today's plus `memory` bytes, where the system tells today's (Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return
    limit = pages * resource.getpagesize() + memory
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
