"""Furniture that nothing was fitted on: other languages, other names, other markup; articles stay whole, in order."""

import pytest

from cleaning.article.furniture import reason_of
from cleaning.extract import ExtractOptions, examine, extract
from cleaning.schema import Page

HEAD = (
    '<meta charset="utf-8"><meta property="og:type" content="article">'
    '<meta property="article:published_time" content="2025-06-03T09:00:00+02:00">'
)
GERMAN = """
<header class="top"><a href="/">Küstenbote</a><nav><ul><li><a href="/politik">Politik</a></ul></nav></header>
<ol class="brotkrumen"><li><a href="/">Start</a></li><li><a href="/region">Region</a></li></ol>
<main><article><span class="dachzeile">Schifffahrt</span><h1>Hafen von Norden bleibt bis Montag geschlossen</h1>
<p class="vorspann">Nach dem Unfall vom Sonntag prüfen Taucher die Spundwand; die Fähren fahren von Emden aus.</p>
<div class="autorzeile">Von Inge Poppinga</div><div class="datum">3. Juni 2025, 9:00 Uhr</div>
<ul class="teilen"><li><a>Teilen</a><li><a>Merken</a><li><a>Drucken</a></ul>
<figure><img src=a.jpg><figcaption>Die beschädigte Kaimauer am Sonntagabend. Foto: Enno Smit</figcaption></figure>
<p>Der Hafen von Norden bleibt nach Angaben der Behörde mindestens bis Montag geschlossen, weil ein Frachter die
Kaimauer gerammt hat.</p>
<p>Verletzt wurde niemand. Der Kapitän sagte der Polizei, die Maschine habe nicht auf das Kommando reagiert.</p>
<div class="anzeige">Anzeige</div><h2>Fähren weichen aus</h2>
<p>Die Reederei schickt ihre Schiffe vorerst nach Emden. Fahrkarten behalten ihre Gültigkeit, Autos brauchen eine neue
Reservierung.</p>
<aside class="mehr"><h3>Lesen Sie auch</h3><ul><li><a href="/a">Warum die Schleuse so oft klemmt</a></ul></aside>
<blockquote><p>„So etwas habe ich in dreißig Jahren nicht gesehen“, sagte Hafenmeister Tamme Janssen.</p></blockquote>
<p>Drei Dinge müssen vor der Öffnung geschehen:</p>
<ul><li>Taucher untersuchen die Spundwand auf ganzer Länge.</li><li>Ein Statiker rechnet die Lasten der Kräne nach.</li>
<li>Die Fahrrinne wird auf Trümmer abgesucht.</li></ul>
<p>Wann die Kaimauer repariert wird, ist offen. Das Land hat Hilfe bei den Kosten zugesagt.</p>
<div class="nl-box"><h3>Küstenbote am Morgen</h3><p>Was an der Küste wichtig wird: Bestellen Sie unseren Morgenbrief
kostenlos per E-Mail.</p><input type=email><button>Bestellen</button></div>
<div class="autor-info"><p>Inge Poppinga, Jahrgang 1981, berichtet seit 2009 für den Küstenboten über Häfen.</p></div>
</article><section class="kommentare"><h3>3 Kommentare</h3><div><b>Fietje</b><p>Das musste ja so kommen, die Anlage ist
doch seit Jahren marode und keiner tut was.</p><a>Antworten</a></div></section>
<section class="teaser-liste"><h2>Meistgelesen</h2><div class="teaser"><a href="/c"><h3>Bäcker schließt</h3>
<p>Die letzte Filiale in der Altstadt macht im August zu.</p></a></div></section></main>
<footer><p>© 2025 Küstenbote Verlag</p></footer>"""
ARABIC = """
<header><a href="/">صوت الساحل</a><nav><a href="/1">سياسة</a> <a href="/2">اقتصاد</a></nav></header>
<article dir="rtl"><h1>الحكومة تؤجل افتتاح الميناء الجديد إلى الخريف</h1>
<p>أعلنت وزارة النقل يوم الثلاثاء تأجيل افتتاح الميناء الجديد إلى شهر أكتوبر المقبل بسبب تأخر الرافعات.</p>
<p>وقال الوزير في مؤتمر صحفي إن الأعمال البحرية انتهت بالكامل، وإن ما تبقى هو تركيب المعدات وتدريب العاملين.</p>
<p class="related"><a href="/4">اقرأ أيضا: أسعار الشحن ترتفع للشهر الثالث على التوالي</a></p>
<p>وتبلغ تكلفة المشروع نحو ستمئة مليون دولار، يمول البنك الدولي ثلثها بقرض طويل الأجل، وتتحمل الحكومة الباقي.</p>
<div class="newsletter"><p>اشترك في نشرتنا البريدية لتصلك أهم الأخبار كل صباح</p></div>
<p>ومن المتوقع أن يستقبل الميناء في عامه الأول أكثر من أربعمئة سفينة، بحسب تقديرات هيئة الموانئ.</p></article>
<section class="comments"><h3>التعليقات</h3><p>أضف تعليقا</p></section><footer><p>جميع الحقوق محفوظة</p></footer>"""
LIVE = """
<header><a href="/">Marsh Gazette</a></header><main><div class="story"><p class="kicker">LIVE</p>
<h1>Talks resume on the river treaty</h1>
<p class="byline">By <a href="/staff/noor-achterberg">Noor Achterberg</a> and Piet Sang, Brussels</p>
<div class="live-bar"><span>Updated 4 min ago</span><button>Get alerts</button></div>
<p>Talks resume on the river treaty</p>
<p>Delegations of the three countries on the river Marsh sat down again on Tuesday, eleven weeks after the last round
had ended without a date for another.</p>
<p>The draft on the table runs to forty pages and leaves open only the share of water of the lower valley.</p>
<div class="inline-promo"><strong>Our reporters work for you.</strong> <a href="/join">Become a member of the
Gazette for the price of a coffee</a></div>
<p>“There is will on all sides,” said Emeka Dahl, who speaks for the upper valley. “What is missing is a number.”</p>
<table><tr><th>Country</th><th>Share today</th></tr><tr><td>Upper Marsh</td><td>41 %</td></tr>
<tr><td>Lower Marsh</td><td>35 %</td></tr></table>
<blockquote class="twitter-tweet"><p>BREAKING: delegations are back in the room, says my source #rivertalks</p>&mdash;
Jo Bloggs (@jobloggs) <a href="https://twitter.com/x">June 3, 2025</a></blockquote>
<p>You have read 3 of your 5 free articles this month.</p>
<p>The mediators want a text by Friday, when the lower house of the southern state goes into its summer recess.</p>
<p><em>Noor Achterberg is the Gazette's correspondent in Brussels. She has written about water since 2012.</em></p>
<p><em>With reporting by Anneke Lobo in Duin</em></p>
<div class="more-stories"><h4>More in this section</h4><a href="/x1">Dam inspectors find old mistake</a></div>
</div></main><div id="cookie"><p>We and our partners use cookies to improve this site. <button>OK</button></p></div>"""
GARBLED = """<article><h1>CafÃ© owners ask for help</h1>
<p>The cafÃ© owners of Tarn have asked the town for help\u200b after a winter\u00ad in which half of their tables stayed
empty every evening.</p>
<p>â€œWe canâ€™t go on like this,â€\u009d said JosÃ© PeÃ±a, who runs two places at the market and employs nineteen.</p>
<p>\u202eThe council\u202c will look at the request in its \u2066next meeting\u2069, which has been called for June.</p>
</article>"""

