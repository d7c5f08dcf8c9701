"""Makes the run r1 in small parts: `python -m tests.flows.spreading.make_run RECIPE PAGES_A_PART [WARC]`."""

import sys

from flows import stages


def main(recipe: str, pages: str, warc: str = "") -> None:
    """Makes the run as a Prefect flow run, or from WARC files, as the command line does."""
    stages.PAGES_A_PART = int(pages)
    # Processes that the run spawns import this module too.
    if warc:
        from flows.cli import app

        app(["backfill", recipe, "--warc", warc, "--run", "r1"])
    else:
        from flows.pipeline import grow

        grow(recipe, "r1")


if __name__ == "__main__":
    main(*sys.argv[1:])
