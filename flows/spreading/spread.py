"""The stages whose parts are spread: each hands its input to the workers, and puts what they made where it belongs."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.extract import ExtractOptions
from cleaning.schema import Page
from flows.copies.prints import PRINTS
from flows.filtering import Criteria
from flows.runs import Run
from flows.spreading.pages import write_pages
from flows.spreading.parts import Part, clean_part, filter_part, print_part
from flows.spreading.workplace import Workplace

Job = Mapping[str, str]
"""What a part is given, by the names of its parameters, without `to`."""


class Spread(Protocol):
    """Workers and the folder in which the run meets them."""

    @property
    def workplace(self) -> Workplace:
        """The folder."""

    def __call__(self, part: Part, jobs: Iterable[Job]) -> Iterator[tuple[Job, str]]:
        """Lets workers do a part for each job; gives each job and the URL of its result, in the order of the jobs.

        Jobs are taken as workers get ready for them.

        Raises:
            ClusterError: the workers cannot be reached, or one failed at a part again and again.
        """


def cleaned_parts(
    run: Run, batches: Iterable[Iterable[Page]], options: ExtractOptions, spread: Spread, first: int
) -> Iterator[int]:
    """Extracts batches of pages into the parts of `clean/` from the part `first` on; gives the pages of each."""
    place, told = spread.workplace, json.dumps(asdict(options))

    def jobs() -> Iterator[Job]:
        with tempfile.TemporaryDirectory() as folder:
            for number, pages in enumerate(batches, first):
                path = Path(folder) / "pages.parquet"
                write_pages(path, pages)
                yield {"pages": place.put(path, f"pages-{number:05d}"), "options": told}

    for number, (job, part) in enumerate(spread(clean_part, jobs()), first):
        path = run.clean_folder / f"{number:05d}.parquet"
        place.fetch(part, path)
        place.remove(part, job["pages"])
        yield pq.read_metadata(path).num_rows
    place.clear()


def judged_parts(
    run: Run, parts: Sequence[Path], criteria: Criteria, spread: Spread
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Judges parts of `clean/` into those of `filter/`; gives each with what was judged of it."""
    place = spread.workplace
    told = place.put_text(criteria.to_json(), "criteria")
    jobs = ({"extracted": place.put(path, f"clean-{path.stem}"), "criteria": told} for path in parts)
    for path, (_, part) in zip(parts, spread(filter_part, jobs), strict=True):
        place.fetch(part, run.filter_folder / path.name)
        yield pq.read_table(path, partitioning=None), pq.read_table(run.filter_folder / path.name, partitioning=None)
    place.clear()


def prints_of(run: Run, spread: Spread) -> pa.Table:
    """The prints of the run's articles that passed the filter, in their order."""
    place = spread.workplace
    jobs = (
        {
            "extracted": place.put(run.clean_folder / path.name, f"clean-{path.stem}"),
            "judged": place.put(path, f"filter-{path.stem}"),
        }
        for path in sorted(run.filter_folder.glob("[0-9]*.parquet"))
    )
    found = [place.read(part) for _, part in spread(print_part, jobs)]
    place.clear()
    return pa.concat_tables([*found, PRINTS.empty_table()])
