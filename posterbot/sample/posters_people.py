"""Posters that live from people: romance, drama, comedy, documentary."""

from __future__ import annotations

import numpy as np
from PIL import Image

from posterbot.sample import figures, scenery
from posterbot.sample.faces import Look, face, mount
from posterbot.sample.films import Film
from posterbot.sample.lettering import billing, laurel, names, write
from posterbot.sample.paint import (
    darken,
    fractal,
    grade,
    gradient,
    lighten,
    ramp,
    relief,
    rim,
    soft,
    spot,
    tint,
)
from posterbot.sample.shapes import box, curve, disc, place, points, stencil

SIZE = 800, 1200


def letters_to_marguerite(film: Film) -> Image.Image:
    """Romance: two profiles against the evening, the sea and a couple on the shore below."""
    image = gradient(SIZE, [(0, (84, 70, 130)), (0.3, (232, 120, 120)), (0.55, (255, 206, 140)), (1, (70, 40, 70))])
    image = scenery.clouds(image, (255, 226, 190), 15, cover=0.45, stretch=3)
    image = lighten(image, spot(SIZE, (400, 560), 480), (255, 226, 160), 0.8)
    for x, woman, colour, mirror, light in (
        (95, False, (96, 50, 60), False, (0.8, -0.2)),
        (705, True, (130, 62, 56), True, (-0.8, -0.2)),
    ):
        head = stencil(SIZE, place([figures.profile(woman)], x, 860, 760, mirror))
        image = relief(image, soft(head, 1), colour, light, 70, 0.25, fractal(SIZE, 120, x, 6, 0.35) * 1.2)
        image = rim(image, head, (255, 220, 170), (7 if light[0] > 0 else -7, -3), 5)
    image = tint(
        image,
        soft(scenery.ridge(SIZE, 760, 10, 2), 30),
        gradient(SIZE, [(0.6, (255, 200, 140)), (0.75, (190, 90, 90)), (1, (60, 30, 60))]),
        0.95,
    )
    sea = [(0, (90, 44, 74)), (0.5, (190, 100, 100)), (0.8, (255, 190, 140)), (1, (255, 240, 210))]
    image = scenery.water(image, 830, sea, 5, (400, (255, 236, 190)))
    image = lighten(image, spot(SIZE, (400, 820), 220, 0.5), (255, 230, 170), 0.9)
    beach = stencil(SIZE, [curve(points("-60,985 200,968 420,975 640,962 860,980 860,1300 -60,1300"))])
    image = tint(image, beach, (42, 20, 40))
    pair = place(figures.person(figures.STAND, coat=True), 385, 980, 190) + place(
        figures.person(dress=True, hair=True), 422, 980, 172
    )
    image = tint(image, stencil(SIZE, pair), (34, 14, 30))
    image = names(image, film.cast, 46, (255, 246, 236), 24)
    image = write(image, "Letters to", (400, 1006), 44, (255, 240, 214), slant=0.3)
    image = write(image, "Marguerite", (400, 1068), 84, (255, 250, 232), slant=0.3, bold=1, shadow=0.5)
    return billing(image, film.credits, 1124, (240, 200, 190))


def mother_of_pearl(film: Film) -> Image.Image:
    """Drama: one woman's face filling the sheet, the sea across her shoulders, small light lettering."""
    image = gradient(SIZE, [(0, (206, 214, 214)), (1, (140, 160, 166))])
    woman = face(
        Look(
            style="long",
            skin=(246, 208, 184),
            hair=(96, 66, 46),
            cloth=(214, 210, 200),
            lips=(186, 92, 92),
            iris=(84, 120, 124),
            wide=0.93,
            side=1,
            contrast=0.4,
            background=(180, 192, 194),
            seed=9,
        )
    )
    image = mount(image, woman, 400, 540, 1.85, 0.1)
    image = grade(image, [(0, (16, 30, 40)), (0.5, (150, 144, 140)), (1, (255, 250, 240))], 0.4)
    under = Image.new("RGB", SIZE)
    sea = [(0, (20, 50, 64)), (0.5, (80, 124, 134)), (0.8, (190, 206, 204)), (1, (255, 255, 250))]
    under = scenery.water(under, 780, sea, 33, (560, (255, 250, 230)))
    image = tint(image, ramp(SIZE, 760, 960), under, 0.92)
    swimmer = stencil(
        SIZE,
        place(
            [disc(0, -0.12, 0.1, 0.12), curve(points("-0.3,0.06 -0.1,-0.03 0.1,-0.03 0.3,0.06 0,0.1"))], 250, 985, 120
        ),
    )
    image = tint(image, swimmer, (24, 26, 32))
    image = laurel(image, ("OFFICIAL", "SELECTION"), (180, 90), (40, 54, 60))
    image = laurel(image, ("GOLDEN", "LANTERN"), (400, 90), (40, 54, 60))
    image = laurel(image, ("AUDIENCE", "AWARD"), (620, 90), (40, 54, 60))
    image = write(image, "“A QUIET WONDER” – THE HERALD", (400, 170), 14, (40, 54, 60), spacing=12)
    image = write(image, "  ".join(film.cast).upper(), (400, 880), 22, (255, 255, 250), spacing=20, shadow=0.4)
    image = write(image, "MOTHER OF PEARL", (400, 940), 52, (255, 255, 250), width=700, spacing=20, shadow=0.5)
    image = write(image, f"A FILM BY {film.director.upper()}", (400, 1060), 16, (255, 255, 250), spacing=20, bold=1)
    return billing(darken(image, ramp(SIZE, 980, 1200), 0.5), film.credits, 1100, (236, 240, 236))


