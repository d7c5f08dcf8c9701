"""The topic profile, on small articles about fictional events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.topic.profile import TopicError, TopicOptions, TopicProfile

FERRY = (
    """Ferry link between Ostrel and Marvik suspended after harbour talks fail

The ferry line between Ostrel and Marvik will stop on Friday because the two harbour towns could not agree on fees,
the operator Nordlinje said. Mayor Ingrid Solheim of Ostrel called the decision by Marvik's council irresponsible.
Nordlinje has carried commuters across the Tann strait since 1974. Some 1,200 passengers cross it on a working day.""",
    """Nordlinje stops Ostrel ferry as council rejects harbour fees

Marvik's council voted against lower harbour fees on Tuesday, and the operator Nordlinje answered by suspending its
ferry across the Tann strait. Commuters from Ostrel will need two hours by road instead of twenty minutes by boat.
"We were promised a compromise," said Mayor Ingrid Solheim, who wants the county to mediate between the two towns.""",
    """Commuters protest in Ostrel over the lost ferry

Several hundred passengers gathered on the quay in Ostrel to protest against the end of the Marvik ferry. Nordlinje
says that it loses money on every crossing of the Tann strait as long as Marvik keeps its harbour fees. Ingrid Solheim,
the mayor, told the crowd that the county would hear both councils next week.""",
)
LATER = """County steps in to save the Tann strait ferry

The county invited the councils of Ostrel and Marvik and the operator Nordlinje to talks on harbour fees next week.
Mayor Ingrid Solheim said that the ferry could sail again in spring, if Marvik's council accepts the offer."""
BEES = (
    """Beekeepers of Calvenna count their losses after a wet spring

Half of the hives in the Calvenna hills did not survive the wet spring, the association of beekeepers says. Honey from
chestnut blossom will be scarce, and prices are expected to double. Researchers of the agricultural institute suspect
that a mite spread among colonies that were weakened by hunger.""",
    """Chestnut honey is scarce in Calvenna this year

Honey from Calvenna's chestnut woods is hard to find: beekeepers lost half of their hives to hunger and to a mite in
this wet spring. The association asks the institute for agricultural research to test the surviving colonies.""",
)
RECIPE = """A lentil soup for cold evenings

Rinse the lentils, chop an onion and two carrots, and let them simmer with bay leaf and thyme for forty minutes. Add a
spoon of vinegar before you serve the soup with toasted bread and a little parsley."""

FERRY_TOPIC = TopicProfile.fit(FERRY, ["vote", "answer", "protest"])


def test_an_article_of_the_same_story_is_relevant():
    """A later article of the seeds' story passes the topic's own threshold; it names the seed that it is most like."""
    score = FERRY_TOPIC.score(LATER)
    assert score.is_relevant
    assert score.probability > 0.5
    assert score.nearest_seed in FERRY_TOPIC.names


@pytest.mark.parametrize("text", [*BEES, RECIPE])
def test_other_articles_are_not(text):
    """Articles about other things stay far below the threshold."""
    score = FERRY_TOPIC.score(text)
    assert not score.is_relevant
    assert score.probability < 0.01


def test_each_seed_left_out_is_accepted():
    """Every seed is relevant to the topic that the others make."""
    for i, seed in enumerate(FERRY):
        assert TopicProfile.fit([*FERRY[:i], *FERRY[i + 1 :]]).score(seed).is_relevant


def test_a_seed_is_nearest_to_itself():
    """A seed's own text scores high, and names that seed."""
    for name, seed in zip(FERRY_TOPIC.names, FERRY, strict=True):
        assert FERRY_TOPIC.score(seed).nearest_seed == name


def test_one_seed_is_enough():
    """A single seed finds another article of its story and refuses the rest."""
    profile = TopicProfile.fit(FERRY[:1])
    assert profile.score(FERRY[1]).is_relevant
    assert not profile.score(BEES[0]).is_relevant
    assert profile.problems() == ()


@pytest.mark.parametrize("text", ["", "   \n", "!?", "😀" * 50])
def test_a_text_without_words_scores_nothing(text):
    """Empty and wordless texts are not relevant, and no error."""
    assert FERRY_TOPIC.score(text).similarity == 0.0
    assert not FERRY_TOPIC.score(text).is_relevant


def test_the_recipes_threshold_is_taken():
    """A number in the options replaces the automatic threshold."""
    profile = TopicProfile.fit(FERRY, options=TopicOptions(threshold=0.9))
    assert profile.threshold == 0.9
    assert not profile.score(LATER).is_relevant


def test_width_moves_the_automatic_threshold():
    """A narrow topic ends sooner than a wide one."""
    narrow, wide = (TopicProfile.fit(FERRY, options=TopicOptions(width=width)) for width in ("narrow", "wide"))
    assert narrow.threshold > FERRY_TOPIC.threshold > wide.threshold


def test_a_narrow_topic_minds_the_date_more_than_a_wide_one():
    """The same story with other figures loses more of its similarity when the seeds' own event is meant."""
    dated = [text.replace("1974", "").replace("1,200", "") + " It was 14 May 2031, at 9.30." for text in FERRY]
    other = dated[0].replace("14 May 2031", "23 May 2033").replace("9.30", "18.45")
    lost = {}
    for width in ("auto", "wide"):
        profile = TopicProfile.fit(dated[:1], options=TopicOptions(width=width))
        lost[width] = profile.score(dated[0]).similarity - profile.score(other).similarity
    assert lost["auto"] > 1.5 * lost["wide"] > 0


