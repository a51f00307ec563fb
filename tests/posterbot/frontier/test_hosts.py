"""The gate: turns, leases, and several workers over one table. In time that flies; over real HTTP: test_handler.py."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keeping import Kept, Table, fly

from posterbot.frontier.hosts import Hosts, hosts_of
from posterbot.frontier.limits import Limits
from posterbot.frontier.records import HostState
from posterbot.frontier.turn import HostClosed, Stopping

Clock = Callable[[], float]
NOON = 20_000.5 * 86_400


def gate(clock: Clock, keeper: Kept | None = None, transfers: int = 100, **more: Any) -> Hosts:
    """A gate over a table of its own, or that of ``keeper``; ``more``: its arguments, and the limits of all hosts."""
    own = {name: more.pop(name) for name in ("backoff", "patience", "keep", "changed", "wall") if name in more}
    limits = Limits(**{"concurrency": 4, **more})
    own.setdefault("wall", lambda: NOON)
    return Hosts(keeper or Kept(Table(clock)), lambda name: limits, transfers=transfers, clock=clock, **own)


@dataclass
class Log:
    """What the hosts saw."""

    clock: Clock
    began: list[float] = field(default_factory=list)
    order: list[Any] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)

    async def fetch(
        self,
        hosts: Hosts,
        name: str = "a.org",
        *,
        silent: float = 0.1,
        body: float = 0.0,
        status: int | None = 200,
        retry_after: float | None = None,
        size: int = 0,
        label: Any = None,
    ) -> float:
        """One request; gives the moment at which it began."""
        async with hosts.turn(name) as turn:
            began = self.clock()
            self.began.append(began)
            self.order.append(label)
            for key in (name, "all"):
                self.at_once[key] += 1
                self.most[key] = max(self.most[key], self.at_once[key])
            try:
                await asyncio.sleep(silent)
                if status is not None:
                    turn.headers()
                    await asyncio.sleep(body)
            finally:
                for key in (name, "all"):
                    self.at_once[key] -= 1
            if status is None:
                turn.failed()
            else:
                turn.answered(status, size, retry_after)
        return began


async def ticking(hosts: Hosts) -> None:
    while True:
        await asyncio.sleep(1)
        await hosts.tick()


# --- Turns ---


def test_the_next_request_comes_a_gap_after_the_headers_of_the_last() -> None:
    async def story(clock: Clock) -> list[float]:
        hosts, log = gate(clock, delay=1), Log(clock)
        await asyncio.gather(*(log.fetch(hosts, silent=3) for _ in range(4)))
        return log.began

    began = fly(story)
    assert [b - a for a, b in pairwise(began)] == pytest.approx([4, 4, 4], abs=1e-3)
    assert all(b - a >= 4 for a, b in pairwise(began))


def test_bodies_overlap_up_to_the_concurrency() -> None:
    async def story(clock: Clock) -> tuple[list[float], int]:
        hosts, log = gate(clock, delay=1, concurrency=3), Log(clock)
        start = clock()
        await asyncio.gather(*(log.fetch(hosts, silent=0.5, body=100) for _ in range(4)))
        return [began - start for began in log.began], log.most["a.org"]

    began, most = fly(story)
    assert began == pytest.approx([0, 1.5, 3, 100.5], abs=1e-3)
    assert most == 3


def test_without_a_gap_only_the_concurrency_counts() -> None:
    async def story(clock: Clock) -> list[float]:
        hosts, log = gate(clock, concurrency=3), Log(clock)
        start = clock()
        await asyncio.gather(*(log.fetch(hosts, silent=1, body=1) for _ in range(9)))
        return [round(began - start) for began in log.began]

    assert fly(story) == [0, 0, 0, 2, 2, 2, 4, 4, 4]


def test_gap_counts_from_a_failure_too() -> None:
    async def story(clock: Clock) -> list[float]:
        hosts, log = gate(clock, delay=5, failures=None), Log(clock)
        await asyncio.gather(*(log.fetch(hosts, silent=30, status=None) for _ in range(3)))
        return log.began

    began = fly(story)
    assert [b - a for a, b in pairwise(began)] == pytest.approx([35, 35], abs=1e-3)


def test_first_come_first_served_within_a_host_and_hosts_in_turn() -> None:
    async def story(clock: Clock) -> tuple[list[Any], int]:
        hosts, log = gate(clock, transfers=2), Log(clock)
        names = ["a.org"] * 6 + ["b.org"] * 6
        await asyncio.gather(*(log.fetch(hosts, name, label=(name, n)) for n, name in enumerate(names)))
        return log.order, log.most["all"]

    order, most = fly(story)
    assert most == 2
    assert [n for name, n in order if name == "a.org"] == list(range(6))
    assert [n for name, n in order if name == "b.org"] == list(range(6, 12))
    in_turn = [name for name, _ in order[2:10]]  # the first two places were free when the first host came on lease
    assert sorted(set(zip(in_turn[::2], in_turn[1::2], strict=True))) in ([("a.org", "b.org")], [("b.org", "a.org")])


def test_a_place_stays_taken_until_it_is_paid_for() -> None:
    async def story(clock: Clock) -> list[float]:
        hosts, log = gate(clock, transfers=1, concurrency=1, bits_per_second=8000), Log(clock)
        start = clock()
        first = asyncio.gather(*(log.fetch(hosts, silent=1, size=10_000, label=n) for n in range(2)))
        await asyncio.sleep(2)
        await log.fetch(hosts, "b.org", label="b")  # to others there is nothing to pay
        await first
        return [began - start for began in log.began]

    assert fly(story) == pytest.approx([0, 2, 10], abs=1e-3)


def test_leaving_without_a_word_is_a_failure_and_cancelling_is_none() -> None:
    async def story(clock: Clock) -> list[int]:
        hosts = gate(clock, failures=2)
        failures = []

        async def leave(error: type[BaseException] | None) -> None:
            async with hosts.turn("a.org"):
                await asyncio.sleep(1)
                if error:
                    raise error

        for error in (None, KeyError, asyncio.CancelledError):
            task = asyncio.ensure_future(leave(error))
            await asyncio.wait([task])
            failures.append(next(iter(hosts.held())).failures)
        return failures

    assert fly(story) == [1, 2, 2]


# --- Cancelling ---


@pytest.mark.parametrize("moment", ["in line", "called", "under way"])
def test_a_cancelled_request_frees_its_place(moment: str) -> None:
    async def story(clock: Clock) -> float:
        hosts, log = gate(clock, concurrency=1, transfers=1), Log(clock)

        async def ask_first() -> None:
            async with hosts.turn("a.org") as turn:
                await asyncio.sleep(10)
                turn.answered(200, 0)
                if moment == "called":  # by this answer, but it does not know yet
                    second.cancel()

        first = asyncio.ensure_future(ask_first())
        await asyncio.sleep(1)
        second = asyncio.ensure_future(log.fetch(hosts, silent=1000))
        third = asyncio.ensure_future(log.fetch(hosts))
        await asyncio.sleep(1)
        if moment == "under way":
            asyncio.get_running_loop().call_later(20, second.cancel)
        elif moment == "in line":
            second.cancel()
        start = clock() - 2
        await asyncio.wait([first, second, third])
        assert second.cancelled()
        assert not hosts.ready_in("a.org")
        return third.result() - start

    assert fly(story) == pytest.approx(22 if moment == "under way" else 10, abs=1e-2)


def test_a_cancelled_request_to_a_host_that_never_came_on_lease_is_forgotten() -> None:
    async def story(clock: Clock) -> tuple[int, int]:
        table = Table(clock)
        table.owner["a.org"], keeper = "b", Kept(table)
        hosts, log = gate(clock, keeper), Log(clock)
        task = asyncio.ensure_future(log.fetch(hosts))
        await asyncio.sleep(2)
        task.cancel()
        await asyncio.wait([task])
        asked = len(keeper.calls)
        await asyncio.sleep(10)
        return len(keeper.calls) - asked, len(hosts._places)

    assert fly(story) == (0, 0)


# --- Closed ---


def test_requests_wait_at_a_host_that_is_closed_for_a_short_while() -> None:
    async def story(clock: Clock) -> list[float]:
        hosts, log = gate(clock, patience=60), Log(clock)
        start = clock()
        await log.fetch(hosts, status=429, retry_after=50)
        await asyncio.gather(*(log.fetch(hosts, silent=1) for _ in range(3)))
        return [began - start for began in log.began]

    # One at first, the others when that has succeeded.
    assert fly(story) == pytest.approx([0, 50.1, 51.1, 51.1], abs=1e-3)


def test_requests_to_a_host_that_is_closed_for_long_are_told_so() -> None:
    async def story(clock: Clock) -> list[Any]:
        hosts, log = gate(clock, patience=60, concurrency=1), Log(clock)
        first = asyncio.ensure_future(log.fetch(hosts, status=503, retry_after=100))
        waiting = [asyncio.ensure_future(log.fetch(hosts)) for _ in range(2)]
        await asyncio.wait([first, *waiting])
        errors = [task.exception() for task in waiting]
        await asyncio.sleep(30)
        with pytest.raises(HostClosed) as late:
            await log.fetch(hosts)
        await asyncio.sleep(11)
        await log.fetch(hosts)  # within patience again
        return [*errors, late.value]

    for error, seconds in zip(fly(story), (100, 100, 70), strict=True):
        assert isinstance(error, HostClosed)
        assert (error.host, error.reason, error.seconds) == ("a.org", "http_503", pytest.approx(seconds, abs=0.1))


def test_circuit_breaker_lets_one_through_and_opens_again() -> None:
    async def story(clock: Clock) -> tuple[list[float], list[int]]:
        hosts, log, openings = gate(clock, failures=3, patience=3600, backoff=10, concurrency=1), Log(clock), []
        for status in (500, None, 502, 500, 200, 200):
            await log.fetch(hosts, silent=0, status=status)
            openings.append(hosts.openings("a.org"))
        return [b - a for a, b in pairwise(log.began)], openings

    gaps, openings = fly(story)
    assert openings == [0, 0, 1, 2, 0, 0]
    assert gaps[:2] == pytest.approx([0, 0], abs=1e-3)
    assert 10 <= gaps[2] <= 15.1
    assert 20 <= gaps[3] <= 30.1
    assert gaps[4] == pytest.approx(0, abs=1e-3)


def test_budget_of_the_day() -> None:
    async def story(clock: Clock) -> HostClosed:
        hosts, log = gate(clock, requests_per_day=3, wall=lambda: NOON + clock() - 1000), Log(clock)
        for _ in range(3):
            await log.fetch(hosts, silent=0)
        with pytest.raises(HostClosed) as closed:
            await log.fetch(hosts)
        await asyncio.sleep(86_400 / 2)
        await log.fetch(hosts)
        return closed.value

    error = fly(story)
    assert (error.reason, error.seconds) == ("budget", pytest.approx(43_200, abs=1))


# --- Crawl-delay ---


def test_crawl_delay_slows_down_and_is_kept_in_the_table() -> None:
    async def story(clock: Clock) -> tuple[list[float], HostState]:
        keeper = Kept(Table(clock))
        hosts, log = gate(clock, keeper), Log(clock)
        await log.fetch(hosts, silent=0)  # robots.txt
        hosts.crawl_delay("a.org", 10)
        await asyncio.gather(*(log.fetch(hosts, silent=0, body=1) for _ in range(3)))
        await hosts.tick()
        return [b - a for a, b in pairwise(log.began)], keeper.table.states["a.org"]

    gaps, state = fly(story)
    assert gaps == pytest.approx([10, 10, 10], abs=1e-3)
    assert (state.crawl_delay, state.gap) == (10, 10)


def test_crawl_delay_is_stored_when_it_is_learned() -> None:
    async def story(clock: Clock) -> float | None:
        keeper = Kept(Table(clock))
        hosts, log = gate(clock, keeper), Log(clock)
        await log.fetch(hosts)
        hosts.crawl_delay("a.org", 10)
        await asyncio.sleep(0.2)  # no tick, and then we die
        return keeper.table.states["a.org"].crawl_delay

    assert fly(story) == 10


def test_crawl_delay_of_a_host_that_is_not_on_lease_is_not_lost() -> None:
    async def story(clock: Clock) -> tuple[float | None, int]:
        keeper = Kept(Table(clock))
        hosts = gate(clock, keeper)
        keeper.table.owner["a.org"] = "b"
        keeper.table.states["a.org"] = HostState("a.org")
        hosts.crawl_delay("a.org", 10)
        await asyncio.sleep(5)
        await hosts.tick()
        keeper.table.owner["a.org"] = None
        await asyncio.sleep(1)
        for _ in range(10):
            await hosts.tick()
            await asyncio.sleep(1)
        return keeper.table.states["a.org"].crawl_delay, len(hosts._places)

    assert fly(story) == (10, 0)


# --- For the scheduler ---


def test_ready_in() -> None:
    async def story(clock: Clock) -> None:
        hosts, log = gate(clock, delay=5, concurrency=2, transfers=3), Log(clock)
        assert hosts.ready_in("a.org") is None
        hosts.adopt([HostState("a.org"), HostState("b.org"), HostState("c.org", wait=3, gap=5, requests=1)])
        assert (hosts.ready_in("a.org"), hosts.ready_in("c.org")) == (0.0, 3.0)
        under_way = asyncio.ensure_future(log.fetch(hosts, silent=2, body=100))
        await asyncio.sleep(1)
        assert hosts.ready_in("a.org") == math.inf  # not answered yet
        await asyncio.sleep(2)
        assert hosts.ready_in("a.org") == pytest.approx(4)
        more = [asyncio.ensure_future(log.fetch(hosts, silent=0, body=100)) for _ in range(2)]
        await asyncio.sleep(1)
        assert hosts.ready_in("a.org") == math.inf  # others are in line
        await asyncio.sleep(10)
        assert hosts.ready_in("a.org") == math.inf  # no place
        assert hosts.ready_in("b.org") == 0.0
        others = asyncio.ensure_future(log.fetch(hosts, "c.org", silent=0, body=100))
        await asyncio.sleep(0.1)
        assert hosts.ready_in("b.org") == math.inf  # too many transfers
        await asyncio.wait([under_way, *more, others])

    fly(story)


def test_changed_is_called_when_a_host_becomes_ready() -> None:
    async def story(clock: Clock) -> None:
        moments: list[float] = []
        hosts, log = gate(clock, delay=5, transfers=1, changed=lambda: moments.append(clock() - start)), Log(clock)
        start = clock()
        hosts.adopt([HostState("a.org", wait=3, gap=5, requests=1)])
        await asyncio.sleep(4)
        assert moments == [pytest.approx(3, abs=1e-3)]
        moments.clear()
        await log.fetch(hosts, silent=1)  # from 4 to 5
        await asyncio.sleep(20)
        assert set(map(round, moments)) == {5, 10}  # fewer transfers; the gap is over
        moments.clear()
        await log.fetch(hosts, "b.org", status=429, retry_after=100)
        closed = clock() - start
        await asyncio.sleep(99)
        moments.clear()
        await asyncio.sleep(2)
        assert moments == [pytest.approx(closed + 100, abs=1e-3)]

    fly(story)


def test_changed_is_called_when_a_transfer_makes_room() -> None:
    async def story(clock: Clock) -> None:
        ready: list[float | None] = []
        hosts, log = gate(clock, transfers=1), Log(clock)
        hosts.adopt([HostState("a.org"), HostState("b.org")])
        hosts.changed = lambda: ready.append(hosts.ready_in("b.org"))
        await log.fetch(hosts)
        assert ready[-1] == 0.0

    fly(story)


def test_held_tells_what_is_known() -> None:
    async def story(clock: Clock) -> list[HostState]:
        hosts, log = gate(clock, delay=2), Log(clock)
        await log.fetch(hosts, size=77, silent=0)
        await log.fetch(hosts, "b.org", silent=0, status=503, retry_after=9)
        return list(hosts.held())

    a, b = fly(story)
    assert (a.name, a.requests, a.bytes, a.day, a.day_requests, a.day_bytes) == ("a.org", 1, 77, 20_000, 1, 77)
    assert (a.gap, a.wait) == (2, pytest.approx(2, abs=0.1))
    assert (b.name, b.closed_reason, b.failures, b.openings) == ("b.org", "http_503", 1, 1)
    assert b.closed_for == pytest.approx(9, abs=1e-3)


# --- Leases ---


def test_all_that_is_wanted_at_a_time_is_asked_for_together() -> None:
    async def story(clock: Clock) -> list[tuple[str, ...]]:
        keeper = Kept(Table(clock))
        hosts, log = gate(clock, keeper), Log(clock)
        await asyncio.gather(*(log.fetch(hosts, f"{n % 30}.org", silent=10) for n in range(60)))
        return keeper.called("take")

    asked = fly(story)
    assert len(asked) <= 2
    assert sorted(name for names in asked for name in names) == sorted({f"{n}.org" for n in range(30)})


def test_names_that_come_one_by_one_are_asked_for_in_batches() -> None:
    async def story(clock: Clock) -> list[float]:
        keeper = Kept(Table(clock))
        hosts, log = gate(clock, keeper), Log(clock)
        tasks = []
        for n in range(100):
            tasks.append(asyncio.ensure_future(log.fetch(hosts, f"{n}.org")))
            await asyncio.sleep(0.01)
        await asyncio.wait(tasks)
        return [moment for moment, _, _ in keeper.calls]

    asked = fly(story)
    assert len(asked) <= 22
    assert min(b - a for a, b in pairwise(asked)) >= 0.05 - 1e-9


def test_what_is_not_granted_is_asked_for_again() -> None:
    async def story(clock: Clock) -> tuple[float, list[float]]:
        table = Table(clock)
        table.owner["a.org"], table.states["a.org"], keeper = "b", HostState("a.org"), Kept(table)
        hosts, log, start = gate(clock, keeper), Log(clock), clock()
        asyncio.get_running_loop().call_later(1.7, table.owner.update, {"a.org": None})
        began = await log.fetch(hosts)
        return began - start, [moment - start for moment, _, _ in keeper.calls]

    began, asked = fly(story)
    assert began == pytest.approx(2.0, abs=0.01)
    assert asked == pytest.approx([0, 0.5, 1, 1.5, 2], abs=0.01)


def test_a_keeper_that_fails_loses_no_turn_and_is_complained_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async def story(clock: Clock) -> HostState:
        keeper = Kept(Table(clock))
        keeper.broken = True
        hosts, log = gate(clock, keeper), Log(clock)
        task = asyncio.ensure_future(log.fetch(hosts, size=5))
        for _ in range(5):
            await asyncio.sleep(1)
            await hosts.tick()
        assert not log.began
        keeper.broken = False
        await hosts.tick()
        await task
        keeper.broken = True
        await hosts.tick()  # nothing is stored
        keeper.broken = False
        await hosts.tick()
        assert keeper.table.states["a.org"].bytes == 5
        keeper.broken = True
        for _ in range(7):
            await asyncio.sleep(1)
            await hosts.tick()  # given back as idle, in vain
        keeper.broken = False
        await asyncio.sleep(1)
        assert keeper.table.owner["a.org"] is None
        return keeper.table.states["a.org"]

    with caplog.at_level(logging.WARNING):
        assert fly(story).requests == 1
    assert len(caplog.messages) == 3  # once for each time that it was away
    assert "the database is away" in caplog.messages[0]


def test_only_what_has_changed_is_stored_but_always_something_is_asked() -> None:
    async def story(clock: Clock) -> list[tuple[str, ...]]:
        keeper = Kept(Table(clock))
        hosts, log = gate(clock, keeper, keep=lambda name: True), Log(clock)
        await hosts.tick()
        await asyncio.gather(*(log.fetch(hosts, name) for name in ("a.org", "b.org")))
        await hosts.tick()
        await log.fetch(hosts, "b.org")
        await hosts.tick()
        await hosts.tick()
        return keeper.called("save")

    assert fly(story) == [(), ("a.org", "b.org"), ("b.org",), ()]


def test_idle_hosts_are_given_back_and_forgotten_unless_the_scheduler_has_urls() -> None:
    async def story(clock: Clock) -> dict[str, str | None]:
        keeper = Kept(Table(clock))
        hosts, log = gate(clock, keeper, keep=lambda name: name == "b.org"), Log(clock)
        asyncio.ensure_future(ticking(hosts))  # noqa: RUF006
        slow = asyncio.ensure_future(log.fetch(hosts, "c.org", silent=20))
        await asyncio.gather(*(log.fetch(hosts, f"{n}.org") for n in "ab"))
        await asyncio.sleep(4)
        assert set(hosts._places) == {"a.org", "b.org", "c.org"}
        await asyncio.sleep(4)
        owners = dict(keeper.table.owner)
        assert set(hosts._places) == {"b.org", "c.org"}
        await slow
        await asyncio.sleep(4)
        assert set(hosts._places) == {"b.org", "c.org"}  # not idle for long enough
        await asyncio.sleep(4)
        assert set(hosts._places) == {"b.org"}
        return owners

    assert fly(story) == {"a.org": None, "b.org": "a", "c.org": "a"}


def test_a_host_that_is_being_given_is_not_adopted_but_asked_for_again() -> None:
    """The scheduler's lease was made before the host was given, but is answered later."""

    class SlowToGive(Kept):
        answer: Callable[[], None]

        def give(self, states: Sequence[HostState]) -> Future[None]:
            future: Future[None] = Future()
            self.answer = lambda: future.set_result(super(SlowToGive, self).give(states).result())
            return future

    async def story(clock: Clock) -> None:
        keeper = SlowToGive(Table(clock))
        hosts, log = gate(clock, keeper), Log(clock)
        await log.fetch(hosts)
        await asyncio.sleep(6)
        await hosts.tick()  # idle
        hosts.adopt([HostState("a.org")])
        assert hosts.ready_in("a.org") is None
        hosts.keep = lambda name: True
        keeper.answer()
        await asyncio.sleep(1)
        assert keeper.table.owner["a.org"] == "a"
        assert hosts.ready_in("a.org") == 0.0
        assert next(iter(hosts.held())).requests == 1

    fly(story)


