"""How sharp and how lively a picture is, measured on pixels that have been decoded anyway."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from PIL import Image

SIDE = 160
"""Pixels, about: the longer side at which pictures are compared, as sharpness is a question of scale."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What :func:`measure` found."""

    sharpness: float
    """Variance of the Laplacian of the luma, 0 to some 100,000 (Pech-Pacheco et al., "Diatom autofocusing in
    brightfield microscopy: a comparative study", ICPR 2000)."""
    spread: float
    """Standard deviation of the luma, 0–127.5."""
    entropy: float
    """Of the luma, in bits, 0–8: how many levels there are, whatever their contrast."""

    @property
    def detail(self) -> float:
        """Sharpness in relation to contrast, 0–20: fog takes away both, and a blur only the first."""
        return self.sharpness / (self.spread * self.spread + 1.0)


def measure(picture: Image.Image) -> Quality:
    """Measure a picture as :mod:`models.decode` gives it; what is half as large again as :data:`SIDE` is reduced to it.

    Args:
        picture: 8-bit RGB, without any frame around it.
    """
    image = picture.convert("L")
    factor = round(max(image.size) / SIDE)
    if factor > 1:
        image = image.reduce(factor)
    luma = np.asarray(image)
    return Quality(_variance(_laplacian(luma)), sqrt(_variance(luma)), float(image.entropy()))


def _laplacian(luma: np.ndarray) -> np.ndarray:
    """int16, without the outermost pixels."""
    grey = luma.astype(np.int16)
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1]
    edges += grey[1:-1, :-2]
    edges += grey[1:-1, 2:]
    edges -= grey[1:-1, 1:-1] << 2
    return edges


def _variance(values: np.ndarray) -> float:
    """As NumPy's, in a fifth of its time."""
    if values.size == 0:
        return 0.0
    flat = values.ravel().astype(np.float32)
    flat -= flat.mean()
    return float(flat @ flat) / flat.size
