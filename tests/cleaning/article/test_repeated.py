"""Lines that repeat across a host's articles: what counts, what does not, and what removal changes."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.article.repeated import Host, RepeatedOptions, learn, line_hash, merged, seen_in, without_lines
from cleaning.schema import Extraction
from cleaning.verdict import Verdict

FOLLOW = "Get the Quayside Courier on your doorstep every Saturday"
START = datetime(2025, 3, 1, tzinfo=UTC)
WORDS = re.findall(
    r"\w+",
    "harbour pilot tide quay council vote bridge crane storm ferry market strike museum budget school train "
    "river winter summer doctor farmer orchard mayor judge court engine tunnel library bakery lighthouse",
)


def sentence(chance: random.Random, words: int = 14) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize() + f" {chance.randrange(10**9)}."


def article(number: int, *, host: str = "courier.example", extra: tuple[str, ...] = (), middle: str = "") -> Extraction:
    chance = random.Random(f"{host} {number}")
    lines = [sentence(chance) for _ in range(8)]
    if middle:
        lines.insert(4, middle)
    return Extraction(
        url=f"https://{host}/{number}",
        verdict=Verdict.KEPT,
        domain=host,
        text="\n\n".join([*lines, *extra]),
        fetched_at=START + timedelta(days=number),
        word_count=120,
    )


def lines_of(known: dict[str, Host], host: str = "courier.example") -> list[str]:
    return [line.text for line in known[host].lines] if host in known else []


def test_a_line_under_four_articles_is_the_hosts() -> None:
    """A closing line counts from the fourth distinct article on, with its support, share and days."""
    known = learn({}, [article(i, extra=(FOLLOW,)) for i in range(3)])
    assert lines_of(known) == []
    known = learn(known, [article(3, extra=(FOLLOW,))])
    (line,) = known["courier.example"].lines
    assert (line.text, line.support, line.share) == (FOLLOW, 4, 1.0)
    assert (line.first_seen, line.last_seen) == (START, START + timedelta(days=3))


def test_an_article_that_is_read_again_does_not_count_twice() -> None:
    """The same addresses in a second run, or twice in one, add nothing."""
    same = [article(i, extra=(FOLLOW,)) for i in range(3)]
    known = learn({}, same)
    assert learn(known, same * 3) == known


def test_copies_of_one_story_are_one_article() -> None:
    """One story under ten addresses makes none of its lines the host's."""
    story = article(1, extra=(FOLLOW,))
    copies = [replace(story, url=f"https://courier.example/copy/{i}") for i in range(10)]
    assert lines_of(learn({}, copies)) == []


def test_what_other_sites_print_too_is_no_hosts_line() -> None:
    """A paragraph of a wire service, in four articles of one host and one of another, stays."""
    wire = "The service could not verify the reports"
    ours = [article(i, extra=(wire, FOLLOW)) for i in range(5)]
    other = [article(9, host="gazette.example", extra=(wire,))]
    assert lines_of(learn({}, [*other, *ours])) == [FOLLOW]


def test_background_in_the_middle_needs_more_articles_than_a_closing_line() -> None:
    """A sentence that a third of the articles have in their middle is the subject's background; half have furniture."""
    background = "The bridge was closed in the autumn of last year after divers had found cracks in two of its piles."
    assert lines_of(learn({}, [article(i, middle=background if i % 3 == 0 else "") for i in range(18)])) == []
    assert lines_of(learn({}, [article(i, middle=background if i % 3 else "") for i in range(18)])) == [background]


def test_only_articles_count() -> None:
    """Pages that are no articles teach nothing."""
    pages = [replace(article(i, extra=(FOLLOW,)), verdict=Verdict.LISTING) for i in range(9)]
    assert learn({}, pages) == {}


def test_memory_is_bounded() -> None:
    """Of a host its last articles, of an article some lines, of all hosts the last ones are remembered."""
    options = RepeatedOptions(window=5, lines=6, hosts=3)
    known = learn({}, [article(i, host=f"h{i % 7}.example") for i in range(210)], options)
    assert list(known) == [f"h{i}.example" for i in (4, 5, 6)]
    assert all(len(host.window) == 5 for host in known.values())
    assert all(len(seen.lines) == 6 for host in known.values() for seen in host.window)


def test_learning_in_steps_is_learning_at_once() -> None:
    """Two runs leave the lines that one run over the same pages leaves, and what each ran on is not changed."""
    pages = [article(i, extra=(FOLLOW,)) for i in range(12)]
    first = learn({}, pages[:6])
    assert lines_of(learn(first, pages[6:])) == lines_of(learn({}, pages))
    assert first == learn({}, pages[:6])


def test_a_state_that_grew_from_another_replaces_it() -> None:
    """Merging a state with a later one that grew from it gives the later one; with itself, itself."""
    before = learn({}, [article(i, extra=(FOLLOW,)) for i in range(70)])
    later = learn(before, [article(i, extra=(FOLLOW,)) for i in range(60, 90)])
    assert merged(before, later) == later
    assert merged(later, later) == later


def test_an_article_loses_its_hosts_lines_and_what_follows_from_them() -> None:
    """Text and word count change; an article that is too short without them is no article; others stay as they are."""
    known = learn({}, [article(i, extra=(FOLLOW,)) for i in range(5)])
    own = known["courier.example"].lines
    cleaned = without_lines(article(7, extra=(FOLLOW.upper(),)), own, 40)
    assert cleaned.text == article(7).text
    assert cleaned.word_count == len(article(7).text.split())
    untouched = article(8)
    assert without_lines(untouched, own, 40) is untouched
    short = replace(article(9), text=f"A short notice of the council.\n\n{FOLLOW}")
    assert without_lines(short, own, 40).verdict is Verdict.TOO_SHORT
    assert without_lines(replace(short, text=FOLLOW), own, 40).verdict is Verdict.NO_TEXT


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=60))
def test_any_text_can_be_learned_from(lines: list[str]) -> None:
    """No text makes learning fail, hashes fit a signed 64-bit column, and each line has its place and length."""
    seen = seen_in(Extraction(url="https://x.example/", verdict=Verdict.KEPT, text="\n\n".join(lines)))
    assert len(seen.lines) == len(seen.edges) == len(seen.chars)
    assert all(0 <= line_hash(line) < 2**63 for line in lines)