PAGES = {
    "German": (
        "Hafen von Norden bleibt bis Montag geschlossen",
        GERMAN,
        [
            "Nach dem",
            "Der Hafen",
            "Verletzt",
            "Fähren",
            "Die Reederei",
            "„So etwas",
            "Drei Dinge",
            "- Taucher",
            "- Ein Statiker",
            "- Die Fahrrinne",
            "Wann die",
        ],
    ),
    "Arabic": (
        "الحكومة تؤجل افتتاح الميناء الجديد إلى الخريف",
        ARABIC,
        ["أعلنت وزارة", "وقال الوزير", "وتبلغ تكلفة", "ومن المتوقع"],
    ),
    "live": (
        "Talks resume on the river treaty",
        LIVE,
        [
            "Delegations",
            "The draft",
            "“There is",
            "Country | Share today",
            "Upper Marsh | 41 %",
            "Lower Marsh | 35 %",
            "The mediators",
        ],
    ),
    "garbled": (
        "CafÃ© owners ask for help",
        GARBLED,
        ["The café owners", "“We can’t go on like this,”", "The council"],
    ),
}


def given(name: str) -> Page:
    title, body, _ = PAGES[name]
    html = f"<!doctype html><html><head><title>{title} | Bote</title>{HEAD}</head><body>{body}</body></html>"
    return Page(f"https://www.{name.lower()}.example/2025/06/03/a-story-of-the-day", html.encode())


