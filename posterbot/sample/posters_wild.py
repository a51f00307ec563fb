"""Posters of the wild: mountain, forest, frontier, front."""

from __future__ import annotations

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
    vignette,
)
from posterbot.sample.shapes import box, curve, disc, limb, place, points, stencil

SIZE = 800, 1200


def above_the_last_camp(film: Film) -> Image.Image:
    """A moonlit peak, two climbers on a ridge, ice and blue air."""
    image = gradient(SIZE, [(0, (10, 20, 50)), (0.4, (40, 90, 140)), (0.7, (180, 214, 230)), (1, (230, 240, 246))])
    image = scenery.stars(image, 400, 2)
    image = scenery.ball(
        image, 590, 270, 105, [(0, (150, 156, 160)), (1, (250, 248, 236))], 4, (-0.2, 0.6), halo=(190, 220, 255)
    )
    image = scenery.clouds(image, (226, 238, 246), 8, cover=0.3, stretch=4)
    image = scenery.mountains(image, 820, 520, (150, 176, 206), 12, haze=(190, 216, 234), roughness=0.46, scale=0.6)
    image = scenery.mountains(image, 960, 300, (96, 124, 160), 22, haze=(220, 234, 244), roughness=0.5)
    image = tint(image, fractal(SIZE, 300, 5, 6, 3) * ramp(SIZE, 720, 900), (236, 244, 250), 0.9)
    snow = stencil(SIZE, [curve(points("-60,1010 120,990 300,930 470,880 600,905 860,1060 860,1400 -60,1400"), 8)])
    image = relief(image, snow, (206, 222, 240), (0.6, -0.6), 70, 0.3, fractal(SIZE, 60, 7, 6, 3))
    for x, y, size, pose in ((455, 896, 250, figures.WIDE), (300, 946, 205, figures.WALK)):
        climber = place([*figures.person(pose, hair=True), box(-0.17, -0.84, -0.06, -0.5)], x, y, size)
        image = rim(
            relief(image, stencil(SIZE, climber), (196, 40, 30), (0.6, -0.5), 12, 0.15),
            stencil(SIZE, climber),
            (255, 240, 220),
            (3, -3),
            2,
        )
    image = tint(image, stencil(SIZE, [limb((430, 770), (310, 835), 1.2, 1.2)]), (20, 20, 30))
    image = scenery.flakes(image, 160, 6)
    image = names(image, film.cast, 48, (255, 255, 255), 22)
    image = write(image, "ABOVE THE", (400, 150), 40, (255, 255, 255), spacing=40, bold=1)
    image = write(image, "LAST CAMP", (400, 222), 78, (255, 255, 255), width=660, bold=4, spacing=6, shadow=0.4)
    image = write(image, film.tagline, (400, 1062), 22, (10, 24, 60), spacing=10, bold=1)
    image = laurel(image, ("WINNER", "PEAKS FESTIVAL"), (120, 1010), (30, 50, 90))
    return vignette(billing(image, film.credits, 1096, (10, 24, 60)), 0.35)


