"""A new head from what people said: fitted, compared with the old one on answers it has not seen, and written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine

from models.ranking import average_precision
from models.taught import Head
from posterbot.catalogue.model_folders import find_folder, identity
from posterbot.catalogue.records import Model, Policy
from posterbot.review.compared import SURE, TOLERANCE, Compared, compare
from posterbot.review.examples import Examples, read_examples, read_pool
from posterbot.review.features import same_features
from posterbot.review.head import OldHead, Pool, distil, fit
from posterbot.review.targets import FOLDS, NEEDED, LearnError, Target, find_targets, groups_short
from posterbot.steering.asked_policy import newest_policy

LEAST_POOL = 50
"""Images beside those reviewed, by which the old head is read off."""
REMEMBERED = 600
"""Of the pool, so many are remembered by; more take longer, and change nothing."""
STRENGTHS = (1e-3, 1e-2, 1e-1)
"""Variances of weights around the old ones, to choose from."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A new head and how it does."""

    head: Head
    labels: tuple[str, ...]
    """The old ones, then the new ones."""
    old: Model
    base: str
    """What the registry loads the base by; and ..."""
    base_hash: str
    compared: tuple[tuple[Target, Compared], ...]
    threshold: float
    strength: float
    folds: int
    reviewed: int
    without: int
    """Reviewed images without features: nothing is learned of them."""
    pool: int
    by_host: bool
    refused: str | None
    """Why it is no better than the old one; None: it is."""


def learn(
    engine: Engine, *, label: str | None = None, seed: int = 7, progress: Callable[[int, int], object] = lambda *_: None
) -> Learned:
    """Fit a new head on all reviews.

    Every review is scored by a fit that has seen neither it, nor copies of it, nor other pictures of its film. How
    closely the head is fitted is chosen for each fold by the other folds. The same reviews, catalogue and seed give the
    same head on one machine.

    Args:
        engine: from ``open_catalogue``.
        label: what is to be learned: one of the model's, or a word of one's own. None: all that there are enough
            reviews of.
        seed: of the division into folds.
        progress: called with how many fits are done, and how many it takes.

    Raises:
        LearnError: too few reviews, or the model's features are not to be had.
        LookupError: there is no policy yet.
    """
    _, model_id, policy = newest_policy(engine)
    base, base_hash = _base_of(policy.model)
    features = same_features(engine, base_hash)
    examples = read_examples(engine, model_id, features)
    if not examples.answers:
        raise LearnError(f"nothing was reviewed yet of which {policy.model.name} has scores and features; {NEEDED}")
    pool = read_pool(engine, model_id, features, [one.image for one in examples.answers])
    if len(pool.features) < LEAST_POOL:
        raise LearnError(
            f"{len(pool.features)} images beside those reviewed have features; {LEAST_POOL} are needed, by which the "
            "old head is read off"
        )
    labels, targets = find_targets(examples, policy, label)
    # Hosts as wholes, where that leaves enough to fit on: images of one host look alike.
    groups, by_host = examples.groups, False
    if all(groups_short(examples, examples.hosts, target.labels) == 0 for target in targets):
        groups, by_host = examples.hosts, True
    usable = np.array([0 < one.allows(labels).sum() < len(labels) for one in examples.answers])
    fitting = _Fitting(examples, groups, labels, pool, usable, seed, progress)
    scores, folds, strength = fitting.cross_validate(targets[0].labels)
    compared = tuple((target, _compare(target, examples, groups, scores, labels, policy)) for target in targets)
    return Learned(
        fitting.whole(strength),
        labels,
        policy.model,
        base,
        base_hash,
        compared,
        _threshold(policy),
        strength,
        folds,
        len(examples.answers),
        examples.without,
        len(pool.features),
        by_host,
        _worse(compared),
    )


def _base_of(model: Model) -> tuple[str, str]:
    """What the base of a model is loaded by, and its hash: the model's own, where it is no head on another."""
    from models.declaration import read_toml

    folder = find_folder(model.name, model.hash)
    found = None if folder is None else identity(folder)
    if folder is None or found is None:
        raise LearnError(
            f"model {model.name} ({model.hash[:12]}) is not to be found on this machine: a head is learned where it is"
        )
    if found[1] != model.hash:
        return str(read_toml(folder / "model.toml")["base"]), found[1]
    shipped = folder.parent.name == "weights" and folder.name == model.name
    return (model.name if shipped else str(folder)), model.hash


# --- Fitting --------------------------------------------------------------------------------------------------------


