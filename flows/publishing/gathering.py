"""Reads the rows that a change adds from the parts of its runs, as the configs have them."""

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.schema import EXTRACTED, arrow_schema
from flows.filtering import FILTERED
from flows.manifest import Policy
from flows.publishing.changes import SCHEMAS, Change
from flows.publishing.events import Row
from flows.publishing.picks import OUTCOMES, PLACE, pieces
from flows.publishing.sorting import WORDS, Source
from flows.publishing.withholding import withheld
from flows.runs import Run
from flows.tables import conform, not_in_the_future

EXCERPT_WORDS = 60
PIECES_A_SOURCE = 20
"""Parts of runs that are read together: some 10,000 pages."""

_WIDE = arrow_schema(EXTRACTED)
_PLACE = [name for name, _ in PLACE]
_KEYS = {"articles": ("published_at", "id"), "copies": ("published_at", "id"), "rejected": ("url",)}


def added(change: Change, config: str) -> list[Source]:
    """The rows that a change adds to a config, with whole texts; sorted by date (rejected ones by URL) in the end."""
    tables = {"articles": change.articles, "copies": change.copies}
    picks = tables[config]() if config in tables else change.rejects
    found = list(pieces(picks))
    batches = [found[start : start + PIECES_A_SOURCE] for start in range(0, len(found), PIECES_A_SOURCE)]
    return [_source(change, config, batch) for batch in batches]


def made(config: str, rows: Sequence[Row] | pa.Table) -> Source:
    """Rows of a config that are there already."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=SCHEMAS[config])
    return Source(keys_of(config, table), lambda: table)


def keys_of(config: str, rows: pa.Table) -> pa.Table:
    """What rows of a config are sorted by, and their words."""
    return _keys(config, rows, "word_count")


def stored(config: str, read: Callable[..., pa.Table]) -> Source:
    """The rows of a published shard that `read` gives, all or some `columns`; only its keys are read at once."""
    names = [*_KEYS[config], *(["word_count"] if config != "rejected" else [])]
    return Source(keys_of(config, read(columns=names)), read)


def _source(change: Change, config: str, batch: Sequence[tuple[int, int, pa.Table]]) -> Source:
    picks = pa.concat_tables([picks for _, _, picks in batch])
    return Source(_keys(config, picks, WORDS), lambda: pa.concat_tables(_rows(change, config, batch)))


def _keys(config: str, rows: pa.Table, words: str) -> pa.Table:
    sizes = pc.fill_null(rows[words], 0) if words in rows.column_names else pa.array([0] * rows.num_rows, pa.int32())
    return pa.table({name: rows[name] for name in _KEYS[config]} | {WORDS: sizes})


def _rows(change: Change, config: str, batch: Sequence[tuple[int, int, pa.Table]]) -> Iterator[pa.Table]:
    for number, part, picks in batch:
        pages = _pages(change.runs[number], part, config).take(picks["row"].combine_chunks())
        columns = {name: pages[name] for name in pages.column_names} | {
            name: picks[name] for name in picks.column_names if name not in (*_PLACE, "words")
        }
        yield conform(pa.table(columns), SCHEMAS[config])


def _pages(run: Run, part: int, config: str) -> pa.Table:
    """The pages of a part with their judgements; of outcomes of the crawl, these."""
    if part == OUTCOMES:
        return pq.read_table(run.folder / "outcomes.parquet", partitioning=None)
    wanted = SCHEMAS[config].names
    own = [name for name in _WIDE.names if name in wanted and name not in FILTERED.names]
    pages = pq.read_table(run.clean_folder / f"{part:05d}.parquet", columns=own, partitioning=None)
    judged = pq.read_table(run.filter_folder / f"{part:05d}.parquet", partitioning=None)
    for name in judged.column_names:
        if name in wanted:
            pages = pages.append_column(name, judged[name])
    if "modified_at" in own:
        times = not_in_the_future(pages["modified_at"], pages["fetched_at"])
        pages = pages.set_column(own.index("modified_at"), "modified_at", times)
    return pages


def as_published(articles: pa.Table, policy: Policy) -> pa.Table:
    """Articles with as much of their texts as the policy gives to readers."""
    is_less = policy.text in ("excerpt", "none")
    texts = _shortened(articles["text"], policy.text) if is_less else articles["text"]
    if policy.rights == "strict":
        texts = pc.if_else(withheld(articles["rights"]), pa.scalar(None, pa.string()), texts)
    return articles.set_column(articles.schema.get_field_index("text"), articles.schema.field("text"), texts)


def _shortened(texts: pa.ChunkedArray, policy: str) -> pa.Array:
    return pa.array([shortened(text, policy) for text in texts.to_pylist()], pa.string())


def shortened(text: str | None, policy: str) -> str | None:
    """The text as the recipe publishes it: `full`, an `excerpt` of the first EXCERPT_WORDS words, or `none`."""
    if policy == "none" or not text:
        return None
    if policy == "full":
        return text
    return " ".join(text.removesuffix(" …").split()[:EXCERPT_WORDS]) + " …"
