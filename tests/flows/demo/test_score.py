import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.demo import score
from flows.demo.score import word_f1


def rows_of(pages):
    """Rows as a dataset of these pages has them."""
    return [{"url": p.url, "canonical_url": p.url, "text": p.text, "title": p.title} for p in pages]


@pytest.fixture(scope="module")
def truth(newsroom):
    """The truth of day 2."""
    return newsroom.truth(2)


@pytest.fixture(scope="module")
def perfect(truth):
    """One row of each wanted article."""
    return rows_of({p.cluster: p for p in truth if p.wanted}.values())


def test_the_perfect_dataset_scores_one(perfect, truth):
    """One wanted page of each cluster, with its text, is perfect."""
    result = score(perfect, truth)
    assert (result.precision, result.recall, result.word_f1, result.titles, result.f1) == (1, 1, 1, 1, 1)
    assert (result.missed, result.wrong, result.copies_beside_original) == ((), (), 0)


def test_an_empty_dataset_scores_nothing(truth):
    """Without rows, all is missed."""
    result = score([], truth)
    assert (result.precision, result.recall, result.word_f1) == (0, 0, 0)
    assert len(result.missed) == len({p.cluster for p in truth if p.wanted})


def test_a_missing_row_costs_recall_only(perfect, truth):
    """A wanted article that is not there is named."""
    result = score(perfect[1:], truth)
    assert result.recall < 1 == result.precision
    assert len(result.missed) == 1


def test_a_copy_beside_its_original_costs_precision(perfect, truth):
    """A second page of a cluster is counted as a copy and as wrong."""
    published = {row["url"] for row in perfect}
    copy = next(p for p in truth if p.wanted and p.url not in published)
    result = score([*perfect, *rows_of([copy])], truth)
    assert result.copies_beside_original == 1
    assert result.wrong == (copy.url,)
    assert result.precision < 1 == result.recall


_LISTED = [("tdm", "forbidden"), ("disallowed", "forbidden"), ("paywalled", "paywalled")]


@pytest.mark.parametrize(("access", "field"), _LISTED)
def test_rows_without_leave_are_named(perfect, truth, access, field):
    """A row of an opted-out, disallowed or paywalled page is wrong, and listed under its reason."""
    page = next(p for p in truth if p.relevant and p.access == access)
    result = score([*perfect, *rows_of([page])], truth)
    assert getattr(result, field) == (page.url,)
    assert result.precision < 1


def test_unknown_and_unrelated_rows_are_wrong(perfect, truth):
    """Rows of other kinds, of the archive, and of pages that do not exist are wrong."""
    near = next(p for p in truth if not p.relevant)
    old = next(p for p in truth if p.relevant and not p.in_period)
    strange = {"url": "http://elsewhere.example/", "text": ""}
    result = score([*perfect, *rows_of([near, old]), strange], truth)
    assert set(result.wrong) == {near.url, old.url, strange["url"]}


def test_withdrawals_count_where_they_were_announced(perfect, truth):
    """A row of a page withdrawn without a word counts neither way; an announced one is wrong."""
    silent = [p for p in truth if p.status == 410 and not p.announced]
    announced = [p for p in truth if p.status == 410 and p.announced]
    assert score([*perfect, *rows_of(silent)], truth).precision == 1
    result = score([*perfect, *rows_of(announced)], truth)
    assert result.withdrawn == tuple(sorted(p.url for p in announced))
    assert result.precision < 1


def test_a_row_is_known_by_any_of_its_addresses(perfect, truth):
    """A variant of the address, or the canonical one beside an unknown address, identifies the page."""
    page = next(p for p in truth if p.wanted and p.variants)
    assert score([{"url": page.variants[0], "text": page.text}], truth).precision == 1
    assert score([{"url": "http://x.example/", "canonical_url": page.url, "text": page.text}], truth).precision == 1


def test_furniture_in_the_text_lowers_word_f1(perfect, truth):
    """Words that are not the article's cost F1, and so do words that are missing."""
    longer = [row | {"text": row["text"] + "\n\nMost Popular LEAVE A REPLY " * 5} for row in perfect]
    shorter = [row | {"text": row["text"][:200]} for row in perfect]
    assert score(longer, truth).word_f1 < 1
    assert score(shorter, truth).word_f1 < score(longer, truth).word_f1


@given(st.text(), st.text())
def test_word_f1_is_symmetric_and_bounded(a, b):
    """F1 does not depend on the order, lies within 0..1, and is 1 for the same text."""
    assert word_f1(a, b) == word_f1(b, a)
    assert 0 <= word_f1(a, b) <= 1
    assert word_f1(a, a) == 1
