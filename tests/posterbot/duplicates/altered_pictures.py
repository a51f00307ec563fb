"""What becomes of a picture on the web: copies of it, and variants, as files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from conftest import encode
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

Alteration = Callable[[Image.Image], bytes]
Colour = tuple[int, int, int]
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def compressed(quality: int) -> Alteration:
    return lambda picture: encode(picture, quality=quality)


def resized(scale: float, quality: int = 85) -> Alteration:
    def alter(picture: Image.Image) -> bytes:
        size = tuple(max(1, round(side * scale)) for side in picture.size)
        return encode(picture.resize(size, Image.Resampling.LANCZOS), quality=quality)

    return alter


def bordered(share: float, colour: Colour) -> Alteration:
    """A frame, ``share`` of the shorter side wide, on all four sides."""

    def alter(picture: Image.Image) -> bytes:
        wide = max(1, round(min(picture.size) * share))
        framed = Image.new("RGB", (picture.width + 2 * wide, picture.height + 2 * wide), colour)
        framed.paste(picture, (wide, wide))
        return encode(framed, quality=85)

    return alter


def cropped(left: float = 0.0, top: float = 0.0, right: float = 0.0, bottom: float = 0.0) -> Alteration:
    """Without so much of the width, or height, on each side."""

    def alter(picture: Image.Image) -> bytes:
        wide, high = picture.size
        box = round(wide * left), round(high * top), wide - round(wide * right), high - round(high * bottom)
        return encode(picture.crop(box), quality=85)

    return alter


def lettered(
    words: str, size: float, at: tuple[float, float], anchor: str, opacity: int, covered: float = 0.0
) -> Alteration:
    """White letters with dark edges, ``size`` of the width high.

    ``covered``: so much of the height around them is painted over first, in the mean colour of what was there.
    """

    def alter(picture: Image.Image) -> bytes:
        wide, high = picture.size
        picture = picture.convert("RGBA")
        layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        draw = ImageDraw.Draw(layer)
        if covered:
            box = (0, round(high * (at[1] - covered / 2)), wide, round(high * (at[1] + covered / 2)))
            mean = np.asarray(picture.crop(box)).reshape(-1, 4).mean(0)
            draw.rectangle(box, fill=tuple(int(value) for value in mean))
        draw.text(
            (wide * at[0], high * at[1]),
            words,
            font=ImageFont.load_default(max(6, round(size * wide))),
            fill=(255, 255, 255, opacity),
            stroke_width=max(1, round(wide * 0.004)),
            stroke_fill=(0, 0, 0, opacity),
            anchor=anchor,
        )
        return encode(Image.alpha_composite(picture, layer).convert("RGB"), quality=85)

    return alter


def ribbon(picture: Image.Image) -> bytes:
    picture, wide = picture.copy(), picture.width
    corners = [(0.55, 0), (0.75, 0), (1, 0.25), (1, 0.45)]
    ImageDraw.Draw(picture).polygon([(wide * x, wide * y) for x, y in corners], fill=(220, 30, 30))
    return encode(picture, quality=85)


def turned_hue(picture: Image.Image) -> bytes:
    pixels = np.array(picture.convert("HSV"))
    pixels[..., 0] += 60  # wraps around
    return encode(Image.fromarray(pixels, "HSV").convert("RGB"), quality=85)


def brightened(factor: float) -> Alteration:
    return lambda picture: encode(ImageEnhance.Brightness(picture).enhance(factor), quality=85)


def contrasted(factor: float) -> Alteration:
    return lambda picture: encode(ImageEnhance.Contrast(picture).enhance(factor), quality=85)


def mirrored(picture: Image.Image) -> bytes:
    return encode(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=85)


COPIES: dict[str, Alteration] = {
    "JPEG 30": compressed(30),
    "JPEG 50": compressed(50),
    "JPEG 70": compressed(70),
    "JPEG 90": compressed(90),
    "WebP 50": lambda picture: encode(picture, "WEBP", quality=50),
    "PNG": lambda picture: encode(picture, "PNG"),
    "size 25 %": resized(0.25),
    "size 35 %": resized(0.35),
    "size 50 %": resized(0.5),
    "size 75 %, JPEG 60": resized(0.75, 60),
    "size 150 %": resized(1.5),
    "size 200 %": resized(2.0),
    "border 2 % black": bordered(0.02, BLACK),
    "border 2 % white": bordered(0.02, WHITE),
    "border 5 % black": bordered(0.05, BLACK),
    "border 5 % white": bordered(0.05, WHITE),
    "crop 1 % all around": cropped(0.01, 0.01, 0.01, 0.01),
    "crop 2 % all around": cropped(0.02, 0.02, 0.02, 0.02),
    "crop 3 % of the top": cropped(top=0.03),
    "crop 5 % of the left": cropped(left=0.05),
    "small watermark": lettered("posters.example", 0.05, (0.97, 0.96), "rm", 150),
    "brighter": brightened(1.15),
    "darker": brightened(0.85),
    "more contrast": contrasted(1.2),
    "less contrast": contrasted(0.8),
}
VARIANTS: dict[str, Alteration] = {
    "crop 5 % all around": cropped(0.05, 0.05, 0.05, 0.05),
    "crop 10 % of the top": cropped(top=0.1),
    "crop 10 % all around": cropped(0.1, 0.1, 0.1, 0.1),
    "crop 20 % of the left": cropped(left=0.2),
    "border 12 %": bordered(0.12, BLACK),
    "another title above": lettered("DIE GROSSE REISE", 0.1, (0.5, 0.2), "mm", 255),
    "another title below": lettered("IL GRANDE VIAGGIO", 0.11, (0.5, 0.81), "mm", 255, 0.18),
    "ribbon": ribbon,
    "hue": turned_hue,
    "grey": lambda picture: encode(picture.convert("L").convert("RGB"), quality=85),
    "large watermark": lettered("SAMPLE COPY", 0.15, (0.5, 0.5), "mm", 170),
}