@pytest.mark.parametrize("name", PAGES)
def test_the_article_stays_whole_and_in_order_and_nothing_else_does(name: str) -> None:
    """Each paragraph, heading, list item, quotation and row of the article is kept in reading order, alone."""
    paragraphs = extract(given(name)).text.split("\n\n")
    starts = PAGES[name][2]
    assert [text for text in paragraphs if not text.startswith(tuple(starts))] == []
    assert [next(i for i, text in enumerate(paragraphs) if text.startswith(start)) for start in starts] == list(
        range(len(starts))
    )


def test_no_invisible_character_is_left() -> None:
    """Zero-width, soft-hyphen and direction characters, and mojibake, are gone from text and title."""
    record = extract(given("garbled"))
    assert not set("\u200b\u00ad\u202e\u202c\u2066\u2069Ã") & set(record.text + record.title)
    assert record.title == "Café owners ask for help"


def test_the_lede_is_kept_unless_it_is_not_wanted() -> None:
    """The standfirst opens the text by default; without it the text begins with the first paragraph."""
    assert extract(given("German")).text.startswith("Nach dem Unfall")
    found = examine(given("German"), ExtractOptions(lede=False))
    assert found.record.text.startswith("Der Hafen von Norden bleibt nach Angaben")
    assert [choice.reason for choice in found.choices if "lede" in choice.reason] == [
        "the lede, which the recipe leaves out"
    ]


def test_a_lede_that_the_classifier_missed_is_put_back() -> None:
    """A block above the text that has the words of the page's description is the article's first."""
    lede = "Divers look at the wall after the accident of Sunday; the ferries leave from Emden for so long."
    paragraphs = "".join(
        f"<p>The harbour stays closed until day {i} at least, the port authority said on Tuesday, because a freighter "
        f"has rammed the quay in berth number {i} and its wall has to be looked at.</p>"
        for i in range(1, 7)
    )
    html = (
        f'<html><head>{HEAD}<meta name="description" content="{lede}"><title>Harbour closed</title></head><body>'
        f'<div class="tools"><span class="share">{lede}</span><ul><li><a href="/x">Share</a></ul></div>'
        f"<article><h1>Harbour closed</h1>{paragraphs}</article></body></html>"
    )
    assert extract(Page("https://x.example/2025/06/harbour-closed", html.encode())).text.startswith(lede)


@pytest.mark.parametrize(
    "line",
    [
        "You have read 3 of your 5 free articles this month.",
        "You’ve reached your monthly limit of free stories",
        "You have 2 free articles left.",
        "Sie haben in diesem Monat bereits vier kostenlose Artikel gelesen.",
        "Il vous reste 2 articles à lire gratuitement ce mois-ci.",
        "Has leído 3 de tus 5 artículos gratis de este mes",
        "Ti restano 2 articoli gratuiti questo mese",
        "Você já leu 4 das 5 matérias gratuitas deste mês",
        "Je hebt nog 2 gratis artikelen deze maand",
        "Вы прочитали 3 из 5 бесплатных статей",
        "Pozostały 2 bezpłatne artykuły w tym miesiącu",
        "残り2本の無料記事があります",
        "今月の無料記事は残り1本です",
        "本月免费文章剩余2篇",
        "이번 달 무료 기사 2건이 남았습니다",
    ],
)
def test_the_meter_of_a_paywall_is_furniture(line: str) -> None:
    """Lines that count a reader's free articles are told in the languages of their publishers."""
    assert reason_of(line) == "article meter"


@pytest.mark.parametrize(
    "line",
    [
        "You have read the reports, the minister told the committee, and you know what they say.",
        "“You have two stories left to tell,” she said, “and both of them are about the harbour.”",
        "Sie haben in diesem Jahr keine kostenlosen Tests mehr angeboten.",
    ],
)
def test_a_sentence_about_reading_is_no_meter(line: str) -> None:
    """Sentences that only share words with meters stay."""
    assert reason_of(line) == ""


def test_the_heading_of_a_box_goes_with_it_and_that_of_a_section_stays() -> None:
    """A heading is left out with the prompt under it, unless a paragraph of the article stands in the same element."""
    body = GERMAN.replace("<h2>Fähren weichen aus</h2>", "<section><h2>Fähren weichen aus</h2>").replace(
        "Reservierung.</p>", "Reservierung.</p><p>Bestellen Sie unseren Morgenbrief per E-Mail.</p></section>"
    )
    html = f"<html><head><title>Hafen von Norden</title>{HEAD}</head><body>{body}</body></html>"
    text = extract(Page("https://www.kueste.example/2025/06/03/a-story-of-the-day", html.encode())).text
    assert "Fähren weichen aus" in text
    assert "Küstenbote am Morgen" not in text
