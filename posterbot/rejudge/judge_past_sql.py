"""The SQL of ``judge_past.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.schema import images, verdicts
from posterbot.filters.quality import MIN_DETAIL, MIN_ENTROPY, MIN_SHARPNESS, MIN_SPREAD, good_enough
from posterbot.reasons import Reason

VALUES_AT_ONCE = 500
"""Values in one ``IN``: databases have limits."""


def told(first: int, last: int) -> Select[Any]:
    """Of a range of images those that the newest verdict keeps, or any has found to be placeholders: rarely many."""
    keep = func.max(verdicts.c.policy_id * 2 + case((verdicts.c.keep, 1), else_=0)) % 2 == 1
    placeholder = func.max(case((verdicts.c.reason == Reason.PLACEHOLDER.value, 1), else_=0)) == 1
    return (
        select(verdicts.c.image_id, keep.label("kept"), placeholder.label("placeholder"))
        .where(verdicts.c.image_id.between(first, last))
        .group_by(verdicts.c.image_id)
        .having(or_(keep, placeholder))
    )


def sha256s(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Number → sha256 of images."""
    found: dict[int, str] = {}
    for start in range(0, len(ids), VALUES_AT_ONCE):
        these = select(images.c.id, images.c.sha256).where(images.c.id.in_(ids[start : start + VALUES_AT_ONCE]))
        found |= {row.id: row.sha256 for row in connection.execute(these)}
    return found


def not_good_enough(rows: Sequence[Any]) -> dict[int, Reason]:
    """Number → why, of those rows of images (number, sharpness, spread, entropy) that are not good enough."""
    from models.quality import Quality

    judged = {row.id: good_enough(Quality(row.sharpness, row.spread, row.entropy)) for row in rows}
    return {number: reason for number, (good, reason) in judged.items() if not good}


_detail: ColumnElement[Any] = images.c.sharpness / (images.c.spread * images.c.spread + literal(1.0))
# What good_enough() may refuse, in SQL, so that not every image has to be asked. A thousandth more than that.
POOR = and_(
    images.c.sharpness.is_not(None),
    images.c.spread.is_not(None),
    images.c.entropy.is_not(None),
    or_(
        images.c.spread < MIN_SPREAD * 1.001,
        images.c.entropy < MIN_ENTROPY * 1.001,
        and_(_detail < MIN_DETAIL * 1.001, images.c.sharpness < MIN_SHARPNESS * 1.001),
    ),
)
COLUMNS = ("image_id", "policy_id", "keep", "reason", "label", "score")
_TYPES = (Integer, Integer, Boolean, String, String, Double)
# A crawl may have given the verdict meanwhile: it is the same.
INSERT_ROWS = str(
    sqlite.insert(verdicts)
    .values({name: bindparam(name) for name in COLUMNS})
    .on_conflict_do_nothing()
    .compile(dialect=cast("Any", sqlite.dialect)(paramstyle="qmark"))
)
INSERT_ARRAYS = (
    postgresql.insert(verdicts)
    .from_select(
        list(COLUMNS),
        select(*(func.unnest(bindparam(name, type_=ARRAY(kind))) for name, kind in zip(COLUMNS, _TYPES, strict=True))),
    )
    .on_conflict_do_nothing()
)
