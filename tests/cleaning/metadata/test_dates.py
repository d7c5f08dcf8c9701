"""Lines that are dates."""

import pytest

from cleaning.metadata.dates import is_bare_date


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
