"""Makes the index of known articles again from what is published, with the texts that readers do not get.

Where the recipe withholds texts, the pages in the state have them; where the state is lost too, sketches stand in.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.copies.clusters import COMPLETER, EARLIER, Policy
from cleaning.copies.duplicates import WHOLE
from flows.config import Dataset
from flows.copies.index import (
    CopyIndex,
    CopyIndexDamagedError,
    CopyIndexVersionError,
    IndexOptions,
    article_id,
    discard,
)
from flows.copies.sketches import SKETCHES_CONFIG
from flows.destination import LocalFolder
from flows.manifest import Manifest
from flows.runs import Run

INDEX_NAME = "copies.duckdb"
_COLUMNS = ["id", "url", "canonical_url", "domain", "agency", "published_at", "fetched_at", "text", "cluster_id",
            "version", "word_count", "run_id"]  # fmt: skip
_COPIES = ["id", "cluster_id", "url", "canonical_url"]
_PAGES = ["url", "canonical_url", "text"]


def open_index(dataset: Dataset) -> CopyIndex:
    """The index of known articles; one that is lost, damaged or of another version is made again, whole or not at all.

    Raises:
        CopyIndexLockedError: another process has it open.
    """
    path = dataset.state / INDEX_NAME
    if path.exists():
        try:
            return CopyIndex(path, index_options(dataset))
        except (CopyIndexDamagedError, CopyIndexVersionError):
            pass  # All that it knows is published.
    return rebuild_index(dataset)


def discard_index(dataset: Dataset) -> None:
    """Deletes the index, so that it is made again from the published version when it is next wanted."""
    discard(dataset.state / INDEX_NAME)


def index_options(dataset: Dataset) -> IndexOptions:
    """How the index works for a dataset: its recipe says when a later copy takes the place of a representative."""
    reasons = dataset.recipe.copies.representative
    policy = Policy(
        credited="agency" in reasons,
        completer=COMPLETER if "complete" in reasons else 0,
        earlier=EARLIER if "earliest" in reasons else None,
    )
    return IndexOptions(policy)


def rebuild_index(dataset: Dataset) -> CopyIndex:
    """An index of what is published, in the place of the one that is there."""
    destination = LocalFolder(dataset.folder)
    manifest = destination.manifest()
    articles = (with_texts(dataset, table) for table in _tables(destination, manifest, "articles", _COLUMNS))
    copies = _tables(destination, manifest, "copies", _COPIES)
    sketches = _tables(destination, manifest, SKETCHES_CONFIG, None)
    return CopyIndex.rebuild(dataset.state / INDEX_NAME, articles, copies, sketches, index_options(dataset))


def _tables(
    destination: LocalFolder, manifest: Manifest | None, config: str, columns: list[str] | None
) -> Iterator[pa.Table]:
    paths = [destination.current / shard.path for shard in (manifest.of(config) if manifest else ())]
    return map(partial(pq.read_table, columns=columns, partitioning=None), paths)


def with_texts(dataset: Dataset, articles: pa.Table) -> pa.Table:
    """Published articles with their whole texts, as far as the pages of the runs that brought them are in the state."""
    words = pc.count_substring_regex(pc.fill_null(articles["text"], ""), r"\S+")
    short = articles.filter(pc.less(words, pc.multiply(articles["word_count"], WHOLE)))
    if not short.num_rows:
        return articles
    wanted: dict[str, set[str]] = {}
    for article, run_id in zip(short["id"].to_pylist(), short["run_id"].to_pylist(), strict=True):
        wanted.setdefault(run_id, set()).add(article)
    found: dict[str, str] = {}
    for run_id, ids in wanted.items():
        found |= texts_of(Run(dataset, run_id), ids)
    names, texts = articles["id"].to_pylist(), articles["text"].to_pylist()
    whole = [found.get(name, text) for name, text in zip(names, texts, strict=True)]
    return articles.set_column(articles.schema.get_field_index("text"), "text", pa.array(whole, pa.string()))


def texts_of(run: Run, ids: set[str]) -> dict[str, str]:
    """The texts of some articles of a run, by id, as far as its pages are there."""
    found: dict[str, str] = {}
    for path in sorted(run.clean_folder.glob("[0-9]*.parquet")):
        found |= _texts_in(path, ids)
    return found


def _texts_in(path: Path, ids: set[str]) -> dict[str, str]:
    pages = pq.read_table(path, columns=_PAGES, partitioning=None)
    rows = zip(*(pages[name].to_pylist() for name in _PAGES), strict=True)
    # Where a run has an article at several addresses, it is the page at the canonical one.
    of_ids = ((article_id(canonical or url), url == canonical, text) for url, canonical, text in rows)
    ranked = sorted((row for row in of_ids if row[0] in ids), key=lambda row: row[1])
    return {article: text for article, _, text in ranked}
