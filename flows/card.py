"""The dataset card: the list of files that readers follow, and what a researcher wants to know before using them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from datasets import Features
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from cleaning.schema import CONFIGS
from cleaning.verdict import MEANING, Verdict
from flows.changes import SCHEMAS
from flows.config import Dataset
from flows.manifest import Manifest

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
TEMPLATES = Environment(
    loader=PackageLoader("flows", "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Articles by domain and language (most first) and by month (in order), and rejected pages by verdict."""

    domains: list[tuple[str, int]]
    languages: list[tuple[str, int]]
    months: list[tuple[str, int]]
    verdicts: list[tuple[str, int]]


def render_card(dataset: Dataset, manifest: Manifest, root: Path) -> str:
    """The text of README.md for the version whose shards lie below `root`."""
    counts = count(root, manifest)
    body = TEMPLATES.get_template("card.md").render(
        dataset=dataset,
        recipe=dataset.recipe,
        manifest=manifest,
        counts=counts,
        seeds=dataset.seed_names(),
        configs=CONFIGS,
        meanings=[(Verdict(name), number, MEANING[Verdict(name)]) for name, number in counts.verdicts],
    )
    front = yaml.safe_dump(front_matter(dataset, manifest, counts), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{body}"


def front_matter(dataset: Dataset, manifest: Manifest, counts: Counts) -> dict[str, Any]:
    """The card's YAML. Files are listed one by one with exact counts: a reader's cache is keyed on this text."""
    filled = [config for config in CONFIGS if manifest.rows(config)]  # a config without rows cannot be loaded
    size = next((name for limit, name in _SIZES if manifest.rows("articles") < limit), "n>10M")
    return {
        "pretty_name": dataset.recipe.title or dataset.name,
        "license": dataset.recipe.publish.license,
        "language": sorted(language for language, _ in counts.languages if language),
        "task_categories": ["text-classification", "text-retrieval"],
        "tags": ["news"],
        "size_categories": [size],
        "configs": [
            {
                "config_name": config,
                "default": config == "articles",
                "data_files": [{"split": "train", "path": [shard.path for shard in manifest.of(config)]}],
            }
            for config in filled
        ],
        "dataset_info": [_info(config, manifest) for config in filled],
    }


def _info(config: str, manifest: Manifest) -> dict[str, Any]:
    stored = sum(shard.bytes for shard in manifest.of(config))
    return {
        "config_name": config,
        "features": Features.from_arrow_schema(SCHEMAS[config])._to_yaml_list(),
        "splits": [{"name": "train", "num_bytes": stored, "num_examples": manifest.rows(config)}],
        "download_size": stored,
        "dataset_size": stored,
        "version": f"{manifest.version}.0.0",
    }


def count(root: Path, manifest: Manifest) -> Counts:
    """Counts over all rows, from the columns that they need."""
    articles, rejected = ([root / shard.path for shard in manifest.of(config)] for config in ("articles", "rejected"))
    return Counts(
        domains=_count_by("domain", articles),
        languages=_count_by("language", articles),
        months=_count_by("strftime(published_at, '%Y-%m')", articles, "value"),
        verdicts=_count_by("verdict", rejected),
    )


def _count_by(expression: str, paths: list[Path], order: str = "rows DESC, value") -> list[tuple[str, int]]:
    """How many rows of the Parquet files have each value of a SQL expression."""
    if not paths:
        return []
    sql = f"SELECT {expression} AS value, count(*) AS rows FROM read_parquet(?) GROUP BY value ORDER BY {order}"
    with duckdb.connect() as db:
        return [(value or "", number) for value, number in db.execute(sql, [[str(path) for path in paths]]).fetchall()]
