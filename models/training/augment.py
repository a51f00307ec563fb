"""What the web does to a picture between the one who made it and the page it is found on.

Every step is what pages really do: cropped edges, thin borders, thumbnails, re-compression, watermarks, faded scans.
Nothing is flipped: mirrored lettering does not occur, and lettering is what tells a poster from a still.
"""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)


def augment(image: Image.Image, rng: Random) -> Image.Image:
    """A variant of ``image`` (8-bit RGB, any size) as it could be met elsewhere; 8-bit RGB, another size."""
    for chance, step in (
        (0.60, _crop),
        (0.70, _shrink),
        (0.10, _stretch),
        (0.08, _border),
        (0.15, _patch),
        (0.05, _watermark),
        (0.60, _tone),
        (0.08, _grey),
        (0.20, _hue),
        (0.10, _blur),
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


def reshape(image: Image.Image, poster: bool, rng: Random) -> Image.Image:
    """Now and then a part of ``image`` in another shape: of a poster any upright one, of all else a poster's.

    What is in a picture and which shape it has are judged apart (:mod:`models.head`), so the network should not
    take the one for the other.
    """
    if rng.random() > (0.15 if poster else 0.3):
        return image
    aspect = rng.uniform(0.55, 0.9) if poster else rng.uniform(0.62, 0.72)
    width, height = image.size
    wide, tall = (width, width / aspect) if width / height < aspect else (height * aspect, height)
    left, top = rng.uniform(0, width - wide), rng.uniform(0, height - tall)
    return image.crop((int(left), int(top), int(left + wide), int(top + tall)))


def _crop(image: Image.Image, rng: Random) -> Image.Image:
    width, height = image.size
    most = 0.12 if rng.random() < 0.8 else 0.30
    kept = 1 - rng.uniform(0, most)
    wide, tall = (side * kept * (1 - rng.uniform(0, 0.03)) for side in (width, height))
    left, top = rng.uniform(0, width - wide), rng.uniform(0, height - tall)
    return image.crop((int(left), int(top), int(left + wide), int(top + tall)))


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


def _hue(image: Image.Image, rng: Random) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turn = rng.randint(-40, 40)
    return Image.merge("HSV", (hue.point(lambda n: (n + turn) % 256), saturation, value)).convert("RGB")


def _blur(image: Image.Image, rng: Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))


def _recompress(image: Image.Image, rng: Random) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=rng.randint(30, 95))
    return Image.open(buffer).convert("RGB")
