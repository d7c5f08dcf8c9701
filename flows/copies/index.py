"""The index of known articles: finds the copies among the articles of a run, and remembers what it decided.

One process at a time may hold the index. A run is one transaction, and a run that is repeated gets the answers of the
first time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa

from cleaning.copies.clusters import Align, Policy, align_words
from cleaning.copies.shingles import digests, sketch, words_of
from flows.copies.arrivals import DOCUMENTS, Arrivals, address_of, article_id, article_of
from flows.copies.file import CopyIndexDamagedError, CopyIndexError, CopyIndexLockedError, CopyIndexVersionError
from flows.copies.prints import Prints, rows_at
from flows.copies.records import Text
from flows.copies.run import CHANGES, CHUNK, DECISIONS, EnteringRun, PrintsAt, post
from flows.copies.sketches import findable, stored_sketches
from flows.copies.store import Store

__all__ = [
    "CHANGES",
    "DECISIONS",
    "DOCUMENTS",
    "CopyIndex",
    "CopyIndexDamagedError",
    "CopyIndexError",
    "CopyIndexLockedError",
    "CopyIndexVersionError",
    "IndexOptions",
    "article_id",
    "discard",
]


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How an index works: `memory` in megabytes bounds what DuckDB holds, `threads` the processors that it uses.

    One by default: a run's small statements take about half the processor time of two, and 5,000 articles enter an
    index of a million within three seconds all the same.
    """

    policy: Policy = field(default_factory=Policy)
    memory: int = 400
    threads: int = 1


class CopyIndex:
    """The articles known so far, in a DuckDB file that is made where there is none."""

    def __init__(self, path: Path | str, options: IndexOptions = IndexOptions()) -> None:
        """Opens the file.

        Raises:
            CopyIndexLockedError: another process has it open.
            CopyIndexDamagedError: it is damaged, or no index.
            CopyIndexVersionError: it was written by a version of the program that made other sketches or tables.
        """
        self._options = options
        self._store = Store(Path(path), options.memory, options.threads)

    @classmethod
    def rebuild(
        cls,
        path: Path | str,
        articles: Iterable[pa.Table],
        copies: Iterable[pa.Table] = (),
        sketches: Iterable[pa.Table] = (),
        options: IndexOptions = IndexOptions(),
    ) -> Self:
        """Makes an index from what is published, which keeps its ids, clusters and versions.

        Args:
            path: where to; what lies there is replaced when the new index is whole.
            articles: tables with the columns of the config `articles`. Rows without their whole text stay known by
                id, but without a sketch their copies are not found before they are fetched again.
            copies: tables with the columns of the config `copies`, which stay known by id.
            sketches: tables as SKETCHES says, of articles whose text is withheld.
            options: how the index works.
        """
        path = Path(path)
        building = path.with_name(path.name + ".building")
        discard(building)
        with cls(building, options) as index:
            index._adopt(articles, copies, sketches)
        _log_of(path).unlink(missing_ok=True)
        building.replace(path)
        return cls(path, options)

    def close(self) -> None:
        """Closes the file."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, run_id: str, documents: pa.Table, prints: pa.Table | None = None) -> pa.Table:
        """Enters a run's articles, and says what each of them is.

        Args:
            run_id: a run that is known gets its answers of the first time, whatever the documents.
            documents: columns as in `DOCUMENTS`; one article may occur several times.
            prints: those of the documents' texts, as `flows.copies.prints` makes them; by default they are made here.

        Returns:
            A table as `DECISIONS` says.
        """
        is_known, _ = self._store.begun(run_id)
        if is_known:
            return self.decisions(run_id)
        return self.enter(run_id, Arrivals.of(documents), partial(_prints, documents if prints is None else prints))

    def enter(self, run_id: str, arrivals: Arrivals, prints_at: PrintsAt, align: Align = align_words) -> pa.Table:
        """Enters a run that is not known, as `add` does.

        Args:
            run_id: the run.
            arrivals: its documents, without their texts.
            prints_at: what makes or has the prints of their texts.
            align: what aligns texts, or has it done before; it must find what `align_words` finds.
        """
        _, number = self._store.begun(run_id)
        with self._store as store:
            run = EnteringRun(store, self._options.policy, number, arrivals, align)
            run.judge(prints_at)
            decided = run.decided()
            store.record(run_id, run.numbers, decided, run.changed())
        return decided

    def runs(self) -> list[str]:
        """The ids of the runs that were entered, in their order."""
        return self._store.runs()

    def decisions(self, run_id: str) -> pa.Table:
        """What `add` answered for a run; empty for an unknown one. Articles forgotten since are not fresh."""
        return self._store.decisions(run_id, DECISIONS)

    def changes(self, run_id: str) -> pa.Table:
        """The representatives that gave way to articles of a run, as `CHANGES` says."""
        return self._store.changes(run_id, CHANGES)

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that the index knows."""
        return set(self._store.known(ids))

    def versions(self, ids: Sequence[str]) -> dict[str, int]:
        """The editions of those of the ids that the index knows, counted from 1."""
        return {article: known.version for article, known in self._store.known(ids).items()}

    def known_at(self, urls: Sequence[str]) -> set[str]:
        """The ids of the articles that were fetched from one of some URLs, or name it as their canonical one."""
        return self._store.known_at([article_id(url) for url in urls])

    def missed_again(self, run_id: str, ids: Sequence[str], there: Sequence[str] = ()) -> set[str]:
        """Notes that a run found articles missing; answers those that an earlier run had missed too.

        An article that a run brings in between, or finds `there`, is no longer missed. A run that is repeated gets the
        same answer.
        """
        with self._store as store:
            store.found_again(there)
            return store.missed_again(run_id, ids)

    def replace(self, run_id: str, gone: Sequence[str], promoted: Sequence[Mapping[str, Any]]) -> None:
        """Removes articles, and puts copies of them in their place, in one transaction.

        Args:
            run_id: under which it is remembered, so that it is done once.
            gone: ids to forget.
            promoted: rows of `articles` with `old_representative_id`, which is in `gone`.
        """
        is_known, number = self._store.begun(run_id)
        if is_known:
            return
        with self._store as store:
            _promote(store, number, promoted)
            store.forget(gone)
            store.record(run_id, len(promoted), DECISIONS.empty_table(), CHANGES.empty_table())
        self._store.checkpoint()

    def forget(self, ids: Sequence[str]) -> int:
        """Removes every trace of articles, for takedowns; answers how many were known.

        Copies of a forgotten representative stay known; the next copy that comes starts a cluster of its own.
        """
        with self._store as store:
            count = store.forget(ids)
        self._store.checkpoint()
        return count

    def _adopt(self, articles: Iterable[pa.Table], copies: Iterable[pa.Table], sketches: Iterable[pa.Table]) -> None:
        number = 0
        for rows in _chunks(articles):
            # Many small transactions: nobody sees the file before it is whole.
            with self._store as store:
                _adopt_articles(store, number, rows)
            number += len(rows)
        for rows in _chunks(copies):
            with self._store as store:
                _adopt_copies(store, rows)
        for rows in _chunks(sketches):
            with self._store as store:
                _adopt_sketches(store, rows)
        with self._store as store:
            store.record("rebuilt", number, DECISIONS.empty_table(), CHANGES.empty_table())


