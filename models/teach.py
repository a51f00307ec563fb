"""Teach labels: fit and measure a head on the embedding of a model that is already there.

The base stays as it is; only a multinomial logistic regression on its standardised features is fitted, with L2
regularisation whose strength is chosen by cross-validation. Labels are weighted to count alike, so that a thin one is
learned as well as a thick one.

That fits the odds of a world where all labels are equally frequent; besides, regularisation makes answers timid, and
many features make them bold. So the logits are calibrated afterwards: one temperature for all, and one offset for
each label, which brings its mean probability to its share of the folder (bias-corrected temperature scaling,
Alexandari et al., ICML 2020). Both are fitted on logits of images left out of the fit, towards Platt's targets
(1999), which keep a perfect score on twenty images from being taken for certainty.

A score is thus the probability in a mixture like that of the folder: where one example in ten is a logo, it is taken
for granted that one image in ten is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.classifier import Classifier
from models.curve import write_curve
from models.lesson import Examples, Lesson, TeachError
from models.taught import Head

STRENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""scikit-learn's C, to choose from: a larger one fits closer."""
TEMPERATURES = np.geomspace(0.005, 50, 190)
ROUNDS = 5
"""Of calibration; the third moves the fourth digit."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A head fitted on all examples, and what cross-validation says of it."""

    head: Head
    strength: float
    """The one of :data:`STRENGTHS` that was chosen."""
    folds: int
    by_source: frozenset[int]
    """Numbers of the labels whose sources were left out whole; of the others, images were."""
    scores: np.ndarray
    """float32 (N, labels): the probabilities of each example, by a fit without its fold."""


def teach(lesson: Lesson, seed: int = 7, folds: int = 5, advance: Callable[[], None] = lambda: None) -> Taught:
    """Cross-validate, then fit on all examples.

    Where a label has several sources, they are left out whole; elsewhere images are. Images that look the same are
    never on both sides. For the figures of each fold, the strength is the one that does best on the other folds. The
    same lesson, seed and number of folds give the same bits on one machine.

    Args:
        lesson: from :func:`models.lesson.read_lesson`.
        seed: of the division into folds.
        folds: at most; fewer where a label has fewer different images or sources.
        advance: called for each example that was left out and scored.

    Raises:
        TeachError: the examples cannot be divided.
    """
    examples = lesson.examples
    targets = examples.targets
    splits, by_source = _divide(examples, folds, seed)
    logits = np.zeros((len(STRENGTHS), len(targets), len(lesson.labels)))
    # One thread: several add up in another order, and on matrices this small they wait for each other.
    with threadpool_limits(1):
        for training, test in splits:
            for number, strength in enumerate(STRENGTHS):
                logits[number, test] = _fit(examples.at(training), strength).logits(examples.features[test])
            for _ in test:
                advance()
        wanted = _wanted(targets)
        calibrations = [_calibrate(table, wanted) for table in logits]
        calibrated = np.stack(
            [table / c.temperature + c.offsets for table, c in zip(logits, calibrations, strict=True)]
        )
        losses = -(wanted * _log_softmax(calibrated)).sum(-1)
        best = int(losses.mean(1).argmin())
        head = _fit(examples, STRENGTHS[best])
    scores = np.zeros(calibrated.shape[1:], np.float32)
    for _, test in splits:
        chosen = np.delete(losses, test, axis=1).mean(1).argmin()
        scores[test] = np.exp(_log_softmax(calibrated[chosen, test]))
    temperature = calibrations[best].temperature
    head = replace(
        head,
        bias=np.asarray(head.bias + temperature * calibrations[best].offsets, np.float32),
        temperature=np.array(temperature, np.float32),
    )
    return Taught(head, STRENGTHS[best], len(splits), by_source, scores)


