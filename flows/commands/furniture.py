"""The command on what was learned of hosts: the lines that repeat across their articles."""

from dataclasses import asdict
from typing import Annotated

import typer

from cleaning.article.repeated import HostLine, Known
from flows.commands.options import AsJson, Name
from flows.commands.terminal import OUT, errors_for_people, print_json
from flows.config import load_dataset_config
from flows.errors import InputError
from flows.repeated import forget, read_known, state_file
from flows.runs import locked_state
from flows.wording import count

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
        _say(f"Forgotten: what was learned of {count(number, 'host')}. Published texts stay as they are.")
        return
    shown = {domain: entry for domain, entry in sorted(known.items()) if host in (None, domain)}
    if as_json:
        lines = [(domain, entry, line) for domain, entry in shown.items() for line in entry.lines]
        print_json([{"host": domain, "articles": len(entry.window)} | asdict(line) for domain, entry, line in lines])
    else:
        _show(shown)


def _show(known: Known) -> None:
    for domain, host in known.items():
        for line in host.lines:
            _say(f"{domain}: in {count(line.support, 'article')} ({line.share:.0%}){_seen(line)}")
            _say("  " + "".join(c if c.isprintable() else " " for c in line.text))  # pages may hold terminal codes
    if not any(host.lines for host in known.values()):
        looked_at = count(len(known), "host")
        _say(f"No line was learned yet; {looked_at} looked at. A line counts once many articles of a host have it.")


def _seen(line: HostLine) -> str:
    """When a line was first and last seen, where that is known."""
    days = [f"{day:%Y-%m-%d}" for day in (line.first_seen, line.last_seen) if day]
    return f", {' to '.join(dict.fromkeys(days))}" if days else ""


def _say(line: str) -> None:
    OUT.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
