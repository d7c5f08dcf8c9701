"""The dataset card: the list of files that readers follow, and what a researcher wants to know before using them."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from cleaning.schema import CONFIGS
from cleaning.verdict import MEANING, Verdict
from flows.config import Dataset
from flows.manifest import Manifest, Shard
from flows.publishing.changes import SCHEMAS
from flows.publishing.counts import Counts
from flows.publishing.croissant import citation

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_BAR = 30
"""Characters of the longest bar."""

TEMPLATES = Environment(
    loader=PackageLoader("flows", "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render_card(dataset: Dataset, manifest: Manifest, counts: Counts) -> str:
    """The text of README.md for a version."""
    body = TEMPLATES.get_template("card.md").render(
        dataset=dataset,
        recipe=dataset.recipe,
        manifest=manifest,
        months=_bars(sorted(counts.months.items())),
        languages=_bars(counts.most("languages")),
        sources=_bars(counts.most("domains")[:50]),
        others=counts.most("domains")[50:],
        seeds=dataset.seed_names(),
        configs=CONFIGS,
        splits=[split for split, _ in _by_split(manifest.of("articles"))],
        citation=citation(dataset, manifest),
        meanings=[(Verdict(name), number, MEANING[Verdict(name)]) for name, number in counts.most("verdicts")],
    )
    front = yaml.safe_dump(front_matter(dataset, manifest, counts), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{body}"


def _bars(counts: Sequence[tuple[str, int]]) -> list[tuple[str, int, str]]:
    """Values with their numbers and a bar of their length, the longest of _BAR characters."""
    most = max((number for _, number in counts), default=1)
    return [(value, number, "█" * max(1, round(_BAR * number / most))) for value, number in counts]


def front_matter(dataset: Dataset, manifest: Manifest, counts: Counts) -> dict[str, Any]:
    """The card's YAML. Files are listed one by one with exact counts: a reader's cache is keyed on this text."""
    filled = [config for config in CONFIGS if manifest.rows(config)]  # a config without rows cannot be loaded
    size = next((name for limit, name in _SIZES if manifest.rows("articles") < limit), "n>10M")
    return {
        "pretty_name": dataset.recipe.title or dataset.name,
        "license": dataset.recipe.publish.license,
        "language": sorted(language for language in counts.languages if language),
        "task_categories": ["text-classification", "text-retrieval"],
        "tags": ["news"],
        "size_categories": [size],
        "configs": [
            {
                "config_name": config,
                "default": config == "articles",
                "data_files": [
                    {"split": split, "path": [shard.path for shard in shards]}
                    for split, shards in _by_split(manifest.of(config))
                ],
            }
            for config in filled
        ],
        "dataset_info": [_info(config, manifest) for config in filled],
    }


def _by_split(shards: Sequence[Shard]) -> list[tuple[str, list[Shard]]]:
    """The shards of a config by split; splits are in the order of their names, and shards as they come."""
    ordered = sorted(shards, key=lambda shard: shard.split)
    return [(split, list(these)) for split, these in groupby(ordered, lambda shard: shard.split)]


def _info(config: str, manifest: Manifest) -> dict[str, Any]:
    from datasets import Features  # half a second to import, and only a new version has a card

    splits = _by_split(manifest.of(config))
    stored = sum(shard.bytes for shard in manifest.of(config))
    return {
        "config_name": config,
        "features": Features.from_arrow_schema(SCHEMAS[config])._to_yaml_list(),
        "splits": [
            {
                "name": split,
                "num_bytes": sum(shard.bytes for shard in shards),
                "num_examples": sum(shard.rows for shard in shards),
            }
            for split, shards in splits
        ],
        "download_size": stored,
        "dataset_size": stored,
        "version": f"{manifest.version}.0.0",
    }