class _Fitting:
    """All fits of one lesson."""

    def __init__(
        self,
        examples: Examples,
        groups: np.ndarray,
        labels: tuple[str, ...],
        pool: Pool,
        usable: np.ndarray,
        seed: int,
        progress: Callable[[int, int], object],
    ) -> None:
        self._examples, self._groups, self._labels = examples, groups, labels
        self._usable, self._seed = usable, seed
        self._progress, self._fits = progress, 0
        self._allowed = np.stack([one.allows(labels) for one in examples.answers])
        self._old: OldHead = distil(pool, len(labels))
        some = np.random.default_rng(seed).permutation(len(pool.features))[:REMEMBERED]
        self._pool = Pool(pool.features[some], pool.scores[some])

    def cross_validate(self, labels: Sequence[str]) -> tuple[np.ndarray, int, float]:
        """float32 (N, labels): of each example by a fit without its fold; how many folds; the best strength of all."""
        splits = self._divide(labels)
        self._of = len(splits) * len(STRENGTHS) + 1
        number = len(self._examples.answers)
        tables = np.zeros((len(STRENGTHS), number, len(self._labels)), np.float32)
        for training, test in splits:
            rows = training[self._usable[training]]
            for place, strength in enumerate(STRENGTHS):
                tables[place, test] = self._fit(rows, strength).probabilities(self._examples.features[test])
        right = np.where(self._allowed, tables, 0).sum(-1)
        losses = np.where(self._usable, -np.log(np.maximum(right, 1e-7)), 0.0)
        scores = np.zeros(tables.shape[1:], np.float32)
        for _, test in splits:
            chosen = int(np.delete(losses, test, axis=1).sum(1).argmin())
            scores[test] = tables[chosen, test]
        return scores, len(splits), STRENGTHS[int(losses.sum(1).argmin())]

    def whole(self, strength: float) -> Head:
        """The head fitted on all examples."""
        return self._fit(np.flatnonzero(self._usable), strength)

    def _divide(self, labels: Sequence[str]) -> list[tuple[np.ndarray, np.ndarray]]:
        from sklearn.model_selection import StratifiedGroupKFold

        kind = np.array([{True: 1, False: 0, None: 2}[one.is_one_of(labels)] for one in self._examples.answers])
        splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=self._seed)
        return [(training, test) for training, test in splitter.split(kind, kind, self._groups) if len(test)]

    def _fit(self, rows: np.ndarray, strength: float) -> Head:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        # One thread: several add up in another order.
        with threadpool_limits(1):
            head = fit(self._old, self._examples.features[rows], self._allowed[rows], self._pool, strength)
        self._fits += 1
        self._progress(self._fits, self._of)
        return head


# --- Comparing ------------------------------------------------------------------------------------------------------


def _compare(
    target: Target,
    examples: Examples,
    groups: np.ndarray,
    scores: np.ndarray,
    labels: tuple[str, ...],
    policy: Policy,
) -> Compared:
    told = [one.is_one_of(target.labels) for one in examples.answers]
    rows = np.array([place for place, one in enumerate(told) if one is not None])
    wanted = np.array([told[place] for place in rows], bool)
    known = [policy.model.labels.index(label) for label in target.labels if label in policy.model.labels]
    old, stand_in = examples.scores[rows][:, known].sum(1), None
    if not known:
        best = max(
            range(len(policy.model.labels)), key=lambda column: average_precision(examples.scores[rows, column], wanted)
        )
        old, stand_in = examples.scores[rows, best], policy.model.labels[best]
    new = scores[rows][:, [labels.index(label) for label in target.labels]].sum(1)
    numbered = np.unique(groups[rows], return_inverse=True)[1]
    return compare(target.labels, stand_in, wanted, old, new, numbered, _threshold(policy))


def _threshold(policy: Policy) -> float:
    return policy.threshold or 0.5


def _worse(compared: Sequence[tuple[Target, Compared]]) -> str | None:
    """Why the new head is not to be used; None: it is better."""
    for target, figures in compared:
        name = ", ".join(figures.labels)
        gain = figures.gain
        if target.learned and not (gain.value > 0 and figures.better >= SURE):
            return (
                f"{name}: average precision on held-out reviews goes from {figures.old.average_precision.value:.3f} to "
                f"{figures.new.average_precision.value:.3f}, better in {figures.better:.0%} of the bootstrap's rounds, "
                f"and {SURE:.0%} are asked for"
            )
        if not target.learned and gain.value < -TOLERANCE:
            return (
                f"{name}, which is looked for, would suffer: average precision on held-out reviews goes from "
                f"{figures.old.average_precision.value:.3f} to {figures.new.average_precision.value:.3f}, and "
                f"{TOLERANCE:g} is the most it may lose"
            )
    return None
