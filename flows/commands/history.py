"""The commands on what is published: versions, diff, rollback, takedown, compact, gc."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cleaning.urls import canonical
from flows.commands.options import AsJson, Name
from flows.commands.terminal import ERR, OUT, errors_for_people, print_json
from flows.config import Dataset, load_dataset_config
from flows.copies.index import article_id
from flows.copies.rebuilding import discard_index, open_index
from flows.curation import history
from flows.destinations.push import expire_all, push_all
from flows.errors import InputError
from flows.runs import locked_state
from flows.takedown import Kind, Takedown, Takedowns, record_takedown

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept beside the recipe.", show_default=False)]
Url = Annotated[list[str] | None, typer.Option("--url", help="An article's address; repeat.", show_default=False)]
Host = Annotated[list[str] | None, typer.Option("--host", help="A host, with all below it.", show_default=False)]
ArticleId = Annotated[list[str] | None, typer.Option("--id", help="An article's id; repeat.", show_default=False)]


@contextmanager
def _locked(name: str) -> Iterator[Dataset]:
    with errors_for_people():
        dataset = load_dataset_config(name)
        with locked_state(dataset):
            yield dataset


def _spread(name: str, as_json: bool = False) -> None:
    """Brings the replicas up to what the command published; lines about it keep out of the way of JSON."""
    out = ERR if as_json else OUT
    with _locked(name) as dataset:
        push_all(dataset, lambda line: out.print(line, markup=False, highlight=False, soft_wrap=True))


def _say(as_json: bool, record: dict[str, Any], *lines: str) -> None:
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
    for version in found:
        rows = ", ".join(f"{version.rows(config)} {config}" for config in ("articles", "copies", "rejected"))
        when = version.created[:16].replace("T", " ")
        OUT.print(f"{version.version}  {when} UTC  {rows}  (by {version.run})", highlight=False, soft_wrap=True)


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
    """Publish the rows of an earlier version again, as a new version; takedowns stay in force."""
    with _locked(name) as dataset:
        if version in {there.version for there in history.versions(dataset)}:
            discard_index(dataset)  # first, so that a command that was killed leaves no index ahead of the data
        made = history.rollback(dataset, version)
    record = {"version": made.version, "articles": made.rows("articles"), "back_to": version}
    said = f"Published version {made.version} with the {made.rows('articles')} articles of version {version}."
    _say(as_json, record, said)
    _spread(name, as_json)


def takedown(
    name: Name,
    reason: Reason,
    url: Url = None,
    host: Host = None,
    article: ArticleId = None,
    as_json: AsJson = False,
) -> None:
    """Remove articles from every config and version, and keep them out of all later runs."""
    kinds: list[tuple[Kind, list[str]]] = [("url", url or []), ("host", host or []), ("id", article or [])]
    with _locked(name) as dataset:
        wanted = [(kind, value) for kind, values in kinds for value in values]
        if not wanted:
            raise InputError("Nothing to take down.", "Give --url, --host or --id.")
        before, after = _take_down(dataset, wanted, reason)
    _say(
        as_json,
        {"articles_before": before, "articles": after, "requests": wanted},
        f"Recorded beside the recipe. Published: {before} articles before, {after} now.",
        f"Fetched pages and the texts of past runs stay in the state; to remove these too, delete {dataset.state}/warc "
        f"and {dataset.state}/runs.",
        *(["No published article was named by it; check the address, host or id."] if before == after else []),
    )
    _spread(name, as_json)


def _take_down(dataset: Dataset, wanted: list[tuple[Kind, str]], reason: str) -> tuple[int, int]:
    """Records the requests and takes their rows out; gives the numbers of articles before and after."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    requests: list[Takedown] = []
    for kind, value in wanted:
        requests = record_takedown(dataset, Takedown(kind, value, reason, now))
    takedowns, found = Takedowns.of(requests), history.versions(dataset)
    if not found:
        return 0, 0
    unpublished = [article_id(canonical(value) or value) for kind, value in wanted if kind == "url"]
    with open_index(dataset) as index:  # first, so that a command that was killed finds the rows again
        index.forget(sorted({*history.removed_ids(dataset, takedowns), *unpublished, *takedowns.ids}))
    made = history.remove_rows(dataset, takedowns)
    return found[-1].rows("articles"), made.rows("articles")


def compact(name: Name, as_json: AsJson = False) -> None:
    """Publish the same rows in fewer files, for datasets that grow often by a little."""
    with _locked(name) as dataset:
        made = history.compact(dataset)
    record = {"version": made.version, "files": len(made.shards)}
    _say(as_json, record, f"Version {made.version}: {len(made.shards)} files.")
    _spread(name, as_json)


def gc(
    name: Name,
    days: Annotated[float, typer.Option(help="How long a version stays after it was replaced.")] = history.KEPT_DAYS,
    as_json: AsJson = False,
) -> None:
    """Clear away versions that were replaced long ago."""
    with _locked(name) as dataset:
        cleared = history.clear_old(dataset, days)
        elsewhere = expire_all(dataset, days)
    lines = [f"{url}: {', '.join(map(str, numbers)) or 'nothing'}." for url, numbers in elsewhere.items()]
    cleared_here = f"Cleared away: {', '.join(map(str, cleared)) or 'nothing'}."
    _say(as_json, {"cleared": cleared, "elsewhere": elsewhere}, cleared_here, *lines)


COMMANDS = (versions, diff, rollback, takedown, compact, gc)
