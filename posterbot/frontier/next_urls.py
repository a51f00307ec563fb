"""The URLs that are next, and why: what a worker that begins now would lease, told without leasing.

It chooses with the functions of a lease (``choosing.py``), by the figures that a lease would find.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from posterbot.catalogue.schema import hosts, queues
from posterbot.frontier.arm_table import ArmTable
from posterbot.frontier.by_yield import ASKED_FOR
from posterbot.frontier.choosing import Arm, choose, floors
from posterbot.frontier.heads import best_first, to_compare
from posterbot.frontier.host_table import clock
from posterbot.frontier.judging import FIRST_GUESS, expected, mean_of
from posterbot.frontier.promise import Promise
from posterbot.frontier.store import HOSTS_AT_ONCE
from posterbot.frontier.strategy import ARMLESS

AT_ONCE = 100
"""Arms in one statement."""
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
        waiting = table.armless(connection, [row.id for row in found])
        choices = {host: [_Choice(host, ARMLESS, 0.0, why)] * min(waiting[host], number) for host in waiting}
    order = _in_order(found, choices, number, now)
    urls = _urls(connection, run, [choice for choice, _ in order])
    names = {row.id: row.name for row in found}
    return tuple(
        Next(urls[choice.host, choice.arm].popleft(), names[choice.host], choice.arm, choice.why, round(seconds, 1))
        for choice, seconds in order
        if urls.get((choice.host, choice.arm))
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
    armless = table.armless(connection, [row.id for row in found])
    choices: dict[int, list[_Choice]] = {}
    of_hosts = table.of_hosts(connection, [row.id for row in found])
    for row in found:
        asked_for = min(armless.get(row.id, 0), number)
        choices[row.id] = [_Choice(row.id, ARMLESS, ASKED_FOR, "asked for by a person")] * asked_for
        rows = {arm.id: arm for arm in of_hosts[row.id]}
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
    left = {host: deque(of_host) for host, of_host in choices.items() if of_host}
    free_at = {row.id: max(0.0, row.next_at - now, row.closed_until - now) for row in found}
    gap = {row.id: row.gap for row in found}
    served = {row.id: float(place) for place, row in enumerate(sorted(found, key=lambda row: row.served_at))}
    floor = floors()
    moment = 0.0
    order: list[tuple[_Choice, float]] = []
    while left and len(order) < number:
        moment = max(moment, min(free_at[host] for host in left))
        ready = sorted((host for host in left if free_at[host] <= moment), key=served.__getitem__)
        by_turns = len(ready) > 1 and next(floor)
        host = ready[0] if by_turns else max(ready, key=lambda host: left[host][0].hope)
        choice = left[host].popleft()
        if by_turns and choice.arm != ARMLESS:
            choice = replace(choice, why="by turns: this host was served longest ago")
        order.append((choice, moment))
        free_at[host], served[host] = moment + gap[host], float(len(found) + len(order))
        if not left[host]:
            del left[host]
    return order


def _urls(connection: Connection, run: int, order: Sequence[_Choice]) -> dict[tuple[int, int], deque[str]]:
    """Host and arm → the URLs that wait there, the first ones."""
    many: dict[tuple[int, int], int] = defaultdict(int)
    for choice in order:
        many[choice.host, choice.arm] += 1
    table, promise = ArmTable(connection.dialect.name, run), Promise()
    promise.add(table.weights(connection))
    found: dict[tuple[int, int], deque[str]] = {}
    for start in range(0, len(many), AT_ONCE):
        wanted = to_compare(dict(list(many.items())[start : start + AT_ONCE]))
        for of, heads in best_first(table.heads(connection, wanted), promise).items():
            found[of] = deque(head.row.url for head in heads)
    return found
