"""Counts by stage and verdict, for the terminal, for Prefect's artifacts and for report.html."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cleaning.verdict import MEANING, Verdict
from flows.publishing.card import TEMPLATES
from flows.runs import Run

RELATIONS = {
    "new": "an article that was not known",
    "same": "an article that was known, unchanged",
    "version": "a later edition of a known article",
    "truncated": "a copy: a known article, cut short",
    "extended": "a copy: a known article with more added",
    "excerpt": "a copy of a part of a known article",
    "edited": "a copy: a known article, edited",
    "withdrawn": "a known article that its publisher withdrew",
}


@dataclass(frozen=True, slots=True)
class Line:
    """How many pages a stage gave a verdict."""

    stage: str
    verdict: str
    count: int
    meaning: str


def funnel(run: Run) -> list[Line]:
    """The lines of every finished stage, in the order of the data, most pages first within a stage."""
    lines: list[Line] = []
    for stage, key in (
        ("crawl", "outcomes"),
        ("clean", "verdicts"),
        ("filter", "verdicts"),
        ("copies", "relations"),
        ("publish", "added"),
    ):
        counts = (run.summary(stage) or {}).get(key) or {}
        lines += [Line(stage, name, number, _meaning(stage, name)) for name, number in _most_first(counts)]
    return lines


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((name, number) for name, number in counts.items() if number), key=lambda item: (-item[1], item[0]))


def _meaning(stage: str, name: str) -> str:
    if stage == "copies":
        return RELATIONS.get(name, "")
    if stage == "publish":
        return f"rows added to the config `{name}`"
    if name == Verdict.KEPT:
        return {"crawl": "fetched and stored", "clean": "an article", "filter": "an article like the seeds"}[stage]
    return MEANING[Verdict(name)]


def notes(run: Run) -> list[str]:
    """Sentences that a reader of the counts should know: what is wrong with sources, input and seeds; the threshold."""
    cleaned, filtered = run.summary("clean") or {}, run.summary("filter") or {}
    found = [f"Source in trouble: {line}." for line in (run.summary("crawl") or {}).get("troubles", [])]
    found += [f"Damaged input: {line}" for line in cleaned.get("damaged", [])]
    found += [f"Seeds: {line}" for line in filtered.get("problems", [])]
    if "threshold" in filtered:
        found.append(f"Threshold of similarity to the seeds: {filtered['threshold']:.3f}.")
    if filtered.get("nearest") and not filtered["verdicts"].get(Verdict.KEPT):
        nearest = "; ".join(f"{title or url} ({similarity:.3f})" for similarity, title, url in filtered["nearest"])
        found.append(f"No article is like the seeds. Nearest: {nearest}.")
    return found


def as_json(run: Run) -> dict[str, Any]:
    """The counts and notes of a run, for scripts."""
    published = run.summary("publish") or {}
    return {
        "dataset": run.dataset.name,
        "run": run.id,
        "version": published.get("version"),
        "is_new": published.get("is_new"),
        "counts": [asdict(line) for line in funnel(run)],
        "notes": notes(run),
    }


def render_report(run: Run) -> str:
    """The text of report.html for what is finished of a run."""
    lines = funnel(run)
    largest = max([line.count for line in lines], default=1)
    template = TEMPLATES.get_template("report.html")
    return template.render(name=run.dataset.name, run_id=run.id, lines=lines, notes=notes(run), largest=largest)
