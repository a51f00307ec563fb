"""What the outline of a picture says: posters are 2:3, almost all of them, whatever is on them.

A network sees the outline of a letterboxed picture, but hardly learns to go by it: training pictures are cropped and
framed to make it look at what is in them. So the two are judged apart and multiplied, as Bayes' rule allows where
they are independent: the network's logit for the label plus the logarithm of how likely that label has this aspect
ratio, compared to the likeliest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.decode import PADDING


@dataclass(frozen=True, slots=True)
class Shape:
    """Aspect ratios of one label: Laplace-distributed in their logarithm, but for a few that can be any."""

    label: str
    aspect: float
    """Width ÷ height of the typical one."""
    spread: float
    """Mean distance of the logarithm from that of ``aspect``: 0.04 is four per cent."""
    any_other: float
    """Share that is of any other shape, 0–1: it bounds what an odd shape can cost."""

    def log_likelihood(self, pixels: np.ndarray) -> np.ndarray:
        """How much less likely each outline is than the typical one.

        Args:
            pixels: uint8 (N, side, side, 3), letterboxed by :func:`models.decode.letterbox`.

        Returns:
            float32 (N,), from log(``any_other``) to 0.
        """
        distance = abs(np.log(aspects(pixels)) - np.log(self.aspect))
        return np.asarray(np.log((1 - self.any_other) * np.exp(-distance / self.spread) + self.any_other), np.float32)


def aspects(pixels: np.ndarray) -> np.ndarray:
    """Width ÷ height of what was letterboxed, to the pixel: float64 (N,).

    Args:
        pixels: uint8 (N, side, side, 3), letterboxed. A picture whose own border is that very grey looks smaller.
    """
    side = pixels.shape[1]
    drawn = pixels.reshape(-1, side, side * 3) != PADDING  # in rows of samples: reducing them is fifteen times faster
    return np.array(
        [_extent(image.any(axis=0).reshape(side, 3).any(axis=1)) / _extent(image.any(axis=1)) for image in drawn]
    )


def _extent(used: np.ndarray) -> int:
    """How far the used rows or columns reach; all of them where none is used (a grey picture)."""
    places = np.flatnonzero(used)
    return int(places[-1] - places[0] + 1) if places.size else len(used)
