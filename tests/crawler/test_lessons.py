"""What a crawl learns from the titles and sections that it has seen."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.lessons import Lessons, SectionLessons, section_words
from crawler.state import open_database

PAGES = [
    ("Velmar talks fail again", True),
    ("Velmar talks resume on Friday", True),
    ("Velmar mayor opens ring road", False),
    ("Velmar mayor opens library", False),
    ("Velmar mayor opens school", False),
]


def taught(pages: list[tuple[str, bool]]) -> Lessons:
    """The lessons of some titles."""
    lessons = Lessons()
    for title, relevant in pages:
        lessons.add(title, "https://e.com/1", relevant=relevant)
    return lessons


def test_words_of_irrelevant_pages_lower_a_title() -> None:
    """And those of relevant ones raise it; what both have in common says nothing."""
    lessons = taught(PAGES)
    bad = lessons.factor("Velmar mayor opens bridge", "https://e.com/2")
    good = lessons.factor("Velmar talks end", "https://e.com/3")
    assert bad < 0.5 < 1.0 < good
    assert lessons.factor("Velmar", "https://e.com/4") == pytest.approx(1.0, abs=0.15)


def test_the_strongest_words_are_named() -> None:
    """So that a run's statistics can say what moved its order."""
    assert taught(PAGES).strongest(2) == {"raising": ["talk", "again"], "lowering": ["open", "mayor"]}
    assert Lessons().strongest() == {"raising": [], "lowering": []}


def test_unknown_words_and_no_pages_change_nothing() -> None:
    """A title is judged by the seeds alone until something is known of its words."""
    assert Lessons().factor("Velmar talks end", "https://e.com/3") == 1.0
    assert taught(PAGES).factor("Orchard pruning", "https://e.com/5") == 1.0


@given(st.lists(st.tuples(st.text(max_size=30), st.booleans()), max_size=30), st.text(max_size=30))
def test_the_factor_is_bounded_whatever_is_learnt(pages: list[tuple[str, bool]], title: str) -> None:
    """No title is given up, and none put before everything, by its words alone."""
    assert 0.1 <= taught(pages).factor(title, "https://e.com/1") <= 1.5 + 1e-9


def test_sections_are_known_by_their_words_on_every_site() -> None:
    """Sport that promised nothing on one site is expected to promise little on the next, on any of its pages."""
    lessons = SectionLessons()
    assert lessons.factor("https://a.com/sport/") == 1.0
    for host in ("a", "b", "c"):
        lessons.add(f"https://{host}.com/sport/", 0.02)
        lessons.add(f"https://{host}.com/index.php?section=world", 0.4)
    assert lessons.factor("https://d.com/sport/?page=2") < 0.5
    assert lessons.factor("https://d.com/category/world/page/2/") > 1.0
    assert lessons.factor("https://d.com/opinion/") == 1.0
    assert section_words("https://d.com/category/world/page/12/?x=5") == {"category", "world", "page"}


def test_lessons_are_those_of_all_runs(tmp_path: Path) -> None:
    """What a state's pages have taught is there when its next run begins; section pages teach nothing."""
    database = open_database(tmp_path)
    rows = [
        ("a", "Velmar talks fail once again", 1, "feed"),
        ("b-12345", "Velmar mayor opens road", 0, "section"),
        ("world", "World", 0, "section"),
    ]
    for key, title, relevant, kind in rows:
        database.execute(
            "INSERT INTO urls(key, url, host, role, state, score, run_id, title, relevant, kind, fetched)"
            " VALUES(?, 'https://e.com/' || ?, 'e.com', 'page', 1, 0, 'r1', ?, ?, ?, 1)",
            (key, f"{key}/", title, relevant, kind),
        )
    lessons = Lessons.of(database)
    database.close()
    assert (lessons.fetched, lessons.relevant) == (2, 1)
    assert lessons.words["velmar"] == (2, 1)
