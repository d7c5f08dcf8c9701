"""Runs made up as the stages before publishing leave them, for tests of what publishing makes of them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.schema import EXTRACTED, arrow_schema
from flows.config import Dataset, load_dataset_config
from flows.copies.index import CHANGES, DECISIONS, article_id
from flows.crawling import OUTCOMES
from flows.destination import LocalFolder
from flows.filtering import FILTERED
from flows.manifest import MANIFEST_NAME, Manifest, Shard
from flows.publishing.publish import Published, publish_pending
from flows.runs import Run, list_runs, start_run
from flows.tables import write_table
from tests.flows.conftest import published_rows

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
RECIPE = '[topic]\nseeds = ["*.txt"]\n'


def url(name: str) -> str:
    return f"https://news.example/{name}"


def id_of(name: str) -> str:
    return article_id(url(name))


def page(name: str, **fields: Any) -> dict[str, Any]:
    """A page as extracted and judged, kept unless its fields say otherwise."""
    text = f"The text of {name}. " + "word " * 80
    plain: dict[str, Any] = {field.name: "" for field in arrow_schema(EXTRACTED) if field.type == pa.string()}
    numbers = {"language_score": 1.0, "word_count": 84, "warc_offset": 0, "confidence": 0.9, "is_paywalled": None}
    times = {"published_at": NOON, "modified_at": None, "fetched_at": NOON}
    named = {"url": url(name), "canonical_url": url(name), "domain": "news.example", "title": name, "text": text}
    judged = {"verdict": "kept", "rights": "{}", "similarity": 0.5, "nearest_seed": "seed", "authors": [], "tags": []}
    return plain | numbers | times | named | judged | fields


def decision(name: str, of: str = "", **fields: Any) -> dict[str, Any]:
    """What the index says of a page: a new article, or a copy of another."""
    top, relation = id_of(of or name), "edited" if of else "new"
    row = {"id": id_of(name), "relation": relation, "representative_id": top, "cluster_id": top}
    return row | {"containment": 0.9 if of else None, "version": 1, "is_fresh": True} | fields


def new_dataset(home: Path) -> Dataset:
    """A dataset with the plainest recipe."""
    folder = home / "datasets" / "d"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return load_dataset_config(str(folder), {})


def write_run(
    dataset: Dataset,
    run_id: str,
    pages: list[dict[str, Any]] = [],  # noqa: B006
    decisions: list[dict[str, Any]] | None = None,
    demoted: list[tuple[str, str]] = [],  # noqa: B006
    withdrawn: list[str] = [],  # noqa: B006
    outcomes: list[tuple[str, str]] = [],  # noqa: B006
    part: int = 500,
) -> Run:
    """A run as the stages before publishing leave it; decisions are for the kept pages, new articles by default."""
    run = start_run(dataset, run_id)
    for number, start in enumerate(range(0, max(1, len(pages)), part)):
        rows = pages[start : start + part]
        write_table(run.clean_folder / f"{number:05d}.parquet", pa.Table.from_pylist(rows, arrow_schema(EXTRACTED)))
        write_table(run.filter_folder / f"{number:05d}.parquet", pa.Table.from_pylist(rows, FILTERED))
    kept = [row["title"] for row in pages if row["verdict"] == "kept"]
    decided = [decision(name) for name in kept] if decisions is None else decisions
    write_table(run.folder / "copies.parquet", pa.Table.from_pylist(decided, DECISIONS))
    changes = [
        {"old_representative_id": id_of(old), "new_representative_id": id_of(new), "cluster_id": id_of(old)}
        | {"relation": "truncated", "containment": 1.0}
        for old, new in demoted
    ]
    write_table(run.folder / "representatives.parquet", pa.Table.from_pylist(changes, CHANGES))
    write_table(run.folder / "withdrawn.parquet", pa.table({"id": [id_of(name) for name in withdrawn]}))
    left_out = [
        {"url": url(name), "domain": "news.example", "verdict": verdict, "reason": "", "source_kind": "feed"}
        for name, verdict in outcomes
    ]
    write_table(run.folder / "outcomes.parquet", pa.Table.from_pylist(left_out, OUTCOMES))
    run.finish("copies", {})
    return run


def publish(dataset: Dataset, run: Run) -> Published:
    """Publishes what is pending, in the name of a run."""
    return publish_pending(run, [known.id for known in list_runs(dataset)], "report")


def brought(dataset: Dataset, run_id: str, *names: str, **rest: Any) -> Published:
    """Publishes a run that brings pages of these names."""
    return publish(dataset, write_run(dataset, run_id, [page(name) for name in names], **rest))


def titles(dataset: Dataset, config: str = "articles") -> list[str]:
    """The titles of a config's rows, in their order."""
    return sorted(row["title"] for row in published_rows(dataset, config))


def with_recipe(dataset: Dataset, more: str) -> Dataset:
    """The dataset with more in its recipe."""
    dataset.recipe_path.write_text(RECIPE + more, encoding="utf-8")
    return load_dataset_config(str(dataset.folder), {})


def forget_column(dataset: Dataset, name: str) -> None:
    """Makes the published version one of a release that did not know a column of articles."""
    at = LocalFolder(dataset.folder).current
    manifest = Manifest.read(at / MANIFEST_NAME)
    shards = []
    for shard in manifest.shards:
        if shard.config == "articles":
            rows = pq.read_table(at / shard.path, partitioning=None)
            pq.write_table(rows.drop_columns(name), at / shard.path)
        shards.append(Shard.of(shard.config, at, shard.path, shard.rows, shard.split))
    (at / MANIFEST_NAME).write_text(replace(manifest, shards=tuple(shards)).to_json(), encoding="utf-8")
