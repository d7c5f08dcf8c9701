"""What pages say about themselves: titles, people, times, access, rights."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.metadata.authors import agency_of, people
from cleaning.metadata.dates import parse_time
from cleaning.metadata.find import Metadata, find_metadata
from cleaning.metadata.times import GUESSED
from cleaning.metadata.titles import strip_outlet
from cleaning.page import microdata
from cleaning.page.tree import parse

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


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Nora Beck and Ola Lind", ("Nora Beck", "Ola Lind")),
        ("Von Anne-Marie Kern", ("Anne-Marie Kern",)),
        ("NORA BECK, Moscow correspondent", ("NORA BECK",)),
        ("Beck, Nora", ("Nora Beck",)),
        ("Coast Mirror Staff", ()),
        ("Reuters", ()),
        ("https://coastmirror.example/nora", ()),
        ("牛镛", ("牛镛",)),
        ("(责编：牛镛、岳弘彬)", ("牛镛", "岳弘彬")),
        ("Nora Beck Dec 19, 2025", ("Nora Beck",)),
        ("Nora Beck, Founder", ("Nora Beck",)),
        ('"Nora Beck"', ("Nora Beck",)),
        ("Lauren", ()),
        ("كتبت سلمى الهادي", ("سلمى الهادي",)),
        ("بقلم: كريم منصور", ("كريم منصور",)),
        ("מאת נועה לוי", ("נועה לוי",)),
        ("Автор: Анна Белова", ("Анна Белова",)),
        ("文=山田太郎、写真=鈴木一郎", ("山田太郎",)),
        ("取材・文：山田太郎", ("山田太郎",)),
        ("글 김민지", ("김민지",)),
        ("김민지 기자", ("김민지",)),
        ("记者：张伟", ("张伟",)),
    ],
)
def test_authors_are_people(byline: str, names: tuple[str, ...]) -> None:
    """Bylines give persons, without roles, desks and agencies."""
    assert people([byline], "Coast Mirror") == names


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


def test_a_time_keeps_the_publishers_day() -> None:
    """A time is in the zone that it was written in, so that its day is that of the publisher."""
    found = parse_time("2025-06-19T22:30:00-05:00")
    assert found is not None
    assert found.isoformat() == "2025-06-19T22:30:00-05:00"


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


def test_agencies_are_named_as_usual() -> None:
    """A credit names the agency that it mentions first."""
    assert agency_of("With reporting by AFP, Interfax, and TASS") == "AFP"
    assert agency_of("Happy people") == ""


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2025-06-19T08:30:00+0300", datetime(2025, 6, 19, 5, 30, tzinfo=UTC)),
        ("2025-06-19", datetime(2025, 6, 19, 12, tzinfo=UTC)),
        ("19 June 2025", datetime(2025, 6, 19, 12, tzinfo=UTC)),
        ("June 19, 2025, 8:30 pm EDT", datetime(2025, 6, 20, 0, 30, tzinfo=UTC)),
        ("Thu, 19 Jun 2025 08:30:00 GMT", datetime(2025, 6, 19, 8, 30, tzinfo=UTC)),
        ("1750321800", datetime(2025, 6, 19, 8, 30, tzinfo=UTC)),
        ("2025-13-45", None),
        ("soon", None),
    ],
)
def test_times_as_publishers_write_them(written: str, moment: datetime | None) -> None:
    """ISO 8601, RFC 5322, Unix seconds and written English become aware times; a bare day is noon UTC."""
    assert parse_time(written) == moment


def test_a_page_that_says_nothing_has_the_day_of_its_address() -> None:
    """Without any date in the markup the path's date is taken."""
    found = read("")
    assert (found.published_how, found.published_at) == ("url", datetime(2025, 6, 19, 12, tzinfo=UTC))


@given(st.text(max_size=80))
def test_any_text_may_stand_for_a_time_or_a_name(text: str) -> None:
    """No string makes the parsers fail, and times are aware."""
    moment = parse_time(text)
    assert moment is None or moment.tzinfo is not None
    assert isinstance(people([text], text), tuple)


MARKED = """<main itemscope itemtype="https://schema.org/NewsArticle">
<meta itemprop="isAccessibleForFree" content="False">
<h2 itemprop="headline">Harbour reopens after the flood</h2>
<span itemprop="author" itemscope itemtype="https://schema.org/Person"><i itemprop="name">Ada Marrow</i></span>
<time itemprop="datePublished" datetime="2024-05-06T08:00:00+02:00">6 May</time>
<time itemprop="dateModified" datetime="2024-05-07T09:30:00Z">7 May</time>
<div itemprop="articleBody"><p>Text.</p></div>
<p itemprop="comment" itemscope itemtype="https://schema.org/Comment">
<b itemprop="author" itemscope itemtype="https://schema.org/Person"><i itemprop="name">Tom Reader</i></b></p>
</main>"""


def test_microdata_speaks_where_nothing_else_does() -> None:
    """Headline, author, times and access are read from the elements that schema.org's properties mark."""
    found = read("<title>Harbour reopens after flood | Daily Post</title>", MARKED)
    assert (found.title, found.authors) == ("Harbour reopens after the flood", ("Ada Marrow",))
    assert (found.published_at, found.published_how) == (datetime(2024, 5, 6, 6, tzinfo=UTC), "microdata")
    assert found.modified_at == datetime(2024, 5, 7, 9, 30, tzinfo=UTC)
    assert found.is_paywalled is True


def test_properties_belong_to_the_nearest_item() -> None:
    """Items nest; a value is the attribute for machines where there is one, and the text otherwise."""
    tree = parse(f"<html><body>{MARKED}")
    assert tree is not None
    article, author, comment, reader = microdata.nodes(tree)
    assert article["author"] == [author] == [{"@type": ["https://schema.org/Person"], "name": ["Ada Marrow"]}]
    assert (article["datePublished"], article["isAccessibleForFree"]) == (["2024-05-06T08:00:00+02:00"], ["False"])
    assert comment["author"] == [reader]
    assert "articleBody" not in article


@given(st.lists(st.sampled_from(["<p itemscope>", "<b itemprop='name author'>", "</p>", "text", "<i itemprop>"])))
def test_any_microdata_is_read(parts: list[str]) -> None:
    """Items without a type, properties without an item or a name, and unclosed elements are no errors."""
    tree = parse("<html><body>" + "".join(parts))
    assert tree is not None
    assert all(isinstance(node["@type"], list) for node in microdata.nodes(tree))