def the_hollow_wood(film: Film) -> Image.Image:
    """A child with a lantern before a forest that has eyes."""
    image = gradient(SIZE, [(0, (8, 18, 20)), (0.45, (70, 110, 104)), (0.7, (160, 180, 150)), (1, (6, 12, 12))])
    image = lighten(image, spot(SIZE, (400, 560), 420), (220, 230, 190), 0.6)
    rows = [(820, 520, (92, 128, 118)), (880, 640, (56, 88, 82)), (960, 800, (28, 48, 46))]
    image = scenery.forest(image, rows, 3, (170, 196, 176))
    trunks = (
        scenery.bare_tree(70, 1180, 1500, 5)
        + scenery.bare_tree(740, 1180, 1500, 17)
        + scenery.bare_tree(640, 1000, 900, 8)
    )
    image = tint(image, stencil(SIZE, trunks), (6, 10, 12))
    beast = stencil(
        SIZE,
        place(
            [
                *figures.bust(),
                *[limb((s * 0.1, -0.95), (s * 0.3, -1.25), 0.03, 0.01) for s in (-1, 1)],
                *[limb((s * 0.22, -1.12), (s * 0.42, -1.2), 0.02, 0.008) for s in (-1, 1)],
            ],
            400,
            900,
            520,
        ),
    )
    image = tint(image, soft(beast, 9), (10, 18, 20), 0.78)
    eyes = stencil(SIZE, [disc(366, 470, 9, 5, 0.2), disc(434, 470, 9, 5, -0.2)])
    image = lighten(lighten(image, soft(eyes, 8), (255, 230, 140)), eyes, (255, 250, 220))
    ground = scenery.ridge(SIZE, 960, 40, 4, 0.6, 3)
    image = tint(image, ground, (6, 10, 10))
    girl = place(figures.person(figures.STAND, dress=True, hair=True), 400, 985, 300)
    image = lighten(image, spot(SIZE, (455, 870), 260), (255, 180, 80), 0.85)
    image = relief(image, stencil(SIZE, girl), (150, 24, 26), (0.8, 0.0), 16, 0.12, fractal(SIZE, 60, 3, 5, 0.4))
    lamp = stencil(SIZE, [box(446, 852, 464, 880)])
    image = lighten(lighten(image, soft(lamp, 12), (255, 190, 90)), lamp, (255, 250, 220))
    image = tint(
        image,
        fractal(SIZE, 260, 9, 5, 3) ** 2 * ramp(SIZE, 700, 950) * (1 - ramp(SIZE, 980, 1100)),
        (200, 214, 190),
        0.6,
    )
    image = darken(image, ramp(SIZE, 940, 1010), 0.9)
    image = names(image, film.cast, 44, (240, 244, 230), 25)
    image = write(image, film.tagline.upper(), (400, 124), 17, (214, 40, 36), spacing=40, bold=2)
    image = write(image, "THE HOLLOW WOOD", (400, 1030), 74, (246, 240, 224), width=700, bold=3, shadow=0.9)
    image = billing(image, film.credits, 1086, (206, 212, 200))
    return write(image, "OCTOBER 31", (400, 1176), 19, (214, 40, 36), bold=3, spacing=24)


def gallows_creek(film: Film) -> Image.Image:
    """Western: a rider at sundown, three faces above, wood-type title."""
    image = gradient(SIZE, [(0, (236, 196, 120)), (0.4, (240, 140, 50)), (0.7, (170, 50, 26)), (1, (40, 14, 10))])
    image = scenery.clouds(image, (130, 44, 30), 7, cover=0.4, stretch=4)
    hero = face(
        Look(
            style="hat",
            skin=(226, 160, 110),
            cloth=(96, 60, 36),
            hair=(60, 36, 24),
            beard=0.9,
            side=1,
            contrast=0.75,
            background=(150, 80, 40),
        )
    )
    lady = face(
        Look(
            style="long",
            skin=(236, 180, 140),
            cloth=(120, 30, 26),
            hair=(40, 22, 16),
            lips=(180, 40, 36),
            wide=0.93,
            side=1,
            contrast=0.6,
            background=(150, 80, 40),
        )
    )
    villain = face(
        Look(
            style="hat",
            skin=(190, 130, 96),
            cloth=(30, 24, 24),
            hair=(20, 16, 14),
            beard=0.5,
            side=-1,
            contrast=0.85,
            background=(150, 80, 40),
            seed=5,
        )
    )
    image = mount(image, lady, 175, 440, 0.85, 0.5)
    image = mount(image, villain, 640, 440, 0.85, 0.5)
    image = mount(image, hero, 405, 390, 1.2, 0.4)
    image = lighten(image, spot(SIZE, (400, 760), 330, 0.7), (255, 200, 90), 0.8)
    image = scenery.mountains(image, 850, 110, (120, 44, 30), 31, haze=(230, 120, 50), roughness=0.35)
    ground = scenery.ridge(SIZE, 890, 22, 3, 0.6, 3)
    image = relief(image, ground, (70, 28, 16), (0.2, -0.8), 30, 0.4, fractal(SIZE, 60, 4, 6, 4))
    tree = scenery.bare_tree(690, 900, 330, 21)
    rider = stencil(SIZE, place(figures.horse_and_rider(), 330, 898, 190) + tree)
    image = rim(tint(image, rider, (22, 8, 8)), rider, (255, 190, 80), (3, -2), 2)
    image = grade(image, [(0, (24, 8, 8)), (0.5, (200, 96, 44)), (1, (255, 240, 190))], 0.35)
    image = names(image, film.cast, 44, (70, 20, 10), 24)
    image = write(image, "GALLOWS CREEK", (400, 990), 104, (255, 226, 150), width=710, bold=6, shadow=0.9)
    image = write(image, film.tagline, (400, 1070), 22, (255, 214, 150), slant=0.15, bold=1)
    return billing(image, film.credits, 1106, (226, 180, 130))


