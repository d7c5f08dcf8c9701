"""When runs are due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.scheduling.timetable import ANCHOR, check_cron, next_time, parse_interval

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hours"), [("30m", 0.5), ("6h", 6), ("1d", 24), ("2w", 336)], ids=["minutes", "hours", "days", "weeks"]
)
def test_an_interval_is_a_number_with_a_unit(text: str, hours: float) -> None:
    """Minutes, hours, days and weeks."""
    assert parse_interval(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "6", "h", "0m", "6 hours", "-1h", "1.5h", "99999d", "6H"])
def test_other_intervals_are_refused(text: str) -> None:
    """What is no number with a unit, or no time at all, is refused with what is allowed."""
    with pytest.raises(ValueError, match="6h"):
        parse_interval(text)


@pytest.mark.parametrize("text", ["", "* * * *", "* * * * * *", "61 * * * *", "0 6 * * nonday", "0 0 31 2 *"])
def test_other_cron_expressions_are_refused(text: str) -> None:
    """What is not five fields, or never comes due, is refused."""
    with pytest.raises(ValueError, match=r"five fields|no month"):
        check_cron(text)


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("0 6 * * *", "UTC", datetime(2026, 3, 2, 6, tzinfo=UTC)),
        ("0 6 * * *", "Europe/Berlin", datetime(2026, 3, 2, 5, tzinfo=UTC)),
        ("0 6 30 3 *", "Europe/Berlin", datetime(2026, 3, 30, 4, tzinfo=UTC)),
        ("*/15 * * * *", "UTC", datetime(2026, 3, 1, 12, 15, tzinfo=UTC)),
    ],
    ids=["utc", "winter", "summer", "quarters"],
)
def test_cron_counts_in_its_time_zone(cron: str, zone: str, expected: datetime) -> None:
    """Six o'clock is six o'clock where the recipe says, in winter and in summer."""
    assert next_time(cron, "", zone, NOON) == expected


@given(st.integers(1, 9999), st.sampled_from("mhd"), st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)))
def test_intervals_are_counted_from_one_moment(number: int, unit: str, now: datetime) -> None:
    """The next time is after now, by no more than the interval, and a whole number of intervals after the anchor."""
    step = parse_interval(f"{number}{unit}")
    due = next_time("", f"{number}{unit}", "UTC", now.replace(tzinfo=UTC))
    assert due is not None
    assert timedelta() < due - now.replace(tzinfo=UTC) <= step
    assert (due - ANCHOR) % step == timedelta()


def test_without_a_schedule_nothing_is_due() -> None:
    """A recipe without [schedule] has no next run."""
    assert next_time("", "", "UTC", NOON) is None
