"""Labels: what they change, what they cannot change, and which articles are worth a question."""

import json
import math
import random
import statistics
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.topic.feedback import REACH, Correction, Label, informative, learn
from cleaning.topic.profile import TopicOptions, TopicProfile
from cleaning.topic.terms import weighted_terms
from tests.cleaning.topic.test_profile import BEES, FERRY, LATER, RECIPE

CORPORA = Path(__file__).parents[3] / "../shared/corpora"
needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason="the labelled corpora are not beside the repository")

BRIDGE = """Marvik council plans a bridge across the Tann strait

The council of Marvik wants to study a bridge across the Tann strait. Engineers will drill into the sea bed in autumn,
and the county may pay for half of the study, the council said. A toll would be due from drivers."""
SAILING = """Sailing week begins in Ostrel with a record number of boats

Three hundred boats have come to Ostrel for the sailing week. The regatta starts on Saturday in the Tann strait; the
harbour offers concerts every night, and the mayor Ingrid Solheim will open the festival."""

TEXTS = (*FERRY, *BEES, LATER, BRIDGE, SAILING, RECIPE)
LEAST = math.exp(-REACH)


def label(text, is_relevant):
    """A person's word on a text."""
    return Label(text.splitlines()[0], weighted_terms(text), is_relevant)


def taught(*labels, threshold="auto"):
    """The ferry topic with these labels."""
    return TopicProfile.fit(FERRY, options=TopicOptions(threshold=threshold), labels=labels)


def test_without_labels_nothing_changes():
    """A topic without labels is what its seeds alone make."""
    assert learn([], [], [], True) == Correction()
    assert taught() == TopicProfile.fit(FERRY)


def test_a_yes_takes_in_what_is_like_it_and_a_no_keeps_it_out():
    """A label raises or lowers the article it is on, and its like, more than others."""
    seeds = TopicProfile.fit(FERRY)
    liked, disliked = taught(label(BRIDGE, True)), taught(label(BRIDGE, False))
    assert liked.score(BRIDGE).probability > seeds.score(BRIDGE).probability > disliked.score(BRIDGE).probability
    gain = liked.score(BRIDGE).similarity / seeds.score(BRIDGE).similarity
    assert gain > liked.score(RECIPE).similarity / seeds.score(RECIPE).similarity


def test_the_threshold_moves_with_the_labels():
    """Yes to borderline articles lowers the automatic threshold, no raises it; a number in the recipe stays."""
    seeds = TopicProfile.fit(FERRY)
    assert taught(label(BRIDGE, True)).threshold < seeds.threshold < taught(label(BRIDGE, False)).threshold
    assert taught(label(BRIDGE, True), threshold=0.3).threshold == 0.3


def test_a_label_that_says_what_the_seeds_say_changes_little():
    """Calling an unrelated article unrelated teaches next to nothing."""
    seeds, told = TopicProfile.fit(FERRY), taught(label(RECIPE, False), *(label(text, False) for text in BEES))
    assert told.threshold == pytest.approx(seeds.threshold, abs=1e-3)
    assert told.score(LATER).similarity == pytest.approx(seeds.score(LATER).similarity, rel=1e-2)


def test_a_yes_far_from_all_seeds_is_refused():
    """An article unlike every seed is not learnt from, however often it is called relevant; it is named."""
    told = taught(*(label(text, True) for text in BEES))
    assert told.refused == tuple(text.splitlines()[0] for text in BEES)
    assert replace(told, refused=()) == TopicProfile.fit(FERRY)


def test_the_order_of_labels_does_not_matter():
    """The same labels in another order give the same topic."""
    labels = [label(BRIDGE, True), label(SAILING, False), label(LATER, True)]
    first, last = taught(*labels), taught(*reversed(labels))
    assert first.threshold == pytest.approx(last.threshold)
    assert first.score(LATER).similarity == pytest.approx(last.score(LATER).similarity)


def test_contradicting_labels_cancel_out():
    """Yes and no to the same article leave its probability between what either alone would make of it."""
    both = taught(label(BRIDGE, True), label(BRIDGE, False)).score(BRIDGE).probability
    assert taught(label(BRIDGE, False)).score(BRIDGE).probability < both
    assert both < taught(label(BRIDGE, True)).score(BRIDGE).probability


def test_an_explanation_shows_what_labels_did():
    """The seeds' similarity times the labels' factor is the similarity, and the labels' terms make the factor."""
    told = taught(label(BRIDGE, True), label(SAILING, False))
    found = told.explain(LATER)
    assert found.score.similarity == pytest.approx(found.seed_similarity * found.lift)
    assert sum(term.weight for term in found.label_terms) == pytest.approx(math.log(found.lift))
    assert found.label_terms[0].weight != 0


