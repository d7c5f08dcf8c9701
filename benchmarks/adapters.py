"""The project's real code behind the functions that the scoring scripts call: `extract`, `topic`, `duplicates`."""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from cleaning.extract import ExtractOptions
from cleaning.extract import extract as extract_page
from cleaning.schema import TIME, Page
from cleaning.topic.profile import TopicProfile
from cleaning.verdict import Verdict
from flows.copies.index import CopyIndex


def extract(html: bytes, url: str) -> dict[str, Any] | None:
    """One page to the fields that `eval/extraction.py` scores; None where the page has no text.

    With `EVAL_FOLD=K/N` in the environment, the models fitted without that fold's hosts are used.
    """
    fold = os.environ.get("EVAL_FOLD", "")
    models = Path("build/models") / fold.replace("/", "-of-") if fold else ""
    record = extract_page(Page(url=url, body=html), ExtractOptions(models=str(models)))
    if not record.text:
        return None
    return {
        "text": record.text,
        "title": record.title,
        "authors": list(record.authors),
        "published": record.published_at.isoformat() if record.published_at else None,
        "is_article": record.verdict is Verdict.KEPT,
    }


def topic(seed_texts: list[str]) -> Callable[[str], tuple[float, bool]]:
    """The function of seed texts that `eval/relevance.py` scores: a text's similarity, and whether it is relevant."""
    profile = TopicProfile.fit(seed_texts)

    def judge(text: str) -> tuple[float, bool]:
        score = profile.score(text)
        return score.similarity, score.is_relevant

    return judge


class _Deduplicator:
    """An index of known articles in a temporary file; `add` answers the cluster of each document."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._index = CopyIndex(Path(self._folder.name) / "copies.duckdb")
        self._runs = 0
        self.add(
            [{"url": "about:blank", "source": "", "published": "1970-01-01", "text": ""}]
        )  # Loads what is loaded late.
        gc.collect()  # What starting leaves behind is not to be swept up among the first documents.

    def add(self, documents: list[dict[str, Any]]) -> list[str]:
        """Enters documents with url, source, published (ISO date) and text as one run."""
        self._runs += 1
        urls = pa.array([document["url"] for document in documents], pa.string())
        table = pa.table(
            {
                "url": urls,
                "canonical_url": urls,
                "domain": pa.array([document["source"] for document in documents], pa.string()),
                "agency": pa.nulls(len(documents), pa.string()),
                "published_at": pa.array([document["published"] for document in documents], pa.string())
                .cast(pa.date32())
                .cast(TIME),
                "fetched_at": pa.nulls(len(documents), TIME),
                "text": pa.array([document["text"] for document in documents], pa.string()),
            }
        )
        clusters: list[str] = self._index.add(f"run-{self._runs}", table)["cluster_id"].to_pylist()
        return clusters


def duplicates() -> _Deduplicator:
    """The deduplicator that `eval/duplicates.py` scores."""
    return _Deduplicator()