def summer_on_pier_nine(film: Film) -> Image.Image:
    """Comedy: a white sheet, three laughing-stocks, a fat red title, a beach strip."""
    image = gradient(SIZE, [(0, (255, 255, 255)), (0.7, (240, 248, 255)), (1, (255, 255, 255))])
    sky = gradient(SIZE, [(0.2, (90, 190, 240)), (0.6, (200, 236, 250))])
    image = tint(image, ramp(SIZE, 250, 400) * (1 - ramp(SIZE, 780, 800)), sky, 0.9)
    image = scenery.clouds(image, (255, 255, 255), 3, cover=0.4)
    image = tint(
        image,
        stencil(SIZE, [box(0, 770, 800, 905)]),
        scenery.water(Image.new("RGB", SIZE), 770, [(0, (20, 110, 160)), (1, (190, 236, 240))], 3),
    )
    wood = stencil(SIZE, [box(0, 880, 800, 910)])
    image = relief(image, wood, (170, 120, 70), (-0.2, -0.8), 12, 0.4, fractal(SIZE, 60, 4, 5, 8))
    cast = (
        (
            195,
            Look(
                style="long",
                hair=(220, 170, 70),
                skin=(250, 200, 170),
                cloth=(240, 80, 120),
                lips=(210, 50, 70),
                wide=0.93,
                contrast=0.15,
                background=(200, 236, 250),
            ),
            0.86,
            650,
        ),
        (
            610,
            Look(
                style="bald",
                skin=(246, 190, 160),
                cloth=(40, 160, 90),
                beard=0.85,
                hair=(110, 60, 30),
                wide=1.1,
                side=1,
                contrast=0.2,
                background=(200, 236, 250),
            ),
            0.92,
            640,
        ),
        (
            405,
            Look(
                style="short",
                hair=(70, 40, 24),
                skin=(242, 196, 160),
                cloth=(250, 200, 40),
                contrast=0.2,
                background=(200, 236, 250),
                seed=6,
            ),
            1.06,
            620,
        ),
    )
    for x, look, scale, y in cast:
        image = mount(image, face(look), x, y, scale, 0.02)
    cream = stencil(SIZE, [disc(690, 700, 30), disc(716, 720, 24)])
    image = relief(image, stencil(SIZE, [points("664,712 740,726 690,830")]), (226, 160, 80), (-0.5, -0.6), 14, 0.4)
    image = relief(image, cream, (255, 190, 210), (-0.5, -0.6), 24, 0.5)
    image = tint(image, ramp(SIZE, 870, 900), (255, 255, 255))
    image = names(image, film.cast, 44, (30, 40, 60), 24)
    image = write(image, "SUMMER", (400, 176), 122, (230, 40, 40), width=690, bold=9, turn=2, shadow=0.3)
    image = write(image, "ON PIER NINE", (400, 282), 62, (20, 110, 190), width=640, bold=6, turn=2)
    image = write(image, film.tagline, (400, 968), 28, (40, 44, 54), width=690, bold=1)
    image = write(image, "COMING SOON", (400, 1170), 20, (230, 40, 40), bold=3, spacing=16)
    return billing(image, film.credits, 1040, (60, 64, 76))


def the_glass_river(film: Film) -> Image.Image:
    """Documentary: the river from the air, an old man's face dissolving into it."""
    image = gradient(SIZE, [(0, (60, 84, 60)), (1, (24, 40, 34))])
    land = fractal(SIZE, 240, 3, 7)
    image = relief(image, np.ones((1200, 800), np.float32), (110, 126, 78), (-0.6, -0.5), 30, 0.3, land * 12)
    bed = place(
        [
            curve(
                points(
                    "0.5,-0.1 0.62,0.1 0.4,0.3 0.56,0.5 0.3,0.68 0.5,0.9 0.4,1.1 0.62,1.1 0.72,0.88 "
                    "0.52,0.7 0.76,0.52 0.62,0.32 0.84,0.1 0.7,-0.1"
                ),
                14,
            )
        ],
        0,
        0,
        1,
    )
    river = stencil(SIZE, [[(x * 800, y * 1200) for x, y in outline] for outline in bed])
    image = darken(image, soft(river, 20), 0.5)
    image = tint(
        image, soft(river, 3), gradient(SIZE, [(0, (210, 236, 240)), (0.5, (80, 160, 180)), (1, (20, 70, 100))])
    )
    image = lighten(image, river * fractal(SIZE, 60, 4, 5, 3) ** 3, (255, 255, 255), 0.7)
    elder = face(
        Look(
            style="bald",
            skin=(150, 104, 80),
            beard=0.9,
            hair=(220, 220, 214),
            cloth=(60, 70, 60),
            side=1,
            contrast=0.8,
            background=(50, 66, 56),
            seed=8,
        )
    )
    image = Image.blend(image, mount(image, elder, 330, 430, 1.4, 0.5), 0.9)
    image = scenery.clouds(image, (240, 244, 240), 17, cover=0.35)
    boat = stencil(SIZE, [curve(points("470,860 500,850 530,860 500,868"))])
    image = tint(image, boat, (30, 20, 16))
    image = laurel(
        laurel(image, ("WINNER", "BEST FEATURE"), (130, 80), (250, 250, 240)),
        ("OFFICIAL", "SELECTION"),
        (670, 80),
        (250, 250, 240),
    )
    image = darken(image, ramp(SIZE, 830, 1060), 0.75)
    image = write(image, "THE GLASS", (60, 900), 66, (250, 250, 244), align="left", bold=2)
    image = write(image, "RIVER", (60, 1000), 104, (250, 250, 244), align="left", bold=2)
    image = write(image, film.tagline.upper(), (64, 1078), 17, (190, 226, 226), align="left", spacing=14)
    return billing(image, film.credits, 1112, (214, 220, 210))
