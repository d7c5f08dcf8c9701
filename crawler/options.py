"""What a crawl is told: one frozen options object, read from JSON by the crawl's own process."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets of a run; each ends the crawl in good order when it is reached. Sizes are bytes, times seconds."""

    pages: int = 2_000
    pages_per_host: int = 500
    seconds: float = 3_600.0
    depth: int = 3
    page_bytes: int = 10_000_000
    page_seconds: float = 30.0
    warc_bytes: int = 500_000_000


@dataclass(frozen=True, slots=True)
class Politeness:
    """How the crawl asks. `delay` is the least number of seconds between two requests to a host."""

    contact: str = ""
    delay: float = 1.0
    rights: str = "strict"

    @property
    def user_agent(self) -> str:
        """The honest user agent, with the contact where one is given."""
        return "likewise/0.1" + (f" (+{self.contact})" if self.contact else "")


@dataclass(frozen=True, slots=True)
class Network:
    """Where the crawl may connect. `resolve` maps host names to addresses, as `curl --resolve` does."""

    allow_loopback: bool = False
    ports: tuple[int, ...] = (80, 443)
    resolve: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """Everything that one crawl needs.

    `state` is the dataset's state folder: the frontier lies there, WARC files under `warc/`, named `<run_id>-NNNNN.warc.gz`.
    `seeds` are the cleaned seed texts. `since` and `until` bound the publication dates, aware, in UTC.
    """

    run_id: str
    state: Path
    seeds: tuple[str, ...]
    sites: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    limits: Limits = Limits()
    politeness: Politeness = Politeness()
    network: Network = Network()

    def to_json(self) -> str:
        """The options as a JSON object."""
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: the text is not what `to_json` writes.
        """
        raw: dict[str, Any] = json.loads(text)
        lists = {key: tuple(raw[key]) for key in ("seeds", "sites", "feeds", "sitemaps", "sections")}
        dates = {key: datetime.fromisoformat(raw[key]) if raw[key] else None for key in ("since", "until")}
        network = raw["network"] | {"ports": tuple(raw["network"]["ports"])}
        return cls(
            run_id=raw["run_id"],
            state=Path(raw["state"]),
            limits=Limits(**raw["limits"]),
            politeness=Politeness(**raw["politeness"]),
            network=Network(**network),
            **lists,
            **dates,
        )
