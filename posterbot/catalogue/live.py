"""What changes from second to second: how fast a run goes, what waits, and what another policy would keep.

Nothing here reads more than a bounded number of rows, so a page may ask every two seconds, of any catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Table, func, literal_column, select

from posterbot.catalogue.policies import REJUDGE
from posterbot.catalogue.records import Model, Policy
from posterbot.catalogue.schema import candidates, models, pages, policies, queues, runs

BINS, BIN_SECONDS = 60, 5
"""The last five minutes, in steps."""
LATEST = 20_000
"""Rows that are looked at for them; more than 66 a second are estimated by these."""
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one kind of row has come lately."""

    rate: float
    """Each second, over the last minute."""
    bins: tuple[int, ...]
    """How many in each of :data:`BINS` steps of :data:`BIN_SECONDS`, the last one now."""


@dataclass(frozen=True, slots=True)
class RunName:
    """A run to choose."""

    number: int
    spider: str
    started_at: datetime
    finished_at: datetime | None
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy with its numbers."""

    number: int
    model_id: int
    policy: Policy


def run_names(engine: Engine, limit: int = 50) -> list[RunName]:
    """The newest runs, newest first."""
    columns = (runs.c[name] for name in ("id", "spider", "started_at", "finished_at", "finish_reason"))
    with engine.connect() as connection:
        return [RunName(*row) for row in connection.execute(select(*columns).order_by(runs.c.id.desc()).limit(limit))]


def run_name(engine: Engine, run: int) -> RunName:
    """One run. Raises LookupError where there is none of this number."""
    columns = (runs.c[name] for name in ("id", "spider", "started_at", "finished_at", "finish_reason"))
    with engine.connect() as connection:
        row = connection.execute(select(*columns).where(runs.c.id == run)).first()
    if row is None:
        raise LookupError(f"no run {run}")
    return RunName(*row)


def paces(engine: Engine, run: int, now: datetime) -> tuple[Pace, Pace]:
    """Of the pages and of the images that run ``run`` has fetched."""
    since = now - timedelta(seconds=BINS * BIN_SECONDS)
    with engine.connect() as connection:
        found = []
        tables: tuple[tuple[Table, Any], ...] = ((pages, pages), (candidates, candidates.join(pages)))
        for table, joined in tables:
            last = connection.scalar(select(func.max(table.c.id))) or 0
            statement = select(table.c.fetched_at).select_from(joined)
            statement = statement.where(table.c.id > last - LATEST, pages.c.run_id == run, table.c.fetched_at > since)
            if table is candidates:
                statement = statement.where(candidates.c.image_id.is_not(None))
            found.append(_pace([(now - at).total_seconds() for at in connection.scalars(statement)]))
    return found[0], found[1]


def waiting(engine: Engine, run: int) -> int:
    """URLs that wait to be fetched in a run."""
    statement = select(func.sum(queues.c.waiting)).where(queues.c.run_id == run, literal_column("queues.waiting > 0"))
    with engine.connect() as connection:
        return int(connection.scalar(statement) or 0)


def in_force(engine: Engine, run: int) -> InForce | None:
    """The policy by which a run judges; None: it has none. One that only judged the past is none of a run's."""
    statement = (
        select(policies, models.c.name, models.c.hash, models.c.labels.label("known"))
        .join(models, models.c.id == policies.c.model_id)
        .where(policies.c.run_id == run, policies.c.origin != REJUDGE)
        .order_by(policies.c.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(statement).first()
    if row is None:
        return None
    model = Model(row.name, row.hash, tuple(row.known))
    policy = Policy(tuple(row.labels), row.threshold, model, row.author, row.origin, row.at, row.top)
    return InForce(row.id, row.model_id, policy)


def _pace(ages: list[float]) -> Pace:
    """Of rows that are so many seconds old."""
    bins = [0] * BINS
    for age in ages:
        place = BINS - 1 - int(max(0.0, age) // BIN_SECONDS)
        if place >= 0:
            bins[place] += 1
    # Where more have come than are looked at, the minute is not full.
    seconds = min(_MINUTE, max(ages, default=0.0)) if len(ages) >= LATEST else _MINUTE
    return Pace(sum(age < _MINUTE for age in ages) / max(seconds, 1.0), tuple(bins))
