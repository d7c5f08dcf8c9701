"""Fits the prefilter, which tells pages that are obviously no articles before their article is sought.

    python -m training.fit_prefilter ../shared/corpora [--folds 5] [--models build/models] [--ship cleaning/data]

For each fold K of N the model fitted without its hosts goes to `build/models/K-of-N/prefilter.npz`; the one fitted on
all pages goes to `--ship`, with `prefilter.json` beside it: what it was trained on, and its figures out of fold.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cleaning.article.forest import Forest
from cleaning.page import glance
from cleaning.page.blocks import segment
from cleaning.page.decode import decode, repair_page
from cleaning.page.tree import parse
from training.boosting import fit, save
from training.pages import LabelledPage, fold_of, read_corpora

Floats = npt.NDArray[np.float32]
_ARTICLE_WEIGHT = 8.0
"""Weight of an article to another page: a lost article costs more than a page that is cleaned in vain."""
_NEWS_WEIGHT = 2.0
_SEEDS = 5
"""Models that are averaged: the scores of the few articles that decide the cut change by half with the seed."""
_LOST = 0.0015
"""Largest share of the articles out of fold that the cut may lose."""


@dataclass(frozen=True, slots=True)
class _Example:
    page: LabelledPage
    row: Floats

    @property
    def is_article(self) -> bool:
        return self.page.kind == "article"


def prepare(page: LabelledPage) -> _Example | None:
    """A page's numbers; None for a page without markup."""
    tree = parse(repair_page(decode(page.html).text))
    if tree is None:
        return None
    return _Example(replace(page, html=b"", text=""), glance.glance(segment(tree), glance.signs_of(tree, page.url))[0])


def fit_prefilter(examples: Sequence[_Example]) -> Forest:
    """The prefilter, fitted on pages of all kinds."""
    weights = [
        (_ARTICLE_WEIGHT if one.is_article else 1.0) * (_NEWS_WEIGHT if one.page.corpus == "news-pages" else 1.0)
        for one in examples
    ]
    return fit(
        np.stack([one.row for one in examples]),
        np.asarray([one.is_article for one in examples]),
        np.asarray(weights, np.float32),
        glance.NAMES,
        leaves=12,
        seeds=_SEEDS,
    )


def cross_validate(examples: Sequence[_Example], folds: int, models: Path) -> tuple[float, dict[str, object]]:
    """Fits and saves the model of each fold; returns the cut that loses few enough articles, and the figures there."""
    fold = np.asarray([fold_of(one.page.url, folds) for one in examples])
    scores = np.zeros(len(examples), np.float32)
    forests = []
    for k in range(folds):
        forests.append(fit_prefilter([one for one, where in zip(examples, fold, strict=True) if where != k]))
        scores[fold == k] = forests[k].probability(np.stack([one.row for one in examples])[fold == k])
    truth = np.asarray([one.is_article for one in examples])
    cut = _cut(np.sort(scores[truth]))
    for k, forest in enumerate(forests):
        save(replace(forest, cut=cut), models / f"{k}-of-{folds}" / "prefilter.npz")
    caught = scores < cut
    by_kind = {
        kind: f"{sum(caught[i] for i in places)} of {len(places)}"
        for kind in sorted({one.page.kind for one in examples})
        if (places := [i for i, one in enumerate(examples) if one.page.kind == kind])
    }
    return cut, {
        "articles lost": round(float(caught[truth].mean()), 4),
        "other pages caught": round(float(caught[~truth].mean()), 4),
        "caught by kind": by_kind,
    }


def _cut(article_scores: Floats) -> float:
    """The score of the first article that may not be lost; scores under it are cut off."""
    return float(article_scores[int(_LOST * len(article_scores))])


def main() -> None:
    """Runs the training from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--models", type=Path, default=Path("build/models"))
    parser.add_argument("--ship", type=Path, default=Path("cleaning/data"))
    options = parser.parse_args()
    examples = [example for example in map(prepare, read_corpora(options.corpora)) if example is not None]
    cut, figures = cross_validate(examples, options.folds, options.models)
    provenance = {
        "made by": "python -m training.fit_prefilter",
        "trained on": dict(sorted(Counter(f"{one.page.corpus}: {one.page.kind}" for one in examples).items())),
        "sources": "WCXB development split (CC BY 4.0); publishers' pages from fundus' parser tests; no text is kept",
        "libraries": {name: version(name) for name in ("lightgbm", "lxml")},
        "features": len(glance.NAMES),
        "cut": cut,
        f"out of fold, {options.folds} folds by host": figures,
    }
    print(json.dumps(provenance, indent=1))
    save(replace(fit_prefilter(examples), cut=cut), options.ship / "prefilter.npz")
    written = json.dumps(provenance, indent=1, ensure_ascii=False) + "\n"
    (options.ship / "prefilter.json").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
