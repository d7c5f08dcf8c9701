"""Takes down what people ask for, everywhere, and says what came of each request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cleaning.schema import CONFIGS
from cleaning.urls import canonical
from flows.config import Dataset
from flows.copies.index import article_id
from flows.copies.rebuilding import open_index
from flows.curation import history
from flows.curation.named import Named, Row, named_rows
from flows.destination import LocalFolder
from flows.manifest import Manifest, Shard
from flows.takedown import Kind, Takedown, Takedowns, check_takedown, record_takedown


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and how many rows of each config it named, in the published version and those before it."""

    kind: Kind
    value: str
    matched: dict[str, int]


@dataclass(frozen=True, slots=True)
class TakenDown:
    """What a takedown did.

    Attributes:
        requests: what was asked, each with what it named.
        before: rows of each config that readers saw.
        after: rows of each config that they see now.
        version: the version that they see now; None where nothing is published.
        is_new: whether that is another one than before.
        cleared: the numbers of the versions that were cleared away, because they held rows that were named.
    """

    requests: tuple[Request, ...]
    before: dict[str, int]
    after: dict[str, int]
    version: int | None
    is_new: bool
    cleared: tuple[int, ...]


def take_down(dataset: Dataset, wanted: Sequence[tuple[Kind, str]], reason: str) -> TakenDown:
    """Records requests beside the recipe, takes their rows out of every version, and makes the index forget them.

    Raises:
        InputError: a value is not of its kind; no request is recorded then.
    """
    asked = [Takedown(kind, value, reason, datetime.now(UTC).isoformat(timespec="seconds")) for kind, value in wanted]
    for request in asked:
        check_takedown(request)
    known: list[Takedown] = []
    for request in asked:
        known = record_takedown(dataset, request)
    versions = history.versions(dataset)
    named = named_rows(dataset, takedowns := Takedowns.of(known))
    requests = _matched(named, asked)
    if not versions:
        return TakenDown(requests, {}, {}, None, False, ())
    unpublished = [article_id(canonical(value) or value) for kind, value in wanted if kind == "url"]
    with open_index(dataset) as index:  # first, so that a command that was killed finds the rows again
        index.forget(sorted({*history.removed_ids(dataset, named), *unpublished, *takedowns.ids}))
    made = history.remove_named(dataset, named)
    gone = {version.version for version in versions} - set(LocalFolder(dataset.folder).numbers())
    before = versions[-1]
    is_new = made.version != before.version
    return TakenDown(requests, _rows(before), _rows(made), made.version, is_new, tuple(sorted(gone)))


def _rows(manifest: Manifest) -> dict[str, int]:
    return {config: manifest.rows(config) for config in CONFIGS}


def _matched(named: Mapping[Shard, Named], asked: Sequence[Takedown]) -> tuple[Request, ...]:
    """The requests with what each names: articles, copies of these too, and pages that were rejected."""
    by_config: dict[str, list[Row]] = defaultdict(list)
    for shard, one in named.items():
        by_config[shard.config] += one.rows
    found = ((request, _covered(by_config, Takedowns.of([request]))) for request in asked)
    return tuple(
        Request(request.kind, request.value, {config: len(_distinct(rows)) for config, rows in covered.items()})
        for request, covered in found
    )


def _covered(by_config: Mapping[str, Sequence[Row]], takedowns: Takedowns) -> dict[str, list[Row]]:
    """The rows of each config that takedowns name; a copy goes with its article."""
    articles = [row for row in by_config["articles"] if takedowns.cover(row)]
    with_copies = replace(takedowns, ids=takedowns.ids | {row["id"] for row in articles})
    others = {name: [row for row in by_config[name] if with_copies.cover(row)] for name in ("copies", "rejected")}
    return {"articles": articles} | others


def _distinct(rows: Iterable[Row]) -> set[str]:
    """What the rows are about, however many versions have them."""
    return {row.get("id") or row["url"] for row in rows}
