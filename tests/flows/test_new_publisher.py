"""Nothing outside the newsroom knows its templates: a publisher whose markup was never seen does as well."""

from pathlib import Path

from flows.demo.newsroom import Newsroom
from flows.demo.publishers import Publisher
from flows.demo.score import score
from flows.demo.server import serve
from flows.runs import start_run
from flows.stages import run_stages
from tests.flows.conftest import published_rows, write_newsroom_recipe

MARKUP = """<!doctype html><html lang="en"><head><title>{{ title }} :: {{ site.title }}</title>
{% for feed in site.feeds %}<link rel="alternate" type="{{ feed.type }}" href="{{ feed.url }}">{% endfor %}
{% if article %}<link rel="canonical" href="{{ article.url }}">
<meta property="og:type" content="article"><meta property="og:title" content="{{ article.headline }}">
<meta property="article:published_time" content="{{ article.published | iso }}">{% endif %}</head>
<body><app-shell><app-masthead><a href="/">{{ site.title }}</a>
{% for section in site.sections %} <a href="{{ section.url }}">{{ section.title }}</a>{% endfor %}</app-masthead>
{% if article %}<reading-pane>
<hgroup><p class="kicker">{{ article.section }}</p><h1>{{ article.headline }}</h1></hgroup>
<p class="who">Reported by {{ article.authors | join(', ') or 'our desk' }} for {{ site.title }}</p>
<story-text>{% for paragraph in article.paragraphs %}<div class="para">{{ paragraph }}</div>
{% if loop.index == 2 %}<div class="plug"><b>You may also like</b>
{% for item in teasers[:3] %}<a href="{{ item.url }}">{{ item.title }}</a><br>{% endfor %}</div>{% endif %}{% endfor %}
</story-text>
<div class="give"><b>Support independent reporting</b> Become a member from two marks a month
and help us stay free for all.
<a href="/join">Join now</a></div>
<div class="talk"><b>3 readers are talking about this</b> <a href="/login">Log in to join the conversation</a></div>
</reading-pane>
{% else %}<h1>{{ listing.title }}</h1>{% for item in listing.entries %}
<card-box><h3><a href="{{ item.url }}">{{ item.title }}</a></h3><span>{{ item.summary }}</span></card-box>{% endfor %}
{% for page in listing.pages %}<a href="{{ page.url }}">{{ page.number }}</a> {% endfor %}
{% for link in links %}<a href="{{ link.url }}">{{ link.title }}</a>{% endfor %}{% endif %}
<side-rail><h4>Trending today</h4>
{% for item in popular %}<a href="{{ item.url }}">{{ item.title }}</a><br>{% endfor %}</side-rail>
<app-foot>&copy; {{ site.title }} Publishing House. Terms. Privacy. Imprint.</app-foot></app-shell></body></html>"""

NEWCOMER = Publisher(
    name="newcomer",
    title="The Newcomer",
    markup=MARKUP,
    path="/{section}/{slug}-{id}",
    feeds=(("/feed.json", "json"),),
    entry="site",
    share=8,
)


def test_a_publisher_with_an_unseen_template_does_as_well(tmp_path: Path) -> None:
    """With a publisher of another markup the figures of the newsroom hold, and its own articles are clean."""
    newsroom = Newsroom(11, extra_publishers=(NEWCOMER,))
    with serve(newsroom, port=0) as server:
        dataset = write_newsroom_recipe(tmp_path, newsroom, server)
        run_stages(start_run(dataset, "r1"))
        truth = server.truth()
    rows = published_rows(dataset)
    whole = score(rows, truth)
    assert whole.recall >= 0.95, whole.missed
    assert whole.precision >= 0.9, whole.wrong
    assert whole.word_f1 >= 0.97
    own = [row for row in rows if row["domain"] == NEWCOMER.host]
    assert own
    assert score(own, [page for page in truth if page.host == NEWCOMER.host]).word_f1 >= 0.97
