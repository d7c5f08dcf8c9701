"""The first stage: crawls in a process of its own, and writes down what became of every URL."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from cleaning.schema import REJECTED, arrow_schema
from cleaning.urls import host_of
from cleaning.verdict import Verdict
from crawler.options import CrawlOptions
from crawler.outcomes import SourceTotals, Totals, outcomes, totals
from crawler.sources import given_sources
from flows.config import Dataset, crawl_options
from flows.curation.labels import read_labels
from flows.errors import SourcesError, StateError
from flows.reach import lacking_settings
from flows.runs import Run, list_runs, write_text
from flows.scheduling.health import RUNS_COMPARED, troubles
from flows.tables import write_table
from flows.watching import SILENT, Watcher

_UNREACHABLE = 3
"""The exit code of `python -m crawler` when no source answered."""

_SOURCES_SHOWN = 10
_LOG_PREFIX = re.compile(r"^[\d-]{10} [\d:,]{12} [A-Z]+ ")

OUTCOMES = arrow_schema(column for column in REJECTED if column.name not in ("run_id", "similarity"))

Summary = dict[str, Any]


def crawl(run: Run, urls: Sequence[str] = (), watcher: Watcher = SILENT) -> Summary:
    """Crawls in a process of its own (Scrapy's reactor runs once a process) and waits for its end.

    Args:
        run: whose recipe says what to crawl; its WARC files are what is left behind.
        urls: fetch exactly these instead of the recipe's sources.
        watcher: gets the process's log lines, the number of pages fetched, and which sources are in trouble.

    Raises:
        SourcesError: none of the sources answered.
        StateError: the process failed; the message ends with its last lines.
    """
    if finished := run.summary("crawl"):
        return finished
    labels = tuple(stored.learnable() for stored in read_labels(run.dataset))
    options = crawl_options(run.dataset, run.id, tuple(urls), labels)
    told = run.folder / "crawl-options.json"
    write_text(told, options.to_json())
    ended = _watch_crawl([sys.executable, "-m", "crawler", str(told)], options.limits.pages, watcher)
    _check_exit(ended, run)
    found = [str(trouble) for trouble in troubles(_recent_totals(run), _given(options))]
    for trouble in found:
        watcher.log(f"source in trouble: {trouble}")
    return run.finish("crawl", ended.said | {"outcomes": _write_outcomes(run), "troubles": found})


def _recent_totals(run: Run) -> list[Totals]:
    """What the crawls of the last runs up to this one gave, the oldest first."""
    earlier = [other.id for other in list_runs(run.dataset) if other.id < run.id][-RUNS_COMPARED:]
    found = (totals(run.dataset.state, run_id) for run_id in [*earlier, run.id])
    return [one for one in found if one]


def _given(options: CrawlOptions) -> set[str]:
    return {url for url, _ in given_sources(options)}


COUNTED_ONLY = frozenset({Verdict.KEPT, Verdict.KNOWN, Verdict.NOT_MODIFIED, Verdict.OVER_BUDGET})
"""Outcomes of the crawl that say nothing against a page; they are counted, and make no row of `rejected`."""

THERE_NAME = "there.parquet"
"""The URLs at which the crawl found a page, new or as it was: what was missing there is missed no longer.

`withheld` is the signal by which a page that is as it was withholds its text by now.
"""
_THERE_SCHEMA = pa.schema([pa.field("url", pa.string()), pa.field("withheld", pa.string())])

_THERE = frozenset({Verdict.KEPT, Verdict.NOT_MODIFIED})


def _write_outcomes(run: Run) -> dict[str, int]:
    found, there = [], []
    for outcome in outcomes(run.dataset.state, run.id):
        if outcome.verdict not in COUNTED_ONLY:
            found.append(outcome)
        elif outcome.verdict in _THERE:
            there.append({"url": outcome.url, "withheld": outcome.withheld or None})
    write_table(run.folder / THERE_NAME, pa.Table.from_pylist(there, _THERE_SCHEMA))
    rows = [asdict(outcome) | {"domain": host_of(outcome.url), "verdict": str(outcome.verdict)} for outcome in found]
    write_table(run.folder / "outcomes.parquet", pa.Table.from_pylist(rows, schema=OUTCOMES))
    whole = totals(run.dataset.state, run.id)
    return whole.verdicts if whole else {}


@dataclass(frozen=True, slots=True)
class _Ended:
    """How the crawl's process ended: its exit code, its last progress, and its last log lines."""

    code: int
    said: Summary
    tail: list[str]


def _watch_crawl(command: list[str], pages: int, watcher: Watcher) -> _Ended:
    last: Summary = {}
    tail: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        # In this context, because Prefect's settings lie there: a log line from outside starts it a server of its own.
        listener = threading.Thread(target=copy_context().run, args=(_listen, process, watcher, tail), daemon=True)
        listener.start()
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last = json.loads(line)
                watcher.progress(
                    "crawl", last.get("fetched", 0), min(pages, last.get("fetched", 0) + last.get("queued", 0))
                )
        except BaseException:
            _stop_in_good_order(process)
            raise
        listener.join()
    return _Ended(process.returncode, last, tail)


def _listen(process: subprocess.Popen[str], watcher: Watcher, tail: list[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        watcher.log(line.rstrip())
        tail[:] = [*tail[-9:], line.rstrip()]


def _stop_in_good_order(process: subprocess.Popen[str], seconds: float = 20.0) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()


def _check_exit(ended: _Ended, run: Run) -> None:
    if ended.code == _UNREACHABLE:
        failed = _unanswered(run)
        lines = [f"  {one.source}: {one.error}" for one in failed[:_SOURCES_SHOWN]]
        more = [f"  and {len(failed) - _SOURCES_SHOWN} more"] if len(failed) > _SOURCES_SHOWN else []
        raise SourcesError(
            "\n".join([f"None of the sources of {run.dataset.name} answered" + (":" if lines else "."), *lines, *more]),
            _remedy(run.dataset, [one.source for one in failed]),
        )
    if ended.code:
        said = _LOG_PREFIX.sub("", ended.tail[-1]) if ended.tail else "it said nothing"
        raise StateError(
            f"The crawl ended with code {ended.code}: {said}",
            "Run the same command again; it goes on where it stopped. With --verbose it shows the crawl's log.",
        )


def _unanswered(run: Run) -> list[SourceTotals]:
    """The sources that were asked in vain."""
    found = totals(run.dataset.state, run.id)
    return [one for one in (found.sources if found else ()) if one.error]


def _remedy(dataset: Dataset, failed: Sequence[str]) -> str:
    """What to do about sources that did not answer."""
    if settings := lacking_settings(dataset.recipe.network, failed):
        return (
            f"To crawl this machine or such a port, add to [network] in {dataset.recipe_path}: {'; '.join(settings)}."
        )
    return (
        f"Check the addresses under [sources] in {dataset.recipe_path} and this machine's network; "
        "then run the same command again."
    )
