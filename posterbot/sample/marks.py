"""Logos and icons: small, flat, transparent."""

from __future__ import annotations

import numpy as np
from PIL import Image

from posterbot.sample import figures
from posterbot.sample.lettering import letters
from posterbot.sample.paint import Colour
from posterbot.sample.shapes import Outline, box, curve, disc, limb, place, points, stencil

LANTERN: list[Outline] = [
    box(-0.2, -0.7, 0.2, -0.15),
    points("-0.28,-0.7 0,-0.95 0.28,-0.7"),
    box(-0.28, -0.14, 0.28, -0.04),
    limb((0, -0.95), (0, -1.05), 0.03, 0.03),
]
_STAR: Outline = [
    (
        float((0.5 if k % 2 == 0 else 0.21) * np.sin(k * np.pi / 5)),
        float(-0.5 - (0.5 if k % 2 == 0 else 0.21) * np.cos(k * np.pi / 5)),
    )
    for k in range(10)
]

LOGOS: dict[str, tuple[str, Colour, list[Outline]]] = {
    "the-lantern": ("The Lantern", (190, 60, 30), LANTERN),
    "halde-film": ("HALDE FILM", (20, 60, 110), [disc(0, -0.5, 0.5), points("-0.18,-0.78 0.36,-0.5 -0.18,-0.22")]),
    "orso": ("orso", (120, 70, 40), [disc(0, -0.45, 0.42), disc(-0.3, -0.85, 0.15), disc(0.3, -0.85, 0.15)]),
    "nordlys-lab": (
        "nordlys lab",
        (0, 140, 130),
        [limb((-0.4 + k * 0.2, -0.1), (-0.4 + k * 0.2, -0.4 - k % 3 * 0.25), 0.07, 0.07) for k in range(5)],
    ),
    "cine-club-vale": (
        "CINE-CLUB VALE",
        (40, 40, 44),
        [
            disc(0, -0.5, 0.5),
            *[disc(0.28 * np.cos(a), -0.5 + 0.28 * np.sin(a), 0.12) for a in np.linspace(0, 6.28, 6)[:-1]],
        ],
    ),
    "stagecoach": ("Stagecoach", (200, 40, 60), [_STAR]),
    "owl-books": ("Owl Books", (70, 60, 120), place(figures.owl(), 0, 0, 1)),
    "reel-radio": (
        "REEL RADIO",
        (220, 130, 0),
        [box(-0.5, -0.7, 0.5, -0.1), limb((-0.3, -0.7), (0.2, -1.0), 0.03, 0.03)],
    ),
}

ICONS: dict[str, tuple[int, Colour, list[Outline]]] = {
    "home": (32, (60, 60, 66), [points("-0.5,-0.45 0,-0.95 0.5,-0.45"), box(-0.35, -0.5, 0.35, 0)]),
    "search": (32, (60, 60, 66), [disc(-0.08, -0.6, 0.34), limb((0.15, -0.35), (0.42, -0.08), 0.08, 0.08)]),
    "star": (24, (230, 170, 30), [_STAR]),
    "heart": (
        24,
        (210, 40, 60),
        [curve(points("0,-0.05 -0.45,-0.5 -0.4,-0.85 -0.15,-0.92 0,-0.75 0.15,-0.92 0.4,-0.85 0.45,-0.5"))],
    ),
    "play": (48, (190, 60, 30), [points("-0.35,-0.95 0.48,-0.5 -0.35,-0.05")]),
    "pause": (16, (60, 60, 66), [box(-0.38, -0.95, -0.1, -0.05), box(0.1, -0.95, 0.38, -0.05)]),
    "mail": (32, (20, 90, 150), [box(-0.5, -0.82, 0.5, -0.18)]),
    "cart": (
        32,
        (60, 60, 66),
        [
            points("-0.5,-0.9 -0.36,-0.9 -0.25,-0.3 0.35,-0.3 0.48,-0.75 -0.3,-0.75"),
            disc(-0.15, -0.12, 0.1),
            disc(0.28, -0.12, 0.1),
        ],
    ),
    "user": (
        64,
        (110, 110, 120),
        [disc(0, -0.7, 0.25), curve(points("-0.45,-0.02 -0.4,-0.3 0,-0.44 0.4,-0.3 0.45,-0.02"))],
    ),
    "rss": (
        16,
        (240, 130, 20),
        [
            disc(-0.3, -0.2, 0.14),
            limb((-0.4, -0.6), (0.1, -0.1), 0.08, 0.08),
            limb((-0.4, -0.92), (0.42, -0.1), 0.08, 0.08),
        ],
    ),
    "globe": (48, (30, 130, 180), [disc(0, -0.5, 0.46)]),
    "lantern": (64, (190, 60, 30), LANTERN),
}


def logo(name: str) -> Image.Image:
    """The mark and the word beside it, on transparent ground."""
    word, colour, mark = LOGOS[name]
    ink = letters(word, bold=2)
    ink = ink.resize((round(ink.width * 54 / ink.height), 54), Image.Resampling.LANCZOS)
    size = ink.width + 130, 110
    alpha = Image.fromarray((stencil(size, place(mark, 55, 100, 90)) * 255).astype(np.uint8))
    alpha.paste(ink, (116, 28))
    return _coloured(alpha, colour)


def icon(name: str) -> Image.Image:
    """A square pictogram on transparent ground."""
    side, colour, mark = ICONS[name]
    return _coloured(
        Image.fromarray(
            (stencil((side, side), place(mark, side / 2, side * 0.98, side * 0.94)) * 255).astype(np.uint8)
        ),
        colour,
    )


def logo_svg() -> bytes:
    """The archive's own logo as a drawing program."""
    shapes = "".join(
        f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in outline)}"/>'
        for outline in place(LANTERN, 50, 108, 96)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 340 120" width="340" height="120" fill="#be3c1e">'
        f'{shapes}<text x="96" y="78" font-family="Georgia, serif" font-size="46">The Lantern</text></svg>\n'
    ).encode()


def _coloured(alpha: Image.Image, colour: Colour) -> Image.Image:
    image = Image.new("RGBA", alpha.size, (*colour, 255))
    image.putalpha(alpha)
    return image
