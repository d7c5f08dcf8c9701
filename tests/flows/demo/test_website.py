import gzip
import json
import tomllib
from collections import deque
from datetime import datetime
from email.utils import parsedate_to_datetime

import protego
import pytest

from flows.demo.publishers import PUBLISHERS
from tests.flows.demo.pages import PORT, fetch, links, xml

NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "n": "http://www.google.com/schemas/sitemap-news/0.9",
    "a": "http://www.w3.org/2005/Atom",
}


def site(name: str) -> str:
    """The address of a publisher."""
    return f"http://{name}.newsroom.example:{PORT}"


def robots(newsroom, name):
    """A publisher's robots.txt, parsed."""
    return protego.Protego.parse(fetch(newsroom, f"{site(name)}/robots.txt").body.decode())


def found_urls(newsroom, url, day=1):
    """What a sitemap, an index of sitemaps or a feed lists."""
    response = fetch(newsroom, url, day)
    body = gzip.decompress(response.body) if url.endswith(".gz") else response.body
    if "json" in response.header("Content-Type"):
        return [item["url"] for item in json.loads(body)["items"]]
    tree = xml(body)
    children = [
        u for part in tree.xpath("//s:sitemap/s:loc/text()", namespaces=NAMES) for u in found_urls(newsroom, part, day)
    ]
    own = tree.xpath("//s:url/s:loc/text() | //item/link/text() | //a:entry/a:link/@href", namespaces=NAMES)
    return [str(url).split("?utm")[0] for url in own] + children


def test_robots_come_in_different_kinds(newsroom):
    """One allows all, one forbids a section, one has a crawl-delay, one is missing, one is out of order."""
    assert robots(newsroom, "ledger").can_fetch(f"{site('ledger')}/world/", "likewise")
    assert not robots(newsroom, "almanac").can_fetch(f"{site('almanac')}/members/x.htm", "likewise")
    assert robots(newsroom, "beacon").crawl_delay("likewise") == pytest.approx(0.2)
    assert not robots(newsroom, "pulse").can_fetch(f"{site('pulse')}/world/", "GreedyBot")
    assert robots(newsroom, "pulse").can_fetch(f"{site('pulse')}/world/", "likewise")
    assert list(robots(newsroom, "meridian").sitemaps) == [f"{site('meridian')}/sitemaps/news-7c1.xml"]
    assert fetch(newsroom, f"{site('oldgazette')}/robots.txt").status == 404
    assert fetch(newsroom, f"{site('silent')}/robots.txt").status == 503
    assert b"ai-train=no" in fetch(newsroom, f"{site('sentinel')}/robots.txt").body


@pytest.mark.parametrize("publisher", [p for p in PUBLISHERS if p.feeds or p.sitemaps], ids=lambda p: p.name)
def test_lists_name_the_articles_that_are_online(newsroom, publisher):
    """Each feed and sitemap parses and lists the publisher's articles, and no other page."""
    urls = {t.url for t in newsroom.truth(1) if t.host == publisher.host}
    for path, _ in (*publisher.feeds, *publisher.sitemaps):
        assert set(found_urls(newsroom, site(publisher.name) + path)) == urls


def test_news_sitemaps_carry_title_and_date(newsroom):
    """news:title and news:publication_date agree with the truth."""
    truth = {t.url: t for t in newsroom.truth(1)}
    tree = xml(fetch(newsroom, f"{site('northwire')}/news-sitemap.xml").body)
    for entry in tree.xpath("//s:url", namespaces=NAMES):
        page = truth[entry.findtext("s:loc", namespaces=NAMES)]
        assert entry.findtext(".//n:title", namespaces=NAMES) == page.title
        assert datetime.fromisoformat(entry.findtext(".//n:publication_date", namespaces=NAMES)) == page.published


def test_withdrawals_are_announced_by_a_new_date_or_not_at_all(newsroom):
    """On day 2 an announced withdrawal is still in the sitemap with a later lastmod; a silent one is in no list."""
    listed = {p.host: set() for p in PUBLISHERS}
    for publisher in PUBLISHERS:
        for path, _ in publisher.sitemaps:
            listed[publisher.host].update(found_urls(newsroom, site(publisher.name) + path, 2))
    withdrawn = [t for t in newsroom.truth(2) if t.status == 410]
    assert withdrawn
    assert all((t.url in listed[t.host]) == t.announced for t in withdrawn)


