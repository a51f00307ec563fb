"""What the web does to a picture between the one who made it and the page it is found on.

Every step is what pages really do: cropped edges, thin borders, thumbnails, re-compression, watermarks, faded scans.
Nothing is flipped: mirrored lettering does not occur, and lettering is what tells a poster from a still.
"""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw, ImageEnhance

FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)


def augment(image: Image.Image, rng: Random) -> Image.Image:
    """A variant of ``image`` (8-bit RGB, any size) as it could be met elsewhere; 8-bit RGB, another size."""
    for chance, step in (
        (0.60, _crop),
        (0.70, _shrink),
        (0.30, _stretch),
        (0.12, _border),
        (0.15, _patch),
        (0.05, _watermark),
        (0.60, _tone),
        (0.06, _grey),
        (0.50, _recompress),
    ):
        if rng.random() < chance:
            image = step(image, rng)
    return image


def mend_corner(image: Image.Image) -> Image.Image:
    """``image`` with its top-right corner covered by its top-left one, mirrored: takes a shop's ribbon away."""
    width, height = int(image.width * 0.42), int(image.height * 0.32)
    mended = image.copy()
    corner = image.crop((0, 0, width, height)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mended.paste(corner, (image.width - width, 0))
    return mended


def _crop(image: Image.Image, rng: Random) -> Image.Image:
    most = 0.20 if rng.random() < 0.2 else 0.08
    width, height = image.size
    left, top = (int(rng.uniform(0, most) * side) for side in (width, height))
    right, bottom = (side - int(rng.uniform(0, most) * side) for side in (width, height))
    return image.crop((left, top, right, bottom))


def _shrink(image: Image.Image, rng: Random) -> Image.Image:
    # Makes sharpness and original size useless as a cue for the label: sources differ in both.
    scale = min(1.0, rng.uniform(64, 200) / min(image.size))
    size = max(16, round(image.width * scale)), max(16, round(image.height * scale))
    return image.resize(size, rng.choice(FILTERS))


def _stretch(image: Image.Image, rng: Random) -> Image.Image:
    return image.resize((max(16, round(image.width * rng.uniform(0.93, 1.07))), image.height), rng.choice(FILTERS))


def _border(image: Image.Image, rng: Random) -> Image.Image:
    grey = rng.choice((0, 255, rng.randrange(256)))
    colour = (grey, grey, grey) if rng.random() < 0.7 else tuple(rng.randrange(256) for _ in range(3))
    thick = max(1, int(rng.uniform(0.01, 0.10) * min(image.size)))
    framed = Image.new("RGB", (image.width + 2 * thick, image.height + 2 * thick), colour)
    framed.paste(image, (thick, thick))
    return framed


def _patch(image: Image.Image, rng: Random) -> Image.Image:
    # A badge, a ribbon, a sticker: often in a corner. Random erasing (Zhong et al., 2017), with the web's habits.
    image = image.copy()
    width, height = (max(2, int(rng.uniform(0.1, 0.35) * side)) for side in image.size)
    corner = rng.random() < 0.6
    left = rng.choice((0, image.width - width)) if corner else rng.randint(0, image.width - width)
    top = rng.choice((0, image.height - height)) if corner else rng.randint(0, image.height - height)
    colour = tuple(rng.randrange(256) for _ in range(3))
    ImageDraw.Draw(image).rectangle((left, top, left + width, top + height), fill=colour)
    return image


def _watermark(image: Image.Image, rng: Random) -> Image.Image:
    layer = Image.new("L", image.size, 0)
    text = rng.choice(("example.com", "PREVIEW", "© archive", "sample image", "watermark"))
    draw = ImageDraw.Draw(layer)
    step = max(24, image.height // rng.randint(1, 5))
    for top in range(rng.randrange(step), image.height, step):
        draw.text(
            (rng.randint(-10, image.width // 2), top), text, fill=rng.randint(60, 160), font_size=rng.randint(9, 28)
        )
    ink = Image.new("RGB", image.size, rng.choice(((255, 255, 255), (0, 0, 0))))
    return Image.composite(ink, image, layer)


def _tone(image: Image.Image, rng: Random) -> Image.Image:
    for enhancer, spread in ((ImageEnhance.Brightness, 0.25), (ImageEnhance.Contrast, 0.25), (ImageEnhance.Color, 0.4)):
        image = enhancer(image).enhance(rng.uniform(1 - spread, 1 + spread))
    return image


def _grey(image: Image.Image, _: Random) -> Image.Image:
    return image.convert("L").convert("RGB")


def _recompress(image: Image.Image, rng: Random) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=rng.randint(30, 95))
    return Image.open(buffer).convert("RGB")
