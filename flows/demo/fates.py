"""What befalls articles after they are written: who may read them, how they fail, what is corrected or withdrawn."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import cycle

from flows.demo.article import PERIOD_START, Article
from flows.demo.prose import Writer
from flows.demo.publishers import Publisher
from flows.demo.world import scene

_ACCESS: dict[str, tuple[str, ...]] = {
    "silent": ("silent",),
    "sentinel": ("signal",),
    "capital": ("paywalled", "paywalled", "open"),
    "review": ("tdm", "open", "noai", "xrobots", "open", "wellknown"),
    "almanac": ("open", "disallowed", "open", "open", "open"),
}
"""Publisher -> how its articles may be used, in turn."""

_FAULTS = {"beacon": ("slow", "flaky"), "pulse": ("busy",), "harbourtimes": ("flaky",)}
_CORRECTIONS = 6
_ANNOUNCED = 3
_DROPPED = 2


def befall(
    articles: Iterable[Article], writer: Writer, world: Mapping[str, str], publishers: Sequence[Publisher]
) -> tuple[Article, ...]:
    """The articles with their access, faults, corrections and withdrawals."""
    fated = _with_access(articles)
    fated = _with_faults(fated)
    listed = {p.name for p in publishers if p.feeds or p.sitemaps}
    with_sitemap = {p.name for p in publishers if p.sitemaps}
    fated = _change(fated, writer.rng, _CORRECTIONS, listed, lambda article: _corrected(article, writer, world))
    fated = _change(fated, writer.rng, _ANNOUNCED, with_sitemap, lambda a: replace(a, withdrawn=True, announced=True))
    return tuple(_change(fated, writer.rng, _DROPPED, listed, lambda article: replace(article, withdrawn=True)))


def _with_access(articles: Iterable[Article]) -> list[Article]:
    turns = {(name, on_topic): cycle(turn) for name, turn in _ACCESS.items() for on_topic in (True, False)}
    free = cycle(("open",))
    return [replace(a, access=next(turns.get((a.publisher, a.kind == "topic"), free))) for a in articles]


def _with_faults(articles: Sequence[Article]) -> list[Article]:
    """The first open articles on the topic of some publishers fail or dawdle once."""
    faults = {name: iter(names) for name, names in _FAULTS.items()}
    none: Iterable[str] = iter(())
    changed: list[Article] = []
    for article in articles:
        able = article.kind == "topic" and article.access == "open" and article.copy_of is None
        changed.append(replace(article, fault=next(iter(faults.get(article.publisher, none)), "") if able else ""))
    return changed


def _change(
    articles: Sequence[Article],
    rng: random.Random,
    count: int,
    publishers: set[str],
    change: Callable[[Article], Article],
) -> list[Article]:
    """The articles with `count` plain ones of day 1 changed, two thirds of them on the topic."""
    originals = Counter(article.copy_of for article in articles)
    plain = [a for a in articles if _is_plain(a) and a.publisher in publishers and not originals[a.number]]
    on_topic = [a.number for a in plain if a.kind == "topic"]
    others = [a.number for a in plain if a.kind != "topic"]
    first = min(len(on_topic), count - count // 3)
    chosen = {*rng.sample(on_topic, first), *rng.sample(others, min(len(others), count - first))}
    return [change(article) if article.number in chosen else article for article in articles]


def _is_plain(article: Article) -> bool:
    untouched = not (article.corrected or article.withdrawn or article.fault or article.copy_of is not None)
    return untouched and article.access == "open" and article.day == 1 and article.published >= PERIOD_START


def _corrected(article: Article, writer: Writer, world: Mapping[str, str]) -> Article:
    """The article with another figure in its second half and a new paragraph in the middle."""
    rule = "pool.reaction" if article.kind == "topic" else f"{article.kind}.body"
    middle = len(article.paragraphs) // 2
    slots = scene(writer, world, article.published)
    added = writer.lines(rule, 1, slots) if rule in writer.rules else []
    later = (re.sub(r"\b[1-9]\d\b", lambda number: str(int(number[0]) + 1), p) for p in article.paragraphs[middle:])
    return replace(article, corrected=(*article.paragraphs[:middle], *added, *later))
