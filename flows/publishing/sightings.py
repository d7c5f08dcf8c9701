"""What runs say of pages that they found again, after the run that brought these: which texts are withheld by now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.verdict import Verdict
from flows.config import Dataset
from flows.publishing.withholding import Declared, declared_by, said_in
from flows.runs import Run, list_runs

_LIGHT = ["url", "canonical_url", "rights"]


@dataclass(frozen=True, slots=True)
class Brought:
    """The run that brought a page, and the URL at which it was fetched."""

    run_id: str
    url: str


def runs_as_begun(dataset: Dataset) -> list[Run]:
    """The runs of the state in the order in which they were begun."""
    return sorted(list_runs(dataset), key=lambda run: ((run.summary("run") or {}).get("created", ""), run.id))


def declared_since(dataset: Dataset, pages: Mapping[str, Brought], until: str = "") -> Declared:
    """By id, what pages say last that withholds their texts, in runs that were begun after those that brought them.

    A page that is fetched again speaks anew; an answer that it did not change takes nothing back, for its body is not
    there to be read.

    Args:
        dataset: whose runs they are.
        pages: the pages, by the ids of their articles.
        until: the last run that is listened to; by default the last of all.
    """
    known, last = dict[str, Brought](), dict[str, list[dict[str, Any]]]()
    for run in runs_as_begun(dataset) if pages else ():
        if known:
            last |= _said_by(run, known)
        known |= {article: page for article, page in pages.items() if page.run_id == run.id}
        if run.id == until:
            break
    return {article: signals for article, signals in last.items() if signals}


def _said_by(run: Run, pages: Mapping[str, Brought]) -> dict[str, list[dict[str, Any]]]:
    by_url = declared_by(run)
    said = {article: by_url[page.url] for article, page in pages.items() if page.url in by_url}
    for fetched in _fetched_again(run, pages):
        said |= fetched
    return said


def _fetched_again(run: Run, pages: Mapping[str, Brought]) -> Iterator[Declared]:
    """What those of some articles say that the run fetched with the text that was known; part by part."""
    path = run.folder / "copies.parquet"
    if not path.exists():
        return
    decided = pq.read_table(path, columns=["id", "is_fresh"], partitioning=None)
    is_asked = pc.is_in(decided["id"], pa.array(sorted(pages), pa.string()))
    done = 0
    for part in sorted(run.filter_folder.glob("[0-9]*.parquet")) if pc.any(is_asked).as_py() else ():
        is_kept = pc.equal(pq.read_table(part, columns=["verdict"], partitioning=None)["verdict"], str(Verdict.KEPT))
        kept = pq.read_table(run.clean_folder / part.name, columns=_LIGHT, partitioning=None).filter(is_kept)
        asked, here = is_asked.slice(done, kept.num_rows), decided.slice(done, kept.num_rows)
        yield said_in(kept.filter(asked), here.filter(asked))
        done += kept.num_rows
