"""Old against new on reviewed images that the new one has not seen: average precision, precision, recall, intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posterbot.review.intervals import Interval

ROUNDS = 1000
SURE = 0.9
"""In so many rounds of the bootstrap a new head has to rank better to be called better."""
TOLERANCE = 0.02
"""So much average precision may be lost on what else is wanted: less is noise."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval; NaN where there is nothing to divide by."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Side:
    """How one model does."""

    average_precision: Figure
    precision: Figure
    """Of what it keeps from the threshold on; and ..."""
    recall: Figure
    """... the share of what is wanted that it keeps, both among the reviewed images."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One set of labels, by the old model and by the new one."""

    labels: tuple[str, ...]
    stand_in: str | None
    """What the old model was asked instead, as it does not know the label: what ranks these images best."""
    wanted: int
    """Reviewed images that are one of the labels, and ..."""
    others: int
    """... that are none."""
    old: Side
    new: Side
    gain: Figure
    """Average precision, new less old."""
    better: float
    """In how many rounds of the bootstrap the gain is above 0: 0–1."""


def compare(
    labels: tuple[str, ...],
    stand_in: str | None,
    wanted: np.ndarray,
    old: np.ndarray,
    new: np.ndarray,
    groups: np.ndarray,
    threshold: float,
    seed: int = 7,
) -> Compared:
    """Intervals are by the bootstrap over whole groups (Field and Welsh, JRSS B 69, 2007), paired for the gain.

    Args:
        labels, stand_in: see :class:`Compared`.
        wanted: bool (N,).
        old, new: float (N,), the probabilities.
        groups: int (N,), numbered from 0.
        threshold: from which on images are kept.
        seed: of the draws.
    """
    ranked = [(score, np.argsort(-score, kind="stable")) for score in (old, new)]
    number = int(groups.max()) + 1
    chance = np.random.default_rng(seed)
    rows = []
    for times in chance.multinomial(number, np.full(number, 1 / number), ROUNDS):
        weight = times[groups].astype(float)
        rows.append([figure for score, order in ranked for figure in _figures(score, order, wanted, weight, threshold)])
    table = np.array(rows)
    whole = [
        figure for score, order in ranked for figure in _figures(score, order, wanted, np.ones(len(old)), threshold)
    ]
    figures = [Figure(value, _percentiles(table[:, column])) for column, value in enumerate(whole)]
    gains = table[:, 3] - table[:, 0]
    known = gains[~np.isnan(gains)]
    return Compared(
        labels,
        stand_in,
        int(wanted.sum()),
        int((~wanted).sum()),
        Side(*figures[:3]),
        Side(*figures[3:]),
        Figure(whole[3] - whole[0], _percentiles(gains)),
        float((known > 0).mean()) if len(known) else 0.0,
    )


def _figures(
    score: np.ndarray, order: np.ndarray, wanted: np.ndarray, weight: np.ndarray, threshold: float
) -> tuple[float, float, float]:
    """Average precision, precision and recall, where each image counts ``weight`` times."""
    right = weight * wanted
    if not right.sum():
        return (float("nan"),) * 3
    found, passed = np.cumsum(right[order]), np.cumsum(weight[order])
    # Images with equal scores pass together.
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    steps = np.diff(np.concatenate([[0.0], found[ends]]))
    average = float((steps * found[ends] / np.maximum(passed[ends], 1e-9)).sum() / found[-1])
    kept = score >= threshold
    passing = weight[kept].sum()
    return (
        average,
        float(right[kept].sum() / passing) if passing else float("nan"),
        float(right[kept].sum() / found[-1]),
    )


def _percentiles(values: np.ndarray) -> Interval:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)
