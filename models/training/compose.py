"""What designers and users make of a picture: captions make a meme, a band makes a game box, a frame a book cover.

Thin labels come from one or two sources each, and a network then learns that source's house style instead of the
kind. Each composition draws the mark of its kind, with chance in everything that is not the mark, on a picture that
carries that label (or, for memes and screenshots, on any picture that could be part of one).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
LINES = (
    "the of a night love day when you last city house one road girl king war time star moon blood summer black home",
    "dead world river story man life never secret heart fire game super master action turbo quest battle cup games",
    "novel stories poems memoir edition classic press welcome sign in search menu profile orders trending settings",
)
WORDS = [word for line in LINES for word in line.split()]


def meme(image: Image.Image, rng: Random) -> Image.Image:
    """A caption in white capitals with a black edge on top, below or both; or black on white above the picture."""
    if rng.random() < 0.3:
        bar = int(image.height * rng.uniform(0.15, 0.35))
        framed = Image.new("RGB", (image.width, image.height + bar), (255, 255, 255))
        framed.paste(image, (0, bar))
        _lines(framed, (4, 2, image.width - 4, bar - 2), rng, (0, 0, 0), upper=False)
        return framed
    image = image.copy()
    band = int(image.height * rng.uniform(0.14, 0.26))
    places = rng.choice(((0,), (1,), (0, 1), (0, 1)))
    for place in places:
        top = image.height - band if place else 0
        _lines(image, (3, top, image.width - 3, top + band), rng, (255, 255, 255), edge=(0, 0, 0), upper=True)
    return image


def game_box(image: Image.Image, rng: Random) -> Image.Image:
    """The platform's band across the top or down the left side, and a small mark of age or maker in a corner."""
    ground, ink = _colours(rng)
    share = rng.uniform(0.08, 0.2)
    if rng.random() < 0.75:
        band = max(8, int(image.height * share))
        boxed = Image.new("RGB", (image.width, image.height + band), ground)
        boxed.paste(image, (0, band))
        _lines(boxed, (4, 1, int(image.width * rng.uniform(0.4, 1)), band - 1), rng, ink, upper=True)
    else:
        band = max(8, int(image.width * share))
        turned = Image.new("RGB", (image.height, band), ground)
        _lines(turned, (2, 1, image.height - 2, band - 1), rng, ink, upper=True)
        boxed = Image.new("RGB", (image.width + band, image.height))
        boxed.paste(turned.rotate(90, expand=True), (0, 0))
        boxed.paste(image, (band, 0))
    if rng.random() < 0.6:
        side = max(6, int(boxed.width * rng.uniform(0.08, 0.14)))
        left = rng.choice((4, boxed.width - side - 4))
        top = boxed.height - int(side * 1.4) - 4
        draw = ImageDraw.Draw(boxed)
        draw.rectangle((left, top, left + side, boxed.height - 4), fill=_colours(rng)[0], outline=(255, 255, 255))
        _lines(boxed, (left + 1, top + 1, left + side - 1, boxed.height - 5), rng, (255, 255, 255), upper=True, most=1)
    return boxed


def book_cover(image: Image.Image, rng: Random) -> Image.Image:
    """A plain ground with author and title, and the picture set into it or below a block of lettering."""
    width, height = 200, int(200 * rng.uniform(1.4, 1.65))
    ground, ink = _colours(rng)
    if rng.random() < 0.5:
        ground, ink = (rng.randint(225, 255),) * 3, rng.choice(((0, 0, 0), (150, 20, 30), (20, 40, 90)))
    cover = Image.new("RGB", (width, height), ground)
    split = rng.uniform(0.3, 0.5)
    margin = rng.choice((0, 0, rng.randint(8, 40)))
    upper = rng.random() < 0.5
    room = (margin, int(height * split), width - margin, height - margin)
    lettering = (10, 8, width - 10, int(height * split) - 6)
    if upper:
        room, lettering = (
            (margin, margin, width - margin, int(height * (1 - split))),
            (10, int(height * (1 - split)) + 6, width - 10, height - 8),
        )
    cover.paste(_cover(image, room[2] - room[0], room[3] - room[1], rng), room[:2])
    _lines(cover, lettering, rng, ink, upper=rng.random() < 0.4)
    return cover


