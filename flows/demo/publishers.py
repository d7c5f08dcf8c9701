"""The publishers of the newsroom: who prints what, in which markup, and how a crawler is told about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

DOMAIN = "newsroom.example"
AGENCY = "northwire"
"""The publisher whose articles the others copy."""

SECTION = {
    "topic": "world",
    "domestic": "world",
    "othersummit": "world",
    "flood": "world",
    "front": "world",
    "sanctions": "world",
    "briefing": "world",
    "chancellor": "world",
    "trade": "business",
    "business": "business",
    "markets": "business",
    "football": "sport",
    "results": "sport",
    "exchange": "culture",
    "culture": "culture",
    "technology": "technology",
    "science": "science",
    "crime": "local",
    "health": "life",
    "lifestyle": "life",
    "weather": "weather",
    "kultur": "kultur",
    "lokales": "lokales",
}
"""Kind of article -> section that prints it."""

NEAR_POLITICS = ("front", "sanctions", "briefing", "chancellor")
"""The same leaders, spokesmen and conflict as in the topic, but no word of a meeting: the hardest to tell from it."""

NEAR = (*NEAR_POLITICS, "trade", "football", "domestic", "exchange", "othersummit", "flood")
LOOKALIKE = ("weather", "markets", "results")
ELSEWHERE = ("culture", "technology", "crime", "health", "science", "business", "lifestyle")
GERMAN = ("kultur", "lokales")

_ALLOW = "User-agent: *\nAllow: /\n"
_OTHER_AGENT = "User-agent: GreedyBot\nUser-agent: SlurpAI\nDisallow: /\n\nUser-agent: *\nDisallow:\n"


@dataclass(frozen=True, slots=True)
class Publisher:
    """One publisher of the newsroom, on its own host.

    `style` names a template of the package; `markup`, where given, is used in its place: Jinja source that gets the
    names listed in `pages.py`. `path` makes an article's path from section, year, month, day, slug and id. `feeds` and
    `sitemaps` pair a path with a format (rss, atom, json; news, news.gz, index). `entry` says how a recipe names the
    publisher: site, feed, sitemap, sections or none. `variants` may hold amp, print, short, utm, slugs, query and
    moved. `robots` may use `{site}` for its own address. `zone` is the offset of its clock from UTC in hours.
    """

    name: str
    title: str
    style: str = "semantic"
    markup: str = ""
    kinds: tuple[str, ...] = ("topic", *NEAR, *ELSEWHERE)
    path: str = "/{section}/{year}/{month}/{day}/{slug}"
    section_path: str = "/{section}/"
    page_suffix: str = "?page={page}"
    feeds: tuple[tuple[str, str], ...] = ()
    sitemaps: tuple[tuple[str, str], ...] = ()
    entry: str = "site"
    variants: frozenset[str] = frozenset()
    robots: str = _ALLOW
    robots_status: int = 200
    language: str = "en"
    zone: int = 0
    charset: str = "utf-8"
    compress: bool = False
    share: int = 4
    """How many articles on the topic it writes while an average paper writes four."""
    splash: bool = False
    """Whether the front page shows no article at all."""
    front_items: int = 12
    """Articles on its front page."""
    page_items: int = 6
    """Articles on a page of a section."""

    @property
    def host(self) -> str:
        """Its host name, without a port."""
        return f"{self.name}.{DOMAIN}"

    @property
    def sections(self) -> tuple[str, ...]:
        """Its sections, in the order of its kinds."""
        return tuple(dict.fromkeys(SECTION[kind] for kind in self.kinds))

    def section_url(self, section: str, page: int = 1) -> str:
        """Path of a section's page, counted from 1."""
        path = self.section_path.format(section=section)
        return path if page == 1 else path + self.page_suffix.format(page=page)


def _variants(*names: str) -> frozenset[str]:
    return frozenset(names)


