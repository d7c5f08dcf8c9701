"""Fits the block classifier and the article gate on labelled pages, cross-validated by host.

    python -m training.fit_blocks ../shared/corpora [--folds 5] [--models build/models] [--ship cleaning/data]

For each fold K of N the models fitted without its hosts go to `build/models/K-of-N/`, where `benchmarks.adapters` finds
them when `EVAL_FOLD=K/N` is set; then the models fitted on all pages go to `--ship`, with `models.json` beside them:
what they were trained on, and their out-of-fold figures. The models keep no text.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing import Pool
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from cleaning import features, gate
from cleaning.blocks import Segments, segment
from cleaning.decode import decode, repair_page
from cleaning.extract import parse, versions_of
from cleaning.forest import Forest
from cleaning.metadata import Metadata, find_metadata
from cleaning.selection import Selection, put_together
from training.boosting import fit, save
from training.pages import LabelledPage, fold_of, label, read_corpora

Floats = npt.NDArray[np.float32]
_EASY_KEPT = 0.2
"""Share of the obvious navigation (links that trafilatura passed over) that is trained on, at five times the weight."""
_NEWS_WEIGHT = 2.0
"""Weight of a block of a news page, of which there are few, to one of the other pages."""
_CUTS = (0.5,)
"""Cuts that are tried: between .35 and .6 the word F1 out of fold changes by less than the choice of trees."""
_JUDGES = 5
"""Gates that are averaged; one alone changes its recall by a point with the seed."""
_PRECISION = 0.95
"""Precision out of fold at which the gate's cut is set, on the corpus that has all kinds of pages."""


@dataclass(frozen=True, slots=True)
class _Example:
    page: LabelledPage
    found: Segments
    metadata: Metadata
    rows: Floats
    labels: npt.NDArray[np.bool_]
    sizes: npt.NDArray[np.int64]


_Judged = tuple[_Example, Floats, float]
"""A page with its features for the gate, one row, and the score that a gate fitted without it gave."""


def prepare(page: LabelledPage) -> _Example | None:
    """A page's blocks with features and labels; None for a page without markup."""
    tree = parse(repair_page(decode(page.html).text))
    if tree is None:
        return None
    metadata = find_metadata(tree, page.url)
    found = segment(tree)
    rows = features.featurize(found, versions_of(tree, metadata))
    return _Example(replace(page, html=b""), found, metadata, rows, *label(found, page.text))


def fit_blocks(examples: Sequence[_Example]) -> Forest:
    """The block classifier, fitted on the articles among the examples."""
    used = [example for example in examples if example.page.kind == "article" and example.labels.any()]
    rows = np.concatenate([example.rows for example in used])
    labels = np.concatenate([example.labels for example in used])
    weights = np.concatenate([_weights(example) for example in used])
    easy = (rows[:, features.NAMES.index("chosen")] < 0.05) & (rows[:, features.NAMES.index("link_density")] > 0.8)
    taken = ~easy | (np.random.default_rng(0).random(len(rows)) < _EASY_KEPT)
    weights = np.where(easy, weights / _EASY_KEPT, weights)[taken]
    return fit(rows[taken], labels[taken], (weights / weights.mean()).astype(np.float32), features.NAMES)


def _weights(example: _Example) -> npt.NDArray[np.float64]:
    """Square root of the share that a block has in its article's words."""
    total = max(50, int(example.sizes[example.labels].sum()))
    corpus = _NEWS_WEIGHT if example.page.corpus == "news-pages" else 1.0
    weights: npt.NDArray[np.float64] = np.sqrt(np.maximum(example.sizes, 1) / total) * corpus
    return weights


def choose(example: _Example, forest: Forest, cut: float) -> Selection:
    """What the classifier makes of a page at a cut."""
    return put_together(example.found, forest.probability(example.rows), cut, example.metadata.title)


def fit_gate(examples: Sequence[_Example], selections: Sequence[Selection]) -> Forest:
    """The article gate, fitted on pages of all kinds with the text that was selected on them."""
    rows = _gate_rows(examples, selections)
    labels = np.asarray([example.page.kind == "article" for example in examples])
    return fit(rows, labels, np.ones(len(rows), np.float32), gate.NAMES, trees=100, leaves=12, seeds=_JUDGES)


def _gate_rows(examples: Sequence[_Example], selections: Sequence[Selection]) -> Floats:
    pairs = zip(examples, selections, strict=True)
    return np.concatenate([gate.page_features(one.found, chosen, one.metadata, one.page.url) for one, chosen in pairs])


def word_f1(text: str, gold: str) -> float:
    """F1 of two bags of words."""
    found, wanted = (Counter(re.findall(r"\w+", side.lower())) for side in (text, gold))
    both = (found & wanted).total()
    return 2 * both / (found.total() + wanted.total()) if found or wanted else 1.0


