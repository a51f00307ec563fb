"""How well one number per image ranks a wanted label before everything else, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

FALSE_ALARMS = 0.02
ROUNDS = 500


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well one number per image ranks a wanted label before everything else.

    ``average_precision`` and ``auc`` (ROC) over all images and over the web mix (without
    :data:`models.training.dataset.COVERS`); ``recall`` of the wanted where 2 % of the web mix passes, and the share of
    covers that pass with them. NaN where there is nothing to measure it on.
    """

    average_precision: float
    auc: float
    web_average_precision: float
    web_auc: float
    recall: float
    covers_passing: float

    def as_dict(self) -> dict[str, float | None]:
        """For printing and JSON, which knows no NaN."""
        return {name: None if np.isnan(value) else value for name, value in asdict(self).items()}


def rank(score: np.ndarray, wanted: np.ndarray, covers: np.ndarray) -> Ranking:
    """The figures of :class:`Ranking`.

    Args:
        score: float (N,), higher where more likely wanted.
        wanted: bool (N,).
        covers: bool (N,): labelled with one of :data:`models.training.dataset.COVERS`.
    """
    precision, web_precision, recall, passing = _Ranked(score, wanted, covers).figures(np.ones(len(score)))
    web = wanted | ~covers
    return Ranking(
        average_precision=precision,
        auc=auc(score, wanted),
        web_average_precision=web_precision,
        web_auc=auc(score[web], wanted[web]),
        recall=recall,
        covers_passing=passing,
    )


def average_precision(score: np.ndarray, wanted: np.ndarray) -> float:
    """The area under the precision-recall curve as a sum of steps, each at the precision it ends with.

    As scikit-learn's, which warns where this is NaN: where nothing is wanted. Arguments as for :func:`rank`.
    """
    return _Ranked(score, wanted, np.zeros(len(score), bool)).figures(np.ones(len(score)))[0]


def auc(score: np.ndarray, wanted: np.ndarray) -> float:
    """Area under the ROC curve; NaN where all or none are wanted. Arguments as for :func:`rank`."""
    return float(roc_auc_score(wanted, score)) if 0 < wanted.sum() < len(wanted) else float("nan")


def intervals(
    score: np.ndarray, wanted: np.ndarray, covers: np.ndarray, sources: Sequence[str], seed: int = 7
) -> dict[str, tuple[float, float]]:
    """95 % intervals of four figures of :class:`Ranking`, by the cluster bootstrap (Field and Welsh, JRSS B 69, 2007).

    Images of one source resemble each other, so whole sources are drawn with replacement, :data:`ROUNDS` times; the
    interval is from the 2.5th to the 97.5th percentile. The sources of the wanted, of the covers and of the rest are
    drawn apart, so that no round is without one of them. With few sources the intervals are coarse, and with a
    single one on a side they are too narrow.

    Args:
        score: as for :func:`rank`, like ``wanted`` and ``covers``.
        sources: the source of each image.
        seed: of the draws.
    """
    kind = np.where(wanted, 0, np.where(covers, 1, 2))
    names = [f"{k} {source}" for k, source in zip(kind, sources, strict=True)]
    clusters, cluster = np.unique(names, return_inverse=True)
    chance = np.random.default_rng(seed)
    times = np.zeros((ROUNDS, len(clusters)))
    for k in np.unique(kind):
        those = np.unique(cluster[kind == k])
        times[:, those] = chance.multinomial(len(those), np.full(len(those), 1 / len(those)), ROUNDS)
    ranked = _Ranked(score, wanted, covers)
    rows = np.array([ranked.figures(drawn[cluster]) for drawn in times])
    low, high = np.percentile(rows, (2.5, 97.5), axis=0)
    figures = ("average_precision", "web_average_precision", "recall", "covers_passing")
    return {name: (float(a), float(b)) for name, a, b in zip(figures, low, high, strict=True) if not np.isnan(a + b)}


class _Ranked:
    """Images sorted once, best first, so that a round of the bootstrap costs a few sums."""

    def __init__(self, score: np.ndarray, wanted: np.ndarray, covers: np.ndarray) -> None:
        self.order = np.argsort(-score, kind="stable")
        score = score[self.order]
        self.wanted, self.covers = wanted[self.order], (covers & ~wanted)[self.order]
        # Images with equal scores pass together: each stands for the first and the last of its equals.
        self.first = np.searchsorted(-score, -score, side="left")
        self.last = np.searchsorted(-score, -score, side="right") - 1

    def figures(self, weight: np.ndarray) -> tuple[float, float, float, float]:
        """Average precision, all and web mix; recall and covers passing where 2 % of the web mix passes.

        ``weight`` says how many times each image counts, in the order in which they were given.
        """
        weight = weight[self.order]
        precisions = self._average_precision(weight), self._average_precision(weight * ~self.covers)
        others = np.cumsum(weight * (~self.wanted & ~self.covers))
        if not others[-1]:
            return *precisions, float("nan"), float("nan")
        # The first image that is one false alarm too many; it and its equals do not pass.
        position = int(np.searchsorted(others, int(FALSE_ALARMS * others[-1]), side="right"))
        passing = np.arange(len(weight)) < self.first[position]
        return *precisions, _share(passing, weight * self.wanted), _share(passing, weight * self.covers)

    def _average_precision(self, weight: np.ndarray) -> float:
        found = np.cumsum(weight * self.wanted)
        if not found[-1]:
            return float("nan")
        precision = found[self.last] / np.maximum(np.cumsum(weight)[self.last], 1)
        return float((weight * self.wanted * precision).sum() / found[-1])


def _share(passing: np.ndarray, weight: np.ndarray) -> float:
    return float(weight[passing].sum() / weight.sum()) if weight.any() else float("nan")
