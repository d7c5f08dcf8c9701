"""When runs are due: cron expressions, intervals and time zones of recipes; no clock and no Prefect."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

ANCHOR = datetime(2020, 1, 1, tzinfo=UTC)
"""Where intervals are counted from, so that a server that is started again keeps to the same times."""

SHORTEST = timedelta(minutes=1)

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_interval(text: str) -> timedelta:
    """The time of `30m`, `6h`, `1d` or `1w`.

    Raises:
        ValueError: it is none of these, or shorter than SHORTEST.
    """
    match = re.fullmatch(r"(\d{1,4})([mhdw])", text)
    found = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if found < SHORTEST:
        raise ValueError('must be a number of at least 1 with a unit, such as "30m", "6h", "1d" or "1w"')
    return found


def check_cron(text: str) -> str:
    """The expression, if it has the five fields of cron(5) and comes due some time.

    Raises:
        ValueError: it has not, or never comes due.
    """
    fields = 'must have five fields, minute, hour, day, month and weekday, such as "0 6 * * *"'
    if len(text.split()) != len("mhdMw"):
        raise ValueError(fields)
    try:
        next(CronSim(text, ANCHOR))
    except CronSimError as error:
        raise ValueError(f"{fields}: {error}") from error
    except StopIteration:
        raise ValueError("names a day that no month has") from None
    return text


def next_time(cron: str, interval: str, zone: str, now: datetime) -> datetime | None:
    """When a run is due next, after `now`; in UTC. None without a cron expression or an interval.

    Args:
        cron: an expression in the time zone; where the clock is put forward, a time that is left out comes right after.
        interval: counted from ANCHOR, whatever the time zone.
        zone: an IANA time zone.
        now: an aware time.
    """
    if cron:
        return next(CronSim(cron, now.astimezone(ZoneInfo(zone)))).astimezone(UTC)
    if interval:
        step = parse_interval(interval)
        return ANCHOR + ((now - ANCHOR) // step + 1) * step
    return None
