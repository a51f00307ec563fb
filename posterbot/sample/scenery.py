"""What stands behind and around the figures: skies, sea, ridges, cities, trees, weather, light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from posterbot.sample.paint import Colour, Mask, Size, Stops, fractal, lighten, ramp, recolour, relief, soft, spot, tint
from posterbot.sample.shapes import Outline, box, disc, limb, stencil


def clouds(
    image: Image.Image, colour: Colour, seed: int, *, cell: float = 260, cover: float = 0.5, stretch: float = 2.0
) -> Image.Image:
    """Clouds of ``colour`` over the picture; ``cover`` 0–1 is how much of it they take."""
    field = fractal(image.size, cell, seed, 6, stretch)
    low = 1 - cover
    return tint(image, np.clip((field - low) / (1 - low), 0, 1) ** 0.8, colour)


def stars(image: Image.Image, count: int, seed: int, colour: Colour = (255, 250, 240)) -> Image.Image:
    """``count`` stars, few of them bright."""
    random = np.random.default_rng(seed)
    field = np.zeros((image.height, image.width), np.float32)
    field[random.integers(0, image.height, count), random.integers(0, image.width, count)] = (
        random.random(count) ** 2 + 0.2
    )
    bright = field * (field > 1.0)
    return lighten(image, np.clip(field + soft(field, 1) * 6 + soft(bright, 4) * 90, 0, 1), colour)


def ball(
    image: Image.Image,
    x: float,
    y: float,
    radius: float,
    colours: Stops,
    seed: int,
    light: tuple[float, float] = (-0.7, -0.4),
    halo: Colour | None = None,
) -> Image.Image:
    """A planet or moon with a mottled surface, a dark side and, with ``halo``, an atmosphere."""
    if halo:
        image = lighten(
            image,
            spot(image.size, (x + light[0] * radius * 0.12, y + light[1] * radius * 0.12), radius * 1.5) ** 1.5,
            halo,
            0.9,
        )
    surface = recolour(fractal(image.size, radius * 0.9, seed, 7, 2.0), colours)
    body = stencil(image.size, [disc(x, y, radius)])
    rows, columns = np.mgrid[0 : image.height, 0 : image.width].astype(np.float32)
    right, down = (columns - x) / radius, (rows - y) / radius
    depth = np.sqrt(np.clip(1 - right**2 - down**2, 0, 1))
    facing = right * light[0] + down * light[1] + depth * 0.5
    shade = np.clip(facing * 1.15 + 0.08, 0.02, 1.1)[:, :, None]
    lit = Image.fromarray(np.clip(np.asarray(surface, np.float32) * shade, 0, 255).astype(np.uint8))
    return tint(image, body, lit)


def ridge(size: Size, base: float, rise: float, seed: int, roughness: float = 0.5, scale: float = 1.0) -> Mask:
    """Everything below a mountain line: ``base`` in pixels from the top, peaks up to ``rise`` pixels above it."""
    random = np.random.default_rng(seed)
    across = np.arange(size[0])
    line = np.zeros(size[0])
    for octave in range(8):
        knots = max(3, int(3 * scale * 2**octave))
        line += np.interp(across, np.linspace(0, size[0], knots), random.random(knots)) * roughness**octave
    line = base - (line - line.min()) / (line.max() - line.min()) * rise
    rows = np.arange(size[1], dtype=np.float32)[:, None]
    return np.asarray(np.clip(rows - line[None, :], 0, 1), np.float32)


def mountains(
    image: Image.Image,
    base: float,
    rise: float,
    colour: Colour,
    seed: int,
    *,
    light: tuple[float, float] = (-0.8, -0.4),
    roughness: float = 0.5,
    haze: Colour | None = None,
    scale: float = 1.0,
) -> Image.Image:
    """A lit rocky ridge; ``haze`` gathers at its foot."""
    mask = ridge(image.size, base, rise, seed, roughness, scale)
    rock = fractal(image.size, 150 / scale, seed + 1, 7, 0.7) * 9
    image = relief(image, mask, colour, light, 30, 0.3, rock)
    if haze:
        image = tint(image, mask * ramp(image.size, base - rise * 0.6, base + rise * 0.4), haze, 0.85)
    return image


def water(
    image: Image.Image, horizon: int, colours: Stops, seed: int, glitter: tuple[float, Colour] | None = None
) -> Image.Image:
    """Sea below ``horizon``, its waves growing towards us; ``glitter`` (x, colour) is the light's path on it."""
    height = image.height - horizon
    flat = fractal((image.width, 400), 40, seed, 5, 3.5)
    depth = np.linspace(0.02, 1, height) ** 0.5
    waves = flat[np.clip((depth * 399).astype(int), 0, 399)]
    sea = recolour(np.clip(waves * 0.8 + depth[:, None] * 0.2, 0, 1).astype(np.float32), colours)
    image = image.copy()
    image.paste(sea, (0, horizon))
    if glitter:
        x, colour = glitter
        columns = np.abs(np.arange(image.width) - x)[None, :] / (30 + 190 * depth[:, None])
        path = np.zeros((image.height, image.width), np.float32)
        path[horizon:] = np.clip(1 - columns, 0, 1) * np.clip((waves - 0.5) * 6, 0, 1)
        image = lighten(image, path, colour)
    return image


