"""The commands on copies of the published dataset elsewhere: push and pull."""

from dataclasses import asdict
from typing import Annotated

import typer

from flows.commands.options import AsJson, Name
from flows.commands.terminal import OUT, errors_for_people, print_json
from flows.config import load_dataset_config
from flows.destinations.addresses import replica_at
from flows.destinations.pull import pull as pull_version
from flows.destinations.push import push as push_version
from flows.destinations.push import said
from flows.errors import InputError
from flows.runs import locked_state

_WHERE = "s3://BUCKET/PREFIX or hf://datasets/OWNER/NAME; repeat.  [default: publish.to of the recipe]"


def push(
    name: Name,
    to: Annotated[list[str] | None, typer.Option("--to", metavar="URL", help=_WHERE, show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing anywhere.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite whatever is published there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring copies of the dataset on S3 or the Hub up to the published version."""
    with errors_for_people():
        dataset = load_dataset_config(name)
        urls = to or list(dataset.recipe.publish.to)
        if not urls:
            raise InputError(f"{dataset.recipe_path}: publish.to names no place.", "Add one to it, or give --to URL.")
        with locked_state(dataset):
            done = [push_version(dataset, replica_at(url), dry_run, replace) for url in urls]
    if as_json:
        print_json([asdict(one) | {"is_new": one.is_new} for one in done])
        return
    for one in done:
        OUT.print(said(one), markup=False, highlight=False, soft_wrap=True)
        if dry_run:
            for word, paths in (("upload", one.uploaded), ("delete", one.deleted)):
                for path in paths:
                    OUT.print(f"  {word} {path}", markup=False, highlight=False, soft_wrap=True)


def pull(
    name: Name,
    source: Annotated[str, typer.Option("--from", metavar="URL", help=_WHERE.split(";")[0], show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Restore the local folder from a copy on S3 or the Hub, so that the next run goes on from there."""
    with errors_for_people():
        dataset = load_dataset_config(name)
        with locked_state(dataset):
            done = pull_version(dataset, replica_at(source))
    if as_json:
        print_json(asdict(done))
        return
    OUT.print(f"Version {done.version} is here; {done.fetched} files fetched ({done.bytes:,} bytes).", highlight=False)
