"""Posters of spectacle: stage, ring, throne."""

from __future__ import annotations

import numpy as np
from PIL import Image

from posterbot.sample import figures, scenery
from posterbot.sample.faces import Look, face, mount
from posterbot.sample.films import Film
from posterbot.sample.lettering import billing, names, write
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
    vignette,
)
from posterbot.sample.shapes import Outline, box, curve, disc, limb, place, points, stencil

SIZE = 800, 1200


def footlights(film: Film) -> Image.Image:
    """Musical: a dancer in the beam, red curtains, marquee bulbs about the title."""
    folds = fractal(SIZE, 90, 5, 4, 0.02)
    image = gradient(SIZE, [(0, (10, 6, 20)), (0.6, (50, 20, 70)), (1, (8, 4, 12))])
    star = face(
        Look(
            style="bob",
            skin=(246, 196, 170),
            hair=(30, 18, 20),
            lips=(210, 20, 50),
            iris=(60, 110, 90),
            cloth=(90, 20, 60),
            wide=0.94,
            side=1,
            contrast=0.35,
            background=(40, 16, 56),
        )
    )
    image = mount(image, star, 400, 340, 1.05, 0.5)
    image = lighten(image, scenery.rays(SIZE, 400, -120, 60, 6), (255, 210, 170), 0.3)
    beam = stencil(SIZE, [points("360,-20 440,-20 640,930 160,930")])
    image = lighten(image, soft(beam, 26) * ramp(SIZE, 200, 900), (255, 220, 150), 0.55)
    curtain = np.maximum(1 - ramp(SIZE, 120, 210, sideways=True), ramp(SIZE, 590, 680, sideways=True))
    cloth = relief(
        Image.new("RGB", SIZE), np.ones((1200, 800), np.float32), (190, 16, 30), (-0.7, -0.2), 30, 0.3, folds * 14
    )
    image = tint(image, curtain, cloth)
    floor = stencil(SIZE, [disc(400, 930, 330, 60)])
    image = lighten(image, soft(floor, 16), (255, 214, 150), 0.8)
    dancer = place(figures.person(figures.DANCE, dress=True), 400, 935, 400)
    body = stencil(SIZE, dancer)
    image = darken(image, np.roll(soft(body, 14), 20, 0), 0.35)
    image = relief(image, body, (226, 170, 140), (0.0, -0.8), 16, 0.3)
    image = relief(
        image,
        stencil(SIZE, [dancer[2], dancer[-1]]),
        (236, 196, 60),
        (0.0, -0.8),
        16,
        0.35,
        fractal(SIZE, 20, 4, 4, 0.3) * 2,
    )
    image = relief(
        image,
        stencil(SIZE, place([disc(-0.045, -0.945, 0.055, 0.06)], 400, 935, 400)),
        (40, 20, 16),
        (0.2, -0.8),
        8,
        0.3,
    )
    image = rim(image, body, (255, 244, 220), (0, -5), 3)
    image = darken(image, ramp(SIZE, 940, 1080), 0.85)
    gold = gradient(SIZE, [(0.8, (255, 250, 210)), (0.86, (240, 180, 50)), (0.9, (160, 90, 10))])
    image = write(image, "FOOTLIGHTS", (400, 1015), 92, gold, width=650, bold=5, shadow=0.9, glow=(140, 60, 10))
    bulbs = [disc(float(x), y, 6) for y in (950, 1082) for x in np.linspace(60, 740, 27)]
    glass = stencil(SIZE, bulbs)
    image = lighten(lighten(image, soft(glass, 7) * 2, (255, 180, 70)), glass, (255, 250, 220))
    image = names(image, film.cast, 40, (255, 240, 210), 20)
    return billing(image, film.credits, 1106, (230, 200, 180))


def the_last_bell(film: Film) -> Image.Image:
    """Boxing: a bruised face, gloves raised in smoke, ropes."""
    image = gradient(SIZE, [(0, (20, 22, 26)), (0.5, (70, 74, 76)), (1, (6, 6, 8))])
    for x in (150, 650):
        image = lighten(image, spot(SIZE, (x, 40), 460), (220, 230, 220), 0.7)
    image = lighten(image, scenery.rays(SIZE, 400, -100, 50, 3), (200, 210, 200), 0.4)
    image = tint(image, fractal(SIZE, 320, 6, 6, 1.5) ** 2, (150, 156, 150), 0.6)
    boxer = face(
        Look(
            style="short",
            skin=(168, 112, 84),
            hair=(16, 12, 12),
            cloth=(120, 78, 58),
            beard=0.6,
            side=-1,
            contrast=0.85,
            wide=1.06,
            background=(40, 42, 44),
            seed=4,
        )
    )
    image = mount(image, boxer, 400, 470, 1.5, 0.25)
    for x, mirror in ((185, False), (615, True)):
        arm = place([limb((0.0, 0.0), (-0.05, 0.9), 0.22, 0.26)], x, 720, 330, mirror)
        image = relief(image, stencil(SIZE, arm), (150, 98, 72), (-0.6, -0.6), 40, 0.15, fractal(SIZE, 40, 3, 4) * 0.3)
        glove = place(
            [
                curve(
                    points("-0.3,-0.1 -0.34,-0.4 -0.2,-0.62 0.1,-0.66 0.3,-0.5 0.34,-0.2 0.26,0.06 0.2,0.24 -0.24,0.24")
                ),
                disc(0.26, -0.16, 0.13, 0.24, 0.3),
            ],
            x,
            740,
            330,
            mirror,
        )
        mask = stencil(SIZE, glove)
        image = darken(image, np.roll(soft(mask, 22), 22, 0), 0.6)
        image = relief(image, mask, (178, 22, 24), (-0.6, -0.6), 60, 0.14, fractal(SIZE, 90, 7, 5) * 0.8)
        image = lighten(image, soft(stencil(SIZE, [disc(x - 40, 590, 40, 16, -0.5)]), 14), (255, 220, 210), 0.6)
        image = relief(
            image,
            stencil(SIZE, place([box(-0.25, 0.14, 0.23, 0.36)], x, 740, 330, mirror)),
            (226, 220, 206),
            (-0.6, -0.6),
            16,
            0.25,
        )
    ropes = stencil(SIZE, [limb((-20, y), (820, y + 20), 7, 7) for y in (880, 1060)])
    image = relief(image, ropes, (200, 196, 190), (-0.2, -0.8), 8, 0.2)
    image = darken(image, ramp(SIZE, 780, 1060), 0.9)
    image = grade(image, [(0, (6, 8, 12)), (0.5, (130, 104, 84)), (1, (255, 246, 226))], 0.25)
    image = names(image, film.cast, 50, (240, 236, 226), 24)
    image = write(image, "THE LAST BELL", (400, 985), 110, (246, 240, 226), width=700, bold=5, shadow=0.8)
    image = write(image, film.tagline.upper(), (400, 1074), 18, (220, 40, 36), spacing=16, bold=2)
    return vignette(billing(image, film.credits, 1106, (190, 186, 180)), 0.5)


