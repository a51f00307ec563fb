"""What else hangs about on film sites: scanned papers, goods on white, banners, memes, a spinning reel."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from posterbot.sample import photos, scenery
from posterbot.sample.lettering import paragraph, write
from posterbot.sample.paint import Colour, darken, fractal, gradient, grain, lighten, relief, soft, spot, tint
from posterbot.sample.screens import WORDS
from posterbot.sample.shapes import box, curve, disc, limb, points, stencil

PAGE = 480, 660


def _prose(seed: int, count: int, width: int) -> list[str]:
    random = np.random.default_rng(seed)
    lines = []
    for _ in range(count):
        line = ""
        while len(line) < width * (0.5 if random.random() < 0.12 else 1):
            line += WORDS[int(random.integers(12))] + " of the "[: int(random.integers(1, 9))]
        lines.append(line)
    return lines


def document(name: str) -> Image.Image:
    """A scanned sheet: ``letter``, ``programme-sheet`` or ``receipt``."""
    paper: Colour = (240, 236, 224)
    image = tint(Image.new("RGB", PAGE, paper), fractal(PAGE, 180, len(name), 5), (214, 206, 184), 0.5)
    ink: Colour = (52, 50, 56)
    if name == "letter":
        image = paragraph(image, ["THE LANTERN", "14 Vale Street"], (52, 50), 9, ink)
        image = paragraph(image, ["Dear Mr Stone,"], (52, 120), 9, ink)
        image = paragraph(image, _prose(1, 24, 58), (52, 148), 8.5, ink, 1.9)
        image = paragraph(image, ["Yours faithfully,", "", "R. Acker"], (52, 560), 9, ink)
    elif name == "programme-sheet":
        image = paragraph(image, ["Minutes of the ninth meeting"], (52, 46), 13, ink)
        image = paragraph(image, _prose(2, 34, 28), (44, 90), 7.5, ink, 1.95)
        image = paragraph(image, _prose(3, 34, 28), (254, 90), 7.5, ink, 1.95)
    else:
        image = paragraph(
            image,
            ["Receipt No. 1947", "", *(f"{i + 1:>2}   {WORDS[i % 12]:<16}" for i in range(16))],
            (60, 54),
            10,
            ink,
            2.0,
        )
        image = paragraph(
            image, ["", "", *(f"{(i * 37) % 90 + 4}.50" for i in range(16)), "", "412.00"], (370, 54), 10, ink, 2.0
        )
    return grain(image.rotate(0.7, Image.Resampling.BICUBIC, fillcolor=paper), 3, 5)


def product(name: str) -> Image.Image:
    """Goods on white with a soft shadow: ``mug``, ``film-can`` or ``tote-bag``."""
    size = 480, 480
    image = darken(Image.new("RGB", size, (255, 255, 255)), spot(size, (250, 395), 190, 0.2), 0.4)
    if name == "mug":
        handle = np.clip(stencil(size, [disc(350, 260, 62, 72)]) - stencil(size, [disc(350, 260, 38, 48)]), 0, 1)
        image = relief(image, handle, (206, 62, 36), (-0.7, -0.4), 14, 0.35)
        image = relief(
            image,
            stencil(size, [curve(points("130,130 340,130 340,260 330,370 236,392 140,370 130,260"), 4)]),
            (206, 62, 36),
            (-0.7, -0.3),
            60,
            0.35,
        )
        image = tint(image, stencil(size, [disc(236, 134, 104, 24)]), (90, 20, 12))
        return tint(image, stencil(size, [box(212, 230, 258, 300), points("204,230 235,200 266,230")]), (250, 240, 226))
    if name == "film-can":
        image = relief(image, stencil(size, [disc(240, 275, 170, 120)]), (150, 154, 160), (-0.6, -0.6), 20, 0.3)
        image = relief(
            image,
            stencil(size, [disc(240, 250, 168, 112)]),
            (206, 210, 214),
            (-0.6, -0.6),
            16,
            0.4,
            fractal(size, 6, 3, 2, 9) * 0.4,
        )
        image = relief(image, stencil(size, [disc(240, 250, 60, 40)]), (190, 194, 198), (0.6, 0.6), 8, 0.4)
        return paragraph(
            tint(image, stencil(size, [box(150, 300, 250, 330)]), (246, 240, 220)),
            ["REEL 3 / 7"],
            (164, 308),
            9,
            (60, 60, 60),
        )
    straps = [limb((170, 170), (190, 60), 8, 8), limb((190, 60), (290, 60), 8, 8), limb((290, 60), (310, 170), 8, 8)]
    image = relief(image, stencil(size, straps), (196, 180, 150), (-0.6, -0.5), 8, 0.4)
    bag = stencil(size, [curve(points("120,160 240,166 360,160 376,390 240,402 104,390"), 4)])
    image = relief(image, bag, (228, 214, 186), (-0.6, -0.5), 30, 0.45, fractal(size, 90, 4, 6, 0.6) * 1.4)
    return tint(image, stencil(size, [box(206, 250, 274, 340), points("194,250 240,208 286,250")]), (190, 60, 30), 0.9)


def banner(name: str) -> Image.Image:
    """An advertisement: ``season`` and ``members`` 728×90, ``restoration`` and ``shop`` 970×250."""
    size = (728, 90) if name in {"season", "members"} else (970, 250)
    height = size[1]
    if name == "season":
        image = scenery.bokeh(
            gradient(size, [(0, (40, 12, 50)), (1, (90, 20, 50))]), 16, [(255, 180, 90), (255, 90, 140)], 3, size=26
        )
        words, call = "Autumn season – 40 films, 10 nights", "Book now"
    elif name == "members":
        image = gradient(size, [(0, (250, 246, 236)), (1, (236, 226, 206))])
        words, call = "Become a Friend of the Lantern", "Join"
    elif name == "restoration":
        image = photos.SCENES["evening-sea"]().resize((970, 647)).crop((0, 200, 970, 450))
        words, call = "Help us restore 1,200 reels", "Donate"
    else:
        image = lighten(
            gradient(size, [(0, (20, 70, 90)), (1, (10, 40, 60))]), spot(size, (760, 125), 300), (90, 170, 180), 0.6
        )
        words, call = "Books, mugs and bags", "Visit the shop"
    ink: Colour = (50, 40, 36) if name == "members" else (255, 250, 240)
    image = write(
        image, words, (30, height * 0.5), height * (0.26 if height < 100 else 0.17), ink, align="left", bold=1
    )
    button = stencil(size, [box(size[0] - height * 0.5 - 150, height * 0.28, size[0] - 24, height * 0.72)])
    image = tint(image, soft(button, 1), (226, 84, 40))
    return write(
        image,
        call,
        (size[0] - 24 - (126 + height * 0.5) / 2, height * 0.5),
        14 if height < 100 else 20,
        (255, 255, 255),
    )


def meme(name: str) -> Image.Image:
    """A picture with block captions above and below."""
    top, bottom = {
        "rewind": ("ONE DOES NOT SIMPLY", "REWIND THE PRINT"),
        "nitrate": ("SAYS NO SMOKING", "STORES NITRATE"),
    }[name]
    image = (
        (photos.SCENES["snow-ridge"]() if name == "rewind" else photos.SCENES["old-wall"]())
        .crop((150, 0, 750, 600))
        .resize((480, 480))
    )
    draw = ImageDraw.Draw(image)
    for text, y in ((top, 34), (bottom, 446)):
        font = ImageFont.load_default(40)
        draw.text((240, y), text, fill="white", font=font, anchor="mm", stroke_width=4, stroke_fill="black")
    return image


def spinning_reel() -> list[Image.Image]:
    """The frames of an animation: a film reel turning."""
    frames = []
    for step in range(8):
        angles = [step * np.pi / 20 + k * 2 * np.pi / 5 for k in range(5)]
        holes = [disc(60 + 30 * float(np.cos(a)), 60 + 30 * float(np.sin(a)), 12) for a in angles]
        image = tint(
            Image.new("RGB", (120, 120), (255, 255, 255)), stencil((120, 120), [disc(60, 60, 54)]), (60, 60, 66)
        )
        frames.append(tint(image, stencil((120, 120), [*holes, disc(60, 60, 7)]), (255, 255, 255)))
    return frames


DOCUMENTS = ("letter", "programme-sheet", "receipt")
PRODUCTS = ("mug", "film-can", "tote-bag")
BANNERS = ("season", "members", "restoration", "shop")
MEMES = ("rewind", "nitrate")
