"""What the gates before a request saved, and what they lost: measured on the share that passes them all.

Counted by address, since one address is one request however many pages show it. An address that some page shows in a
way that passes is fetched for that one: nothing is saved, nothing lost, and it is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, exists, func, select

from posterbot.catalogue.schema import candidates, images, pages, verdicts

CONFIDENCE = 0.95
GATES = ("declared_size", "declared_aspect", "name_pattern", "barren_pattern", "unlikely_words")
"""The reasons of gates, in the order in which they are asked."""
MEASURED = (*GATES, "extreme_aspect")
"""And the one during the transfer: the request is not saved, but most of its bytes."""
ALL = "all"


@dataclass(frozen=True, slots=True)
class GateLoss:
    """One gate of one run, or of all runs; or all gates together.

    ``dropped``: addresses that it struck and that were not asked for, so many requests were saved. ``explored``: those
    that it struck and that were fetched all the same, a random sample. ``kept``: of these, images that were kept and
    that nothing but explored addresses had brought, counting images of equal phash as one.

    ``lost``: of the dropped, how many would have been such, an estimate; ``lost_low`` to ``lost_high`` is its interval
    (Clopper–Pearson, 95 %). ``bytes_saved``: an estimate as well. None: nothing was explored, so there is none.
    """

    gate: str
    dropped: int
    explored: int
    kept: int
    lost: float | None
    lost_low: float | None
    lost_high: float | None
    bytes_saved: float | None

    @classmethod
    def measured(cls, gate: str, dropped: int, explored: int, kept: int, explored_bytes: int) -> GateLoss:
        """With the estimates; ``explored_bytes`` is the size of all that exploring brought."""
        if not explored:
            return cls(gate, dropped, 0, 0, None, None, None, None)
        low, high = share_interval(kept, explored)
        saved = dropped * explored_bytes / explored
        return cls(
            gate, dropped, explored, kept, dropped * kept / explored, dropped * low, dropped * high, round(saved)
        )


def share_interval(part: int, whole: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Clopper and Pearson's interval for the share of which ``part`` of ``whole`` were seen, each 0–1."""
    from scipy.special import betaincinv  # takes longer than most commands

    tail = (1 - confidence) / 2
    low = float(betaincinv(part, whole - part + 1, tail)) if part else 0.0
    high = float(betaincinv(part + 1, whole - part, 1 - tail)) if part < whole else 1.0
    return low, high


def measure_gates(connection: Connection, run: int | None) -> tuple[GateLoss, ...]:
    """Each gate that struck, in the order in which they are asked, of ``run`` or of all; then ALL, if there are more.

    The last is reckoned from all that was explored together: every struck address had the same chance of that.
    """
    struck = _struck(run).subquery()
    size = func.coalesce(func.sum(case((struck.c.explored == 1, images.c.bytes), else_=0)), 0)
    counted = connection.execute(
        select(struck.c.gate, func.sum(1 - struck.c.explored), func.sum(struck.c.explored), size)
        .select_from(struck.outerjoin(images, images.c.id == struck.c.image))
        .group_by(struck.c.gate)
    )
    rows = {gate: (int(dropped), int(explored), int(of_bytes)) for gate, dropped, explored, of_bytes in counted}
    if not rows:
        return ()
    kept = dict(_kept(connection, run))
    order = [gate for gate in MEASURED if gate in rows] + sorted(rows.keys() - set(MEASURED))
    found = [GateLoss.measured(gate, *rows[gate][:2], kept.get(gate, 0), rows[gate][2]) for gate in order]
    if len(found) > 1:
        dropped, explored, of_bytes = (sum(numbers) for numbers in zip(*rows.values(), strict=True))
        found.append(GateLoss.measured(ALL, dropped, explored, sum(kept.values()), of_bytes))
    return tuple(found)


def _gate() -> ColumnElement[str | None]:
    """Which gate struck a sighting; NULL: none."""
    return func.coalesce(candidates.c.gate, case((candidates.c.reason.in_(MEASURED), candidates.c.reason)))


def _struck(run: int | None) -> Select[Any]:
    """A row for each address that gates struck wherever it was seen: the gate, explored (0 or 1), image."""
    gate = _gate()
    return (
        _within(select(func.min(gate).label("gate")), run)
        .add_columns(
            func.max(case((candidates.c.gate.is_not(None), 1), else_=0)).label("explored"),
            func.max(candidates.c.image_id).label("image"),
        )
        .group_by(candidates.c.url)
        .having(func.count() == func.count(gate))
    )


def _kept(connection: Connection, run: int | None) -> Sequence[tuple[str, int]]:
    """How many images, that no other address brought, were kept of what each gate struck and was explored."""
    gated = (
        _within(select(images.c.phash, func.min(_order()).label("order")), run)
        .join(images, images.c.id == candidates.c.image_id)
        .where(candidates.c.gate.is_not(None), candidates.c.reason.is_(None), _is_kept(candidates.c.image_id))
        .group_by(images.c.phash)
        .subquery()
    )
    twin = images.alias("twin")
    passed = (
        _within(select(candidates.c.id), run)
        .join(twin, twin.c.id == candidates.c.image_id)
        .where(candidates.c.gate.is_(None), candidates.c.reason.is_(None), _is_kept(candidates.c.image_id))
        .where(twin.c.phash == gated.c.phash)
        .correlate(gated)
    )
    counted = connection.execute(select(gated.c.order, func.count()).where(~passed.exists()).group_by(gated.c.order))
    return [(MEASURED[order], int(number)) for order, number in counted]


def _order() -> ColumnElement[int]:
    return case({gate: number for number, gate in enumerate(MEASURED)}, value=candidates.c.gate)


def _is_kept(image: ColumnElement[int | None]) -> ColumnElement[bool]:
    """Does the newest verdict keep it?"""
    newest, newer = verdicts.alias(), verdicts.alias()
    later = exists().where(newer.c.image_id == image, newer.c.policy_id > newest.c.policy_id)
    return exists().where(newest.c.image_id == image, newest.c.keep, ~later)


def _within(statement: Select[Any], run: int | None) -> Select[Any]:
    statement = statement.select_from(candidates)
    return (
        statement
        if run is None
        else statement.join(pages, pages.c.id == candidates.c.page_id).where(pages.c.run_id == run)
    )
