"""Sharpness falls with blur and hardly with size; flat is flat."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from models.decode import Picture
from models.quality import SIDE, Quality, measure


def scene(seed: int = 0, size: tuple[int, int] = (320, 480)) -> Image.Image:
    """Something with edges at all scales."""
    rng = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(rng.integers(0, 256, (3 * n, 2 * n, 3), np.uint8)).resize(size, Image.Resampling.BOX)
        )
        for n in (2, 8, 32, 160)
    ]
    return Image.fromarray(np.mean(layers, axis=0).astype(np.uint8))


def test_the_formula() -> None:
    image = scene().resize((40, 60))
    luma = np.asarray(image.convert("L"), np.float64)
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    shares = np.unique(luma, return_counts=True)[1] / luma.size
    quality = measure(image)
    assert quality.sharpness == pytest.approx(laplacian.var(), rel=1e-4)
    assert quality.spread == pytest.approx(luma.std(), rel=1e-4)
    assert quality.entropy == pytest.approx(-(shares * np.log2(shares)).sum(), rel=1e-4)
    assert quality.detail == pytest.approx(laplacian.var() / (luma.var() + 1), rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_blur_lowers_it(seed: int) -> None:
    blurred = [measure(scene(seed).filter(ImageFilter.GaussianBlur(sigma))) for sigma in (0, 1, 2, 4, 8)]
    for one, more in pairwise(blurred):
        assert more.sharpness < one.sharpness
        assert more.detail < one.detail


def test_fog_takes_sharpness_but_not_detail() -> None:
    clear = scene()
    fog = Image.blend(clear, Image.new("RGB", clear.size, (200, 200, 200)), 0.6)
    assert measure(fog).sharpness < 0.3 * measure(clear).sharpness
    assert measure(fog).detail == pytest.approx(measure(clear).detail, rel=0.1)


@pytest.mark.parametrize("factor", [2, 4])
def test_size_hardly_matters(factor: int) -> None:
    small = scene().resize((106, SIDE), Image.Resampling.BOX)
    large = small.resize((106 * factor, SIDE * factor), Image.Resampling.NEAREST)
    assert measure(large).sharpness == pytest.approx(measure(small).sharpness, rel=0.01)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (1, 3), (3, 3), (1000, 3)])
def test_tiny_and_narrow_pictures(size: tuple[int, int]) -> None:
    assert measure(Image.new("RGB", size, (9, 9, 9))) == Quality(0.0, 0.0, 0.0)


def test_it_costs_next_to_nothing() -> None:
    image = scene(size=(96, 144))
    best = min(_seconds(image) for _ in range(30))
    assert best < 0.001  # 0.15 ms on a quiet machine


def _seconds(image: Image.Image) -> float:
    started = time.perf_counter()
    for _ in range(10):
        measure(image)
    return (time.perf_counter() - started) / 10


def test_real_pictures_are_livelier_than_drawn_ones(real_data: Path) -> None:
    posters = sorted((real_data / "images" / "poster").iterdir())[::60]
    entropies = [measure(Picture(path.read_bytes()).rgb(SIDE)).entropy for path in posters]
    assert min(entropies) > 1
    assert float(np.median(entropies)) > 6
