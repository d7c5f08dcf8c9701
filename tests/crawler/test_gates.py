"""One gate per host: pace, back-off, circuit breaker."""

import pytest

from cleaning.verdict import Verdict
from crawler.gates import BREAKER, Gate, Gates, gate_of


def gates(**hosts: float) -> Gates:
    """Gates with a delay of 1 s and a patience of 60 s, and a waiting URL of each host with this score."""
    return Gates(1.0, 60.0, {host: Gate(top=top) for host, top in hosts.items()})


def test_the_host_with_the_best_url_goes_first() -> None:
    """Among those that may be asked now."""
    table = gates(a=0.1, b=0.9, c=0.5)
    assert table.best(0.0) == "b"
    table.get("b").busy = True
    assert table.best(0.0) == "c"
    table.get("c").next_at = 5.0
    assert table.best(0.0) == "a"
    assert table.wake_at(0.0) == 0.0


def test_a_much_better_url_is_waited_for_a_moment() -> None:
    """While a URL twice as good only waits for its host's delay, lesser ones wait as well; not for a longer wait."""
    table = Gates(1.0, 60.0, {"a": Gate(top=0.9, next_at=10.0), "b": Gate(top=0.4), "c": Gate(top=0.2)}, choosy=0.5)
    assert table.best(9.5) is None
    assert table.wake_at(9.5) == 10.0
    assert table.best(10.0) == "a"
    table.get("a").busy = True
    assert table.best(10.0) == "b"
    table.get("a").busy, table.get("a").next_at = False, 99.0
    assert table.best(10.0) == "b"
    assert Gates(1.0, 60.0, {"a": Gate(top=0.0)}, choosy=0.5).best(0.0) == "a"


def test_the_delay_counts_from_the_end_of_an_answer() -> None:
    """The site's own delay goes before a shorter one."""
    table = gates(a=0.5)
    table.succeeded("a", 10.0)
    assert table.get("a").next_at == 11.0
    table.succeeded("a", 20.0, 7.5)
    assert table.get("a").next_at == 27.5
    assert table.best(27.4) is None
    assert table.best(27.5) == "a"


def test_back_off_doubles_and_success_ends_it() -> None:
    """Each failure in a row makes the wait longer."""
    table = gates(a=0.5)
    waits = []
    for _ in range(4):
        table.get("a").next_at = 0.0
        table.failed("a", 0.0, Verdict.FETCH_FAILED, "HTTP 500", None)
        waits.append(table.get("a").next_at)
    assert waits == [1.0, 2.0, 4.0, 8.0]
    table.succeeded("a", 0.0)
    assert table.get("a").failures == 0


def test_what_the_host_asks_for_is_waited() -> None:
    """Retry-After goes before our own back-off, but never under the delay."""
    table = gates(a=0.5)
    table.failed("a", 0.0, Verdict.BLOCKED, "HTTP 429", 30.0)
    assert table.get("a").next_at == 30.0
    table.failed("a", 40.0, Verdict.BLOCKED, "HTTP 429", 0.0)
    assert table.get("a").next_at == 41.0
    assert not table.get("a").closed


def test_a_host_that_asks_for_too_much_is_left_for_this_run() -> None:
    """The time it asked for is kept for later runs."""
    table = gates(a=0.5)
    table.failed("a", 0.0, Verdict.BLOCKED, "HTTP 429", 3_600.0)
    assert table.get("a").closed is Verdict.BLOCKED
    assert table.get("a").next_at == 3_600.0
    assert not table.has_work()


def test_the_circuit_breaker() -> None:
    """After many failures in a row the host is left alone."""
    table = gates(a=0.5)
    for _ in range(BREAKER):
        assert table.get("a").closed is None
        table.failed("a", 0.0, Verdict.BLOCKED, "HTTP 403", 0.0)
    assert table.get("a").closed is Verdict.BLOCKED
    assert "HTTP 403" in table.get("a").closed_reason


def test_a_host_of_an_earlier_run_that_must_wait_too_long_is_closed() -> None:
    """Its Retry-After outlives the process."""
    table = gates(a=0.5, b=0.5)
    table.get("a").next_at = 1_000.0
    table.close_impatient(0.0)
    assert table.get("a").closed is Verdict.BLOCKED
    assert table.get("b").closed is None


@pytest.mark.parametrize(
    ("host", "gate"), [("www.Example.com", "example.com"), ("news.example.com", "news.example.com")]
)
def test_a_host_shares_its_gate_with_its_www_form(host: str, gate: str) -> None:
    """They are one server."""
    assert gate_of(host) == gate
