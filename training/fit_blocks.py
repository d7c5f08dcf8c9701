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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from multiprocessing import Pool
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
from lxml.html import HtmlElement

from cleaning.article import features, gate
from cleaning.article.forest import Forest
from cleaning.article.selection import Selection, put_together
from cleaning.extract import versions_of
from cleaning.metadata.find import Metadata, find_metadata
from cleaning.page.blocks import Segments, segment
from cleaning.page.decode import decode, repair_page
from cleaning.page.tree import parse
from training.boosting import fit, save
from training.pages import LabelledPage, fold_of, label, read_corpora
from training.transplant import Teasers, teasers_of, transplant

Floats = npt.NDArray[np.float32]
_EASY_KEPT = 0.2
"""Share of the obvious navigation (links that trafilatura passed over) that is trained on, at five times the weight."""
_NEWS_WEIGHT = 2.0
"""Weight of a block of a news page, of which there are few, to one of the other pages."""
_PROSE_KINDS = frozenset({"documentation", "service"})
"""Kinds of pages that are trained on beside the articles: they have prose too, in more layouts. (Collections are not:
their lists of summaries are their text, and made the text of articles too.)"""
_PROSE_WEIGHT = 0.3
"""Weight of a block of such a page to an article's. Out of fold they gave .001 of word F1 on wcxb-dev."""
_TRANSPLANTED_WEIGHT = 0.6
"""Weight of a block of an article onto which teasers were transplanted. On templates never seen, those of the newsroom,
word F1 went from .955 to .965 by them, with no change on the corpora."""
_CUTS = (0.5,)
"""Cuts that are tried: between .35 and .6 the word F1 out of fold changes by less than the choice of trees."""
_JUDGES = 5
"""Gates that are averaged; one alone changes its recall by a point with the seed."""
_PRECISION = 0.95
"""Precision out of fold at which the gate's cut is set, on the corpus that has all kinds of pages."""


@dataclass(frozen=True, slots=True)
class _Labelled:
    """Blocks of a page: their features, whether they are its text's, and their sizes in words."""

    rows: Floats
    labels: npt.NDArray[np.bool_]
    sizes: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Example:
    page: LabelledPage
    found: Segments
    metadata: Metadata
    blocks: _Labelled
    transplanted: _Labelled | None


_Judged = tuple[_Example, Floats, float]
"""A page with its features for the gate, one row, and the score that a gate fitted without it gave."""


def prepare(page: LabelledPage, teasers: Teasers) -> _Example | None:
    """A page's blocks with features and labels, as it is and with teasers of others; None for one without markup."""
    html = repair_page(decode(page.html).text)
    tree = parse(html)
    if tree is None:
        return None
    found, metadata, blocks = _read(tree, page)
    with_teasers = None
    if page.kind == "article" and (copy := parse(html)) is not None and transplant(copy, page, teasers):
        _, _, with_teasers = _read(copy, page)
    return _Example(replace(page, html=b""), found, metadata, blocks, with_teasers)


def _read(tree: HtmlElement, page: LabelledPage) -> tuple[Segments, Metadata, _Labelled]:
    metadata = find_metadata(tree, page.url)
    found = segment(tree)
    rows = features.featurize(found, versions_of(tree, metadata))
    return found, metadata, _Labelled(rows, *label(found, page.text))


def fit_blocks(examples: Sequence[_Example]) -> Forest:
    """The block classifier, fitted on the articles among the examples, on these with teasers, and on pages of prose."""
    used = [entry for one in examples for entry in _weighted(one) if entry[0].labels.any()]
    rows = np.concatenate([blocks.rows for blocks, _ in used])
    labels = np.concatenate([blocks.labels for blocks, _ in used])
    weights = np.concatenate([_weights(blocks) * weight for blocks, weight in used])
    easy = (rows[:, features.NAMES.index("chosen")] < 0.05) & (rows[:, features.NAMES.index("link_density")] > 0.8)
    taken = ~easy | (np.random.default_rng(0).random(len(rows)) < _EASY_KEPT)
    weights = np.where(easy, weights / _EASY_KEPT, weights)[taken]
    return fit(rows[taken], labels[taken], (weights / weights.mean()).astype(np.float32), features.NAMES)


def _weighted(example: _Example) -> Iterator[tuple[_Labelled, float]]:
    corpus = _NEWS_WEIGHT if example.page.corpus == "news-pages" else 1.0
    if example.page.kind == "article":
        yield example.blocks, corpus
    elif example.page.kind in _PROSE_KINDS:
        yield example.blocks, corpus * _PROSE_WEIGHT
    if example.transplanted is not None:
        yield example.transplanted, corpus * _TRANSPLANTED_WEIGHT


def _weights(blocks: _Labelled) -> npt.NDArray[np.float64]:
    """Square root of the share that a block has in its page's text."""
    total = max(50, int(blocks.sizes[blocks.labels].sum()))
    weights: npt.NDArray[np.float64] = np.sqrt(np.maximum(blocks.sizes, 1) / total)
    return weights


def choose(example: _Example, forest: Forest, cut: float) -> Selection:
    """What the classifier makes of a page at a cut."""
    return put_together(example.found, forest.probability(example.blocks.rows), cut, example.metadata.title)


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
    with_teasers = partial(prepare, teasers=teasers_of(read_corpora(options.corpora)))
    with Pool() as pool:
        prepared = list(pool.imap(with_teasers, read_corpora(options.corpora), chunksize=4))
    examples = [example for example in prepared if example is not None]
    cut, gate_cut, figures = cross_validate(examples, options.folds, options.models)
    pages = Counter(f"{example.page.corpus}: {example.page.kind}" for example in examples)
    provenance: dict[str, object] = {
        "made by": "python -m training.fit_blocks",
        "trained on": dict(sorted(pages.items())),
        "weights of blocks": {
            "article": 1.0,
            "article with teasers of others": _TRANSPLANTED_WEIGHT,
            **dict.fromkeys(sorted(_PROSE_KINDS), _PROSE_WEIGHT),
            "of news-pages, times": _NEWS_WEIGHT,
        },
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
