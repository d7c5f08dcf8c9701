"""One gate per host: who may be asked now, who must wait until when, and who is left alone for this run."""

from dataclasses import dataclass, field

from cleaning.verdict import Verdict

BREAKER = 8
"""Failures or refusals of a host one after another, after which a run leaves it alone."""

_SLOWEST_BACKOFF = 64.0
_BUSY_BASE = 5.0
_MOMENT = 1.0


def gate_of(host: str) -> str:
    """The gate that a host (of a URL, without port) shares with its `www.` form: they are one server, asked as one."""
    return host.lower().removeprefix("www.")


@dataclass(slots=True)
class Gate:
    """A host's state. Times are seconds since the epoch, delays seconds.

    `top` is the score of the best URL that waits, None for none. `closed` is the verdict for what is left when the run
    leaves the host alone. `waiting_for` is the origin whose robots.txt must be known before the host's best URL.
    A negative `top` says that what waits is not worth a request.
    """

    next_at: float = 0.0
    failures: int = 0
    pages: int = 0
    busy: bool = False
    top: float | None = None
    closed: Verdict | None = None
    closed_reason: str = ""
    waiting_for: str = ""

    @property
    def is_open(self) -> bool:
        """Whether a URL waits that may be asked for sooner or later."""
        return self.top is not None and self.top >= 0 and not self.closed

    @property
    def is_idle(self) -> bool:
        """Whether a URL waits for nothing but the host's delay."""
        return self.is_open and not self.busy and not self.waiting_for


@dataclass(slots=True)
class Gates:
    """All hosts of a run.

    Args:
        delay: least seconds between an answer and the next request of a host.
        patience: the longest wait in seconds that the run sits through.
        choosy: share of the best waiting URL's score that another must have to be asked for before it, 0..1.
    """

    delay: float
    patience: float
    table: dict[str, Gate] = field(default_factory=dict)
    choosy: float = 0.0

    def get(self, host: str) -> Gate:
        """The gate of a host, made where it is missing."""
        gate = self.table.get(host)
        if gate is None:
            gate = self.table[host] = Gate()
        return gate

    def best(self, now: float) -> str | None:
        """The host with the best URL among those that may be asked now, or None."""
        best, best_top = None, max(-1.0, self._bar(now))
        for host, gate in self.table.items():
            if gate.top is not None and gate.top > best_top and self._is_ready(gate, now):
                best, best_top = host, gate.top
        return best

    def wake_at(self, now: float) -> float | None:
        """When the next waiting host may be asked, or None where only running requests can change anything."""
        bar = self._bar(now)
        times = [gate.next_at for gate in self.table.values() if gate.is_idle and (gate.top or 0.0) > bar]
        return min(times, default=None)

    def _bar(self, now: float) -> float:
        """The score that a URL must exceed while a much better one of another host has to wait a moment."""
        if not self.choosy:
            return -1.0
        soon = now + max(self.delay, _MOMENT)
        tops = (gate.top or 0.0 for gate in self.table.values() if gate.is_idle and gate.next_at <= soon)
        # A little less, so that a score of 0 is over its own bar.
        return self.choosy * max(tops, default=-1.0) - 1e-9

    def has_work(self) -> bool:
        """Whether any host that is not closed has a URL that waits."""
        return any(gate.is_open for gate in self.table.values())

    def succeeded(self, host: str, now: float, extra_delay: float = 0.0) -> None:
        """Notes an answer: the next request comes at least the delay later, counted from now, when the answer ended."""
        gate = self.get(host)
        gate.busy, gate.failures = False, 0
        gate.next_at = max(gate.next_at, now + max(self.delay, extra_delay))

    def failed(
        self, host: str, now: float, verdict: Verdict, reason: str, asked: float | None, extra: float = 0.0
    ) -> None:
        """Notes a failure or a refusal: backs off, exponentially or for the seconds the host `asked` for.

        Closes the gate for this run after BREAKER of them in a row, or where the wait is over the patience.
        """
        gate = self.get(host)
        gate.busy = False
        gate.failures += 1
        wait = max(self.delay, extra, self._backoff(gate.failures, verdict) if asked is None else asked)
        gate.next_at = max(gate.next_at, now + wait)
        if asked is not None and asked > self.patience:
            self.close(
                host, verdict, f"the host asks to wait {asked:.0f} s, over the patience of {self.patience:.0f} s"
            )
        elif gate.failures >= BREAKER:
            self.close(host, verdict, f"{gate.failures} failures in a row, the last: {reason}")

    def close(self, host: str, verdict: Verdict, reason: str) -> None:
        """Leaves a host alone for the rest of the run."""
        gate = self.get(host)
        if gate.closed is None:
            gate.closed, gate.closed_reason = verdict, reason

    def close_impatient(self, now: float) -> None:
        """Closes the hosts that asked, in an earlier run, for more patience than this one has."""
        for host, gate in self.table.items():
            if gate.next_at - now > self.patience:
                self.close(host, Verdict.BLOCKED, f"the host asked to wait {gate.next_at - now:.0f} s more")

    def _backoff(self, failures: int, verdict: Verdict) -> float:
        """Doubles from a quarter of a second, or from 5 s for a host that refuses; at most 64 s."""
        base = min(_BUSY_BASE, 10 * self.delay) if verdict is Verdict.BLOCKED else max(0.25, self.delay)
        return float(min(base * 2.0 ** (failures - 1), _SLOWEST_BACKOFF))

    @staticmethod
    def _is_ready(gate: Gate, now: float) -> bool:
        return gate.is_idle and gate.next_at <= now
