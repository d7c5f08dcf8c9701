import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from cleaning.schema import Extraction, Page
from cleaning.verdict import Verdict
from flows.workers import WorkerOptions, clean_pages
from tests.flows.prefect_server import is_alive

QUICK = WorkerOptions(processes=2, patience=2.0, memory=300_000_000, ahead=8)


def behave(page: Page, marker: str = "") -> Extraction:
    """Does what the body says: sleeps, dies, eats memory, raises, or answers."""
    order = page.body.decode()
    if order == "hang":
        time.sleep(60)
    if order == "spin":
        while True:
            pass
    if order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "eat":
        bytearray(10**9)
    if order == "raise":
        raise ValueError("broken page")
    if order.startswith("slow"):
        time.sleep(0.05)
    return Extraction(url=page.url, verdict=Verdict.KEPT, text=order + marker)


def pages(*orders: str) -> list[Page]:
    return [Page(url=f"http://a.example/{number}", body=order.encode()) for number, order in enumerate(orders)]


@pytest.mark.parametrize("processes", [1, 3])
def test_results_keep_the_order_of_the_pages(processes: int) -> None:
    """The extractions come in the order of the pages, however many processes there are."""
    given = pages(*["slow" if number % 3 == 0 else f"page {number}" for number in range(30)])
    options = WorkerOptions(processes=processes, ahead=8)
    results = list(clean_pages(given, partial(behave, marker="!"), options))
    assert [result.url for result in results] == [page.url for page in given]
    assert results[1].text == "page 1!"


@pytest.mark.parametrize(
    ("order", "verdict", "reason"),
    [
        ("hang", Verdict.TIMED_OUT, "no answer in 2 s"),
        ("die", Verdict.CRASHED, "process ended"),
        ("eat", Verdict.CRASHED, "MemoryError"),
        ("raise", Verdict.CRASHED, "ValueError: broken page"),
    ],
)
def test_a_bad_page_gets_a_verdict_and_the_rest_go_on(order: str, verdict: Verdict, reason: str) -> None:
    """A page that hangs, dies, exceeds its memory or raises ends in a verdict, and its neighbours are cleaned."""
    results = list(clean_pages(pages("a", order, "b", "c"), behave, QUICK))
    assert [result.verdict for result in results] == [Verdict.KEPT, verdict, Verdict.KEPT, Verdict.KEPT]
    assert reason in results[1].reason


def test_a_page_that_works_too_long_is_ended_by_its_cpu_time() -> None:
    """A page that never ends is given up after its CPU seconds, long before patience with the machine ends."""
    options = WorkerOptions(processes=1, seconds=0.5, patience=600.0)
    results = list(clean_pages(pages("a", "spin", "b"), behave, options))
    assert [result.verdict for result in results] == [Verdict.KEPT, Verdict.TIMED_OUT, Verdict.KEPT]
    assert results[1].reason == "cleaning took over 0.5 s of CPU"


def test_a_worker_has_its_next_page_before_the_caller_gets_a_result() -> None:
    """What the caller does with a result costs no worker time: the next page was handed out before."""
    source = iter(pages("a", "b", "c"))
    results = clean_pages(source, behave, WorkerOptions(processes=1))
    assert next(results).text == "a"
    assert [page.body for page in source] == [b"c"]
    assert [result.text for result in results] == ["b"]


def test_pages_are_read_no_further_than_needed() -> None:
    """Pages are taken from their iterator lazily, so that memory does not grow with their number."""
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield Page(url=f"http://a.example/{taken}", body=b"x")

    results = clean_pages(endless(), behave, QUICK)  # type: ignore[arg-type]
    for _ in range(5):
        next(results)
    results.close()
    assert taken <= 5 + QUICK.ahead + QUICK.processes


def test_no_process_is_left_behind() -> None:
    """When the results are closed early, the worker processes are gone."""
    results = clean_pages(pages("0", "1"), tell_own_pid, QUICK)
    worker = int(next(results).text)
    assert is_alive(worker)
    results.close()
    assert not is_alive(worker)


def tell_own_pid(page: Page) -> Extraction:
    return Extraction(url=page.url, verdict=Verdict.KEPT, text=str(os.getpid()))


_UNGUARDED = """
from cleaning.extract import extract
from cleaning.schema import Page
from flows.workers import clean_pages
print(list(clean_pages([Page(url="http://a.example/", body=b"<p>x")], extract)))
"""


def test_a_script_without_a_main_guard_gets_one_clear_error(tmp_path: Path) -> None:
    """Called at the top level of a script, which its children would run again, it says what to change."""
    script = tmp_path / "script.py"
    script.write_text(_UNGUARDED, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "if __name__ == '__main__':" in done.stderr.splitlines()[-1]