def _chunks(tables: Iterable[pa.Table]) -> Iterator[list[dict[str, Any]]]:
    for table in tables:
        for start in range(0, table.num_rows, CHUNK):
            yield table.slice(start, CHUNK).to_pylist()


def _prints(rows: pa.Table, places: Sequence[int]) -> Prints:
    """The prints of the texts at some places: stored ones, or those of documents."""
    if "text" not in rows.column_names:
        return Prints.read(rows_at(rows, places))
    return Prints.of([text or "" for text in rows_at(rows.select(["text"]), places)["text"].to_pylist()])


def discard(path: Path) -> None:
    """Deletes an index that no process has open, and its log."""
    path.unlink(missing_ok=True)
    _log_of(path).unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _adopt_articles(store: Store, number: int, rows: list[dict[str, Any]]) -> None:
    words = words_of([row["text"] or "" for row in rows])
    # A recipe may publish an excerpt or no text at all: its digest would make the next fetch look like an edition.
    whole = [text.size >= 0.8 * max(1, row["word_count"] or 0) for text, row in zip(words, rows, strict=True)]
    marks = [int(mark) if is_whole else None for mark, is_whole in zip(digests(words), whole, strict=True)]
    store.add_articles(
        [
            (row["id"], row["cluster_id"], mark, row["version"], address_of(row))
            for row, mark in zip(rows, marks, strict=True)
        ]
    )
    words = [text if is_whole else text[:0] for text, is_whole in zip(words, whole, strict=True)]
    articles = [article_of(row, row["id"], row["cluster_id"], text) for row, text in zip(rows, words, strict=True)]
    sketches = sketch(words)
    texts = [Text(at, at, article) for at, article in enumerate(articles, number)]
    post(store, list(texts), sketches, store.matches(sketches.hashes))


def _adopt_copies(store: Store, rows: list[dict[str, Any]]) -> None:
    """Their texts are not published: what is fetched again under their ids is taken for unchanged once."""
    known = store.known([row["id"] for row in rows])
    unknown = {row["id"]: row for row in rows if row["id"] not in known}
    store.add_articles([(article, row["cluster_id"], None, 1, address_of(row)) for article, row in unknown.items()])


def _promote(store: Store, number: int, rows: Sequence[Mapping[str, Any]]) -> None:
    words = words_of([row["text"] or "" for row in rows])
    articles = [article_of(row, row["id"], row["cluster_id"], text) for row, text in zip(rows, words, strict=True)]
    old = store.known([row["old_representative_id"] for row in rows])
    store.drop_articles_texts([article.id for article in articles])  # It may have been a witness.
    sketches = sketch(words)
    texts = [Text(at, at, article) for at, article in enumerate(articles, number)]
    post(store, list(texts), sketches, store.matches(sketches.hashes))
    above = ((old.get(row["old_representative_id"]), at) for at, row in enumerate(rows, number))
    store.move({known.number: at for known, at in above if known is not None and known.number is not None})


def _adopt_sketches(store: Store, rows: list[dict[str, Any]]) -> None:
    """Makes articles findable by their sketches, as far as their texts are not known."""
    sketches = stored_sketches(rows)
    numbers = store.give_sketches(sketches)
    samples = findable([sketches[article] for article in numbers])
    common = store.matches(samples.hashes).common()
    store.post(samples.hashes, np.array(list(numbers.values()), np.int64)[samples.texts], common)
