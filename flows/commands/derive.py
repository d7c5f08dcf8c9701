"""The commands that derive rows again from pages: reclean and hydrate."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cleaning.verdict import MEANING, Verdict
from flows.commands.history import show_diff
from flows.commands.options import AsJson, Name, Verbose
from flows.commands.terminal import OUT, errors_for_people, print_json, progress
from flows.config import load_dataset_config
from flows.curation.hydrate import MISSING, STATUS_NAME, Hydrated
from flows.curation.hydrate import hydrate as fill
from flows.curation.reclean import Recleaned
from flows.curation.reclean import reclean as derive_again
from flows.destinations.push import push_all
from flows.errors import InputError, SourcesError
from flows.runs import locked_state
from flows.wording import count


def reclean(
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Publish even if more articles go than the recipe expects.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Derive everything again from the stored pages, with today's extractor, topic and threshold, as one version."""
    with errors_for_people(verbose), progress(verbose) as watcher:
        dataset = load_dataset_config(name)
        with locked_state(dataset):
            chosen = dataset.with_expectations(drop=1.0, articles=0) if allow_drop or dry_run else dataset
            done = derive_again(chosen, dry_run, watcher)
            if done.version:
                push_all(dataset, watcher.log)
    if as_json:
        print_json(asdict(done))
    else:
        _show(done)


def _show(done: Recleaned) -> None:
    show_diff(done.diff)
    if done.stayed:
        why = "as before: the raw pages are not in the state."
        OUT.print(f"{count(done.stayed, 'row')} stayed {why}", highlight=False)
    said = f"Published version {done.version}." if done.version else "Nothing was published: a dry run."
    OUT.print(said, highlight=False)


def _warc(first: list[Path] | None, more: list[Path] | None) -> list[Path]:
    if more and not first:
        raise InputError(f"{more[0]}: files without an option.", "Name WARC files after --warc.")
    return [*(first or []), *(more or [])]


def hydrate(
    dataset: Annotated[
        str, typer.Argument(help="A dataset's name, folder, or fsspec URL (s3://, hf://).", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder for the dataset with texts.", show_default=False)],
    warc: Annotated[
        list[Path] | None,
        typer.Option("--warc", help="WARC files, or folders of them, with the pages; else they are fetched."),
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(help="More WARC files.", show_default=False)] = None,
    contact: Annotated[str, typer.Option("--contact", help="A URL or e-mail address for the user agent.")] = "",
    keep_changed: Annotated[
        bool, typer.Option("--keep-changed", help="Take the texts of pages that are others by now, too.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Rebuild the texts of a dataset that was published without them, from WARC files or from the publishers."""
    with errors_for_people(verbose):
        with progress(verbose) as watcher:
            done = fill(dataset, out, _warc(warc, more), contact, keep_changed, watcher)
        if as_json:
            print_json({"folder": str(done.folder), "rows": done.counts, "unsettled": sum(done.unsettled.values())})
        else:
            _show_hydrated(done)
        if done.unsettled:
            raise _lacking(done, is_fetched=not warc)


def _show_hydrated(done: Hydrated) -> None:
    for status, number in done.counts.items():
        OUT.print(f"{status}: {number}", highlight=False)
    OUT.print(f"Wrote {done.folder}; {STATUS_NAME} there says which row is which.", markup=False, soft_wrap=True)


def _lacking(done: Hydrated, *, is_fetched: bool) -> SourcesError:
    """Which texts are not there that may be had all the same."""
    lines = [f"  {status}, {number}: {_meaning(status)}" for status, number in done.unsettled.items()]
    lacking, rows = sum(done.unsettled.values()), count(sum(done.counts.values()), "text")
    return SourcesError(
        "\n".join([f"{lacking} of {rows} could not be had:", *lines]),
        "Run the same command again: it asks for these pages alone."
        if is_fetched
        else "Name the WARC files that have these pages too, or leave --warc out: then their publishers are asked.",
    )


def _meaning(status: str) -> str:
    return "in none of the WARC files" if status == MISSING else MEANING[Verdict(status)]
