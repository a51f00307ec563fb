"""Words set in type, and pictures cut to fit: what compositions are made of.

The typefaces are those that come with matplotlib, so that every machine draws the same.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import matplotlib
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, ...]
Box = tuple[int, int, int, int]

LINES = (
    "the of a night love day when you last city house one road girl king war time star moon blood summer black home",
    "dead world river story man life never secret heart fire game super master action turbo quest battle cup games",
    "novel stories poems memoir edition classic press welcome sign in search menu profile orders trending settings",
)
WORDS = [word for line in LINES for word in line.split()]
SERIF = ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic")
SANS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-BoldOblique", "DejaVuSans-Oblique", "DejaVuSansMono-Bold")


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A typeface of matplotlib's at ``size`` pixels."""
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)


def colours(rng: Random) -> tuple[Colour, Colour]:
    """A ground and an ink that can be read on it."""
    ground = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
    light = 0.3 * ground[0] + 0.6 * ground[1] + 0.1 * ground[2] > 120
    return ground, (rng.randrange(40),) * 3 if light else (255 - rng.randrange(40),) * 3


def words(rng: Random, most: int, *, upper: bool = False) -> str:
    """One to ``most`` words."""
    text = " ".join(rng.choices(WORDS, k=rng.randint(1, most)))
    return text.upper() if upper else text.title()


def fill(image: Image.Image, width: int, height: int, rng: Random) -> Image.Image:
    """A part of ``image`` that fills ``width`` × ``height``."""
    width, height = max(1, width), max(1, height)
    scale = max(width / image.width, height / image.height) * rng.uniform(1, 1.4)
    large = image.resize((max(width, round(image.width * scale)), max(height, round(image.height * scale))))
    left, top = rng.randint(0, large.width - width), rng.randint(0, large.height - height)
    return large.crop((left, top, left + width, top + height))


def line(image: Image.Image, text: str, box: Box, face: str, ink: Colour, edge: Colour | None = None) -> None:
    """``text`` on one line, as large as ``box`` allows, squeezed or stretched by up to a half to fill its width."""
    width, height = box[2] - box[0], box[3] - box[1]
    if width < 8 or height < 5:
        return
    type_ = font(face, max(6, min(64, height)))
    stroke = max(1, height // 14) if edge else 0
    left, top, right, bottom = (int(n) for n in type_.getbbox(text, stroke_width=stroke))
    plate = Image.new("RGBA", (max(1, right - left), max(1, bottom - top)), (0, 0, 0, 0))
    ImageDraw.Draw(plate).text(
        (-left, -top), text, (*ink, 255), type_, stroke_width=stroke, stroke_fill=(*edge, 255) if edge else None
    )
    tall = min(height, round(plate.height * min(1.5, width / plate.width) * 1.3))
    wide = min(width, round(plate.width * tall / plate.height * 1.5))
    plate = plate.resize((max(1, wide), max(1, tall)), Image.Resampling.BILINEAR)
    image.paste(plate, (box[0] + (width - plate.width) // 2, box[1] + (height - plate.height) // 2), plate)


def lines(
    image: Image.Image,
    box: Box,
    rng: Random,
    ink: Colour,
    *,
    upper: bool,
    edge: Colour | None = None,
    most: int = 3,
    faces: tuple[str, ...] = SANS,
) -> None:
    """Some words in up to ``most`` lines, as large as ``box`` allows, in the middle or from the left."""
    count = rng.randint(1, most)
    height = (box[3] - box[1]) // count
    type_ = font(rng.choice(faces), max(6, int(height * rng.uniform(0.55, 0.85))))
    middle = rng.random() < 0.6
    draw = ImageDraw.Draw(image)
    for row in range(count):
        text = words(rng, 4, upper=upper)
        while len(text) > 2 and draw.textlength(text, font=type_) > box[2] - box[0]:
            text = text[:-1]
        draw.text(
            ((box[0] + box[2]) / 2 if middle else box[0], box[1] + row * height),
            text,
            ink,
            type_,
            "mt" if middle else "lt",
            stroke_width=max(1, int(type_.size) // 14) if edge else 0,
            stroke_fill=edge,
        )
