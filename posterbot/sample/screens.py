"""Screenshots of programs and charts: rectangles, lines and small type."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from posterbot.sample.paint import Colour

INK: Colour = (40, 44, 52)
PALETTE: tuple[Colour, ...] = (
    (66, 133, 200),
    (226, 120, 60),
    (90, 170, 110),
    (200, 70, 90),
    (150, 120, 190),
    (220, 180, 60),
)
WORDS = (
    "reel",
    "frame",
    "index",
    "splice",
    "leader",
    "print",
    "vault",
    "negative",
    "gauge",
    "catalogue",
    "sound",
    "title",
)


def _text(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: float = 13, colour: Colour = INK) -> None:
    draw.text((x, y), text, fill=colour, font=ImageFont.load_default(size))


def _window(title: str, dark: bool = False) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (800, 500), (30, 32, 38) if dark else (250, 250, 251))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 800, 34), fill=(54, 57, 66) if dark else (226, 228, 232))
    for number, colour in enumerate(((236, 96, 88), (244, 190, 70), (98, 196, 86))):
        draw.ellipse((14 + number * 20, 11, 26 + number * 20, 23), fill=colour)
    _text(draw, 340, 9, title, 13, (220, 220, 226) if dark else INK)
    return image, draw


def _editor() -> Image.Image:
    image, draw = _window("catalogue.py", dark=True)
    random = np.random.default_rng(2)
    draw.rectangle((0, 34, 170, 500), fill=(38, 40, 48))
    for row in range(14):
        _text(draw, 18, 46 + row * 24, f"{WORDS[row % 12]}_{row}.py", 12, (170, 174, 184))
    for row in range(24):
        x = 222.0 + 24 * int(random.integers(0, 4))
        _text(draw, 184, 44 + row * 19, f"{row + 1:>3}", 12, (96, 100, 112))
        for _ in range(int(random.integers(1, 6))):
            word = WORDS[int(random.integers(12))]
            _text(
                draw,
                x,
                44 + row * 19,
                word,
                12,
                ((198, 146, 220), (150, 200, 120), (220, 220, 226), (97, 175, 239))[int(random.integers(4))],
            )
            x += len(word) * 8 + 12
    return image


def _table() -> Image.Image:
    image, draw = _window("Vault inventory")
    draw.rectangle((0, 34, 800, 70), fill=(46, 110, 86))
    for column, head in enumerate(("Can", "Title", "Gauge", "Length", "Condition", "Shelf")):
        _text(draw, 16 + column * 130, 44, head, 14, (255, 255, 255))
    for row in range(15):
        draw.rectangle(
            (0, 70 + row * 28, 800, 98 + row * 28),
            fill=(240, 245, 242) if row % 2 else (255, 255, 255),
            outline=(216, 220, 218),
        )
        cells = (
            f"{1200 + row * 7}",
            WORDS[row % 12].title(),
            ("35 mm", "16 mm")[row % 2],
            f"{600 + row * 43} m",
            ("good", "fair", "shrunk")[row % 3],
            f"B-{row + 3}",
        )
        for column, cell in enumerate(cells):
            _text(draw, 16 + column * 130, 76 + row * 28, cell, 13)
    return image


def _dashboard() -> Image.Image:
    image, draw = _window("Box office – dashboard")
    random = np.random.default_rng(5)
    for number, (label, value) in enumerate(
        (("Visitors", "12,408"), ("Screenings", "316"), ("Members", "1,902"), ("Prints out", "27"))
    ):
        x = 20 + number * 195
        draw.rounded_rectangle((x, 52, x + 175, 130), 8, fill=(255, 255, 255), outline=(220, 222, 228))
        _text(draw, x + 14, 62, label, 13, (120, 124, 134))
        _text(draw, x + 14, 84, value, 28)
    draw.rounded_rectangle((20, 150, 500, 480), 8, fill=(255, 255, 255), outline=(220, 222, 228))
    line = 400 - np.cumsum(random.normal(5, 14, 40))
    draw.line([(40 + n * 11, float(np.clip(y, 170, 460))) for n, y in enumerate(line)], fill=PALETTE[0], width=3)
    draw.rounded_rectangle((520, 150, 780, 480), 8, fill=(255, 255, 255), outline=(220, 222, 228))
    for row in range(8):
        _text(draw, 536, 170 + row * 36, WORDS[row].title(), 13)
        draw.rectangle((620, 172 + row * 36, 620 + int(random.integers(30, 140)), 186 + row * 36), fill=PALETTE[1])
    return image


def _terminal() -> Image.Image:
    image, draw = _window("bash – 96×28", dark=True)
    for row in range(24):
        text = f"[{row:02d}:14:0{row % 10}] {WORDS[row % 12]:<10} {WORDS[(row * 5) % 12]} ok {row * 137 % 991} ms"
        _text(
            draw,
            14,
            42 + row * 18.5,
            "$ archive verify --all" if row % 9 == 0 else text,
            13,
            (120, 220, 140) if row % 9 == 0 else (200, 204, 210),
        )
    return image


def _mail() -> Image.Image:
    image, draw = _window("Inbox (14)")
    draw.rectangle((0, 34, 190, 500), fill=(240, 242, 246))
    for row, folder in enumerate(("Inbox", "Sent", "Loans", "Donations", "Spam", "Bin")):
        _text(draw, 24, 52 + row * 32, folder, 15)
    for row in range(11):
        y = 40 + row * 42
        draw.line((190, y + 40, 800, y + 40), fill=(226, 228, 232))
        draw.ellipse((204, y + 6, 232, y + 34), fill=PALETTE[row % 6])
        _text(draw, 246, y + 3, f"{WORDS[row].title()} {WORDS[-row - 1].title()}", 14)
        _text(
            draw,
            246,
            y + 21,
            f"About the {WORDS[(row * 3) % 12]} of the {WORDS[(row * 7) % 12]} from last week",
            12,
            (120, 124, 134),
        )
        _text(draw, 740, y + 10, f"{row + 1} Nov", 12, (120, 124, 134))
    return image


def _form() -> Image.Image:
    image, draw = _window("New loan")
    for row, label in enumerate(("Borrower", "Address", "Film", "Print", "From", "Until")):
        _text(draw, 60, 66 + row * 58, label, 14)
        draw.rounded_rectangle(
            (220, 56 + row * 58, 700, 92 + row * 58), 4, fill=(255, 255, 255), outline=(190, 194, 202)
        )
        _text(draw, 232, 66 + row * 58, WORDS[row * 2].title(), 14, (150, 154, 164))
    draw.rounded_rectangle((560, 430, 700, 470), 6, fill=PALETTE[0])
    _text(draw, 606, 440, "Save", 16, (255, 255, 255))
    return image


def _axes(title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (640, 420), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    _text(draw, 70, 14, title, 17)
    for row in range(6):
        draw.line((70, 370 - row * 60, 610, 370 - row * 60), fill=(224, 226, 230))
        _text(draw, 30, 361 - row * 60, str(row * 20), 12)
    draw.line((70, 60, 70, 370, 610, 370), fill=INK, width=2)
    for column in range(9):
        _text(draw, 82 + column * 60, 378, str(1940 + column * 10), 12)
    return image, draw


def _bars() -> Image.Image:
    image, draw = _axes("Films acquired per decade")
    for column, value in enumerate((40, 66, 92, 130, 170, 210, 190, 260, 284)):
        draw.rectangle((84 + column * 60, 370 - value, 122 + column * 60, 370), fill=PALETTE[0])
    return image


def _lines() -> Image.Image:
    image, draw = _axes("Colour and black-and-white prints")
    random = np.random.default_rng(7)
    for number in range(3):
        walk = 300 - number * 60 - np.cumsum(random.normal(1.6, 10, 46))
        draw.line(
            [(74 + n * 11.6, float(np.clip(y, 66, 366))) for n, y in enumerate(walk)], fill=PALETTE[number], width=3
        )
        draw.rectangle((470, 70 + number * 22, 486, 82 + number * 22), fill=PALETTE[number])
        _text(draw, 494, 67 + number * 22, ("nitrate", "acetate", "polyester")[number], 12)
    return image


def _dots() -> Image.Image:
    image, draw = _axes("Length against year")
    random = np.random.default_rng(8)
    for number in range(150):
        x = random.uniform(80, 600)
        y = 330 - (x - 80) * 0.3 + random.normal(0, 34)
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=PALETTE[number % 3])
    return image


def _pie() -> Image.Image:
    image = Image.new("RGB", (640, 420), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    _text(draw, 40, 14, "Genres in the collection", 17)
    start = 0.0
    for number, share in enumerate((31, 22, 17, 13, 10, 7)):
        draw.pieslice((60, 60, 380, 380), start, start + share * 3.6, fill=PALETTE[number], outline=(255, 255, 255))
        draw.rectangle((440, 110 + number * 34, 460, 130 + number * 34), fill=PALETTE[number])
        _text(
            draw,
            472,
            111 + number * 34,
            f"{('Drama', 'Comedy', 'Crime', 'Documentary', 'Horror', 'Other')[number]}  {share} %",
            14,
        )
        start += share * 3.6
    return image


SCREENSHOTS: dict[str, Callable[[], Image.Image]] = {
    "editor": _editor,
    "inventory": _table,
    "dashboard": _dashboard,
    "terminal": _terminal,
    "mail": _mail,
    "loan-form": _form,
}
CHARTS: dict[str, Callable[[], Image.Image]] = {
    "acquisitions": _bars,
    "stock": _lines,
    "lengths": _dots,
    "genres": _pie,
}
