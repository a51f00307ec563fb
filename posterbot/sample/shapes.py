"""Outlines as lists of points, and what stencils them into masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from posterbot.sample.paint import Mask, Size

Point = tuple[float, float]
Outline = list[Point]


def stencil(size: Size, outlines: Iterable[Sequence[Point]]) -> Mask:
    """The union of ``outlines`` as a mask with smooth edges (drawn at twice the size)."""
    sheet = Image.new("L", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(sheet)
    for outline in outlines:
        draw.polygon([(x * 2, y * 2) for x, y in outline], fill=255)
    return np.asarray(sheet.reduce(2), np.float32) / 255


def place(outlines: Iterable[Outline], x: float, y: float, scale: float, mirror: bool = False) -> list[Outline]:
    """``outlines`` enlarged by ``scale``, their origin moved to (``x``, ``y``)."""
    sign = -1 if mirror else 1
    return [[(x + sign * px * scale, y + py * scale) for px, py in outline] for outline in outlines]


def disc(x: float, y: float, rx: float, ry: float | None = None, tilt: float = 0.0) -> Outline:
    """An ellipse about (``x``, ``y``), turned by ``tilt`` radians."""
    ry = rx if ry is None else ry
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    cos, sin = np.cos(tilt), np.sin(tilt)
    return [
        (float(x + rx * np.cos(a) * cos - ry * np.sin(a) * sin), float(y + rx * np.cos(a) * sin + ry * np.sin(a) * cos))
        for a in angles
    ]


def box(left: float, top: float, right: float, bottom: float) -> Outline:
    """A rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def limb(start: Point, end: Point, start_radius: float, end_radius: float) -> Outline:
    """A tapered bar with round ends: an arm, a branch, a tail."""
    angle = float(np.arctan2(end[1] - start[1], end[0] - start[0]))
    near = np.linspace(angle + np.pi / 2, angle + 3 * np.pi / 2, 12)
    far = np.linspace(angle - np.pi / 2, angle + np.pi / 2, 12)
    outline = [(start[0] + start_radius * np.cos(a), start[1] + start_radius * np.sin(a)) for a in near]
    outline += [(end[0] + end_radius * np.cos(a), end[1] + end_radius * np.sin(a)) for a in far]
    return [(float(x), float(y)) for x, y in outline]


def curve(points: Sequence[Point], steps: int = 10) -> Outline:
    """A closed smooth outline through ``points`` (Catmull-Rom)."""
    count = len(points)
    outline: Outline = []
    for index in range(count):
        p0, p1, p2, p3 = (np.asarray(points[(index + k - 1) % count], float) for k in range(4))
        for t in np.linspace(0, 1, steps, endpoint=False):
            at = 0.5 * (
                2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
            )
            outline.append((float(at[0]), float(at[1])))
    return outline


def mirrored(half: Sequence[Point]) -> Outline:
    """A closed symmetric outline from its right half, given from top to bottom with x ≥ 0."""
    return [*half, *((-x, y) for x, y in reversed(half))]


def points(text: str) -> Outline:
    """An outline from ``x,y x,y …``, as SVG's polygon writes it."""
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]
