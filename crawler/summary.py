"""A run in numbers, while it goes and at its end: what was asked for, what was left out, and why in this order."""

from collections.abc import Mapping
from typing import Any

from cleaning.verdict import Verdict
from crawler.entries import Task
from crawler.outcomes import kind_counts
from crawler.run import Run


def progress(run: Run) -> dict[str, Any]:
    """The run in numbers, so far."""
    return {
        "fetched": run.ledger.pages,
        "queued": run.frontier.queued(),
        "relevant_guess": run.relevant,
        "hosts": sum(gate.pages > 0 for gate in run.gates.table.values()),
        "requests": run.ledger.requests,
        "skipped": _skipped(run.ledger.skipped),
    }


def statistics(run: Run, reason: str) -> dict[str, Any]:
    """The run in numbers, at its end, for a reason."""
    return {
        "done": True,
        **progress(run),
        "reason": reason,
        "unreachable": is_unreachable(run),
        "skipped": _skipped(run.ledger.verdict_counts()),
        "order": _order(run),
    }


def is_unreachable(run: Run) -> bool:
    """Whether not one source could be read."""
    return run.ledger.pages == 0 and run.sources.all_failed()


def left_out(run: Run, task: Task, ended: str) -> tuple[Verdict, str]:
    """The verdict for a URL that was never reached; `ended` is the limit that was, or ""."""
    gate = run.gates.get(task.host)
    if run.is_hopeless(task):
        return Verdict.UNLIKELY, "its like were fetched and were hardly ever relevant"
    if gate.closed is not None:
        return gate.closed, gate.closed_reason
    return Verdict.OVER_BUDGET, ended or "the run ended first"


def _order(run: Run) -> dict[str, Any]:
    """Why the pages came in their order: what each kind of source gave, what titles taught, how many were a try."""
    kinds = kind_counts(run.frontier.database, run.options.run_id)
    return {"kinds": kinds, "explored": run.ledger.explored, "words": run.harvest.ranking.lessons.strongest()}


def _skipped(counts: Mapping[str, int]) -> dict[str, int]:
    return {verdict: n for verdict, n in sorted(counts.items()) if verdict != Verdict.KEPT}
