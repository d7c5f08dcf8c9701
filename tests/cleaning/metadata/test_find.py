"""What pages say about themselves: titles, people, times, access, rights."""

from datetime import UTC, datetime

import pytest

from cleaning.metadata.find import Metadata, find_metadata
from cleaning.metadata.times import GUESSED
from cleaning.metadata.titles import strip_outlet
from cleaning.page.tree import parse
from tests.cleaning.page.test_microdata import MARKED

URL = "https://www.coastmirror.example/news/2025/06/19/harbour-closes"


def read(head: str, body: str = "<p>x</p>") -> Metadata:
    tree = parse(f"<html lang=en><head>{head}</head><body>{body}</body></html>")
    assert tree is not None
    return find_metadata(tree, URL)


ARTICLE = """<script type="application/ld+json">{"@graph": [
 {"@type": "Organization", "@id": "#o", "name": "Coast Mirror"},
 {"@type": "Person", "@id": "#p", "name": "Nora Beck"},
 {"@type": ["NewsArticle"], "headline": "Harbour closes &amp; ships wait", "datePublished": "2025-06-19T08:30:00+03:00",
  "dateModified": "2025-06-19T09:00:00+03:00", "author": [{"@id": "#p"}, {"@type": "Organization", "name": "Reuters"}],
  "publisher": {"@id": "#o"}, "isAccessibleForFree": "False", "keywords": ["Harbour", "Ships"],},
]}</script>"""


def test_json_ld_is_read_through_references_and_small_faults() -> None:
    """A graph with references, entities and a trailing comma gives title, people, agency, times and access."""
    found = read(ARTICLE)
    assert found.title == "Harbour closes & ships wait"
    assert found.authors == ("Nora Beck",)
    assert found.agency == "Reuters"
    assert found.published_at == datetime(2025, 6, 19, 5, 30, tzinfo=UTC)
    assert (found.published_how, found.is_paywalled, found.tags) == ("json-ld", True, ("Harbour", "Ships"))


def test_a_heading_that_completes_a_cut_headline_is_the_title() -> None:
    """An h1 that begins like a shortened headline is taken in its place."""
    head = '<meta property="og:title" content="Harbour closes after divers find... | Coast Mirror">'
    assert read(head, "<h1>Harbour closes after divers find cracks in the piles</h1>").title.endswith("in the piles")


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Harbour closes | Coast Mirror", "Harbour closes"),
        ("Coast Mirror - Harbour closes", "Harbour closes"),
        ("Harbour closes - what we know", "Harbour closes - what we know"),
        ("Nine-year-old wins", "Nine-year-old wins"),
    ],
)
def test_the_outlets_name_leaves_the_title(title: str, bare: str) -> None:
    """The outlet goes from either end of a title; other parts stay."""
    assert strip_outlet(title, "Coast Mirror", URL) == bare


def written_by(author: str, meta: str = "", publisher: str = "Coast Mirror") -> tuple[str, ...]:
    """The authors of a page with these in its JSON-LD and its head."""
    data = f'{{"@type": "NewsArticle", "headline": "Port", "author": {author}, "publisher": {{"name": "{publisher}"}}}}'
    return read(f'<script type="application/ld+json">{data}</script><meta name="author" content="{meta}">').authors


@pytest.mark.parametrize(
    ("author", "meta", "names"),
    [
        ('{"@type": "Person", "name": "Lauren"}', "", ("Lauren",)),
        ('{"@type": "Person", "name": "Coast Mirror"}', "", ("Coast Mirror",)),
        ('{"@type": "Organization", "name": "Coast Mirror"}', "", ()),
        ('{"@type": "Person", "name": "admin"}', "", ()),
        ('{"@type": "Person", "name": "Mirror"}', "", ()),
        ("null", "Lauren", ("Lauren",)),
        ("null", "Coast Mirror", ()),
        ('{"@type": "Person", "name": "Lauren"}', "Nora Beck", ("Nora Beck",)),
    ],
)
def test_what_is_stated_to_be_a_person_is_believed(author: str, meta: str, names: tuple[str, ...]) -> None:
    """A stated author may have one name, or the site's own, but no desk's, and full names come first."""
    assert written_by(author, meta) == names


def undated(body: str) -> Metadata:
    tree = parse(f"<html><body>{body}</body></html>")
    assert tree is not None
    return find_metadata(tree, "https://x.example/a")


def test_a_day_in_the_text_is_the_last_resort() -> None:
    """A page whose markup and address say no day has that of its text, and says so; a lone year is no day."""
    dated, lone = (
        undated(f"<p>{text}</p>")
        for text in ("</p><footer>© 2024</footer><div>October 3, 2024</div>", "Copyright 2024")
    )
    assert (dated.published_how, dated.published_at) == (GUESSED, datetime(2024, 10, 3, 12, tzinfo=UTC))
    assert lone.published_at is None


def test_a_page_that_says_nothing_has_the_day_of_its_address() -> None:
    """Without any date in the markup the path's date is taken."""
    found = read("")
    assert (found.published_how, found.published_at) == ("url", datetime(2025, 6, 19, 12, tzinfo=UTC))


def test_microdata_speaks_where_nothing_else_does() -> None:
    """Headline, author, times and access are read from the elements that schema.org's properties mark."""
    found = read("<title>Harbour reopens after flood | Daily Post</title>", MARKED)
    assert (found.title, found.authors) == ("Harbour reopens after the flood", ("Ada Marrow",))
    assert (found.published_at, found.published_how) == (datetime(2024, 5, 6, 6, tzinfo=UTC), "microdata")
    assert found.modified_at == datetime(2024, 5, 7, 9, 30, tzinfo=UTC)
    assert found.is_paywalled is True
