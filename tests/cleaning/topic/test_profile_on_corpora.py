"""The topic profile on real articles: the user's five seeds, and events of ECB+ that no constant was chosen on."""

import json
import statistics
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from cleaning.topic.profile import TopicOptions, TopicProfile

ROOT = Path(__file__).parents[3]
CORPORA = ROOT / "../shared/corpora"
needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason="the labelled corpora are not beside the repository")

ARTICLE = {
    "arcamax": ("Kremlin douses imminent", "©2025"),
    "in-depth": ("Kremlin Uncertain on Putin-Trump Meeting Amid", "Most Popular"),
    "kyiv-independent": ("Putin-Trump meeting", None),
    "rferl": ("Trump Plans To Meet", "With reporting by"),
    "wire-rewrite": ("The anticipated meeting", None),
}
"""Where the article begins in each of the user's seeds, and before what it ends; around it is the page's furniture."""


@cache
def seeds():
    """The articles of the user's seeds, by name, without the furniture around them."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "seeds/kremlin-meetings").glob("*.txt")}
    return {
        name: text[text.index(ARTICLE[name][0]) :].split(ARTICLE[name][1] or "\0")[0] for name, text in texts.items()
    }


def records(name):
    """The records of a corpus's JSON lines."""
    with (CORPORA / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def events():
    """The articles of ECB+ that have at least 40 words."""
    return [record for record in records("events-ecbplus/articles.jsonl") if len(record["text"].split()) >= 40]


@cache
def other_articles():
    """Articles of the corpora that are not about meetings in the Kremlin."""
    pairs = records("similarity-semeval8/pairs.jsonl")
    english = {
        pair[side] for pair in pairs for side, language in zip("ab", pair["langs"], strict=True) if language == "en"
    }
    pages = ["\n".join([page["title"] or "", *page["paragraphs"]]) for page in records("news-pages/articles.jsonl")]
    wire = [record["text"] for record in records("syndicated-news/articles.jsonl")]
    return [*sorted(english), *pages, *wire, *(record["text"] for record in events())]


def without(name):
    """The profile of the user's seeds but one."""
    rest = {other: text for other, text in seeds().items() if other != name}
    return TopicProfile.fit(list(rest.values()), list(rest))


@pytest.mark.parametrize("name", sorted(ARTICLE))
def test_each_of_the_users_seeds_is_accepted_by_the_other_four(name):
    """The five seeds span a summit of 2019 and a war of 2025; each, left out, passes the threshold of the others."""
    assert without(name).score(seeds()[name]).is_relevant


def test_the_users_seeds_belong_together():
    """Nothing is reported on the user's own seeds."""
    assert TopicProfile.fit(list(seeds().values()), list(seeds())).problems() == ()


@needs_corpora
@pytest.mark.parametrize("name", sorted(ARTICLE))
def test_each_of_the_users_seeds_ranks_first_among_other_articles(name):
    """Left out, a seed is more similar to the others than any other article is, and none of those is accepted."""
    profile = without(name)
    others = profile.score_many(other_articles())
    assert profile.score(seeds()[name]).similarity > max(score.similarity for score in others)
    assert not any(score.is_relevant for score in others)


def queries(topics):
    """For each event with seven articles or more of these ECB+ topics: five seeds, and the ids of the others."""
    members = defaultdict(list)
    for record in events():
        if int(record["topic"]) in topics:
            members[record["event"]].append(record)
    for found in members.values():
        if len(found) >= 7:
            yield found[:5], {record["id"] for record in found[5:]}


def f1(profile, given, wanted):
    """F1 of what the profile accepts among all articles of ECB+ that were not given as seeds."""
    rest = [record for record in events() if record not in given]
    kept = {record["id"] for record in rest if profile.score(record["text"]).is_relevant}
    return 2 * len(kept & wanted) / (len(kept) + len(wanted))


@needs_corpora
def test_events_are_told_from_their_siblings():
    """From five seeds, events are found among 900 articles, their sibling events included, at their own thresholds."""
    scores = [
        f1(TopicProfile.fit([record["text"] for record in given]), given, wanted)
        for given, wanted in queries({1, 3, 13, 21, 23, 33})
    ]
    assert statistics.fmean(scores) >= 0.8


@needs_corpora
def test_one_seed_means_its_event_or_its_topic_as_the_width_says():
    """From one seed, auto finds more of its event than wide does, and wide more of both sibling events."""
    found = {(by, width): from_one_seed(by, width) for by in ("event", "topic") for width in ("auto", "wide")}
    assert found["event", "auto"] > found["event", "wide"]
    assert found["topic", "wide"] > found["topic", "auto"] + 0.1


def from_one_seed(by, width):
    """Mean F1 of what the first article of some events finds of its event, or of its topic."""
    scores = []
    for given, _ in queries({7, 11, 29}):
        seed = given[0]
        wanted = {record["id"] for record in events() if record[by] == seed[by]} - {seed["id"]}
        profile = TopicProfile.fit([seed["text"]], options=TopicOptions(width=width))
        scores.append(f1(profile, [seed], wanted))
    return statistics.fmean(scores)
