"""The command on what was learned of hosts: the lines that repeat across their articles."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from cleaning.repeated import Known
from flows.commands.options import AsJson, Name
from flows.commands.terminal import OUT, errors_for_people, print_json
from flows.config import load_dataset_config
from flows.errors import InputError
from flows.repeated import forget, read_known, state_file
from flows.runs import locked_state

OfHost = Annotated[
    str | None, typer.Option("--host", metavar="HOST", help="Only this host, without www.", show_default=False)
]
Reset = Annotated[bool, typer.Option("--reset", help="Forget what was learned; of one host with --host.")]


def furniture(name: Name, host: OfHost = None, reset: Reset = False, as_json: AsJson = False) -> None:
    """List the lines that repeat across a host's articles, and are taken out of them; or forget what was learned."""
    with errors_for_people():
        dataset = load_dataset_config(name)
        known = read_known(state_file(dataset))
        if host is not None and host not in known:
            raise InputError(
                f"{dataset.name}: nothing was learned of {host!r}.",
                f"`likewise furniture {name}` lists the hosts; a host is named without www.",
            )
        if reset:
            with locked_state(dataset):
                number = forget(dataset, host)
    if reset:
        OUT.print(f"Forgotten: what was learned of {number} hosts. Published texts stay as they are.", highlight=False)
        return
    shown = {domain: entry for domain, entry in sorted(known.items()) if host in (None, domain)}
    if as_json:
        lines = [(domain, entry, line) for domain, entry in shown.items() for line in entry.lines]
        print_json([{"host": domain, "articles": len(entry.window)} | asdict(line) for domain, entry, line in lines])
    else:
        _show(shown)


def _show(known: Known) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("host", "articles with it", "share", "first seen", "last seen", "line"):
        table.add_column(column)
    for domain, host in known.items():
        for line in host.lines:
            first, last = (f"{day:%Y-%m-%d}" if day else "" for day in (line.first_seen, line.last_seen))
            text = "".join(c if c.isprintable() else " " for c in line.text)  # pages may hold terminal codes
            table.add_row(domain, str(line.support), f"{line.share:.0%}", first, last, text.replace("[", r"\["))
    if table.row_count:
        OUT.print(table)
    else:
        OUT.print(f"No line was learned yet; {len(known)} hosts are watched.", highlight=False)
