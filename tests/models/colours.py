"""A classifier that can be followed by hand: the share of red, green and blue in the middle of the image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from conftest import encode
from PIL import Image

from models.training.dataset import Sample


@dataclass
class Colours:
    """Scores (200, 40, 10) as poster 0.8, book_cover 0.16, photo 0.04. Importable, so scoring processes can have it."""

    name: str = "colours"
    hash: str = "c" * 64
    labels: tuple[str, ...] = ("poster", "book_cover", "photo")
    side: int = 32
    dimensions: int = 0
    fit: str = "letterbox"
    curve: Path | None = None

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return self.predict(pixels), None

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        middle = pixels[:, 16, 16].astype(np.float32)
        return middle / middle.sum(1, keepdims=True)


def draw(folder: Path, name: str, poster: int, book_cover: int = 0, size: tuple[int, int] = (40, 60)) -> Sample:
    """A sample ``folder/name`` that :class:`Colours` scores ``poster`` and ``book_cover`` percent."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = round(poster * 2.5), round(book_cover * 2.5), round((100 - poster - book_cover) * 2.5)
    path.write_bytes(encode(Image.new("RGB", size, colour), "PNG"))
    return Sample(path, path.parent.name, path.name.partition("__")[0])
