"""The commands on what is published: versions, diff, rollback, compact, gc."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from flows.commands.options import AsJson, Name
from flows.commands.terminal import ERR, OUT, errors_for_people, print_json
from flows.config import Dataset, load_dataset_config
from flows.curation import history
from flows.curation.restoring import Restored
from flows.destinations.push import expire_all, push_all
from flows.runs import locked_state
from flows.wording import count


@contextmanager
def locked_dataset(name: str) -> Iterator[Dataset]:
    """The dataset of that name, its state held for this command, errors told to people."""
    with errors_for_people():
        dataset = load_dataset_config(name)
        with locked_state(dataset):
            yield dataset


def spread(name: str, as_json: bool) -> None:
    """Brings the replicas up to what the command published; lines about it keep out of the way of JSON."""
    out = ERR if as_json else OUT
    with locked_dataset(name) as dataset:
        push_all(dataset, lambda line: out.print(line, markup=False, highlight=False, soft_wrap=True))


def say(as_json: bool, record: dict[str, Any], *lines: str) -> None:
    """Prints what was done, as JSON for scripts or in words."""
    if as_json:
        print_json(record)
        return
    for line in lines:
        OUT.print(line, markup=False, highlight=False, soft_wrap=True)


def versions(name: Name, as_json: AsJson = False) -> None:
    """List the versions that are still there; readers see the last one."""
    with errors_for_people():
        found = history.versions(load_dataset_config(name))
    if as_json:
        print_json([asdict(version) for version in found])
        return
    if not found:
        OUT.print("Nothing is published yet.")
        return
    for version in found:
        rows = f"{count(version.rows('articles'), 'article')}, {count(version.rows('copies'), 'copy', 'copies')}"
        when, rejected = version.created[:16].replace("T", " "), f"{version.rows('rejected'):,} rejected"
        line = f"{version.version}  {when} UTC  {rows}, {rejected}  (by {version.run})"
        OUT.print(line, highlight=False, soft_wrap=True)


def diff(
    name: Name,
    old: Annotated[int, typer.Argument(help="The earlier version.", show_default=False)],
    new: Annotated[int, typer.Argument(help="The later version.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show which articles came, went or changed from one version to another."""
    with errors_for_people():
        found = history.diff(load_dataset_config(name), old, new)
    if as_json:
        print_json(asdict(found))
        return
    show_diff(found)


def show_diff(found: history.Diff) -> None:
    """Prints ids with their titles, under what became of them."""
    for word, ids in (("added", found.added), ("removed", found.removed), ("changed", found.changed)):
        lines = (f"  {article}  {found.titles[article]}" for article in ids)
        OUT.print(f"{word}: {len(ids)}", *lines, sep="\n", highlight=False, markup=False, soft_wrap=True)


def rollback(
    name: Name,
    version: Annotated[int, typer.Argument(help="The version to go back to.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Publish the rows of an earlier version again, as a new version; takedowns and withdrawals stay in force."""
    from flows.copies.rebuilding import discard_index  # brings DuckDB, which the other commands do not need

    with locked_dataset(name) as dataset:
        if version in {there.version for there in history.versions(dataset)}:
            discard_index(dataset)  # first, so that a command that was killed leaves no index ahead of the data
        done = history.rollback(dataset, version)
    made, again = done.manifest, done.restored
    left = {name: getattr(again, name) for name in ("withdrawn", "promoted", "withheld", "taken_down")}
    record = {"version": made.version, "articles": made.rows("articles"), "back_to": version} | left
    said = f"Published version {made.version} with {count(made.rows('articles'), 'article')} as of version {version}."
    say(as_json, record, said, *_left_out(again))
    spread(name, as_json)


def _left_out(again: Restored) -> Iterator[str]:
    """What of the earlier version is not published again."""
    if again.taken_down:
        yield f"Taken down: {count(again.taken_down, 'row')}."
    if again.withdrawn:
        heirs = count(again.promoted, "copy stands", "copies stand")
        yield f"Withdrawn by their publishers since: {count(again.withdrawn, 'row')}; {heirs} in their place."
    if again.withheld:
        yield f"Withheld by their publishers since: {count(again.withheld, 'text')}."


def compact(name: Name, as_json: AsJson = False) -> None:
    """Publish the same rows in fewer files, for datasets that grow often by a little."""
    with locked_dataset(name) as dataset:
        found = history.versions(dataset)
        made = history.compact(dataset)
    before, files = len(found[-1].shards), count(len(made.shards), "file")
    is_new = made.version != found[-1].version
    record = {"version": made.version, "is_new": is_new, "files_before": before, "files": len(made.shards)}
    merged = f"Published version {made.version}: the same rows in {files}; before: {before}."
    say(as_json, record, merged if is_new else f"Nothing to merge: version {made.version} keeps its {files}.")
    spread(name, as_json)


def gc(
    name: Name,
    days: Annotated[float, typer.Option(help="How long a version stays after it was replaced.")] = history.KEPT_DAYS,
    as_json: AsJson = False,
) -> None:
    """Clear away versions that were replaced long ago."""
    with locked_dataset(name) as dataset:
        cleared = history.clear_old(dataset, days)
        kept = len(history.versions(dataset))
        elsewhere = expire_all(dataset, days)
    lines = [f"{url}: {_cleared(numbers, days)}" for url, numbers in elsewhere.items()]
    here = f"{_cleared(cleared, days)} {count(kept, 'version')} left."
    say(as_json, {"cleared": cleared, "kept": kept, "elsewhere": elsewhere}, here, *lines)


def _cleared(numbers: Sequence[int], days: float) -> str:
    if not numbers:
        return f"Nothing to clear away: no version was replaced over {days:g} days ago."
    return f"Cleared away: version {', '.join(map(str, numbers))}."
