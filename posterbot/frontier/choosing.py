"""Which arm is next: the one with the highest worth and hope, and now and then the one that has waited longest."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

OPTIMISM = 0.5
"""Standard deviations of what is not known for sure of an arm that are added to its worth."""
FLOOR_EVERY = 20
"""Each so manieth URL is of the arm served longest ago, whatever it is worth: what was found is fetched some day, and
what has changed is noticed."""


@dataclass(slots=True)
class Arm:
    """An arm of which URLs wait."""

    number: int
    worth: float
    """Expected reward of a request, on the best way from here."""
    pulls: float
    served_at: float
    available: int
    """URLs that wait, or so many as are wanted."""


def floors(every: int = FLOOR_EVERY) -> Iterator[bool]:
    """For each URL: is the next one to be chosen by turns?"""
    while True:
        yield from (False,) * (every - 1)
        yield True


def hope(worth: float, pulls: float, mean: float) -> float:
    """``worth`` and what may be hoped beyond: less with each pull. ``mean``: what is usual, 0 or more.

    Rewards are counts, so their variance is about their mean.
    """
    return worth + OPTIMISM * math.sqrt(max(worth, mean) / (pulls + 1.0))


def choose(
    arms: Sequence[Arm], number: int, mean: float, under_way: Mapping[int, int], floor: Iterator[bool], now: float
) -> list[tuple[int, float]]:
    """Up to ``number`` times an arm and its hope, the first to be pulled first.

    Pulls ``under_way`` count as made, here as before: who waits for an answer need not ask the same again.
    ``served_at`` and ``available`` of ``arms`` are changed.
    """
    drawn: Counter[int] = Counter()
    hopes = {arm.number: hope(arm.worth, arm.pulls + under_way.get(arm.number, 0), mean) for arm in arms}
    left = {arm.number: arm for arm in arms if arm.available > 0}
    chosen: list[tuple[int, float]] = []
    while left and len(chosen) < number:
        if next(floor):
            arm = min(left.values(), key=lambda arm: (arm.served_at, arm.number))
        else:
            arm = left[max(left, key=lambda number: (hopes[number], -number))]
        arm.served_at = now + len(chosen) * 1e-6
        arm.available -= 1
        if not arm.available:
            del left[arm.number]
        chosen.append((arm.number, hopes[arm.number]))
        drawn[arm.number] += 1
        pulls = arm.pulls + under_way.get(arm.number, 0) + drawn[arm.number]
        hopes[arm.number] = hope(arm.worth, pulls, mean)
    return chosen
