"""What the workers of a run do: one part of a stage, which takes URLs and gives the URL of what it made.

A part that is there is not made again, so one that is repeated after its worker was lost costs at most itself.
"""

import socket
import subprocess
import sys
from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from cleaning.verdict import Verdict
from flows.copies.prints import print_table
from flows.errors import ClusterError
from flows.filtering import Criteria
from flows.spreading.program import program
from flows.spreading.workplace import is_there, read_parquet, read_text, write_parquet

Part = Callable[..., str]
"""A function of this module that makes a part, of the URLs and options that it is given, at the URL `to`."""


def do_part(part: Part, by: str, given: Mapping[str, str]) -> str:
    """Does a part, where the worker has the program of the run (`by`).

    Raises:
        ClusterError: it has another one.
    """
    if by != program():
        raise ClusterError(
            f"The worker on {socket.gethostname()} has another version of likewise than the run.",
            "Install the same one on all machines; the same command goes on where it stopped.",
        )
    return part(**given)


def clean_part(pages: str, options: str, to: str) -> str:
    """Extracts pages (a URL, as `flows.spreading.pages` writes them) with options (JSON).

    Raises:
        ClusterError: the process that does it failed.
    """
    if not is_there(to):
        command = [sys.executable, "-m", "flows.spreading.extracting", pages, options, to]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            said = process.stderr.read()
        if process.returncode:
            raise ClusterError(
                f"{pages}: a worker could not extract its pages: {_last_line(said)}",
                "The workers need this version of likewise, and in their environment what opens the folder.",
            )
    return to


def filter_part(extracted: str, criteria: str, to: str) -> str:
    """Judges extracted pages by criteria (a URL of JSON, as `flows.filtering.Criteria` writes it)."""
    if not is_there(to):
        known = Criteria.from_json(read_text(criteria))
        write_parquet(to, known.judge(read_parquet(extracted), known.profile()))
    return to


def print_part(extracted: str, judged: str, to: str) -> str:
    """Makes the prints of the extracted articles that were judged to be kept."""
    if not is_there(to):
        kept = pc.equal(read_parquet(judged)["verdict"], str(Verdict.KEPT))
        texts: pa.ChunkedArray = read_parquet(extracted)["text"].filter(kept)
        write_parquet(to, print_table([text or "" for text in texts.to_pylist()]))
    return to


def _last_line(said: bytes) -> str:
    return (said.decode("utf-8", "replace").strip().splitlines() or ["it was ended"])[-1][:500]
