"""What publishers asked for after a version was made: what they withdrew, and which texts they withhold by now.

The versions after it tell it, and the runs in the state, as far as they are there.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.urls import canonical
from cleaning.verdict import Verdict
from flows.config import Dataset
from flows.copies.index import article_id
from flows.destination import LocalFolder
from flows.manifest import Manifest, Shard
from flows.publishing.drafting import read_shard
from flows.publishing.events import Row
from flows.publishing.promotion import WITHDRAWN_NAME
from flows.publishing.sightings import runs_as_begun
from flows.publishing.withholding import Declared, declared_in_rows, withheld
from flows.runs import Run
from flows.tables import rows_if_there

_CERTAIN = (str(Verdict.GONE), str(Verdict.OPTED_OUT))
"""Verdicts by which publishers withdraw articles. That a page came back without its text says so only where a run
concluded it: a change of the extractor may bring the same verdict."""


@dataclass(frozen=True, slots=True)
class Since:
    """A published version, and what came after it.

    Attributes:
        dataset: whose version it is.
        source: the version.
        later: those of the versions after it that are there, in their order.
    """

    dataset: Dataset
    source: Manifest
    later: tuple[Manifest, ...]

    @classmethod
    def of(cls, dataset: Dataset, source: Manifest) -> "Since":
        """What came after a version of a dataset."""
        destination = LocalFolder(dataset.folder)
        after = (number for number in destination.numbers() if number > source.version)
        return cls(dataset, source, tuple(map(destination.manifest_of, after)))

    @property
    def folder(self) -> Path:
        """Where the version lies."""
        return self._folder_of(self.source)

    def own(self, config: str, *columns: str) -> Iterator[pa.Table]:
        """Columns of the version's rows of a config, shard by shard."""
        return (_read(self.folder / shard.path, columns) for shard in self.source.of(config))

    def new(self, config: str, *columns: str) -> Iterator[tuple[Shard, pa.Table]]:
        """Columns of the rows of later shards, each once, in the order in which they came."""
        return ((shard, _read(path, columns)) for shard, path in self._new(config))

    def rows(self, config: str, values: Iterable[str], by: str = "id") -> Iterator[Row]:
        """The rows of later shards that have one of some values in a column, in the order in which the shards came."""
        wanted = strings(values)
        for _, path in self._new(config) if len(wanted) else ():
            if pc.any(pc.is_in(_read(path, [by])[by], wanted)).as_py():  # texts are large: few shards have any
                rows = read_shard(path, config)
                yield from rows.filter(pc.is_in(rows[by], wanted)).to_pylist()

    def _new(self, config: str) -> Iterator[tuple[Shard, Path]]:
        seen = set(self.source.shards)
        for version in self.later:
            for shard in version.of(config):
                if shard not in seen:
                    yield shard, self._folder_of(version) / shard.path
                seen.add(shard)

    def _folder_of(self, version: Manifest) -> Path:
        return LocalFolder(self.dataset.folder).folder_of(version.version)


def _read(path: Path, columns: Sequence[str]) -> pa.Table:
    return pq.read_table(path, columns=list(columns), partitioning=None)


def withdrawn_since(since: Since) -> frozenset[str]:
    """The ids of the version's articles and copies that were withdrawn later, and did not come back."""
    gone = strings(_withdrawn_by_runs(since.dataset))
    tables = (rows for config in ("articles", "copies") for rows in since.own(config, "id"))
    told = {article for rows in tables for article in rows["id"].filter(pc.is_in(rows["id"], gone)).to_pylist()}
    return frozenset(told | _withdrawn_by_versions(since))


def _withdrawn_by_runs(dataset: Dataset) -> set[str]:
    """The ids of articles that a run of the state withdrew, and that none brought after it."""
    gone: set[str] = set()
    for run in runs_as_begun(dataset):
        gone -= _brought(run) if gone else set()
        gone |= {row["id"] for row in rows_if_there(run.folder / WITHDRAWN_NAME)}
    return gone


def _brought(run: Run) -> set[str]:
    path = run.folder / "copies.parquet"
    decided = pq.read_table(path, columns=["id", "is_fresh"], partitioning=None) if path.exists() else None
    return set(decided["id"].filter(decided["is_fresh"]).to_pylist()) if decided else set()


