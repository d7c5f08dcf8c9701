"""Recognises the copies among all articles in some Parquet files at once, on one machine or on a cluster.

Whichever engine reads the texts, sketches and aligns them: an index that begins empty judges the articles from the
oldest to the newest, as it judges those of a run, so the answers are the same.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from flows.clusters import require_cluster
from flows.copies.arrivals import Arrivals
from flows.copies.index import DECISIONS, CopyIndex, IndexOptions
from flows.copies.sources import Slice, files_at, read_light, texts_of
from flows.errors import ClusterError, InputError, LikewiseError

CLUSTERS = pa.schema(
    [pa.field("url", pa.string(), nullable=False)]
    + [DECISIONS.field(name) for name in ("id", "relation", "representative_id", "cluster_id", "containment")]
)
"""One row an article, in the order of the files: its address, and what DECISIONS says of it."""

_RUN = "all"
_ENVIRONMENT = {"DAFT_ANALYTICS_ENABLED": "0", "DAFT_PROGRESS_BAR": "0"}
"""Daft would tell its makers of every import, and draw bars of its own."""

_LONGEST = 300
_REMEDY = "Check the address, or leave --ray out."


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Who does the work: `duckdb` in this process, or `daft` on all cores or on the Ray cluster at an address."""

    engine: Literal["duckdb", "daft"] = "duckdb"
    ray: str = ""
    index: IndexOptions = field(default_factory=IndexOptions)


@dataclass(frozen=True, slots=True)
class Recognised:
    """Where the answer lies, how many articles and clusters it has, and how many articles are what."""

    path: str
    articles: int
    clusters: int
    relations: dict[str, int]


def recognise(addresses: Sequence[str], to: str, options: BatchOptions = BatchOptions()) -> Recognised:
    """Writes what each article is to the others, as CLUSTERS says.

    Args:
        addresses: Parquet files, folders of them, or patterns; paths or fsspec URLs.
        to: the Parquet file to write, likewise; it is there when it is whole.
        options: who does the work.

    Raises:
        InputError: the files cannot be used, or the engine is not installed.
        ClusterError: the cluster cannot be reached, or could not do its part.
    """
    found = clusters(addresses, options)
    try:
        system, path = fsspec.core.url_to_fs(to)  # type: ignore[no-untyped-call]
        system.makedirs(system._parent(path), exist_ok=True)
        with system.transaction, system.open(path, "wb") as file:
            pq.write_table(found, file, compression="zstd")
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{to}: cannot be written ({error}).", "Name a file where you may write, by --to.") from error
    relations = Counter(found["relation"].to_pylist())
    return Recognised(to, found.num_rows, len(found["cluster_id"].unique()), dict(sorted(relations.items())))


def clusters(addresses: Sequence[str], options: BatchOptions = BatchOptions()) -> pa.Table:
    """What `recognise` writes."""
    documents, slices = read_light(files_at(addresses))
    with TemporaryDirectory() as folder, CopyIndex(Path(folder) / "copies.duckdb", options.index) as index:
        if options.engine == "duckdb":
            decided = index.add(_RUN, documents.append_column("text", _texts(slices)))
        else:
            decided = _distributed(index, documents, slices, options.ray)
    return decided.append_column("url", documents["url"]).select(CLUSTERS.names).cast(CLUSTERS)


def _texts(slices: list[Slice]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for texts in texts_of(slices) for chunk in texts.chunks], pa.string())


def _distributed(index: CopyIndex, documents: pa.Table, slices: list[Slice], ray: str) -> pa.Table:
    arrivals = Arrivals.of(documents)
    os.environ.update(_ENVIRONMENT)
    with _explained(ray):
        daft = import_module("flows.copies.distributed")
    with ExitStack() as stack:
        if ray:
            require_cluster(ray, _REMEDY)
            with _explained(ray):
                stack.enter_context(daft.on_ray(ray, _ENVIRONMENT))
        working = _working(ray)
        prints = stack.enter_context(working(daft.DistributedPrints)(slices, arrivals))
        return index.enter(_RUN, arrivals, working(prints.prints_at), prints.align)


@contextmanager
def _explained(ray: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"--engine daft needs the package {error.name}, which is not installed.",
            "Install likewise[daft]; without the option the answer is the same.",
        ) from error
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ClusterError(f"{ray}: no Ray cluster can be reached there ({error}).", _REMEDY) from error


@contextmanager
def _working(ray: str) -> Iterator[None]:
    """Says of whatever comes from a cluster in the middle of the work what to look at."""
    try:
        yield
    except LikewiseError:
        raise
    except Exception as error:
        if not ray:
            raise
        said = (str(error).strip().splitlines() or ["it said nothing"])[-1][:_LONGEST].rstrip(".")
        raise ClusterError(
            f"{ray}: the cluster did not do its part: {type(error).__name__}: {said}.",
            "Check that its nodes are up, have this version of likewise and can read the files; then run the same"
            " command again.",
        ) from error