def kingdom_of_embers(film: Film) -> Image.Image:
    """Fantasy: queen, knight and king over a burning castle, a sword down the middle."""
    image = gradient(SIZE, [(0, (10, 14, 30)), (0.45, (70, 40, 60)), (0.7, (240, 120, 40)), (1, (20, 6, 6))])
    image = lighten(image, fractal(SIZE, 340, 12, 7) ** 2, (220, 90, 40), 0.6)
    queen = face(
        Look(
            style="long",
            skin=(240, 196, 170),
            hair=(150, 60, 24),
            cloth=(90, 20, 30),
            lips=(180, 40, 44),
            wide=0.93,
            side=1,
            contrast=0.5,
            background=(60, 36, 50),
        )
    )
    king = face(
        Look(
            style="short",
            skin=(206, 160, 130),
            hair=(110, 106, 100),
            beard=0.95,
            cloth=(50, 46, 52),
            side=1,
            contrast=0.75,
            background=(50, 30, 44),
            seed=3,
        )
    )
    knight = face(
        Look(
            style="short",
            skin=(180, 130, 100),
            hair=(26, 20, 20),
            beard=0.7,
            cloth=(70, 74, 84),
            side=-1,
            contrast=0.75,
            background=(60, 36, 44),
            seed=6,
        )
    )
    image = mount(image, king, 190, 400, 0.95, 0.5)
    image = mount(image, knight, 620, 420, 0.95, 0.5)
    crown = [points("270,215 290,110 335,180 400,90 465,180 510,110 530,215"), box(272, 205, 528, 232)]
    image = mount(image, queen, 400, 400, 1.2, 0.45)
    image = relief(image, stencil(SIZE, crown), (226, 176, 70), (0.6, -0.6), 12, 0.3, fractal(SIZE, 30, 3, 4))
    castle: list[Outline] = [
        box(60, 760, 150, 960),
        [(50, 762), (105, 670), (160, 762)],
        box(150, 830, 330, 960),
        box(640, 740, 720, 960),
        [(630, 742), (680, 640), (730, 742)],
        box(500, 820, 650, 960),
        box(250, 790, 300, 900),
        [(242, 792), (275, 720), (308, 792)],
    ]
    image = lighten(image, spot(SIZE, (400, 900), 460, 0.6), (255, 150, 50), 0.8)
    image = tint(image, stencil(SIZE, castle), (24, 10, 14))
    host: list[Outline] = []
    for number in range(26):
        x = 14 + number * 31
        host += place(
            [*figures.bust(helmet=True), limb((0.4, 0.2), (0.5, -2.4), 0.03, 0.02)], x, 985 + number % 3 * 6, 46
        )
    image = rim(tint(image, stencil(SIZE, host), (14, 6, 8)), stencil(SIZE, host), (255, 150, 60), (0, -3), 2)
    blade = stencil(SIZE, [points("388,660 412,660 408,960 400,985 392,960")])
    hilt = stencil(SIZE, [limb((330, 655), (470, 655), 9, 9), limb((400, 650), (400, 570), 9, 8), disc(400, 556, 18)])
    image = lighten(image, soft(blade, 12), (255, 200, 120), 0.8)
    image = relief(image, blade, (226, 226, 236), (-0.7, -0.2), 8, 0.3)
    image = relief(image, hilt, (206, 160, 70), (-0.6, -0.6), 8, 0.25)
    image = scenery.flakes(image, 150, 4, (255, 150, 50), 3)
    image = darken(image, ramp(SIZE, 880, 1060), 0.9)
    image = names(image, film.cast, 40, (255, 236, 206), 19)
    gold = gradient(
        SIZE, [(0.8, (255, 244, 200)), (0.855, (230, 170, 70)), (0.865, (150, 84, 20)), (0.9, (255, 220, 140))]
    )
    image = write(image, "KINGDOM OF", (400, 975), 30, gold, spacing=44, bold=2)
    image = write(image, "EMBERS", (400, 1034), 80, gold, width=640, bold=4, spacing=8, glow=(170, 60, 10))
    image = write(image, film.tagline, (400, 1094), 16, (236, 200, 170), spacing=12)
    return vignette(billing(image, film.credits, 1122, (200, 170, 150)), 0.5)
