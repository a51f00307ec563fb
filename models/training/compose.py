"""What designers and users make of a picture: captions make a meme, bars and cards a screenshot, type a cover.

Thin labels come from one or two sources each, and a network then learns that source's house style instead of the
kind. Each composition draws the mark of its kind, with chance in everything that is not the mark, on a picture that
carries that label or could be part of one. Of magazine and comic covers there is no photograph at all: they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from models.training.covers import book_cover, comic_cover, game_box, magazine
from models.training.lettering import colours, fill, lines


def meme(image: Image.Image, rng: Random) -> Image.Image:
    """A caption in white capitals with a black edge on top, below or both; or black on white above the picture."""
    if rng.random() < 0.3:
        bar = int(image.height * rng.uniform(0.15, 0.35))
        framed = Image.new("RGB", (image.width, image.height + bar), (255, 255, 255))
        framed.paste(image, (0, bar))
        lines(framed, (4, 2, image.width - 4, bar - 2), rng, (0, 0, 0), upper=False)
        return framed
    image = image.copy()
    band = int(image.height * rng.uniform(0.14, 0.26))
    places = rng.choice(((0,), (1,), (0, 1), (0, 1)))
    for place in places:
        top = image.height - band if place else 0
        lines(image, (3, top, image.width - 3, top + band), rng, (255, 255, 255), edge=(0, 0, 0), upper=True)
    return image


def screenshot(image: Image.Image, rng: Random) -> Image.Image:
    """A telephone's screen: bars, cards with cut-outs of the picture, lines of text, a button."""
    width, height = 180, int(180 * rng.uniform(1.6, 2.15))
    dark = rng.random() < 0.4
    ground = (rng.randint(0, 40),) * 3 if dark else (rng.randint(235, 255),) * 3
    ink = (230, 230, 230) if dark else (40, 40, 40)
    accent = colours(rng)[0]
    screen = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, width, rng.randint(8, 40)), fill=accent if rng.random() < 0.6 else ground)
    top = rng.randint(20, 60)
    while top < height - 30:
        kind = rng.random()
        tall = rng.randint(18, 90)
        if kind < 0.5:
            columns = rng.randint(1, 3)
            wide = (width - 8 * (columns + 1)) // columns
            for column in range(columns):
                left = 8 + column * (wide + 8)
                screen.paste(fill(image, wide, tall, rng), (left, top))
        elif kind < 0.85:
            lines(screen, (10, top, width - 10, top + tall), rng, ink, upper=False)
        else:
            draw.rounded_rectangle((14, top, width - 14, top + 22), 6, fill=accent)
            lines(screen, (50, top + 3, width - 50, top + 19), rng, (255, 255, 255), upper=True, most=1)
            tall = 22
        top += tall + rng.randint(4, 16)
    if rng.random() < 0.7:
        draw.rectangle((0, height - 20, width, height), fill=(0, 0, 0) if rng.random() < 0.5 else accent)
    return screen


SCENES = frozenset({"photo", "portrait", "film_still", "art", "game_screenshot", "video_thumbnail"})

COMPOSITIONS: dict[str, tuple[float, frozenset[str], Callable[[Image.Image, Random], Image.Image]]] = {
    "book_cover": (0.40, SCENES, book_cover),
    "comic_cover": (1.0, SCENES | {"game_box", "poster"}, comic_cover),
    "game_box": (0.55, SCENES | {"game_box", "poster"}, game_box),
    "magazine": (1.0, SCENES | {"product"}, magazine),
    "meme": (0.45, SCENES | {"product", "meme"}, meme),
    "screenshot": (0.35, SCENES | {"product", "icon", "logo", "screenshot"}, screenshot),
}
"""Label → (how often a sample of it is composed, labels whose pictures it may be made of, how)."""

DRAWN = tuple(sorted(label for label, (often, _, _) in COMPOSITIONS.items() if often == 1))
"""Labels of which there is no photograph."""
