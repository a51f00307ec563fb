"""Covers of games, books, magazines and comics: designed like posters, told from them by the marks of their kind.

Each function draws those marks, with chance in everything that is not the mark, on a picture of another kind.
"""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from models.training.lettering import SANS, SERIF, colours, fill, line, lines, words

MAKERS = ("SEGA", "TURBO", "MEGA 16", "SUPER", "POCKET", "ARCADE", "SYSTEM II", "64", "CARTRIDGE", "VISION", "STATION")
MASTHEADS = (
    "TIME",
    "STYLE",
    "SCREEN",
    "WORLD",
    "MODERN",
    "WEEKLY",
    "HOUSE",
    "REVIEW",
    "MOTOR",
    "SPORT",
    "HEALTH",
    "TODAY",
)


def game_box(image: Image.Image, rng: Random) -> Image.Image:
    """The platform's band or word mark, a plain or ruled ground, a ribbon across a corner, small marks below."""
    width, height = 200, int(200 * rng.uniform(1.0, 1.45))
    ground, ink = colours(rng)
    if rng.random() < 0.4:
        ground, ink = (rng.randint(225, 255),) * 3, (rng.randrange(60), rng.randrange(60), rng.randrange(160))
    box = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(box)
    if rng.random() < 0.35:  # graph paper
        step, rule = rng.randint(8, 26), tuple(max(0, n - rng.randint(15, 60)) for n in ground)
        for at in range(0, max(width, height), step):
            draw.line((at, 0, at, height), rule)
            draw.line((0, at, width, at), rule)
    style = rng.random()
    if style < 0.5:  # a band above, or down the side, with the platform's name
        share = rng.uniform(0.08, 0.22)
        if rng.random() < 0.7:
            band = int(height * share)
            box.paste(fill(image, width, height - band, rng), (0, band))
            line(box, rng.choice(MAKERS), (6, 2, int(width * rng.uniform(0.4, 0.97)), band - 2), rng.choice(SANS), ink)
        else:
            band = int(width * share)
            box.paste(fill(image, width - band, height, rng), (band, 0))
            turned = Image.new("RGB", (height, band), ground)
            line(
                turned,
                rng.choice(MAKERS),
                (6, 2, int(height * rng.uniform(0.4, 0.97)), band - 2),
                rng.choice(SANS),
                ink,
            )
            box.paste(turned.rotate(90, expand=True), (0, 0))
    else:  # the picture stands free on the ground, below the title
        top = int(height * rng.uniform(0.2, 0.45))
        side = rng.randint(0, 30)
        inset = fill(image, width - 2 * side, height - top - rng.randint(4, 30), rng)
        mask = Image.new("L", inset.size, 0)
        if rng.random() < 0.6:
            ImageDraw.Draw(mask).ellipse((0, 0, inset.width - 1, inset.height - 1), fill=255)
            mask = mask.filter(ImageFilter.GaussianBlur(rng.randint(1, 12)))
        else:
            mask.paste(255, (0, 0, *mask.size))
        box.paste(inset, (side, top), mask)
        mark = int(top * rng.uniform(0.2, 0.5))
        line(box, rng.choice(MAKERS), (rng.randint(4, 60), 4, width - rng.randint(4, 60), mark), rng.choice(SANS), ink)
        title = words(rng, 3, upper=rng.random() < 0.6)
        line(box, title, (8, mark + 2, width - 8, top - 2), rng.choice(SANS + SERIF), colours(rng)[0], ink)
    if rng.random() < 0.4:
        _ribbon(box, rng)
    if rng.random() < 0.7:
        side = int(width * rng.uniform(0.08, 0.16))
        left = rng.choice((4, width - 2 * side - 4))
        draw.rectangle((left, height - side - 4, left + side * rng.randint(1, 2), height - 4), fill=colours(rng)[0])
        line(
            box, rng.choice(("E", "T", "16", *MAKERS)), (left + 2, height - side, left + side, height - 6), SANS[1], ink
        )
    return box


def book_cover(image: Image.Image, rng: Random) -> Image.Image:
    """Author and title in book type on a plain ground or panel; the picture above, below, behind or not at all."""
    width, height = 200, int(200 * rng.uniform(1.4, 1.65))
    ground, ink = colours(rng)
    if rng.random() < 0.4:
        ground, ink = (rng.randint(225, 255),) * 3, rng.choice(((0, 0, 0), (150, 20, 30), (20, 40, 90)))
    cover = Image.new("RGB", (width, height), ground)
    faces = SERIF if rng.random() < 0.7 else SANS
    upper = rng.random() < 0.4
    style = rng.random()
    if style < 0.45:  # picture and panel
        split = int(height * rng.uniform(0.22, 0.5))
        margin = rng.choice((0, 0, rng.randint(8, 40)))
        picture = fill(image, width - 2 * margin, height - split - margin, rng)
        below = rng.random() < 0.5
        cover.paste(picture, (margin, split if below else margin))
        top = 0 if below else height - split
        lines(cover, (10, top + 8, width - 10, top + split - 6), rng, ink, upper=upper, faces=faces)
    elif style < 0.75:  # picture all over, a label on it
        cover.paste(fill(image, width, height, rng))
        if rng.random() < 0.7:
            tall = int(height * rng.uniform(0.15, 0.35))
            top = rng.randint(10, height - tall - 10)
            side = rng.choice((0, rng.randint(8, 40)))
            ImageDraw.Draw(cover).rectangle((side, top, width - side, top + tall), fill=ground)
            lines(cover, (side + 6, top + 5, width - side - 6, top + tall - 3), rng, ink, upper=upper, faces=faces)
        else:
            for share in (0.08, 0.8):
                place = (12, int(height * share), width - 12, int(height * (share + 0.13)))
                lines(cover, place, rng, (250, 250, 245), upper=upper, most=2, faces=faces)
    else:  # type alone
        if rng.random() < 0.6:
            inset = rng.randint(5, 14)
            ImageDraw.Draw(cover).rectangle((inset, inset, width - inset, height - inset), outline=ink, width=2)
        top = int(height * rng.uniform(0.08, 0.3))
        lines(cover, (24, top, width - 24, top + rng.randint(40, 110)), rng, ink, upper=upper, faces=faces)
        if rng.random() < 0.5:
            emblem = fill(image, 50, 50, rng)
            cover.paste(emblem, (75, int(height * 0.6)))
        lines(cover, (40, height - 40, width - 40, height - 16), rng, ink, upper=upper, most=2, faces=faces)
    return cover


