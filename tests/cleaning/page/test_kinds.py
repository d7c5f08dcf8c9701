"""Pages that are no articles: each kind gets its own verdict, and articles that look a little like them stay."""

import re
from pathlib import Path

import pytest

from cleaning.extract import examine, extract
from cleaning.schema import Page
from cleaning.verdict import Verdict

SITE = "https://www.tarnpost.example"
MENU = "".join(
    f'<li><a href="/{name.lower()}">{name}</a></li>'
    for name in ("Home", "Politics", "Business", "Sport", "Culture", "Weather", "Jobs", "Subscribe")
)
FOOT = '<footer><p>© 2025 Tarn Post Media</p><a href="/imprint">Imprint</a> <a href="/privacy">Privacy</a></footer>'
HEADLINES = (
    "Council votes to keep the swimming bath open", "Ferry line to the islands gets two new ships",
    "Storm leaves nine thousand homes without power", "Museum returns mask to its owners after a century",
    "Strike of the tram drivers enters its second week", "New bridge is to cost a third more than planned",
    "Court hears the case of the missing harbour money", "Farmers ask for help after the driest spring",
    "Mayor will not stand again, her party says", "School meals are free from the autumn on",
    "Night trains return to the northern line", "Two charged over the fire in the market hall",
)  # fmt: skip
PARAGRAPHS = (
    "The council of Tarn voted on Tuesday evening to keep the old swimming bath open for at least ten more years.",
    "Twenty-one of the thirty-nine members were for the plan, which had been on the table since last spring.",
    "“We have listened to the people who swim there every morning,” said Greta Holm, who leads the largest group.",
    "The repairs are to begin in September and will cost eleven million crowns, of which the region pays a third.",
    "Opponents had asked for a new bath at the station, which would have been larger but also twice as expensive.",
    "A decision on the price of tickets is expected at the next meeting, which has been called for the third of June.",
)


def page(title: str, body: str, head: str = "") -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}'
        '<script src="/app.js"></script></head><body><header><a href="/">The Tarn Post</a>'
        f"<nav><ul>{MENU}</ul></nav></header>{body}{FOOT}</body></html>"
    )


def cards(size: int = 12, teaser: str = "") -> str:
    return "".join(
        f'<div class="card"><a href="/2025/05/{re.sub("[^a-z]+", "-", text.lower())}"><h3>{text}</h3>{teaser}</a>'
        f"<span>{i + 1} hours ago</span></div>"
        for i, text in enumerate(HEADLINES[:size])
    )


def ld(text: str) -> str:
    return f'<script type="application/ld+json">{{"@context":"https://schema.org",{text}}}</script>'


PRODUCT = (
    '<div class="product"><h1>Harbour kettle, 1.7 l</h1><p class="price">€ 39.90</p><button>Add to cart</button>'
    "<ul><li>Stainless steel</li><li>2200 W</li><li>Cordless base</li><li>Two years of warranty</li></ul>"
    "<p>Boils a litre in three minutes and keeps it warm for half an hour, with a filter that you can take out.</p>"
    "<table><tr><td>Weight</td><td>1.1 kg</td></tr><tr><td>Colour</td><td>Blue</td></tr></table>"
    "<h2>Customers also bought</h2><ul><li>Tea pot € 19.90<li>Cups, set of six € 24.90<li>Toaster € 44.90</ul></div>"
)
FORUM = "".join(
    f'<div class="post"><a href="/user/{name}">{name}</a><span>{posts} posts</span><p>{text}</p><a href="#">Reply</a>'
    '<a href="#">Quote</a><a href="#">Report</a></div>'
    for name, posts, text in (
        ("mooring_mike", 312, "Anyone know if the slipway at Tarn is free on weekends? We want to bring the dinghy."),
        ("salty", 45, "It was last year, but there is a barrier now. You need a token from the harbour office."),
        ("ann1970", 1204, "Yes, token costs 5 crowns, they take cards. Do not park on the left, I got a ticket there."),
        ("mooring_mike", 313, "Cheers both! Will report back how it went :-)"),
        ("tidewatch", 9, "Sorry to bump this, is the barrier still there? Planning to come over in July."),
    )
)
GALLERY = "".join(
    f'<figure><img src="/g/{i}.jpg"><figcaption>{i} / 9 {text}, on Sunday. Photo: Per Lund</figcaption></figure>'
    for i, text in enumerate(HEADLINES[:9], 1)
)
OPEN_GRAPH = '<meta property="og:type" content="{}">'

