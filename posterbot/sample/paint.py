"""Painterly means on Pillow pictures: gradients, fractal noise, light, shadow, relief, grading, film grain.

A mask is an array of floats, (height, width), of 0–1; a picture is a Pillow RGB image. Every function returns a new
picture, and every random choice comes from a seed, so that the same call always paints the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.floating[Any]]
Colour = tuple[int, int, int]
Size = tuple[int, int]
Stops = Sequence[tuple[float, Colour]]


def gradient(size: Size, stops: Stops) -> Image.Image:
    """A vertical gradient through ``stops``: (position 0–1 from the top, colour)."""
    return recolour(np.repeat(np.linspace(0, 1, size[1], dtype=np.float32)[:, None], size[0], axis=1), stops)


def recolour(values: Mask, stops: Stops) -> Image.Image:
    """``values`` as a picture, each looked up on the colour scale ``stops``."""
    at = [position for position, _ in stops]
    channels = [np.interp(values, at, [colour[channel] for _, colour in stops]) for channel in range(3)]
    return _image(np.stack(channels, axis=-1))


def fractal(size: Size, cell: float, seed: int, octaves: int = 5, stretch: float = 1.0) -> Mask:
    """Fractal value noise of 0–1: ``octaves`` layers of random grids, the coarsest ``cell`` pixels apart.

    ``stretch`` above 1 draws it out horizontally (water, haze), below 1 vertically (bark, hair, curtains).
    """
    random = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(octaves):
        step = cell / 2**octave
        across, down = (max(2, round(side / s) + 2) for side, s in zip(size, (step * stretch, step), strict=True))
        grid = Image.fromarray(random.random((down, across), dtype=np.float32))
        total += np.asarray(grid.resize(size, Image.Resampling.BICUBIC)) / 2**octave
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low), np.float32)


def spot(size: Size, centre: tuple[float, float], radius: float, flat: float = 1.0) -> Mask:
    """1 at ``centre`` falling smoothly to 0 at ``radius``; ``flat`` below 1 squeezes it vertically."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    distance = np.hypot(x - centre[0], (y - centre[1]) / flat) / radius
    return _smoothstep(1 - distance)


def ramp(size: Size, start: float, end: float, sideways: bool = False) -> Mask:
    """0 before ``start``, 1 after ``end`` (pixels from the top, or from the left); smooth between."""
    line = np.arange(size[0] if sideways else size[1], dtype=np.float32)
    line = _smoothstep((line - start) / (end - start))
    return np.broadcast_to(line[None, :] if sideways else line[:, None], (size[1], size[0])).astype(np.float32)


def soft(mask: Mask, radius: float) -> Mask:
    """``mask`` blurred (three box blurs, close to a Gaussian), in floating point so that relief has no steps."""
    width = max(1, round(radius))
    for axis in (0, 1):
        for _ in range(3):
            padded = np.pad(mask, [(width + 1, width) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
            total = np.cumsum(padded, axis=axis, dtype=np.float64)
            ahead = np.take(total, range(2 * width + 1, total.shape[axis]), axis=axis)
            behind = np.take(total, range(total.shape[axis] - 2 * width - 1), axis=axis)
            mask = ((ahead - behind) / (2 * width + 1)).astype(np.float32)
    return mask


def tint(image: Image.Image, mask: Mask, colour: Colour | Image.Image, amount: float = 1.0) -> Image.Image:
    """``colour`` (or another picture) laid over ``image`` where ``mask`` is."""
    over = np.asarray(colour, np.float32)
    weight = np.clip(mask * amount, 0, 1)[:, :, None]
    return _image(np.asarray(image, np.float32) * (1 - weight) + over * weight)


def lighten(image: Image.Image, mask: Mask, colour: Colour, amount: float = 1.0) -> Image.Image:
    """Light of ``colour`` added (screen), as lamps, glow and haze do."""
    base = np.asarray(image, np.float32)
    light = np.clip(mask * amount, 0, 1)[:, :, None] * np.asarray(colour, np.float32)
    return _image(255 - (255 - base) * (255 - light) / 255)


def darken(image: Image.Image, mask: Mask, amount: float = 1.0) -> Image.Image:
    """Shadow where ``mask`` is."""
    return _image(np.asarray(image, np.float32) * (1 - np.clip(mask * amount, 0, 1))[:, :, None])


def relief(
    image: Image.Image,
    mask: Mask,
    colour: Colour | Image.Image,
    light: tuple[float, float] = (-0.7, -0.5),
    roundness: float = 24,
    ambient: float = 0.25,
    texture: Mask | None = None,
) -> Image.Image:
    """The flat shape ``mask`` painted as a rounded body of ``colour``, lit from the side ``light`` points to.

    The blurred mask serves as height: its slope turns the surface towards the light or away from it.
    ``texture`` (0–1) roughens the surface.
    """
    height = sum((soft(mask, roundness / scale) / scale for scale in (1, 2, 4)), np.zeros_like(mask)) * roundness
    if texture is not None:
        height = height + texture * roundness / 5
    down, right = np.gradient(height)
    depth = float(np.sqrt(max(0.05, 1 - light[0] ** 2 - light[1] ** 2)))
    facing = depth - right * light[0] - down * light[1]
    shade = ambient + (1 - ambient) * np.clip(facing / np.sqrt(1 + down**2 + right**2), 0, 1.15)
    lit = np.asarray(colour, np.float32) * shade[:, :, None]
    return tint(image, mask, _image(np.broadcast_to(lit, (*mask.shape, 3))))


def rim(
    image: Image.Image, mask: Mask, colour: Colour, shift: tuple[int, int] = (-5, -3), blur: float = 3
) -> Image.Image:
    """A bright edge on the side of ``mask`` that ``shift`` points to, as a lamp behind a figure gives."""
    moved = np.roll(mask, (-shift[1], -shift[0]), (0, 1))
    return lighten(image, soft(np.clip(mask - moved, 0, 1), blur) * mask, colour, 1.4)


def grade(image: Image.Image, stops: Stops, amount: float = 1.0) -> Image.Image:
    """``image`` printed on the colour scale ``stops`` by its brightness, mixed in by ``amount``."""
    values = np.asarray(image.convert("L"), np.float32) / 255
    return Image.blend(image, recolour(values, stops), amount)


def vignette(image: Image.Image, amount: float = 0.6) -> Image.Image:
    """Darker corners."""
    width, height = image.size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return darken(image, np.clip((x**2 + y**2) / 2, 0, 1).astype(np.float32) ** 1.3, amount)


def grain(image: Image.Image, amount: float, seed: int) -> Image.Image:
    """Film grain: one random value per pixel on all channels."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, amount, (image.height, image.width, 1)).astype(np.float32)
    return _image(np.asarray(image, np.float32) + noise)


def _smoothstep(values: Mask) -> Mask:
    clipped = np.clip(values, 0, 1)
    return (clipped * clipped * (3 - 2 * clipped)).astype(np.float32)


def _image(pixels: Mask) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
