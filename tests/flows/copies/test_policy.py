"""Which article stands for its copies, as the recipe says, and which dates count for it."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cleaning.copies.clusters import COMPLETER, EARLIER, Policy
from flows.config import load_dataset_config
from flows.copies.arrivals import reliable_date
from flows.copies.index import CopyIndex, IndexOptions
from flows.copies.rebuilding import index_options
from tests.cleaning.copies.test_duplicates import weather
from tests.flows.copies.test_index import START, id_of, part, row, table, text

OFF = Policy(credited=False, completer=0, earlier=None)
POLICIES = {
    "": Policy(),
    "representative = []": OFF,
    'representative = ["agency"]': Policy(completer=0, earlier=None),
    'representative = ["earliest"]': Policy(credited=False, completer=0, earlier=EARLIER),
    'representative = ["complete"]': Policy(credited=False, completer=COMPLETER, earlier=None),
}
LATER = {
    "agency": row("agency", text(1), 9, domain="apnews.com"),
    "earliest": row("earliest", text(1), 1),
    "complete": row("complete", f"{text(1)} {text(2)}", 9),
}


def options_of(folder: Path, key: str) -> IndexOptions:
    """How the index of a dataset works whose recipe has a key under `[copies]`."""
    folder.mkdir()
    (folder / "recipe.toml").write_text(f'[topic]\nseeds = ["*.txt"]\n[copies]\n{key}\n', encoding="utf-8")
    return index_options(load_dataset_config(str(folder), {}))


@pytest.mark.parametrize(("key", "policy"), POLICIES.items())
def test_the_recipe_names_the_reasons(tmp_path: Path, key: str, policy: Policy):
    """Each reason that the recipe leaves out is turned off, and without the key all count."""
    assert options_of(tmp_path / "d", key).policy == policy


@pytest.mark.parametrize("named", ["agency", "earliest", "complete", ""])
@pytest.mark.parametrize("later", LATER)
def test_a_copy_succeeds_for_a_named_reason_only(tmp_path: Path, named: str, later: str):
    """Of the agency's, an earlier and a more complete copy, the recipe's reason lets one take the first one's place."""
    first = row("first", text(1), 5, agency="Associated Press")
    key = f'representative = ["{named}"]' if named else "representative = []"
    with CopyIndex(tmp_path / "copies.duckdb", options_of(tmp_path / "d", key)) as index:
        index.add("r1", table(first))
        index.add("r2", table(LATER[later]))
        (top,) = index.add("r3", table(row("last", text(1), 9)))["representative_id"].to_pylist()
    assert top == id_of(named if named == later else "first")


@pytest.mark.parametrize(
    ("published", "counts"),
    [
        (START, True),
        (START + timedelta(hours=23), True),  # A clock may be ahead, or in another time zone.
        (START + timedelta(hours=25), False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (datetime(1991, 8, 6, tzinfo=UTC), True),
        (None, False),
    ],
)
def test_a_date_counts_if_it_can_be(published: datetime | None, counts: bool):
    """A page was published after the first one of the web, and before it was fetched."""
    assert reliable_date({"published_at": published, "fetched_at": START}) == (published if counts else None)


@pytest.mark.parametrize("impossible", [datetime(1970, 1, 1, tzinfo=UTC), START + timedelta(days=900)])
def test_an_impossible_date_gives_no_precedence(tmp_path: Path, impossible: datetime):
    """A copy with such a date neither stands for the articles of its run, nor takes a later place."""
    undated = row("undated", text(1), 3, published_at=impossible)
    with CopyIndex(tmp_path / "copies.duckdb") as index:
        together = index.add("r1", table(undated, row("dated", text(1), 1))).to_pylist()
        after = index.add("r2", table(row("other", text(1), 0, published_at=impossible))).to_pylist()
    assert {answer["representative_id"] for answer in together + after} == {id_of("dated")}


def filled_in(day: int) -> dict[str, Any]:
    """The report of a day, made from a template."""
    return row(f"day{day}", weather(day), day)


@pytest.mark.parametrize("size", [40, 8, 1])
def test_a_cold_start_swallows_no_templates(tmp_path: Path, size: int):
    """An empty index that sees nothing but one template takes each of its reports for new, in runs of any size."""
    days = list(range(40))
    random.Random(7).shuffle(days)
    with CopyIndex(tmp_path / "copies.duckdb") as index:
        for start in range(0, len(days), size):
            batch = table(*map(filled_in, days[start : start + size]))
            assert set(index.add(f"r{start}", batch)["relation"].to_pylist()) == {"new"}
        copy = index.add("copy", table(row("copy", weather(11).upper(), 50))).to_pylist()[0]
    assert (copy["relation"], copy["representative_id"]) == ("same", id_of("day11"))


def test_a_template_does_not_hide_the_copies_beside_it(tmp_path: Path):
    """In a first run full of one template, the cut copy of a news article is found."""
    rows = [*map(filled_in, range(40)), row("news", text(3), 41), row("cut", part(text(3), 0.5), 42)]
    with CopyIndex(tmp_path / "copies.duckdb") as index:
        *reports, news, cut = index.add("r1", table(*rows)).to_pylist()
    assert {report["relation"] for report in reports} == {"new"}
    assert (cut["relation"], cut["representative_id"]) == ("truncated", news["id"])
