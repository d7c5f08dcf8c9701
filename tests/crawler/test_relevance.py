"""How candidates are ranked, and when their like are given up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cleaning.topic.feedback import Label
from cleaning.topic.profile import TopicOptions
from cleaning.topic.terms import weighted_terms
from crawler.relevance import Odds, Relevance, expected_yield, is_telling, rank
from tests.crawler.conftest import Crawled
from tests.crawler.web import OFF_TOPIC, SEED, Web, article

NOW = datetime(2025, 11, 20, tzinfo=UTC)
NEAR = " ".join(SEED.split()[::6]) + OFF_TOPIC


def test_titles_and_slugs_on_the_topic_come_first() -> None:
    """Words decide before sources do."""
    topic = Relevance.from_seeds([SEED])
    near = topic.title("Velmar crossing talks fail again", "")
    slug = topic.title("", "https://e.com/world/velmar-crossing-talks-fail-again")
    far = topic.title("How to prune apple trees", "https://e.com/garden/how-to-prune-apple-trees")
    assert near > 5 * far
    assert slug > 5 * far
    assert rank(near, telling=True, source_yield=0.0, published=None, now=NOW) > rank(
        far, telling=True, source_yield=1.0, published=NOW, now=NOW
    )


def test_of_equals_the_better_source_and_the_newer_come_first() -> None:
    """A candidate without words is worth what its source yields."""
    poor = rank(0.1, telling=True, source_yield=0.1, published=None, now=NOW)
    assert rank(0.1, telling=True, source_yield=0.9, published=None, now=NOW) > poor
    old = rank(0.1, telling=True, source_yield=0.1, published=NOW - timedelta(days=300), now=NOW)
    assert rank(0.1, telling=True, source_yield=0.1, published=NOW, now=NOW) > old
    assert rank(0.0, telling=False, source_yield=0.9, published=None, now=NOW) > poor


@pytest.mark.parametrize(
    ("title", "url", "expected"),
    [
        ("Talks fail again", "https://e.com/1", True),
        ("", "https://e.com/talks-fail-again", True),
        ("More", "https://e.com/article.php?id=5", False),
    ],
)
def test_what_says_something(title: str, url: str, expected: bool) -> None:
    """A title, or a slug of some words."""
    assert is_telling(title, url) is expected


def test_pages_are_scored_by_their_text() -> None:
    """Their own words, without navigation, tell the topic."""
    topic = Relevance.from_seeds([SEED])
    assert topic.page(article("Talks", SEED).encode(), "text/html").is_relevant
    assert not topic.page(article("Trees", OFF_TOPIC).encode(), "text/html").is_relevant


@pytest.mark.parametrize(
    ("options", "relevant"),
    [
        (TopicOptions(width="wide"), True),
        (TopicOptions(width="narrow"), False),
        (TopicOptions(threshold=0.1), True),
        (TopicOptions(threshold=0.9), False),
    ],
)
def test_the_topic_ends_where_the_options_say(options: TopicOptions, relevant: bool) -> None:
    """A page that shares some words with the seed."""
    page = article("Talks", NEAR).encode()
    assert Relevance.from_seeds([SEED], options).page(page, "text/html").is_relevant is relevant


def test_labels_move_what_pages_are_worth() -> None:
    """A page that people said does not belong scores lower than by the seeds alone."""
    page = article("Talks", NEAR).encode(), "text/html"
    said = (Label("Talks", weighted_terms(NEAR), is_relevant=False),)
    assert Relevance.from_seeds([SEED], labels=said).page(*page).similarity < (
        Relevance.from_seeds([SEED]).page(*page).similarity
    )


def test_the_crawl_judges_pages_by_the_topic_of_its_options(web: Web, crawled: Callable[..., Crawled]) -> None:
    """What its process is told decides which pages it takes for relevant."""
    found = {}
    for width in ("narrow", "wide"):
        web.add("paper.test", f"/news/{width}", article("Talks", NEAR))
        run = crawled(width, urls=(web.url("paper.test", f"/news/{width}"),), topic=TopicOptions(width=width))
        found[width] = run.stats["fetched"], run.stats["relevant_guess"]
    assert found == {"narrow": (1, 0), "wide": (1, 1)}


def test_the_hopeless_are_given_up_only_after_enough_of_their_like() -> None:
    """Titles that score better than all that failed are not given up."""
    odds = Odds(0.01)
    for _ in range(39):
        odds.add(0.01, relevant=False)
    assert not odds.is_hopeless(0.01)
    odds.add(0.01, relevant=False)
    assert odds.is_hopeless(0.01)
    assert odds.is_hopeless(0.0) is False
    assert not odds.is_hopeless(0.35) or not any(odds.relevant)
    odds.add(0.01, relevant=True)
    assert not odds.is_hopeless(0.01)


def test_a_source_is_judged_by_what_it_gave() -> None:
    """A new one is taken to be middling."""
    assert expected_yield(0, 0) == pytest.approx(0.3)
    assert expected_yield(100, 90) > 0.8
    assert expected_yield(100, 0) < 0.01
