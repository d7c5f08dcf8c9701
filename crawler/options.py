"""What a crawl is told: one frozen options object, read from JSON by the crawl's own process."""

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cleaning.topic.feedback import Label
from cleaning.topic.profile import TopicOptions


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets of a run; each ends the crawl in good order when it is reached. Sizes are bytes, times seconds.

    `depth` counts links from a source. `least_chance` is the chance of being relevant, 0..1, under which candidates are
    left unfetched once enough of their like were tried; `exploration` is the share of fetches spent on them anyhow.
    """

    pages: int = 2_000
    pages_per_host: int = 500
    seconds: float = 3_600.0
    depth: int = 3
    page_bytes: int = 10_000_000
    source_bytes: int = 60_000_000
    page_seconds: float = 30.0
    warc_bytes: int = 500_000_000
    least_chance: float = 0.01
    exploration: float = 0.05


@dataclass(frozen=True, slots=True)
class Politeness:
    """How the crawl asks.

    `delay` is the least number of seconds between an answer of a host and the next request to it. `patience` is the
    longest wait in seconds that a run sits through for a host; one that asks for more is left until a later run.
    `rights` is "strict" (what is reserved is not used) or "record" (reservations are only noted).
    """

    contact: str = ""
    delay: float = 1.0
    rights: str = "strict"
    patience: float = 300.0
    concurrency: int = 32

    @property
    def user_agent(self) -> str:
        """The honest user agent, with the contact where one is given."""
        return "likewise/0.1" + (f" (+{self.contact})" if self.contact else "")


@dataclass(frozen=True, slots=True)
class Network:
    """Where the crawl may connect. `resolve` maps host names to addresses, as `curl --resolve` does.

    A name in `resolve` may be a wildcard, `*.example.org`, for all names below it. What it maps is allowed whatever the
    address; everything else must have a public address, or be on loopback where `allow_loopback` says so.
    """

    allow_loopback: bool = False
    ports: tuple[int, ...] = (80, 443)
    resolve: dict[str, str] = field(default_factory=dict)


_LISTS = ("seeds", "sites", "feeds", "sitemaps", "sections", "archives", "urls")


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """Everything that one crawl needs.

    `state` is the dataset's state folder: the frontier lies there, and WARC files under `warc/`, named
    `<run_id>-NNNNN.warc.gz`. `seeds` are the cleaned seed texts, `topic` says where their topic ends, `labels` what
    people said of articles, oldest first. `since` and `until` bound the publication dates, aware, in UTC. Of `sites`,
    feeds, sitemaps and sections are found by the crawl itself. `archives` are addresses of archive pages with `{year}`,
    `{month}` and `{day}` in them, asked for from the end of the period backwards. `gdelt` is the address of a GDELT DOC
    2.0 interface, whose index of world news is asked for the seeds' names; "" for none.
    With `urls`, exactly these are fetched, those known already conditionally; no source is asked and no link followed.
    """

    run_id: str
    state: Path
    seeds: tuple[str, ...]
    topic: TopicOptions = field(default_factory=TopicOptions)
    labels: tuple[Label, ...] = ()
    sites: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    limits: Limits = Limits()
    politeness: Politeness = Politeness()
    network: Network = Network()
    gdelt: str = ""

    def to_json(self) -> str:
        """The options as a JSON object."""
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options that `to_json` wrote; keys that have a default may be missing.

        Raises:
            KeyError, TypeError, ValueError: the text is not what `to_json` writes.
        """
        raw: dict[str, Any] = json.loads(text)
        if unknown := sorted(raw.keys() - {item.name for item in fields(cls)}):
            raise ValueError(f"unknown options {', '.join(unknown)}")
        network = raw.get("network", {})
        given: dict[str, Any] = {
            **{key: tuple(raw[key]) for key in _LISTS if key in raw},
            **{key: datetime.fromisoformat(raw[key]) for key in ("since", "until") if raw.get(key)},
            **{key: raw[key] for key in ("run_id", "gdelt") if key in raw},
            "state": Path(raw["state"]),
            "topic": TopicOptions(**raw.get("topic", {})),
            "labels": tuple(Label(**label) for label in raw.get("labels", ())),
            "limits": Limits(**raw.get("limits", {})),
            "politeness": Politeness(**raw.get("politeness", {})),
            "network": Network(**network | {"ports": tuple(network.get("ports", Network().ports))}),
        }
        return cls(**given)
