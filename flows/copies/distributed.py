"""Makes the prints of texts and aligns the likeliest pairs with Daft, on the cores of this machine or on a Ray cluster.

Workers read the texts, sketch them, join those that share sampled shingles, and align the pairs that share most, by the
pure functions that the index itself calls. The index then judges one text after another and finds the answers ready; a
pair that it asks for beyond these it aligns itself. So its decisions are the same, wherever the work was done.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from itertools import islice
from typing import Any, Self

import daft
import numpy as np
import pyarrow as pa
from daft import DataFrame, DataType, Series, Window, col
from daft.functions import list_count, row_number, unnest

from cleaning.copies.alignment import ROW, Overlap, compare, overlap_of
from cleaning.copies.candidates import LEAST, Candidates, Shingles
from cleaning.copies.clusters import MOST_COMPARED, Article, align_words
from cleaning.copies.shingles import Hashes, Words
from flows.clusters import keep_nodes_as_they_are
from flows.copies.arrivals import Arrivals
from flows.copies.prints import PRINTS, Prints, print_table
from flows.copies.sources import Slice, texts_of

_PRINTED = pa.struct([pa.field("rank", pa.int64()), *PRINTS])
"""The prints of a text, and its place in the order of judging."""

_PAIRED = pa.struct([("later", pa.int64()), ("earlier", pa.int64()), ("both", pa.int64()), ("smaller", pa.int64())])
"""Two texts by rank, how many of some shingles both have, and how many the text has that has fewer of them."""

_ALIGNED = pa.list_(pa.int64(), ROW)
_POSTINGS_A_TASK = 500_000
_PAIRS_A_TASK = 256


class DistributedPrints:
    """The prints of the texts in slices of files, and the overlaps of those that are likely copies.

    Used in a `with` statement, to whose end it holds what the workers made.
    """

    def __init__(self, slices: Sequence[Slice], arrivals: Arrivals) -> None:
        """Has the work done; the slices hold the documents of the arrivals, in the same order."""
        printed = _printed(slices, _ranks(arrivals)).collect()
        aligned = _aligned(printed, _likely(printed)).to_arrow()
        names = [arrivals.ids[place] for place in arrivals.order]
        pairs = zip(aligned["later"].to_pylist(), aligned["earlier"].to_pylist(), strict=True)
        self._known = dict(zip(((names[x], names[y]) for x, y in pairs), aligned["row"].to_pylist(), strict=True))
        self._rows = _in_order(printed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()  # Else Daft waits for its reader when the process ends.

    def prints_at(self, places: Sequence[int]) -> Prints:
        """The prints of the next texts in the order of judging, which are those in these rows."""
        words, marks, samples = zip(*islice(self._rows, len(places)), strict=True)
        return Prints(list(words), np.array(marks, np.uint64), list(samples))

    def align(self, pairs: Sequence[tuple[Article, Article]]) -> list[Overlap]:
        """How each pair of articles overlaps; those that no worker was asked for are aligned now."""
        asked = [(left.id, right.id) for left, right in pairs]
        others = iter(align_words([pair for pair, ids in zip(pairs, asked, strict=True) if ids not in self._known]))
        return [overlap_of(self._known[ids]) if ids in self._known else next(others) for ids in asked]


@contextmanager
def on_ray(address: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Has Daft work on the Ray cluster at an address, whose workers get these variables; once in a process.

    Raises:
        ConnectionError: no cluster answers there.
    """
    keep_nodes_as_they_are()
    ray = import_module("ray")
    ray.init(address, runtime_env={"env_vars": dict(environment)}, logging_level="warning")
    try:
        daft.set_runner_ray(noop_if_initialized=True)
        yield
    finally:
        ray.shutdown()


