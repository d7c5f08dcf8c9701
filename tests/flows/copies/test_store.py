"""The statements under the index of known articles, and the texts that it keeps in mind."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cleaning.copies.candidates import MAX_POSTINGS
from cleaning.copies.clusters import Article
from flows.copies.records import RecentTexts, Text
from flows.copies.store import Store

NO_HASHES, NO_NUMBERS = np.empty(0, np.uint64), np.empty(0, np.int64)


def article(name: str, words: int = 10) -> Article:
    return Article(name, name, np.arange(words, dtype=np.uint32))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    store = Store(tmp_path / "copies.duckdb", memory=100, threads=1)
    yield store
    store.close()


def put(store: Store, number: int, name: str, hashes: list[int] | None = None) -> None:
    """Enters a text that stands for itself."""
    owned = np.array(hashes or [], np.uint64)
    store.add_texts([Text(number, number, article(name))], owned, np.full(owned.size, number), NO_HASHES)


def put_and_fail(store: Store) -> None:
    """Enters a text in a transaction that ends early."""
    with store:
        put(store, 0, "lost", [5])
        assert store.articles([0])[0].id == "lost"
        raise KeyboardInterrupt


def test_recent_texts_are_bounded():
    """The first texts go when there are too many words, and one that is longer than all together stays out."""
    recent = RecentTexts(25)
    for number in range(3):
        recent.put(number, article(str(number)))
    assert list(recent.among(range(3))) == [1, 2]
    recent.put(3, article("3", 40))
    assert recent.among(range(4)) == {}
    recent.put(4, article("4"))
    recent.clear()
    assert recent.among([4]) == {}


def test_recent_texts_hold_no_longer_array():
    """Words that are part of the array of a whole chunk of texts are copied."""
    recent = RecentTexts(100)
    recent.put(0, Article("a", "a", np.arange(1_000, dtype=np.uint32)[:10]))
    assert recent.among([0])[0].words.base is None


def test_what_is_kept_in_mind_is_what_is_stored(tmp_path: Path):
    """A text is the same in the process that entered it and in the next one."""
    path = tmp_path / "copies.duckdb"
    found = []
    for number in range(2):
        store = Store(path, memory=100, threads=1)
        if number == 0:
            with store:
                put(store, 0, "a")
        found.append(store.articles([0, 1])[0])
        store.close()
    assert found[0].words.tolist() == found[1].words.tolist() == list(range(10))
    assert [(one.id, one.cluster_id, one.domain, one.published_at, one.sketch) for one in found] == [
        ("a", "a", "", None, None)
    ] * 2


def test_what_is_undone_is_out_of_mind(store: Store):
    """After a transaction that failed, its numbers are used again, for other texts."""
    with pytest.raises(KeyboardInterrupt):
        put_and_fail(store)
    assert store.articles([0]) == {}
    assert store.matches(np.array([5], np.uint64)).numbers.size == 0
    with store:
        put(store, 0, "kept")
    assert store.articles([0])[0].id == "kept"


def test_forgotten_texts_are_out_of_mind(store: Store):
    """A takedown leaves nothing of a text in the process either."""
    with store:
        put(store, 0, "gone")
        store.forget(["gone"])
        assert store.articles([0]) == {}


def test_a_frequent_shingle_is_posted_so_often(store: Store):
    """Of many texts that share a shingle, the first MAX_POSTINGS are found by it, in one chunk or in several."""
    hashes = np.array([7, 9], np.uint64)
    with store:
        for number in range(MAX_POSTINGS + 5):
            texts = [Text(number, number, article(str(number)))]
            store.add_texts(texts, hashes[:1], np.array([number]), store.matches(hashes).common())
        numbers = np.arange(100, 100 + MAX_POSTINGS + 5)
        texts = [Text(number, number, article(str(number))) for number in numbers.tolist()]
        store.add_texts(texts, np.full(numbers.size, 9, np.uint64), numbers, store.matches(hashes).common())
        found = store.matches(hashes)
    assert sorted(found.numbers[found.hashes == 7].tolist()) == list(range(MAX_POSTINGS))
    assert sorted(found.numbers[found.hashes == 9].tolist()) == list(range(100, 100 + MAX_POSTINGS))
