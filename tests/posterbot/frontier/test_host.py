"""One host's gap, circuit breaker, budget and rate, on times given by hand. How turns keep to them: test_hosts.py."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.frontier.host import BACKOFF_MAX, Host, Shut, backoff
from posterbot.frontier.limits import Limits
from posterbot.frontier.records import HostState

DAY = 86_400.0
NOON = 20_000.5 * DAY
BASE = 30.0


def host(state: HostState | None = None, now: float = 0.0, **limits: Any) -> Host:
    return Host(state or HostState("a.org"), Limits(**{"concurrency": 4, **limits}), BASE, now)


def ask(host: Host, now: float, status: int | None = 200, retry_after: float | None = None, size: int = 0) -> None:
    """A request and its answer, both at ``now``; no ``status``: no answer."""
    epoch = host.begin(NOON)
    answer(host, epoch, now, status, retry_after, size)


def answer(
    host: Host, epoch: int, now: float, status: int | None, retry_after: float | None = None, size: int = 0
) -> None:
    host.heard(now)
    host.received(size, NOON)
    if status is None:
        host.failed(epoch, now)
    else:
        host.answered(status, retry_after, epoch, now)
    host.places -= 1


@given(st.integers(1, 10_000), st.floats(0.001, 1000))
def test_backoff_doubles_with_jitter_upwards_to_an_hour(tries: int, base: float) -> None:
    least = base * 2.0 ** (tries - 1) if tries < 30 else math.inf
    assert min(least, BACKOFF_MAX) <= backoff(tries, base) <= min(1.5 * least, BACKOFF_MAX)


def test_backoff_varies() -> None:
    assert len({backoff(3, 30) for _ in range(10)}) > 1


# --- Gap ---


def test_gap_counts_from_the_headers() -> None:
    a = host(delay=5)
    assert a.wait(0, NOON) == 0
    a.begin(NOON)
    assert a.wait(100, NOON) == math.inf  # no answer yet
    a.heard(100)
    assert a.wait(100, NOON) == 5  # whether or not the body has come
    assert a.wait(104.5, NOON) == 0.5
    assert a.wait(105, NOON) == 0


def test_crawl_delay_goes_before_a_shorter_delay_and_allows_one_transfer() -> None:
    a = host(delay=5)
    a.crawl_delay(20)
    assert a.gap == 20
    a.begin(NOON)
    a.heard(0)
    assert a.wait(20, NOON) == math.inf  # the body is still coming
    a.places -= 1
    assert a.wait(19, NOON) == 1
    a.crawl_delay(None)
    assert a.wait(19, NOON) == 0
    a.crawl_delay(1)
    assert a.gap == 5


@pytest.mark.parametrize("nonsense", [0, -1, math.nan, math.inf])
def test_senseless_crawl_delays_are_none(nonsense: float) -> None:
    a = host(delay=5)
    a.crawl_delay(nonsense)
    assert (a.gap, a.snapshot(0).crawl_delay, a.changed) == (5, None, False)


def test_gap_lasts_over_a_change_of_worker() -> None:
    a = host(delay=5)
    a.crawl_delay(8)
    ask(a, 100)
    left = a.snapshot(103)
    assert (left.wait, left.gap, left.crawl_delay) == (5, 8, 8)
    b = host(left, now=1.0, delay=5)  # on another clock
    assert b.wait(1.0, NOON) == 5
    assert b.gap == 8


def test_a_gap_that_has_grown_since_counts_from_the_last_answer() -> None:
    stored = HostState("a.org", wait=0.0, gap=2.0, requests=7)
    assert host(stored, now=100.0, delay=5).wait(100.0, NOON) == 3  # the answer may have come 2 s ago
    assert host(HostState("a.org"), now=100.0, delay=5).wait(100.0, NOON) == 0  # nobody has ever asked


def test_snapshot_of_a_host_under_way_is_on_the_safe_side() -> None:
    a = host(delay=5)
    a.begin(NOON)
    assert a.snapshot(1000).wait == 5


# --- Closing ---


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_closes(status: int) -> None:
    a = host()
    ask(a, 10, status, retry_after=100)
    assert a.shut(10, NOON) == Shut(f"http_{status}", 100)
    assert a.wait(109, NOON) == 1
    assert a.wait(110, NOON) == 0
    assert a.shut(110, NOON) is None


def test_retry_after_is_capped_and_only_obeyed_where_it_is_meant() -> None:
    a, b = host(), host()
    ask(a, 0, 429, retry_after=1e9)
    assert a.wait(0, NOON) == DAY
    ask(b, 0, 200, retry_after=100)
    ask(b, 0, 301, retry_after=100)
    assert b.wait(0, NOON) == 0


@pytest.mark.parametrize("header", [None, 0.0])
def test_429_without_a_time_is_backed_off_from_twice_as_long_each_time(header: float | None) -> None:
    a, now = host(), 0.0
    for n in range(9):
        ask(a, now, 429, header)
        wait = a.wait(now, NOON)
        assert min(BASE * 2**n, BACKOFF_MAX) - 1e-6 <= wait <= min(1.5 * BASE * 2**n, BACKOFF_MAX) + 1e-6
        assert a.openings == n + 1
        now += wait
    ask(a, now, 200)
    assert (a.openings, a.snapshot(now).closed_reason) == (0, None)
    ask(a, now, 429, header)
    assert a.wait(now, NOON) <= 1.5 * BASE


@pytest.mark.parametrize("status", [None, 500, 502, 599])
def test_failures_in_a_row_open_the_circuit_breaker(status: int | None) -> None:
    a = host(failures=3)
    for answered in (status, status, 404, status, status):
        ask(a, 0, answered)
        assert a.wait(0, NOON) == 0
    ask(a, 0, status)
    assert a.shut(0, NOON) is not None
    assert a.shut(0, NOON).reason == "failing"  # type: ignore[union-attr]
    assert BASE <= a.wait(0, NOON) <= 1.5 * BASE


def test_without_a_number_of_failures_the_circuit_breaker_never_opens() -> None:
    a = host(failures=None)
    for _ in range(100):
        ask(a, 0, None)
    assert a.wait(0, NOON) == 0


def test_one_request_decides_whether_the_host_is_open_again() -> None:
    a = host(failures=1)
    ask(a, 0, None)
    now = a.wait(0, NOON)
    epoch = a.begin(NOON)
    assert a.wait(now, NOON) == math.inf  # only one
    answer(a, epoch, now, None)
    assert 2 * BASE <= a.wait(now, NOON) <= 3 * BASE
    now += a.wait(now, NOON)
    epoch = a.begin(NOON)
    answer(a, epoch, now, 404)
    assert (a.wait(now, NOON), a.openings) == (0, 0)
    a.begin(NOON)
    assert a.wait(now, NOON) == 0


def test_what_was_sent_before_the_closing_neither_opens_nor_closes_again() -> None:
    a = host(failures=1)
    early = [a.begin(NOON) for _ in range(4)]
    answer(a, early[0], 0, 429, 100)
    answer(a, early[1], 1, 429)
    answer(a, early[2], 2, None)
    answer(a, early[3], 3, 200)
    assert a.wait(3, NOON) == 97
    assert a.openings == 1


def test_a_longer_retry_after_of_an_earlier_request_counts() -> None:
    a = host()
    early = [a.begin(NOON) for _ in range(2)]
    answer(a, early[0], 0, 429, 100)
    answer(a, early[1], 1, 503, 200)
    assert a.wait(1, NOON) == 200
    assert a.openings == 1


def test_closing_lasts_over_a_change_of_worker() -> None:
    a = host(failures=2)
    ask(a, 0, None)
    ask(a, 0, None)
    state = a.snapshot(10)
    assert (state.failures, state.openings, state.closed_reason) == (2, 1, "failing")
    b = host(state, now=500.0, failures=2)
    assert b.wait(500, NOON) == pytest.approx(state.closed_for)
    assert state.closed_for > 19
    now = 501 + state.closed_for
    b.begin(NOON)
    assert b.wait(now, NOON) == math.inf  # half open, here too


# --- Budget ---


def test_requests_of_a_day() -> None:
    a = host(requests_per_day=2)
    ask(a, 0)
    assert a.shut(0, NOON) is None
    ask(a, 0)
    assert a.shut(0, NOON + 100) == Shut("budget", DAY / 2 - 100)
    assert a.wait(0, NOON + 100) == DAY / 2 - 100
    assert a.shut(0, NOON + DAY / 2) is None
    assert a.snapshot(0).requests == 2
    assert a.snapshot(0).day_requests == 0


def test_bytes_of_a_day() -> None:
    a = host(bytes_per_day=1000)
    ask(a, 0, size=999)
    assert a.shut(0, NOON) is None
    ask(a, 0, size=1)
    assert a.shut(0, NOON) == Shut("budget", DAY / 2)
    assert (a.snapshot(0).day_bytes, a.snapshot(0).bytes) == (1000, 1000)


def test_a_clock_set_back_over_midnight_takes_nothing_away() -> None:
    a = host(requests_per_day=2)
    midnight = 20_001 * DAY
    for wall in (midnight + 10, midnight - 3590):
        assert a.shut(0, wall) is None
        a.begin(wall)
    assert a.shut(0, midnight - 3500) == Shut("budget", DAY + 3500)
    assert a.shut(0, midnight + DAY) is None


def test_a_clock_that_was_years_ahead_does_not_close_the_host_for_years() -> None:
    a = host(requests_per_day=1)
    a.begin(NOON + 3650 * DAY)
    assert a.shut(0, NOON) == Shut("budget", DAY / 2)
    assert a.shut(0, NOON + DAY / 2) is None


def test_budget_lasts_over_a_change_of_worker() -> None:
    a = host(requests_per_day=1)
    ask(a, 0)
    assert host(a.snapshot(0), now=0.0, requests_per_day=1).shut(0, NOON) == Shut("budget", DAY / 2)


# --- Rate ---


@pytest.mark.parametrize(
    ("size", "seconds", "bits_per_second", "unpaid"),
    [
        (1_000_000, 0.0, 8e6, 1.0),
        (1_000_000, 0.25, 8e6, 0.75),
        (1_000_000, 1.0, 8e6, 0.0),
        (1_000_000, 60.0, 8e6, 0.0),
        (0, 0.0, 8e6, 0.0),
        (50_000, 0.0, 12.5e6, 0.032),
        (10**9, 0.0, None, 0.0),
    ],
)
def test_unpaid(size: int, seconds: float, bits_per_second: float | None, unpaid: float) -> None:
    a = host(concurrency=1, bits_per_second=bits_per_second)
    assert a.unpaid(size, 50.0, 50.0 + seconds) == pytest.approx(unpaid)


def test_who_takes_over_waits_until_all_is_paid() -> None:
    a = host(concurrency=1, bits_per_second=8000)
    a.unpaid(10_000, 0.0, 1.0)
    assert a.snapshot(1.0).wait == 9


transfers = st.lists(st.tuples(st.integers(0, 20_000_000), st.floats(0.001, 30)), min_size=1, max_size=30)


@given(st.lists(transfers, min_size=2, max_size=2))
def test_two_places_together_keep_to_the_rate(places: list[list[tuple[int, float]]]) -> None:
    rate = 25e6
    a = host(concurrency=2, bits_per_second=rate)
    busy, bits = [], 0.0
    for place in places:
        busy.append(sum(seconds + a.unpaid(size, 0.0, seconds) for size, seconds in place))
        bits += sum(8 * size for size, _ in place)
    assert bits <= rate * max(busy) * (1 + 1e-9)
