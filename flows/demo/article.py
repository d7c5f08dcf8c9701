"""An article of the newsroom, and the fixed dates that all of them are set around."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from flows.demo.publishers import SECTION

FIRST_DAY = datetime(2025, 3, 4, tzinfo=UTC)
"""The newsroom's day 1. It lies in the past, since crawlers and date finders distrust dates to come."""

PERIOD_START = datetime(2025, 2, 1, tzinfo=UTC)
"""The first date that counts for the newsroom's recipe; its archive goes further back."""

_PLAIN = str.maketrans("äöüßé", "aouse")


@dataclass(frozen=True, slots=True)
class Article:
    """An article of one publisher, as it stands on one day.

    `day` is the first day on which it is online; `access` is open, paywalled, tdm, noai, xrobots, wellknown, signal,
    disallowed or silent; `fault` is what its server does: slow, or, at the first fetch only, busy (429) or flaky (500).
    `copy_of` is the number of the original. `corrected` are the paragraphs from day 2 on, where they differ. `filed` is
    the section that prints it, where that is not its kind's.
    """

    number: int
    publisher: str
    kind: str
    headline: str
    paragraphs: tuple[str, ...]
    authors: tuple[str, ...]
    published: datetime
    day: int = 1
    copy_of: int | None = None
    edit: str = ""
    access: str = "open"
    fault: str = ""
    corrected: tuple[str, ...] = ()
    withdrawn: bool = False
    announced: bool = False
    version: int = 1
    modified: datetime | None = None
    filed: str = ""

    @property
    def section(self) -> str:
        """The section that prints it; members' pages have their own."""
        return "members" if self.access == "disallowed" else self.filed or SECTION[self.kind]

    @property
    def id(self) -> int:
        """The number in its URLs."""
        return 40_000 + 37 * self.number

    @property
    def slug(self) -> str:
        """The headline as a part of a URL."""
        return "-".join(re.findall(r"[a-z0-9]+", self.headline.lower().translate(_PLAIN)))

    def on(self, day: int) -> Self:
        """The article as it stands on a day: from day 2 on, in its corrected edition."""
        if day < 2 or not self.corrected:
            return self
        return replace(self, paragraphs=self.corrected, version=2, modified=FIRST_DAY + timedelta(days=1, hours=9))
