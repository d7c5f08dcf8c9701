"""How a dataset is doing: its last and next run, its freshness, its size, what is wrong; without a Prefect server."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console

from flows.config import Dataset
from flows.destination import LocalFolder
from flows.errors import PublishError
from flows.manifest import Manifest
from flows.runs import Run, list_runs, locked_file
from flows.scheduling.timetable import next_time
from flows.wording import count

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Dates are stored as microseconds since then; pyarrow would import pandas to say them as datetimes."""

_INDENT = 12
_STAGES = ("crawl", "clean", "filter", "copies", "publish")


@dataclass(frozen=True, slots=True)
class LastRun:
    """The run that was begun last: `began` is ISO 8601 in UTC; `outcome` a word or two; `detail` may be ""."""

    id: str
    kind: str
    began: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """The published version: its rows and bytes, when it was made, and the date of its newest article."""

    version: int
    made: str
    articles: int
    copies: int
    bytes: int
    newest_article: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """How a dataset is doing at the time `at`; `troubles` are sentences, empty where all is well."""

    dataset: str
    at: datetime
    last_run: LastRun | None
    next_run: datetime | None
    published: Published | None
    troubles: tuple[str, ...]

    @property
    def age(self) -> timedelta | None:
        """The freshness: how old the newest article is."""
        newest = self.published and self.published.newest_article
        return self.at - newest if newest else None

    def as_json(self) -> dict[str, Any]:
        """The status for scripts; times are ISO 8601 in UTC, the age in hours."""
        hours = None if self.age is None else round(self.age / timedelta(hours=1), 1)
        record: dict[str, Any] = _plain(asdict(self))
        return record | {"newest_article_hours": hours}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


def dataset_status(dataset: Dataset, now: datetime | None = None) -> Status:
    """What the state folder, the recipe and the published version say.

    Args:
        dataset: which one.
        now: the time to count from; default the present.
    """
    now = now or datetime.now(UTC)
    schedule = dataset.recipe.schedule
    last = max(list_runs(dataset), key=_began, default=None)
    published, broken = _published_or_why_not(dataset)
    return Status(
        dataset=dataset.name,
        at=now,
        last_run=_last_run(last, is_at_work(dataset)) if last else None,
        next_run=next_time(schedule.cron, schedule.interval, schedule.timezone, now),
        published=published,
        troubles=(*broken, *_troubles(dataset)),
    )


def is_at_work(dataset: Dataset) -> bool:
    """Whether a process works on the dataset at this moment."""
    path = dataset.state / "lock"
    if not path.exists():
        return False
    with locked_file(path) as free:
        return not free


def _began(run: Run) -> tuple[str, str]:
    return (str((run.summary("run") or {}).get("created", "")), run.id)


def _last_run(run: Run, is_running: bool) -> LastRun:
    begun = run.summary("run") or {}
    outcome, detail = _outcome(run, is_running)
    return LastRun(run.id, begun.get("kind", ""), begun.get("created", ""), outcome, detail)


def _outcome(run: Run, is_running: bool) -> tuple[str, str]:
    published, failure = run.summary("publish") or {}, run.summary("failure") or {}
    if published.get("refused"):
        return "refused", str(published["refused"])
    if done := run.summary("done"):
        return _ended_well(done)
    stage = next((name for name in _STAGES if run.summary(name) is None), "report")
    if is_running:
        return "running", f"at the stage `{stage}`"
    if failure:
        return "failed", f"{failure['what']}\n{failure['remedy']}"
    return "cut short", f"at the stage `{stage}`; the next run goes on from there"


def _ended_well(done: dict[str, Any]) -> tuple[str, str]:
    if done.get("abandoned"):
        return "abandoned", "a backfill was begun anew"
    if done.get("is_new"):
        return "published", f"version {done['version']}"
    return "nothing new", f"version {done['version']} stays" if done.get("version") else "nothing is published yet"


def _published_or_why_not(dataset: Dataset) -> tuple[Published | None, tuple[str, ...]]:
    destination = LocalFolder(dataset.folder)
    try:
        manifest = destination.manifest()
    except PublishError as error:
        return None, (str(error),)
    return (_published(manifest, destination.current) if manifest else None), ()


def _published(manifest: Manifest, folder: Path) -> Published:
    newest = _newest(folder / shard.path for shard in manifest.of("articles"))
    return Published(
        version=manifest.version,
        made=manifest.created,
        articles=manifest.rows("articles"),
        copies=manifest.rows("copies"),
        bytes=sum(shard.bytes for shard in manifest.shards),
        newest_article=newest,
    )


def _newest(shards: Iterable[Path]) -> datetime | None:
    """The latest publication date, from the statistics that Parquet keeps for each row group."""
    found = [column.statistics.max_raw for path in shards for column in _dates(path) if column.statistics.has_min_max]
    return _EPOCH + timedelta(microseconds=max(found)) if found else None


def _dates(path: Path) -> Iterable[Any]:
    """The publication dates of each row group, as its footer describes them; those without statistics left out."""
    footer = pq.read_metadata(path)
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema == "published_at" and column.is_stats_set:
                yield column


def _troubles(dataset: Dataset) -> list[str]:
    """What the last crawl that ended said of its sources."""
    crawled = (run.summary("crawl") for run in sorted(list_runs(dataset), key=_began, reverse=True))
    last = next((summary for summary in crawled if summary and "troubles" in summary), {})
    return [str(trouble) for trouble in last.get("troubles", [])]


def show(found: Status, console: Console) -> None:
    """Prints a line for each thing; further lines of a thing are indented."""
    for name, value in _lines(found):
        said = value.replace("\n", f"\n{'':<{_INDENT}}")
        console.print(f"{name + ':':<{_INDENT}}{said}", markup=False, highlight=False, soft_wrap=True)


def _lines(found: Status) -> Iterable[tuple[str, str]]:
    yield "dataset", found.dataset
    yield "last run", _said(found.last_run) if found.last_run else f"none: `likewise run {found.dataset}` makes one"
    yield "next run", f"{found.next_run:%Y-%m-%d %H:%M} UTC" if found.next_run else "none: the recipe has no schedule"
    if found.published:
        rows = f"{count(found.published.articles, 'article')}, {count(found.published.copies, 'copy', 'copies')}"
        yield "published", f"version {found.published.version}, {rows}, {_size(found.published.bytes)}"
    else:
        yield "published", "nothing yet"
    if found.age is not None:
        yield "newest", f"an article {_age(found.age)} old"
    for trouble in found.troubles:
        yield "trouble", trouble


def _said(run: LastRun) -> str:
    began = run.began[:16].replace("T", " ")
    return f"{run.id} ({run.kind}, begun {began} UTC): {run.outcome}" + (f", {run.detail}" if run.detail else "")


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _age(age: timedelta) -> str:
    hours = age / timedelta(hours=1)
    return count(round(hours), "hour") if hours < 48 else count(round(hours / 24), "day")