def _ranks(arrivals: Arrivals) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each document its place in the order of judging; -1 for one that is not judged."""
    ranks = np.full(len(arrivals.ids), -1)
    ranks[arrivals.order] = np.arange(len(arrivals.order))
    return ranks


def _printed(slices: Sequence[Slice], ranks: np.ndarray[Any, np.dtype[np.int64]]) -> DataFrame:
    """One row a text that is judged, as _PRINTED says."""
    parts = np.split(ranks, np.cumsum([one.rows.size for one in slices])[:-1]) if slices else []
    judged = [(one, part) for one, part in zip(slices, parts, strict=True) if (part >= 0).any()]
    tasks = daft.from_arrow(
        pa.table(
            {
                "url": [one.url for one, _ in judged],
                "group": [one.group for one, _ in judged],
                "rows": pa.array([one.rows[part >= 0] for one, part in judged], pa.list_(pa.int64())),
                "ranks": pa.array([part[part >= 0] for _, part in judged], pa.list_(pa.int64())),
            }
        )
    )
    read = daft.func.batch(return_dtype=_type(pa.list_(_PRINTED)), batch_size=1)
    rows = read(_read)(col("url"), col("group"), col("rows"), col("ranks")).alias("text")
    if daft.get_or_infer_runner_type() == "ray":
        tasks = tasks.into_partitions(max(1, len(judged)))  # One machine takes the rows as they come.
    return tasks.select(rows).explode("text").select(unnest(col("text")))


def _read(urls: Series, groups: Series, rows: Series, ranks: Series) -> pa.Array:
    columns = [column.to_pylist() for column in (urls, groups, rows, ranks)]
    found = [_print(Slice(u, g, np.array(r)), k) for u, g, r, k in zip(*columns, strict=True)]
    return pa.ListArray.from_arrays(np.cumsum([0, *map(len, found)]), pa.concat_arrays(found))


def _print(one: Slice, ranks: list[int]) -> pa.Array:
    (texts,) = texts_of([one])
    prints = print_table([text or "" for text in texts.to_pylist()]).combine_chunks()
    columns = [pa.array(ranks, pa.int64()), *(column.chunk(0) for column in prints.columns)]
    return pa.StructArray.from_arrays(columns, fields=list(_PRINTED))


def _likely(printed: DataFrame) -> DataFrame:
    """The few earlier texts that share most of the sampled shingles with each text: `later` and `earlier`."""
    size = list_count(col("shingles")).cast(DataType.int64()).alias("size")
    postings = printed.select(col("rank"), size, col("shingles").alias("hash")).explode("hash")
    (count,) = postings.agg(col("rank").count().alias("count")).to_pydict()["count"]
    task = (col("hash") % (1 + count // _POSTINGS_A_TASK)).alias("task")
    join = daft.func.batch(return_dtype=_type(_PAIRED))
    pair = join(_joined)(col("hash"), col("rank"), col("size")).alias("pair")
    pairs = postings.with_column("task", task).groupby("task").map_groups(pair).select(unnest(col("pair")))
    whole = pairs.groupby("later", "earlier", "smaller").agg(col("both").sum())
    share = (col("both") / col("smaller")).alias("share")
    near = whole.where(col("both") >= LEAST * col("smaller")).select("later", "earlier", share)
    best_first = Window().partition_by("later").order_by("share", "earlier", desc=[True, False])
    return near.with_column("place", row_number().over(best_first)).where(col("place") <= MOST_COMPARED)


def _joined(hashes: Series, ranks: Series, sizes: Series) -> pa.Array:
    """The pairs of texts that share any of some shingles, as _PAIRED says."""
    texts, owners = np.unique(ranks.to_arrow().to_numpy(), return_inverse=True)
    own = np.zeros(texts.size, np.int64)
    own[owners] = sizes.to_arrow().to_numpy()
    shingles = Shingles(hashes.to_arrow().to_numpy(), owners, 0, own)
    later, earlier, both = Candidates(shingles, MOST_COMPARED).counted()
    columns = [texts[later], texts[earlier], both, np.minimum(own[later], own[earlier])]
    return pa.StructArray.from_arrays([pa.array(column) for column in columns], fields=list(_PAIRED))


def _aligned(printed: DataFrame, pairs: DataFrame) -> DataFrame:
    """The overlap of each pair: `later`, `earlier`, and as `row` what `overlap_of` wants."""
    words = printed.select(col("rank"), col("words"))
    both = pairs.join(words.select(col("rank").alias("later"), col("words").alias("left")), on="later")
    both = both.join(words.select(col("rank").alias("earlier"), col("words").alias("right")), on="earlier")
    align = daft.func.batch(return_dtype=_type(_ALIGNED), batch_size=_PAIRS_A_TASK)
    return both.select(col("later"), col("earlier"), align(_align)(col("left"), col("right")).alias("row"))


def _type(arrow: pa.DataType) -> Any:
    return DataType.from_arrow_type(arrow)


def _align(left: Series, right: Series) -> pa.Array:
    found = compare(list(zip(_codes(left.to_arrow()), _codes(right.to_arrow()), strict=True)))
    return pa.array([overlap.numbers_in_row() for overlap in found], _ALIGNED)


def _codes(words: pa.Array) -> list[Words]:
    return [np.frombuffer(text, np.uint32) for text in words.to_pylist()]


def _in_order(printed: DataFrame) -> Generator[tuple[Words, int, Hashes], None, None]:
    with closing(printed.sort("rank").to_arrow_iter()) as batches:
        for batch in batches:
            bounds = batch["shingles"].offsets.to_numpy()
            samples = np.split(batch["shingles"].values.to_numpy(), bounds)[1:-1]
            yield from zip(_codes(batch["words"]), batch["digest"].to_pylist(), samples, strict=True)
