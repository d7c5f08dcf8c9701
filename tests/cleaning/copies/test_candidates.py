"""Candidate pairs and their weights."""

import numpy as np

from cleaning.copies.candidates import MAX_POSTINGS, Candidates, Shingles


def shingles(*texts: set[int], known: int = 0) -> Shingles:
    """Texts given by their sampled shingles."""
    rows = [(value, number) for number, text in enumerate(texts) for value in sorted(text)]
    values, owners = zip(*rows, strict=True) if rows else ((), ())
    hashes = np.array(values, np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    sizes = np.array([len(text) for text in texts], np.int64)
    return Shingles(hashes, np.array(owners, np.int64), known, sizes)


def test_pairs_and_their_containment():
    """Each text is paired with the earlier ones that share a shingle, with the share of the smaller sample."""
    found = Candidates(shingles(set(range(10)), set(range(5)), set(range(20, 30)))).plain(0.1)
    assert found.by_text(9) == {1: [(0, 1.0)]}


def test_earlier_texts_are_not_paired_with_each_other():
    """Texts of earlier runs were judged; only new ones are."""
    found = Candidates(shingles({1, 2}, {1, 2}, {1, 2}, known=2)).plain(0.1)
    assert sorted(found.by_text(9)) == [2]


def test_shingles_of_many_clusters_weigh_little():
    """What ten other articles have in common with two makes these no likely copies of each other."""
    tail = set(range(100, 120))
    texts = [tail | set(range(number * 1_000, number * 1_000 + 20)) for number in range(1, 13)]
    candidates = Candidates(shingles(*texts))
    assert candidates.plain(0.45).new.size
    assert not candidates.weighted(np.arange(12)).new.size


def test_copies_in_one_cluster_keep_their_weight():
    """An article that came twelve times in a batch is not taken for furniture when its copies are known as one."""
    body = set(range(40))
    texts = [body | {1_000 + number} for number in range(12)]
    found = Candidates(shingles(*texts)).weighted(np.zeros(12, np.int64))
    assert {share > 0.9 for share in found.shares.tolist()} == {True}


def test_a_shingle_that_all_texts_have_costs_bounded_work():
    """A text is paired with the first holders of a shingle only."""
    found = Candidates(shingles(*({1} for _ in range(300)))).plain(0.1)
    assert found.new.size <= 300 * MAX_POSTINGS


def test_novel_shingles_are_those_that_the_cluster_lacks():
    """What only texts of other clusters have is novel too; what an earlier text of the cluster has is not."""
    texts = [set(range(10)), set(range(8, 20)), set(range(5, 25))]
    assert Candidates(shingles(*texts)).novel(np.array([0, 1, 0])).tolist() == [10, 12, 15]


def test_no_texts():
    """Nothing makes no pairs."""
    candidates = Candidates(shingles())
    assert candidates.plain(0.0).by_text(9) == {}
    assert candidates.weighted(np.empty(0, np.int64)).by_text(9) == {}


def test_pairs_are_counted_by_the_shingles_that_both_have():
    """Each pair is there once, with the number of its common shingles."""
    new, earlier, both = Candidates(shingles({1, 2, 3}, {2, 3, 4}, {9, 3})).counted()
    assert list(zip(new.tolist(), earlier.tolist(), both.tolist(), strict=True)) == [(1, 0, 2), (2, 0, 1), (2, 1, 1)]
