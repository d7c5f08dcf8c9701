"""Articles found in pages beside what other extractors find, on labelled pages and in one process.

    python -m benchmarks.extraction_peers ../shared/eval [--set news-pages|wcxb-dev] [--folds 5]

Ours reads each page with the models that `python -m training.fit_blocks` fitted without its host's fold. The peers are
no dependencies of the project: those that are not installed are named and passed over (`uv pip install newspaper4k
news-please readability-lxml goose3`, in an environment of its own). Each is asked as its documentation shows first.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from lxml.html import fromstring

from benchmarks.adapters import extract
from benchmarks.extraction_folds import Extractor, Fields, Run, measure, pages_of


def newspaper() -> Extractor:
    """newspaper4k: an article whose HTML is given."""
    library = importlib.import_module("newspaper")

    def read(html: bytes, url: str) -> Fields | None:
        found = library.Article(url or "https://page.example/", fetch_images=False)
        found.download(input_html=html.decode(errors="replace"))
        found.parse()
        published = found.publish_date.isoformat() if found.publish_date else None
        return {"text": found.text, "title": found.title, "authors": found.authors, "published": published}

    return read


def news_please() -> Extractor:
    """news-please: its function for HTML that is at hand."""
    library = importlib.import_module("newsplease").NewsPlease

    def read(html: bytes, url: str) -> Fields | None:
        found = library.from_html(html.decode(errors="replace"), url=url or None, fetch_images=False)
        published = found.date_publish.isoformat() if found.date_publish else None
        return {"text": found.maintext, "title": found.title, "authors": found.authors, "published": published}

    return read


def readability() -> Extractor:
    """readability-lxml: the summary's text; it knows no authors or dates."""
    library = importlib.import_module("readability")

    def read(html: bytes, url: str) -> Fields | None:
        found = library.Document(html.decode(errors="replace"), url=url or None)
        return {"text": " ".join(fromstring(found.summary()).itertext()), "title": found.short_title()}

    return read


def goose() -> Extractor:
    """goose3: the cleaned text of raw HTML."""
    reader = importlib.import_module("goose3").Goose({"enable_image_fetching": False})

    def read(html: bytes, url: str) -> Fields | None:  # noqa: ARG001 - it wants either the page or its address
        found = reader.extract(raw_html=html.decode(errors="replace"))
        published = found.publish_datetime_utc.isoformat() if found.publish_datetime_utc else None
        return {"text": found.cleaned_text, "title": found.title, "authors": found.authors, "published": published}

    return read


PEERS: dict[str, Callable[[], Extractor]] = {
    "newspaper4k": newspaper,
    "news-please": news_please,
    "readability-lxml": readability,
    "goose3": goose,
}


def forgiving(extractor: Extractor) -> Extractor:
    """The extractor with no result for a page on which it raises, which its log then has."""

    def read(html: bytes, url: str) -> Fields | None:
        try:
            return extractor(html, url)
        except Exception as error:  # noqa: BLE001 - a page on which a peer breaks is a page that it does not find
            logging.getLogger(__name__).warning("%s: %r", url, error)
            return None

    return read


def installed(trafilatura: Extractor) -> list[Run]:
    """A run for each extractor that is there; the others are named."""
    runs = [Run("likewise", extract), Run("trafilatura", trafilatura)]
    for name, load in PEERS.items():
        try:
            runs.append(Run(name, forgiving(load())))
        except ModuleNotFoundError as error:
            print(f"{name} is not measured: {error}")
    return runs


def main() -> None:
    """Scores each extractor that is installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scoring", type=Path, help="the folder of extraction.py")
    parser.add_argument("--set", default="news-pages", help="the corpus, a folder beside the scoring scripts' one")
    parser.add_argument("--folds", type=int, default=5, help="as many as the models were fitted with")
    options = parser.parse_args()
    sys.path.insert(0, str(options.scoring))
    scoring = importlib.import_module("extraction")
    runs = installed(scoring.trafilatura_default)
    seen = measure(scoring, pages_of(scoring, options.set, all_types=False), options.folds, runs)
    print(f"{options.set}: {len(seen)} articles, ours out of fold over {options.folds} folds by host")
    for run in runs:
        row = scoring.score(seen, run.results, run.seconds)
        print(f"{run.name:17s}" + "  ".join(f"{name} {value:.3f}" for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
