"""Posters as a printer made them: geometry, lithograph, painted horror, a picture book."""

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
    soft,
    tint,
    vignette,
)
from posterbot.sample.shapes import box, curve, disc, limb, place, points, stencil

SIZE = 800, 1200


def three_circles(film: Film) -> Image.Image:
    """Three overlapping discs, each with a face in it, on worn paper."""
    image = gradient(SIZE, [(0, (238, 228, 204)), (1, (226, 212, 184))])
    colours = ((206, 52, 40), (28, 92, 116), (232, 172, 52))
    looks = (
        Look(style="bob", wide=0.94, side=1, contrast=0.7, background=(190, 190, 190)),
        Look(style="short", beard=0.6, side=-1, contrast=0.8, background=(190, 190, 190), seed=3),
        Look(style="long", wide=0.92, side=-1, contrast=0.6, background=(190, 190, 190), seed=5),
    )
    for (x, y), colour, look in zip(((290, 330), (515, 520), (300, 715)), colours, looks, strict=True):
        circle = stencil(SIZE, [disc(x, y, 215)])
        sheet = mount(Image.new("RGB", SIZE, (200, 200, 200)), face(look), x, y + 50, 0.95, 0)
        pale = (255, 244, 220)
        image = tint(image, circle, grade(sheet, [(0, (20, 16, 24)), (0.42, colour), (1, pale)]), 0.93)
    image = darken(image, np.clip((fractal(SIZE, 12, 3, 3) - 0.62) * 2, 0, 1), 0.2)
    image = write(image, "THREE", (60, 990), 92, (30, 26, 28), align="left", bold=5)
    image = write(image, "CIRCLES", (60, 1088), 64, (30, 26, 28), align="left", bold=5)
    image = write(image, film.tagline, (740, 985), 18, (206, 52, 40), align="right", bold=1)
    image = write(image, " + ".join(film.cast), (740, 1020), 18, (30, 26, 28), align="right")
    image = write(image, f"{film.director}  {film.year}", (740, 1055), 18, (30, 26, 28), align="right")
    return billing(image, film.credits, 1134, (70, 60, 56))


def le_dernier_carrousel(film: Film) -> Image.Image:
    """A lithograph of the thirties: carousel horse, Eiffel-like tower, cream paper, hand lettering."""
    image = gradient(SIZE, [(0, (20, 54, 84)), (0.5, (60, 120, 140)), (0.72, (240, 190, 110)), (1, (190, 60, 40))])
    image = lighten(image, scenery.rays(SIZE, 400, 640, 40, 9), (255, 226, 150), 0.8)
    singer = face(
        Look(
            style="bob",
            skin=(250, 206, 170),
            hair=(30, 20, 24),
            lips=(206, 26, 36),
            iris=(40, 80, 90),
            cloth=(190, 30, 40),
            wide=0.94,
            side=-1,
            contrast=0.4,
            background=(60, 110, 130),
        )
    )
    image = mount(image, singer, 290, 480, 1.2, 0.4)
    tower = [
        points("600,820 640,560 655,330 660,250 665,330 680,560 720,820 690,820 670,700 650,700 630,820"),
        box(622, 640, 698, 652),
        box(640, 500, 680, 508),
    ]
    image = relief(image, stencil(SIZE, tower), (90, 52, 46), (-0.7, -0.3), 10, 0.4)
    roof = [
        points("60,830 400,640 740,830"),
        curve(points("60,828 130,860 200,828 270,860 340,828 410,860 480,828 550,860 620,828 690,860 740,828 400,780")),
    ]
    image = relief(image, stencil(SIZE, roof[:1]), (200, 40, 36), (-0.5, -0.6), 26, 0.5)
    stripes = [[(400, 642), (60 + k * 97 + 48, 830), (60 + k * 97, 830)] for k in range(7)]
    image = tint(image, stencil(SIZE, stripes), (250, 226, 170), 0.9)
    image = relief(image, stencil(SIZE, roof[1:]), (240, 190, 70), (-0.5, -0.6), 14, 0.5)
    poles = stencil(SIZE, [limb((x, 840), (x, 1010), 5, 5) for x in (190, 400, 610)])
    image = relief(image, poles, (230, 190, 90), (-0.7, 0), 6, 0.4)
    for x, colour in ((190, (240, 230, 210)), (400, (60, 90, 120)), (610, (240, 230, 210))):
        horse = stencil(SIZE, place(figures.horse_and_rider()[:14], x, 1000, 125))
        image = relief(image, horse, colour, (-0.6, -0.6), 10, 0.4)
    image = tint(image, ramp(SIZE, 985, 1010), (246, 230, 190))
    paper = fractal(SIZE, 8, 4, 3)
    image = darken(image, paper, 0.16)
    image = write(image, "Le Dernier", (300, 96), 88, (252, 230, 150), slant=0.25, bold=3, turn=5, shadow=0.5)
    image = write(image, "CARROUSEL", (400, 208), 86, (250, 240, 214), width=690, bold=5, shadow=0.5)
    image = write(image, "GABY MORLAINE", (50, 1050), 36, (180, 30, 30), align="left", bold=3)
    image = write(image, "JEAN TREVOUX", (750, 1050), 30, (24, 54, 84), align="right", bold=2)
    image = write(image, film.tagline, (400, 1104), 26, (60, 40, 30), slant=0.25)
    return write(image, f"mise en scène de {film.director}".replace("è", "e"), (400, 1158), 22, (60, 40, 30), bold=1)