def magazine(image: Image.Image, rng: Random) -> Image.Image:
    """A masthead over the whole width, cover lines down the sides, often a bar code."""
    width, height = 200, int(200 * rng.uniform(1.25, 1.42))
    cover = fill(image, width, height, rng)
    if rng.random() < 0.25:
        framed = Image.new("RGB", (width, height), colours(rng)[0])
        framed.paste(cover.resize((width - 12, height - 12)), (6, 6))
        cover = framed
    ink = rng.choice(((255, 255, 255), (230, 30, 40), (0, 0, 0), (250, 220, 40), colours(rng)[0]))
    tall = int(height * rng.uniform(0.13, 0.24))
    line(cover, rng.choice(MASTHEADS), (6, 6, width - 6, tall), rng.choice(SANS[:2] + SERIF[:2]), ink)
    for _ in range(rng.randint(2, 6)):
        wide, rows = rng.randint(50, 95), rng.randint(20, 48)
        left = rng.choice((6, width - wide - 6))
        top = rng.randint(tall + 4, height - rows - 6)
        lines(
            cover,
            (left, top, left + wide, top + rows),
            rng,
            rng.choice((ink, (255, 255, 255))),
            upper=rng.random() < 0.5,
        )
    if rng.random() < 0.5:
        left, top = rng.choice((6, width - 46)), height - 32
        draw = ImageDraw.Draw(cover)
        draw.rectangle((left, top, left + 40, top + 26), fill=(255, 255, 255))
        for at in range(left + 3, left + 38, 2):
            draw.line((at, top + 3, at, top + 20), (0, 0, 0), rng.randint(1, 2))
    return cover


def comic_cover(image: Image.Image, rng: Random) -> Image.Image:
    """A drawn picture under a heavy logo, a box with number and price in the corner, speech in balloons."""
    width, height = 200, int(200 * rng.uniform(1.45, 1.58))
    picture = ImageOps.posterize(fill(image, width, height, rng).filter(ImageFilter.ModeFilter(5)), rng.randint(2, 4))
    edges = ImageOps.invert(picture.convert("L").filter(ImageFilter.FIND_EDGES)).point(lambda n: 0 if n < 190 else 255)
    cover = Image.composite(picture, Image.new("RGB", picture.size), edges)
    draw = ImageDraw.Draw(cover)
    tall = int(height * rng.uniform(0.16, 0.3))
    if rng.random() < 0.5:
        draw.rectangle((0, 0, width, tall), fill=colours(rng)[0])
    left = 0
    if rng.random() < 0.7:
        left = int(width * rng.uniform(0.14, 0.22))
        draw.rectangle((3, 3, left, int(tall * 1.1)), fill=(255, 255, 255), outline=(0, 0, 0))
        line(cover, f"{rng.randint(1, 400)}", (5, 5, left - 2, int(tall * 0.4)), SANS[1], (0, 0, 0))
        cover.paste(fill(image, left - 6, max(4, int(tall * 0.55)), rng), (5, int(tall * 0.45)))
    fore, back = colours(rng)
    line(cover, words(rng, 2, upper=True), (left + 4, 4, width - 4, tall), SANS[1], fore, back)
    for _ in range(rng.randint(0, 3)):
        wide, rows = rng.randint(45, 90), rng.randint(18, 36)
        x, y = rng.randint(4, width - wide - 4), rng.randint(tall, height - rows - 4)
        shape = draw.ellipse if rng.random() < 0.6 else draw.rectangle
        shape((x, y, x + wide, y + rows), fill=rng.choice(((255, 255, 255), (255, 235, 60))), outline=(0, 0, 0))
        lines(cover, (x + 8, y + 5, x + wide - 8, y + rows - 3), rng, (0, 0, 0), upper=True, most=2)
    return cover


def _ribbon(image: Image.Image, rng: Random) -> None:
    """A strip across a corner."""
    strip = Image.new("RGBA", (160, rng.randint(14, 26)), (*colours(rng)[0], 255))
    line(
        strip,
        rng.choice((*MAKERS, "ACTION", "SPORTS", "NEW")),
        (40, 2, 120, strip.height - 2),
        SANS[1],
        (255, 255, 255),
    )
    left = rng.random() < 0.5
    turned = strip.rotate(45 if left else -45, expand=True)
    image.paste(
        turned, (-turned.width // 3 if left else image.width - turned.width * 2 // 3, -turned.height // 3), turned
    )
