"""Checks that a machine and a dataset are ready, and says what to mend."""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape

from flows.config import Dataset, load_dataset_config
from flows.destination import LocalFolder
from flows.errors import LikewiseError, PublishError
from flows.manifest import Manifest
from flows.publishing.shard_index import ShardIndex
from flows.reach import lacking_settings
from flows.runs import list_runs

PACKAGES = ("scrapy", "trafilatura", "datasets", "pyarrow", "duckdb", "prefect")
FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Check:
    """One thing that was checked: whether it is fine, and what was found or what to do.

    With `advice`, nothing is broken, but something would be better otherwise.
    """

    name: str
    ok: bool
    detail: str
    advice: bool = False


def environment() -> list[Check]:
    """Python, the packages, cores and disk."""
    free = shutil.disk_usage(Path.cwd()).free
    return [
        Check("python", sys.version_info >= (3, 11), sys.version.split()[0]),
        Check("packages", True, ", ".join(f"{name} {version(name)}" for name in PACKAGES)),
        Check("cores", True, str(os.cpu_count())),
        Check(
            "disk",
            free > FREE_BYTES,
            f"{free / 1e9:.1f} GB free here" + ("" if free > FREE_BYTES else ": free some space"),
        ),
    ]


def dataset(name: str) -> list[Check]:
    """The recipe, its seeds and topic, its sources, state and published version.

    Raises:
        RecipeError: there is no such recipe, or it cannot be read; nothing else can be checked then.
    """
    found = load_dataset_config(name)
    return [
        Check("recipe", True, str(found.recipe_path)),
        *_tried("seeds", lambda: _seeds(found)),
        *_tried("topic", lambda: _topic(found)),
        _sources(found),
        _contact(found),
        _schedule(found),
        *_tried("state", lambda: _state(found)),
        *_tried("published", lambda: _published(found)),
    ]


def _sources(found: Dataset) -> Check:
    sources, schedule = len(found.recipe.sources), found.recipe.schedule
    if lacking := lacking_settings(found.recipe.network, chain(*found.recipe.sources.lists().values())):
        return Check("sources", False, f"{sources} named; [network] lacks: {'; '.join(lacking)}")
    if sources:
        return Check("sources", True, f"{sources} named")
    if schedule.cron or schedule.interval:
        return Check("sources", False, "none, but a schedule: name sites, feeds or sitemaps, or take [schedule] out")
    return Check("sources", True, "none: `likewise run` needs some under [sources]; `likewise backfill` does not", True)


def _contact(found: Dataset) -> Check:
    contact = found.recipe.politeness.contact
    return Check("contact", True, contact or "none: publishers cannot reach you; set politeness.contact", not contact)


def _schedule(found: Dataset) -> Check:
    asked = found.recipe.schedule
    said = f"{asked.cron} ({asked.timezone})" if asked.cron else asked.interval and f"every {asked.interval}"
    return Check("schedule", True, said or "none: `likewise serve` needs one; `likewise run` does not")


def _tried(name: str, check: Callable[[], str]) -> list[Check]:
    try:
        return [Check(name, True, check())]
    except (LikewiseError, OSError) as error:
        return [Check(name, False, str(error))]


def _seeds(found: Dataset) -> str:
    return ", ".join(f"{seed.name} ({len(seed.text.split())} words)" for seed in found.seeds())


def _topic(found: Dataset) -> str:
    from flows.stages import topic_profile  # the libraries behind it take a second to import

    profile = topic_profile(found)
    return "; ".join([f"threshold {profile.threshold:.3f}", *profile.problems()])


def _state(found: Dataset) -> str:
    found.state.mkdir(parents=True, exist_ok=True)
    probe = found.state / ".probe"
    probe.write_text("")
    probe.unlink()
    return f"{found.state}, {len(list_runs(found))} runs"


def _published(found: Dataset) -> str:
    manifest = LocalFolder(found.folder).manifest()
    if manifest:
        _check_whole(found, manifest)
    return f"version {manifest.version}, {manifest.rows('articles')} articles" if manifest else "nothing yet"


def _check_whole(found: Dataset, manifest: Manifest) -> None:
    """Makes sure that all rows fit together: ids are there once, and copies name articles that are there.

    Raises:
        PublishError: they do not.
    """
    with TemporaryDirectory() as folder, ShardIndex(Path(folder) / "rows.duckdb") as index:
        faults = index.follow(manifest, LocalFolder(found.folder).current).faults()
    if faults:
        raise PublishError(
            f"version {manifest.version}: {'; '.join(faults)}.", "`likewise rollback` to a version that is whole."
        )


def show(checks: Sequence[Check], console: Console) -> None:
    """Prints a line for each check."""
    for check in checks:
        mark = "[red]mend[/]" if not check.ok else "[yellow]hint[/]" if check.advice else "[green]ok  [/]"
        console.print(mark, f"{check.name}:", escape(check.detail), highlight=False, soft_wrap=True)