KINDS: dict[str, tuple[str, str, Verdict]] = {
    "listing": (
        "/search?q=harbour&page=2",
        page("Search results for “harbour”", f"<main><h1>218 results</h1>{cards()}<a href='?page=3'>Next</a></main>"),
        Verdict.LISTING,
    ),
    "front page": (
        "/",
        page("The Tarn Post", f"<main>{cards()}</main>", OPEN_GRAPH.format("website")),
        Verdict.SECTION,
    ),
    "section": (
        "/politics",
        page("Politics - The Tarn Post", f"<main><h1>Politics</h1>{cards()}</main>", ld('"@type":"CollectionPage"')),
        Verdict.SECTION,
    ),
    "video": (
        "/video/ferry-sails-again-8812",
        page(
            "Watch: the ferry sails again",
            '<main><h1>Watch: the ferry sails again</h1><video src="/v.mp4"></video><p>The ferry to the islands left '
            f"Tarn on Monday for the first time since the storm.</p><h2>More videos</h2>{cards(8)}</main>",
            ld('"@type":"VideoObject","name":"Watch: the ferry sails again"') + OPEN_GRAPH.format("video.other"),
        ),
        Verdict.VIDEO,
    ),
    "gallery": (
        "/pictures/gallery/storm-in-pictures",
        page("The storm in pictures", f"<main><h1>The storm in pictures</h1>{GALLERY}</main>"),
        Verdict.GALLERY,
    ),
    "product": (
        "/shop/harbour-kettle",
        page("Harbour kettle, 1.7 l", f"<main>{PRODUCT}</main>", ld('"@type":"Product","name":"Harbour kettle"')),
        Verdict.PRODUCT,
    ),
    "forum": (
        "/forum/thread/slipway-at-tarn.4411",
        page(
            "Slipway at Tarn?", f"<main><h1>Slipway at Tarn?</h1>{FORUM}</main>", ld('"@type":"DiscussionForumPosting"')
        ),
        Verdict.FORUM,
    ),
    "challenge": (
        "/2025/05/council-votes",
        page("Just a moment...", "<main><h1>Checking your browser</h1><p>This takes up to five seconds.</p></main>"),
        Verdict.ERROR_PAGE,
    ),
    "server error": (
        "/2025/05/council-votes",
        page("503 Service Unavailable", "<main><h1>Service Unavailable</h1><p>Try again later.</p></main>"),
        Verdict.ERROR_PAGE,
    ),
    "soft 404": (
        "/2025/05/gone",
        page(
            "Page not found | The Tarn Post",
            "<main><h1>Sorry, this page could not be found</h1><p>It may have been moved or deleted. Search, or "
            f"go on with one of these stories.</p>{cards(4)}</main>",
        ),
        Verdict.SOFT_404,
    ),
    "soft 404 in German": (
        "/2025/05/weg",
        page(
            "Seite nicht gefunden",
            "<main><h1>Diese Seite wurde leider nicht gefunden</h1><p>Bitte suchen Sie.</p></main>",
        ),
        Verdict.SOFT_404,
    ),
    "consent wall": (
        "/2025/05/council-votes",
        "<html lang='en'><head><title>The Tarn Post</title><script src='/cmp.js'></script></head><body><h2>Read on "
        "with advertising</h2><p>We and our 212 partners store and access information on a device, such as cookies, to "
        "show you advertising that suits you and to measure it. You can withdraw your consent at any time.</p>"
        "<button>Accept all</button><button>Manage options</button><a href='/login'>Subscribers</a></body></html>",
        Verdict.CONSENT_WALL,
    ),
    "consent wall in French": (
        "/2025/05/conseil",
        "<html lang='fr'><head><title>Le Courrier</title><script src='/cmp.js'></script></head><body><p>Avec votre "
        "accord, nos partenaires et nous utilisons des cookies pour mesurer l’audience et afficher de la publicité.</p>"
        "<button>Tout accepter</button><button>Continuer sans accepter</button></body></html>",
        Verdict.CONSENT_WALL,
    ),
    "JavaScript only": (
        "/2025/05/council-votes",
        "<!doctype html><html><head><title>The Tarn Post</title><script src='/main.3f2.js'></script></head><body>"
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id='root'></div></body></html>",
        Verdict.NEEDS_JAVASCRIPT,
    ),
    "JavaScript notice": (
        "/2025/05/council-votes",
        page(
            "The Tarn Post", "<p>Pour lire cet article, activez JavaScript dans votre navigateur, puis rechargez.</p>"
        ),
        Verdict.NEEDS_JAVASCRIPT,
    ),
    "empty": ("/2025/05/nothing", "<html><body><img src='/logo.png'></body></html>", Verdict.NO_TEXT),
    "tiny": (
        "/2025/05/brief",
        "<html><title>In brief</title><body><article><p>The ferry sails again on Monday.</p></article></body></html>",
        Verdict.TOO_SHORT,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_page_has_its_own_verdict(name: str) -> None:
    """A listing is a listing, a video a video, and so on, each with a reason, before its article is sought."""
    path, html, verdict = KINDS[name]
    found = examine(Page(SITE + path, html.encode()))
    assert found.record.verdict is verdict, found.record.reason
    assert found.record.reason
    assert not found.blocks


@pytest.mark.parametrize(
    ("status", "content_type", "body", "verdict"),
    [
        (404, "text/html", page("Gone", "<p>Gone</p>").encode(), Verdict.ERROR_PAGE),
        (200, "application/pdf", b"<p>text", Verdict.NOT_HTML),
        (200, "", b"%PDF-1.7", Verdict.NOT_HTML),
        (200, "", b"\x89PNG\r\n\x1a\n<p>", Verdict.NOT_HTML),
        (200, "application/json", b'{"a": 1}', Verdict.NOT_HTML),
        (200, "application/rss+xml", b"<rss><channel></channel></rss>", Verdict.NOT_HTML),
    ],
)
def test_what_is_no_page_is_not_looked_into(status: int, content_type: str, body: bytes, verdict: Verdict) -> None:
    """The status and the type are enough."""
    assert extract(Page(f"{SITE}/2025/05/a", body, content_type, status)).verdict is verdict


def story(title: str, extra: str = "", head: str = "") -> str:
    body = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    meta = '<meta name="author" content="Ida Brandt"><meta property="article:published_time" content="2025-05-06">'
    return page(title, f"<main><article><h1>{title}</h1>{extra}{body}</article></main>", meta + head)


@pytest.mark.parametrize(
    ("path", "html"),
    [
        ("/2025/05/page-not-found", story("Page not found: how the council lost its archive")),
        ("/video/council-votes", story("Council votes", "<video src='/v.mp4'></video>", OPEN_GRAPH.format("article"))),
        ("/politics/cookies-and-consent", story("Accept all? What a cookie banner must say")),
        ("/gallery/council-votes", story("Council votes", GALLERY, OPEN_GRAPH.format("article"))),
        ("/shop-talk/kettle-prices-rise", story("Kettle prices rise to €40", "", OPEN_GRAPH.format("article"))),
        ("/2025/05/council-votes", story("Council votes", "<noscript>Please enable JavaScript.</noscript>")),
    ],
)
def test_articles_about_such_things_stay(path: str, html: str) -> None:
    """A title, an address, a player, pictures or a notice alone make no article another kind of page."""
    found = extract(Page(SITE + path, html.encode()))
    assert found.verdict is Verdict.KEPT, found.reason
    assert found.text.endswith(PARAGRAPHS[-1])


@pytest.mark.parametrize("folder", ["news-pages", "wcxb-dev"])
def test_hardly_an_article_of_the_corpora_is_turned_away_by_a_rule(folder: str) -> None:
    """Of every tenth labelled article, the rules (which are fitted on nothing) turn none away."""
    corpora = Path(__file__).parents[3] / "../shared/corpora"
    if not (corpora / folder).is_dir():
        pytest.skip(f"{folder} is not there")
    from cleaning.page.blocks import segment
    from cleaning.page.decode import decode
    from cleaning.page.glance import signs_of
    from cleaning.page.kinds import media_kind, stand_in
    from cleaning.page.tree import parse
    from training.pages import read_corpora

    labelled = [page for page in read_corpora(corpora) if page.kind == "article" and page.corpus == folder][::10]
    lost = []
    for one in labelled:
        tree = parse(decode(one.html).text)
        assert tree is not None
        found, signs = segment(tree), signs_of(tree, one.url)
        if kind := stand_in(found, signs) or media_kind(found, signs):
            lost.append((one.url, kind))
    assert lost == []