def the_fox_and_the_lighthouse(film: Film) -> Image.Image:
    """Animation: a round, soft fox and an owl under a lighthouse in a starry evening."""
    image = gradient(
        SIZE,
        [(0, (22, 26, 84)), (0.4, (90, 70, 150)), (0.65, (255, 150, 120)), (0.8, (255, 220, 160)), (1, (40, 60, 100))],
    )
    image = scenery.stars(image, 300, 3)
    image = scenery.clouds(image, (255, 190, 170), 9, cover=0.42, stretch=2.5)
    beam = stencil(SIZE, [points("590,305 -60,140 -60,420")])
    image = lighten(image, soft(beam, 16) * (1 - ramp(SIZE, 600, 700, sideways=True)), (255, 240, 170), 0.6)
    image = scenery.water(
        image, 780, [(0, (40, 60, 120)), (0.6, (120, 120, 180)), (1, (255, 220, 190))], 4, (300, (255, 226, 180))
    )
    tower = stencil(SIZE, [points("560,350 632,350 664,860 524,860")])
    image = relief(image, tower, (246, 240, 230), (-0.8, -0.2), 34, 0.4)
    bands = stencil(SIZE, [box(500, y, 700, y + 66) for y in (420, 560, 700)]) * tower
    image = relief(image, bands, (220, 60, 56), (-0.8, -0.2), 20, 0.5)
    cap = stencil(SIZE, [points("552,262 596,214 640,262"), box(544, 344, 650, 360)])
    image = relief(image, cap, (200, 50, 50), (-0.7, -0.5), 14, 0.4)
    lamp = stencil(SIZE, [box(566, 262, 626, 346)])
    image = lighten(lighten(image, soft(lamp, 26) * 2, (255, 230, 120)), lamp, (255, 250, 200))
    cliff = stencil(SIZE, [curve(points("-80,930 90,870 300,880 480,840 640,846 860,870 880,1300 -80,1300"), 8)])
    image = relief(image, cliff, (70, 130, 90), (-0.4, -0.8), 70, 0.4, fractal(SIZE, 40, 6, 6, 0.5) * 1.6)
    image = _fox(image)
    owl = stencil(SIZE, place(figures.owl(), 660, 950, 210))
    image = relief(image, owl, (128, 90, 70), (-0.6, -0.6), 36, 0.35, fractal(SIZE, 16, 3, 3) * 0.8)
    for x in (634, 686):
        image = tint(image, stencil(SIZE, [disc(x, 800, 24)]), (250, 236, 200))
        image = tint(image, stencil(SIZE, [disc(x - 3, 802, 13)]), (20, 16, 20))
        image = lighten(image, stencil(SIZE, [disc(x - 7, 796, 4)]), (255, 255, 255))
    image = tint(image, stencil(SIZE, [points("650,818 670,818 660,842")]), (240, 170, 50))
    image = darken(image, ramp(SIZE, 940, 1100), 0.6)
    image = write(image, "THE FOX", (250, 110), 84, (255, 226, 120), bold=8, turn=3, shadow=0.6)
    image = write(image, "& THE LIGHTHOUSE", (400, 1018), 70, (255, 240, 200), width=700, bold=6, shadow=0.7)
    image = write(image, film.tagline, (400, 1084), 24, (255, 255, 255), bold=1)
    image = names(image, film.cast, 34, (255, 250, 230), 15)
    return billing(image, film.credits, 1118, (226, 226, 236))


