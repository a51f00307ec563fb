"""Lettering with Pillow's embedded font alone: spaced, stretched, emboldened, slanted, lit; credits and laurels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from posterbot.sample.paint import Colour, Mask, darken, lighten, soft, tint
from posterbot.sample.shapes import disc, stencil

FONT_SIZE = 120  # letters are drawn large once and scaled to their place


def letters(text: str, bold: float = 0, spacing: float = 0, slant: float = 0) -> Image.Image:
    """``text`` as white on black, cropped to its ink. ``bold`` and ``spacing`` in hundredths of the font size."""
    font = ImageFont.load_default(FONT_SIZE)
    stroke = bold * FONT_SIZE / 100
    gap = (spacing * FONT_SIZE / 100) + stroke * 1.6
    width = int(sum(font.getlength(sign) + gap for sign in text) + FONT_SIZE * 2)
    sheet = Image.new("L", (width, FONT_SIZE * 2))
    draw = ImageDraw.Draw(sheet)
    x = FONT_SIZE / 2
    for sign in text:
        draw.text((x, FONT_SIZE / 4), sign, fill=255, font=font, stroke_width=stroke)
        x += font.getlength(sign) + gap
    if slant:
        sheet = sheet.transform(
            sheet.size, Image.Transform.AFFINE, (1, slant, -slant * FONT_SIZE, 0, 1, 0), Image.Resampling.BICUBIC
        )
    return sheet.crop(sheet.getbbox())


def write(
    image: Image.Image,
    text: str,
    at: tuple[float, float],
    height: float,
    colour: Colour | Image.Image,
    *,
    width: float | None = None,
    bold: float = 0,
    spacing: float = 0,
    slant: float = 0,
    turn: float = 0,
    align: str = "centre",
    shadow: float = 0,
    glow: Colour | None = None,
) -> Image.Image:
    """One line of ``text`` on ``image``, its middle (or left or right end) at ``at``.

    Args:
        image: the picture to write on.
        text: one line.
        at: the line's anchor, in pixels.
        height: of the letters' ink, in pixels.
        colour: one colour, or a picture of ``image``'s size that shows through the letters.
        width: stretch or condense to this many pixels; None keeps the font's proportions.
        bold: stroke added, in hundredths of the font size.
        spacing: added between letters, in hundredths of the font size.
        slant: shear; 0.2 looks italic.
        turn: degrees, counter-clockwise.
        align: ``left``, ``centre`` or ``right``.
        shadow: darkness of a soft shadow, 0–1.
        glow: colour of a neon glow.
    """
    ink = letters(text, bold, spacing, slant)
    size = max(1, round(width or ink.width * height / ink.height)), max(1, round(height))
    ink = ink.resize(size, Image.Resampling.LANCZOS)
    if turn:
        ink = ink.rotate(turn, Image.Resampling.BICUBIC, expand=True)
    left = at[0] - {"left": 0.0, "centre": ink.width / 2, "right": float(ink.width)}[align]
    mask = _on_sheet(image, ink, left, at[1] - ink.height / 2)
    if shadow:
        image = darken(image, np.roll(soft(mask, max(2, height / 12)), (round(height / 25),) * 2, (0, 1)), shadow)
    if glow:
        for radius in (height / 20, height / 6, height / 2):
            image = lighten(image, soft(mask, radius), glow, 0.9)
    return tint(image, mask, colour)


def paragraph(
    image: Image.Image,
    lines: Sequence[str],
    at: tuple[float, float],
    height: float,
    colour: Colour,
    leading: float = 1.7,
) -> Image.Image:
    """Small left-aligned lines as a book or a program prints them; ``at`` is the top left corner."""
    image = image.copy()
    font = ImageFont.load_default(height * 1.35)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((at[0], at[1] + number * height * leading), line, fill=colour, font=font)
    return image


def names(image: Image.Image, cast: Sequence[str], y: float, colour: Colour, height: float = 17) -> Image.Image:
    """The actors' names side by side across the top, as on most posters: given name small, family name large."""
    step = image.width * 0.86 / len(cast)
    for number, name in enumerate(cast):
        x = image.width * 0.07 + step * (number + 0.5)
        given, family = name.upper().rsplit(" ", 1)
        image = write(image, given, (x, y), height * 0.62, colour, spacing=18)
        image = write(image, family, (x, y + height * 1.35), height, colour, spacing=8, bold=1)
    return image


def billing(image: Image.Image, credits: Sequence[tuple[str, str]], y: float, colour: Colour) -> Image.Image:
    """The billing block: roles in small letters, names in tall condensed ones, centred lines from ``y`` down."""
    line_height, full = 15, round(image.width * 0.8)
    runs: list[list[Image.Image]] = [[]]
    used = 0
    for role, name in credits:
        for text, height in ((role.lower(), 8), (name.upper(), line_height)):
            if not text:
                continue
            ink = letters(text, bold=1 if height > 8 else 0)
            ink = ink.resize((max(1, round(ink.width * height / ink.height * 0.48)), height), Image.Resampling.LANCZOS)
            if used + ink.width > full:
                runs.append([])
                used = 0
            runs[-1].append(ink)
            used += ink.width + 7
    block = Image.new("L", image.size)
    for row, run in enumerate(runs):
        x = (image.width - sum(ink.width + 7 for ink in run)) // 2
        for ink in run:
            block.paste(ink, (x, round(y + row * line_height * 1.55) + line_height - ink.height))
            x += ink.width + 7
    return tint(image, np.asarray(block, np.float32) / 255, colour, 0.9)


def laurel(image: Image.Image, text: tuple[str, str], at: tuple[float, float], colour: Colour) -> Image.Image:
    """A festival laurel: two branches about two small lines."""
    leaves = []
    for side in (-1, 1):
        for step in range(7):
            angle = np.pi / 2 - side * (0.35 + step * 0.34)
            x, y = at[0] + 46 * np.cos(angle), at[1] + 34 * np.sin(angle)
            leaves.append(disc(float(x), float(y), 8, 3.2, float(angle + side * 0.9)))
    image = tint(image, stencil(image.size, leaves), colour)
    image = write(image, text[0], (at[0], at[1] - 7), 8, colour, bold=2, width=min(58, len(text[0]) * 6))
    return write(image, text[1], (at[0], at[1] + 8), 6, colour, width=min(56, len(text[1]) * 5))


def _on_sheet(image: Image.Image, ink: Image.Image, left: float, top: float) -> Mask:
    sheet = Image.new("L", image.size)
    sheet.paste(ink, (round(left), round(top)))
    return np.asarray(sheet, np.float32) / 255
