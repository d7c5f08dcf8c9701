"""What workers do, and how a run hands them its input and takes over what they made."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cleaning
from cleaning.schema import Page
from cleaning.topic.feedback import Label
from flows import filtering
from flows.config import Dataset, Seed
from flows.copies import prints
from flows.errors import ClusterError
from flows.filtering import Criteria
from flows.runs import start_run
from flows.spreading import workplace
from flows.spreading.pages import read_pages, write_pages
from flows.spreading.parts import Part, clean_part, do_part
from flows.spreading.program import FOLDERS, digest_of, program
from flows.spreading.spread import Job
from flows.spreading.workplace import Workplace, is_there, write_parquet
from flows.stages import criteria, run_stages
from flows.tables import write_table
from flows.takedown import Takedown
from tests.flows.places import Place
from tests.flows.prefect_server import ROOT, children, is_alive, wait_until
from tests.flows.spreading.runs import again, left_in, made
from tests.flows.storage import BUCKET, Storage

# Pages

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
TIMES = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
PAGES = st.lists(
    st.builds(
        Page,
        url=TEXT,
        body=st.binary(max_size=200),
        status=st.integers(0, 999),
        fetched_at=TIMES,
        hint_title=TEXT,
        hint_published=TIMES,
        warc_file=TEXT,
        warc_offset=st.integers(-1, 2**40),
    ),
    max_size=120,
)


@settings(deadline=None)
@given(PAGES)
def test_pages_survive_their_file(tmp_path_factory: pytest.TempPathFactory, pages: list[Page]) -> None:
    """Pages come out of the file as they went in, in their order."""
    path = tmp_path_factory.mktemp("pages") / "pages.parquet"
    assert write_pages(path, pages) == len(pages)
    assert list(read_pages(str(path))) == pages


def test_large_pages_are_read_one_by_one(tmp_path: Path) -> None:
    """A file of many large pages is written and read a few megabytes at a time."""
    pages = [Page(url=str(number), body=bytes(9_000_000)) for number in range(6)]
    write_pages(tmp_path / "pages.parquet", pages)
    file = pq.ParquetFile(tmp_path / "pages.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [2, 2, 2]


# Criteria


@settings(deadline=None)
@given(st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_criteria_survive_to_the_last_digit(fetched: Dataset, terms: dict[str, float]) -> None:
    """Recipe, seeds, labels and takedowns are the same after the way to a worker."""
    plain = criteria(fetched)
    assert plain.recipe.period.since is not None
    label, asked = Label("a", terms, True), Takedown("host", "a.example", "asked", "2026-01-01T00:00:00Z")
    sent = replace(plain, seeds=(*plain.seeds, Seed("more", "text")), labels=(label,), takedowns=(asked,))
    assert Criteria.from_json(sent.to_json()) == sent


# Parts


@dataclass
class Here:
    """Does parts in this process, as a worker does, until it breaks."""

    workplace: Workplace
    breaks_after: int = 1_000
    done: list[str] = field(default_factory=list)

    def __call__(self, part: Part, jobs: Iterable[Job]) -> Iterator[tuple[Job, str]]:
        for job in jobs:
            to = self.workplace.place(part.__name__, *job.values())
            if not is_there(to):
                if len(self.done) == self.breaks_after:
                    raise ClusterError("The worker is gone.", "Try again.")
                self.done.append(part.__name__)
            yield job, part(**job, to=to)


@pytest.mark.usefixtures("small_parts")
def test_a_run_goes_on_with_the_parts_that_are_missing(
    fetched: Dataset, expected: dict[str, bytes], s3: Place, storage: Storage, tmp_path: Path
) -> None:
    """Broken off while it cleans, and again while it filters, a run ends with the same files; no part is made twice."""
    dataset = again(fetched, tmp_path / "home", 'runner = "ray"')
    workplace = Workplace(f"s3://{BUCKET}/spread/{tmp_path.name}")
    tries = [Here(workplace, breaks_after=1), Here(workplace, breaks_after=2), Here(workplace)]
    for broken in tries[:-1]:
        with pytest.raises(ClusterError, match="The worker is gone"):
            run_stages(start_run(dataset, "r1"), spread=broken)
    run_stages(start_run(dataset, "r1"), spread=tries[-1])
    assert made(dataset) == expected
    assert Counter(name for one in tries for name in one.done) == {"clean_part": 2, "filter_part": 2, "print_part": 2}
    assert left_in(storage, f"spread/{tmp_path.name}/") == []


def test_what_is_not_there_whole_is_not_there(s3: Place, tmp_path: Path) -> None:
    """A file is put once, under a name made of its content, fetched as it is, and gone after it is removed."""
    (tmp_path / "some.txt").write_bytes(b"content")
    for url in (f"s3://{BUCKET}/{tmp_path.name}", f"file://{tmp_path}/folder"):
        place = Workplace(url)
        first, second = (place.put(tmp_path / "some.txt", "name") for _ in range(2))
        assert first == second
        place.fetch(first, tmp_path / "back" / "other.txt")
        assert (tmp_path / "back" / "other.txt").read_bytes() == b"content"
        place.remove(first)
        assert not is_there(first)
        place.clear()
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["other.txt"]


@pytest.mark.parametrize(("url", "why"), [("gs://bucket/work", "gcsfs"), ("nothing://x", "Protocol not known")])
def test_a_folder_that_cannot_be_used_is_named(url: str, why: str) -> None:
    """What a storage service or its missing package says comes with the address, and with where to look."""
    with pytest.raises(ClusterError, match=rf"{url}/name-.*{why}.*Check `run\.work`"):
        Workplace(url).put_text("content", "name")


def test_files_are_on_the_disk_before_they_have_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut a file is there whole or not at all: what it was copied from may be removed already."""
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(str(Path(f"/proc/self/fd/{handle}").readlink())))
    url = Workplace(f"file://{tmp_path}/work").put_text("content", "name")
    assert any(name.startswith(f"{tmp_path / 'work'}/.") for name in synced)
    Workplace(f"file://{tmp_path}/work").fetch(url, tmp_path / "back" / "other.txt")
    assert synced[-2:] == [f"{tmp_path}/back/.other.txt.draft", f"{tmp_path}/back"]


