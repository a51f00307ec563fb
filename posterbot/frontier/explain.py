"""Why the frontier is in the order it is in: the arms of a run, what they brought, where they lead.

Reads only, and no more than it has to: a crawl may be at work on the same rows. What is next, and why, is in
``next_urls.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, exists, func, literal_column, select, union_all

from posterbot.catalogue.schema import arm_links, arms, frontier, hosts, queues, workers
from posterbot.frontier.arm_table import ArmTable
from posterbot.frontier.choosing import hope
from posterbot.frontier.judging import FIRST_GUESS, Mean, expected
from posterbot.frontier.next_urls import Next, next_urls
from posterbot.frontier.operate import read_through, run_row
from posterbot.frontier.records import State
from posterbot.frontier.states import LEASED, PENDING
from posterbot.frontier.strategy import ARMLESS, BREADTH_FIRST, YIELD

LEADS, EXAMPLES = 2, 2
"""So many of each arm are told."""
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Lead:
    """New URLs of another arm that pages of an arm bring."""

    arm: int
    host: str
    pattern: str
    per_page: float
    worth: float
    """Of the other arm."""


@dataclass(frozen=True, slots=True)
class ArmRow:
    """URLs of one host that were found in like places and look alike."""

    arm: int
    host: str
    path: str
    """Tags and classes from the root of a page to the links; empty: found on no page, or beyond what is told apart."""
    pattern: str
    """Template of the URLs."""
    waiting: int
    fetched: int
    """Pages asked for."""
    found: float
    """What they brought: pictures kept that were new, and half of one for each film that had none."""
    recent: float | None
    """What they brought lately, for each request; None: none was fetched."""
    pulls: float
    """Pages that are remembered: of old ones, half."""
    worth: float
    """Expected for each request, on the best way from here: what is chosen by."""
    hope: float
    """``worth``, and what may be hoped beyond as long as little is known."""
    leads: tuple[Lead, ...]
    """Where its pages lead, the best first."""
    examples: tuple[str, ...]
    """URLs: those next in turn, or some that were fetched."""


@dataclass(frozen=True, slots=True)
class Depth:
    """URLs so many links from a start page."""

    depth: int
    fetched: int
    waiting: int
    found: float


@dataclass(frozen=True, slots=True)
class Explained:
    """The frontier of one run."""

    run: int
    strategy: str
    """By which it was filled last: ``yield`` or ``breadth_first``."""
    waiting: int
    under_way: int
    """URLs that some worker has already."""
    arm_count: int
    arms: tuple[ArmRow, ...]
    """Worth most first; by yield."""
    depths: tuple[Depth, ...]
    """Breadth first."""
    next: tuple[Next, ...]


def explain(engine: Engine, run: int, *, host: str | None = None, limit: int = 15, number: int = 20) -> Explained:
    """The arms of ``run``, at most ``limit``, and the ``number`` URLs that are next.

    Args:
        host: only what is there.

    Raises:
        LookupError: there is no such run, or nothing of that host in it.
    """
    with engine.connect() as connection:
        run_row(connection, run)
        of = None if host is None else _host(connection, run, host)
        strategy = strategy_in_force(connection, run)
        queued = select(func.sum(queues.c.waiting)).where(queues.c.run_id == run)
        count = select(func.count()).select_from(arms).where(arms.c.run_id == run)
        if of is not None:
            queued, count = queued.where(queues.c.host_id == of), count.where(arms.c.host_id == of)
        by_yield = strategy == YIELD
        return Explained(
            run=run,
            strategy=strategy,
            waiting=int(connection.scalar(queued) or 0),
            under_way=sum(under_way(connection, run, of).values()),
            arm_count=(connection.scalar(count) or 0) if by_yield else 0,
            arms=arm_rows(connection, run, of, limit) if by_yield else (),
            depths=() if by_yield else _depths(connection, run, of),
            next=next_urls(connection, run, of, number, by_yield, under_way(connection, run, of)),
        )


def hoped(engine: Engine, run: int) -> tuple[float | None, int]:
    """The most that may be hoped for from one request (None: nothing waits), and how many URLs wait."""
    waiting = (queues.c.run_id == run) & (queues.c.waiting > 0)
    with engine.connect() as connection:
        row = connection.execute(select(func.max(queues.c.worth), func.sum(queues.c.waiting)).where(waiting)).one()
    return row[0], int(row[1] or 0)


def strategy_in_force(connection: Connection, run: int) -> str:
    """By which strategy the frontier of ``run`` is filled, as its rows tell: no setting is recorded.

    Breadth first, nothing that waits is of an arm. By yield, nothing is of none, but for what a person has asked for.
    """

    def waits(of_arm: ColumnElement[bool]) -> bool:
        pending = exists().where(frontier.c.run_id == run, frontier.c.host_id == queues.c.host_id, of_arm)
        tables = queues.join(hosts, hosts.c.id == queues.c.host_id)
        of_web = select(queues.c.host_id).select_from(tables).where(queues.c.run_id == run, queues.c.waiting > 0)
        some = of_web.where(hosts.c.name != "", pending.where(frontier.c.state == PENDING).correlate(queues))
        return connection.scalar(some.limit(1)) is not None

    if not waits(frontier.c.arm_id > ARMLESS) and waits(frontier.c.arm_id == ARMLESS):
        return BREADTH_FIRST
    known = select(arms.c.id).where(arms.c.run_id == run).limit(1)
    return BREADTH_FIRST if connection.scalar(known) is None else YIELD


def under_way(connection: Connection, run: int, host: int | None = None) -> dict[int, int]:
    """Arm → URLs of it that some worker has."""
    statement = (
        select(frontier.c.arm_id, func.count())
        .select_from(frontier.join(workers, workers.c.id == frontier.c.worker_id))
        .where(workers.c.run_id == run, frontier.c.state == LEASED)
        .group_by(frontier.c.arm_id)
    )
    if host is not None:
        statement = statement.where(frontier.c.host_id == host)
    return {arm: number for arm, number in connection.execute(statement)}  # noqa: C416


def arm_rows(connection: Connection, run: int, host: int | None, limit: int) -> tuple[ArmRow, ...]:
    """The arms of a run, or of one of its hosts, that are worth most; at most ``limit``."""
    statement = select(arms, hosts.c.name).join(hosts, hosts.c.id == arms.c.host_id).where(arms.c.run_id == run)
    if host is not None:
        statement = statement.where(arms.c.host_id == host)
    order = (arms.c.worth.desc(), arms.c.found.desc(), arms.c.id)
    rows = connection.execute(statement.order_by(*order).limit(limit)).all()
    waiting = _waiting(connection, run, rows)
    means = usual(connection, run, {row.host_id for row in rows})
    leads = _leads(connection, rows)
    examples = _examples(connection, run, rows, waiting)
    return tuple(
        ArmRow(
            arm=row.id,
            host=row.name,
            path=row.path,
            pattern=row.pattern,
            waiting=waiting.get(row.id, 0),
            fetched=row.fetched,
            found=row.found,
            recent=row.reward / row.cost if row.cost else None,
            pulls=row.pulls,
            worth=row.worth,
            hope=hope(row.worth, row.pulls, means[row.host_id]),
            leads=tuple(leads[row.id]),
            examples=tuple(examples[row.id]),
        )
        for row in rows
    )


def usual(connection: Connection, run: int, of: set[int]) -> dict[int, float]:
    """Host → what is expected there of any request."""
    of_run = expected(ArmTable(connection.dialect.name, run).mean(connection), FIRST_GUESS)
    sums = [func.sum(column) for column in (arms.c.pulls, arms.c.reward, arms.c.cost)]
    means = dict.fromkeys(of, of_run.reward / of_run.cost)
    for piece in _pieces(sorted(of)):
        statement = select(arms.c.host_id, *sums).where(arms.c.run_id == run, arms.c.host_id.in_(piece))
        for host, *numbers in connection.execute(statement.group_by(arms.c.host_id)):
            there = expected(Mean(*map(float, numbers)), of_run)
            means[host] = there.reward / there.cost
    return means


def _host(connection: Connection, run: int, name: str) -> int:
    of_run = (queues.c.host_id == hosts.c.id) & (queues.c.run_id == run)
    number: int | None = connection.scalar(select(hosts.c.id).join(queues, of_run).where(hosts.c.name == name))
    if number is None:
        raise LookupError(f"run {run} has no URLs of host {name!r}; posterbot hosts --run {run} lists those it has")
    return number


def _waiting(connection: Connection, run: int, rows: Sequence[Any]) -> dict[int, int]:
    """Arm → URLs that wait, by the index of what is pending."""
    found: dict[int, int] = {}
    wanted = {row.id for row in rows}
    for piece in _pieces(sorted({row.host_id for row in rows})):
        statement = (
            select(frontier.c.arm_id, func.count())
            .where(frontier.c.run_id == run, frontier.c.state == PENDING, frontier.c.host_id.in_(piece))
            .group_by(frontier.c.host_id, frontier.c.arm_id)
        )
        found |= {arm: number for arm, number in connection.execute(statement) if arm in wanted}
    return found


def _leads(connection: Connection, rows: Sequence[Any]) -> dict[int, list[Lead]]:
    counted = {row.id: row.leads for row in rows}
    found: dict[int, list[Lead]] = defaultdict(list)
    columns = (arm_links.c.arm_id, arm_links.c.number, arms.c.id, arms.c.pattern, arms.c.worth, hosts.c.name)
    tables = arm_links.join(arms, arms.c.id == arm_links.c.child_id).join(hosts, hosts.c.id == arms.c.host_id)
    for piece in _pieces(sorted(counted)):
        statement = select(*columns).select_from(tables).where(arm_links.c.arm_id.in_(piece))
        for row in connection.execute(statement):
            per_page = row.number / max(counted[row.arm_id], 1.0)
            found[row.arm_id].append(Lead(row.id, row.name, row.pattern, per_page, row.worth))
    for arm, leads in found.items():
        found[arm] = sorted(leads, key=lambda lead: (-lead.per_page * lead.worth, lead.arm))[:LEADS]
    return found


def _examples(connection: Connection, run: int, rows: Sequence[Any], waiting: dict[int, int]) -> dict[int, list[str]]:
    """Arm → URLs: of those that wait by their index; for the others, all rows of the run are looked through once."""
    found: dict[int, list[str]] = defaultdict(list)
    firsts = [
        select(
            select(frontier.c.id, frontier.c.arm_id, frontier.c.url, frontier.c.rank)
            .where(frontier.c.run_id == run, frontier.c.host_id == row.host_id, frontier.c.state == PENDING)
            .where(frontier.c.arm_id == row.id)
            .order_by(frontier.c.rank, frontier.c.id)
            .limit(EXAMPLES)
            .subquery()
        )
        for row in rows
        if waiting.get(row.id)
    ]
    for some in _pieces(firsts):
        for example in sorted(connection.execute(union_all(*some)), key=lambda one: (one.rank, one.id)):
            found[example.arm_id].append(example.url)
    for numbers in _pieces([row.id for row in rows if row.id not in found]):
        of_these = (read_through(frontier) == run) & frontier.c.arm_id.in_(numbers)
        ends = select(func.min(frontier.c.id), func.max(frontier.c.id)).where(of_these).group_by(frontier.c.arm_id)
        keys = sorted({key for pair in connection.execute(ends) for key in pair})
        for keys_ in _pieces(keys):
            statement = select(frontier.c.arm_id, frontier.c.url).where(frontier.c.id.in_(keys_))
            for arm, url in connection.execute(statement.order_by(frontier.c.id)):
                found[arm].append(url)
    return found


def _depths(connection: Connection, run: int, host: int | None) -> tuple[Depth, ...]:
    # Only what was asked for has a number there.
    fetched, found = func.count(frontier.c.found), func.coalesce(func.sum(frontier.c.found), 0.0)
    waiting = func.sum(case((frontier.c.state == int(State.PENDING), 1), else_=0))
    of = [read_through(frontier) == run]
    if host is not None:
        of.append(literal_column("frontier.host_id + 0") == host)
    statement = select(frontier.c.depth, fetched, waiting, found).where(and_(*of)).group_by(frontier.c.depth)
    rows = connection.execute(statement.order_by(frontier.c.depth)).all()
    return tuple(Depth(depth, number, int(wait), float(sum_)) for depth, number, wait, sum_ in rows)


def _pieces(keys: Sequence[Any]) -> Sequence[Sequence[Any]]:
    return [keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)]
