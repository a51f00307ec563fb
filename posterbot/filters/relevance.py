"""Is it what is looked for? The verdict is a function of the scores and one policy, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posterbot.catalogue.records import Policy
from posterbot.reasons import Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """Keep or drop, why, the likeliest label, and the probability (0–1) that the image is one of those wanted."""

    keep: bool
    reason: Reason
    label: str | None = None
    score: float | None = None


def judge(scores: np.ndarray, policy: Policy) -> Verdict:
    """Keep where the probabilities of the policy's labels sum to its threshold and, if so asked, one is at the top.

    The labels of a model exclude each other, so the sum is the probability of being any of those wanted.

    Args:
        scores: float32 (labels,), probabilities in the order of ``policy.model.labels``.
        policy: the decision in force.
    """
    labels = policy.model.labels
    wanted = [scores[labels.index(label)] for label in policy.labels]
    score = float(sum(wanted))
    keep = score >= policy.threshold and (policy.top is None or _among(scores, max(wanted), policy.top))
    return Verdict(keep, Reason.RELEVANT if keep else Reason.NOT_RELEVANT, labels[int(scores.argmax())], score)


def _among(scores: np.ndarray, score: float, top: int) -> bool:
    """Is ``score`` one of the ``top`` highest? Not where others equal to it would make them more than ``top``.

    Networks that answer in coarse steps give most labels the same 0, and none of these is likely.
    """
    return int((scores >= score).sum()) <= top
