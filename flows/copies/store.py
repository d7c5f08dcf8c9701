"""What the index of known articles asks its file, and writes there: every statement that touches its tables.

The inverted list is a plain table: DuckDB's hash join scans it faster than an index over it could be kept.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cleaning.copies.candidates import MAX_POSTINGS
from cleaning.copies.clusters import Article
from cleaning.copies.sketched import Sketch
from cleaning.schema import TIME
from flows.copies.file import IndexFile
from flows.copies.records import Known, Matches, RecentTexts, Text, article, packed

_ARTICLES = pa.schema(
    [
        ("id", pa.string()),
        ("cluster_id", pa.string()),
        ("digest", pa.uint64()),
        ("version", pa.int32()),
        ("address", pa.string()),
    ]
)
_TEXTS = pa.schema(
    [
        ("number", pa.int64()),
        ("cluster", pa.int64()),
        ("id", pa.string()),
        ("cluster_id", pa.string()),
        ("size", pa.int64()),
        ("domain", pa.string()),
        ("agency", pa.string()),
        ("published_at", TIME),
        ("words", pa.binary()),
        ("sketch", pa.binary()),
    ]
)
_DECISIONS = pa.schema(
    [
        ("id", pa.string()),
        ("relation", pa.string()),
        ("representative_id", pa.string()),
        ("cluster_id", pa.string()),
        ("containment", pa.float32()),
        ("version", pa.int32()),
        ("is_fresh", pa.bool_()),
    ]
)
_MOVED = pa.schema([("old", pa.int64()), ("new", pa.int64())])
_POSTINGS = pa.schema([("hash", pa.uint64()), ("number", pa.int64())])

_SELECT_TEXTS = """
SELECT number, id, cluster_id, words, domain, agency, epoch_us(published_at), sketch
FROM texts SEMI JOIN given USING (number)
"""
_NO_VERSION = 0
"""In `decisions`, the version of a row that says which article took the place of the article `id`."""

_RECENT_WORDS = 4_000_000
"""Words of texts that are kept in mind; four bytes each."""

_IDS = pa.schema([("id", pa.string())])
_NUMBERS = pa.schema([("number", pa.int64())])


class Store:
    """An open file. Numbers name texts, and are never used again.

    A text stands for its cluster, or is a witness: a copy by which further copies are found. Its `cluster` is the
    number of the text that stands.
    """

    def __init__(self, path: Path, memory: int, threads: int) -> None:
        """Opens the file, as `IndexFile` says."""
        self._file = IndexFile(path, memory, threads)
        self._recent = RecentTexts(_RECENT_WORDS)
        self._read_runs()

    def _read_runs(self) -> None:
        # Kept in mind: nobody else writes while the file is open.
        self._runs: dict[str, int] = dict(self._file.run("SELECT run_id, numbers FROM runs ORDER BY rowid"))
        ((self._has_missing,),) = self._file.run("SELECT count(*) > 0 FROM missing")

    def close(self) -> None:
        """Closes the file; what was not committed is undone."""
        self._file.close()

    def __enter__(self) -> Self:
        """Begins a transaction."""
        self._file.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._file.__exit__(kind, *rest)
        if kind:
            self._recent.clear()
            self._read_runs()

    def runs(self) -> list[str]:
        """The ids of the runs, in the order in which they were committed."""
        return list(self._runs)

    def begun(self, run_id: str) -> tuple[bool, int]:
        """Whether a run is known, and the first number that was never used."""
        return run_id in self._runs, sum(self._runs.values())

    def record(self, run_id: str, numbers: int, decisions: pa.Table, changes: pa.Table) -> None:
        """Remembers what a run decided, and how many numbers it used."""
        self._file.run("INSERT INTO runs VALUES (?, ?)", [run_id, numbers])
        self._runs[run_id] = numbers
        rows = pa.concat_tables([decisions.cast(_DECISIONS), _as_decisions(changes)])
        if rows.num_rows:
            placed = rows.add_column(0, "position", pa.array(np.arange(1, rows.num_rows + 1)))
            self._file.run("INSERT INTO decisions SELECT ?, * FROM given", [run_id], placed)

    def decisions(self, run_id: str, schema: pa.Schema) -> pa.Table:
        """The decisions of a run, in their order."""
        said = ", ".join(schema.names)
        which = f"run_id = ? AND version > {_NO_VERSION}"
        return self._file.query(f"SELECT {said} FROM decisions WHERE {which} ORDER BY position", [run_id]).cast(schema)

    def changes(self, run_id: str, schema: pa.Schema) -> pa.Table:
        """The changes of a run, in their order."""
        said = "id, representative_id, cluster_id, relation, containment"
        which = f"run_id = ? AND version = {_NO_VERSION}"
        rows = self._file.query(f"SELECT {said} FROM decisions WHERE {which} ORDER BY position", [run_id])
        return rows.rename_columns(schema.names).cast(schema)

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """Those of the ids that are known."""
        asked = {"id": np.array(ids, dtype=object)}
        select = "SELECT id, cluster_id, digest, version, address FROM articles SEMI JOIN given USING (id)"
        found = self._file.run(select, given=asked) if len(ids) else []
        if not found:
            return {}
        rows = self._file.run(
            "SELECT a.id, a.cluster_id, a.digest, a.version, coalesce(t.id, a.id), t.number"
            " FROM given a LEFT JOIN texts t ON t.cluster_id = a.cluster_id AND t.number = t.cluster",
            given=_table(found, _ARTICLES),
        )
        return {row[0]: Known(*row) for row in rows}

    def matches(self, hashes: NDArray[np.uint64]) -> Matches:
        """The postings of the given shingles."""
        rows = self._file.arrays(
            "SELECT p.hash, p.number, t.cluster, t.size FROM postings p SEMI JOIN given USING (hash)"
            " JOIN texts t USING (number)",
            given={"hash": hashes},
        )
        return Matches(*(rows[name] for name in ("hash", "number", "cluster", "size")))

    def articles(self, numbers: Sequence[int]) -> dict[int, Article]:
        """Representatives and witnesses by number, with their texts."""
        found = self._recent.among(numbers)
        others = [number for number in numbers if number not in found]
        rows = self._file.run(_SELECT_TEXTS, given={"number": np.array(others, np.int64)}) if others else []
        return found | {row[0]: article(row[1:]) for row in rows}

    def known_at(self, addresses: Sequence[str]) -> set[str]:
        """The ids of the articles that have one of some ids, or the address that one stands for."""
        asked = pa.table([addresses], schema=_IDS)
        some = "(SELECT id FROM given)"
        return {
            row[0]
            for row in self._file.run(f"SELECT id FROM articles WHERE id IN {some} OR address IN {some}", given=asked)
        }

    def missed_again(self, run_id: str, ids: Sequence[str]) -> set[str]:
        """Remembers that a run missed articles; answers those that another run had missed."""
        asked = pa.table([ids], schema=_IDS)
        found = "SELECT DISTINCT id FROM missing SEMI JOIN given USING (id) WHERE run_id != ?"
        again = {row[0] for row in self._file.run(found, [run_id], asked)}
        self._file.run("INSERT INTO missing SELECT id, ? FROM given", [run_id], asked)
        self._has_missing = self._has_missing or bool(ids)
        return again

    def found_again(self, ids: Sequence[str]) -> None:
        """Articles that are there are not missed."""
        if self._has_missing and ids:
            self._file.run("DELETE FROM missing WHERE id IN (SELECT id FROM given)", given=pa.table([ids], schema=_IDS))

    def add_articles(
        self, rows: Sequence[tuple[str, str, int | None, int, str | None]], editions: Sequence[str] = ()
    ) -> None:
        """Remembers articles by id, cluster, digest, version and address; `editions` are the ids known before."""
        if editions:
            self._file.run(
                "DELETE FROM articles WHERE id IN (SELECT id FROM given)", given=pa.table([editions], schema=_IDS)
            )
        if rows:
            self._file.run("INSERT INTO articles BY NAME FROM given", given=_table(rows, _ARTICLES))

    def add_texts(
        self,
        texts: Sequence[Text],
        hashes: NDArray[np.uint64],
        numbers: NDArray[np.int64],
        common: NDArray[np.uint64],
    ) -> None:
        """Makes texts findable by their shingles: `hashes[k]` is in the text with `numbers[k]`.

        A shingle in `common` is not posted again: MAX_POSTINGS texts have it, and it tells nothing any more.
        """
        if not texts:
            return
        sizes = dict(zip(*(column.tolist() for column in np.unique(numbers, return_counts=True)), strict=True))
        for text in texts:
            self._recent.put(text.number, text.article)
        rows = [text.row(sizes.get(text.number, 0)) for text in texts]
        self._file.run("INSERT INTO texts BY NAME FROM given", given=_table(rows, _TEXTS))
        self.post(hashes, numbers, common)

    def post(self, hashes: NDArray[np.uint64], numbers: NDArray[np.int64], common: NDArray[np.uint64]) -> None:
        """Makes texts that are there findable by shingles, as `add_texts` says."""
        self._file.run("INSERT INTO postings BY NAME FROM given", given=_first_postings(hashes, numbers, common))

    def give_sketches(self, sketches: Mapping[str, Sketch]) -> dict[str, int]:
        """Keeps the sketches of texts whose words are unknown; answers the numbers of these by id, in their order."""
        if not sketches:
            return {}
        self._recent.clear()
        asked = pa.table([list(sketches)], schema=_IDS)
        without = "octet_length(words) = 0 AND sketch IS NULL"
        found = "SELECT id, number FROM texts SEMI JOIN given USING (id)"
        numbers = dict(self._file.run(f"{found} WHERE {without} ORDER BY number", given=asked))
        chosen = [sketches[article] for article in numbers]
        given = pa.table(
            {
                "id": list(numbers),
                "number": list(numbers.values()),
                "sketch": pa.array([packed(one) for one in chosen], pa.binary()),
                "digest": pa.array([one.digest for one in chosen], pa.uint64()),
                "size": pa.array([one.shingles.size + 1 for one in chosen], pa.int64()),
            }
        )
        if chosen:
            texts = "UPDATE texts SET sketch = given.sketch, size = given.size FROM given"
            self._file.run(f"{texts} WHERE texts.number = given.number", given=given)
            self._file.run(
                "UPDATE articles SET digest = given.digest FROM given WHERE articles.id = given.id", given=given
            )
        return numbers

    def move(self, tops: dict[int, int]) -> None:
        """Puts whole clusters under other representatives: from the number of the old one to that of the new."""
        if tops:
            moved = pa.table([list(tops), list(tops.values())], schema=_MOVED)
            self._file.run("UPDATE texts SET cluster = new FROM given WHERE cluster = old", given=moved)

    def drop_texts(self, numbers: Sequence[int]) -> None:
        """Makes texts unfindable; their articles stay known."""
        if numbers:
            # Their postings are left to lie: nothing finds them any more.
            gone = pa.table([numbers], schema=_NUMBERS)
            self._file.run("DELETE FROM texts WHERE number IN (SELECT number FROM given)", given=gone)

    def drop_articles_texts(self, ids: Sequence[str]) -> None:
        """Makes the texts of articles unfindable; the articles stay known."""
        gone = pa.table([ids], schema=_IDS)
        self.drop_texts(
            [row[0] for row in self._file.run("SELECT number FROM texts SEMI JOIN given USING (id)", given=gone)]
        )

    def forget(self, ids: Sequence[str]) -> int:
        """Removes articles; answers how many were known.

        What runs decided of them stays as rows that say nothing, so that a run still has one for each document.
        """
        self._recent.clear()
        gone = pa.table([sorted(set(ids))], schema=_IDS)
        some = "(SELECT id FROM given)"
        self._file.run(f"DELETE FROM texts WHERE id IN {some}", given=gone)
        for table, column in (("texts", "cluster"), ("postings", "number")):
            self._file.run(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT number FROM texts)")
        change = f"version = {_NO_VERSION}"
        self._file.run(
            f"DELETE FROM decisions WHERE {change} AND (id IN {some} OR representative_id IN {some})", given=gone
        )
        self._file.run(f"UPDATE decisions SET is_fresh = false, relation = 'same' WHERE id IN {some}", given=gone)
        self._file.run(f"DELETE FROM missing WHERE id IN {some}", given=gone)
        ((count,),) = self._file.run(f"DELETE FROM articles WHERE id IN {some}", given=gone)
        return int(count)

    def checkpoint(self) -> None:
        """Writes what was committed into the main file, so that forgotten texts leave the log."""
        self._file.run("CHECKPOINT")


def _as_decisions(changes: pa.Table) -> pa.Table:
    """Changes as rows of `decisions`: one insertion is cheaper than two."""
    named = changes.rename_columns(["id", "representative_id", "cluster_id", "relation", "containment"])
    rest = {"version": pa.repeat(_NO_VERSION, changes.num_rows), "is_fresh": pa.repeat(False, changes.num_rows)}
    for name, column in rest.items():
        named = named.append_column(name, column)
    return named.select(_DECISIONS.names).cast(_DECISIONS)


def _first_postings(hashes: NDArray[np.uint64], numbers: NDArray[np.int64], common: NDArray[np.uint64]) -> pa.Table:
    ordered = np.sort(hashes)
    frequent = np.unique(ordered[MAX_POSTINGS:][ordered[MAX_POSTINGS:] == ordered[:-MAX_POSTINGS]])
    kept = ~_is_among(hashes, common)
    for shingle in frequent[~_is_among(frequent, common)].tolist():
        kept[np.flatnonzero(hashes == np.uint64(shingle))[MAX_POSTINGS:]] = False
    return pa.table([hashes[kept], numbers[kept]], schema=_POSTINGS)


def _is_among(hashes: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if not ordered.size:
        return np.zeros(hashes.size, np.bool_)
    found: NDArray[np.bool_] = ordered[np.minimum(ordered.searchsorted(hashes), ordered.size - 1)] == hashes
    return found


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [[] for _ in schema]
    return pa.table([list(column) for column in columns], schema=schema)