def test_another_program_makes_other_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a version with other code or models made is not used, and a worker that has another one says so."""
    place = Workplace(f"file://{tmp_path}")
    own = place.place("clean_part", "pages", "{}")
    monkeypatch.setattr(workplace, "program", lambda: "another")
    assert place.place("clean_part", "pages", "{}") != own
    with pytest.raises(ClusterError, match="has another version of likewise than the run"):
        do_part(clean_part, "another", {"pages": "", "options": "{}", "to": ""})


@pytest.mark.parametrize("module", [filtering, prints, cleaning])
def test_the_program_is_all_that_makes_parts(module: ModuleType, tmp_path: Path) -> None:
    """A change of what extracts, judges or makes prints, in whichever package, is another program."""
    copies = []
    for folder in FOLDERS:
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
        copies.append(tmp_path / folder.name)
    assert digest_of(copies) == program()
    assert module.__file__ is not None
    changed = tmp_path / Path(module.__file__).relative_to(FOLDERS[0].parent)
    changed.write_text(changed.read_text(encoding="utf-8") + "# changed", encoding="utf-8")
    assert digest_of(copies) != program()


def test_a_table_is_the_same_file_for_workers_and_run(fetched: Dataset, tmp_path: Path) -> None:
    """What a worker writes is byte for byte what the run itself would."""
    write_pages(tmp_path / "pages.parquet", [Page(url="a", body=b"b")])
    table = pq.read_table(tmp_path / "pages.parquet")
    write_table(tmp_path / "one.parquet", table)
    write_parquet(f"file://{tmp_path}/other.parquet", table)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_a_part_that_cannot_be_done_says_why(tmp_path: Path) -> None:
    """The error of the process that extracts is told, with the input's address and what to look at."""
    with pytest.raises(ClusterError, match=r"missing\.parquet: a worker could not .*FileNotFoundError"):
        clean_part(str(tmp_path / "missing.parquet"), "{}", str(tmp_path / "out.parquet"))
    assert not (tmp_path / "out.parquet").exists()


_CALL = "import sys; from flows.spreading.parts import clean_part; clean_part(*sys.argv[1:])"


def test_extraction_ends_with_its_worker(tmp_path: Path) -> None:
    """Where a worker is killed, the processes that it started for a part end too, and no part is left."""
    words = " ".join(f"word{number}" for number in range(40_000))
    pages = [Page(url=f"http://a.example/{n}", body=f"<article><p>{words}</p>".encode()) for n in range(40)]
    write_pages(tmp_path / "pages.parquet", pages)
    names = [str(tmp_path / "pages.parquet"), "{}", str(tmp_path / "out.parquet")]
    with subprocess.Popen([sys.executable, "-c", _CALL, *names], cwd=ROOT) as worker:
        started = wait_until(lambda: children(worker.pid))
        worker.kill()
    wait_until(lambda: not any(map(is_alive, started)), 30)
    assert not (tmp_path / "out.parquet").exists()
