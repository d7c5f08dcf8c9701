"""The threshold that seeds set, and the probability that goes with a similarity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.topic.threshold import automatic_threshold, probability, related_groups

UNIT = st.floats(0, 1)


def alike(count, cosine):
    """The matrix of `count` seeds that all have the same cosine with each other."""
    return [[1.0 if i == j else cosine for j in range(count)] for i in range(count)]


def test_one_seed_gets_the_typical_threshold():
    """Without another seed to compare it with, the threshold is what one event typically has."""
    assert automatic_threshold([[1.0]]) == pytest.approx(0.29, abs=0.01)


def test_seeds_far_apart_make_a_lower_threshold():
    """A wide topic ends later than a narrow one."""
    assert automatic_threshold(alike(5, 0.2)) < automatic_threshold(alike(5, 0.4)) < automatic_threshold(alike(5, 0.6))


def test_two_seeds_move_it_less_than_five():
    """The fewer the seeds, the nearer the threshold stays to the typical one."""
    assert automatic_threshold([[1.0]]) < automatic_threshold(alike(2, 0.6)) < automatic_threshold(alike(5, 0.6))


def test_a_stranger_among_the_seeds_does_not_widen_the_topic():
    """A seed without anything in common with the others leaves their threshold as it was."""
    stranger = [[*row, 0.01] for row in alike(4, 0.45)] + [[0.01] * 4 + [1.0]]
    assert automatic_threshold(stranger) == pytest.approx(automatic_threshold(alike(4, 0.45)))


def test_many_seeds_are_judged_by_their_nearest():
    """Fifty seeds of ten events keep the threshold of their events: only the nearest others count."""
    fifty = [[1.0 if i == j else 0.5 if i // 5 == j // 5 else 0.1 for j in range(50)] for i in range(50)]
    assert automatic_threshold(fifty) == pytest.approx(automatic_threshold(alike(5, 0.5)))


def test_width_moves_it():
    """Narrow is above auto, wide below it."""
    seeds = alike(3, 0.4)
    assert automatic_threshold(seeds, "wide") < automatic_threshold(seeds) < automatic_threshold(seeds, "narrow")


def test_a_wide_topic_may_have_seeds_of_one_event():
    """Five reports of one event set a high threshold, but a low one when they stand for a wider topic."""
    seeds = alike(5, 0.5)
    assert automatic_threshold(seeds, "wide") < 0.75 * automatic_threshold(seeds)


def test_chance_likeness_does_not_join_two_topics():
    """Ten seeds on each of two topics are two groups, though every tenth pair across them is a little alike."""
    cosines = [
        [1.0 if i == j else 0.3 if (i < 10) == (j < 10) else 0.15 if (i + j) % 10 == 0 else 0.02 for j in range(20)]
        for i in range(20)
    ]
    assert related_groups(cosines) == [list(range(10)), list(range(10, 20))]


def test_groups_are_connected_through_others():
    """Two seeds that differ belong together when a third one is like both."""
    chain = [[1.0, 0.3, 0.0, 0.0], [0.3, 1.0, 0.3, 0.0], [0.0, 0.3, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    assert related_groups(chain) == [[0, 1, 2], [3]]


@given(st.integers(1, 12), UNIT)
def test_a_threshold_is_a_similarity(count, cosine):
    """Whatever the seeds, the threshold lies within 0..1, at any width."""
    for width in ("narrow", "auto", "wide"):
        assert 0 < automatic_threshold(alike(count, cosine), width) <= 1


def test_more_seeds_say_more():
    """Above the threshold, the same similarity is more probable from five seeds than from one; below it less."""
    assert probability(0.4, 0.3, 5) > probability(0.4, 0.3, 1) > probability(0.2, 0.3, 1) > probability(0.2, 0.3, 5)


@given(UNIT, UNIT, st.floats(0.01, 1), st.integers(1, 50))
def test_probability_rises_with_similarity(first, second, threshold, seeds):
    """Of two texts the more similar one is never the less probable, and a probability lies within 0..1."""
    low, high = sorted((first, second))
    assert 0 <= probability(low, threshold, seeds) <= probability(high, threshold, seeds) <= 1
