"""The project's real code behind the functions that the scoring scripts call: `extract`, `topic`, `duplicates`."""

from collections.abc import Callable
from typing import Any

from cleaning.extract import extract as extract_page
from cleaning.schema import Page
from cleaning.topic import TopicProfile
from cleaning.verdict import Verdict


def extract(html: bytes, url: str) -> dict[str, Any] | None:
    """One page to the fields that `eval/extraction.py` scores; None where the page has no text."""
    record = extract_page(Page(url=url, body=html))
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
