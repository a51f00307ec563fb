"""When two images are copies of one picture, and when they are variants of it: the thresholds, and nothing else.

Measured with ``benchmarks/duplicates.py --quality`` on embeddings of the model ``web-images``; docs/duplicates.md has
the figures. A copy is the same picture re-encoded, resized, slightly cropped or framed, with a small watermark. A
variant has other lettering, other colours, a ribbon, a larger part cut off.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

SMALL = 112
"""Longer side in pixels: below, a picture is so blurred to the network that it is like no sharp one."""


CROWD = 3
"""Different pictures, about, that are like one: more, and they are of one make."""
CERTAIN = 6
"""Bits in which the hashes of the same picture, unchanged but for size and compression, may differ."""


class Kind(IntEnum):
    """How alike two images are; a larger one is more alike."""

    OTHER = 0
    VARIANT = 1
    COPY = 2


def kinds(distance: np.ndarray, similarity: np.ndarray, small: np.ndarray) -> np.ndarray:
    """What pairs of images are.

    The further apart the hashes, the more alike must the embeddings be; where there are none, only hashes that are
    hardly apart count.

    Args:
        distance: bits in which the perceptual hashes differ, integers of any shape.
        similarity: cosine of the embeddings; NaN: one has none, or they are of two models.
        small: is one of the two below SMALL?

    Returns:
        int8 of the same shape, values of :class:`Kind`.
    """
    bits = distance.astype(np.float32)
    copy = similarity >= 0.80 + 0.0125 * np.maximum(bits - 10, 0)
    variant = similarity >= 0.72 + 0.0175 * np.maximum(bits - 8, 0)
    blurred = small & (distance <= 4) & (similarity >= 0.60)
    unknown = np.isnan(similarity)
    copy = np.where(unknown, distance <= 4, copy | blurred)
    variant = np.where(unknown, distance <= 8, variant | blurred)
    return np.where(copy, Kind.COPY, np.where(variant, Kind.VARIANT, Kind.OTHER)).astype(np.int8)


def crowded(distance: np.ndarray, similarity: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Which of those that one image is like are so for certain, where it is like many that are not like each other.

    Cards, badges and charts of one make are as alike as a poster and the same with a frame. They are told apart by
    their number: an image that is like CROWD different ones is taken for a copy only of what it is most like.

    Args:
        distance, similarity: of the image and those it is like, as for :func:`kinds`; nearest first.
        hashes: their perceptual hashes, uint64.

    Returns:
        bool of the same shape; all True where there is no crowd.
    """
    certain = (distance <= CERTAIN) & ~(similarity < 0.94)
    apart: list[int] = []
    for place in np.flatnonzero(~certain):
        if all(np.bitwise_count(hashes[place] ^ hashes[other]) > CERTAIN for other in apart):
            apart.append(int(place))
    return certain | (len(apart) < CROWD)


def loosely(kind: Kind, distance: int, similarity: float, small: bool) -> bool:
    """May two images be in one cluster of that kind, if there is another that is like both?

    This keeps clusters from drifting: each image is at least so much like the first of its cluster.
    """
    if np.isnan(similarity):
        return distance <= (8 if kind is Kind.COPY else 12)
    if small and distance <= 12 and similarity >= 0.50:
        return True
    return similarity >= (0.75 if kind is Kind.COPY else 0.70) and distance <= (24 if kind is Kind.COPY else 28)
