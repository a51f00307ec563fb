"""Precision and recall of the filter, from a stratified random sample of what it keeps and of what it drops."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from posterbot.review.intervals import ALL, Interval, effective, ratio, wilson


@dataclass(frozen=True, slots=True)
class Answered:
    """An image of which a person said what it is."""

    kept: bool
    """By the verdict that is looked at."""
    wanted: bool
    """By the person."""
    weight: float | None
    """Of an audit: see :func:`weigh`. None: shown for another reason, it stands for itself only."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a filter is. None: too little is known to say anything."""

    of: str
    """Host, day or policy; ``all``."""
    precision: float | None
    """Share of what is kept that is wanted."""
    precision_interval: Interval
    recall: float | None
    """Share of what is wanted, among all images that were scored, that is kept."""
    recall_interval: Interval
    audits_kept: int
    audits_dropped: int
    kept: int
    """Images there are; and ..."""
    dropped: int


@dataclass(frozen=True, slots=True)
class _Side:
    """How many wanted images one verdict has, and between what limits."""

    audits: int
    wanted: float
    low: float
    high: float


def weigh(drawn: Sequence[tuple[int, bool]], sizes: Mapping[int, tuple[int, int]]) -> list[float]:
    """How many images each audit stands for: those of its stratum, for each of them that was asked.

    Where verdicts have changed between audits there are several samples of the same images. Each is weighed by the
    strata of its time, and counts as much as it is large.

    Args:
        drawn: of each audit, what the verdicts were as of (a policy's number), and whether it was drawn among the kept.
        sizes: as of that policy, how many images were kept and how many dropped.
    """
    of = Counter(drawn)
    samples = Counter(epoch for epoch, _ in drawn)
    return [
        max(1, sizes[epoch][0 if kept else 1]) / of[epoch, kept] * samples[epoch] / len(drawn) for epoch, kept in drawn
    ]


def estimate(of: str, answers: Iterable[Answered], kept: int, dropped: int) -> Quality:
    """Weigh the answers by what they stand for.

    An audit is counted where its image is *now*, so a sample drawn under one policy tells of another. What was shown
    for other reasons is known, and stands for itself. Both shares are ratios of such sums (Hájek's estimator: Särndal,
    Swensson and Wretman, Model Assisted Survey Sampling, 1992, 5.7). ``precision`` has Wilson's interval, ``recall``
    one by MOVER-R: see ``intervals.py``.

    Args:
        of: name.
        answers: those that tell.
        kept, dropped: how many images there are.
    """
    told = list(answers)
    yes = _side([one for one in told if one.kept], kept)
    no = _side([one for one in told if not one.kept], dropped)
    precision, precision_interval = None, ALL
    if yes.audits and kept:
        precision, precision_interval = yes.wanted / kept, (yes.low / kept, yes.high / kept)
    recall, recall_interval = None, ALL
    if yes.audits and (no.audits or not dropped) and yes.wanted + no.wanted > 0:
        recall = yes.wanted / (yes.wanted + no.wanted)
        low, high = ratio((no.wanted, (no.low, no.high)), (yes.wanted, (yes.low, yes.high)))
        recall_interval = (0.0 if math.isinf(high) else 1 / (1 + high)), 1 / (1 + low)
    return Quality(of, precision, precision_interval, recall, recall_interval, yes.audits, no.audits, kept, dropped)


def _side(told: list[Answered], size: int) -> _Side:
    known = [one for one in told if one.weight is None]
    drawn = [(one.weight, one.wanted) for one in told if one.weight is not None]
    certain = sum(one.wanted for one in known)
    rest = max(size - len(known), 0)
    total = sum(weight for weight, _ in drawn)
    if not drawn:
        return _Side(0, certain, certain, certain + rest)
    share = sum(weight for weight, wanted in drawn if wanted) / total if total else 0.0
    of = effective(total, sum(weight * weight for weight, _ in drawn), rest)
    low, high = (share, share) if math.isinf(of) else wilson(share, of)
    return _Side(len(drawn), certain + rest * share, certain + rest * low, certain + rest * high)
