"""Posters of far places: desert, sea, space."""

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
from posterbot.sample.shapes import curve, disc, limb, place, points, stencil

SIZE = 800, 1200


def the_long_noon(film: Film) -> Image.Image:
    """A huge sun, dunes, and a man with a long shadow."""
    image = gradient(SIZE, [(0, (190, 70, 24)), (0.35, (244, 150, 50)), (0.62, (255, 214, 130)), (1, (120, 50, 20))])
    image = scenery.clouds(image, (255, 190, 100), 5, cover=0.4, stretch=5)
    sun = stencil(SIZE, [disc(400, 500, 240)])
    image = tint(
        lighten(image, spot(SIZE, (400, 500), 520), (255, 210, 120), 0.7),
        soft(sun, 2),
        gradient(SIZE, [(0.2, (255, 246, 210)), (0.62, (255, 120, 50))]),
    )
    image = scenery.mountains(image, 720, 70, (150, 70, 40), 4, haze=(255, 190, 110), roughness=0.4)
    ripples = fractal(SIZE, 50, 9, 5, 5)
    for number, (y, colour) in enumerate(((725, (226, 140, 64)), (800, (190, 96, 40)), (930, (130, 56, 24)))):
        dune = stencil(
            SIZE,
            [
                curve(
                    [
                        (-60, y + 40),
                        (150, y - 10 * number),
                        (420, y + 34),
                        (640, y - 16),
                        (870, y + 26),
                        (870, 1400),
                        (-60, 1400),
                    ],
                    10,
                )
            ],
        )
        image = relief(image, dune, colour, (0.3, -0.8), 60, 0.45, ripples * 0.5)
    man = stencil(SIZE, place(figures.person(figures.WALK, coat=True, hat=True), 400, 880, 420))
    shadow = stencil(SIZE, [points("380,872 420,872 520,1200 300,1200")])
    image = darken(image, soft(shadow, 9), 0.55)
    image = rim(tint(image, man, (36, 14, 10)), man, (255, 190, 90), (4, -4), 2)
    image = names(image, film.cast, 50, (255, 244, 220), 26)
    image = write(image, "THE LONG NOON", (400, 180), 92, (70, 20, 8), width=690, bold=3, spacing=4)
    image = write(image, film.tagline, (400, 262), 20, (90, 30, 12), spacing=10)
    return vignette(billing(image, film.credits, 1092, (255, 220, 170)), 0.45)


