"""Do the lines that are learned to repeat on a host belong to its pages or to its articles? Precision, recall, word F1.

Run from the repository: `python -m benchmarks.host_lines`. Three parts, each line judged against the gold text:
the newsroom of the demo, whose outlets have furniture of their own; real publishers of ../shared/corpora, of which few
have more than two pages, so that smaller supports than the default are tried too; and real pages that are given to
made-up hosts, with furniture planted at several rates, and with background, headings and quotations of their own.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from cleaning.article.repeated import RepeatedOptions, learn, line_hash, without_lines
from cleaning.extract import ExtractOptions, extract
from cleaning.schema import Extraction, Page
from cleaning.urls import site_of
from cleaning.verdict import Verdict
from flows.demo.newsroom import Newsroom
from flows.demo.score import word_f1
from training.pages import fold_of, read_corpora

CORPORA = Path(__file__).parents[1] / "../shared/corpora"
MODELS = Path("build/models")
_FOLDS, _MIN_WORDS, _SEED = 5, 40, 4
_A_HOST = 45
_OPTIONS = RepeatedOptions()

FURNITURE = (  # (line, share of the articles that have it, where)
    ("Ilse Varga covers courts and prisons for the Meridian Post from its bureau in Tarn", 0.15, "end"),
    ("Hear the people behind this story on our evening programme, weekdays at six", 0.5, "end"),
    ("The Post corrects its mistakes; write to the duty editor if you have found one.", 0.35, "end"),
    ("Keep this page to yourself? Pass it on with the gift link above.", 0.6, "middle"),
    ("From the desk of the Meridian Post", 0.3, "start"),
    ("Unser Ressort arbeitet nach den Regeln des Presserats von Tarn", 0.2, "end"),
)
SHARED = (  # what the articles of a host may share as text of their own
    ("The talks were broken off two years ago, after the delegation of the north had left the table.", 0.25, "middle"),
    ("The war has displaced more than two million people, by the count of the United Nations.", 0.1, "end"),
    ("What happens next", 0.15, "middle"),
    ("“We will not negotiate with a gun to our head,” the minister said.", 0.08, "middle"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """An extracted article with the text that it should have."""

    record: Extraction
    gold: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Lines that were taken out, how many of them are no line of the gold text, and word F1 before and after."""

    removed: int
    right: int
    before: float
    after: float
    wrong: tuple[str, ...]

    def show(self, title: str) -> None:
        """Prints one line, and the lines that were wrongly taken out."""
        precision = f"{self.right / self.removed:.3f}" if self.removed else "-"
        print(f"{title}: {self.removed} lines removed, precision {precision}, F1 {self.before:.4f} -> {self.after:.4f}")
        for line in self.wrong[:8]:
            print(f"  wrong: {line[:110]}")


def judge(cases: Sequence[Case], options: RepeatedOptions = _OPTIONS) -> Figures:
    """Learns from all cases, removes, and compares with the gold texts."""
    known = learn({}, [case.record for case in cases], options)
    removed = right = 0
    wrong: dict[str, None] = {}
    scores = []
    for case in cases:
        if case.record.domain not in known:
            continue
        after = without_lines(case.record, known[case.record.domain].lines, _MIN_WORDS)
        gold = {line_hash(line) for line in case.gold.split("\n")}
        left = {line_hash(line) for line in after.text.split("\n\n")}
        for line in case.record.text.split("\n\n"):
            if line_hash(line) not in left:
                removed += 1
                right += line_hash(line) not in gold
                wrong |= {line: None} if line_hash(line) in gold else {}
        scores.append((word_f1(case.record.text, case.gold), word_f1(after.text, case.gold)))
    before, after_ = (sum(values) / len(values) for values in zip(*scores, strict=True))
    return Figures(removed, right, before, after_, tuple(wrong))


def newsroom() -> Iterator[Case]:
    """The article pages of the demo's newsroom."""
    room = Newsroom()
    for truth in room.truth():
        parts = urlsplit(truth.url)
        if truth.status == 200 and truth.access == "open":
            body = room.page(parts.netloc.partition(":")[0], parts.path, 1).body
            record = extract(Page(truth.url, body))
            if record.verdict is Verdict.KEPT:
                yield Case(record, "\n".join(truth.paragraphs))


def real() -> Iterator[Case]:
    """The articles of the corpora, extracted by models that know nothing of their hosts."""
    for page in read_corpora(CORPORA):
        if page.kind == "article":
            folder = MODELS / f"{fold_of(page.url, _FOLDS)}-of-{_FOLDS}"
            record = extract(Page(page.url, page.html), ExtractOptions(models=str(folder) if folder.exists() else ""))
            if record.verdict is Verdict.KEPT:
                yield Case(record, page.text)


def publishers(cases: Iterable[Case]) -> list[Case]:
    """The articles of sites that have two or more, under their sites' names."""
    sites: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.record.domain:
            site = site_of(case.record.domain)
            sites[site].append(replace(case, record=replace(case.record, domain=site)))
    return [case for found in sites.values() if len(found) > 1 for case in found]


def planted(cases: Sequence[Case]) -> list[Case]:
    """Real articles on made-up hosts, with furniture that is not in their gold text, and shared text that is."""
    chance = random.Random(_SEED)
    order = list(cases)
    chance.shuffle(order)
    return [_planted(case, f"host{i // _A_HOST}.example", i, chance) for i, case in enumerate(order)]


def _planted(case: Case, host: str, number: int, chance: random.Random) -> Case:
    lines, gold = case.record.text.split("\n\n"), case.gold.split("\n")
    for added, is_gold in ((FURNITURE, False), (SHARED, True)):
        for text, share, where in added:
            if chance.random() < share:
                line = text.replace("Meridian Post", f"Meridian Post {host}")
                lines.insert({"start": 0, "middle": len(lines) // 2, "end": len(lines)}[where], line)
                gold += [line] if is_gold else []
    url = f"https://{host}/{number}"
    record = replace(case.record, url=url, canonical_url=url, domain=host, text="\n\n".join(lines))
    return Case(record, "\n".join(gold))


def main() -> None:
    """Prints the three parts."""
    judge(list(newsroom())).show("newsroom")
    cases = list(real())
    own = publishers(cases)
    print(f"real publishers with two articles or more: {len(own)} articles")
    for support in (4, 3, 2):
        judge(own, RepeatedOptions(support=support)).show(f"  support {support}")
    crowded = planted(cases)
    figures = judge(crowded)
    figures.show(f"planted, {len(crowded)} articles on {len({case.record.domain for case in crowded})} hosts")
    furniture = [text.split("Meridian Post")[0] for text, _, _ in FURNITURE]
    there = sum(line.startswith(tuple(furniture)) for case in crowded for line in case.record.text.split("\n\n"))
    print(f"  of {there} planted lines, recall {min(1.0, figures.right / there):.3f}")


if __name__ == "__main__":
    main()