def test_nothing_is_remembered_of_hosts_that_were() -> None:
    async def story(clock: Clock) -> tuple[int, int, int]:
        hosts, log = gate(clock, concurrency=1, delay=1, failures=1, patience=1), Log(clock)
        asyncio.ensure_future(ticking(hosts))  # noqa: RUF006
        for n in range(300):
            await log.fetch(hosts, f"{n}.org", silent=0.05, status=(200, 429, None)[n % 3])
        await asyncio.sleep(20)
        scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        timers = sum(not timer.cancelled() for timer in scheduled)
        return len(hosts._places) + len(hosts._round), len(hosts._leases._wanted), timers

    places, wanted, timers = fly(story)
    assert (places, wanted) == (0, 0)
    assert timers < 10


# --- Several workers ---


def workers(clock: Clock, number: int = 2, **more: Any) -> tuple[Table, list[Hosts]]:
    table = Table(clock)
    gates = [gate(clock, Kept(table, f"w{n}"), **more) for n in range(number)]
    for hosts in gates:
        asyncio.ensure_future(ticking(hosts))  # noqa: RUF006
    return table, gates


def test_a_host_goes_back_and_forth_between_workers_that_want_it() -> None:
    async def story(clock: Clock) -> list[tuple[float, int]]:
        _, gates = workers(clock, concurrency=1)
        seen: list[tuple[float, int]] = []

        async def work(n: int) -> None:
            log = Log(clock)
            for _ in range(100):
                seen.append((await log.fetch(gates[n], silent=0.1), n))

        await asyncio.gather(work(0), work(1))
        return sorted(seen)

    seen = fly(story)
    start = seen[0][0]
    shifts = [n for n, (_, worker) in enumerate(seen) if n and worker != seen[n - 1][1]]
    assert len(shifts) >= 4  # handed over again and again …
    assert all(b - a >= 10 for a, b in pairwise(shifts))  # … but not after each request
    longest = max(b - a for (a, _), (b, _) in pairwise(seen))
    assert longest < 1.5  # and without long pauses
    assert seen[-1][0] - start < 45


