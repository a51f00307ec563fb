"""Book and album covers: the shop's goods, and the classifier's hardest neighbours."""

from __future__ import annotations

import numpy as np
from PIL import Image

from posterbot.sample import figures, scenery
from posterbot.sample.lettering import write
from posterbot.sample.paint import Colour, darken, fractal, gradient, grain, lighten, ramp, relief, spot, tint
from posterbot.sample.shapes import box, curve, disc, limb, place, points, stencil

BOOK = 480, 720
ALBUM = 600, 600

BOOKS = {
    "the-cartographers-daughter": ("THE CARTOGRAPHER'S|DAUGHTER", "Imogen Vale", (30, 60, 80), (240, 200, 110)),
    "a-short-history-of-film-stock": (
        "A SHORT HISTORY|OF FILM STOCK",
        "Prof. R. Acker",
        (236, 228, 210),
        (150, 40, 30),
    ),
    "salt-and-silver": ("SALT|& SILVER", "Nora Quill", (150, 40, 46), (250, 236, 214)),
    "the-projectionist": ("THE|PROJECTIONIST", "Elias Ward", (24, 26, 30), (240, 190, 60)),
    "garden-of-small-hours": ("GARDEN OF|SMALL HOURS", "Mirela Dant", (60, 100, 80), (250, 226, 220)),
    "learning-to-splice": ("LEARNING|TO SPLICE", "T. Holm & J. Renn", (246, 190, 60), (30, 40, 60)),
}
ALBUMS = ("tidal-rooms", "paper-moons", "low-winter-sun", "the-ninth-reel")


def book(name: str) -> Image.Image:
    """A cover with its title over an ornament and its author's name, a spine's shadow on the left."""
    title, author, ground, ink = BOOKS[name]
    image = tint(Image.new("RGB", BOOK, ground), fractal(BOOK, 12, 3, 4), ink, 0.08)
    image = _ornament(image, name, ink)
    for row, line in enumerate(title.split("|")):
        image = write(image, line, (240, 80 + row * 56), 38, ink, bold=2, width=min(410, len(line) * 34))
    image = write(
        image,
        "A NOVEL" if author.startswith(("I", "N", "E", "M")) else "SECOND EDITION",
        (240, 205),
        13,
        ink,
        spacing=30,
    )
    image = write(image, author, (240, 650), 36, ink, width=min(400, len(author) * 30))
    spine = ramp(BOOK, 0, 9, sideways=True) * (1 - ramp(BOOK, 12, 30, sideways=True))
    return grain(darken(image, spine, 0.35).resize((320, 480), Image.Resampling.LANCZOS), 2, 4)


