"""Texts whose publishers ask later that they be not shown, though the page is there and its article is the same."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.urls import canonical
from flows.crawling import THERE_NAME
from flows.publishing.shard_index import ShardIndex
from flows.runs import Run

Declared = Mapping[str, list[dict[str, Any]]]
"""By the id of an article, or the URL that it was fetched from: the signals that withhold its text."""


def withheld(rights: pa.ChunkedArray) -> pa.Array:
    """Whether the evidence of each row says that its text must not be shown."""
    maybe = pc.match_substring(rights, '"withhold"')
    if not pc.any(maybe).as_py():
        return maybe
    found = [json.loads(text).get("withhold") == "text" for text in rights.to_pylist()]
    return pa.array(found, pa.bool_())


def declared_by(run: Run) -> dict[str, list[dict[str, Any]]]:
    """What answers said that brought no page, because it had not changed; by URL."""
    path = run.folder / THERE_NAME
    if not path.exists() or "withheld" not in pq.read_schema(path).names:
        return {}
    said = pq.read_table(path, partitioning=None)
    rows = said.filter(pc.is_valid(said["withheld"])).to_pylist()
    return {row["url"]: [_signal(row["url"], row["withheld"])] for row in rows}


def _signal(url: str, said: str) -> dict[str, Any]:
    name, _, value = said.partition(": ")
    return {"signal": name, "value": value, "where": url, "reserves": False, "withholds": "text"}


def declared_in(pages: pa.Table, decisions: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """What pages say that were fetched again with the text that is known; by id, those that withhold it."""
    hidden = withheld(pages["rights"])
    return said_in(pages.filter(hidden), decisions.filter(hidden))


def said_in(pages: pa.Table, decisions: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """By id, what withholds the texts of pages that were fetched again with the text that is known; or nothing.

    A page at another address speaks for itself only.
    """
    named = pages.select(["url", "canonical_url", "rights"]).append_column("id", decisions["id"])
    known = named.filter(pc.invert(decisions["is_fresh"]))
    own = (row for row in known.to_pylist() if canonical(row["url"]) == canonical(row["canonical_url"] or row["url"]))
    return _declared(own)


def declared_in_rows(rows: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """What rows with `id` and `rights` have that withholds their texts; by id."""
    return _declared(rows.select(["id", "rights"]).to_pylist())


def _declared(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {row["id"]: [one for one in _signals(row["rights"]) if one.get("withholds")] for row in rows}


def _signals(rights: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rights).get("signals", [])
    return found


def not_noted(declared: Declared, index: ShardIndex, folder: Path, new: Iterable[str]) -> Declared:
    """By id, what is declared of articles whose evidence does not say that their texts are withheld.

    Args:
        declared: what was found.
        index: knows where published articles lie, below `folder`.
        folder: the published version's.
        new: the ids of the articles that are to be published.
    """
    if not declared:
        return {}
    at = index.addresses(declared)
    by_id = {article: signals for key, signals in declared.items() for article in sorted(at.get(key, {key}))}
    found = set(new) & by_id.keys()
    for path, these in index.holders("articles", by_id).items():
        rows = pq.read_table(folder / path, columns=["id", "rights"], partitioning=None)
        rows = rows.filter(pc.is_in(rows["id"], pa.array(sorted(these), pa.string())))
        found.update(rows["id"].filter(pc.invert(withheld(rows["rights"]))).to_pylist())
    return {article: by_id[article] for article in sorted(found)}


def with_declared(articles: pa.Table, declared: Declared) -> pa.Table:
    """Articles whose evidence has what was declared of them later."""
    names = articles["id"].to_pylist() if declared else []
    if declared.keys().isdisjoint(names):
        return articles
    evidence = zip(names, articles["rights"].to_pylist(), strict=True)
    rights = [with_signals(said, declared[name]) if name in declared else said for name, said in evidence]
    at = articles.schema.get_field_index("rights")
    return articles.set_column(at, articles.schema.field(at), pa.array(rights, pa.string()))


def with_signals(rights: str, signals: list[dict[str, Any]]) -> str:
    """The evidence of a row, with signals that withhold its text."""
    found = json.loads(rights)
    known = found.get("signals", [])
    found |= {"signals": [*known, *(one for one in signals if one not in known)], "withhold": "text"}
    return json.dumps(found, sort_keys=True, ensure_ascii=False)