PUBLISHERS: tuple[Publisher, ...] = (
    Publisher(
        "northwire",
        "Northwire",
        "opengraph",
        share=9,
        path="/item/{id}/{slug}",
        sitemaps=(("/news-sitemap.xml", "news"),),
        entry="sitemap",
        variants=_variants("moved"),
        robots=_ALLOW + "\nSitemap: {site}/news-sitemap.xml\n",
    ),
    Publisher(
        "ledger",
        "The Ledger",
        "semantic",
        kinds=("topic", *NEAR_POLITICS, "trade", "domestic", "othersummit", "culture", "markets", "business"),
        feeds=(("/feeds/all.rss", "rss"),),
        sitemaps=(("/sitemap.xml", "index"),),
        variants=_variants("utm", "short"),
        robots=_ALLOW + "Disallow: /search\n\nSitemap: {site}/sitemap.xml\n",
        zone=1,
        compress=True,
    ),
    Publisher(
        "beacon",
        "Daily Beacon",
        "soup",
        kinds=("topic", *NEAR_POLITICS, "football", "flood", "crime", "lifestyle", "weather", "results"),
        path="/{section}/{slug}-{id}.html",
        feeds=(("/atom.xml", "atom"),),
        entry="feed",
        robots="User-agent: *\nCrawl-delay: 0.2\nDisallow: /private/\n",
        zone=-5,
    ),
    Publisher(
        "harbourtimes",
        "Harbour Times",
        "microdata",
        kinds=("topic", *NEAR_POLITICS, "trade", "exchange", "technology", "health", "weather"),
        path="/news/{id}-{slug}",
        feeds=(("/feed.json", "json"),),
        entry="feed",
        variants=_variants("print", "slugs"),
        compress=True,
    ),
    Publisher(
        "meridian",
        "Meridian Post",
        "semantic",
        kinds=("topic", *NEAR_POLITICS, "othersummit", "domestic", "science", "technology"),
        path="/{year}/{month}/{slug}",
        sitemaps=(("/sitemaps/news-7c1.xml", "news"),),
        robots="# The sitemap is named here, nowhere else.\n" + _ALLOW + "\nSitemap: {site}/sitemaps/news-7c1.xml\n",
        splash=True,
        zone=2,
    ),
    Publisher(
        "oldgazette",
        "The Old Gazette",
        "tables",
        kinds=("topic", *NEAR_POLITICS, "domestic", "flood", "culture", "crime", "results"),
        path="/article.php?id={id}",
        section_path="/index.php?section={section}",
        page_suffix="&page={page}",
        entry="sections",
        variants=_variants("query"),
        robots="",
        robots_status=404,
        charset="windows-1252",
    ),
    Publisher(
        "pulse",
        "Pulse 24",
        "amp",
        kinds=("topic", *NEAR_POLITICS, "football", "trade", "technology", "health", "markets"),
        path="/{section}/{slug}",
        sitemaps=(("/sitemaps/news.xml.gz", "news.gz"),),
        entry="sitemap",
        variants=_variants("amp", "short", "moved"),
        robots=_OTHER_AGENT,
    ),
    Publisher(
        "observer",
        "Kirkwater Observer",
        "wordpress",
        kinds=("topic", *NEAR_POLITICS, "exchange", "othersummit", "culture", "lifestyle", "weather"),
        path="/{year}/{month}/{day}/{slug}/",
        section_path="/category/{section}/",
        page_suffix="page/{page}/",
        feeds=(("/feed/", "rss"),),
        entry="feed",
        variants=_variants("short", "utm"),
        robots="User-agent: *\nDisallow: /wp-admin/\nDisallow: /search\nDisallow: /*?s=\n",
    ),
    Publisher(
        "almanac",
        "Lakeland Almanac",
        "plain",
        kinds=("topic", *NEAR_POLITICS, "flood", "football", "science", "lifestyle", "results"),
        path="/{section}/{slug}.htm",
        entry="site",
        robots="User-agent: *\nDisallow: /members/\n",
    ),
    Publisher(
        "sentinel",
        "Coast Sentinel",
        "semantic",
        share=2,
        kinds=("topic", "crime", "health"),
        feeds=(("/rss.xml", "rss"),),
        entry="site",
        robots="User-agent: *\nContent-Signal: search=yes, ai-input=no, ai-train=no\nAllow: /\n",
    ),
    Publisher(
        "review",
        "Corwen Review",
        "microdata",
        kinds=("topic", *NEAR_POLITICS, "domestic", "science", "business", "culture"),
        path="/{section}/{id}/{slug}",
        feeds=(("/review.atom", "atom"),),
        entry="site",
    ),
    Publisher(
        "capital",
        "Capital Standard",
        "paywall",
        share=3,
        kinds=("topic", "trade", "business", "markets"),
        feeds=(("/feed.xml", "rss"),),
        entry="site",
    ),
    Publisher(
        "silent",
        "Silent Herald",
        "wordpress",
        share=2,
        kinds=("topic", "crime"),
        feeds=(("/feed/", "rss"),),
        entry="site",
        robots_status=503,
    ),
    Publisher(
        "bergblatt",
        "Bergblatt",
        "wordpress",
        kinds=GERMAN,
        feeds=(("/feed/", "rss"),),
        entry="feed",
        language="de",
        zone=1,
    ),
)
"""The publishers of the demo, each with other habits."""


def more_publishers(count: int) -> tuple[Publisher, ...]:
    """Further publishers for a scaled-up newsroom: like the first ones, under other names, found by links alone."""
    models = [
        p for p in PUBLISHERS if p.robots_status == 200 and p.language == "en" and p.name not in ("sentinel", "capital")
    ]
    return tuple(_town_paper(models[i % len(models)], i + 1) for i in range(count))


def _town_paper(model: Publisher, number: int) -> Publisher:
    return replace(
        model,
        name=f"town{number}",
        title=f"Town Paper {number}",
        kinds=("topic", *NEAR, *ELSEWHERE, *LOOKALIKE),
        feeds=(),
        sitemaps=(),
        entry="site",
        share=1,
        splash=False,
        robots=_ALLOW,
    )


def find_publisher(publishers: Sequence[Publisher], host: str) -> Publisher | None:
    """The publisher that answers at a host name; None for a stranger."""
    return next((publisher for publisher in publishers if publisher.host == host.lower()), None)
