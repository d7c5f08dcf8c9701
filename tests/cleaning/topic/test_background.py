"""The shipped background table: readable, of stated origin, and sensible about what is rare."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from cleaning.topic.background import Background, shipped
from training.fit_background import FEWEST_DOCUMENTS, count, texts

CORPORA = Path(__file__).parents[3] / "../shared/corpora"


def test_the_provenance_counts_what_is_in_the_table():
    """The file beside the table gives its numbers of texts and terms, and the collections add up."""
    facts = json.loads((files("cleaning") / "data" / "background.json").read_text(encoding="utf-8"))
    assert facts["documents"] == shipped().documents == sum(facts["collections"].values())
    assert facts["terms"] == len(shipped().idf)


def test_no_judging_collection_went_into_it():
    """The collections that judge the topic model are not among its sources."""
    facts = json.loads((files("cleaning") / "data" / "background.json").read_text(encoding="utf-8"))
    assert not any("ecb" in name or "syndicated" in name for name in facts["collections"])


def test_common_words_weigh_less_than_rare_ones():
    """A function word is nearly nothing, a newsroom word little, an unseen word the most."""
    table = shipped()
    assert 0 <= table.idf["the"] < table.idf["said"] < table.idf["harbour"] < table.unseen


def test_a_term_of_every_document_weighs_nothing():
    """Rarity is never negative."""
    table = Background.from_counts({"the": 10, "rare": 1}, 10)
    assert table.idf["the"] == 0.0
    assert 0 < table.idf["rare"] < table.unseen


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the labelled corpora are not beside the repository")
def test_the_table_can_be_built_again():
    """The build script and its collections give the shipped table; a change of the terms needs a new one."""
    frequencies, collections = count(texts(CORPORA))
    kept = {term: n for term, n in frequencies.items() if n >= FEWEST_DOCUMENTS}
    assert Background.from_counts(kept, collections.total()) == shipped()