def the_salt_wind(film: Film) -> Image.Image:
    """A ship under storm clouds and lightning; the captain's face in the sky."""
    image = gradient(SIZE, [(0, (16, 26, 34)), (0.4, (60, 84, 92)), (0.62, (190, 190, 160)), (1, (8, 18, 24))])
    captain = face(
        Look(
            style="hat",
            skin=(210, 176, 150),
            cloth=(30, 40, 48),
            beard=0.95,
            hair=(90, 84, 78),
            side=1,
            contrast=0.75,
            background=(40, 56, 62),
        )
    )
    image = Image.blend(image, mount(image, captain, 400, 380, 1.3, 0.55), 0.85)
    image = scenery.clouds(image, (20, 32, 40), 21, cover=0.5, cell=340, stretch=1.6)
    image = scenery.clouds(image, (190, 200, 190), 22, cover=0.22, cell=240, stretch=2.4)
    bolt = [
        limb(a, b, 2.4, 1.5)
        for a, b in (
            ((610, 150), (570, 300)),
            ((570, 300), (612, 380)),
            ((612, 380), (570, 520)),
            ((570, 520), (596, 640)),
            ((612, 380), (668, 470)),
        )
    ]
    flash = stencil(SIZE, bolt)
    image = lighten(lighten(image, soft(flash, 26), (170, 210, 255)), flash, (255, 255, 255))
    image = scenery.water(
        image, 800, [(0, (6, 20, 28)), (0.45, (30, 66, 76)), (0.75, (120, 156, 156)), (1, (236, 244, 236))], 14
    )
    boat = stencil(SIZE, place(figures.ship(), 380, 858, 400))
    image = relief(image, boat, (54, 44, 38), (0.7, -0.5), 12, 0.2, fractal(SIZE, 50, 4, 5))
    sails = stencil(SIZE, place(figures.ship()[2:], 380, 858, 400))
    image = rim(
        relief(image, sails, (190, 176, 150), (0.7, -0.5), 18, 0.25, fractal(SIZE, 60, 6, 5)),
        boat,
        (255, 250, 220),
        (4, -3),
        2,
    )
    crest = scenery.ridge(SIZE, 930, 80, 15, 0.55)
    wave = fractal(SIZE, 70, 16, 6, 2.6)
    image = relief(image, crest, (24, 58, 68), (0.4, -0.7), 30, 0.35, wave * 3)
    image = lighten(image, crest * np.clip((wave - 0.62) * 5, 0, 1) * (1 - ramp(SIZE, 900, 1100)), (235, 245, 240), 0.8)
    image = scenery.rain(darken(image, ramp(SIZE, 930, 1160), 0.75), 0.25, 3)
    image = names(image, film.cast, 40, (240, 244, 236), 20)
    image = write(image, "THE SALT WIND", (400, 1000), 90, (246, 242, 226), width=700, bold=3, shadow=0.9)
    image = write(image, film.tagline, (400, 1072), 18, (214, 220, 206), spacing=14)
    return vignette(billing(image, film.credits, 1105, (190, 200, 194)), 0.55)


def perihelion(film: Film) -> Image.Image:
    """A burning planet, a rocket's trail, an astronaut adrift."""
    image = gradient(SIZE, [(0, (3, 4, 14)), (0.5, (12, 18, 46)), (1, (4, 4, 12))])
    image = lighten(image, fractal(SIZE, 380, 6, 7) ** 3, (80, 60, 190), 0.8)
    image = lighten(image, fractal(SIZE, 300, 8, 7) ** 4, (220, 70, 110), 0.8)
    image = scenery.stars(image, 900, 5)
    fire = [(0, (50, 8, 4)), (0.4, (190, 50, 14)), (0.65, (255, 150, 50)), (1, (255, 244, 190))]
    image = scenery.ball(image, 400, 660, 330, fire, 3, (-0.55, -0.7), halo=(255, 130, 50))
    image = scenery.ball(image, 655, 300, 66, [(0, (60, 70, 80)), (1, (200, 210, 220))], 9, (-0.3, 0.7))
    image = lighten(image, spot(SIZE, (215, 395), 250, 0.16), (255, 240, 220), 0.9)
    trail = stencil(SIZE, [points("96,1000 112,1010 505,408 495,402")])
    image = lighten(
        lighten(image, soft(trail, 12), (255, 180, 90), 1.0),
        soft(trail, 2) * (1 - ramp(SIZE, 420, 1000)),
        (255, 250, 230),
    )
    rocket = stencil(
        SIZE, [curve(place([points("0,-60 12,-30 13,20 22,44 8,36 -8,36 -22,44 -13,20 -12,-30")], 508, 388, 1)[0], 6)]
    )
    image = relief(image, rocket, (230, 230, 236), (-0.7, -0.4), 10, 0.2)
    suit = stencil(SIZE, place(figures.astronaut(), 395, 900, 430))
    image = relief(image, suit, (226, 226, 232), (-0.6, -0.6), 26, 0.1, fractal(SIZE, 40, 2, 5))
    visor = stencil(SIZE, [disc(405, 537, 40, 44)])
    image = tint(
        image,
        visor,
        gradient(SIZE, [(0.41, (20, 24, 40)), (0.45, (255, 170, 60)), (0.475, (60, 16, 10)), (1, (10, 6, 10))]),
    )
    image = lighten(image, stencil(SIZE, [disc(390, 515, 9, 14, 0.5)]), (255, 255, 255), 0.8)
    image = rim(image, suit, (255, 180, 90), (5, 4), 3)
    image = darken(image, ramp(SIZE, 860, 1080), 0.85)
    image = names(image, film.cast, 44, (230, 236, 255), 19)
    image = write(
        image, "PERIHELION", (400, 1000), 66, (255, 246, 230), width=690, bold=1, spacing=34, glow=(255, 110, 30)
    )
    image = write(image, film.tagline, (400, 1066), 17, (220, 214, 220), spacing=14)
    image = billing(image, film.credits, 1098, (170, 176, 200))
    return write(image, "IN CINEMAS NOVEMBER 8", (400, 1178), 15, (255, 190, 110), spacing=40, bold=1)


