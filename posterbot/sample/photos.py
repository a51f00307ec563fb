"""Photograph-like scenes without a word on them, and portraits: what a film archive shows beside its posters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from posterbot.sample import scenery
from posterbot.sample.faces import Look, face
from posterbot.sample.paint import (
    Stops,
    darken,
    fractal,
    gradient,
    grain,
    lighten,
    ramp,
    relief,
    soft,
    spot,
    tint,
    vignette,
)
from posterbot.sample.shapes import box, curve, limb, points, stencil

SIZE = 900, 600


def lake() -> Image.Image:
    """Mountains mirrored in a still lake."""
    image = gradient(SIZE, [(0, (60, 110, 170)), (0.5, (210, 226, 236)), (1, (200, 210, 216))])
    image = scenery.clouds(image, (250, 250, 250), 3, cover=0.42, stretch=3)
    image = scenery.mountains(image, 300, 210, (120, 132, 150), 5, haze=(190, 206, 220), scale=0.8)
    image = scenery.mountains(image, 325, 110, (56, 84, 60), 15, haze=(120, 150, 140))
    mirror = image.crop((0, 0, 900, 320)).transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((900, 280))
    image.paste(mirror.filter(ImageFilter.BoxBlur(3)), (0, 320))
    return darken(image, ramp(SIZE, 318, 600) * (0.5 + fractal(SIZE, 60, 9, 4, 8) * 0.5), 0.5)


def dunes() -> Image.Image:
    """Sand dunes in low light."""
    image = gradient(SIZE, [(0, (90, 150, 210)), (0.5, (230, 226, 210)), (1, (220, 180, 120))])
    ripples = fractal(SIZE, 30, 4, 5, 6)
    for y, colour, seed in ((260, (224, 176, 116), 3), (340, (210, 150, 90), 4), (450, (190, 124, 66), 6)):
        image = relief(image, scenery.ridge(SIZE, y + 40, 120, seed, 0.22), colour, (0.8, -0.4), 70, 0.35, ripples)
    return image


def evening_sea() -> Image.Image:
    """Sun going down over waves."""
    image = gradient(SIZE, [(0, (60, 60, 110)), (0.35, (240, 140, 90)), (0.5, (255, 220, 150)), (1, (0, 0, 0))])
    image = scenery.clouds(image, (90, 60, 90), 8, cover=0.5, stretch=5)
    image = lighten(image, spot(SIZE, (560, 285), 190), (255, 240, 190))
    return scenery.water(
        image, 300, [(0, (24, 30, 50)), (0.6, (110, 80, 90)), (1, (255, 210, 160))], 8, (560, (255, 220, 150))
    )


def night_street() -> Image.Image:
    """City lights out of focus."""
    image = gradient(SIZE, [(0, (8, 10, 22)), (0.6, (30, 24, 40)), (1, (12, 10, 14))])
    lamps = [(255, 190, 90), (255, 90, 60), (120, 200, 255), (255, 240, 200), (90, 255, 160)]
    image = scenery.bokeh(image, 34, lamps, 5, 150, 400, 40)
    return lighten(image, fractal(SIZE, 60, 4, 5, 0.4) ** 2 * ramp(SIZE, 400, 600), (200, 130, 80), 0.5)


def fir_slope() -> Image.Image:
    """Rows of firs in morning mist."""
    image = gradient(SIZE, [(0, (190, 206, 206)), (1, (230, 226, 206))])
    rows = [(380, 170, (130, 156, 156)), (460, 230, (80, 112, 108)), (580, 320, (34, 60, 54))]
    return scenery.forest(image, rows, 9, (214, 222, 216))


def snow_ridge() -> Image.Image:
    """Sharp white peaks under a deep sky."""
    image = gradient(SIZE, [(0, (20, 60, 130)), (0.7, (150, 190, 224)), (1, (200, 220, 236))])
    image = scenery.mountains(image, 430, 330, (226, 232, 242), 31, scale=0.7)
    return scenery.mountains(image, 570, 180, (150, 160, 176), 44, haze=(230, 236, 244))


def storm_field() -> Image.Image:
    """A wheat field under a black cloud."""
    image = gradient(SIZE, [(0, (30, 36, 46)), (0.6, (150, 160, 160)), (1, (200, 170, 90))])
    image = scenery.clouds(image, (24, 28, 36), 6, cover=0.65, stretch=2)
    field = stencil(SIZE, [curve(points("-40,395 300,372 620,384 940,370 940,660 -40,660"))])
    wheat = fractal(SIZE, 24, 5, 5, 0.25)
    return relief(image, field, (216, 176, 80), (0.3, -0.8), 14, 0.3, wheat * 9)


def moonlit_bay() -> Image.Image:
    """The moon's path on black water."""
    image = scenery.stars(gradient(SIZE, [(0, (6, 10, 26)), (0.55, (40, 60, 96)), (1, (0, 0, 0))]), 260, 4)
    image = scenery.ball(
        image, 300, 130, 44, [(0, (190, 190, 180)), (1, (255, 252, 236))], 4, (-0.1, 0.2), halo=(150, 180, 230)
    )
    image = scenery.mountains(image, 330, 70, (16, 24, 40), 9)
    return scenery.water(
        image, 330, [(0, (4, 10, 22)), (0.7, (40, 60, 90)), (1, (150, 170, 200))], 3, (300, (220, 230, 255))
    )


