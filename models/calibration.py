"""Do probabilities mean what they say? The reliability table and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """Images of neighbouring confidence: how sure the model was of them on average, and how often it was right."""

    images: int
    lowest: float
    highest: float
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """``ece`` is the distance between confidence and accuracy, averaged over all images: 0 is perfect, 1 the worst."""

    ece: float
    bins: list[Bin]


def reliability(confidence: np.ndarray, right: np.ndarray) -> Reliability:
    """Expected calibration error over :data:`BINS` bins of equally many images (Naeini et al., AAAI 2015).

    The table is what a reliability diagram shows (Guo et al., ICML 2017). Bins of equal mass, because most images
    are scored near 0 or 1 and bins of equal width would leave the middle ones to a handful.

    Args:
        confidence: float (N,), 0–1, N ≥ 1.
        right: bool (N,): did what was predicted with that confidence come true?
    """
    order = np.argsort(confidence, kind="stable")
    bins = [
        Bin(
            len(part),
            float(confidence[part[0]]),
            float(confidence[part[-1]]),
            float(confidence[part].mean()),
            float(right[part].mean()),
        )
        for part in np.array_split(order, min(BINS, len(order)))
    ]
    error = sum(bin.images * abs(bin.confidence - bin.accuracy) for bin in bins) / len(order)
    return Reliability(error, bins)
