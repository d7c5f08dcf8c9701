"""Builds the table of `cleaning/topic/background.py` from labelled collections: counts only, no text is kept.

    python -m training.fit_background ../shared/corpora

The texts come from the collections that never judge a topic: events-ecbplus and syndicated-news are not read.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cleaning.topic.terms import distinct_terms

DATA = Path(__file__).parent.parent / "cleaning" / "data"
FEWEST_TERMS = 20
FEWEST_DOCUMENTS = 2
"""A term of one document weighs nearly what an unseen one does; leaving them out more than halves the table."""


def wcxb(folder: Path) -> Iterator[tuple[str, str]]:
    """Collection and text of each reviewed page of WCXB's development split."""
    for path in sorted((folder / "ground-truth").glob("*.json")):
        yield "wcxb-dev", json.loads(path.read_text(encoding="utf-8"))["ground_truth"].get("main_content") or ""


def news_pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Collection and text of each news page: its title and paragraphs."""
    for record in _records(folder / "articles.jsonl"):
        yield "news-pages", "\n".join([record.get("title") or "", *record["paragraphs"]])


def semeval(folder: Path) -> Iterator[tuple[str, str]]:
    """Collection with language, and text, of each different article of SemEval-2022 task 8."""
    seen: set[str] = set()
    for record in _records(folder / "pairs.jsonl"):
        for side, language in zip("ab", record["langs"], strict=True):
            text = record[side]
            if text not in seen:
                seen.add(text)
                yield f"similarity-semeval8/{language}", text


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def count(texts: Iterator[tuple[str, str]]) -> tuple[Counter[str], Counter[str]]:
    """Document frequencies of the terms, and how many texts each collection gave."""
    frequencies: Counter[str] = Counter()
    collections: Counter[str] = Counter()
    for collection, text in texts:
        terms = distinct_terms(text)
        if len(terms) >= FEWEST_TERMS:
            collections[collection] += 1
            frequencies.update(terms)
    return frequencies, collections


def write(frequencies: Counter[str], collections: Counter[str], folder: Path) -> None:
    """Writes the table, sorted by term, and its provenance."""
    terms = sorted(term for term, n in frequencies.items() if n >= FEWEST_DOCUMENTS)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "background.npz",
        terms=np.frombuffer("\n".join(terms).encode("utf-8"), dtype=np.uint8),
        counts=np.array([frequencies[term] for term in terms], dtype=np.uint16),
        documents=np.array(collections.total(), dtype=np.uint32),
    )
    facts = {
        "what": "in how many texts each term occurs; terms of one text only are left out; no text is kept",
        "documents": collections.total(),
        "terms": len(terms),
        "collections": dict(sorted(collections.items())),
        "sources": {
            "wcxb-dev": "WCXB development split, reviewed main content, CC BY 4.0",
            "news-pages": "parser tests of fundus, MIT repository",
            "similarity-semeval8": "SemEval-2022 task 8, news article pairs, Apache-2.0 repository",
        },
        "built_by": "training/fit_background.py",
    }
    (folder / "background.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def texts(corpora: Path) -> Iterator[tuple[str, str]]:
    """All texts under `corpora` that the table is made from."""
    yield from wcxb(corpora / "wcxb-dev")
    yield from news_pages(corpora / "news-pages")
    yield from semeval(corpora / "similarity-semeval8")


if __name__ == "__main__":
    write(*count(texts(Path(sys.argv[1]))), DATA)
