"""Precision and recall at each threshold, measured once and kept beside the weights, and read back as a threshold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

THRESHOLDS = np.arange(1, 200) / 200
"""0.005, 0.010 … 0.995."""
ENOUGH = 20
"""Fewer images say nothing about a share: with 20, one image more or less moves it by 5 points."""


class CurveError(ValueError):
    """No threshold meets what was asked; the message is one line that says why."""


def write_curve(path: Path, table: np.ndarray, labels: Sequence[str], targets: Sequence[str]) -> None:
    """Write ``curve.json``: for each label with a right answer among ``targets``, its curve.

    Args:
        path: file to write.
        table: float32 (N, labels), the probabilities of N images no one trained on.
        labels: of the columns.
        targets: the right label of each row; it need not be one of ``labels``.
    """
    right = np.asarray(targets)
    curves = {}
    for column, label in enumerate(labels):
        wanted = right == label
        if not wanted.any():
            continue
        scores = table[:, column]
        passing = len(scores) - np.searchsorted(np.sort(scores), THRESHOLDS)
        found = wanted.sum() - np.searchsorted(np.sort(scores[wanted]), THRESHOLDS)
        curves[label] = {
            "images": len(right),
            "prevalence": round(float(wanted.mean()), 6),
            "passing": passing.tolist(),
            # Where nothing passes, nothing wrong does.
            "precision": np.where(passing, found / np.maximum(passing, 1), 1.0).round(4).tolist(),
            "recall": (found / wanted.sum()).round(4).tolist(),
        }
    path.write_text(json.dumps({"thresholds": THRESHOLDS.tolist(), "labels": curves}, separators=(",", ":")) + "\n")


def threshold_at(curve: Path | None, labels: Sequence[str], goal: str, value: float) -> float:
    """The threshold where a label reaches a precision or a recall, as measured on held-out images.

    For ``precision`` it is the lowest threshold at and above which precision is never measured below ``value``, for
    ``recall`` the highest that still has it. Precision depends on how rare the label is among the images, and holds
    elsewhere only where it is as rare as it was there.

    Args:
        curve: the ``curve.json`` of a model, as :func:`write_curve` writes it; None where the model has none.
        labels: what is looked for; curves are per label, so there must be exactly one.
        goal: ``precision`` or ``recall``.
        value: above 0, at most 1.

    Raises:
        CurveError: see the message.
    """
    if goal not in {"precision", "recall"}:
        raise CurveError(f"unknown goal {goal!r}: precision= or recall= can be asked of a threshold")
    if not 0 < value <= 1:
        raise CurveError(f"{goal}={value:g} is out of range: above 0, at most 1")
    if len(labels) != 1:
        raise CurveError(f"{goal}= takes one label, not {', '.join(labels) or 'none'}: give the threshold as a number")
    row = _read(curve, labels[0])
    thresholds, reached = np.array(row["thresholds"]), np.array(row[goal])
    if goal == "recall":
        if row["prevalence"] * row["images"] < ENOUGH - 0.5:
            raise CurveError(f"recall of {labels[0]} is not known: it was measured on fewer than {ENOUGH} images of it")
        good = np.flatnonzero(reached >= value)
        if not len(good):
            raise CurveError(
                f"recall={value:g} is not reached for {labels[0]}: {reached[0]:.3f} at the lowest threshold"
            )
        return float(thresholds[good[-1]])
    # Precision goes up and down by chance: a threshold may pass the mark while one above it does not, and close to 1
    # a handful of images decides. So a threshold counts for no more than the worst of those above it (the monotone
    # envelope), and those that only a few images pass are left out.
    known = np.array(row["passing"]) >= ENOUGH
    if not known.any():
        raise CurveError(f"precision of {labels[0]} is not known: fewer than {ENOUGH} images passed any threshold")
    envelope = np.minimum.accumulate(reached[known][::-1])[::-1]
    good = np.flatnonzero(envelope >= value)
    if not len(good):
        raise CurveError(f"precision={value:g} is not reached for {labels[0]}: {envelope.max():.3f} at best")
    return float(thresholds[known][good[0]])


def _read(curve: Path | None, label: str) -> dict[str, Any]:
    """The curve of ``label``, with ``thresholds``."""
    if curve is None or not curve.is_file():
        raise CurveError("no curve with this model: give the threshold as a number")
    try:
        content = json.loads(curve.read_text())
        rows, thresholds = content["labels"], content["thresholds"]
        if label not in rows:
            raise CurveError(f"{label} was not measured with this model: give the threshold as a number")
        row: dict[str, Any] = rows[label] | {"thresholds": thresholds}
        lengths = {len(row[name]) for name in ("thresholds", "passing", "precision", "recall")}
        if len(lengths) != 1 or not 0 <= row["prevalence"] * row["images"] <= row["images"]:
            raise ValueError("columns of unequal length")
    except CurveError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CurveError(f"{curve} is not a readable curve ({error})") from None
    return row
