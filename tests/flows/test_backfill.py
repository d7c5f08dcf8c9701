"""Backfills over real pages, with the user's own seeds; the pages are not part of the project."""

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from flows.config import Dataset, load_dataset_config
from flows.runs import open_run, start_run
from flows.stages import Input, run_stages
from tests.flows.conftest import published_rows

ROOT = Path(__file__).parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason="the labelled pages beside the project are not there")

_READER = """
import sys
from datasets import load_dataset
print(len(load_dataset(sys.argv[1], split="train")))
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """The user's dataset, at a threshold so low that real pages on other matters are published."""
    shutil.copytree(ROOT / "seeds" / "kremlin-meetings", tmp_path / "seeds" / "kremlin-meetings")
    folder = tmp_path / "datasets" / "kremlin-meetings"
    folder.mkdir(parents=True)
    recipe = (ROOT / "datasets" / "kremlin-meetings" / "recipe.toml").read_text(encoding="utf-8")
    (folder / "recipe.toml").write_text(recipe.replace('threshold = "auto"', "threshold = 0.02"), encoding="utf-8")
    return load_dataset_config(str(folder), {})


def read_in_fresh_process(folder: Path, home: Path) -> int:
    """How many rows a reader gets."""
    environment = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PATH": ""}
    command = [sys.executable, "-c", _READER, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, cwd=home)
    return int(done.stdout.split()[-1])


def real_pages(folder: str, number: int) -> list[Path]:
    """Every n-th page of a corpus, so that there are about `number`."""
    paths = sorted((CORPORA / folder / "html").glob("*.html.gz"))
    return paths[:: max(1, len(paths) // number)][:number]


def write_warc(path: Path, pages: list[Path]) -> None:
    """A WARC file of pages, as another program writes it."""
    with path.open("wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # warcio leaves its temporary files to the garbage collector
        writer = WARCWriter(file, gzip=True)
        for number, page in enumerate(pages):
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            body = io.BytesIO(gzip.decompress(page.read_bytes()))
            url = f"http://pages{number % 7}.example/{page.name}"
            writer.write_record(writer.create_warc_record(url, "response", payload=body, http_headers=headers))


@needs_corpora
@pytest.mark.parametrize("corpus", ["news-pages", "wcxb-dev"])
def test_a_folder_of_html_becomes_a_dataset(dataset: Dataset, tmp_path: Path, corpus: str) -> None:
    """Saved pages and the user's seeds end in a dataset that load_dataset opens in a fresh process."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for page in real_pages(corpus, 60):
        shutil.copy(page, folder)
    done = run_stages(open_run(dataset, kind="backfill"), Input("html", (folder,)))
    assert done["version"] == 1
    assert read_in_fresh_process(dataset.folder, tmp_path) == len(published_rows(dataset)) > 0


@needs_corpora
def test_warc_of_real_pages_becomes_a_dataset(dataset: Dataset, tmp_path: Path) -> None:
    """WARC files of real pages end in a dataset, each row of which names its record."""
    write_warc(tmp_path / "pages.warc.gz", real_pages("news-pages", 60))
    run_stages(open_run(dataset, kind="backfill"), Input("warc", (tmp_path / "pages.warc.gz",)))
    rows = published_rows(dataset)
    assert read_in_fresh_process(dataset.folder, tmp_path) == len(rows) > 0
    assert all(row["warc_offset"] >= 0 and row["warc_file"].endswith("pages.warc.gz") for row in rows)


@needs_corpora
def test_a_warc_cut_in_the_middle_loses_nothing_before_the_cut(dataset: Dataset, tmp_path: Path) -> None:
    """The whole records of a cut file are cleaned, and the damage is named."""
    write_warc(tmp_path / "whole.warc.gz", real_pages("news-pages", 12))
    content = (tmp_path / "whole.warc.gz").read_bytes()
    (tmp_path / "cut.warc.gz").write_bytes(content[: len(content) * 2 // 3])
    whole = run_stages(start_run(dataset, "whole", "backfill"), Input("warc", (tmp_path / "whole.warc.gz",)))
    cut = run_stages(start_run(dataset, "cut", "backfill"), Input("warc", (tmp_path / "cut.warc.gz",)))
    assert 0 < pages_cleaned(cut) < pages_cleaned(whole)
    assert any("cut.warc.gz" in note for note in cut["notes"])


def pages_cleaned(summary: dict[str, Any]) -> int:
    """How many pages came out of the clean stage."""
    return sum(line["count"] for line in summary["counts"] if line["stage"] == "clean")


@needs_corpora
def test_broken_warc_samples_end_in_a_report(dataset: Dataset) -> None:
    """The samples of broken WARC files end in verdicts and notes, not in a trace."""
    done = run_stages(open_run(dataset, kind="backfill"), Input("warc", (CORPORA / "warc",)))
    assert pages_cleaned(done) > 0
    assert [note for note in done["notes"] if note.startswith("Damaged input")]


@needs_corpora
def test_the_command_line_backfills(dataset: Dataset, tmp_path: Path) -> None:
    """`likewise backfill NAME --html PATHS --json` does it all in one command, and prints counts for scripts.

    Several paths may follow the option, as a shell's pattern gives them.
    """
    folders = [tmp_path / "pages", tmp_path / "more"]
    for number, page in enumerate(real_pages("news-pages", 10)):
        folders[number % 2].mkdir(exist_ok=True)
        shutil.copy(page, folders[number % 2])
    names = [str(folder) for folder in folders]
    command = [sys.executable, "-m", "flows.cli", "backfill", "kremlin-meetings", "--html", *names, "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    assert json.loads(done.stdout)["dataset"] == "kremlin-meetings"
    extracted = pq.read_table(next((tmp_path / "var").glob("*/runs/*/clean/00000.parquet")), partitioning=None)
    assert extracted.num_rows == 10
    assert "clean: pages extracted" in done.stderr
