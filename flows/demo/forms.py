"""How an article of each kind is built from lines: which pools it draws on, and in which order."""

import re
from collections.abc import Mapping
from itertools import chain

from flows.demo.prose import Writer
from flows.demo.publishers import LOOKALIKE, NEAR_POLITICS

TURNS = (
    *("planned", "denied", "postponed", "preparation", "venue", "call", "invitation", "envoys"),
    *("leak", "confirmed", "conditions", "threeway", "cancelled", "parliament", "calendar", "mediator"),
)
"""The turns of the story that the topic is: each has its own headlines, ledes and details."""

_POOLS = {
    "quoteA": (2, 4),
    "quoteB": (1, 4),
    "reaction": (1, 4),
    "analysis": (1, 4),
    "agenda": (0, 2),
}
"""Pool of lines -> the least and the most that an article on the topic takes from it."""

_DETAILS = (2, 4)
_BODY = (10, 15)
_INTRODUCTIONS = {
    "spokesA": "{PalA} spokesman {spokesA}",
    "spokesB": "{spokesB}",
    "fmA": "{A_adj} Foreign Minister {fmA}",
    "fmB": "{B_adj} Foreign Minister {fmB}",
    "envoyB": "the {B_adj} envoy, {envoyB},",
    "analyst": "{analyst}",
    "expert": "{expert}",
    "local": "{local}",
}
"""Person -> how an article names them at first."""


def write_story(writer: Writer, kind: str, turn: str, slots: Mapping[str, str]) -> tuple[str, list[str]]:
    """Template of the headline and the lines of an article; `turn` is the turn of the story for one on the topic."""
    if kind in LOOKALIKE:
        return writer.deal(f"{kind}.headline"), [writer.line(line, slots) for line in writer.rules[f"{kind}.form"]]
    headline, lines = _topic(writer, turn, slots) if kind == "topic" else _ordinary(writer, kind, slots)
    return headline, introduce(lines, slots)


def _topic(writer: Writer, turn: str, slots: Mapping[str, str]) -> tuple[str, list[str]]:
    """A lede, two details of the turn, and a mixture of further details and of the topic's pools."""
    lede = writer.lines(f"{turn}.lede", 1, slots)
    details = writer.lines(f"{turn}.detail", writer.rng.randint(*_DETAILS), slots)
    pools = [writer.lines(f"pool.{pool}", writer.rng.randint(*span), slots) for pool, span in _POOLS.items()]
    background = writer.common_lines("pool.background", writer.rng.randint(1, 2), slots)
    rest = [*details[2:], *chain.from_iterable(pools), *background]
    writer.rng.shuffle(rest)
    return writer.deal(f"{turn}.headline"), [*lede, *details[:2], *rest]


def _ordinary(writer: Writer, kind: str, slots: Mapping[str, str]) -> tuple[str, list[str]]:
    """A lede that fits the headline, and lines of the kind.

    Those about the topic's politics end with a background paragraph that the topic has, too.
    """
    openings = list(zip(writer.rules[f"{kind}.headline"], writer.rules[f"{kind}.lede"], strict=False))
    headline, lede = writer.rng.choice(openings)
    lines = [writer.line(lede, slots), *writer.lines(f"{kind}.body", writer.rng.randint(*_BODY), slots)]
    background = writer.common_lines("pool.background", 1, slots) if kind in NEAR_POLITICS else []
    return headline, lines + background


def introduce(lines: list[str], slots: Mapping[str, str]) -> list[str]:
    """The lines with each person's full name where a surname alone came first."""
    introduced = list(lines)
    for role, form in _INTRODUCTIONS.items():
        surname = re.compile(rf"\b{re.escape(slots[f'{role}_last'])}\b")
        first = next((n for n, line in enumerate(introduced) if surname.search(line)), None)
        if first is None or slots[role] in introduced[first]:
            continue
        introduced[first] = _named(introduced[first], surname, form.format_map(slots))
    return introduced


def _named(line: str, surname: re.Pattern[str], name: str) -> str:
    """The line with the name in place of the first surname, with a capital at the start of the line."""
    start, end = next(surname.finditer(line)).span()
    return line[:start] + (name if start else name[0].upper() + name[1:]) + line[end:]
