"""How a picture of any shape becomes the square that a network takes."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PIL import Image

from models.decode import letterbox

CENTRE = 0.875
"""Share of the shorter side that a centre crop shows: 224 of 256 pixels, as ImageNet networks are tested with."""


class Fit(StrEnum):
    """The ways there are. A network wants the one that it was trained with."""

    LETTERBOX = "letterbox"
    """All of it, in a grey frame: the aspect ratio shows."""
    CROP = "crop"
    """The central square only (:data:`CENTRE`)."""
    STRETCH = "stretch"
    """All of it, squashed."""


def longer_side(fit: Fit, side: int, width: int, height: int) -> int:
    """How large to decode a picture of ``width`` × ``height`` for :func:`fit_square`: its longer side, in pixels."""
    shorter, longer = sorted((width, height))
    if fit is Fit.LETTERBOX:
        return side
    wanted = side / CENTRE if fit is Fit.CROP else side
    return max(1, min(longer, round(wanted * longer / shorter)))


def fit_square(image: Image.Image, side: int, fit: Fit) -> np.ndarray:
    """8-bit RGB of any size to uint8 (side, side, 3), 0–255."""
    if fit is Fit.LETTERBOX:
        return letterbox(image, side)
    width, height = image.size
    box = (0.0, 0.0, float(width), float(height))
    if fit is Fit.CROP:
        half = CENTRE * min(width, height) / 2
        box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    square = image.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    return np.asarray(square, np.uint8)