def screenshot(image: Image.Image, rng: Random) -> Image.Image:
    """A telephone's screen: bars, cards with cut-outs of the picture, lines of text, a button."""
    width, height = 180, int(180 * rng.uniform(1.6, 2.15))
    dark = rng.random() < 0.4
    ground = (rng.randint(0, 40),) * 3 if dark else (rng.randint(235, 255),) * 3
    ink = (230, 230, 230) if dark else (40, 40, 40)
    accent = _colours(rng)[0]
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
                screen.paste(_cover(image, wide, tall, rng), (left, top))
        elif kind < 0.85:
            _lines(screen, (10, top, width - 10, top + tall), rng, ink, upper=False)
        else:
            draw.rounded_rectangle((14, top, width - 14, top + 22), 6, fill=accent)
            _lines(screen, (50, top + 3, width - 50, top + 19), rng, (255, 255, 255), upper=True, most=1)
            tall = 22
        top += tall + rng.randint(4, 16)
    if rng.random() < 0.7:
        draw.rectangle((0, height - 20, width, height), fill=(0, 0, 0) if rng.random() < 0.5 else accent)
    return screen


COMPOSITIONS: dict[str, tuple[float, frozenset[str], Callable[[Image.Image, Random], Image.Image]]] = {
    "meme": (0.45, frozenset({"photo", "portrait", "film_still", "product", "video_thumbnail", "meme"}), meme),
    "game_box": (0.45, frozenset({"game_box"}), game_box),
    "book_cover": (0.30, frozenset({"book_cover", "art", "photo", "portrait"}), book_cover),
    "screenshot": (0.35, frozenset({"photo", "portrait", "product", "icon", "logo", "art", "screenshot"}), screenshot),
}
"""Label → (how often a sample of it is composed, labels whose pictures it may be made of, how)."""


def _cover(image: Image.Image, width: int, height: int, rng: Random) -> Image.Image:
    """A part of ``image`` that fills ``width`` × ``height``."""
    scale = max(width / image.width, height / image.height) * rng.uniform(1, 1.4)
    large = image.resize((max(width, round(image.width * scale)), max(height, round(image.height * scale))))
    left, top = rng.randint(0, large.width - width), rng.randint(0, large.height - height)
    return large.crop((left, top, left + width, top + height))


def _colours(rng: Random) -> tuple[Colour, Colour]:
    """A ground and an ink that can be read on it."""
    ground = (rng.randrange(256), rng.randrange(256), rng.randrange(256))
    light = 0.3 * ground[0] + 0.6 * ground[1] + 0.1 * ground[2] > 120
    return ground, (rng.randrange(40),) * 3 if light else (255 - rng.randrange(40),) * 3


def _lines(
    image: Image.Image,
    box: tuple[int, int, int, int],
    rng: Random,
    ink: tuple[int, ...],
    *,
    upper: bool,
    edge: Colour | None = None,
    most: int = 3,
) -> None:
    """Some words in up to ``most`` lines, as large as ``box`` allows."""
    count = rng.randint(1, most)
    size = max(6, int((box[3] - box[1]) / count * rng.uniform(0.6, 0.95)))
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(image)
    for line in range(count):
        words = " ".join(rng.choices(WORDS, k=rng.randint(1, 4)))
        text = words.upper() if upper else words.title()
        while len(text) > 2 and draw.textlength(text, font=font) > box[2] - box[0]:
            text = text[:-1]
        left = (box[0] + box[2]) / 2 if rng.random() < 0.6 else box[0]
        anchor = "mt" if left != box[0] else "lt"
        top = box[1] + line * (box[3] - box[1]) // count
        draw.text(
            (left, top), text, ink, font, anchor, stroke_width=max(1, size // 14) if edge else 0, stroke_fill=edge
        )