def _fox(image: Image.Image) -> Image.Image:
    body = place(figures.fox(), 280, 980, 520)
    fur = fractal(SIZE, 22, 8, 4, 0.5) * 0.7
    for part in (body[4], body[0], body[2], body[3], body[1]):
        mask = stencil(SIZE, [part])
        image = darken(image, soft(mask, 10) * (1 - mask), 0.3)
        image = relief(image, mask, (240, 126, 40), (-0.5, -0.7), 50, 0.4, fur)
    white = [
        curve(place([points("0.1,-0.6 0.24,-0.6 0.4,-0.64 0.26,-0.68 0.12,-0.66")], 280, 980, 520)[0]),
        curve(place([points("0.1,-0.52 0.2,-0.5 0.22,-0.24 0.14,-0.1 0.06,-0.3")], 280, 980, 520)[0]),
        disc(-33, 755, 24, 40, 0.3),
    ]
    image = relief(image, soft(stencil(SIZE, white), 4), (255, 246, 230), (-0.5, -0.7), 18, 0.6, fur)
    image = tint(image, stencil(SIZE, [disc(506, 637, 15, 12)]), (26, 18, 20))
    image = tint(image, stencil(SIZE, [disc(390, 580, 19, 23)]), (255, 255, 255))
    image = tint(image, stencil(SIZE, [disc(395, 582, 13, 17)]), (30, 20, 24))
    return lighten(image, stencil(SIZE, [disc(391, 574, 5)]), (255, 255, 255))


def the_crimson_masque(film: Film) -> Image.Image:
    """Painted horror of the sixties: a yellow sheet, a green face, a screaming title, a curtain."""
    image = gradient(SIZE, [(0, (250, 206, 40)), (0.5, (240, 130, 30)), (1, (120, 10, 20))])
    image = darken(image, fractal(SIZE, 200, 6, 6), 0.3)
    ghoul = face(
        Look(
            style="hat",
            skin=(140, 176, 110),
            hair=(30, 40, 24),
            cloth=(60, 10, 30),
            lips=(120, 30, 40),
            iris=(200, 30, 20),
            beard=0.3,
            side=-1,
            contrast=0.85,
            background=(180, 90, 30),
            seed=11,
        )
    )
    image = mount(image, ghoul, 510, 520, 1.45, 0.25)
    mask = curve(
        place(
            [
                points(
                    "-150,-40 -90,-62 -20,-40 0,-26 20,-40 90,-62 150,-40 140,24 80,46 20,22 0,8 -20,22 -80,46 -140,24"
                )
            ],
            510,
            478,
            1.15,
        )[0],
        8,
    )
    holes = stencil(SIZE, [disc(440, 475, 40, 21), disc(580, 475, 40, 21)])
    image = relief(
        image,
        np.clip(stencil(SIZE, [mask]) - holes, 0, 1),
        (200, 16, 34),
        (-0.6, -0.6),
        22,
        0.3,
        fractal(SIZE, 40, 3, 4),
    )
    lady = face(
        Look(
            style="long",
            skin=(250, 200, 160),
            hair=(240, 190, 70),
            cloth=(30, 90, 110),
            lips=(210, 20, 30),
            wide=0.93,
            side=1,
            contrast=0.45,
            background=(150, 60, 30),
        )
    )
    image = mount(image, lady, 215, 840, 0.85, 0.35)
    claw = [limb((790, 1010), (690, 900), 60, 50)]
    for angle, length in ((3.3, 150), (3.7, 175), (4.1, 175), (4.5, 150)):
        tip = 670 + length * float(np.cos(angle)), 890 + length * float(np.sin(angle))
        claw += [limb((690, 895), tip, 24, 13), limb(tip, (tip[0] - 10, tip[1] - 30), 11, 2)]
    hand = stencil(SIZE, claw)
    image = relief(
        darken(image, soft(hand, 14), 0.5), hand, (130, 170, 100), (-0.6, -0.6), 24, 0.2, fractal(SIZE, 24, 9, 4)
    )
    image = darken(image, ramp(SIZE, 950, 1100), 0.85)
    image = grade(image, [(0, (16, 4, 10)), (0.5, (196, 90, 40)), (1, (255, 244, 190))], 0.2)
    image = darken(image, np.clip((fractal(SIZE, 10, 31, 3) - 0.55) * 2, 0, 1), 0.3)
    image = write(image, film.tagline, (400, 46), 30, (60, 6, 14), bold=2, slant=0.2)
    image = write(image, "THE CRIMSON", (400, 124), 78, (150, 8, 20), width=680, bold=5, slant=-0.1, turn=3)
    image = write(image, "MASQUE", (400, 238), 118, (150, 8, 20), width=700, bold=8, slant=-0.1, turn=3, shadow=0.3)
    image = write(image, "IN SPECTRACOLOR", (610, 900), 26, (255, 230, 90), bold=3, turn=-6, shadow=0.6)
    image = write(image, "VINCENT KARR", (50, 1062), 32, (255, 226, 90), align="left", bold=3)
    image = write(image, "BARBARA HULL", (750, 1062), 28, (255, 250, 226), align="right", bold=2)
    return vignette(billing(image, film.credits, 1112, (240, 206, 170)), 0.35)