def skyline(
    image: Image.Image,
    ground: float,
    tallest: float,
    colour: Colour,
    windows: Sequence[Colour],
    seed: int,
    lit: float = 0.35,
) -> Image.Image:
    """A row of towers on ``ground`` with lit windows."""
    random = np.random.default_rng(seed)
    towers: list[Outline] = []
    panes: list[list[Outline]] = [[] for _ in windows]
    x = -20.0
    while x < image.width:
        width = float(random.integers(38, 95))
        top = ground - tallest * float(0.35 + 0.65 * random.random() ** 1.6)
        towers.append(box(x, top, x + width, ground))
        if random.random() < 0.4:
            towers += [
                box(x + width * 0.25, top - 26, x + width * 0.75, top),
                limb((x + width / 2, top - 20), (x + width / 2, top - 80), 2, 1),
            ]
        for py in np.arange(top + 10, ground - 8, 13):
            for px in np.arange(x + 6, x + width - 7, 10):
                if random.random() < lit:
                    panes[int(random.integers(len(windows)))].append(
                        box(float(px), float(py), float(px + 5), float(py + 7))
                    )
        x += width + float(random.integers(-6, 10))
    mask = stencil(image.size, towers)
    image = tint(image, mask, colour)
    for pane, light in zip(panes, windows, strict=True):
        glass = stencil(image.size, pane) * mask
        image = lighten(lighten(image, soft(glass, 5), light, 0.8), glass, light, 0.85)
    return image


def bare_tree(x: float, y: float, height: float, seed: int) -> list[Outline]:
    """A leafless tree standing at (``x``, ``y``)."""
    random = np.random.default_rng(seed)
    outlines: list[Outline] = []

    def grow(px: float, py: float, angle: float, length: float, thick: float) -> None:
        ex, ey = px + length * float(np.cos(angle)), py + length * float(np.sin(angle))
        outlines.append(limb((px, py), (ex, ey), thick, thick * 0.7))
        if thick > 0.7:
            for _ in range(2 if random.random() < 0.7 else 3):
                grow(
                    ex,
                    ey,
                    angle + float(random.normal(0, 0.5)),
                    length * float(0.65 + 0.25 * random.random()),
                    thick * 0.66,
                )

    grow(x, y, -np.pi / 2, height * 0.27, height * 0.035)
    return outlines


