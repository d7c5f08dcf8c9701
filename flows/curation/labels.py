"""What people said of articles, kept as data beside the recipe; which articles to ask about, and where they are."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from heapq import nsmallest
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ConfigDict, TypeAdapter, ValidationError

from cleaning.topic.feedback import Label
from cleaning.topic.profile import TopicProfile
from cleaning.topic.terms import weighted_terms
from cleaning.verdict import Verdict
from flows.config import Dataset
from flows.copies.index import article_id
from flows.destination import LocalFolder
from flows.errors import InputError
from flows.filtering import text_to_score
from flows.runs import Run, list_runs, write_text

LABELS_NAME = "labels.jsonl"

LAST_RUNS = 30
"""Runs whose articles are asked about, the last ones: a month, day by day."""

_POOL = 300
_DECIMALS = 4
_PLACES = ["url", "canonical_url"]


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """A line of labels.jsonl: the article, the answer, when it was given (ISO 8601, UTC), and the article's terms.

    The terms are what is learnt from, so a label counts even when the article's text is gone. No text is kept.
    """

    id: str
    url: str
    title: str
    label: Literal["yes", "no"]
    labelled_at: str
    terms: dict[str, float]

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    def learnable(self) -> Label:
        """The label as the topic takes it."""
        return Label(self.title or self.url, self.terms, self.label == "yes")


@dataclass(frozen=True, slots=True)
class Article:
    """An article that can be labelled or explained.

    `where` is the run, or "published"; `verdict` what the filter said of it there.
    """

    id: str
    url: str
    title: str
    text: str
    verdict: str
    where: str

    @property
    def to_score(self) -> str:
        """What the topic looks at."""
        return text_to_score({"title": self.title, "text": self.text})


_LINE = TypeAdapter(StoredLabel)


def labels_path(dataset: Dataset) -> Path:
    """The file of a dataset's labels."""
    return dataset.folder / LABELS_NAME


def read_labels(dataset: Dataset) -> tuple[StoredLabel, ...]:
    """The labels of a dataset, oldest first; of several on one article the last one counts.

    Raises:
        InputError: the file cannot be read, or a line is no label; the message names the line.
    """
    path = labels_path(dataset)
    try:
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}.", "Mend the file, or restore it from a copy.") from error
    found: dict[str, StoredLabel] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            stored = _read_line(path, number, line)
            found.pop(stored.id, None)
            found[stored.id] = stored
    return tuple(found.values())


def _read_line(path: Path, number: int, line: str) -> StoredLabel:
    try:
        stored = _LINE.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "line"
        raise InputError(
            f"{path}, line {number}: {key}: {first['msg']}.", "Mend that line or take it out; docs/topic.md shows one."
        ) from error
    if any(not 0 < weight < math.inf for weight in stored.terms.values()):
        raise InputError(f"{path}, line {number}: a term's weight is not above 0.", "Take that line out.")
    return stored


def save_labels(
    dataset: Dataset, answers: Sequence[tuple[Article, bool]], now: datetime | None = None
) -> tuple[StoredLabel, ...]:
    """Adds answers to the dataset's labels, in the place of earlier ones on the same articles; gives all of them."""
    when = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    merged = {stored.id: stored for stored in read_labels(dataset)}
    for article, belongs in answers:
        merged.pop(article.id, None)
        merged[article.id] = _stored(article, belongs, when)
    lines = [_LINE.dump_json(stored).decode("utf-8") + "\n" for stored in merged.values()]
    write_text(labels_path(dataset), "".join(lines))
    return tuple(merged.values())


def _stored(article: Article, belongs: bool, when: str) -> StoredLabel:
    terms = {term: round(weight, _DECIMALS) for term, weight in weighted_terms(article.to_score).items()}
    kept = {term: weight for term, weight in terms.items() if weight > 0}
    return StoredLabel(article.id, article.url, article.title, "yes" if belongs else "no", when, kept)


# Which articles to ask about


def borderline(dataset: Dataset, profile: TopicProfile, most: int, run_id: str | None = None) -> list[Article]:
    """The articles of the last runs whose labels would teach most, most informative first.

    They are those nearest to the threshold that differ from each other; articles with a label are left out.

    Raises:
        InputError: there is no filtered run, or not that one.
    """
    labelled = {stored.id for stored in read_labels(dataset)}
    runs = [run for run in _filtered(dataset) if run_id in (None, run.id)]
    if not runs:
        known = ", ".join(run.id for run in _filtered(dataset)) or "none"
        raise InputError(
            f"{dataset.name}: there is no filtered run {run_id or ''} in {dataset.state}.",
            f"Known: {known}. `likewise run {dataset.name}` makes one.",
        )
    near = near_threshold(dataset, profile, runs, labelled)
    return [near[i] for i in profile.borderline([article.to_score for article in near], most)]


