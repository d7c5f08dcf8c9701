"""The first stage: crawls in a process of its own, and writes down what became of every URL."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from cleaning.schema import REJECTED, arrow_schema
from cleaning.urls import host_of
from cleaning.verdict import Verdict
from crawler.outcomes import outcomes, totals
from flows.config import crawl_options
from flows.errors import SourcesError, StateError
from flows.runs import Run, write_text
from flows.tables import write_table
from flows.watching import SILENT, Watcher

OUTCOMES = arrow_schema(column for column in REJECTED if column.name not in ("run_id", "similarity"))

Summary = dict[str, Any]


def crawl(run: Run, urls: Sequence[str] = (), watcher: Watcher = SILENT) -> Summary:
    """Crawls in a process of its own (Scrapy's reactor runs once a process) and waits for its end.

    Args:
        run: whose recipe says what to crawl; its WARC files are what is left behind.
        urls: fetch exactly these instead of the recipe's sources.
        watcher: gets the process's log lines and the number of pages fetched.

    Raises:
        SourcesError: none of the sources answered.
        StateError: the process failed; the message ends with its last lines.
    """
    if finished := run.summary("crawl"):
        return finished
    options = crawl_options(run.dataset, run.id, tuple(urls))
    told = run.folder / "crawl-options.json"
    write_text(told, options.to_json())
    last = _watch_crawl([sys.executable, "-m", "crawler", str(told)], options.limits.pages, watcher)
    return run.finish("crawl", last | {"outcomes": _write_outcomes(run)})


COUNTED_ONLY = frozenset({Verdict.KEPT, Verdict.KNOWN, Verdict.NOT_MODIFIED, Verdict.OVER_BUDGET})
"""Outcomes of the crawl that say nothing against a page; they are counted, and make no row of `rejected`."""


def _write_outcomes(run: Run) -> dict[str, int]:
    found = [outcome for outcome in outcomes(run.dataset.state, run.id) if outcome.verdict not in COUNTED_ONLY]
    rows = [asdict(outcome) | {"domain": host_of(outcome.url), "verdict": str(outcome.verdict)} for outcome in found]
    write_table(run.folder / "outcomes.parquet", pa.Table.from_pylist(rows, schema=OUTCOMES))
    whole = totals(run.dataset.state, run.id)
    return whole.verdicts if whole else {}


def _watch_crawl(command: list[str], pages: int, watcher: Watcher) -> Summary:
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
        listener = threading.Thread(target=_listen, args=(process, watcher, tail), daemon=True)
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
    _check_exit(process.returncode, tail)
    return last


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


def _check_exit(code: int, tail: list[str]) -> None:
    if code == 0:
        return
    said = "\n".join(tail)
    if code == 3:
        raise SourcesError(
            f"None of the recipe's sources answered.\n{said}\n",
            "Check the addresses in [sources], the network, and `likewise doctor`.",
        )
    raise StateError(
        f"The crawl ended with code {code}.\n{said}\n", "Run the same command again; it goes on where it stopped."
    )
