"""What readers get in a fresh process after each kind of version: by folder, by files, streaming, by split."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cleaning.schema import ARTICLES
from flows.config import Dataset
from flows.curation import history
from flows.curation.history import remove_rows, rollback
from flows.destination import LocalFolder
from flows.takedown import Takedown, Takedowns, record_takedown
from tests.flows.made_up import (
    brought,
    decision,
    forget_column,
    id_of,
    new_dataset,
    page,
    publish,
    with_recipe,
    write_run,
)

_READER = """
import json, sys
from datasets import load_dataset
folder = sys.argv[1]
whole = load_dataset(folder, split="train")
streamed = load_dataset(folder, split="train", streaming=True)
files = load_dataset("parquet", data_files=folder + "/data/articles-*.parquet", split="train")
pinned = {path: sorted(load_dataset(path, split="train")["title"]) for path in sys.argv[2:]}
print(json.dumps({"whole": sorted(whole["title"]), "streamed": sorted(row["title"] for row in streamed),
                  "files": sorted(files["title"]), "columns": sorted(whole.column_names), "pinned": pinned}))
"""

# A process of its own also because absl, which mlcroissant brings, takes over the streams of the one it is in.
_CROISSANT = """
import json, sys
import mlcroissant
found = mlcroissant.Dataset(jsonld=sys.argv[1]).metadata
print(json.dumps({
    "issues": [*found.issues.errors, *found.issues.warnings],
    "digests": {one.name: one.sha256 for one in found.distribution if getattr(one, "sha256", None)},
    "columns": {records.name: [field.name for field in records.fields] for records in found.record_sets},
}))
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return new_dataset(tmp_path)


def in_fresh_process(code: str, *arguments: str, cache: Path) -> dict[str, object]:
    environment = {"HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, cwd=cache)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_each_kind_of_version_is_read_whole(dataset: Dataset, tmp_path: Path) -> None:
    """After an append, a correction, a new column, a takedown and a rollback, all ways of reading give the new rows.

    One cache serves all versions; an earlier one can be read by its own folder while it is there.
    """
    steps = {}
    brought(dataset, "r1", *"abcdef")
    forget_column(dataset, "agency")
    steps["new column"] = lambda: brought(dataset, "r2", "g")
    steps["correction"] = lambda: brought(dataset, "r3", "h", demoted=[("a", "h")])
    steps["rollback"] = lambda: rollback(dataset, 2)
    steps["takedown"] = lambda: remove_rows(
        dataset, Takedowns.of(record_takedown(dataset, Takedown("id", id_of("c"), "", "")))
    )
    expected = {
        "new column": "abcdefg",
        "correction": "bcdefgh",
        "rollback": "abcdefg",
        "takedown": "abdefg",
    }
    for step, make in steps.items():
        make()
        pinned = [str(folder) for folder in sorted((dataset.folder / ".versions").glob("[0-9]*"))][:1]
        found = in_fresh_process(_READER, str(dataset.folder), *pinned, cache=tmp_path)
        assert found["whole"] == found["streamed"] == found["files"] == list(expected[step]), step
        assert found["columns"] == sorted(column.name for column in ARTICLES)
        assert "c" not in found["whole"] or found["pinned"] == {pinned[0]: list("abcdef")}


_SPLITS = """
import json, sys
from datasets import load_dataset
found = load_dataset(sys.argv[1])
chosen = {name: sorted(load_dataset(sys.argv[1], split=name)["title"]) for name in found}
print(json.dumps({"all": {name: sorted(rows["title"]) for name, rows in found.items()}, "chosen": chosen}))
"""


def test_shards_of_an_earlier_release_get_their_columns(dataset: Dataset) -> None:
    """The first version that brings anything has today's columns in every shard, and so has a compacted one."""
    brought(dataset, "r1", *"abc")
    forget_column(dataset, "agency")
    assert not brought(dataset, "r2").is_new
    brought(dataset, "r3", "d")
    assert columns_of(dataset) == [{column.name for column in ARTICLES}] * 2
    forget_column(dataset, "agency")
    history.compact(dataset)
    assert columns_of(dataset) == [{column.name for column in ARTICLES}]
    assert history.compact(dataset).version == 3


def columns_of(dataset: Dataset) -> list[set[str]]:
    """The columns of each shard of articles."""
    shards = LocalFolder(dataset.folder).manifest().of("articles")
    return [set(pq.read_schema(dataset.folder / shard.path).names) for shard in shards]


def test_splits_are_named_by_time(dataset: Dataset, tmp_path: Path) -> None:
    """With `publish.splits`, each year or month is a split; changing it sorts what is published into the new ones."""
    days = {"a": datetime(2019, 5, 1, tzinfo=UTC), "b": datetime(2025, 3, 1, tzinfo=UTC), "c": None}
    pages = [page(name, published_at=day, fetched_at=None) for name, day in days.items()]
    publish(dataset, write_run(dataset, "r1", pages))
    by_year = with_recipe(dataset, '[publish]\nsplits = "year"\n')
    assert publish(by_year, write_run(by_year, "r2")).is_new
    found = in_fresh_process(_SPLITS, str(dataset.folder), cache=tmp_path)
    assert found["all"] == found["chosen"] == {"2019": ["a"], "2025": ["b"], "undated": ["c"]}
    by_month = with_recipe(dataset, '[publish]\nsplits = "month"\n')
    late = page("d", published_at=datetime(2025, 3, 31, 23, tzinfo=UTC), fetched_at=None)
    publish(by_month, write_run(by_month, "r3", [late]))
    found = in_fresh_process(_SPLITS, str(dataset.folder), cache=tmp_path)
    assert found["all"] == {"2019_05": ["a"], "2025_03": ["b", "d"], "undated": ["c"]}
    assert history.compact(by_month).of("articles")[1].split == "2025_03"
    assert in_fresh_process(_SPLITS, str(dataset.folder), cache=tmp_path)["all"] == found["all"]


def test_the_croissant_metadata_is_valid(dataset: Dataset, tmp_path: Path) -> None:
    """Mlcroissant finds no fault in croissant.json, which gives each shard's digest and all columns."""
    brought(dataset, "r1", "a", "b", "c", decisions=[decision("a"), decision("b", "a"), decision("c")])
    found = in_fresh_process(_CROISSANT, str(dataset.folder / "croissant.json"), cache=tmp_path)
    assert found["issues"] == []
    assert found["digests"] == {shard.path: shard.sha256 for shard in LocalFolder(dataset.folder).manifest().shards}
    assert found["columns"]["articles"] == [column.name for column in ARTICLES]


def test_the_card_counts_by_source_language_and_month(dataset: Dataset) -> None:
    """The counts of the card are those of all rows, also where only what changed is counted anew."""
    brought(dataset, "r1", *"abcde")
    more = [page("f", domain="other.example", language="de", published_at=datetime(2025, 1, 2, tzinfo=UTC))]
    publish(dataset, write_run(dataset, "r2", more, demoted=[("a", "f")]))
    card = (dataset.folder / "README.md").read_text(encoding="utf-8")
    for line in ("| news.example | 4 | ██", "| other.example | 1 | ██", "| de | 1 | ██", "| 2025-01 | 1 | ██"):
        assert line in card
    assert "@misc{d, title = {d}" in card
