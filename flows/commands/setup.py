"""The commands around a dataset: new, doctor and demo."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import doctor as checks
from flows.commands.options import AsJson, Verbose
from flows.commands.scaffold import new_dataset
from flows.commands.terminal import OUT, errors_for_people, print_json, progress
from flows.config import called_as
from flows.watching import watched_by


def new(
    name: Annotated[
        str, typer.Argument(help="The dataset's name: lower-case letters, digits, dashes.", show_default=False)
    ],
    seeds: Annotated[
        list[Path],
        typer.Option(
            "--seeds", help="Text files with an article each; repeat, or put the files last.", show_default=False
        ),
    ],
    more_seeds: Annotated[list[Path] | None, typer.Argument(help="More seed files.", show_default=False)] = None,
    site: Annotated[
        list[str] | None, typer.Option("--site", help="A news site to search, as a URL; repeat.", show_default=False)
    ] = None,
) -> None:
    """Make a recipe from seed files: datasets/NAME/recipe.toml, with the seeds copied to seeds/NAME/."""
    with errors_for_people():
        path = new_dataset(name, [*seeds, *(more_seeds or [])], site or [], Path())
    likewise = called_as()
    grow = f"{likewise} run {name}"
    if not site:
        grow = f"name its [sources] and {grow}, or {likewise} backfill {name}"
    for line in (f"Wrote {path}. Next:", f"  {likewise} doctor {name}", f"  {grow}"):
        OUT.print(line, markup=False, highlight=False, soft_wrap=True)


def doctor(
    name: Annotated[str | None, typer.Argument(help="A dataset to check too.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Check the environment, and a dataset's recipe, seeds and state; exit code 1 when something must be mended."""
    with errors_for_people():
        found = checks.environment() + (checks.dataset(name) if name else [])
    if as_json:
        print_json([vars(check) for check in found])
    else:
        checks.show(found, OUT)
    if any(not check.ok for check in found):
        raise typer.Exit(1)


def demo(
    folder: Annotated[
        Path,
        typer.Option(
            "--folder",
            help="Where to put the demo's recipe, state and dataset. What an earlier demo put there is replaced.",
        ),
    ] = Path("likewise-demo"),
    seed: Annotated[int, typer.Option("--seed", help="The number from which the newsroom is made.")] = 7,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Serve a small made-up newsroom here, grow a dataset from it on two days, and score it against the truth."""
    with errors_for_people(verbose), progress(verbose) as watcher, watched_by(watcher):
        from flows.demo.tour import tour  # only this command needs the newsroom and Prefect

        result = tour(folder, seed, verbose)
    if as_json:
        print_json(result.as_json())
    else:
        result.show(OUT)
