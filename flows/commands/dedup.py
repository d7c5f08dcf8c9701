"""The command that recognises copies in any Parquet files, all at once."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from flows.commands.options import AsJson
from flows.commands.terminal import OUT, errors_for_people, print_json
from flows.copies.batch import BatchOptions, recognise


def dedup(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Parquet files of articles, folders of them or patterns; fsspec URLs too.", show_default=False
        ),
    ],
    to: Annotated[str, typer.Option("--to", help="The Parquet file to write; an fsspec URL too.", show_default=False)],
    engine: Annotated[
        Literal["duckdb", "daft"], typer.Option("--engine", help="Who does the work; the answers are the same.")
    ] = "duckdb",
    ray: Annotated[
        str, typer.Option("--ray", help="The address of a Ray cluster, for Daft: ray://HOST:10001, or auto.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Recognise the copies among all articles in Parquet files at once, on one machine or on a cluster."""
    with errors_for_people():
        done = recognise(sources, to, BatchOptions("daft" if ray else engine, ray))
    if as_json:
        print_json(asdict(done))
        return
    counts = ", ".join(f"{relation} {number:,}" for relation, number in done.relations.items())
    OUT.print(f"{done.articles:,} articles in {done.clusters:,} clusters: {counts}.", highlight=False)
    OUT.print(f"Wrote {done.path}", markup=False, highlight=False, soft_wrap=True)