@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.booleans()), max_size=40))
def test_labels_reach_only_so_far(told):
    """Whatever is labelled, what is accepted keeps 0.61 of the seeds' threshold, and 1.65 times of it is always in."""
    profile = taught(*(label(text, is_relevant) for text, is_relevant in told))
    for text in TEXTS:
        found = profile.explain(text)
        if found.score.is_relevant:
            assert found.seed_similarity >= LEAST * profile.seed_threshold * (1 - 1e-9)
        else:
            assert found.seed_similarity <= profile.seed_threshold / LEAST * (1 + 1e-9)


def test_questions_are_about_the_borderline_and_not_twice_the_same():
    """The article nearest to even odds comes first; a copy of it comes after another one."""
    here, there = {"a": 1.0}, {"b": 1.0}
    assert informative([3.0, 0.1, 0.2, -1.0], [there, here, here, there], 4) == [1, 3, 2, 0]
    assert informative([], [], 3) == []


def test_borderline_articles_are_found_among_others():
    """Of several texts the ones between the topic and the rest are asked about first."""
    texts = [RECIPE, *BEES, BRIDGE, FERRY[0]]
    assert TopicProfile.fit(FERRY).borderline(texts, 1) == [texts.index(BRIDGE)]


def mixture(day):
    """An article of a stream that turns, over thirty days, from the ferry to the bees."""
    ferry, bees = (" ".join(texts).replace("\n", " ").split(". ") for texts in (FERRY, BEES))
    share = day / 30
    dice = random.Random(day)
    picked = [dice.choice(bees if dice.random() < share else ferry) for _ in range(8)]
    return ". ".join(picked)


def test_a_month_of_drifting_news_does_not_carry_the_topic_away():
    """A stream that turns into another story, with a user who says yes to all of it, does not take the topic along."""
    labels = []
    for day in range(30):
        profile = taught(*labels)
        labels.append(label(mixture(day), True))
        assert profile.score(LATER).is_relevant
    assert len(profile.refused) >= 3
    assert not any(profile.score(text).is_relevant for text in BEES)


@needs_corpora
def test_a_month_with_a_careless_user_does_not_drift():
    """After 90 labels in a month, one in eight wrong, what is accepted is as like the seeds as ever, and as good."""
    months = [month(topic) for topic in ("13", "37")]
    for likeness_before, likeness, _, _ in months:
        assert likeness >= 0.8 * likeness_before
    assert statistics.fmean(good for *_, good in months) >= statistics.fmean(good for *_, good, _ in months)


def month(topic):
    """Likeness to the seeds of what is accepted, before and after a month of labels; and F1 before and after it."""
    dice = random.Random(7)
    own = [record for record in records() if record["topic"] == topic]
    seeds = [record["text"] for record in own[:2] + own[-2:]]
    rest = [record for record in records() if record["text"] not in seeds]
    dice.shuffle(rest)
    first = profile = TopicProfile.fit(seeds)
    labels = []
    for day in range(30):
        batch = rest[day::30]
        for i in profile.borderline([record["text"] for record in batch], 3):
            is_wrong = dice.random() < 1 / 8
            labels.append(label(batch[i]["text"], (batch[i]["topic"] == topic) != is_wrong))
        profile = TopicProfile.fit(seeds, labels=labels)
    profiles = (first, profile)
    likeness = [mean_similarity(first, accepted(it, rest)) for it in profiles]
    return *likeness, *(f1(it, rest, "topic", topic) for it in profiles)


@needs_corpora
def test_ten_labels_find_more_of_a_topic():
    """From one seed, ten answers raise the F1 among articles never asked about, on topics that no constant is from."""
    assert statistics.fmean(gain(topic) for topic in ("1", "7", "13", "19", "25", "33", "37", "41")) > 0.01


def gain(topic):
    """By how much ten labels in one half of the articles raise the F1 of a topic's first article in the other half."""
    seed = next(record for record in records() if record["topic"] == topic)
    rest = [record for record in records() if record is not seed]
    pool, judged = rest[::2], rest[1::2]
    before = TopicProfile.fit([seed["text"]])
    asked = before.borderline([record["text"] for record in pool], 10)
    labels = [label(pool[i]["text"], pool[i]["topic"] == topic) for i in asked]
    after = TopicProfile.fit([seed["text"]], labels=labels)
    return f1(after, judged, "topic", topic) - f1(before, judged, "topic", topic)


@cache
def records():
    """The articles of ECB+ with at least 40 words."""
    with (CORPORA / "events-ecbplus/articles.jsonl").open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [record for record in found if len(record["text"].split()) >= 40]


def accepted(profile, articles):
    """The articles that a profile accepts."""
    return [record for record in articles if profile.score(record["text"]).is_relevant]


def mean_similarity(profile, articles):
    """How similar some articles are in the mean, as a profile sees it."""
    return statistics.fmean(profile.score(record["text"]).similarity for record in articles)


def f1(profile, articles, by, name):
    """F1 of what a profile accepts against the articles whose event or topic has that name."""
    kept = [record[by] == name for record in accepted(profile, articles)]
    return 2 * sum(kept) / (len(kept) + sum(record[by] == name for record in articles))
