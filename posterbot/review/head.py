"""Fitting a head to what people said, from the old head on: what a hundred answers do not speak of stays as it was.

The old model is taken as a linear head on its own features: the one that comes closest to the scores it gave to images
that nobody reviewed (distillation: Hinton, Vinyals and Dean, arXiv 1503.02531). The new head is the likeliest one given
the answers, where weights are normally distributed around the old ones (MAP adaptation: Chelba and Acero, "Adaptation
of maximum entropy capitalizer: little data can help a lot", EMNLP 2004), and where the images that nobody reviewed go
on to get the old scores (learning without forgetting: Li and Hoiem, ECCV 2016).

An answer names a set of labels, one of which is right: ``no`` all that are not wanted (partial labels: Jin and
Ghahramani, "Learning with multiple labels", NIPS 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from models.taught import Head

RIDGE = 1e-2
"""Of distillation, for each image: features are standardised."""
REMEMBER = 0.2
"""What the images that nobody reviewed weigh, all together, against the answers, all together."""
NEW = 0.01
"""Probability of a label that the old model does not have, before anything is learned of it."""
SMALLEST = 1e-5
"""Lower probabilities are as good as that."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Images that nobody reviewed, as the old model sees them."""

    features: np.ndarray
    """float32 (M, dimensions)."""
    scores: np.ndarray
    """float32 (M, old labels)."""


@dataclass(frozen=True, slots=True, eq=False)
class OldHead:
    """The old model as a linear head, with columns for new labels behind its own."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    """float64 (dimensions, labels)."""
    bias: np.ndarray

    def standardised(self, features: np.ndarray) -> np.ndarray:
        """float64, for :attr:`weights`."""
        return np.asarray((features.astype(np.float64) - self.mean) / self.scale)

    def head(self, change: np.ndarray | None = None, shift: np.ndarray | None = None) -> Head:
        """As a model has it, with the changes of a fit."""
        weights = self.weights if change is None else self.weights + change
        bias = self.bias if shift is None else self.bias + shift
        return Head(*(np.asarray(array, np.float32) for array in (weights, bias, self.mean, self.scale, 1.0)))


def distil(pool: Pool, labels: int) -> OldHead:
    """The linear head that gives the pool its scores as nearly as can be.

    Args:
        pool: the more images the better; some hundreds tell most of it.
        labels: how many the new head has: those of the old one, and then new ones.
    """
    features = pool.features.astype(np.float64)
    mean, scale = features.mean(0), features.std(0)
    # A feature that hardly moved in these images must not be blown up when it moves in another one.
    scale = np.maximum(scale, scale.mean() / 10 or 1.0)
    table = (features - mean) / scale
    logits = np.log(np.maximum(pool.scores.astype(np.float64), SMALLEST))
    middle = logits.mean(0)
    wanted = logits - middle
    number = len(table)
    if number < table.shape[1]:
        weights = table.T @ np.linalg.solve(table @ table.T + RIDGE * number * np.eye(number), wanted)
    else:
        weights = np.linalg.solve(table.T @ table + RIDGE * number * np.eye(table.shape[1]), table.T @ wanted)
    new = labels - pool.scores.shape[1]
    # Such that a new label has the probability NEW where all logits are as usual.
    usual = np.log(np.exp(middle).sum()) + np.log(NEW)
    return OldHead(
        mean, scale, np.hstack([weights, np.zeros((len(mean), new))]), np.concatenate([middle, np.full(new, usual)])
    )


def fit(old: OldHead, features: np.ndarray, allowed: np.ndarray, pool: Pool, strength: float) -> Head:
    """The new head.

    Args:
        old: from :func:`distil`.
        features: float32 (N, dimensions), of the reviewed images.
        allowed: bool (N, labels): which labels an answer allows; at least one, and not all.
        pool: a thousand images are enough to remember by.
        strength: variance of the weights around the old ones; a larger one fits closer.
    """
    table = np.vstack([old.standardised(features), old.standardised(pool.features)])
    base = table @ old.weights + old.bias
    number, labels = len(features), allowed.shape[1]
    # Of a new label the old scores say nothing: they are the shares of the others.
    known = pool.scores.shape[1]
    shares = pool.scores.astype(np.float64) / np.maximum(pool.scores.sum(1, keepdims=True), SMALLEST)
    remembered = REMEMBER * number / max(1, len(pool.scores))
    few = 1.0 - NEW if labels > known else 1.0
    target = np.hstack([shares * few, np.full((len(shares), labels - known), (1.0 - few) / max(1, labels - known))])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        change, shift = flat[:-labels].reshape(-1, labels), flat[-labels:]
        logits = base + table @ change + shift
        logits -= logits.max(1, keepdims=True)
        odds = np.exp(logits)
        shares_ = odds / odds.sum(1, keepdims=True)
        told = np.where(allowed, shares_[:number], 0.0)
        right = np.maximum(told.sum(1, keepdims=True), 1e-12)
        wrong = np.vstack([shares_[:number] - told / right, remembered * (shares_[number:] - target)])
        value = -np.log(right).sum()
        value -= remembered * (target * np.log(np.maximum(shares_[number:], 1e-12))).sum()
        value += (change**2).sum() / (2 * strength) + (shift**2).sum() / 200
        slope = np.concatenate([(table.T @ wrong + change / strength).ravel(), wrong.sum(0) + shift / 100])
        return float(value), slope

    start = np.zeros((table.shape[1] + 1) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-7}).x
    return old.head(found[:-labels].reshape(-1, labels), found[-labels:])
