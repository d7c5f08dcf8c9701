"""Texts that are withheld after they were published."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flows.config import Dataset
from flows.crawling import THERE_NAME
from flows.destination import LocalFolder
from flows.publishing.publish import Published
from flows.runs import Run
from flows.tables import write_table
from tests.flows.conftest import published_rows
from tests.flows.made_up import brought, decision, new_dataset, page, publish, url, with_recipe, write_run

SIGNAL = {"signal": "robots-meta", "value": "noarchive", "where": url("a"), "reserves": False, "withholds": "text"}
WITHHELD = json.dumps({"verdict": "allowed", "signals": [SIGNAL], "withhold": "text"})
ELSEWHERE = "https://other.example/a"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return new_dataset(tmp_path)


def said(run: Run, *names: str) -> Run:
    """The run, in which answers without a page said that the texts of these are withheld."""
    rows = [{"url": url(name), "withheld": "robots-tag: noarchive"} for name in names]
    rows.append({"url": url("z"), "withheld": None})
    there = pa.schema([("url", pa.string()), ("withheld", pa.string())])
    write_table(run.folder / THERE_NAME, pa.Table.from_pylist(rows, there))
    return run


def fetched_again(dataset: Dataset, run_id: str, **fields: Any) -> Published:
    """Publishes a run that fetched `a` again, with the same text."""
    same = decision("a", relation="same", is_fresh=False)
    return publish(dataset, write_run(dataset, run_id, [page("a", **fields)], [same]))


def shown(dataset: Dataset) -> dict[str, bool]:
    """Of which articles readers see the text."""
    return {row["title"]: row["text"] is not None for row in published_rows(dataset)}


def rights_of(dataset: Dataset, title: str) -> dict[str, Any]:
    found: dict[str, Any] = next(json.loads(row["rights"]) for row in published_rows(dataset) if row["title"] == title)
    return found


def test_a_text_is_withheld_though_its_page_did_not_change(dataset: Dataset) -> None:
    """The row stays without its text, and with the evidence; copies are still found by a sketch. It is done once."""
    brought(dataset, "r1", "a", "b")
    assert publish(dataset, said(write_run(dataset, "r2"), "a")).is_new
    assert shown(dataset) == {"a": False, "b": True}
    rights = rights_of(dataset, "a")
    assert (rights["withhold"], [signal["value"] for signal in rights["signals"]]) == ("text", ["noarchive"])
    assert rights_of(dataset, "b") == {}
    assert LocalFolder(dataset.folder).manifest().rows("sketches") == 1
    assert not publish(dataset, said(write_run(dataset, "r3"), "a")).is_new
    brought(dataset, "r4", "c")
    assert shown(dataset) == {"a": False, "b": True, "c": True}


def test_a_text_is_withheld_though_its_page_says_the_same(dataset: Dataset) -> None:
    """A page that changed nothing but what it declares brings no edition; its declaration counts all the same."""
    brought(dataset, "r1", "a", "b")
    assert fetched_again(dataset, "r2", rights=WITHHELD).is_new
    assert shown(dataset) == {"a": False, "b": True}
    assert rights_of(dataset, "a")["signals"] == [SIGNAL]
    assert not fetched_again(dataset, "r3", rights=WITHHELD).is_new


def test_a_page_elsewhere_withholds_nothing(dataset: Dataset) -> None:
    """A copy that names the article as its canonical form speaks for itself only."""
    brought(dataset, "r1", "a", "b")
    assert not fetched_again(dataset, "r2", rights=WITHHELD, url=ELSEWHERE).is_new
    assert shown(dataset) == {"a": True, "b": True}


def test_what_is_only_noted_is_obeyed_once_the_recipe_does(dataset: Dataset) -> None:
    """Under `rights = "record"` texts stay, and rows say what was declared; under "strict" these texts go then."""
    noting = with_recipe(dataset, '[politeness]\nrights = "record"\n')
    brought(noting, "r1", "a", "b")
    assert publish(noting, said(write_run(noting, "r2"), "a")).is_new
    assert shown(noting) == {"a": True, "b": True}
    assert rights_of(noting, "a")["withhold"] == "text"
    assert LocalFolder(dataset.folder).manifest().rows("sketches") == 0
    assert not publish(noting, said(write_run(noting, "r3"), "a")).is_new
    obeying = with_recipe(dataset, "")
    brought(obeying, "r4")
    assert shown(obeying) == {"a": False, "b": True}
    assert LocalFolder(dataset.folder).manifest().rows("sketches") == 1


def test_an_address_that_has_a_copy_too_withholds_the_article(dataset: Dataset) -> None:
    """A page that named another canonical URL later is known twice by its address; its article is withheld."""
    brought(dataset, "r1", "a", "b")
    moved = page("moved", url=url("a"))
    publish(dataset, write_run(dataset, "r2", [moved], [decision("moved", of="a")]))
    assert publish(dataset, said(write_run(dataset, "r3"), "a")).is_new
    assert shown(dataset) == {"a": False, "b": True}


def test_a_later_edition_speaks_for_itself(dataset: Dataset) -> None:
    """The last word counts: a new text without the declaration is shown, an earlier one is not, published or not."""
    write_run(dataset, "r1", [page("a"), page("b")])
    said(write_run(dataset, "r2"), "a", "b")
    edition = decision("a", relation="version", version=2)
    publish(dataset, write_run(dataset, "r3", [page("a", text="What is new. " * 40)], [edition]))
    assert shown(dataset) == {"a": True, "b": False}
