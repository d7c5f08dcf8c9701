"""Pages to articles or verdicts: golden folders, verdicts on what is no article, and input of any kind."""

import json
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.extract import ExtractOptions, extract, plain_text
from cleaning.language import count_words, language_of
from cleaning.schema import Page
from cleaning.verdict import Verdict

CASES = sorted((Path(__file__).parent / "pages").iterdir())


def golden(folder: Path) -> tuple[Page, dict[str, object]]:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return Page(expected["url"], (folder / "page.html").read_bytes()), expected


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_golden_pages(folder: Path) -> None:
    """Each page of `pages/` gives what its `expected.json` says."""
    page, expected = golden(folder)
    found = extract(page)
    assert found.verdict == expected["verdict"]
    if "paragraphs" in expected:
        assert found.text.split("\n\n") == expected["paragraphs"]
        assert found.title == expected["title"]
        assert list(found.authors) == expected["authors"]
        assert found.published_at is not None
        assert found.published_at.astimezone(UTC).isoformat() == expected["published"]
        assert found.language == expected["language"]


def article() -> Page:
    return golden(Path(__file__).parent / "pages" / "plain-article")[0]


def test_a_page_over_the_limit_is_not_parsed() -> None:
    """A page of more bytes than the options allow gets a verdict by its size alone."""
    assert extract(article(), ExtractOptions(max_bytes=100)).verdict is Verdict.TOO_LARGE


def test_extraction_depends_on_the_page_only() -> None:
    """The same page gives the same record, whatever was extracted between."""
    first = extract(article())
    for folder in CASES:
        extract(golden(folder)[0])
    assert extract(article()) == first


HOSTILE = {
    "deep": b"<div>" * 20_000 + b"text",
    "wide": b"<p>word</p>" * 20_000,
    "table": b"<table>" + b"<tr><td>1<td>2" * 5_000,
    "attribute": b"<p class='" + b"a" * 1_000_000 + b"'>text",
    "null bytes": b"<p>\x00text\x00" * 1_000,
    "unclosed": b"<html><body><article><p>text <b>text <i>text <a href=",
    "comment": b"<!--" + b"<p>text" * 1_000,
    "json": b'<script type="application/ld+json">' + b'{"a":' * 5_000 + b"</script><p>text",
    "control characters": b"<table><tr><td>\x01text\x02 and more</td></tr></table><p>\x1ftext" * 1_000,
    "control references": b"<p>text<script>x</script>&#1; &#x1F; &#xFFFE; &#11; &#12; words</p>" * 100,
    "form feeds": b"<p>text<script>x</script>\x0c words</p>" * 100,
    "comments": b"<!-- a -->" * 200 + b"<p>text",
    "nested tables": b"<table><tr><td>" * 3_000 + b"text",
    "tags": b"<li>An item" * 40_000,
    "entities": b"<p>" + b"&#55555;&#0;&#x110000;" * 1_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_pages_end_in_a_verdict(name: str) -> None:
    """Deep, wide, broken and poisoned markup gives a record, and no exception."""
    assert extract(Page("https://x.example/", HOSTILE[name])).verdict in Verdict


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400), st.text(max_size=60))
def test_any_bytes_and_address_end_in_a_verdict(body: bytes, url: str) -> None:
    """No body and no address makes extraction fail."""
    assert extract(Page(url, b"<html><p>" + body)).verdict in Verdict


def test_plain_text_is_all_that_is_visible() -> None:
    """The prefilter's text holds the article and the furniture, without scripts."""
    text = plain_text(article())
    assert "supporting piles" in text
    assert "All rights reserved" in text
    assert "schema.org" not in text


def test_words_and_languages() -> None:
    """Ideographs count one by one; a text's language comes with a confidence."""
    assert count_words("Two words 漢字") == 4
    assert language_of("Der Hafen bleibt nach Angaben der Behörde bis Montag geschlossen.")[0] == "de"
    assert language_of(" ") == ("", 0.0)
