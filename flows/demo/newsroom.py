"""The newsroom as a whole: answers requests for its pages on a given day, and knows the truth of each."""

import random
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from flows.demo.article import PERIOD_START, Article
from flows.demo.fates import befall
from flows.demo.pages import Renderer, Site
from flows.demo.prose import Writer, load_rules
from flows.demo.publishers import PUBLISHERS, Publisher, find_publisher, more_publishers
from flows.demo.routes import Routes, article_path, variant_paths
from flows.demo.stories import FILLER, SPARSE_FILLER, Desk, scattered
from flows.demo.truth import Truth
from flows.demo.website import Response, Website
from flows.demo.world import make_world

PORT = 8799
"""The port that the demo tries first; ids are hashes of URLs, and URLs hold the port."""

_CACHED_PAGES = 600


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed article of the newsroom's topic, with the furniture that copied text has."""

    name: str
    text: str


class Newsroom:
    """A small news web made from a seed number; the same number makes the same bytes.

    It has at least `articles` articles (62 originals on the topic among them, and more that only look like it), and
    a dozen more for each extra publisher. `filler` are the kinds of all beyond the first 160, in turn; `scatter` files
    a third of the articles on the topic in any section of their paper.
    """

    def __init__(
        self,
        seed: int = 7,
        *,
        articles: int = 230,
        extra_publishers: Sequence[Publisher] = (),
        base_publishers: Sequence[Publisher] = PUBLISHERS,
        filler: Sequence[str] = FILLER,
        scatter: bool = False,
    ) -> None:
        self.seed = seed
        self.publishers = (*base_publishers, *extra_publishers)
        rules = load_rules()
        self._world = make_world(rules, random.Random(f"{seed}/world"))
        self._writer = Writer(rules, random.Random(f"{seed}/articles"))
        desk = Desk(self._writer, self._world, base_publishers)
        written = desk.fill(articles, filler)
        for publisher in extra_publishers:
            desk.fill_extra(publisher)
        filed = scattered(written, self.publishers) if scatter else written
        self.articles = befall(filed, self._writer, self._world, base_publishers)
        by_name = {publisher.name: publisher for publisher in self.publishers}
        routes = Routes(self.articles, by_name)
        renderer = Renderer(self.publishers)
        printed: dict[str, list[Article]] = defaultdict(list)
        for article in sorted(self.articles, key=lambda a: (a.published, a.number), reverse=True):
            printed[article.publisher].append(article)
        self._websites = {
            publisher.host: partial(Website, publisher, tuple(printed[publisher.name]), routes, renderer, seed)
            for publisher in self.publishers
        }
        self._by_name = by_name
        self._pages: OrderedDict[tuple[str, str, int], Response] = OrderedDict()

    @classmethod
    def scaled(cls, seed: int = 7, *, pages: int = 8_000, hosts: int = 30) -> Self:
        """A larger newsroom for crawl figures: as sparse as a news web is, and most papers have no feed.

        About one article in a hundred is on the topic, in any section; three in ten are decoys: the same leaders,
        countries and kinds of event, under titles like the topic's. Pages list as many articles as large papers' do.
        """
        towns = more_publishers(max(0, hosts - len(PUBLISHERS)))
        papers = [replace(paper, front_items=40, page_items=20) for paper in (*PUBLISHERS, *towns)]
        return cls(seed, articles=pages, base_publishers=papers, filler=SPARSE_FILLER, scatter=True)

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """Five seed articles; two of them are clean, three carry furniture. None is served as a page."""
        writer = Writer(load_rules(), random.Random(f"{self.seed}/seeds"))
        paths = sorted((Path(__file__).parent / "seeds").glob("*.txt"))
        return tuple(Seed(path.stem, writer.fill(path.read_text("utf-8"), self._world)) for path in paths)

    def page(self, host: str, path: str, day: int = 1) -> Response:
        """The answer to a request for a path with its query, at a host name with its port."""
        key = (host, path, min(day, 2))
        if key not in self._pages:
            self._pages[key] = self._answer(*key)
            if len(self._pages) > _CACHED_PAGES:
                self._pages.popitem(last=False)
        return self._pages[key]

    def _answer(self, host: str, path: str, day: int) -> Response:
        name, _, port = host.partition(":")
        publisher = find_publisher(self.publishers, name)
        if publisher is None:
            return Response.plain(421, "No such publisher here.")
        return self._websites[publisher.host](int(port) if port.isdigit() else 80, day).answer(path)

    def site_urls(self, port: int = PORT) -> list[str]:
        """The front page of each publisher."""
        return [Site(publisher, port).link("/") for publisher in self.publishers]

    def recipe_toml(self, port: int = PORT) -> str:
        """A recipe for a dataset of this newsroom's topic; its seeds lie in `seeds/` beside it."""
        entries = {kind: _toml_list(self._entries(kind, port)) for kind in ("site", "feed", "sitemap", "sections")}
        return _RECIPE.format(port=port, since=f"{PERIOD_START:%Y-%m-%d}", **entries)

    def _entries(self, kind: str, port: int) -> list[str]:
        sites = [Site(publisher, port) for publisher in self.publishers if publisher.entry == kind]
        paths = {"site": ["/"]}
        return [site.link(path) for site in sites for path in paths.get(kind) or _entry_paths(site.publisher)]

    def truth(self, day: int = 1, port: int = PORT) -> list[Truth]:
        """The truth of every article page that exists, or existed, on a day."""
        return [self._truth(article.on(day), day, port) for article in self.articles if article.day <= day]

    def _truth(self, article: Article, day: int, port: int) -> Truth:
        publisher = self._by_name[article.publisher]
        site = Site(publisher, port)
        gone = article.withdrawn and day >= 2
        return Truth(
            url=site.link(article_path(publisher, article)),
            host=publisher.host,
            variants=tuple(map(site.link, variant_paths(publisher, article).values())),
            kind=article.kind,
            relevant=article.kind == "topic",
            title=article.headline,
            authors=article.authors,
            published=article.published,
            modified=article.modified,
            paragraphs=article.paragraphs,
            copy_of=None if article.copy_of is None else self._url(self.articles[article.copy_of], port),
            edit=article.edit,
            version=article.version,
            status=410 if gone else 200,
            announced=gone and article.announced,
            access=article.access,
            in_period=article.published >= PERIOD_START,
        )

    def _url(self, article: Article, port: int) -> str:
        publisher = self._by_name[article.publisher]
        return Site(publisher, port).link(article_path(publisher, article))


def _entry_paths(publisher: Publisher) -> list[str]:
    lists = {"feed": publisher.feeds, "sitemap": publisher.sitemaps}
    if publisher.entry in lists:
        return [path for path, _ in lists[publisher.entry]]
    return [publisher.section_url(section) for section in publisher.sections]


def _toml_list(values: Sequence[str]) -> str:
    return "[" + "".join(f'\n  "{value}",' for value in values) + "\n]"


_RECIPE = """\
title = "Will the two leaders meet?"
description = "News of a meeting that two leaders of a fictional world plan, deny and postpone."

[topic]
seeds = ["seeds/*.txt"]
threshold = "auto"
languages = ["en"]

[sources]
sites = {site}
feeds = {feed}
sitemaps = {sitemap}
sections = {sections}

[period]
since = {since}

[limits]
pages = 2000
minutes = 10

[politeness]
contact = "https://likewise.example/demo"
delay = 0.02
rights = "strict"

[network]
allow_loopback = true
ports = [{port}]
resolve = {{ "*.newsroom.example" = "127.0.0.1" }}

[publish]
text = "full"
license = "other"
"""
