import hashlib
import os
import random
import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest

from flows.demo import Newsroom, Publisher
from flows.demo.edits import EDITS
from flows.demo.prose import Writer, load_rules
from flows.demo.publishers import LOOKALIKE, NEAR, PUBLISHERS
from flows.demo.routes import Routes
from flows.demo.world import make_world
from tests.flows.demo.pages import PORT, fetch, fold, visible

SUNRISE = Publisher(
    "sunrise",
    "Sunrise Sheet",
    markup="<html><title>{{ title }}</title><body>{% if article %}<dl><dt>{{ article.headline }}<dd>"
    "{% for p in article.paragraphs %}<blockquote>{{ p }}</blockquote>{% endfor %}</dl>{% else %}"
    "{% for item in listing.entries %}<a href='{{ item.url }}'>{{ item.title }}</a>{% endfor %}{% endif %}</html>",
    entry="sections",
)


def shingles(text: str, size: int = 3) -> set[tuple[str, ...]]:
    """The word n-grams of a text."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def containment(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> float:
    """The share of the smaller set that the other holds, 0..1."""
    return len(a & b) / min(len(a), len(b))


def test_the_same_seed_number_makes_the_same_bytes(newsroom):
    """Two newsrooms of one number agree in truth, recipe, seeds and every page."""
    other = Newsroom(7)
    assert other.truth(2) == newsroom.truth(2)
    assert other.seeds == newsroom.seeds
    assert other.recipe_toml() == newsroom.recipe_toml()
    assert all(fetch(other, t.url, 2) == fetch(newsroom, t.url, 2) for t in newsroom.truth(2))


def test_the_bytes_do_not_depend_on_the_process(newsroom):
    """A process with another hash seed renders the same pages."""
    script = (
        "import hashlib; from flows.demo import Newsroom; n = Newsroom(7); d = hashlib.sha256()\n"
        "for t in n.truth(2): d.update(n.page(t.host + ':8799', t.url.split(':8799')[1], 2).body)\nprint(d.hexdigest())"
    )
    digest = hashlib.sha256(b"".join(fetch(newsroom, t.url, 2).body for t in newsroom.truth(2))).hexdigest()
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest


def test_another_seed_number_makes_another_newsroom(newsroom):
    """Texts and seeds differ between numbers."""
    other = Newsroom(8)
    assert {s.text for s in other.seeds}.isdisjoint(s.text for s in newsroom.seeds)
    assert {t.text for t in other.truth()}.isdisjoint(t.text for t in newsroom.truth())


def test_the_mixture_is_what_the_demo_needs(newsroom):
    """There are at least 8 publishers, 40 originals on the topic, and articles of every other kind."""
    truth = newsroom.truth(2)
    kinds = Counter(t.kind for t in truth)
    originals = {t.cluster for t in truth if t.wanted}
    assert len(truth) >= 220
    assert len({t.host for t in truth}) >= 8
    assert len(originals) >= 40
    assert all(kinds[kind] >= 3 for kind in (*NEAR, *LOOKALIKE))
    assert {t.edit for t in truth if t.copy_of} == set(EDITS)


@pytest.mark.parametrize("day", [1, 2])
def test_each_page_answers_as_its_truth_says(newsroom, day):
    """Status, title and every paragraph of the truth are on the page; a paywalled page shows only its first."""
    for truth in newsroom.truth(day):
        response = fetch(newsroom, truth.url, day)
        assert response.status == truth.status
        if response.status != 200:
            continue
        text = visible(response)
        shown = truth.paragraphs[:1] if truth.access == "paywalled" else truth.paragraphs
        assert fold(truth.title) in text
        assert all(fold(paragraph) in text for paragraph in shown)
        assert truth.access != "paywalled" or fold(truth.paragraphs[-1]) not in text


def test_variants_lead_to_the_canonical_page(newsroom):
    """Each other address redirects to the article, or shows it and names the canonical one."""
    checked = Counter()
    for truth in newsroom.truth(1):
        for variant in truth.variants:
            response = fetch(newsroom, variant)
            checked[response.status] += 1
            if response.status == 301:
                assert response.header("Location") == truth.url
            else:
                canonical = f'<link rel="canonical" href="{truth.url}">'.encode()
                assert canonical in response.body or b"BGCOLOR" in response.body
    assert checked[301] > 20
    assert checked[200] > 20


def test_day_two_adds_corrects_and_withdraws(newsroom):
    """Day 2 brings new articles, corrected texts with a date, and withdrawals, some of them announced."""
    first, second = ({t.url: t for t in newsroom.truth(day)} for day in (1, 2))
    corrected = [t for t in second.values() if t.version == 2]
    withdrawn = [t for t in second.values() if t.status == 410]
    assert len(second) - len(first) >= 12
    assert corrected
    assert all(t.modified and t.text != first[t.url].text for t in corrected)
    assert {t.announced for t in withdrawn} == {True, False}
    assert any(t.relevant for t in withdrawn if t.announced)


def test_unchanged_articles_keep_their_bytes_on_day_two(newsroom):
    """Only a correction changes an article's page, so a second crawl need not fetch the others."""
    second = {t.url for t in newsroom.truth(2) if t.status == 200 and t.version == 1}
    assert all(fetch(newsroom, t.url, 1) == fetch(newsroom, t.url, 2) for t in newsroom.truth(1) if t.url in second)


