"""The first URLs of an arm, compared anew by all that is known of them today: early guesses were bad ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from posterbot.frontier.promise import Promise, of_parent, sane

REACH = 30_000
"""Within an arm the most promising link goes before so many that were found earlier, and no more."""
GUESSED_AGAIN, LEAST_AGAIN = 256, 8
"""So many more links are compared than are wanted, over all arms of one lease, and of each arm at least."""

Arm = tuple[int, int]
"""Host and arm."""


class Head(NamedTuple):
    """A URL that waits."""

    row: Any
    rank: int
    """Lowest first, as of now."""
    told: bytes
    """The features of its link, and those of the page on which that stands."""


def to_compare(shares: Mapping[Arm, int]) -> dict[Arm, int]:
    """How many URLs of each arm are compared, where so many are wanted."""
    more = max(LEAST_AGAIN, GUESSED_AGAIN // max(1, len(shares)))
    return {arm: number + more for arm, number in shares.items()}


def best_first(heads: Mapping[Arm, Sequence[Any]], promise: Promise) -> dict[Arm, list[Head]]:
    """Rows of :meth:`ArmTable.heads`, in the order in which they are fetched."""
    told = [_all_known(row) for rows in heads.values() for row in rows]
    guesses = iter(promise.guess_all(told).tolist())
    of_all = iter(told)
    ordered: dict[Arm, list[Head]] = {}
    for of, rows in heads.items():
        ranked = [Head(row, _rank_now(row, next(guesses)), next(of_all)) for row in rows]
        ordered[of] = sorted(ranked, key=lambda head: (head.rank, head.row.id))
    return ordered


def rank(number: int, guess: float) -> int:
    """Of a link that is the ``number``-th of its host, and fruitful with a probability of ``guess``."""
    return number - int(REACH * guess)


def _rank_now(row: Any, guess: float) -> int:
    """Where nothing is known of a link but its URL, it keeps its place."""
    return rank(row.number, guess) if row.features else int(row.rank)


def _all_known(row: Any) -> bytes:
    fruitful = row.found > 0 if row.found is not None else None
    return sane(row.features) + of_parent(sane(row.above), fruitful, row.led or 0, row.led_to or 0)