def save(folder: Path, name: str, base: Classifier, base_name: str, lesson: Lesson, taught: Taught, card: str) -> None:
    """Write a model folder.

    ``model.toml`` goes first and comes last, so that a folder written by halves is no model.

    Args:
        folder: made if missing; what an earlier lesson left there is replaced.
        name: of the model.
        base: what it was taught on.
        base_name: what the registry loads ``base`` by.
        lesson: gives the labels.
        taught: gives the head, and the curve of precision and recall by threshold.
        card: Markdown, see :mod:`models.teach_card`.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.toml").unlink(missing_ok=True)
    (folder / "head.npz").write_bytes(taught.head.to_bytes())
    (folder / "labels.txt").write_text("\n".join(lesson.labels) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(card, encoding="utf-8")
    targets = [lesson.labels[number] for number in lesson.examples.targets]
    write_curve(folder / "curve.json", taught.scores, lesson.labels, targets)
    entries = {
        "kind": "taught",
        "name": name,
        "base": base_name,
        "base_hash": base.hash,
        "head": "head.npz",
        "labels": "labels.txt",
    }
    # JSON's strings are TOML's, but for what it writes as surrogates.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in entries.items()]
    (folder / "model.toml").write_text("".join(lines), encoding="utf-8")


def _divide(examples: Examples, folds: int, seed: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], frozenset[int]]:
    """Pairs of (rows to fit, rows to score), every row scored once, and the labels that were divided by source.

    Images of every label are left to fit; where whole sources do not allow that, the label is divided by image.
    """
    targets, sources, looks = examples.targets, examples.sources, examples.looks
    numbers = [int(number) for number in np.unique(targets)]
    pieces = min(folds, *(len(set(looks[targets == number])) for number in numbers))
    mixed = TeachError("too many images of one label look the same as images of another; sort the folders")
    if pieces < 2:
        raise mixed
    by_source = {number for number in numbers if len(set(sources[targets == number])) > 1}
    while True:
        whole = np.isin(targets, list(by_source))
        groups = np.where(whole, np.char.add("source ", sources), np.char.add("look ", looks))
        splitter = StratifiedGroupKFold(min(pieces, len(set(groups))), shuffle=True, random_state=seed)
        splits = [
            # What also lies in another source is not fitted while its likeness is scored.
            (training[~np.isin(looks[training], looks[test])], test)
            for training, test in splitter.split(targets, targets, groups)
            if len(test)
        ]
        short = {number for number in numbers for training, _ in splits if number not in targets[training]}
        if not short:
            return splits, frozenset(by_source)
        if not by_source:
            raise mixed
        by_source = by_source - short if by_source & short else set()


def _fit(examples: Examples, strength: float) -> Head:
    """The head for equal shares of all labels, at temperature 1."""
    features = examples.features.astype(np.float64)
    mean, scale = features.mean(0), features.std(0)
    # A feature that hardly moved in these images must not be blown up when it moves in another one.
    scale = np.maximum(scale, scale.mean() / 10 or 1.0)
    regression = LogisticRegression(C=strength, class_weight="balanced", tol=1e-3, max_iter=5000)
    regression.fit((features - mean) / scale, examples.targets)
    weights, bias = regression.coef_.T, regression.intercept_
    if len(bias) == 1:  # of two labels scikit-learn keeps the difference only
        weights, bias = np.hstack([-weights / 2, weights / 2]), np.concatenate([-bias / 2, bias / 2])
    return Head(*(np.asarray(array, np.float32) for array in (weights, bias, mean, scale, 1.0)))


def _wanted(targets: np.ndarray) -> np.ndarray:
    """Platt's targets, (N, labels): as if one image of each label had been seen beside those of the right one."""
    counts = np.bincount(targets)
    of_right = counts[targets][:, np.newaxis]
    return np.asarray((np.eye(len(counts))[targets] * of_right + 1) / (of_right + len(counts)))


@dataclass(frozen=True, slots=True, eq=False)
class _Calibration:
    """Logits are divided by ``temperature``, then ``offsets``, (labels,), are added."""

    temperature: float
    offsets: np.ndarray


def _calibrate(logits: np.ndarray, wanted: np.ndarray) -> _Calibration:
    """What makes the ``wanted`` targets, (N, labels), most likely. Temperature and offsets are fitted in turns."""
    share = wanted.mean(0)
    offsets = np.log(share)

    def loss(temperature: float) -> float:
        return float(-(wanted * _log_softmax(logits / temperature + offsets)).sum(1).mean())

    for _ in range(ROUNDS):
        temperature = float(min(TEMPERATURES, key=loss))
        for _ in range(ROUNDS):  # offsets are best where mean probability and share agree
            offsets = offsets + np.log(share) - np.log(np.exp(_log_softmax(logits / temperature + offsets)).mean(0))
    return _Calibration(temperature, offsets)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithm of the softmax over the last axis, without overflow."""
    lowered = logits - logits.max(-1, keepdims=True)
    return np.asarray(lowered - np.log(np.exp(lowered).sum(-1, keepdims=True)))
