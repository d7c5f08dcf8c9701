"""Extraction out of fold over a whole corpus, scored by `eval/extraction.py` itself, beside trafilatura in one run.

    python -m benchmarks.extraction_folds ../shared/eval [--set news-pages|wcxb-dev] [--folds 5] [--all-types]

Each page is read with the models that `python -m training.fit_blocks` fitted without its host's fold. Figures are means
over pages; word F1 comes with its 95 % interval, by 2,000 resamples of pages. `--all-types` adds the article gate.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.adapters import extract

Fields = dict[str, Any]
Extractor = Callable[[bytes, str], Fields | None]


class Run:
    """One extractor's results over the pages, and the CPU seconds that they took."""

    def __init__(self, name: str, extractor: Extractor) -> None:
        self.name, self.extractor = name, extractor
        self.results: list[Fields | None] = []
        self.seconds = 0.0

    def read(self, page: Fields, cpu: Callable[[], float]) -> None:
        """Adds one page."""
        start = cpu()
        self.results.append(self.extractor(page["html"], page["url"]))
        self.seconds += cpu() - start


def pages_of(scoring: ModuleType, corpus: str, *, all_types: bool) -> Iterable[Fields]:
    """The labelled pages of a corpus, read by the scoring scripts' own readers."""
    readers = scoring.corpora
    read = readers.wcxb if (readers.HERE / corpus / "ground-truth").is_dir() else readers.news_pages
    return (page for page in read(readers.HERE / corpus) if all_types or page["type"] == "article")


def measure(scoring: ModuleType, pages: Iterable[Fields], folds: int, runs: list[Run]) -> list[Fields]:
    """Runs extractors over the pages, in turns first; gives the pages without their markup."""
    seen: list[Fields] = []
    for i, page in enumerate(pages):
        os.environ["EVAL_FOLD"] = f"{scoring.fold_of(page['url'], folds)}/{folds}"
        for run in runs[:: -1 if i % 2 else 1]:
            run.read(page, scoring.own_cpu)
        seen.append(page | {"html": b""})
    return seen


def report(scoring: ModuleType, pages: list[Fields], runs: list[Run]) -> None:
    """Prints a line of figures for each run, its word F1 with the interval, and the ratio of their CPU times."""
    kept = [i for i, page in enumerate(pages) if page["type"] == "article"]
    articles = [pages[i] for i in kept]
    for run in runs:
        results = [run.results[i] for i in kept]
        row = scoring.score(articles, results, run.seconds * len(kept) / max(1, len(pages)))
        print(f"{run.name}: " + "  ".join(f"{name} {value:.4f}" for name, value in row.items()))
        scores = [
            scoring.score([page], [result], 0.0)["word F1"] for page, result in zip(articles, results, strict=True)
        ]
        print("  word F1 {:.4f}, 95 % within [{:.4f}, {:.4f}]".format(*scoring.bootstrap(scores, [0.0] * len(scores))))
    print(f"CPU, likewise to trafilatura: {runs[1].seconds / runs[0].seconds:.2f}")


def main() -> None:
    """Measures from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scoring", type=Path, help="the folder of extraction.py")
    parser.add_argument("--set", default="news-pages", help="the corpus, a folder beside the scoring scripts' one")
    parser.add_argument("--folds", type=int, default=5, help="as many as the models were fitted with")
    parser.add_argument("--all-types", action="store_true", help="score the article gate on pages of every type")
    options = parser.parse_args()
    sys.path.insert(0, str(options.scoring))
    scoring = importlib.import_module("extraction")
    runs = [Run("trafilatura", scoring.trafilatura_default), Run("likewise", extract)]
    pages = measure(scoring, pages_of(scoring, options.set, all_types=options.all_types), options.folds, runs)
    print(f"{options.set}: {len(pages)} pages, out of fold over {options.folds} folds by host")
    report(scoring, pages, runs)
    if options.all_types:
        print(scoring.gate(pages, runs[1].results))


if __name__ == "__main__":
    main()