def test_independent_articles_are_not_near_copies(newsroom):
    """Two originals on the topic share at most two fifths of their word 3-grams, two on one form at most three."""
    texts = [(t, shingles(t.text)) for t in newsroom.truth(2) if t.copy_of is None]
    for (a, ours), (b, theirs) in combinations(texts, 2):
        limit = 0.42 if a.relevant and b.relevant else 0.6
        assert containment(ours, theirs) < limit, (a.url, b.url)


def test_copies_are_near_copies(newsroom):
    """Whatever a paper did to an agency's article, most of the shorter text's 3-grams are in the longer one."""
    texts = {t.url: shingles(t.text) for t in newsroom.truth(2)}
    copies = [t for t in newsroom.truth(2) if t.copy_of]
    assert len(copies) >= 20
    assert all(containment(texts[t.url], texts[t.copy_of]) > 0.8 for t in copies)


def test_independent_articles_share_no_sentence_but_background(newsroom):
    """A long line of an article on the topic occurs in no other original, unless it is the topic's background."""
    rules = load_rules()
    world = make_world(rules, random.Random("7/world"))
    background = {Writer(rules, random.Random(0)).line(line, world) for line in rules["pool.background"]}
    originals = [t for t in newsroom.truth(1) if t.copy_of is None and t.relevant]
    lines = Counter(line for t in originals for line in set(t.paragraphs) if len(line) > 100)
    assert {line for line, count in lines.items() if count > 1} <= background


def test_every_kind_of_access_occurs_on_the_topic(newsroom):
    """Each way to keep a robot out has at least one relevant article that it keeps."""
    access = {t.access for t in newsroom.truth(2) if t.relevant}
    assert access == {"open", "paywalled", "tdm", "noai", "xrobots", "wellknown", "signal", "disallowed", "silent"}


def test_access_is_said_where_a_crawler_can_read_it(newsroom):
    """Opt-outs and paywalls are in the header, the page or tdmrep.json, as the truth says, and nowhere else."""
    for truth in newsroom.truth(1):
        response = fetch(newsroom, truth.url)
        assert (response.header("tdm-reservation") == "1") == (truth.access == "tdm")
        assert ("noai" in response.header("X-Robots-Tag")) == (truth.access == "xrobots")
        assert (b"noai" in response.body) == (truth.access == "noai")
        assert (b'"isAccessibleForFree": false' in response.body) == (truth.access == "paywalled")
        assert truth.access != "disallowed" or "/members/" in truth.url
    reserved = fetch(newsroom, f"http://review.newsroom.example:{PORT}/.well-known/tdmrep.json").body.decode()
    assert all(t.url.partition(str(PORT))[2] in reserved for t in newsroom.truth(1) if t.access == "wellknown")


def test_an_extra_publisher_joins_with_its_own_template(newsroom):
    """A publisher with markup that was not there before is served, and the others' articles stay as they were."""
    larger = Newsroom(7, extra_publishers=(SUNRISE,))
    own = [t for t in larger.truth(2) if t.host == SUNRISE.host]
    assert sum(t.wanted for t in own) >= 5
    assert all(fold(t.paragraphs[0]) in visible(fetch(larger, t.url, 2)) for t in own)
    before = {t.url: t.text for t in newsroom.truth(1)}
    assert before == {t.url: t.text for t in larger.truth(1) if t.host != SUNRISE.host}


def test_the_scaled_newsroom_has_many_pages_and_few_on_the_topic():
    """3,000 articles on 30 hosts, at most one in twenty on the topic, in many sections, and a quarter decoys."""
    newsroom = Newsroom.scaled(pages=3000, hosts=30)
    truth = newsroom.truth(1)
    assert sum(t.kind in NEAR for t in truth) > len(truth) / 4
    assert len({article.section for article in newsroom.articles if article.kind == "topic"}) >= 6
    assert len(truth) > 2500
    assert len({t.host for t in truth}) == 30
    assert 40 <= sum(t.relevant for t in truth) <= len(truth) / 20


def test_the_recipe_is_toml_and_names_every_publisher(newsroom):
    """The recipe parses, and each publisher is reached by exactly one kind of source."""
    recipe = tomllib.loads(newsroom.recipe_toml(4321))
    sources = recipe["sources"]
    assert recipe["network"]["ports"] == [4321]
    assert all(sources[kind] for kind in ("sites", "feeds", "sitemaps", "sections"))
    named = " ".join(url for urls in sources.values() for url in urls)
    assert all(f"http://{publisher.host}:4321/" in named for publisher in PUBLISHERS)


def test_five_seeds_carry_furniture_as_copied_text_does(newsroom):
    """There are five seeds with slots filled; three have furniture, and none is served as a page."""
    texts = [seed.text for seed in newsroom.seeds]
    assert len(texts) == 5
    assert not any("{" in text for text in texts)
    assert any("LEAVE A REPLY" in text for text in texts)
    assert any("Accessibility links" in text for text in texts)
    assert not {t.text for t in newsroom.truth(2)} & set(texts)


def test_two_articles_at_one_address_are_refused(newsroom):
    """A route that would lead to two articles is an error that names it."""
    first = newsroom.articles[0]
    publishers = {p.name: replace(p, path="/{slug}") for p in PUBLISHERS}
    with pytest.raises(ValueError, match="share this path"):
        Routes([first, replace(first, number=10_000)], publishers)


def test_articles_read_as_news_of_usual_length(newsroom):
    """Articles have between 90 and 700 words, those on the topic at least 150, and no slot is left open."""
    for truth in newsroom.truth(2):
        words = len(truth.text.split())
        assert not set("{}|") & set(truth.text)
        assert 80 <= words <= 700 or truth.copy_of
        assert not truth.relevant or truth.copy_of or words >= 150