def test_a_host_with_a_long_gap_is_of_use_to_each_worker_in_turn() -> None:
    async def story(clock: Clock) -> tuple[list[tuple[float, int]], int]:
        table, gates = workers(clock, 3, delay=30)
        seen: list[tuple[float, int]] = []

        async def work(n: int) -> None:
            for _ in range(4):
                seen.append((await Log(clock).fetch(gates[n]), n))

        await asyncio.gather(*(work(n) for n in range(3)))
        return sorted(seen), table.hand_overs

    seen, hand_overs = fly(story)
    assert hand_overs <= len(seen)  # never without a request
    gaps = [b - a for (a, _), (b, _) in pairwise(seen)]
    assert all(30.1 <= gap <= 31.7 for gap in gaps)  # 0.1 s until the headers, and at most what asking takes
    assert [n for _, n in seen].count(0) == 4


def test_what_the_scheduler_has_urls_of_is_handed_over_too_and_comes_back() -> None:
    async def story(clock: Clock) -> tuple[float, bool]:
        table, (ours, theirs) = workers(clock)
        ours.keep = lambda name: True
        await Log(clock).fetch(ours)
        start = clock()
        began = await Log(clock).fetch(theirs)
        await asyncio.sleep(10)
        assert table.owner["a.org"] == "w0"
        return began - start, ours.ready_in("a.org") == 0.0

    began, back = fly(story)
    assert 2 <= began <= 4
    assert back


