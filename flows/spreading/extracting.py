"""Extracts one part of a run's pages, as a process of its own: `python -m flows.spreading.extracting PAGES OPTIONS TO`.

Workers of a cluster may be daemons, which must not have children, or threads of one process; and the processes that
clean pages would begin by importing the program that their parent is. This process is none of that.
"""

import json
import os
import sys
import threading
from functools import partial

from cleaning.extract import ExtractOptions, extract
from flows.spreading.pages import read_pages
from flows.spreading.workplace import write_parquet
from flows.tables import extraction_table
from flows.workers import WorkerOptions, clean_pages


def main(pages: str, options: str, to: str) -> None:
    """Extracts the pages at a URL under the usual limits, and writes them to another.

    Args:
        pages: URL of pages as `flows.spreading.pages` writes them.
        options: the fields of ExtractOptions, as JSON.
        to: URL of the Parquet file to write, as the stage `clean` does.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    clean = partial(extract, options=ExtractOptions(**json.loads(options)))
    write_parquet(to, extraction_table(clean_pages(read_pages(pages), clean, WorkerOptions(processes=1))))


def _end_with_parent() -> None:
    """Waits for the end of standard input, which the parent holds open as long as it lives."""
    while os.read(0, 1):  # sys.stdin has a lock, which a thread must not hold when the program ends
        pass
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