def iron_winter(film: Film) -> Image.Image:
    """War: a soldier's face, a column of men in the snow, steel lettering."""
    image = gradient(SIZE, [(0, (60, 66, 70)), (0.6, (190, 196, 196)), (1, (60, 62, 64))])
    image = scenery.clouds(image, (46, 50, 54), 4, cover=0.55, stretch=1.8)
    soldier = face(
        Look(
            style="helmet",
            skin=(200, 178, 160),
            cloth=(86, 88, 76),
            hair=(70, 62, 54),
            beard=0.8,
            side=-1,
            contrast=0.8,
            background=(90, 94, 96),
        )
    )
    image = mount(image, soldier, 400, 450, 1.5, 0.4)
    image = tint(image, fractal(SIZE, 320, 3, 6, 2) * ramp(SIZE, 560, 820), (206, 212, 212), 0.95)
    image = lighten(image, spot(SIZE, (180, 800), 170), (255, 150, 60), 0.5)
    snow = scenery.ridge(SIZE, 900, 40, 6, 0.5)
    image = relief(image, snow, (196, 202, 204), (-0.4, -0.7), 40, 0.45, fractal(SIZE, 60, 2, 6, 3))
    for x, y, size, pose in (
        (110, 905, 130, figures.WALK),
        (190, 900, 145, figures.RUN),
        (300, 905, 170, figures.WALK),
        (430, 915, 205, figures.AIM),
        (600, 925, 225, figures.WALK),
        (705, 915, 180, figures.WIDE),
    ):
        man = place(
            [
                *figures.person(pose, coat=True),
                *place([points("-0.07,-0.94 0.07,-0.94 0.04,-1.01 -0.04,-1.01")], 0.0, 0.0, 1.0),
                limb((-0.16, -0.55), (0.2, -0.78), 0.012, 0.008),
            ],
            x,
            y,
            size,
        )
        image = tint(image, stencil(SIZE, man), (26, 28, 30))
    image = grade(image, [(0, (12, 16, 20)), (0.5, (116, 122, 122)), (1, (244, 244, 236))], 0.7)
    image = scenery.flakes(image, 260, 8, size=5)
    image = darken(image, ramp(SIZE, 880, 1080), 0.88)
    image = write(image, film.tagline.upper(), (400, 62), 20, (250, 246, 236), spacing=36)
    steel = gradient(
        SIZE, [(0.78, (250, 250, 250)), (0.82, (150, 156, 160)), (0.84, (236, 238, 240)), (0.87, (110, 116, 120))]
    )
    image = write(image, "IRON WINTER", (400, 995), 100, steel, width=700, bold=5, spacing=2, shadow=0.9)
    image = write(image, "  ·  ".join(film.cast).upper(), (400, 1075), 16, (220, 60, 50), bold=1, spacing=8)
    return billing(image, film.credits, 1106, (190, 194, 194))
