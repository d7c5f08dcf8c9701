"""End-to-end figures: a published dataset beside the newsroom's truth."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flows.demo.truth import Truth

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Score:
    """How good a dataset is. Shares and F1 are within 0..1; the tuples name URLs, for people to look into.

    `recall` counts wanted articles of which the original or a copy is published, `precision` the rows that are right:
    wanted, and the only one of their article. `word_f1` is the mean over the right rows, as bags of words. `forbidden`
    are rows of pages that robots.txt or an opt-out forbids, `paywalled` of pages behind a paywall, `withdrawn` of pages
    whose withdrawal is announced. Rows of pages that were
    withdrawn without a word count neither way.
    """

    rows: int
    precision: float
    recall: float
    word_f1: float
    titles: float
    copies_beside_original: int
    missed: tuple[str, ...]
    wrong: tuple[str, ...]
    forbidden: tuple[str, ...]
    paywalled: tuple[str, ...]
    withdrawn: tuple[str, ...]

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _harmonic(self.precision, self.recall)


def word_f1(found: str, gold: str) -> float:
    """F1 of two texts as bags of lower-case words, 0..1."""
    ours, theirs = (Counter(_WORD.findall(text.lower())) for text in (found, gold))
    if not ours and not theirs:
        return 1.0
    both = (ours & theirs).total()
    return _harmonic(both / max(1, ours.total()), both / max(1, theirs.total()))


def score(rows: Iterable[Mapping[str, Any]], truth: Iterable[Truth]) -> Score:
    """The figures of published rows with `url`, `text` and, where there are, `canonical_url` and `title`."""
    truths = tuple(truth)
    pairs = _match(rows, truths)
    judged = [(row, page) for row, page in pairs if page is None or page.status == 200 or page.announced]
    right, wrong, copies = _judge(judged)
    clusters = {page.cluster for page in truths if page.wanted}
    found = {page.cluster for _, page in right}
    return Score(
        rows=len(pairs),
        precision=len(right) / len(judged) if judged else 0.0,
        recall=len(found & clusters) / len(clusters) if clusters else 1.0,
        word_f1=_mean(word_f1(str(row.get("text") or ""), page.text) for row, page in right),
        titles=_mean(float(row.get("title") == page.title) for row, page in right),
        copies_beside_original=copies,
        missed=tuple(sorted(clusters - found)),
        wrong=tuple(wrong),
        forbidden=_urls(p for _, p in pairs if p and p.access not in ("open", "paywalled")),
        paywalled=_urls(p for _, p in pairs if p and p.access == "paywalled"),
        withdrawn=_urls(p for _, p in pairs if p and p.announced and p.status != 200),
    )


def _match(rows: Iterable[Mapping[str, Any]], truths: Iterable[Truth]) -> list[tuple[Mapping[str, Any], Truth | None]]:
    """Each row with the page that it is from: by its own URL, then by its canonical one."""
    pages = {url: page for page in truths for url in (*page.variants, page.url)}
    return [(row, pages.get(row["url"]) or pages.get(row.get("canonical_url") or "")) for row in rows]


def _judge(
    pairs: Iterable[tuple[Mapping[str, Any], Truth | None]],
) -> tuple[list[tuple[Mapping[str, Any], Truth]], list[str], int]:
    """The right rows, the URLs of the wrong ones, and how many of these stand beside a copy of themselves."""
    right: list[tuple[Mapping[str, Any], Truth]] = []
    wrong: list[str] = []
    seen: set[str] = set()
    copies = 0
    for row, page in pairs:
        if page is not None and page.wanted and page.cluster not in seen:
            seen.add(page.cluster)
            right.append((row, page))
            continue
        wrong.append(str(row["url"]))
        copies += page is not None and page.wanted
    return right, wrong, copies


def _urls(pages: Iterable[Truth]) -> tuple[str, ...]:
    return tuple(sorted(page.url for page in pages))


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.fmean(found) if found else 0.0


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