def _ornament(image: Image.Image, name: str, ink: Colour) -> Image.Image:
    if name.startswith("the-cart"):
        for number in range(9):
            ring = curve(
                [
                    (
                        240 + (150 - number * 16) * (1 + 0.14 * np.sin(a * 3 + number)) * np.cos(a),
                        430 + (150 - number * 16) * np.sin(a),
                    )
                    for a in np.linspace(0, 6.28, 12, endpoint=False)
                ]
            )
            image = tint(image, stencil(BOOK, [ring]), ink if number % 2 == 0 else (30, 60, 80), 0.75)
    elif name.startswith("a-short"):
        strip = [box(120, 270, 360, 590)]
        frames = [box(160, 285 + k * 76, 320, 345 + k * 76) for k in range(4)]
        holes = [box(x, 282 + k * 25, x + 14, 294 + k * 25) for k in range(12) for x in (132, 334)]
        image = tint(tint(image, stencil(BOOK, strip), (40, 36, 34)), stencil(BOOK, frames + holes), (226, 206, 170))
    elif name.startswith("salt"):
        sea = [
            curve(
                [(x, 300 + k * 44 + (14 if n % 2 else -14)) for n, x in enumerate(range(-40, 560, 60))]
                + [(560, 800), (-40, 800)],
                6,
            )
            for k in range(5)
        ]
        for number, wave in enumerate(sea):
            image = tint(image, stencil(BOOK, [wave]), ink if number % 2 == 0 else (150, 40, 46))
        image = tint(image, stencil(BOOK, [box(0, 600, 480, 720)]), (150, 40, 46))
    elif name.startswith("the-proj"):
        cone = stencil(BOOK, [points("90,430 470,280 470,580")])
        image = lighten(image, cone * ramp(BOOK, 40, 200, sideways=True), ink, 0.8)
        image = tint(image, stencil(BOOK, [box(40, 400, 96, 460), disc(50, 380, 24), disc(92, 380, 20)]), ink)
    elif name.startswith("garden"):
        random = np.random.default_rng(5)
        for number in range(46):
            x, y, radius = random.uniform(40, 440), random.uniform(260, 600), random.uniform(10, 26)
            petals = [
                disc(x + radius * np.cos(a), y + radius * np.sin(a), radius * 0.62, radius * 0.34, a)
                for a in np.linspace(0, 6.28, 6)[:-1]
            ]
            image = tint(image, stencil(BOOK, petals), [(250, 226, 220), (230, 130, 120), (250, 200, 90)][number % 3])
    else:
        image = tint(
            image,
            stencil(
                BOOK,
                [
                    limb((120, 560), (330, 300), 16, 16),
                    limb((150, 300), (360, 560), 16, 16),
                    disc(120, 590, 44),
                    disc(360, 590, 44),
                ],
            ),
            ink,
        )
        image = tint(image, stencil(BOOK, [disc(120, 590, 26), disc(360, 590, 26)]), (246, 190, 60))
    return image


def album(name: str) -> Image.Image:
    """A square sleeve."""
    if name == "tidal-rooms":
        image = relief(
            gradient(ALBUM, [(0, (20, 40, 70)), (1, (10, 14, 30))]),
            stencil(ALBUM, [disc(300, 310, 190)]),
            (226, 120, 110),
            (-0.6, -0.6),
            90,
            0.2,
            fractal(ALBUM, 120, 4, 6) * 3,
        )
        image = write(image, "tidal rooms", (300, 560), 30, (240, 230, 220), spacing=40)
    elif name == "paper-moons":
        image = Image.new("RGB", ALBUM, (238, 224, 196))
        for number, x in enumerate((130, 245, 360, 475)):
            image = tint(image, stencil(ALBUM, [disc(x, 300, 50)]), (216, 84, 60))
            image = tint(image, stencil(ALBUM, [disc(x + 28 - number * 18, 300, 46)]), (238, 224, 196))
        image = write(image, "PAPER MOONS", (40, 50), 26, (50, 40, 40), align="left", bold=4)
        image = write(image, "the gus pike quartet", (40, 92), 22, (50, 40, 40), align="left")
    elif name == "low-winter-sun":
        image = scenery.clouds(
            gradient(ALBUM, [(0, (150, 170, 190)), (0.6, (250, 214, 170)), (1, (90, 90, 100))]),
            (240, 236, 226),
            6,
            cover=0.4,
        )
        image = lighten(image, spot(ALBUM, (420, 330), 180), (255, 236, 190))
        image = scenery.mountains(image, 460, 90, (60, 66, 80), 8, haze=(200, 190, 180))
        image = write(image, "LOW WINTER SUN", (570, 40), 15, (40, 44, 56), align="right", spacing=20)
    else:
        image = gradient(ALBUM, [(0, (16, 14, 16)), (1, (30, 24, 26))])
        for radius in range(260, 60, -8):
            image = tint(image, stencil(ALBUM, [disc(300, 300, radius)]), (40, 38, 40) if radius % 16 else (22, 20, 22))
        image = tint(image, stencil(ALBUM, [disc(300, 300, 84)]), (230, 180, 40))
        image = tint(image, stencil(ALBUM, place(figures.owl(), 300, 345, 90)), (30, 24, 26))
        image = write(image, "THE NINTH REEL", (300, 572), 20, (230, 180, 40), spacing=60, bold=2)
    return grain(image.resize((360, 360), Image.Resampling.LANCZOS), 2, len(name))
