"""Posters of the night: city, noir, haunted house, heist, spy, thriller."""

from __future__ import annotations

import numpy as np
from PIL import Image

from posterbot.sample import figures, scenery
from posterbot.sample.faces import Look, face, mount
from posterbot.sample.films import Film
from posterbot.sample.lettering import billing, laurel, names, write
from posterbot.sample.paint import (
    Colour,
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
from posterbot.sample.shapes import box, curve, disc, place, points, stencil

SIZE = 800, 1200


def neon_harbour(film: Film) -> Image.Image:
    """A hero's face over a neon skyline and a wet street with a lone walker."""
    image = gradient(
        SIZE, [(0, (14, 8, 40)), (0.4, (70, 18, 96)), (0.62, (232, 62, 120)), (0.75, (30, 12, 50)), (1, (4, 4, 14))]
    )
    image = scenery.clouds(image, (20, 10, 50), 4, cover=0.6)
    hero = face(
        Look(
            skin=(206, 150, 170),
            hair=(24, 14, 40),
            cloth=(26, 18, 48),
            side=1,
            contrast=0.9,
            beard=0.4,
            background=(20, 8, 40),
        )
    )
    image = mount(image, hero, 400, 430, 1.25, fade=0.5)
    image = lighten(image, ramp(SIZE, 430, 700) * (1 - ramp(SIZE, 700, 860)), (255, 60, 130), 0.45)
    image = scenery.skyline(image, 870, 300, (28, 10, 52), [(255, 90, 170), (110, 220, 255)], 5, 0.25)
    image = scenery.skyline(image, 900, 190, (10, 6, 26), [(255, 196, 90), (90, 240, 255), (255, 70, 160)], 9, 0.4)
    for x, y, colour in ((120, 700, (255, 60, 160)), (660, 660, (60, 230, 255)), (560, 770, (255, 210, 60))):
        sign = stencil(SIZE, [box(x, y, x + 12, y + 96), box(x + 22, y, x + 30, y + 60)])
        image = lighten(lighten(image, soft(sign, 14), colour), sign, (255, 255, 255), 0.9)
    street = image.crop((0, 560, 800, 900)).transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((800, 320))
    image.paste(street, (0, 890))
    image = darken(image, ramp(SIZE, 880, 905) * fractal(SIZE, 40, 3, 4, 5), 0.9)
    walker = stencil(SIZE, place(figures.person(figures.WALK, coat=True, hat=True), 640, 884, 190))
    image = rim(tint(image, walker, (4, 3, 10)), walker, (90, 240, 255), (4, 1), 2)
    image = scenery.rain(image, 0.35, 6)
    image = names(image, film.cast, 44, (255, 226, 240))
    image = write(image, "NEON", (400, 905), 96, (255, 240, 250), width=640, bold=3, spacing=6, glow=(255, 40, 140))
    image = write(
        image, "HARBOUR", (400, 1000), 62, (230, 255, 255), width=640, bold=2, spacing=10, glow=(30, 200, 255)
    )
    image = write(image, film.tagline, (400, 1062), 17, (255, 200, 226), spacing=12)
    return vignette(billing(darken(image, ramp(SIZE, 1040, 1180), 0.8), film.credits, 1095, (220, 190, 220)), 0.5)


def the_quiet_witness(film: Film) -> Image.Image:
    """Film noir: a half-lit face under a hat behind the shadow of blinds, a red title."""
    image = gradient(SIZE, [(0, (30, 30, 32)), (0.5, (96, 94, 90)), (1, (12, 12, 12))])
    image = lighten(image, spot(SIZE, (250, 420), 520), (220, 215, 200), 0.5)
    image = mount(
        image,
        face(Look(style="hat", cloth=(52, 52, 54), side=-1, contrast=0.96, beard=0.25, background=(40, 40, 40))),
        420,
        560,
        1.55,
        fade=0.3,
    )
    blinds = [points(f"-50,{y} 850,{y - 120} 850,{y - 94} -50,{y + 26}") for y in range(60, 1300, 58)]
    image = darken(image, soft(stencil(SIZE, blinds), 3), 0.62)
    woman = stencil(SIZE, place([figures.profile(woman=True)], 130, 1020, 330))
    image = relief(image, woman, (120, 116, 112), (0.8, -0.3), 26, 0.1)
    image = grade(image, [(0, (8, 8, 12)), (0.5, (112, 104, 96)), (1, (250, 240, 220))], 0.9)
    image = darken(image, ramp(SIZE, 760, 1080), 0.85)
    image = write(image, "VICTOR MAINE", (60, 60), 30, (250, 236, 200), align="left", bold=2)
    image = write(image, "LOLA VERNE", (740, 60), 30, (250, 236, 200), align="right", bold=2)
    image = write(image, "THE QUIET", (400, 850), 84, (214, 30, 30), width=520, bold=4, slant=0.2, turn=4, shadow=0.9)
    image = write(image, "WITNESS", (400, 960), 118, (214, 30, 30), width=690, bold=5, slant=0.2, turn=4, shadow=0.9)
    image = write(image, film.tagline, (400, 1056), 22, (250, 236, 200), slant=0.2, bold=1)
    return billing(image, film.credits, 1100, (220, 210, 190))


def house_of_ash(film: Film) -> Image.Image:
    """Horror: the house on the hill, one window lit, a face in the smoke above it."""
    image = gradient(
        SIZE, [(0, (6, 8, 12)), (0.35, (28, 42, 50)), (0.62, (150, 64, 26)), (0.8, (40, 12, 8)), (1, (4, 2, 2))]
    )
    ghost = face(
        Look(
            skin=(186, 190, 190),
            hair=(20, 20, 22),
            lips=(80, 60, 60),
            iris=(180, 180, 180),
            style="long",
            side=-1,
            contrast=0.6,
            background=(10, 12, 16),
        )
    )
    image = Image.blend(image, mount(image, ghost, 400, 350, 1.25, fade=0.5), 0.62)
    image = scenery.clouds(image, (12, 16, 20), 12, cover=0.62, stretch=1.2)
    image = lighten(image, spot(SIZE, (420, 800), 420, 0.6), (255, 120, 40), 0.75)
    hill = stencil(SIZE, [curve(points("-60,1000 140,930 330,850 520,848 700,920 860,980 860,1300 -60,1300"), 8)])
    home = stencil(SIZE, place(figures.house(), 425, 870, 310))
    trees = stencil(SIZE, scenery.bare_tree(110, 985, 430, 3) + scenery.bare_tree(700, 965, 380, 11))
    for mask in (hill, home, trees):
        image = tint(image, mask, (8, 5, 6))
    image = rim(image, home, (255, 120, 50), (-3, -2), 2)
    windows = [box(480, 700, 500, 732), box(360, 760, 384, 792), box(455, 770, 479, 800), box(410, 830, 436, 870)]
    glass = stencil(SIZE, windows)
    image = lighten(lighten(image, soft(glass, 14), (255, 140, 40)), glass, (255, 220, 120))
    child = stencil(SIZE, place(figures.person(dress=True, hair=True), 300, 955, 96))
    image = tint(image, child, (4, 2, 2))
    image = scenery.flakes(image, 90, 7, (255, 150, 70), 3)
    image = write(image, film.tagline.upper(), (400, 70), 19, (220, 200, 180), spacing=22)
    image = write(image, "HOUSE OF", (400, 1000), 40, (240, 226, 210), spacing=60)
    burnt = gradient(SIZE, [(0, (255, 240, 200)), (0.86, (255, 226, 150)), (0.91, (200, 40, 16)), (1, (90, 10, 8))])
    image = write(image, "ASH", (400, 1078), 92, burnt, width=560, bold=5, glow=(150, 40, 10))
    return vignette(billing(image, film.credits, 1138, (170, 150, 140)), 0.7)


def six_keys(film: Film) -> Image.Image:
    """Heist: the line-up against a height chart, hard light, a yellow title."""
    image = gradient(SIZE, [(0, (26, 36, 40)), (0.6, (120, 150, 140)), (1, (24, 30, 30))])
    image = darken(image, fractal(SIZE, 200, 8, 6), 0.35)
    for number in range(9):
        y = 220 + number * 75
        image = darken(image, stencil(SIZE, [box(0, y, 800, y + 3)]), 0.5)
        image = write(image, f"{200 - number * 10}", (36, y - 14), 14, (20, 26, 26))
    image = lighten(image, scenery.rays(SIZE, 400, -60, 70, 4), (250, 244, 200), 0.5)
    crew: tuple[tuple[int, int, figures.Pose, dict[str, bool], Colour], ...] = (
        (95, 560, figures.ARMS_FOLDED, {"coat": True}, (70, 60, 54)),
        (705, 580, figures.WIDE, {}, (52, 60, 84)),
        (230, 620, figures.POCKETS, {"hat": True}, (44, 46, 52)),
        (572, 600, figures.STAND, {"dress": True, "hair": True}, (150, 30, 40)),
        (345, 600, figures.STAND, {"hair": True}, (34, 34, 40)),
        (462, 670, figures.POCKETS, {"coat": True, "hat": True}, (96, 84, 62)),
    )
    for number, (x, height, pose, wear, colour) in enumerate(crew):
        body = stencil(SIZE, place(figures.person(pose, **wear), x, 930, height))
        image = darken(image, np.roll(soft(body, 14), (10, 26), (0, 1)), 0.5)
        image = relief(image, body, colour, (-0.5, -0.7), 22, 0.16, fractal(SIZE, 60, number, 5, 0.5))
        skin = stencil(SIZE, place(figures.person(pose)[:2], x, 930, height))
        image = relief(image, skin, (214, 166, 136), (-0.5, -0.7), 16, 0.2)
        if wear.get("hat"):
            image = relief(
                image, stencil(SIZE, place(figures.person(hat=True)[-2:], x, 930, height)), colour, (-0.5, -0.7), 8, 0.2
            )
        image = rim(image, body, (255, 240, 190), (-4, -4), 2)
    image = darken(image, ramp(SIZE, 760, 960), 0.9)
    image = names(image, film.cast, 44, (255, 250, 230), 19)
    image = write(image, "SIX KEYS", (400, 975), 128, (250, 204, 30), width=690, bold=6, shadow=0.8)
    image = write(image, film.tagline.upper(), (400, 1070), 19, (250, 250, 240), spacing=20)
    return vignette(billing(image, film.credits, 1110, (200, 206, 196)), 0.45)


def the_zurich_file(film: Film) -> Image.Image:
    """Spy film: an agent walking out of a spiral of light, red and white, a woman's profile."""
    image = gradient(SIZE, [(0, (196, 20, 26)), (1, (110, 6, 16))])
    for number in range(9, 0, -1):
        ring = stencil(SIZE, [disc(400 + number * 6, 520 - number * 5, number * 62)])
        image = relief(image, ring, (236, 228, 214) if number % 2 else (190, 22, 28), (-0.6, -0.6), 14, 0.5)
    woman = stencil(SIZE, place([figures.profile(woman=True)], 250, 880, 620))
    image = relief(image, woman, (34, 14, 20), (0.85, -0.3), 46, 0.1, fractal(SIZE, 90, 5, 6, 0.4))
    image = rim(image, woman, (255, 190, 150), (6, -3), 4)
    man = place(figures.person(figures.AIM), 520, 920, 600)
    body = stencil(SIZE, man)
    image = darken(image, np.roll(soft(body, 16), (14, 24), (0, 1)), 0.5)
    image = relief(image, body, (26, 28, 36), (-0.7, -0.5), 22, 0.15, fractal(SIZE, 70, 2, 5, 0.5))
    image = relief(image, stencil(SIZE, [*man[:2], man[8]]), (216, 168, 138), (-0.7, -0.5), 18, 0.25)
    shirt = stencil(SIZE, [points("500,438 540,438 520,540")])
    image = tint(
        tint(image, shirt, (240, 238, 230)),
        stencil(SIZE, [points("516,440 524,440 527,520 520,536 513,520")]),
        (20, 20, 24),
    )
    gun = stencil(SIZE, [box(716, 420, 778, 433), box(716, 424, 732, 456)])
    image = relief(image, gun, (50, 50, 56), (-0.5, -0.7), 5, 0.3)
    image = darken(image, np.maximum(ramp(SIZE, 830, 1040), 1 - ramp(SIZE, 0, 190)), 0.9)
    image = names(image, film.cast, 50, (255, 246, 230), 24)
    image = write(image, "THE", (120, 935), 26, (255, 255, 255), bold=2)
    image = write(image, "ZURICH FILE", (400, 1000), 96, (255, 255, 255), width=690, bold=4, slant=0.15, shadow=0.6)
    image = write(image, film.tagline, (680, 1072), 20, (250, 200, 60), align="right", slant=0.2)
    return billing(image, film.credits, 1112, (220, 190, 186))


def the_understudy(film: Film) -> Image.Image:
    """Thriller: two faces of one woman, split by a torn edge, in cold and in warm light."""
    cold = face(
        Look(
            skin=(206, 206, 216),
            hair=(30, 26, 34),
            style="bob",
            side=-1,
            contrast=0.55,
            wide=0.95,
            background=(22, 34, 48),
            cloth=(20, 26, 40),
        )
    )
    warm = face(
        Look(
            skin=(244, 186, 140),
            hair=(150, 70, 26),
            style="long",
            side=1,
            contrast=0.55,
            wide=0.95,
            lips=(196, 30, 40),
            background=(70, 12, 12),
            cloth=(110, 14, 24),
        )
    )
    image = mount(gradient(SIZE, [(0, (30, 46, 66)), (1, (6, 10, 16))]), cold, 400, 560, 1.75, 0.15)
    image = grade(image, [(0, (2, 6, 14)), (0.5, (70, 100, 126)), (1, (226, 240, 250))], 0.6)
    other = mount(gradient(SIZE, [(0, (110, 20, 16)), (1, (20, 2, 4))]), warm, 400, 560, 1.75, 0.15)
    random = np.random.default_rng(8)
    edge = [(410 + float(random.normal(0, 9)), y) for y in range(-10, 1220, 14)]
    torn = stencil(SIZE, [[*edge, (820, 1210), (820, -10)]])
    paper = stencil(SIZE, [[*((x - 10 + float(random.normal(0, 4)), y) for x, y in edge), (820, 1210), (820, -10)]])
    image = tint(darken(image, soft(paper, 12), 0.8), paper, (236, 230, 220))
    image = tint(image, torn, other)
    image = darken(image, ramp(SIZE, 800, 1050), 0.9)
    image = names(image, film.cast, 60, (255, 246, 240), 26)
    image = write(image, "THE UNDERSTUDY", (400, 960), 74, (255, 252, 246), width=700, bold=2, spacing=6, shadow=0.6)
    image = write(image, film.tagline, (400, 1034), 18, (240, 216, 200), spacing=6)
    image = laurel(
        laurel(image, ("OFFICIAL", "ORSO FESTIVAL"), (270, 830), (240, 232, 220)),
        ("WINNER", "BEST ACTRESS"),
        (530, 830),
        (240, 232, 220),
    )
    image = billing(image, film.credits, 1080, (206, 196, 190))
    return write(image, "MARCH 14", (400, 1176), 18, (226, 40, 40), bold=3, spacing=20)
