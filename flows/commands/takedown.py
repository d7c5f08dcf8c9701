"""The command that takes articles down."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from flows.commands.history import locked_dataset, say, spread
from flows.commands.options import AsJson, Name
from flows.config import Dataset
from flows.curation.withdrawal import Request, TakenDown, take_down
from flows.errors import InputError
from flows.takedown import TAKEDOWNS_NAME, Kind
from flows.wording import count

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept beside the recipe.", show_default=False)]
Url = Annotated[list[str] | None, typer.Option("--url", help="An article's address; repeat.", show_default=False)]
Host = Annotated[list[str] | None, typer.Option("--host", help="A host, with all below it.", show_default=False)]
ArticleId = Annotated[list[str] | None, typer.Option("--id", help="An article's id; repeat.", show_default=False)]


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
    with locked_dataset(name) as dataset:
        wanted = [(kind, value) for kind, values in kinds for value in values]
        if not wanted:
            raise InputError("Nothing to take down.", "Give --url, --host or --id.")
        done = take_down(dataset, wanted, reason)
    say(as_json, asdict(done), *_lines(dataset, done))
    spread(name, as_json)


def _lines(dataset: Dataset, done: TakenDown) -> Iterator[str]:
    """What was done, request by request and in all, and what is left to do by hand."""
    yield from map(_matched, done.requests)
    if done.version is None:
        yield "Nothing is published yet."
    elif done.is_new:
        yield f"Published version {done.version} without them: {_rows(done.before)} before, {_rows(done.after)} now."
    else:
        yield f"Version {done.version} stays: it holds nothing of it."
    if done.cleared:
        yield f"Cleared away, because they held it: version {', '.join(map(str, done.cleared))}."
    yield f"Recorded in {dataset.folder / TAKEDOWNS_NAME}: no later run brings it back."
    yield (
        "Fetched pages and the texts of past runs stay in the state; to remove these too, delete "
        f"{dataset.state / 'warc'} and {dataset.state / 'runs'}."
    )


def _matched(request: Request) -> str:
    if not any(request.matched.values()):
        return f"{request.kind} {request.value}: nothing that is published matches it; check that it is right."
    return f"{request.kind} {request.value}: {_rows(request.matched)}"


def _rows(by_config: dict[str, int]) -> str:
    articles, copies, rejected = (by_config[config] for config in ("articles", "copies", "rejected"))
    return f"{count(articles, 'article')}, {count(copies, 'copy', 'copies')}, {count(rejected, 'rejected page')}"
