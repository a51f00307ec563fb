"""What the arms of a host are worth, by their rows: a pure function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posterbot.frontier.worth import worths

HORIZON = 2_000
"""A new URL is worth 1/e as much where so many that are no worse wait before it."""
PRIOR = 1.0
"""What is expected beforehand weighs as much as so many pulls."""
LIKELY = (0.2, 5.0)
"""How much less, or more, than usual an arm may be expected to bring because of what its links promise."""


@dataclass(frozen=True, slots=True)
class Mean:
    """What pages have brought, and taken, together."""

    pulls: float
    reward: float
    cost: float


FIRST_GUESS = Mean(1.0, 0.1, 2.0)
"""Of the first page of a run."""


def mean_of(rows: Sequence[Any]) -> Mean:
    """Of arms, by their rows."""
    return Mean(*(float(sum(getattr(row, name) for row in rows)) for name in ("pulls", "reward", "cost")))


def expected(mean: Mean, before: Mean) -> Mean:
    """Reward and cost of one page, where ``before`` was expected of it."""
    pulls = mean.pulls + PRIOR
    return Mean(1.0, (mean.reward + PRIOR * before.reward) / pulls, (mean.cost + PRIOR * before.cost) / pulls)


def worth_of(rows: Sequence[Any], leads: Sequence[Any], usual: Mean) -> np.ndarray:
    """What the arms of a host are worth; what is not known of them is as usual, or as their links promise.

    ``leads``: arm, the arm of the same host to which so many new links lead, or, where it is None, a step of worth of
    arms elsewhere; their number; and the sum of what these are worth.
    """
    names = ("pulls", "reward", "cost", "added", "promise", "leads", "fetched", "worth")
    pulls, reward, cost, added, promise, counted, fetched, before = (
        np.array([getattr(row, name) for row in rows], float) for name in names
    )
    guesses = promise / np.maximum(added, 1.0)
    likely = np.clip(guesses / max(promise.sum() / max(added.sum(), 1.0), 1e-9), *LIKELY)
    reward = (reward + PRIOR * usual.reward * likely) / (pulls + PRIOR)
    cost = (cost + PRIOR * usual.cost) / (pulls + PRIOR)
    # Arms of other hosts to which these lead bring what they are worth there.
    place = {row.id: number for number, row in enumerate(rows)}
    foreign: dict[int, int] = {}
    for lead in leads:
        if lead.child_id is None:
            foreign.setdefault(lead.step, len(rows) + len(foreign))
    size = len(rows) + len(foreign)
    children = np.zeros((size, size))
    there = np.zeros(size)
    for lead in leads:
        arm, child = place[lead.arm_id], foreign[lead.step] if lead.child_id is None else place[lead.child_id]
        children[arm, child] += lead.number
        there[child] += lead.worth
    there = there[len(rows) :] / np.maximum(children[:, len(rows) :].sum(axis=0), 1e-9)
    children[: len(rows)] /= (counted + PRIOR)[:, None]
    order = np.argsort(-before, kind="stable")
    ahead = np.empty(len(rows))
    ahead[order] = np.cumsum(np.maximum(added - fetched, 0.0)[order])
    children[:, : len(rows)] *= np.exp(-ahead / HORIZON)
    reward, cost = np.append(reward, there), np.append(cost, np.ones(len(foreign)))
    return worths(reward, cost, children)[: len(rows)]
