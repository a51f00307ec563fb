"""How good the filter is, by what people said of a random sample: all together, or by host, day or policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Select, Table, and_, case, func, literal, select
from sqlalchemy.sql.selectable import Subquery

from posterbot.catalogue.schema import candidates, images, policies, reviews, sources, verdicts
from posterbot.review.answers import AUDIT, KEPT
from posterbot.review.estimate import Answered, Quality, estimate, weigh
from posterbot.review.truth import last_answers, truth

By = Literal["host", "day", "policy"]
ALL_OF_THEM = "all"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An image that people gave an answer on, and a verdict on it."""

    image: int
    of: str
    kept: bool
    wanted: bool | None
    """By the labels of the verdict's policy; None: the answer does not tell."""
    drawn: tuple[int, bool] | None
    """Of an audit: the newest policy at that time, and whether it was drawn among what was kept."""


def quality(engine: Engine, *, by: By | None = None) -> list[Quality]:
    """Precision and recall of the filter, each with a 95 % interval; ``estimate.py`` says how.

    Only images that were scored count: what is too small, or could not be fetched, no filter has seen. Dropped images
    can only be shown where ``KEEP_DROPPED`` keeps pictures of them; the others are taken to be like these.

    Args:
        engine: from ``open_catalogue``.
        by: None: one row, for what holds now. ``host``: by the host on which an image was first seen; ``day``: by the
            day on which it was (UTC). ``policy``: what each policy made of all images that it judged.

    Returns:
        In the order of names; of hosts those with most images first.
    """
    with engine.connect() as connection:
        sizes = _sizes(connection, by)
        told: dict[str, list[Reviewed]] = defaultdict(list)
        for one in reviewed(connection, by):
            if one.wanted is not None:
                told[one.of].append(one)
        epochs = {one.drawn[0] for some in told.values() for one in some if one.drawn is not None}
        then = {epoch: _sizes(connection, None if by == "policy" else by, until=epoch) for epoch in sorted(epochs)}
    found = []
    for of, (kept, dropped) in sizes.items():
        place = ALL_OF_THEM if by == "policy" else of
        drawn = [one.drawn for one in told[of] if one.drawn is not None]
        weights = iter(weigh(drawn, {epoch: then[epoch].get(place, (0, 0)) for epoch, _ in drawn}))
        answers = [
            Answered(one.kept, bool(one.wanted), None if one.drawn is None else next(weights)) for one in told[of]
        ]
        found.append(estimate(of, answers, kept, dropped))
    if by == "host":
        return sorted(found, key=lambda one: (-one.kept - one.dropped, one.of))
    return sorted(found, key=lambda one: (len(one.of), one.of) if by == "policy" else (0, one.of))


def reviewed(connection: Connection, by: By | None = None) -> list[Reviewed]:
    """All images with an answer that holds, in the order of their numbers; by policy each several times."""
    asked = policies.alias("asked")
    drawn = (
        select(reviews.c.image_id, func.min(reviews.c.id).label("first"))
        .where(reviews.c.picked == AUDIT)
        .group_by(reviews.c.image_id)
        .subquery()
    )
    audit = reviews.alias("audit")
    columns = [
        reviews.c.image_id,
        reviews.c.answer,
        reviews.c.label.label("said"),
        asked.c.labels.label("asked"),
        policies.c.labels.label("wanted"),
        verdicts.c.policy_id,
        verdicts.c.keep,
        audit.c.stratum,
        audit.c.at,
    ]
    judged = and_(verdicts.c.image_id == reviews.c.image_id, verdicts.c.score.is_not(None))
    if by != "policy":
        judged = and_(judged, verdicts.c.policy_id == _newest_of(reviews))
    tables = (
        reviews.join(verdicts, judged)
        .join(policies, policies.c.id == verdicts.c.policy_id)
        .outerjoin(asked, asked.c.id == reviews.c.policy_id)
        .outerjoin(drawn, drawn.c.image_id == reviews.c.image_id)
        .outerjoin(audit, audit.c.id == drawn.c.first)
    )
    group, joined = _group(connection, by, tables, reviews.c.image_id)
    statement = (
        select(*columns, group)
        .select_from(joined)
        .where(reviews.c.id.in_(last_answers()))
        .order_by(reviews.c.image_id, verdicts.c.policy_id)
    )
    made = connection.execute(select(policies.c.at, policies.c.id).order_by(policies.c.id)).all()

    def drawn_when(row: Any) -> tuple[int, bool] | None:
        if row.stratum is None:
            return None
        return max((number for at, number in made if at <= row.at), default=made[0].id), row.stratum == KEPT

    return [
        Reviewed(
            row.image_id,
            str(row.of),
            bool(row.keep),
            truth(row.answer, row.said, row.asked or (), row.wanted),
            drawn_when(row),
        )
        for row in connection.execute(statement)
    ]


def _sizes(connection: Connection, by: By | None, *, until: int | None = None) -> dict[str, tuple[int, int]]:
    """Name → images kept and dropped, as of the policy ``until``, or by all policies."""
    if by == "policy":
        keep = func.sum(case((verdicts.c.keep, 1), else_=0))
        of_policy: Any = verdicts.c.policy_id.label("of")
        counted = select(of_policy, keep, func.count()).where(verdicts.c.score.is_not(None)).group_by("of")
    else:
        now = _newest(until)
        group, tables = _group(connection, by, now, now.c.image_id)
        counted = select(group, func.sum(now.c.verdict % 2), func.count()).select_from(tables).group_by("of")
    rows: Sequence[Any] = connection.execute(counted).all()
    found = {str(of): (int(kept), int(number) - int(kept)) for of, kept, number in rows}
    return found or ({ALL_OF_THEM: (0, 0)} if by is None else {})


def _newest(until: int | None) -> Subquery:
    """Each scored image, and its newest verdict: twice the policy's number, and 1 if it keeps."""
    newest = func.max(verdicts.c.policy_id * 2 + case((verdicts.c.keep, 1), else_=0)).label("verdict")
    scored = func.max(case((verdicts.c.score.is_not(None), 1), else_=0)) == 1
    statement: Select[Any] = select(verdicts.c.image_id, newest).group_by(verdicts.c.image_id).having(scored)
    return (statement if until is None else statement.where(verdicts.c.policy_id <= until)).subquery()


def _newest_of(table: Table) -> Any:
    newer = verdicts.alias("newer")
    return select(func.max(newer.c.policy_id)).where(newer.c.image_id == table.c.image_id).scalar_subquery()


def _group(connection: Connection, by: By | None, tables: Any, image: Any) -> tuple[Any, Any]:
    """What images are grouped by, and the tables with what that takes."""
    if by == "policy":
        return verdicts.c.policy_id.label("of"), tables
    if by == "day":
        at: Any = images.c.first_seen_at
        if connection.dialect.name == "postgresql":
            at = func.timezone("UTC", at)
        return func.date(at).label("of"), tables.join(images, images.c.id == image)
    if by == "host":
        first = (
            select(candidates.c.image_id, func.min(candidates.c.id).label("first"))
            .where(candidates.c.image_id.is_not(None))
            .group_by(candidates.c.image_id)
            .subquery()
        )
        seen = candidates.alias("seen")
        joined = (
            tables.join(first, first.c.image_id == image)
            .join(seen, seen.c.id == first.c.first)
            .join(sources, sources.c.id == seen.c.source_id)
        )
        return sources.c.name.label("of"), joined
    return literal(ALL_OF_THEM).label("of"), tables
