"""Painted heads with shoulders: airbrushed skin, eyes, hair, cloth, one strong light.

No face is anyone's: a few numbers and colours make each of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from posterbot.sample.paint import Colour, Mask, darken, fractal, lighten, ramp, relief, soft, spot, tint
from posterbot.sample.shapes import Outline, curve, disc, limb, mirrored, place, points, stencil

SIZE = 480, 600


@dataclass(frozen=True, slots=True)
class Look:
    """What tells one face from another."""

    skin: Colour = (222, 176, 148)
    hair: Colour = (52, 36, 28)
    cloth: Colour = (40, 44, 58)
    lips: Colour = (168, 88, 82)
    iris: Colour = (70, 92, 104)
    style: str = "short"
    """``short``, ``long``, ``bob``, ``bald``, ``hat`` or ``helmet``."""
    beard: float = 0.0
    wide: float = 1.0
    side: int = -1
    """Where the light comes from: -1 left, 1 right."""
    contrast: float = 0.7
    """How dark the side away from the light is, 0–1."""
    background: Colour = (18, 18, 22)
    seed: int = 1


def face(look: Look) -> tuple[Image.Image, Mask]:
    """The head on its plain background, and the mask of what belongs to the figure."""
    light = (0.75 * look.side, -0.45)
    shoulders = _figure(points("0,330 60,335 75,372 130,400 215,428 258,480 285,640"))
    neck = [limb((240, 370), (240, 470), 66, 84)]
    head_outline = points("0,-178 42,-173 84,-148 110,-104 117,-52 113,4 106,62 92,106 66,144 36,162 0,166")
    head = stencil(SIZE, [_centred(head_outline, look.wide, 272)])
    ears = [disc(240 + s * 115 * look.wide, 288, 17, 33, s * 0.15) for s in (-1, 1)]
    strands = fractal(SIZE, 70, look.seed + 3, 5, 0.16)

    image = Image.new("RGB", SIZE, look.background)
    figure = stencil(SIZE, [*shoulders, *neck])
    if look.style in {"long", "bob"}:
        bottom = 560 if look.style == "long" else 420
        fall = _figure(points(f"0,78 95,92 150,170 158,300 166,{bottom - 60} 120,{bottom} 60,{bottom - 40}"))
        back = stencil(SIZE, fall)
        image = relief(image, back, look.hair, light, 40, 0.25, strands)
        figure = np.maximum(figure, back)
    image = relief(image, stencil(SIZE, neck), look.skin, light, 50, 0.18)
    image = darken(image, spot(SIZE, (240, 440), 150, 0.62) * stencil(SIZE, neck), 0.75)
    image = relief(image, stencil(SIZE, shoulders), look.cloth, light, 46, 0.3, fractal(SIZE, 90, look.seed, 5))
    collar = stencil(SIZE, [points("176,402 240,520 222,560 150,418"), points("304,402 240,520 258,560 330,418")])
    red, green, blue = (min(255, channel + 26) for channel in look.cloth)
    image = relief(image, collar, (red, green, blue), light, 10, 0.3)
    if look.style != "long":
        image = relief(image, stencil(SIZE, ears), look.skin, light, 14, 0.2)
    image = relief(image, head, look.skin, light, 62, 0.45, fractal(SIZE, 9, look.seed + 1, 3) * 0.03)
    image = _features(image, look, head)
    image = _beard(image, look, head)
    shade = ramp(SIZE, 215, 335, sideways=True) if look.side < 0 else 1 - ramp(SIZE, 145, 265, sideways=True)
    image = darken(image, shade * np.maximum(head, stencil(SIZE, [*neck, *ears])), look.contrast)
    top = _hair(look)
    if top is not None:
        rough = np.clip(soft(top, 4) + (strands - 0.5) * 0.9 * (soft(top, 9) < 0.95), 0, 1)
        hard = top if look.style in {"hat", "helmet"} else np.clip((rough - 0.45) * 5, 0, 1).astype(np.float32)
        colour = look.cloth if look.style in {"hat", "helmet"} else look.hair
        image = darken(image, np.roll(soft(hard, 10), 14, 0) * head, 0.65)
        image = relief(
            image, hard, colour, light, 44, 0.22, strands * (0.4 if look.style in {"hat", "helmet"} else 1.6)
        )
        figure = np.maximum(figure, hard)
    figure = np.maximum.reduce([figure, head, stencil(SIZE, ears)])
    return image, soft(figure, 1)


def _features(image: Image.Image, look: Look, head: Mask) -> Image.Image:
    for side in (-1, 1):
        x, y = 240 + side * 48 * look.wide, 268.0
        image = darken(image, spot(SIZE, (x - side * 4, y - 6), 50, 0.62), 0.55)
        lid = curve(place([points("-27,3 -12,-9 4,-11 20,-5 28,3 12,9 -8,10")], x, y, 1, mirror=side < 0)[0], 5)
        white = stencil(SIZE, [lid])
        image = tint(image, white, (196, 188, 182), 0.85)
        image = tint(image, stencil(SIZE, [disc(x, y - 1, 11.5)]) * white, look.iris)
        image = tint(image, stencil(SIZE, [disc(x, y - 1, 5.5)]) * white, (8, 8, 10))
        image = lighten(image, stencil(SIZE, [disc(x + 4 * look.side, y - 5, 2.6)]), (255, 255, 255))
        line = place([points("-30,4 -13,-12 5,-14 22,-8 31,4 20,-4 4,-9 -12,-7")], x, y, 1, mirror=side < 0)
        image = darken(image, soft(stencil(SIZE, line), 1), 0.85)
        brow = place([points("-36,-22 -8,-36 22,-33 40,-22 20,-27 -8,-28 -34,-14")], x, y, 1, mirror=side < 0)
        image = tint(image, soft(stencil(SIZE, brow), 2), look.hair, 0.85)
        image = darken(image, soft(stencil(SIZE, [disc(x - side * 2, y + 20, 24, 5)]), 6), 0.3)
    dark = -look.side
    bridge = place([points("8,-2 13,36 22,64 18,77 6,75 4,36")], 240, 270, 1, mirror=dark < 0)
    image = darken(image, soft(stencil(SIZE, bridge), 7), 0.6)
    image = lighten(
        image,
        soft(stencil(SIZE, [limb((240 + look.side * 3, 285), (240 + look.side * 4, 334), 3, 7)]), 6),
        look.skin,
        0.4,
    )
    nostrils = stencil(SIZE, [disc(227, 345, 6, 3.5), disc(253, 345, 6, 3.5), disc(240, 350, 13, 3)])
    image = darken(image, soft(nostrils, 3), 0.75)
    upper = curve(points("202,383 224,374 240,378 256,374 278,383 260,387 240,388 220,387"), 6)
    lower = curve(points("204,385 220,388 240,389 260,388 276,385 261,400 240,405 219,400"), 6)
    image = tint(image, soft(stencil(SIZE, [lower]), 2), look.lips, 0.85)
    image = darken(tint(image, soft(stencil(SIZE, [upper]), 2), look.lips, 0.85), soft(stencil(SIZE, [upper]), 2), 0.35)
    image = darken(image, soft(stencil(SIZE, [limb((202, 385), (278, 385), 1.5, 1.5)]), 1), 0.7)
    image = lighten(image, soft(stencil(SIZE, [disc(236 + 6 * look.side, 395, 13, 3)]), 4), (255, 220, 210), 0.3)
    image = darken(image, soft(stencil(SIZE, [disc(240, 416, 30, 5)]), 7) * head, 0.45)
    for side in (-1, 1):
        hollow = limb((240 + side * 98, 330), (240 + side * 62, 388), 14, 6)
        image = darken(image, soft(stencil(SIZE, [hollow]), 14) * head, 0.4)
    return lighten(image, spot(SIZE, (240 + look.side * 66, 322), 44, 0.7) * head, look.skin, 0.3)


def _beard(image: Image.Image, look: Look, head: Mask) -> Image.Image:
    if not look.beard:
        return image
    outline = points("128,300 150,362 190,376 240,372 290,376 330,362 352,300 346,380 300,444 240,456 180,444 134,380")
    area = soft(stencil(SIZE, [curve(outline, 5)]), 9) * np.clip(soft(head, 5) * 1.4, 0, 1)
    mouth = soft(stencil(SIZE, [disc(240, 389, 42, 14)]), 5)
    stubble = fractal(SIZE, 14, look.seed + 7, 3, 0.4)
    return tint(image, area * (1 - mouth) * np.clip(0.35 + stubble, 0, 1), look.hair, look.beard)


def _hair(look: Look) -> Mask | None:
    if look.style == "bald":
        return None
    if look.style == "hat":
        brim = curve(points("20,190 110,168 240,176 370,168 460,190 370,214 240,204 110,214"), 6)
        crown = curve(points("112,186 122,80 180,34 240,54 300,34 358,80 368,186 240,196"), 6)
        return stencil(SIZE, [brim, crown])
    if look.style == "helmet":
        return stencil(SIZE, [curve(points("92,228 104,120 180,52 300,52 376,120 388,228 300,198 180,198"), 6)])
    if look.style == "short":
        cap = (
            "118,262 112,190 134,110 190,72 262,66 330,92 366,170 362,262 346,206 318,158 "
            "262,150 196,168 146,186 134,214"
        )
    else:
        cap = (
            "112,330 104,200 130,112 200,72 280,72 350,112 376,200 368,330 352,260 340,208 "
            "300,172 232,146 186,160 150,196 130,250"
        )
    return stencil(SIZE, [curve(points(cap), 5)])


def _figure(half: Outline) -> list[Outline]:
    return [curve([(240 + x, y) for x, y in mirrored(half)], 5)]


def _centred(half: Outline, wide: float, y: float) -> Outline:
    return curve([(240 + x * wide, y + dy) for x, dy in mirrored(half)], 5)


def mount(
    image: Image.Image, portrait: tuple[Image.Image, Mask], x: float, y: float, scale: float, fade: float = 0.2
) -> Image.Image:
    """A face laid on a larger picture, its centre at (``x``, ``y``), melting away over the lowest ``fade``."""
    head, mask = portrait
    size = round(SIZE[0] * scale), round(SIZE[1] * scale)
    if fade:
        sides = ramp(SIZE, 4, 110, sideways=True) * (1 - ramp(SIZE, SIZE[0] - 110, SIZE[0] - 4, sideways=True))
        mask = mask * (1 - ramp(SIZE, SIZE[1] * (1 - fade), SIZE[1] - 4)) * sides
    at = round(x - size[0] / 2), round(y - size[1] / 2)
    cover = Image.fromarray((mask * 255).astype(np.uint8)).resize(size, Image.Resampling.LANCZOS)
    image = image.copy()
    image.paste(head.resize(size, Image.Resampling.LANCZOS), at, cover)
    return image
