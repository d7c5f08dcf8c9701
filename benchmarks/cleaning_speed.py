"""What cleaning costs beside trafilatura with metadata, what the prefilter turns away, and what a second core gives.

Run from the repository: `python -m benchmarks.cleaning_speed [--every N] [--folds 5] [--rounds 5]`, on the labelled
pages of ../shared/corpora. Both read the same bytes in one process, now one first and now the other, and CPU time is
counted. With the models of folds in build/models (`training.fit_blocks`, `training.fit_prefilter`), each page is judged
by models that know nothing of its host.

The last part takes articles through worker processes, one and two in turn, and gives the best round of each, because
other work on the machine only slows them. Where there is much of it, Linux says how long the workers waited for a core
that others had; without that, the time is what free cores would have taken, and the medians of the rounds are compared.
"""

import argparse
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from trafilatura import bare_extraction

from cleaning.extract import Examined, ExtractOptions, examine, extract
from cleaning.schema import Page
from flows.workers import WorkerOptions, clean_pages
from training.pages import LabelledPage, fold_of, read_corpora

CORPORA = Path(__file__).parents[1] / "../shared/corpora"
MODELS = Path("build/models")
_PAGES_OF_A_ROUND = 300


@dataclass(frozen=True, slots=True)
class Cost:
    """One page: CPU seconds of ours and of trafilatura, and what ours found."""

    page: LabelledPage
    ours: float
    theirs: float
    examined: Examined

    @property
    def is_turned_away(self) -> bool:
        """Whether the page got its verdict before its article was sought."""
        return not self.examined.blocks


def cpu(call: Callable[[], object]) -> tuple[float, object]:
    """The CPU seconds of a call, and what it gave."""
    begun = time.process_time()
    found = call()
    return time.process_time() - begun, found


def options_for(url: str, folds: int) -> ExtractOptions:
    """The options that use the models fitted without a page's host, where there are such."""
    folder = MODELS / f"{fold_of(url, folds)}-of-{folds}"
    return ExtractOptions(models=str(folder)) if (folder / "prefilter.npz").exists() else ExtractOptions()


def measure(pages: Sequence[LabelledPage], folds: int) -> list[Cost]:
    """Both extractors on every page, whichever comes first changing from page to page."""
    costs = []
    for number, page in enumerate(pages):
        options = options_for(page.url, folds)
        calls: list[Callable[[], object]] = [
            partial(examine, Page(page.url, page.html), options),
            partial(bare_extraction, page.html, url=page.url or None, include_comments=False, with_metadata=True),
        ]
        measured = [cpu(call) for call in (calls if number % 2 else reversed(calls))]
        (ours, found), (theirs, _) = measured if number % 2 else reversed(measured)
        assert isinstance(found, Examined)
        costs.append(Cost(page, ours, theirs, found))
    return costs


def report(title: str, costs: Sequence[Cost]) -> None:
    """Prints the mean milliseconds of both and their ratio."""
    if not costs:
        print(f"{title}: no pages")
        return
    ours, theirs = (1000 * sum(getattr(cost, name) for cost in costs) / len(costs) for name in ("ours", "theirs"))
    print(f"{title}: {len(costs)} pages, {ours:.1f} ms CPU, trafilatura {theirs:.1f} ms, ratio {ours / theirs:.3f}")


def report_prefilter(costs: Sequence[Cost]) -> None:
    """Prints how many articles and other pages were turned away at a glance, by kind."""
    lost = [cost for cost in costs if cost.page.kind == "article" and cost.is_turned_away]
    articles = sum(cost.page.kind == "article" for cost in costs)
    caught = sum(cost.is_turned_away for cost in costs) - len(lost)
    print(f"turned away at a glance: {len(lost)} of {articles} articles ({len(lost) / articles:.2%})", end=", ")
    print(f"{caught} of {len(costs) - articles} other pages ({caught / max(1, len(costs) - articles):.0%})")
    for cost in lost:
        print(f"  lost: {cost.page.url} {cost.examined.record.verdict}: {cost.examined.record.reason}")
    counts = Counter((cost.page.kind, str(cost.examined.record.verdict)) for cost in costs if cost.is_turned_away)
    for (kind, verdict), count in sorted(counts.items()):
        print(f"  {kind} as {verdict}: {count}")


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds from the first page to the last result, and those that a worker waited for a core meanwhile (mean)."""

    wall: float
    waited: float

    @property
    def on_free_cores(self) -> float:
        """Seconds that the workers ran, or had nothing to do."""
        return self.wall - self.waited


def go_round(pages: Sequence[Page], processes: int) -> Round:
    """Takes pages through so many worker processes that are running already."""
    results = clean_pages(pages, extract, WorkerOptions(processes=processes))
    next(results)
    begun, waited = time.perf_counter(), waited_for_cores()
    for _ in range(len(pages) - 1):
        next(results)
    found = Round(time.perf_counter() - begun, (waited_for_cores() - waited) / processes)
    next(results, None)  # ends the workers, which had to be there to be asked
    return found


def waited_for_cores() -> float:
    """Seconds that this process's children could have run and did not; 0 where the system does not say."""
    try:
        stats = [Path(f"/proc/{child.pid}/schedstat").read_text() for child in multiprocessing.active_children()]
    except OSError:
        return 0.0
    return sum(int(stat.split()[1]) for stat in stats) / 1e9


def report_rounds(rounds: dict[int, list[Round]], pages: int) -> None:
    """Prints how many times as fast two processes are as one."""
    one, two = (min(found.wall for found in rounds[processes]) for processes in (1, 2))
    print(f"{pages} pages: {one:.2f} s with one process, {two:.2f} s with two: {one / two:.2f} times")
    one, two = (median(found.on_free_cores for found in rounds[processes]) for processes in (1, 2))
    print(f"without the time that they waited for a core: {one:.2f} s and {two:.2f} s: {one / two:.2f} times")


def main() -> None:
    """Prints the three parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="measure every Nth page")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of one and two processes; 0 for none")
    options = parser.parse_args()
    pages = list(read_corpora(CORPORA))[:: options.every]
    for page in pages[:10]:  # loads models and patterns, which are loaded once in a process
        extract(Page(page.url, page.html), options_for(page.url, options.folds))
        bare_extraction(page.html, with_metadata=True)
    costs = measure(pages, options.folds)
    for corpus in sorted({page.corpus for page in pages}):
        report(f"everything, {corpus}", [cost for cost in costs if cost.page.corpus == corpus])
    report("everything", costs)
    report("articles", [cost for cost in costs if cost.page.kind == "article"])
    report("turned away at a glance", [cost for cost in costs if cost.is_turned_away])
    report_prefilter(costs)
    given = [Page(page.url, page.html) for page in pages if page.kind == "article"][:_PAGES_OF_A_ROUND]
    rounds: dict[int, list[Round]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for processes, found in rounds.items():
            found.append(go_round(given, processes))
            print(f"{processes} processes: {found[-1].wall:.2f} s, waited {found[-1].waited:.2f} s", flush=True)
    if options.rounds:
        report_rounds(rounds, len(given))


if __name__ == "__main__":
    main()
