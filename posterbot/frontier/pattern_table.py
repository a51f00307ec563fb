"""Patterns of URLs in SQL: one whose pages bring nothing new for long is a trap, and is closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, case, update

from posterbot.catalogue.schema import frontier, patterns
from posterbot.frontier.records import State
from posterbot.frontier.states import PENDING

TRAP = "trap"
"""Why a pattern is closed, and its URLs are not fetched."""


def judge(connection: Connection, run: int, fruits: Mapping[int, Sequence[bool]], fruitless: int) -> dict[int, int]:
    """Count pages that were read, and close what has become a trap.

    Args:
        connection: in a transaction.
        run: number.
        fruits: number of a pattern → for each of its pages, in order: did it bring anything new?
        fruitless: so many without, in a row, close a pattern.

    Returns:
        host → change of the number of its pending URLs.
    """
    if not fruits:
        return {}
    rows = [
        {"number": key, "new": len(of), "bare": of[::-1].index(True) if any(of) else len(of), "fruit": any(of)}
        for key, of in sorted(fruits.items())
    ]
    bare = case((bindparam("fruit"), bindparam("bare")), else_=patterns.c.fruitless + bindparam("bare"))
    counted = update(patterns).where(patterns.c.id == bindparam("number"))
    connection.execute(counted.values(pages=patterns.c.pages + bindparam("new"), fruitless=bare), rows)
    close = (
        update(patterns)
        .where(patterns.c.id.in_(list(fruits)), patterns.c.closed.is_(None), patterns.c.fruitless >= fruitless)
        .values(closed=TRAP)
        .returning(patterns.c.id, patterns.c.host_id)
    )
    changes: Counter[int] = Counter()
    for closed in connection.execute(close).all():
        pending = update(frontier).where(
            frontier.c.run_id == run,
            frontier.c.host_id == closed.host_id,
            frontier.c.state == PENDING,
            frontier.c.pattern_id == closed.id,
        )
        dropped = connection.execute(pending.values(state=int(State.DONE), reason=TRAP)).rowcount
        changes[closed.host_id] -= dropped
        own = update(patterns).where(patterns.c.id == closed.id)
        connection.execute(own.values(refused=patterns.c.refused + dropped))
    return changes
