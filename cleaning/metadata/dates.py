"""When an article was published and changed: times with their zone from what publishers write."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.utils import parsedate_to_datetime

from cleaning.page.decode import one_line

_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T\s_]+(\d\d?):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\s?\d\d?(?::?\d\d)?)?)?",
    re.I,
)
_ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "bst": 1,
    "cet": 1,
    "cest": 2,
    "eet": 2,
    "eest": 3,
    "msk": 3,
}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april"), ("may",), ("jun", "june"),
            ("jul", "july"), ("aug", "august"), ("sep", "sept", "september"), ("oct", "october"), ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in names
}  # fmt: skip
_WRITTEN = re.compile(
    r"\b(?:(?P<d1>\d{1,2})(?:st|nd|rd|th)?\s+(?P<m1>[A-Za-z]{3,9})\.?,?\s+(?P<y1>(?:19|20)\d\d)"
    r"|(?P<m2>[A-Za-z]{3,9})\.?\s+(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y2>(?:19|20)\d\d))"
    r"(?:,?\s*(?:at|@|[-–|•·])?\s*(?P<h>\d{1,2})[:.](?P<min>\d\d)(?:\s*(?P<half>[ap])\.?m\.?)?\s*(?P<z>[A-Z]{3,4})?)?",
    re.I,
)
_DIGITS_ONLY = re.compile(
    r"(?:\d{4}\s?[-./年년]\s?\d\d?\s?[-./月월]\s?\d\d?\s?[.日일]?|\d\d?[./]\d\d?[./]\d{4})(?:\s?[(（]\w{1,3}[)）])?"
    r"(?:[T,\s]*(?:午前|午後|上午|下午|오전|오후)?\s?\d\d?\s?[:時时시]\s?\d\d\s?[分분]?(?::\d\d)?)?"
)
"""A day in digits, with the signs of China, Japan and Korea or without, perhaps with its weekday and the time."""
_DATE_LINE_WORDS = 12
_DATE_LINE_CHARS = 40
_NOON = time(12, tzinfo=UTC)
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


def parse_time(value: object, zone: timezone = UTC) -> datetime | None:
    """An aware time from ISO 8601, RFC 5322 or written English; None where it is none of them or impossible.

    It keeps the zone that it was written in, so that its day is the publisher's. A day without a time becomes noon UTC;
    a time without a zone is read in `zone`.
    """
    text = one_line(str(value))[:80] if value is not None else ""
    if text.isdigit() and len(text) in (10, 13):
        return _plausible(datetime.fromtimestamp(int(text[:10]), UTC))
    try:
        return _plausible(_iso(text, zone) or _written(text, zone) or _mail(text))
    except (ValueError, OverflowError):
        return None


def _plausible(moment: datetime | None) -> datetime | None:
    return moment if moment and moment >= _EARLIEST else None


def _iso(text: str, zone: timezone) -> datetime | None:
    match = _ISO.match(text)
    if not match:
        return None
    day = date(int(match[1]), int(match[2]), int(match[3]))
    if not match[4]:
        return noon(day)
    return datetime(
        day.year, day.month, day.day, int(match[4]), int(match[5]), int(match[6] or 0), tzinfo=_offset(match[7]) or zone
    )


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    name = text.replace(" ", "").lower()
    if name in _ZONES:
        return timezone(timedelta(hours=_ZONES[name]))
    digits = name[1:].replace(":", "")
    if name[0] not in "+-" or not digits.isdigit():
        return None
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return timezone((-1 if name[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def _written(text: str, zone: timezone) -> datetime | None:
    match = _WRITTEN.search(text)
    if not match:
        return None
    month = _MONTHS.get((match["m1"] or match["m2"]).lower())
    if month is None:
        return None
    day = date(int(match["y1"] or match["y2"]), month, int(match["d1"] or match["d2"]))
    if not match["h"]:
        return noon(day)
    hour = int(match["h"]) % 12 + 12 * (match["half"].lower() == "p") if match["half"] else int(match["h"])
    moment = datetime.combine(day, time(hour, int(match["min"])))
    return moment.replace(tzinfo=_offset(match["z"]) or zone)


def _mail(text: str) -> datetime | None:
    """A date as feeds and mails write it (RFC 5322)."""
    if not re.match(r"[A-Za-z]{3},? ", text):
        return None
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_date_line(text: str) -> bool:
    """Whether a short line without a full stop gives a written date, as the lines under headlines do."""
    return len(text.split()) <= _DATE_LINE_WORDS and text[-1:] not in '.!?”"' and bool(_WRITTEN.search(text))


def is_bare_date(text: str) -> bool:
    """Whether a line is nothing but a day in digits, with or without the time: in whatever element, no prose."""
    return len(text) <= _DATE_LINE_CHARS and bool(_DIGITS_ONLY.fullmatch(text))


def noon(day: date) -> datetime:
    """Noon UTC of a day: the time of a publication of which only the day is known; it is that day in most zones."""
    return datetime.combine(day, _NOON)


def first_time(signals: Iterable[tuple[str, object]]) -> tuple[datetime | None, str]:
    """The first signal that holds a time, as (time, name of the signal); (None, "") when none does."""
    for name, value in signals:
        if value and (moment := parse_time(value)):
            return moment, name
    return None, ""
