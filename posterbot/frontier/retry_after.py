"""``Retry-After`` (RFC 9110 §10.2.3): when a host wants to be asked again."""

from __future__ import annotations

import re
from datetime import UTC, datetime

RETRY_AFTER_MAX = 86_400.0
"""Seconds beyond which no host is taken at its word: a date that is wrong by years must not end the crawl of it."""

_SECONDS = re.compile(r"-?[0-9]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DATES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        f"[a-z]{{3}}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",  # IMF-fixdate
        f"[a-z]{{6,9}}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",  # RFC 850
        f"[a-z]{{3}} {_MONTH} (?P<day>[0-9 ][0-9]) {_TIME} (?P<year>[0-9]{{4}})",  # asctime
    )
)


def seconds(header: bytes | str | None, now: datetime) -> float | None:
    """How long ``header`` asks to wait from ``now`` on, an aware time: 0 to RETRY_AFTER_MAX; None if it says nothing.

    Both forms are read, a number of seconds and a date, and dates in all three formats of RFC 9110 §5.6.7. What lies
    in the past is 0.
    """
    if header is None:
        return None
    text = (header.decode("latin-1") if isinstance(header, bytes) else header).strip(" \t")
    if _SECONDS.fullmatch(text):
        # Longer numbers are not worth converting, and Python refuses to convert the longest.
        wait = float(text) if len(text) <= 20 else 0.0 if text.startswith("-") else RETRY_AFTER_MAX
    elif date := _date(text, now):
        wait = (date - now).total_seconds()
    else:
        return None
    return min(max(0.0, wait), RETRY_AFTER_MAX)


def _date(text: str, now: datetime) -> datetime | None:
    found = next((match for form in _DATES if (match := form.fullmatch(text))), None)
    if found is None:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        latest = now.year + 50
        year = latest - (latest - year) % 100
    try:
        return _moment(year, found)
    except ValueError:
        return None  # a 31st of February


def _moment(year: int, found: re.Match[str]) -> datetime:
    month = 1 + _MONTHS.index(found["month"].lower())
    second = min(int(found["second"]), 59) if found["second"] == "60" else int(found["second"])  # a leap second
    return datetime(year, month, int(found["day"]), int(found["hour"]), int(found["minute"]), second, tzinfo=UTC)
