"""A trained network ready to score: pixels in, one probability per label out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from models.fitting import Fit


class ModelError(ValueError):
    """A model cannot be used; the message is one line that says what was found and what was expected."""


class Classifier(Protocol):
    """What the scorer asks of a model. It is picklable, so that worker processes can have it."""

    name: str
    hash: str
    """sha256, hex: of the weights and, where it is declared how they are used, of that too."""
    labels: tuple[str, ...]
    side: int
    """Side of the square input, in pixels."""
    fit: Fit
    """How pictures are fitted into that square: :func:`models.fitting.fit_square`."""

    dimensions: int
    """Length of the embedding; 0 where the model gives none."""
    curve: Path | None
    """The file with precision and recall at each threshold (:mod:`models.curve`); None where none was measured."""

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (N, side, side, 3), 0–255 RGB, to float32 (N, labels): probabilities of labels that exclude each other.

        Each row sums to 1, or to less where the network also knows a background class, or answers in coarse steps.
        """

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """What ``predict`` and ``embed`` answer, by one run of the network; None where there is no embedding."""

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (N, side, side, 3), 0–255 RGB, to float32 (N, dimensions): the features under the last layer."""
