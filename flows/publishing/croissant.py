"""The dataset's metadata in the Croissant format (docs.mlcommons.org/croissant): files with digests, and columns."""

import json
from typing import Any

import pyarrow as pa

from cleaning.schema import CONFIGS, Column
from flows.config import Dataset
from flows.manifest import Manifest, Shard

_TERMS = (
    *("citeAs", "column", "conformsTo", "dataBiases", "dataCollection", "examples", "extract", "field", "fileObject"),
    *("fileProperty", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField"),
    *("path", "personalSensitiveInformation", "recordSet", "references", "regex", "repeated", "replace", "separator"),
    *("source", "subField", "transform"),
)
"""The words of the Croissant 1.0 vocabulary, which its documents declare one by one."""

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    **{term: f"cr:{term}" for term in _TERMS},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}


def render_croissant(dataset: Dataset, manifest: Manifest) -> str:
    """The text of croissant.json for a version."""
    return json.dumps(describe(dataset, manifest), indent=1, ensure_ascii=False) + "\n"


def describe(dataset: Dataset, manifest: Manifest) -> dict[str, Any]:
    """The JSON-LD of a version: a file object a shard, and a record set a config."""
    recipe, filled = dataset.recipe, [config for config in CONFIGS if manifest.rows(config)]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": dataset.name,
        "description": recipe.description or "News articles like a handful of seed articles.",
        "version": f"{manifest.version}.0.0",
        "datePublished": manifest.created,
        "license": recipe.publish.license,
        "citeAs": citation(dataset, manifest),
        "url": "./",
        "isLiveDataset": True,
        "distribution": [
            *(_file(shard) for config in filled for shard in manifest.of(config)),
            *(_files(config, manifest) for config in filled),
        ],
        "recordSet": [_records(config) for config in filled],
    }


def citation(dataset: Dataset, manifest: Manifest) -> str:
    """A BibTeX entry for a version."""
    title = (dataset.recipe.title or dataset.name).replace("{", "").replace("}", "")
    return (
        f"@misc{{{dataset.name}, title = {{{title}}}, year = {{{manifest.created[:4]}}}, "
        f"version = {{{manifest.version}}}, note = {{Collected with likewise {manifest.code}}}}}"
    )


def _file(shard: Shard) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": shard.path,
        "name": shard.path,
        "contentUrl": shard.path,
        "contentSize": f"{shard.bytes} B",
        "encodingFormat": "application/x-parquet",
        "sha256": shard.sha256,
    }


def _files(config: str, manifest: Manifest) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{config}-files",
        "name": f"{config}-files",
        "description": f"The shards of the config {config}.",
        "encodingFormat": "application/x-parquet",
        "includes": [shard.path for shard in manifest.of(config)],
    }


def _records(config: str) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": config, "name": config} | {
        "field": [_field(config, column) for column in CONFIGS[config]]
    }


def _field(config: str, column: Column) -> dict[str, Any]:
    is_list = pa.types.is_list(column.type)
    return {
        "@type": "cr:Field",
        "@id": f"{config}/{column.name}",
        "name": column.name,
        "description": column.sentence + (f" Unit: {column.unit}." if column.unit else ""),
        "dataType": _data_type(column.type.value_type if is_list else column.type),
        "source": {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": column.name}},
    } | ({"repeated": True} if is_list else {})


def _data_type(kind: pa.DataType) -> str:
    checks = (
        (pa.types.is_boolean, "sc:Boolean"),
        (pa.types.is_integer, "sc:Integer"),
        (pa.types.is_floating, "sc:Float"),
        (pa.types.is_timestamp, "sc:Date"),
    )
    return next((name for is_it, name in checks if is_it(kind)), "sc:Text")
