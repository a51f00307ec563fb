"""The URLs that are next, and why: what a worker that begins now would lease, told without leasing.

It chooses with the functions of a lease (``choosing.py``), by the figures that a lease would find.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, union_all

from posterbot.catalogue.schema import frontier, hosts, queues
from posterbot.frontier.arm_table import FIRST_GUESS, ArmTable, expected, mean_of
from posterbot.frontier.by_yield import ASKED_FOR
from posterbot.frontier.choosing import Arm, choose, floors
from posterbot.frontier.host_table import clock
from posterbot.frontier.states import PENDING
from posterbot.frontier.store import HOSTS_AT_ONCE
from posterbot.frontier.strategy import ARMLESS

MOSTLY = 0.5
"""An arm that brings less than so much of its worth itself is chosen for what it leads to."""


@dataclass(frozen=True, slots=True)
class Next:
    """A URL that is next."""

    url: str
    host: str
    arm: int
    """0: of none."""
    why: str
    """For a person."""
    seconds: float
    """From now, as far as the gaps between requests to its host tell."""


@dataclass(frozen=True, slots=True)
class _Choice:
    host: int
    arm: int
    hope: float
    why: str


def next_urls(
    connection: Connection, run: int, host: int | None, number: int, by_yield: bool, under_way: Mapping[int, int]
) -> tuple[Next, ...]:
    """At most ``number`` URLs of ``run``, or of one of its hosts, in the order in which they would be asked for."""
    now = clock(connection)
    found = _hosts(connection, run, host, by_yield)
    if by_yield:
        choices = _by_yield(connection, run, found, number, under_way, now)
    else:
        why = "by turns: of hosts the one served longest ago, and there what was found first"
        table = ArmTable(connection.dialect.name, run)
        waiting = {row.id: table.armless(connection, row.id, number) for row in found}
        choices = {row.id: [_Choice(row.id, ARMLESS, 0.0, why)] * waiting[row.id] for row in found}
    order = _in_order(found, choices, number, now)
    urls = _urls(connection, run, [choice for choice, _ in order])
    names = {row.id: row.name for row in found}
    return tuple(
        Next(urls[choice.host, choice.arm].popleft(), names[choice.host], choice.arm, choice.why, round(seconds, 1))
        for choice, seconds in order
        if urls[choice.host, choice.arm]
    )


def _hosts(connection: Connection, run: int, host: int | None, by_yield: bool) -> Sequence[Any]:
    """Hosts of which URLs wait, as a lease would take them."""
    order = (queues.c.worth.desc(), queues.c.served_at) if by_yield else (queues.c.served_at,)
    statement = (
        select(hosts.c.id, hosts.c.name, hosts.c.next_at, hosts.c.gap, hosts.c.closed_until, queues.c.served_at)
        .join(queues, queues.c.host_id == hosts.c.id)
        .where(queues.c.run_id == run, queues.c.waiting > 0)
        .order_by(hosts.c.closed_until > clock(connection), *order, hosts.c.id)
        .limit(HOSTS_AT_ONCE)
    )
    return connection.execute(statement if host is None else statement.where(hosts.c.id == host)).all()


def _by_yield(
    connection: Connection, run: int, found: Sequence[Any], number: int, under_way: Mapping[int, int], now: float
) -> dict[int, list[_Choice]]:
    table = ArmTable(connection.dialect.name, run)
    of_run = expected(table.mean(connection), FIRST_GUESS)
    waiting = table.waiting(connection, [row.id for row in found], number)
    choices: dict[int, list[_Choice]] = {}
    for row in found:
        asked_for = table.armless(connection, row.id, number)
        choices[row.id] = [_Choice(row.id, ARMLESS, ASKED_FOR, "asked for by a person")] * asked_for
        rows = {arm.id: arm for arm in table.of_host(connection, row.id)}
        there = expected(mean_of(list(rows.values())), of_run)
        mean = there.reward / there.cost
        of_host = waiting[row.id]
        facts = {arm.number: arm for arm in of_host}
        left = {arm.number: arm.available for arm in of_host}
        turns: list[bool] = []
        chosen = choose(of_host, number - asked_for, mean, under_way, _told(floors(), turns), now)
        for (arm, hope), by_turns in zip(chosen, turns, strict=True):
            best = max((of for of in left if left[of]), key=lambda of: (facts[of].worth, -of))
            left[arm] -= 1
            why = _why(facts[arm], rows[arm], row.name, mean, hope, by_turns=by_turns, best=arm == best)
            choices[row.id].append(_Choice(row.id, arm, hope, why))
    return choices


def _told(floor: Iterator[bool], turns: list[bool]) -> Iterator[bool]:
    """``floor``, and what it said."""
    for by_turns in floor:
        turns.append(by_turns)
        yield by_turns


def _why(arm: Arm, row: Any, host: str, mean: float, hope: float, *, by_turns: bool, best: bool) -> str:
    if by_turns:
        return "by turns: this arm was served longest ago"
    if row.fetched == 0:
        return f"new: never tried; usual is {mean:.2g}"
    pulls = f"{row.fetched:,} pull{'' if row.fetched == 1 else 's'}"
    if not best:
        return f"little is known: {arm.worth:.2g} a request, up to {hope:.2g} may be hoped; {pulls}"
    own = row.reward / row.cost if row.cost else 0.0
    leading = ", with what it leads to" if own < MOSTLY * arm.worth else ""
    return f"best of {host or 'the lists'}: {arm.worth:.2g} a request{leading}; {pulls}"


def _in_order(
    found: Sequence[Any], choices: Mapping[int, Sequence[_Choice]], number: int, now: float
) -> list[tuple[_Choice, float]]:
    """Which host's turn it is: of those that may be asked, the one whose next URL is worth most, as in a worker."""
    left = {row.id: deque(choices[row.id]) for row in found if choices[row.id]}
    free_at = {row.id: max(0.0, row.next_at - now, row.closed_until - now) for row in found}
    gap = {row.id: row.gap for row in found}
    served = {row.id: float(place) for place, row in enumerate(sorted(found, key=lambda row: row.served_at))}
    floor = floors()
    moment = 0.0
    order: list[tuple[_Choice, float]] = []
    while left and len(order) < number:
        moment = max(moment, min(free_at[host] for host in left))
        ready = sorted((host for host in left if free_at[host] <= moment), key=served.__getitem__)
        host = ready[0] if len(ready) == 1 or next(floor) else max(ready, key=lambda host: left[host][0].hope)
        order.append((left[host].popleft(), moment))
        free_at[host], served[host] = moment + gap[host], float(len(found) + len(order))
        if not left[host]:
            del left[host]
    return order


def _urls(connection: Connection, run: int, order: Sequence[_Choice]) -> dict[tuple[int, int], deque[str]]:
    """Host and arm → the URLs that wait there, the first ones."""
    many: dict[tuple[int, int], int] = defaultdict(int)
    for choice in order:
        many[choice.host, choice.arm] += 1
    found: dict[tuple[int, int], deque[str]] = {key: deque() for key in many}
    for start in range(0, len(many), 100):
        firsts = [
            select(
                select(frontier.c.host_id, frontier.c.arm_id, frontier.c.url, frontier.c.rank, frontier.c.id)
                .where(frontier.c.run_id == run, frontier.c.host_id == host, frontier.c.state == PENDING)
                .where(frontier.c.arm_id == arm)
                .order_by(frontier.c.rank, frontier.c.id)
                .limit(number)
                .subquery()
            )
            for (host, arm), number in list(many.items())[start : start + 100]
        ]
        for row in sorted(connection.execute(union_all(*firsts)), key=lambda row: (row.rank, row.id)):
            found[row.host_id, row.arm_id].append(row.url)
    return found
