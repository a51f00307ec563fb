"""The policies of a run: the one in force for all its workers, and what each has decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, case, func, select

from posterbot.catalogue.answers import PolicyRow
from posterbot.catalogue.records import Model, Policy
from posterbot.catalogue.schema import models, policies, runs, verdicts

ARGUMENTS = "arguments"
"""Origin of a policy that stood on the command line of a crawl."""
REJUDGE = "rejudge"
"""Origin of a policy that was only made to judge the past: no crawl follows it."""
_DECIDES = ("labels", "threshold", "top", "model")
"""What two policies have to have in common to decide alike."""


class Recorded(NamedTuple):
    """A policy and the number it got."""

    number: int
    policy: Policy


class GoingOn(NamedTuple):
    """What a worker finds that joins a run, or goes on with it."""

    newest: Recorded | None
    """The policy in force; None in a run without any."""
    asked: Recorded | None
    """The last one that stood on a command line, if it decides like the one that stands there now."""

    def policy(self, wanted: Policy) -> Policy:
        """The one to judge by, where ``wanted`` stands on the command line.

        Who repeats the arguments of the run asks for nothing new: what was changed while it ran stays in force.
        """
        if self.newest is not None and (self.asked is not None or decide_alike(self.newest.policy, wanted)):
            return self.newest.policy
        return wanted


@dataclass(frozen=True, slots=True)
class PolicyUse:
    """A policy and what it was good for."""

    policy: PolicyRow
    changed: tuple[str, ...]
    """What is not as in the run's policy before: some of ``labels``, ``threshold``, ``top``, ``model``; empty for the
    first."""
    judged: int
    """Images that it has judged, and of these ..."""
    kept: int
    dropped: int


def newest_policies(connection: Connection, calls: Sequence[tuple[int, int]]) -> list[Recorded | None]:
    """For each run and number: the run's newest policy, where that has a higher number (``Recorder.call``)."""
    return [_first(connection, _of_run(run).where(policies.c.id > after)) for run, after in calls]


def going_on(connection: Connection, calls: Sequence[tuple[int, Policy]]) -> list[GoingOn]:
    """For each run and the policy on a command line: what the run has (``Recorder.call``)."""
    found = []
    for run, wanted in calls:
        asked = _first(connection, _of_run(run).where(policies.c.origin == ARGUMENTS))
        if asked is not None and not decide_alike(asked.policy, wanted):
            asked = None
        found.append(GoingOn(_first(connection, _of_run(run)), asked))
    return found


def decide_alike(one: Policy, other: Policy) -> bool:
    """Would these two give every image the same verdict?"""
    return (one.labels, one.threshold, one.top, one.model.hash) == (
        other.labels,
        other.threshold,
        other.top,
        other.model.hash,
    )


def policy_uses(engine: Engine, run: int | None = None) -> list[PolicyUse]:
    """All policies, or those of one run, in the order in which they were made.

    Raises:
        LookupError: there is no such run.
    """
    counted = (
        select(
            verdicts.c.policy_id,
            func.count().label("judged"),
            func.sum(case((verdicts.c.keep, 1), else_=0)).label("kept"),
        )
        .group_by(verdicts.c.policy_id)
        .subquery()
    )
    statement = (
        select(policies, models.c.name.label("model"), models.c.hash, counted.c.judged, counted.c.kept)
        .join(models, models.c.id == policies.c.model_id)
        .outerjoin(counted, counted.c.policy_id == policies.c.id)
        .order_by(policies.c.id)
    )
    if run is not None:
        statement = statement.where(policies.c.run_id == run)
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
        if run is not None and connection.scalar(select(runs.c.id).where(runs.c.id == run)) is None:
            newest = connection.scalar(select(func.max(runs.c.id)))
            raise LookupError(
                f"no run {run}; " + ("there is none yet" if newest is None else f"the newest is {newest}")
            )
    found = []
    before: dict[int, tuple[object, ...]] = {}
    for row in rows:
        decides = (row.labels, row.threshold, row.top, row.hash)
        last = before.get(row.run_id, decides)
        changed = tuple(name for name, new, old in zip(_DECIDES, decides, last, strict=True) if new != old)
        before[row.run_id] = decides
        judged, kept = int(row.judged or 0), int(row.kept or 0)
        found.append(PolicyUse(_policy_row(row), changed, judged, kept, judged - kept))
    return found


def _of_run(run: int) -> Select[tuple[object, ...]]:
    """The run's policies that crawls are judged by, newest first."""
    return (
        select(policies, models.c.name, models.c.hash, models.c.labels.label("known"))
        .join(models, models.c.id == policies.c.model_id)
        .where(policies.c.run_id == run, policies.c.origin != REJUDGE)
        .order_by(policies.c.id.desc())
        .limit(1)
    )


def _first(connection: Connection, statement: Select[tuple[object, ...]]) -> Recorded | None:
    row = connection.execute(statement).first()
    if row is None:
        return None
    model = Model(row.name, row.hash, tuple(row.known))
    labels = tuple(row.labels)
    return Recorded(row.id, Policy(labels, row.threshold, model, row.author, row.origin, row.at, row.top))


def _policy_row(row: Row[tuple[object, ...]]) -> PolicyRow:
    labels = tuple(row.labels)
    who = (row.author, row.origin, row.at)
    return PolicyRow(row.id, row.run_id, labels, row.threshold, row.model, *who, row.top)