def test_feeds_change_with_the_day_only(newsroom):
    """Asked twice on a day a feed has the same ETag, on the next day another one."""
    url = f"{site('harbourtimes')}/feed.json"
    assert fetch(newsroom, url).header("ETag") == fetch(newsroom, url).header("ETag")
    assert fetch(newsroom, url).header("ETag") != fetch(newsroom, url, 2).header("ETag")
    assert parsedate_to_datetime(fetch(newsroom, url, 2).header("Last-Modified")).tzinfo


def test_the_calendar_never_ends(newsroom):
    """Every month links to a next one that is served, a hundred years on as well."""
    url = f"{site('almanac')}/calendar/2025/12"
    for _ in range(1200):
        year, month = (int(part) for part in url.rsplit("/", 2)[1:])
        url = f"{site('almanac')}/calendar/{year + month // 12}/{month % 12 + 1:02}"
    page = fetch(newsroom, url)
    assert page.status == 200
    assert f"{site('almanac')}/calendar/2126/01" in set(links(url, page))


def test_the_forum_hands_out_new_sessions_for_ever(newsroom):
    """Each forum page links to sessions that no page before it had."""
    url, seen = f"{site('oldgazette')}/forum.php?sid=start", set()
    for _ in range(20):
        fresh = {link for link in links(url, fetch(newsroom, url)) if "sid=" in link and link != url} - {
            f"{site('oldgazette')}/forum.php?sid=start"
        }
        assert not fresh & seen
        seen |= fresh
        url = min(fresh)


def test_sections_are_paged(newsroom):
    """A section's first page links to its other pages, which together list all of its articles."""
    wanted = {t.url for t in newsroom.truth(1) if t.host.startswith("oldgazette") and t.kind == "topic"}
    first = f"{site('oldgazette')}/index.php?section=world"
    pages = {first, *(link for link in links(first, fetch(newsroom, first)) if "section=world&page=" in link)}
    assert len(pages) > 1
    assert wanted <= {link for page in pages for link in links(page, fetch(newsroom, page))}
    assert fetch(newsroom, first + "&page=99").status == 404


def test_wordpress_answers_searches(newsroom):
    """The REST list of posts finds an article by words of its text, and pages through the results."""
    truth = next(t for t in newsroom.truth(1) if t.host.startswith("observer") and t.relevant)
    posts = f"{site('observer')}/wp-json/wp/v2/posts"
    found = json.loads(fetch(newsroom, f"{posts}?search={'+'.join(truth.title.split()[:1])}&per_page=100").body)
    assert truth.url in {post["link"] for post in found}
    assert len(json.loads(fetch(newsroom, f"{posts}?per_page=3&page=2").body)) == 3


@pytest.mark.parametrize(
    "path", ["/nothing", "/world/1999/01/01/no-such", "/calendar/x", "/?p=1", "/x.php?section=nope"]
)
def test_strange_paths_are_not_found(newsroom, path):
    """A path that no page has answers 404."""
    assert fetch(newsroom, site("ledger") + path).status == 404


def test_strange_hosts_are_refused(newsroom):
    """A host name that is no publisher's answers 421."""
    assert newsroom.page("bank.example:8799", "/", 1).status == 421


def test_an_honest_crawler_reaches_every_wanted_article(newsroom):
    """From the recipe's sources, with links to depth 3 and within the budget, nothing wanted is out of reach."""
    sources = tomllib.loads(newsroom.recipe_toml())["sources"]
    rules = {p.host: protego.Protego.parse(p.robots) for p in PUBLISHERS}
    queue = deque((url, 0) for url in (*sources["sites"], *sources["sections"]))
    listed = [url for key in ("feeds", "sitemaps") for source in sources[key] for url in found_urls(newsroom, source)]
    named = [
        u
        for p in PUBLISHERS
        if p.entry == "site"
        for sitemap in robots(newsroom, p.name).sitemaps
        for u in found_urls(newsroom, sitemap)
    ]
    queue.extend((url, 1) for url in (*listed, *named))
    seen = {url for url, _ in queue}
    while queue:
        url, depth = queue.popleft()
        response = fetch(newsroom, url)
        if response.status != 200 or depth == 3 or "calendar" in url or "forum" in url:
            continue
        for link in links(url, response):
            host = link.split("/")[2].split(":")[0]
            if link not in seen and host in rules and rules[host].can_fetch(link, "likewise"):
                seen.add(link)
                queue.append((link, depth + 1))
    assert {t.url for t in newsroom.truth(1) if t.wanted} <= seen
    assert len(seen) < 2000
