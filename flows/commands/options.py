"""The arguments and options that many commands share, each with its help text."""

from typing import Annotated

import typer

_DATASET = "A dataset below datasets/, its folder, or its recipe file."
_RUN = "The run to make or to finish.  [default: the unfinished one, else a new one]"

Name = Annotated[str, typer.Argument(help=_DATASET, show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show log lines, damaged input, and whole tracebacks.")]
RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help=_RUN, show_default=False)]