def test_a_lease_that_nobody_knows_of_any_more_is_found_and_given_back() -> None:
    async def story(clock: Clock) -> float:
        table, (_, theirs) = workers(clock)
        table.owner["a.org"], table.states["a.org"] = "w0", HostState("a.org", requests=7)
        start = clock()
        began = await Log(clock).fetch(theirs)
        assert table.states["a.org"].requests >= 7
        return began - start

    assert fly(story) < 5


def test_a_worker_that_was_taken_for_dead_asks_anew() -> None:
    async def story(clock: Clock) -> float:
        table, (ours, theirs) = workers(clock, delay=1)
        log = Log(clock)
        tasks = [asyncio.ensure_future(log.fetch(ours, silent=0)) for _ in range(20)]
        await log.fetch(ours, "b.org")
        await asyncio.sleep(1.5)
        table.owner.update({"a.org": None, "b.org": None})
        tasks.append(asyncio.ensure_future(Log(clock).fetch(theirs, silent=1.5)))
        await asyncio.sleep(0.1)
        ours.lose()
        began = len(log.began)
        assert ours.ready_in("b.org") is None
        await asyncio.sleep(1)
        assert len(log.began) == began
        await asyncio.wait(tasks)
        return min(b - a for a, b in pairwise(log.began[2:]))

    assert fly(story) >= 1