def cross_validate(examples: Sequence[_Example], folds: int, models: Path) -> tuple[float, float, dict[str, float]]:
    """Fits and saves the models of each fold; returns their cuts that do best out of fold, and the figures there."""
    held = [[example for example in examples if fold_of(example.page.url, folds) == k] for k in range(folds)]
    forests = [fit_blocks([one for j, fold in enumerate(held) if j != k for one in fold]) for k in range(folds)]
    judged: list[_Judged] = []
    everything = [(example, forests[k]) for k, fold in enumerate(held) for example in fold]
    cut, figures = _best_cut(everything)
    chosen = [[choose(example, forests[k], cut) for example in fold] for k, fold in enumerate(held)]
    for k in range(folds):
        rest = [(one, text) for j in range(folds) if j != k for one, text in zip(held[j], chosen[j], strict=True)]
        judge = fit_gate([one for one, _ in rest], [text for _, text in rest])
        rows = _gate_rows(held[k], chosen[k])
        judged += zip(held[k], rows, judge.probability(rows).tolist(), strict=True)
        forests.append(judge)
    gate_cut, gate_figures = gate_cut_of([entry for entry in judged if entry[0].page.corpus != "news-pages"])
    for k in range(folds):
        save(replace(forests[k], cut=cut), models / f"{k}-of-{folds}" / "blocks.npz")
        save(replace(forests[folds + k], cut=gate_cut), models / f"{k}-of-{folds}" / "gate.npz")
    return cut, gate_cut, figures | gate_figures


def _best_cut(held_out: Sequence[tuple[_Example, Forest]]) -> tuple[float, dict[str, float]]:
    articles = [(example, forest) for example, forest in held_out if example.page.kind == "article"]
    best: tuple[float, float, dict[str, float]] = (0.0, 0.0, {})
    for cut in _CUTS:
        by_corpus: dict[str, list[float]] = {}
        for example, forest in articles:
            by_corpus.setdefault(example.page.corpus, []).append(
                word_f1(choose(example, forest, cut).text, example.page.text)
            )
        figures = {f"word F1 {corpus}": round(fmean(values), 4) for corpus, values in sorted(by_corpus.items())}
        print(f"cut {cut}: {figures}", flush=True)
        best = max(best, (fmean(figures.values()), cut, figures), key=lambda entry: entry[0])
    return best[1], best[2]


def gate_cut_of(judged: Sequence[_Judged]) -> tuple[float, dict[str, float]]:
    """The lowest cut at which the precision of `gate.is_article` holds, and precision and recall there."""
    truth = np.asarray([example.page.kind == "article" for example, _, _ in judged])
    for percent in range(5, 96):
        cut = percent / 100
        said = np.asarray([gate.is_article(row[None], score, cut, one.metadata) for one, row, score in judged])
        precision, recall = float(truth[said].mean()), float(said[truth].mean())
        if precision >= _PRECISION:
            break
    return cut, {"gate precision": round(precision, 4), "gate recall": round(recall, 4)}


def ship(examples: Sequence[_Example], cuts: tuple[float, float], folder: Path, provenance: dict[str, object]) -> None:
    """Fits both models on all pages, and writes them with their provenance."""
    blocks = replace(fit_blocks(examples), cut=cuts[0])
    judge = replace(fit_gate(examples, [choose(example, blocks, cuts[0]) for example in examples]), cut=cuts[1])
    save(blocks, folder / "blocks.npz")
    save(judge, folder / "gate.npz")
    (folder / "models.json").write_text(json.dumps(provenance, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Runs the training from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--models", type=Path, default=Path("build/models"))
    parser.add_argument("--ship", type=Path, default=Path("cleaning/data"))
    options = parser.parse_args()
    with Pool() as pool:
        prepared = list(pool.imap(prepare, read_corpora(options.corpora), chunksize=4))
    examples = [example for example in prepared if example is not None]
    cut, gate_cut, figures = cross_validate(examples, options.folds, options.models)
    pages = Counter(f"{example.page.corpus}: {example.page.kind}" for example in examples)
    provenance: dict[str, object] = {
        "made by": "python -m training.fit_blocks",
        "trained on": dict(sorted(pages.items())),
        "sources": "WCXB development split (CC BY 4.0); publishers' pages from fundus' parser tests; no text is kept",
        "libraries": {name: version(name) for name in ("lightgbm", "trafilatura", "lxml")},
        "features": {"blocks": len(features.NAMES), "gate": len(gate.NAMES)},
        "cuts": {"blocks": cut, "gate": gate_cut},
        f"out of fold, {options.folds} folds by host": figures,
    }
    print(json.dumps(provenance, indent=1))
    ship(examples, (cut, gate_cut), options.ship, provenance)


if __name__ == "__main__":
    main()