def near_threshold(
    dataset: Dataset, profile: TopicProfile, runs: Sequence[Run] | None = None, without: Collection[str] = ()
) -> list[Article]:
    """Up to 300 articles of `runs`, by default the last ones, whose similarity was nearest to the threshold."""
    places: dict[str, tuple[float, int, str, int]] = {}
    chosen = (_filtered(dataset) if runs is None else runs)[:LAST_RUNS]
    for age, run in enumerate(chosen):
        for part, row, article, similarity in _judged(run):
            if article not in places and article not in without:
                places[article] = (abs(math.log(similarity / profile.threshold)), age, part, row)
    nearest = nsmallest(_POOL, places.values())
    rows_of: dict[tuple[int, str], list[int]] = {}
    for _, age, part, row in nearest:
        rows_of.setdefault((age, part), []).append(row)
    read = {
        (age, part, row): article
        for (age, part), rows in rows_of.items()
        for row, article in zip(rows, _read(chosen[age], part, rows), strict=True)
    }
    return [read[age, part, row] for _, age, part, row in nearest]


def _filtered(dataset: Dataset) -> list[Run]:
    """The runs whose articles were judged, latest first."""
    return [run for run in reversed(list_runs(dataset)) if run.summary("filter")]


def _judged(run: Run) -> Iterator[tuple[str, int, str, float]]:
    """Part, row, id and similarity of the articles that the topic decided about."""
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        judged = pq.read_table(path, columns=["verdict", "similarity"], partitioning=None).to_pydict()
        places = pq.read_table(run.clean_folder / path.name, columns=_PLACES, partitioning=None).to_pylist()
        for row, (verdict, similarity) in enumerate(zip(judged["verdict"], judged["similarity"], strict=True)):
            if similarity and verdict in (Verdict.KEPT, Verdict.OFF_TOPIC):
                yield path.name, row, _id(places[row]), similarity


def _id(row: dict[str, Any]) -> str:
    return article_id(row["canonical_url"] or row["url"])


def _read(run: Run, part: str, rows: Sequence[int]) -> list[Article]:
    """The articles in some rows of a part of a run."""
    columns = [*_PLACES, "title", "text"]
    records = pq.read_table(run.clean_folder / part, columns=columns, partitioning=None).take(pa.array(rows))
    judged = run.filter_folder / part
    verdicts = pq.read_table(judged, columns=["verdict"], partitioning=None)["verdict"] if judged.exists() else None
    return [
        Article(
            id=_id(record),
            url=record["url"],
            title=record["title"],
            text=record["text"] or "",
            verdict=verdicts[row].as_py() if verdicts else "unfiltered",
            where=run.id,
        )
        for row, record in zip(rows, records.to_pylist(), strict=True)
    ]


# Where an article is


def find_article(dataset: Dataset, name: str) -> Article | None:
    """The article of that id or URL: from the latest run that has it, else from the published version."""
    for run in reversed(list_runs(dataset)):
        for path in sorted(run.clean_folder.glob("[0-9]*.parquet")):
            places = pq.read_table(path, columns=_PLACES, partitioning=None).to_pylist()
            for row, place in enumerate(places):
                if name in (place["url"], place["canonical_url"], _id(place)):
                    return _read(run, path.name, [row])[0]
    return _published(dataset, name)


def _published(dataset: Dataset, name: str) -> Article | None:
    destination = LocalFolder(dataset.folder)
    manifest = destination.manifest()
    for shard in manifest.of("articles") if manifest else ():
        path = destination.current / shard.path
        places = pq.read_table(path, columns=["id", *_PLACES], partitioning=None)
        fits = [pc.equal(places[column], name) for column in places.column_names]
        rows = pc.indices_nonzero(pc.or_(pc.or_(fits[0], fits[1]), fits[2]))
        if len(rows):
            columns = ["id", "url", "title", "text"]
            found = pq.read_table(path, columns=columns, partitioning=None).take(pa.array(rows[:1])).to_pylist()[0]
            return Article(found["id"], found["url"], found["title"], found["text"] or "", "kept", "published")
    return None


def articles_named(dataset: Dataset, names: Sequence[str]) -> list[Article]:
    """The articles of those ids or URLs, in order.

    Raises:
        InputError: one is neither in the state nor published, or has no text to learn from.
    """
    found = [(name, find_article(dataset, name)) for name in names]
    for name, article in found:
        if article is None or not weighted_terms(article.to_score):
            why = "is in no run and not published" if article is None else "has no text to learn from"
            raise InputError(
                f"{dataset.name}: {name!r} {why}.",
                f"`likewise label {dataset.name} --json` lists articles with their ids; a URL or an id is taken.",
            )
    return [article for _, article in found if article]


def told(dataset: Dataset, yes: Sequence[str], no: Sequence[str]) -> list[tuple[Article, bool]]:
    """The articles of those ids or URLs, with whether they belong.

    Raises:
        InputError: an article is unknown or has no text, or is said both to belong and not to.
    """
    belonging, others = articles_named(dataset, yes), articles_named(dataset, no)
    for article in belonging:
        if article.id in {other.id for other in others}:
            raise InputError(
                f"{dataset.name}: {article.title or article.url!r} is given with --yes and with --no.",
                "Give each article one answer.",
            )
    return [(article, True) for article in belonging] + [(article, False) for article in others]


def as_record(stored: StoredLabel) -> dict[str, Any]:
    """A label without its terms, for people and scripts to read."""
    return {key: value for key, value in asdict(stored).items() if key != "terms"}
