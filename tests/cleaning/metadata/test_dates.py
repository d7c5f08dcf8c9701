"""Times as they are written, and lines that are dates."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.metadata.dates import is_bare_date, parse_time


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2025-06-19T08:30:00+0300", datetime(2025, 6, 19, 5, 30, tzinfo=UTC)),
        ("2025-06-19", datetime(2025, 6, 19, 12, tzinfo=UTC)),
        ("19 June 2025", datetime(2025, 6, 19, 12, tzinfo=UTC)),
        ("June 19, 2025, 8:30 pm EDT", datetime(2025, 6, 20, 0, 30, tzinfo=UTC)),
        ("Thu, 19 Jun 2025 08:30:00 GMT", datetime(2025, 6, 19, 8, 30, tzinfo=UTC)),
        ("1750321800", datetime(2025, 6, 19, 8, 30, tzinfo=UTC)),
        ("2025-13-45", None),
        ("soon", None),
    ],
)
def test_times_as_publishers_write_them(written: str, moment: datetime | None) -> None:
    """ISO 8601, RFC 5322, Unix seconds and written English become aware times; a bare day is noon UTC."""
    assert parse_time(written) == moment


def test_a_time_keeps_the_publishers_day() -> None:
    """A time is in the zone that it was written in, so that its day is that of the publisher."""
    found = parse_time("2025-06-19T22:30:00-05:00")
    assert found is not None
    assert found.isoformat() == "2025-06-19T22:30:00-05:00"


@given(st.text(max_size=80))
def test_any_text_may_stand_for_a_time(text: str) -> None:
    """No string makes the parser fail, and times are aware."""
    moment = parse_time(text)
    assert moment is None or moment.tzinfo is not None


@pytest.mark.parametrize(
    "line",
    [
        "2025-06-03",
        "2025/06/03 09:00",
        "2025.06.03 09:00",
        "03.06.2025, 9:05",
        "2025年6月3日 9時00分",
        "2025年6月3日(火) 午前9時05分",
        "2025년 6월 3일 오후 4:30",
        "2025-06-03T09:00:15",
    ],
)
def test_a_day_in_digits_is_a_bare_date(line: str) -> None:
    """A day, with its weekday and time where they are given, in the digits and signs of many languages."""
    assert is_bare_date(line)


@pytest.mark.parametrize("line", ["", "2025", "09:00", "1-2-3", "2025-06-03: opens", "3日、開通した。", "10.5.1"])
def test_other_digits_and_sentences_are_no_bare_dates(line: str) -> None:
    """Years, times, scores and lines that say more than a day stay what they are."""
    assert not is_bare_date(line)
