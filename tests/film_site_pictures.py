"""The pictures of :mod:`film_site`: variants of what the sample site has, or of a folder of real ones."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from posterbot.sample.server import SITE

SHIPPED = {
    "poster": ("posters/*.jpg",),
    "still": ("stills/*.jpg", "screens/*.png"),
    "portrait": ("people/*.jpg",),
    "advertisement": ("ads/*.jpg",),
    "product": ("shop/*/*.jpg",),
    "logo": ("logos/*.png",),
    "icon": ("icons/*.png",),
}
"""Kind → files of the sample site."""
LABELS = {
    "poster": ("poster",),
    "still": ("film_still", "photo", "video_thumbnail"),
    "portrait": ("portrait",),
    "advertisement": ("banner",),
    "product": ("book_cover", "product", "album_cover"),
    "logo": ("logo",),
    "icon": ("icon",),
}
"""Kind → folders of real pictures, named by labels of web-images."""
GRAIN = 5.0
"""Standard deviation of grey levels."""
TINY = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
"""A transparent GIF of one pixel."""


class Pictures:
    """Draws. ``folder`` holds real pictures in folders named by label; None: variants of those that ship."""

    def __init__(self, folder: Path | None = None) -> None:
        self._files: dict[str, list[Path]] = {}
        patterns: Mapping[str, tuple[str, ...]] = SHIPPED if folder is None else LABELS
        for kind, names in patterns.items():
            root = SITE if folder is None else folder
            found = [file for name in names for file in sorted(root.glob(name if folder is None else f"{name}/*.*"))]
            self._files[kind] = found
        self.real = folder is not None

    def draw(self, kind: str, number: int, size: tuple[int, int], form: str = "jpg") -> bytes:
        """Picture ``number`` of its kind in ``size``: the same one in every size, and the same bytes each time."""
        if kind == "pixel":
            return TINY
        files = self._files[kind]
        chance = random.Random(f"{kind} {number}")
        file = files[number % len(files)] if self.real and kind == "poster" else chance.choice(files)
        image = _read(file)
        image = image.convert("RGBA" if form == "png" else "RGB")
        if kind not in {"icon", "logo"} and not (self.real and kind == "poster"):
            image = _varied(image, chance, size, kind)
        image = image.resize(size, Image.Resampling.BILINEAR if max(size) > 200 else Image.Resampling.BOX)
        if kind in {"still", "portrait", "advertisement", "product"} and form == "jpg":
            image = _grained(image)
        buffer = io.BytesIO()
        if form == "gif":
            image.convert("P").save(buffer, "GIF")
        elif form == "png":
            image.save(buffer, "PNG", compress_level=1)
        else:
            image.save(buffer, "JPEG", quality=84)
        return buffer.getvalue()


@lru_cache(maxsize=256)
def _read(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGBA" if file.suffix == ".png" else "RGB")


def _varied(image: Image.Image, chance: random.Random, size: tuple[int, int], kind: str) -> Image.Image:
    """Another cut, perhaps mirrored, in other colours, in the proportions asked for."""
    share = chance.uniform(0.86, 1.0) if kind == "poster" else chance.uniform(0.55, 0.95)
    aspect = size[0] / size[1]
    width = min(image.width, image.height * aspect) * share
    left = chance.uniform(0, image.width - width)
    top = chance.uniform(0, image.height - width / aspect)
    box = (left, top, left + width, top + width / aspect)
    scale = max(1.0, width / size[0])
    image = image.resize((round(width / scale), round(width / aspect / scale)), Image.Resampling.BILINEAR, box)
    if chance.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.asarray(image.convert("RGB"), np.float32)
    mix = np.eye(3) * chance.uniform(0.55, 1.0) + np.array([[chance.uniform(0, 0.35) for _ in range(3)] for _ in "rgb"])
    pixels = np.clip(pixels @ mix.astype(np.float32) * chance.uniform(0.75, 1.05), 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


@lru_cache(maxsize=1)
def _noise() -> np.ndarray:
    return np.random.default_rng(1).normal(0, GRAIN, (1100, 2200)).astype(np.int16)


def _grained(image: Image.Image) -> Image.Image:
    """With the grain that is lost in enlarging: as many bits for each pixel as photographs take."""
    pixels = np.asarray(image, np.int16) + _noise()[: image.height, : image.width, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
