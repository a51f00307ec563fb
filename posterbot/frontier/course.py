"""The course of a run: what was found against what was asked, and what breadth first would have found, about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Connection, Engine, case, func, select

from posterbot.catalogue.schema import arms, frontier, yields
from posterbot.frontier.explain import strategy_in_force
from posterbot.frontier.operate import read_through, run_row
from posterbot.frontier.records import State
from posterbot.frontier.strategy import YIELD

MOST_POINTS = 300
ENOUGH = 20
"""With fewer pages of an arm in one depth, those of the arm in any depth say what to expect."""

Curve = tuple[tuple[float, float], ...]
"""Requests so far, pictures found so far."""


@dataclass(frozen=True, slots=True)
class Course:
    """Of one run."""

    strategy: str
    pages: int
    requests: int
    found: float
    """Pictures kept that were new, and half of one for each film that had none."""
    curve: Curve
    """What was found; at most MOST_POINTS points, the last one of now."""
    breadth_first: Curve
    """What would have been found breadth first, about; empty where that is how it was crawled, or nothing is known."""

    @property
    def instead(self) -> float | None:
        """What breadth first would have found with as many requests, about."""
        return at(self.breadth_first, self.requests) if self.breadth_first else None


@dataclass(frozen=True, slots=True)
class Group:
    """URLs of one arm in one depth."""

    depth: int
    arm: int
    fetched: int
    found: float
    waiting: int


def course(engine: Engine, run: int) -> Course:
    """The course of ``run``.

    Raises:
        LookupError: there is no such run.
    """
    with engine.connect() as connection:
        run_row(connection, run)
        strategy = strategy_in_force(connection, run)
        points = _points(connection, run)
        groups, costs = (_groups(connection, run), _costs(connection, run)) if strategy == YIELD else ([], {})
    pages, requests = sum(point[0] for point in points), sum(point[1] for point in points)
    curve: list[tuple[float, float]] = [(0.0, 0.0)]
    for _, more, brought in points:
        curve.append((curve[-1][0] + more, curve[-1][1] + brought))
    instead = estimate(groups, costs, requests) if groups and requests else ()
    return Course(strategy, pages, requests, curve[-1][1], tuple(curve), instead)


def estimate(groups: Sequence[Group], costs: Mapping[int, float], requests: float) -> Curve:
    """What would have been found breadth first: all URLs that are known, depth after depth.

    Within a depth they come as they were found, which mixes the arms. A page not fetched is expected to bring what
    those of its arm in its depth brought, or of its arm where these are few; of an arm of which nothing is known, what
    the others of that depth did. That is rather too low: breadth first comes to many pages by shorter ways than those
    by which they were found here, and to some that are not known.

    Args:
        groups: each arm and depth once.
        costs: arm → requests a page, but for a factor that is the same for all.
        requests: made for the pages fetched, all in all; the curve ends there, or where nothing is left.
    """
    of_arm = _sums(groups, lambda group: group.arm)
    of_depth = _sums(groups, lambda group: group.depth)
    usual = sum(costs.values()) / len(costs) if costs else 1.0
    told = sum(group.fetched * costs.get(group.arm, usual) for group in groups)
    scale = requests / told if told else 0.0
    steps: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for group in groups:
        fetched, found = float(group.fetched), group.found
        if fetched < ENOUGH:
            fetched, found = of_arm[group.arm]
        if not fetched:
            fetched, found = of_depth[group.depth]
        expected = group.found + group.waiting * (found / fetched if fetched else 0.0)
        cost = scale * costs.get(group.arm, usual) * (group.fetched + group.waiting)
        before = steps[group.depth]
        steps[group.depth] = before[0] + cost, before[1] + expected
    curve = [(0.0, 0.0)]
    for depth in sorted(steps):
        curve.append((curve[-1][0] + steps[depth][0], curve[-1][1] + steps[depth][1]))
    until = min(float(requests), curve[-1][0])
    return (*(point for point in curve if point[0] < until), (until, at(curve, until)))


def at(curve: Sequence[tuple[float, float]], requests: float) -> float:
    """What a curve says was found after so many requests; what it said last, beyond its end."""
    for (before, low), (after, high) in pairwise(curve):
        if before <= requests <= after:
            return low + (high - low) * ((requests - before) / (after - before) if after > before else 1.0)
    return curve[-1][1] if curve else 0.0


def _sums(groups: Sequence[Group], key: Callable[[Group], int]) -> dict[int, tuple[float, float]]:
    sums: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for group in groups:
        fetched, found = sums[key(group)]
        sums[key(group)] = fetched + group.fetched, found + group.found
    return sums


def _points(connection: Connection, run: int) -> list[tuple[int, int, float]]:
    """Pages, requests and what was found, in at most MOST_POINTS spans of equal length."""
    of_run = yields.c.run_id == run
    first, last = connection.execute(select(func.min(yields.c.slot), func.max(yields.c.slot)).where(of_run)).one()
    if first is None:
        return []
    span = ((yields.c.slot - first) // ((last - first) // MOST_POINTS + 1)).label("span")
    sums = (func.sum(yields.c.pages), func.sum(yields.c.requests), func.sum(yields.c.found))
    rows = connection.execute(select(span, *sums).where(of_run).group_by(span).order_by(span))
    return [(int(row[1]), int(row[2]), float(row[3])) for row in rows]


def _groups(connection: Connection, run: int) -> list[Group]:
    """All URLs of a run, in one pass. What needed no request, or has failed, is left out."""
    waiting = func.sum(case((frontier.c.state.in_((int(State.PENDING), int(State.LEASED))), 1), else_=0))
    statement = select(
        frontier.c.depth,
        frontier.c.arm_id,
        func.count(frontier.c.found),
        func.coalesce(func.sum(frontier.c.found), 0.0),
        waiting,
    ).where(read_through(frontier) == run)
    rows = connection.execute(statement.group_by(frontier.c.depth, frontier.c.arm_id))
    return [Group(depth, arm, fetched, float(found), int(wait)) for depth, arm, fetched, found, wait in rows]


def _costs(connection: Connection, run: int) -> dict[int, float]:
    rows = connection.execute(
        select(arms.c.id, arms.c.cost / arms.c.pulls).where(arms.c.run_id == run, arms.c.pulls > 0)
    )
    return {arm: float(cost) for arm, cost in rows}
