"""A small picture of an image, for people who look through many."""

from __future__ import annotations

import io

from models.decode import read_rgb

SIDE = 320
"""Longer side in pixels: sharp on a tile of about 200 pixels, and some 15 kB."""
QUALITY = 75


def thumbnail(data: bytes, side: int = SIDE) -> bytes:
    """A JPEG of at most ``side`` × ``side`` pixels, without any metadata.

    Raises:
        ImageError: ``data`` is no image that can be read.
    """
    out = io.BytesIO()
    image = read_rgb(data, side, spare=1)
    image.info.clear()  # of which a JPEG's comment would be written again
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
