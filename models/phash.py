"""The perceptual hash of a picture: near copies differ in few bits."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE, KEPT = 32, 8


def _cosines() -> np.ndarray:
    """The first rows of the DCT-II matrix: float64 (KEPT, SIDE)."""
    rows, columns = np.arange(KEPT)[:, np.newaxis], np.arange(SIDE)[np.newaxis, :]
    return 2 * np.cos(np.pi * rows * (2 * columns + 1) / (2 * SIDE))


_DCT = _cosines()


def phash(image: Image.Image) -> str:
    """64 bits as 16 hex digits: the lowest 8×8 frequencies of the 32×32 luma, above or below their median.

    C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010); bit for bit what the
    package imagehash computes (a test holds them together), without loading SciPy into every scoring process.
    """
    luma = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float64)
    low = (_DCT @ luma @ _DCT.T).ravel()
    return np.packbits(low > np.median(low)).tobytes().hex()