def old_wall() -> Image.Image:
    """A plaster wall with an arched door."""
    plaster = fractal(SIZE, 200, 3, 7) * 6
    image = relief(
        Image.new("RGB", SIZE), np.ones((600, 900), np.float32), (216, 186, 146), (-0.6, -0.6), 20, 0.4, plaster
    )
    arch = stencil(SIZE, [curve(points("360,600 360,300 400,210 450,185 500,210 540,300 540,600"), 4)])
    image = darken(image, soft(arch, 10), 0.6)
    image = relief(image, arch, (52, 92, 100), (-0.6, -0.5), 12, 0.3, fractal(SIZE, 60, 4, 6, 0.1) * 6)
    planks = stencil(SIZE, [box(x, 190, x + 3, 600) for x in range(380, 540, 28)]) * arch
    image = darken(image, planks, 0.6)
    return darken(image, soft(stencil(SIZE, [points("0,0 330,0 0,420")]), 20), 0.45)


def river_bend() -> Image.Image:
    """A river from the air."""
    image = relief(
        Image.new("RGB", SIZE),
        np.ones((600, 900), np.float32),
        (96, 116, 66),
        (-0.6, -0.6),
        26,
        0.3,
        fractal(SIZE, 200, 8, 7) * 11,
    )
    bed = soft(
        stencil(
            SIZE,
            [
                curve(
                    points(
                        "-40,420 160,380 320,450 480,330 640,360 760,220 940,180 940,250 790,290 660,430 "
                        "490,400 340,520 150,450 -40,490"
                    ),
                    14,
                )
            ],
        ),
        2,
    )
    return lighten(
        tint(darken(image, soft(bed, 12), 0.4), bed, (96, 150, 156)),
        bed * fractal(SIZE, 50, 3, 5, 2) ** 3,
        (255, 255, 255),
        0.8,
    )


SCENES: dict[str, Callable[[], Image.Image]] = {
    draw.__name__.replace("_", "-"): draw
    for draw in (
        lake,
        dunes,
        evening_sea,
        night_street,
        fir_slope,
        snow_ridge,
        storm_field,
        moonlit_bay,
        old_wall,
        river_bend,
    )
}

SITTERS = {
    "ines-okafor": (
        Look(skin=(140, 92, 70), hair=(20, 16, 16), style="bob", cloth=(60, 90, 110), wide=0.95, contrast=0.45),
        (96, 110, 120),
    ),
    "harald-stone": (
        Look(
            skin=(226, 186, 160),
            hair=(150, 146, 140),
            style="short",
            beard=0.5,
            cloth=(50, 54, 60),
            side=1,
            contrast=0.4,
            seed=4,
        ),
        (130, 126, 116),
    ),
    "claire-aubin": (
        Look(
            skin=(244, 204, 180),
            hair=(130, 76, 40),
            style="long",
            cloth=(110, 40, 60),
            wide=0.93,
            contrast=0.35,
            lips=(190, 80, 84),
            seed=5,
        ),
        (150, 156, 150),
    ),
    "leo-marchetti": (
        Look(
            skin=(212, 164, 132),
            hair=(36, 26, 22),
            style="short",
            beard=0.8,
            cloth=(36, 60, 50),
            contrast=0.5,
            side=1,
            seed=8,
        ),
        (90, 84, 80),
    ),
}


def scene(name: str) -> Image.Image:
    """One of :data:`SCENES` at 3:2, softly vignetted and grained as a photograph is."""
    return grain(vignette(SCENES[name](), 0.25).resize((600, 400), Image.Resampling.LANCZOS), 3, len(name))


def portrait(name: str) -> Image.Image:
    """One of :data:`SITTERS` before a studio background, cut at the chest."""
    look, wall = SITTERS[name]
    head, mask = face(look)
    darker = (wall[0] // 3, wall[1] // 3, wall[2] // 3)
    stops: Stops = [(0, wall), (1, darker)]
    studio = lighten(gradient(head.size, stops), spot(head.size, (240, 250), 330), wall, 0.5)
    picture = tint(studio.filter(ImageFilter.GaussianBlur(6)), mask, head).crop((30, 20, 450, 545))
    picture = picture.point([round(255 * (value / 255) ** 0.78) for value in range(256)] * 3)  # studio light
    return grain(picture.resize((300, 375), Image.Resampling.LANCZOS), 3, look.seed)


def cloth_pattern() -> Image.Image:
    """A woven tile for the pages' background."""
    weave = stencil((64, 64), [limb((x, 0), (x + 20, 64), 0.4, 0.4) for x in range(-20, 64, 8)])
    return tint(Image.new("RGB", (64, 64), (247, 244, 238)), weave, (240, 235, 226))
