"""Many verdicts at once: for each image what ``filters.relevance.judge`` and ``filters.quality.good_enough`` say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posterbot.catalogue.records import Policy


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """N verdicts, as arrays."""

    keep: np.ndarray
    """bool (N,)."""
    score: np.ndarray
    """float32 (N,): the summed probability of the labels wanted."""
    best: np.ndarray
    """int (N,): numbers of the likeliest labels."""


def judge_all(scores: np.ndarray, policy: Policy) -> Judged:
    """The verdicts on float32 (N, labels), to the last bit those of ``judge`` on each row."""
    labels = policy.model.labels
    wanted = [scores[:, labels.index(label)] for label in policy.labels]
    score = np.zeros(len(scores), np.float32)
    for column in wanted:  # in the order and precision in which sum() adds them up
        score = score + column
    keep = score.astype(np.float64) >= policy.threshold
    if policy.top is not None:
        best = np.max(wanted, axis=0)
        keep &= (scores >= best[:, np.newaxis]).sum(1) <= policy.top
    return Judged(keep, score, scores.argmax(1))