def _withdrawn_by_versions(since: Since) -> set[str]:
    """The ids of rows that are not in a later version, which rejects a page of theirs for certain."""
    rejected = {
        shard: {_Said(*row.values()) for row in rows.filter(pc.is_in(rows["verdict"], strings(_CERTAIN))).to_pylist()}
        for shard, rows in since.new("rejected", "url", "run_id", "verdict")
    }
    named = _named(since, {said.url for shard in rejected for said in rejected[shard]})
    there = _holders(since, {article for ids in named.values() for article in ids})
    heard, gone = set[_Said](), set[str]()
    for version in since.later if named else ():
        # Each page speaks once, when it comes: a rollback or a compaction brings old rows again, in new shards.
        news = set().union(*(rejected.get(shard, set()) for shard in version.shards)) - heard
        gone |= {article for said in news for article, run in named.get(said.url, {}).items() if run < said.run_id}
        gone -= set().union(*(there[shard] for shard in version.shards if shard in there))
        heard |= news
    return gone


class _Said(NamedTuple):
    """A page that a run rejected, and by which verdict."""

    url: str
    run_id: str
    verdict: str


def _named(since: Since, urls: Iterable[str]) -> dict[str, dict[str, str]]:
    """By URL the ids of the version's rows that were fetched there, or have it as their canonical one, with their runs.

    Ids of runs are made from the time: what an earlier run than a row's said of its page is over.
    """
    asked: dict[str, set[str]] = {}
    for url in urls:
        for address in (url, canonical(url) or url):
            asked.setdefault(address, set()).add(url)
    ids = {article_id(address): address for address in asked}
    addresses, names = strings(asked), strings(ids)
    found: dict[str, dict[str, str]] = {}
    for config in ("articles", "copies") if asked else ():
        for rows in since.own(config, "id", "url", "canonical_url", "run_id"):
            at_address = pc.or_(pc.is_in(rows["url"], addresses), pc.is_in(rows["canonical_url"], addresses))
            for row in rows.filter(pc.or_(at_address, pc.is_in(rows["id"], names))).to_pylist():
                for address in {row["url"], row["canonical_url"], ids.get(row["id"], "")} & asked.keys():
                    for url in asked[address]:
                        found.setdefault(url, {})[row["id"]] = row["run_id"]
    return found


def _holders(since: Since, ids: Collection[str]) -> dict[Shard, set[str]]:
    """Which of the ids the shards of articles and copies hold, of the version itself and of later ones."""
    wanted, found = strings(ids), dict[Shard, set[str]]()
    for config in ("articles", "copies") if ids else ():
        own = zip(since.source.of(config), since.own(config, "id"), strict=True)
        for shard, rows in (*own, *since.new(config, "id")):
            found[shard] = set(rows["id"].filter(pc.is_in(rows["id"], wanted)).to_pylist())
    return found


def withheld_since(since: Since) -> Declared:
    """By id, what articles of later versions declare by which their texts are withheld; the last word counts."""
    columns = ("id", "run_id", "rights")
    ever = strings(
        {article for _, rows in since.new("articles", *columns) for article in _hidden(rows)["id"].to_pylist()}
    )
    runs = {
        row["id"]: row["run_id"]
        for rows in since.own("articles", "id", "run_id")
        for row in _of(rows, ever).to_pylist()
    }
    last: dict[str, list[dict[str, Any]]] = {}
    for _, rows in since.new("articles", *columns) if len(ever) else ():
        these = _of(rows, ever)
        said = declared_in_rows(_hidden(these))
        for article, run in zip(these["id"].to_pylist(), these["run_id"].to_pylist(), strict=True):
            # A rollback or a compaction brings editions of earlier runs again, in new shards.
            if run >= runs.get(article, ""):
                runs[article] = run
                last.pop(article, None)
                last |= {article: said[article]} if article in said else {}
    return last


def _hidden(rows: pa.Table) -> pa.Table:
    return rows.filter(withheld(rows["rights"]))


def _of(rows: pa.Table, ids: pa.Array) -> pa.Table:
    return rows.filter(pc.is_in(rows["id"], ids))


def strings(values: Iterable[str]) -> pa.Array:
    """The values as an array of text, in order."""
    return pa.array(sorted(values), pa.string())