@given(st.integers(0, 2**32))
def test_promises_hold_over_all_workers(seed: int) -> None:
    """Whatever is asked for when, by whom, however it ends, and however slow and unreliable the database is."""
    chance = random.Random(seed)
    names = [f"{n}.org" for n in range(chance.randint(1, 4))]
    limits = {name: Limits(chance.randint(1, 3), chance.choice([0, 0.3, 2, 7]), failures=None) for name in names}
    transfers = chance.randint(1, 5)

    async def story(clock: Clock) -> None:
        table = Table(clock)
        keepers = [Kept(table, f"w{n}", chance) for n in range(chance.randint(1, 3))]
        gates = [
            Hosts(keeper, limits.__getitem__, transfers=transfers, clock=clock, wall=lambda: NOON) for keeper in keepers
        ]
        tickers = [asyncio.ensure_future(ticking(hosts)) for hosts in gates]
        answered: dict[str, float] = defaultdict(lambda: -math.inf)
        silent: Counter[str] = Counter()
        at_once: Counter[str] = Counter()
        under_way: Counter[int] = Counter()
        begun = 0

        async def request(n: int, name: str) -> None:
            nonlocal begun
            await asyncio.sleep(chance.uniform(0, 20))
            async with gates[n].turn(name) as turn:
                begun += 1
                assert table.owner[name] == f"w{n}"
                at_once[name] += 1
                under_way[n] += 1
                assert at_once[name] <= limits[name].concurrency
                assert under_way[n] <= transfers
                if limits[name].delay:
                    assert silent[name] == 0
                    assert clock() - answered[name] >= limits[name].delay - 1e-9
                silent[name] += 1
                heard = False
                try:
                    await asyncio.sleep(chance.uniform(0, 0.5))
                    if chance.random() < 0.1:
                        return
                    silent[name] -= 1
                    heard, answered[name] = True, clock()
                    turn.headers()
                    await asyncio.sleep(chance.choice([0, 0, 3]))
                    chance.choice([turn.dropped, lambda: turn.answered(200, 10), lambda: turn.answered(500, 0)])()
                finally:
                    at_once[name] -= 1
                    under_way[n] -= 1
                    if not heard:
                        silent[name] -= 1
                        answered[name] = clock()

        requests = [
            asyncio.ensure_future(request(chance.randrange(len(gates)), chance.choice(names)))
            for _ in range(chance.randint(1, 40))
        ]
        for some in chance.sample(requests, len(requests) // 5):
            asyncio.get_running_loop().call_later(chance.uniform(0, 25), some.cancel)
        await asyncio.wait(requests)  # all get their turn
        for task in requests:
            assert task.cancelled() or task.result() is None
        for ticker in tickers:
            ticker.cancel()
        for keeper in keepers:
            keeper.chance = None
        await asyncio.sleep(2)
        await asyncio.gather(*(hosts.close() for hosts in gates))
        assert {table.owner[name] for name in table.states} <= {None}
        assert sum(state.requests for state in table.states.values()) == begun

    fly(story)


# --- The end ---


def test_stop_sends_all_away_and_close_gives_all_back() -> None:
    async def story(clock: Clock) -> tuple[dict[str, str | None], HostState, float]:
        keeper = Kept(Table(clock))
        hosts, log = gate(clock, keeper, concurrency=1, keep=lambda name: True), Log(clock)
        keeper.table.owner["b.org"] = "b"
        under_way = asyncio.ensure_future(log.fetch(hosts, silent=2, size=9))
        waiting = [asyncio.ensure_future(log.fetch(hosts, name)) for name in ("a.org", "b.org")]
        await asyncio.sleep(1)
        hosts.stop()
        await asyncio.wait(waiting)
        assert [type(task.exception()) for task in waiting] == [Stopping, Stopping]
        with pytest.raises(Stopping):
            await log.fetch(hosts, "c.org")
        start = clock()
        await hosts.close()
        await under_way
        return keeper.table.owner, keeper.table.states["a.org"], clock() - start

    owner, state, took = fly(story)
    assert owner == {"a.org": None, "b.org": "b"}
    assert (state.requests, state.bytes) == (1, 9)
    assert took < 2


def test_close_does_not_wait_for_long() -> None:
    async def story(clock: Clock) -> tuple[float, float]:
        keeper = Kept(Table(clock))
        hosts = gate(clock, keeper, delay=7)
        task = asyncio.ensure_future(Log(clock).fetch(hosts, silent=1000))
        await asyncio.sleep(1)
        start = clock()
        await hosts.close()
        took = clock() - start
        assert keeper.table.owner["a.org"] is None
        wait = keeper.table.get("a.org").wait
        task.cancel()
        await asyncio.wait([task])
        return took, wait

    took, wait = fly(story)
    assert took < 4
    assert wait == pytest.approx(7, abs=0.1)  # whoever takes it over still waits


def test_close_with_a_broken_keeper_ends() -> None:
    async def story(clock: Clock) -> float:
        keeper = Kept(Table(clock))
        hosts = gate(clock, keeper)
        await Log(clock).fetch(hosts)
        keeper.broken = True
        start = clock()
        await hosts.close()
        return clock() - start

    assert fly(story) < 4


def test_a_crawler_without_a_gate_is_told_what_it_lacks() -> None:
    class Crawler:
        pass

    with pytest.raises(LookupError, match="SCHEDULER"):
        hosts_of(Crawler())  # type: ignore[arg-type]
