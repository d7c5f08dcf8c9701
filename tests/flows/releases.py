"""Small datasets with several versions, made without a crawl, for the tests of what is done with versions."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.schema import ARTICLES, arrow_schema
from flows.config import Dataset, load_dataset_config
from flows.copies.index import article_id
from flows.destination import LocalFolder
from flows.manifest import Manifest, Policy, Shard
from flows.publishing.publish import publish_version
from flows.publishing.shards import write_shard

SCHEMA = arrow_schema(ARTICLES)
RECIPE = '[topic]\nseeds = ["seed.txt"]\n\n[publish]\nto = {to}\n'
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def new_dataset(folder: Path, to: Sequence[str] = (), name: str = "small") -> Dataset:
    """A recipe without anything published."""
    home = folder / "datasets" / name
    home.mkdir(parents=True)
    (home / "seed.txt").write_text("An article about something that happened somewhere. " * 30, encoding="utf-8")
    (home / "recipe.toml").write_text(RECIPE.format(to=list(to)), encoding="utf-8")
    return load_dataset_config(str(home), {})


def row(number: int, **changed: Any) -> dict[str, Any]:
    """An article; the same number gives the same id."""
    url = f"https://www.outlet{number % 3}.example/article-{number}"
    values = {column.name: _anything(column.type) for column in ARTICLES if not column.nullable}
    known = {
        "id": article_id(url),
        "url": url,
        "canonical_url": url,
        "domain": f"outlet{number % 3}.example",
        "title": f"Article {number}",
        "text": f"What article {number} says. " * 40,
        "published_at": _DAY + timedelta(hours=number),
        "fetched_at": _DAY + timedelta(days=30),
        "language": "en",
        "version": 1,
    }
    return values | known | changed


def _anything(kind: pa.DataType) -> Any:
    if pa.types.is_string(kind):
        return "x"
    if pa.types.is_list(kind):
        return []
    return _DAY if pa.types.is_timestamp(kind) else 0


def release(dataset: Dataset, rows: Sequence[dict[str, Any]], without: Sequence[str] = ()) -> Manifest:
    """Publishes a version with more rows, each in a shard of its own run, and without those of some ids."""
    local = LocalFolder(dataset.folder)
    base = local.manifest() or Manifest(dataset.name, 0, "", "")
    run = f"r{base.version + 1}"

    def shards(draft: Path) -> Iterator[Shard]:
        for shard in base.shards:
            if not set(ids_in(local.current / shard.path)) & set(without):
                local.carry_over(shard, draft)
                yield shard
        if rows:
            yield write_shard("articles", f"articles-{run}", pa.Table.from_pylist(list(rows), schema=SCHEMA), draft)

    patient = dataset.with_expectations(drop=1.0)
    return publish_version(patient, base, shards, run, run, "<p>report</p>", Policy("full", "strict"))


def ids_in(path: Path) -> list[str]:
    """The ids of a shard."""
    found: list[str] = pq.read_table(path, columns=["id"], partitioning=None)["id"].to_pylist()
    return found


def local_ids(dataset: Dataset) -> list[str]:
    """The ids that readers of the local folder see, in order."""
    local = LocalFolder(dataset.folder)
    manifest = local.manifest()
    assert manifest is not None
    return sorted(key for shard in manifest.of("articles") for key in ids_in(local.current / shard.path))
