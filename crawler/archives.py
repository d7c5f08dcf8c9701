"""Archives by date: the addresses of their pages, from the end of the period backwards; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from string import Formatter

from cleaning.urls import canonical
from crawler.options import CrawlOptions

MOST_PAGES = 4_000
"""Pages of one archive that are considered: eleven years of days."""

EMPTY_PAGES = 5
"""Pages of an archive one after another without a new candidate, after which a run leaves it."""

_OLDEST = date(1990, 1, 1)
_FIELDS = frozenset(("year", "month", "day"))


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A page of an archive. `ended` is when its day, month or year was over in UTC, in seconds since the epoch."""

    url: str
    ended: float


def archive_patterns(options: CrawlOptions) -> tuple[str, ...]:
    """The archives that the options name, as they are.

    Raises:
        ValueError: one has other placeholders than `{year}`, `{month}` and `{day}`, or is no http(s) URL.
    """
    for pattern in options.archives:
        _fields(pattern)
        if canonical(_address(pattern, _OLDEST)) is None:
            raise ValueError(f"{pattern!r} is no http(s) URL: name archives by their address")
    return options.archives


def archive_pages(pattern: str, since: datetime | None, until: datetime) -> Iterator[ArchivePage]:
    """The pages of an archive, the latest first: one a day, or one a month or year where the pattern has no day.

    Args:
        pattern: an address with `{year}` (four digits) and perhaps `{month}` and `{day}` (two digits).
        since: the first date that counts, aware; None for as far back as MOST_PAGES go.
        until: the first moment that no longer counts, aware.
    """
    fields = _fields(pattern)
    first = max(since.astimezone(UTC).date(), _OLDEST) if since else _OLDEST
    day = (until.astimezone(UTC) - timedelta(microseconds=1)).date()
    for _ in range(MOST_PAGES):
        start, after = _span(day, fields)
        if after <= first:
            return
        url = canonical(_address(pattern, day))
        if url:
            yield ArchivePage(url, datetime.combine(after, time(), UTC).timestamp())
        day = start - timedelta(days=1)


def _fields(pattern: str) -> frozenset[str]:
    try:
        found = frozenset(name for _, name, _, _ in Formatter().parse(pattern) if name is not None)
    except ValueError as error:
        raise ValueError(f"{pattern!r} is no pattern ({error}): write {{year}}, {{month}} and {{day}} in it") from error
    if not found <= _FIELDS or "year" not in found or ("day" in found and "month" not in found):
        raise ValueError(f"{pattern!r} is no pattern of dates: it needs {{year}}, and may have {{month}} and {{day}}")
    return found


def _address(pattern: str, day: date) -> str:
    return pattern.format(year=f"{day.year:04}", month=f"{day.month:02}", day=f"{day.day:02}")


def _span(day: date, fields: frozenset[str]) -> tuple[date, date]:
    """The first day of the page that a day is on, and the first day after it."""
    if "day" in fields:
        return day, day + timedelta(days=1)
    if "month" in fields:
        start = day.replace(day=1)
        return start, (start + timedelta(days=31)).replace(day=1)
    return day.replace(month=1, day=1), date(day.year + 1, 1, 1)