def test_a_copied_seed_does_not_move_the_threshold():
    """The same seed twice says nothing on how wide the topic is; it is reported."""
    twice = TopicProfile.fit([*FERRY, FERRY[0]], ["vote", "answer", "protest", "again"])
    assert twice.threshold == pytest.approx(FERRY_TOPIC.threshold)
    assert twice.problems() == ("again is nearly the same text as vote; one of them is enough.",)


def test_seeds_of_one_story_have_no_problems():
    """Nothing is reported on seeds that belong together."""
    assert FERRY_TOPIC.problems() == ()


def test_a_seed_unlike_the_others_is_named():
    """One stranger among seeds of one story is pointed out by its name."""
    (problem,) = TopicProfile.fit([*FERRY, RECIPE], ["vote", "answer", "protest", "soup"]).problems()
    assert problem.startswith("soup is unlike the other seeds")


def test_seeds_about_two_things_are_reported():
    """Two stories among the seeds are told apart, and each is found."""
    profile = TopicProfile.fit([*FERRY, *BEES], ["vote", "answer", "protest", "hives", "honey"])
    (problem,) = profile.problems()
    assert "2 different things (vote, answer, protest; hives, honey)" in problem
    assert profile.score(LATER).is_relevant


def test_fifty_seeds_about_two_things_are_reported():
    """Many seeds on two topics are told apart though single ones share a word; a few of each are named."""
    seeds = [f"{BEES[i % 2]}\nReport {i}." if i < 25 else f"{FERRY[i % 3]}\nReport {i - 25}." for i in range(50)]
    problems = TopicProfile.fit([text.replace(".", f". Item{i}", 3) for i, text in enumerate(seeds)]).problems()
    assert "2 different things (seed 1, seed 2, seed 3, seed 4, seed 5 and 20 more; seed 26, " in problems[-1]


@pytest.mark.parametrize(
    ("seeds", "names", "words"),
    [
        ([], None, "no seed"),
        ([FERRY[0], ""], ["vote", "blank"], "blank holds no telling words"),
        (["Ferry suspended"], ["headline"], "headline has only 2 different telling words"),
        ([FERRY[0]], ["vote", "answer"], "1 seeds have 2 names"),
    ],
)
def test_unusable_seeds_are_refused(seeds, names, words):
    """A seed that is missing, empty or too short is an error that names it and says what to do."""
    with pytest.raises(TopicError, match=words):
        TopicProfile.fit(seeds, names)


@pytest.mark.parametrize(
    "options", [TopicOptions(threshold=0.0), TopicOptions(threshold=1.5), TopicOptions(width="big")]
)
def test_options_out_of_range_are_refused(options):
    """A threshold outside 0..1 or an unknown width is an error that says what is allowed."""
    with pytest.raises(TopicError, match="Give"):
        TopicProfile.fit(FERRY, options=options)


def test_score_many_is_score_of_each():
    """Scoring in bulk gives the same scores, in order."""
    texts = [LATER, RECIPE, *BEES]
    assert FERRY_TOPIC.score_many(texts) == [FERRY_TOPIC.score(text) for text in texts]


def test_titles_and_slugs_rank_candidates():
    """Before the fetch, a title or a slug of the story scores over others; one without words scores 0."""
    related = FERRY_TOPIC.score_title("Ostrel ferry may sail again, says Nordlinje")
    by_slug = FERRY_TOPIC.score_title("", "https://www.example.com/2025/06/19/ostrel-ferry-may-sail-again.html")
    other = FERRY_TOPIC.score_title(
        "Five ways to cook lentils", "https://www.example.com/food/five-ways-to-cook-lentils"
    )
    assert min(related, by_slug) > 4 * other
    assert FERRY_TOPIC.score_title("") == FERRY_TOPIC.score_title("", "https://www.example.com/12345") == 0.0


def test_an_explanation_adds_up():
    """The terms shared with the nearest seed add up to its cosine, strongest first, and are words of both texts."""
    explanation = FERRY_TOPIC.explain(LATER)
    weights = [term.weight for term in explanation.terms]
    assert explanation.score == FERRY_TOPIC.score(LATER)
    assert explanation.score.similarity == pytest.approx(explanation.seed_similarity)
    assert sum(weights) == pytest.approx(explanation.cosine)
    assert weights == sorted(weights, reverse=True)
    assert {"ferry", "ostrel", "nordlinje"} <= {term.term for term in explanation.terms[:8]}


@given(st.text())
def test_any_text_has_a_score_within_its_range(text):
    """Similarity, probability and title score lie within 0..1 for any text."""
    score = FERRY_TOPIC.score(text)
    assert 0 <= score.similarity <= 1
    assert 0 <= score.probability <= 1
    assert 0 <= FERRY_TOPIC.score_title(text, text) <= 1


@given(st.permutations(range(3)))
def test_the_order_of_the_seeds_does_not_matter(order):
    """Threshold and similarity are the same in whatever order the seeds come."""
    profile = TopicProfile.fit([FERRY[i] for i in order])
    assert profile.threshold == pytest.approx(FERRY_TOPIC.threshold)
    assert profile.score(LATER).similarity == pytest.approx(FERRY_TOPIC.score(LATER).similarity)