def pine(x: float, y: float, height: float, seed: int) -> list[Outline]:
    """A fir tree."""
    random = np.random.default_rng(seed)
    outlines = [box(x - height * 0.012, y - height, x + height * 0.012, y)]
    for tier in np.linspace(0.06, 0.95, 14):
        wide, top = height * 0.2 * tier * float(0.8 + 0.4 * random.random()), y - height * (1 - tier * 0.9)
        outlines.append(
            [(x, top - height * 0.1), (x + wide, top + height * 0.03), (x, top), (x - wide, top + height * 0.03)]
        )
    return outlines


def forest(image: Image.Image, layers: Sequence[tuple[float, float, Colour]], seed: int, mist: Colour) -> Image.Image:
    """Rows of firs from far to near: (ground, height, colour) each, with mist between."""
    random = np.random.default_rng(seed)
    for number, (ground, height, colour) in enumerate(layers):
        trees: list[Outline] = []
        for x in np.arange(-30, image.width + 30, height * 0.17):
            trees += pine(
                float(x + random.normal(0, height * 0.05)),
                ground,
                height * float(0.6 + 0.5 * random.random()),
                seed * 100 + number * 37 + int(x),
            )
        mask = np.maximum(stencil(image.size, trees), ramp(image.size, ground - 5, ground))
        image = tint(image, mask, colour)
        fog = fractal(image.size, 200, seed + number, 4, 3) * ramp(image.size, ground - height * 0.7, ground + 20)
        image = tint(image, fog, mist, 0.7 if number < len(layers) - 1 else 0.25)
    return image


def rain(image: Image.Image, amount: float, seed: int, colour: Colour = (190, 205, 230)) -> Image.Image:
    """Slanting streaks of rain."""
    random = np.random.default_rng(seed)
    drops = []
    for _ in range(420):
        x, y, near = random.uniform(0, image.width * 1.1), random.uniform(-40, image.height), random.uniform(0.5, 2)
        drops.append(limb((x, y), (x - near * 5, y + near * 30), 0.4 + near * 0.3, 0.3))
    return lighten(image, stencil(image.size, drops), colour, amount)


def flakes(image: Image.Image, count: int, seed: int, colour: Colour = (255, 255, 255), size: float = 4) -> Image.Image:
    """Snow, sparks or dust, some of it out of focus."""
    random = np.random.default_rng(seed)
    for blur, share in ((1, 0.7), (4, 0.3)):
        dots = [
            disc(
                float(random.uniform(0, image.width)),
                float(random.uniform(0, image.height)),
                float(random.uniform(0.4, 1) * size * (1 + blur / 4)),
            )
            for _ in range(int(count * share))
        ]
        image = lighten(image, soft(stencil(image.size, dots), blur), colour, 0.9 if blur == 1 else 0.5)
    return image


def rays(size: Size, x: float, y: float, count: int, seed: int) -> Mask:
    """Beams spreading from a point, with uneven strength."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    angle = np.arctan2(rows - y, columns - x)
    knots = np.linspace(-np.pi, np.pi, count)
    strength = random.random(count) ** 2
    strength[-1] = strength[0]
    beams = np.interp(angle, knots, strength).astype(np.float32)
    fading = np.clip(1.3 - np.hypot(columns - x, rows - y) / max(size), 0, 1)
    return np.asarray(beams * fading, np.float32)


def bokeh(
    image: Image.Image,
    count: int,
    colours: Sequence[Colour],
    seed: int,
    top: float = 0,
    bottom: float | None = None,
    size: float = 30,
) -> Image.Image:
    """Out-of-focus city lights between ``top`` and ``bottom``."""
    random = np.random.default_rng(seed)
    for number in range(count):
        x, y = random.uniform(0, image.width), random.uniform(top, bottom or image.height)
        radius = float(random.uniform(0.35, 1) * size)
        glass = soft(stencil(image.size, [disc(float(x), float(y), radius)]), 2)
        image = lighten(image, glass, colours[number % len(colours)], float(random.uniform(0.15, 0.65)))
    return image
