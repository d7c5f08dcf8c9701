"""The commands of a dataset that runs by itself: serve and status."""

from typing import Annotated

import typer

from flows.commands.options import AsJson, Name, Verbose
from flows.commands.terminal import ERR, OUT, errors_for_people, print_json
from flows.config import load_dataset_config
from flows.scheduling.status import dataset_status, show

Names = Annotated[list[str], typer.Argument(help="Datasets with a [schedule] in their recipes.", show_default=False)]
Alert = Annotated[str, typer.Option("--alert", metavar="TYPE/NAME", help="The Prefect block that is told of failures.")]
Silent = Annotated[
    float, typer.Option("--silent", min=10, help="Seconds without a sign of life that make a run crashed.")
]


def serve(names: Names, alert: Alert = "", silent: Silent = 75.0, verbose: Verbose = False) -> None:
    """Run datasets on their recipes' schedules until stopped, on the Prefect server that is configured.

    Runs that were missed are made up for by one, and a run that was killed is taken over where it stopped.
    """
    with errors_for_people(verbose):
        datasets = [load_dataset_config(name) for name in names]
        from flows.scheduling.schedule import ServeOptions, check_served  # Prefect takes seconds to import
        from flows.scheduling.schedule import serve as run_when_due
        from flows.scheduling.serving import quiet_console

        for dataset in datasets:
            check_served(dataset)
            show(dataset_status(dataset), ERR)
        quiet_console(20 if verbose else 40)
        run_when_due(datasets, ServeOptions(silent, alert))


def status(name: Name, as_json: AsJson = False) -> None:
    """Show a dataset's last run and how it ended, the next one, the freshness, the size, and sources in trouble."""
    with errors_for_people():
        found = dataset_status(load_dataset_config(name))
    if as_json:
        print_json(found.as_json())
    else:
        show(found, OUT)
