"""``Retry-After``, in both forms and all three formats of dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.frontier.retry_after import RETRY_AFTER_MAX, seconds

NOW = datetime(1994, 11, 6, 8, 49, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", 120),
        (b"120", 120),
        ("  0\t", 0),
        ("-5", 0),
        ("007", 7),
        ("86401", 86_400),
        ("9" * 5000, 86_400),
        ("-" + "9" * 5000, 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
        ("Sun Nov  6 08:49:37 1994", 37),
        ("sun, 06 nov 1994 08:49:37 gmt", 37),
        (b"Sun, 06 Nov 1994 08:49:37 GMT", 37),
        ("Sun, 06 Nov 1994 08:48:59 GMT", 0),
        ("Sat, 31 Dec 1994 23:59:60 GMT", 86_400),
        ("Monday, 07-Nov-44 08:49:37 GMT", 86_400),  # 2044: at most 50 years ahead
        ("Tuesday, 07-Nov-45 08:49:37 GMT", 0),  # 1945
        ("Tuesday, 29-Feb-00 08:49:37 GMT", 86_400),  # 2000 has one, 1900 had not
    ],
)
def test_what_is_understood(header: str | bytes, wait: float) -> None:
    assert seconds(header, NOW) == wait


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "soon",
        "1.5",
        "+5",
        "1e3",
        "12 34",
        "١٢",
        b"\xff\xfe",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
    ],
)
def test_what_is_not(header: str | bytes | None) -> None:
    assert seconds(header, NOW) is None


@given(st.one_of(st.text(), st.binary(), st.from_regex(r"[A-Z][a-z]{2}, [0-9]{2} Nov [0-9]{4} [0-9:]{8} GMT")))
def test_anything_is_none_or_within_a_day(header: str | bytes) -> None:
    wait = seconds(header, NOW)
    assert wait is None or 0 <= wait <= RETRY_AFTER_MAX


moments = st.datetimes(datetime(1970, 1, 1), datetime(2090, 12, 31)).map(lambda m: m.replace(tzinfo=UTC, microsecond=0))


@given(moments, st.integers(-200_000, 200_000))
def test_dates_in_all_formats_say_the_same(now: datetime, ahead: int) -> None:
    then = now + timedelta(seconds=ahead)
    formats = (
        format_datetime(then, usegmt=True),
        then.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
        then.strftime("%a %b ") + f"{then.day:2}" + then.strftime(" %H:%M:%S %Y"),
    )
    assert {seconds(text, now) for text in formats} == {min(max(ahead, 0), RETRY_AFTER_MAX)}


@given(st.integers(0, 10**30))
def test_seconds(number: int) -> None:
    assert seconds(str(number), NOW) == min(number, RETRY_AFTER_MAX)
