"""Whether the sources of a dataset still bring what they used to: this run's numbers beside those of earlier runs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from crawler.outcomes import SourceTotals, Totals

RUNS_COMPARED = 10
LEAST_RUNS = 3
"""Runs that a habit takes: fewer say nothing about what is usual."""

_SILENT_RUNS = 3
_USUAL_PAGES = 5
_DROP = 4


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a source; with "" for the source, with all of them together."""

    source: str
    what: str

    def __str__(self) -> str:
        return f"{self.source}: {self.what}" if self.source else self.what


def troubles(runs: Sequence[Totals], given: Collection[str]) -> list[Trouble]:
    """What is wrong with the sources in the last of some runs.

    - A source cannot be read, though the recipe names it or it brought pages before.
    - A source that brought pages in half of its runs or more has brought none in the last three.
    - All of them together brought a quarter of the usual (the median) number of pages or less.

    Args:
        runs: the crawl's totals, the oldest run first; the last is the one in question.
        given: canonical URLs of the sources that the recipe names.
    """
    if not runs:
        return []
    return [*_of_sources(runs, given), *_of_all(runs)]


def _of_sources(runs: Sequence[Totals], given: Collection[str]) -> Iterator[Trouble]:
    for now in runs[-1].sources:
        past = _history(runs[:-1], now.source)
        if not now.requests:
            continue
        if now.error and (now.source in given or any(before.fetched for before in past)):
            yield Trouble(now.source, f"cannot be read: {now.error}{_since(past)}")
        elif not now.error and _is_silent([*past, now]):
            yield Trouble(now.source, f"has brought nothing in its last {_SILENT_RUNS} runs, which is unlike it")


def _history(runs: Sequence[Totals], source: str) -> list[SourceTotals]:
    return [one for run in runs for one in run.sources if one.source == source and one.requests]


def _since(past: Sequence[SourceTotals]) -> str:
    failing = 0
    for before in reversed(past):
        if not before.error:
            break
        failing += 1
    return f", as in the {failing} runs before" if failing > 1 else ", as in the run before" if failing else ""


def _is_silent(history: Sequence[SourceTotals]) -> bool:
    before, lately = history[:-_SILENT_RUNS], history[-_SILENT_RUNS:]
    if len(before) < LEAST_RUNS or any(run.fetched for run in lately):
        return False
    return 2 * sum(run.fetched > 0 for run in before) >= len(before)


def _of_all(runs: Sequence[Totals]) -> Iterator[Trouble]:
    before = [run.pages for run in runs[:-1]]
    if len(before) < LEAST_RUNS:
        return
    usual = median(before)
    if usual >= _USUAL_PAGES and runs[-1].pages * _DROP <= usual:
        yield Trouble("", f"the sources brought {runs[-1].pages} pages; {usual:g} are usual")
