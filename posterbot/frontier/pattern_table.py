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

# Made once: to build a statement takes longer than to run it.
_BARE = case((bindparam("fruit"), bindparam("bare")), else_=patterns.c.fruitless + bindparam("bare"))
_COUNT = (
    update(patterns)
    .where(patterns.c.id == bindparam("number"))
    .values(pages=patterns.c.pages + bindparam("new"), fruitless=_BARE)
)
_CLOSE = (
    update(patterns)
    .where(
        patterns.c.id.in_(bindparam("numbers", expanding=True)),
        patterns.c.closed.is_(None),
        patterns.c.fruitless >= bindparam("most"),
    )
    .values(closed=TRAP)
    .returning(patterns.c.id, patterns.c.host_id)
)


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
    connection.execute(_COUNT, rows)
    changes: Counter[int] = Counter()
    for closed in connection.execute(_CLOSE, {"numbers": list(fruits), "most": fruitless}).all():
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
