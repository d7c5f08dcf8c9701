"""The fictional world that a seed number makes: nations, leaders, spokesmen, places, and what one article is about."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from flows.demo.prose import Rules, Writer

_PAST_MONTHS = ("November", "December", "January")
_WEEKDAYS_DE = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")


def make_world(rules: Rules, rng: random.Random) -> dict[str, str]:
    """The slots that all articles of a newsroom share."""
    world: dict[str, str] = {}
    _nations(world, rules, rng)
    for role in ("leaderA", "leaderB", "leaderC", "spokesA", "spokesB", "ministerA", "ministerB", "envoyB"):
        _person(world, role, rng.choice(rules[role]))
    world["palaceA"], world["PalA"] = rng.choice(rules["palaceA"]).split("/")
    for name in ("palaceB", "agencyA", "river", "valley", "valleytown"):
        world[name] = rng.choice(rules[name])
    world["past_city"], world["past_year"] = rng.choice(rules["pastcity"]), str(rng.randint(2020, 2022))
    world["war_month"], world["war_year"] = rng.choice(("March", "September")), "2023"
    world["round_one"], world["round_two"] = rng.sample(rules["round"], 2)
    world["past_venue"] = rng.choice(rules["venue"]).split("/")[0]
    return world


def _nations(world: dict[str, str], rules: Rules, rng: random.Random) -> None:
    for letter in "ABC":
        name, adjective, capital, *cities = rng.choice(rules[f"nation{letter}"]).split("/")
        world |= {letter: name, f"{letter}_adj": adjective, f"cap{letter}": capital}
        if cities:
            world[f"city{letter}"] = cities[0]


def _person(world: dict[str, str], role: str, name: str) -> None:
    """Binds a person; leaders also get the short slot of their surname, ministers the names that templates use."""
    first, last = name.split("/")
    side = role[-1]
    slot = {"minister": "fm"}.get(role[:-1], role[:-1]) + side
    world |= {slot: f"{first} {last}", f"{slot}_last": last}
    if role.startswith("leader"):
        world[f"last{side}"] = last


def scene(writer: Writer, world: Mapping[str, str], published: datetime) -> dict[str, str]:
    """The slots of one article: the world's, its days, and the people and places that only it has."""
    slots = dict(world) | _days(writer.rng, published)
    venue, other = writer.sample("venue", 2)
    slots["venue"], slots["venue_country"] = venue.split("/")
    slots["venue2"] = other.split("/")[0]
    for role in ("analyst", "expert", "local"):
        slots[role] = writer.fill("{person}", {})
        slots[f"{role}_last"] = slots[role].split(" ", 1)[1]
    for rule, names in _SEVERAL.items():
        slots |= dict(zip(names, writer.sample(rule, len(names)), strict=True))
    slots |= {name: writer.fill("{person}", {}) for name in ("player", "player2", "player3", "player4", "player5")}
    return slots


_SEVERAL = {
    "place": ("city", "town", "town2", "town3", "town4", "town5"),
    "company": ("company", "company2", "company3", "company4", "company5"),
    "club": ("club", "club2", "club3", "club4"),
    "institute": ("institute",),
    "region": ("region",),
    "street": ("street",),
    "neighbour": ("neighbour",),
}


def _days(rng: random.Random, published: datetime) -> dict[str, str]:
    soon = published + timedelta(days=rng.randint(9, 24))
    return {
        "day": f"{published:%A}",
        "yday": f"{published - timedelta(days=1):%A}",
        "day_de": _WEEKDAYS_DE[published.weekday()],
        "nextdate": f"{soon:%B} {soon.day}",
        "past_month": rng.choice(_PAST_MONTHS),
        "next_month": f"{published + timedelta(days=32):%B}",
    }