def station_nine(film: Film) -> Image.Image:
    """A ring station over a blue planet, a helmeted face in the dark."""
    image = gradient(SIZE, [(0, (2, 4, 10)), (1, (8, 20, 34))])
    image = scenery.stars(lighten(image, fractal(SIZE, 420, 15, 7) ** 3, (30, 120, 140), 0.8), 800, 9)
    crew = face(
        Look(style="short", skin=(200, 214, 216), cloth=(150, 158, 164), side=-1, contrast=0.9, background=(6, 10, 16))
    )
    image = Image.blend(image, mount(image, crew, 400, 350, 1.15, 0.4), 0.9)
    glass = stencil(SIZE, [disc(400, 330, 205, 232)])
    edge = np.clip(glass - stencil(SIZE, [disc(400, 330, 192, 220)]), 0, 1)
    image = lighten(image, soft(edge, 3) * 1.2, (130, 220, 240), 0.9)
    image = lighten(image, soft(stencil(SIZE, [disc(300, 240, 26, 74, 0.4)]), 8), (190, 240, 255), 0.4)
    sea = [(0, (8, 30, 70)), (0.5, (30, 100, 150)), (0.62, (190, 214, 220)), (1, (255, 255, 255))]
    image = scenery.ball(image, 400, 1420, 640, sea, 5, (-0.2, -0.9), halo=(70, 170, 255))
    for tilt, radius in ((-0.25, 235), (-0.25, 150)):
        ring = stencil(SIZE, [disc(400, 745, radius, radius * 0.34, tilt)]) - stencil(
            SIZE, [disc(400, 745, radius * 0.88, radius * 0.27, tilt)]
        )
        image = relief(image, np.clip(ring, 0, 1), (196, 204, 210), (-0.5, -0.7), 10, 0.15, fractal(SIZE, 16, 3, 3))
    hub = stencil(
        SIZE, [limb((385, 655), (425, 835), 22, 16), limb((190, 800), (610, 690), 8, 8), disc(400, 742, 48, 40)]
    )
    image = relief(image, hub, (210, 214, 218), (-0.6, -0.6), 14, 0.15, fractal(SIZE, 20, 8, 3))
    random = np.random.default_rng(4)
    lights = stencil(
        SIZE,
        [
            disc(float(400 + 222 * np.cos(a)), float(745 + 222 * 0.34 * np.sin(a) - 55 * np.cos(a)), 2.2)
            for a in random.uniform(0, 6.3, 40)
        ],
    )
    image = lighten(lighten(image, soft(lights, 5) * 3, (255, 190, 80)), lights, (255, 240, 200))
    image = darken(image, ramp(SIZE, 900, 1140), 0.8)
    image = names(image, film.cast, 48, (210, 236, 240), 22)
    image = write(
        image, "STATION NINE", (400, 985), 74, (236, 250, 255), width=690, bold=4, spacing=12, glow=(20, 110, 150)
    )
    image = write(image, film.tagline, (400, 1062), 20, (255, 190, 90), spacing=14)
    return billing(image, film.credits, 1098, (170, 196, 206))
