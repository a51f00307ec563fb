"""People, animals and things as outlines, to be stencilled, lit and placed.

A figure is 1 high and stands on the origin: x to the right, y down, so that its head is near y = -1.
"""

from __future__ import annotations

from dataclasses import dataclass

from posterbot.sample.shapes import Outline, Point, box, curve, disc, limb, mirrored, place, points


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the elbows, hands, knees and feet are: (left x, left y, right x, right y)."""

    elbows: tuple[float, float, float, float] = (-0.13, -0.64, 0.13, -0.64)
    hands: tuple[float, float, float, float] = (-0.12, -0.48, 0.12, -0.48)
    knees: tuple[float, float, float, float] = (-0.06, -0.27, 0.06, -0.27)
    feet: tuple[float, float, float, float] = (-0.07, -0.02, 0.07, -0.02)
    lean: float = 0.0
    """How far the shoulders are in front of the hips."""


STAND = Pose()
WIDE = Pose(feet=(-0.15, -0.02, 0.15, -0.02), knees=(-0.1, -0.26, 0.1, -0.26), hands=(-0.19, -0.48, 0.19, -0.48))
WALK = Pose(
    (-0.12, -0.65, 0.11, -0.63),
    (-0.17, -0.52, 0.15, -0.52),
    (-0.05, -0.27, 0.08, -0.28),
    (-0.15, -0.05, 0.12, -0.02),
    0.02,
)
RUN = Pose(
    (-0.16, -0.7, 0.18, -0.68),
    (-0.24, -0.6, 0.22, -0.82),
    (-0.03, -0.27, 0.19, -0.42),
    (-0.25, -0.22, 0.17, -0.15),
    0.1,
)
AIM = Pose(
    (-0.14, -0.66, 0.21, -0.79), (-0.1, -0.5, 0.34, -0.82), (-0.09, -0.27, 0.1, -0.27), (-0.14, -0.02, 0.15, -0.02)
)
DANCE = Pose(
    (-0.22, -0.86, 0.24, -0.8),
    (-0.3, -1.02, 0.38, -0.74),
    (-0.03, -0.26, 0.2, -0.4),
    (-0.02, -0.01, 0.36, -0.28),
    -0.03,
)
POCKETS = Pose((-0.17, -0.64, 0.17, -0.64), (-0.09, -0.52, 0.09, -0.52))
ARMS_FOLDED = Pose((-0.15, -0.65, 0.15, -0.65), (0.06, -0.68, -0.06, -0.68))


def person(
    pose: Pose = STAND, *, coat: bool = False, dress: bool = False, hat: bool = False, hair: bool = False
) -> list[Outline]:
    """A full figure; ``coat`` and ``dress`` hang from the shoulders, ``hat`` is wide-brimmed, ``hair`` long."""
    lean = pose.lean
    shoulders: list[Point] = [(-0.095 + lean, -0.815), (0.095 + lean, -0.815)]
    hips: list[Point] = [(-0.05, -0.5), (0.05, -0.5)]
    outlines = [
        disc(lean * 1.3, -0.925, 0.047, 0.063),
        limb((lean * 1.2, -0.88), (lean, -0.82), 0.032, 0.045),
        curve(
            [
                (-0.03 + lean, -0.86),
                (0.03 + lean, -0.86),
                (0.115 + lean, -0.82),
                (0.1 + lean * 0.6, -0.68),
                (0.08, -0.5),
                (0, -0.46),
                (-0.08, -0.5),
                (-0.1 + lean * 0.6, -0.68),
                (-0.115 + lean, -0.82),
            ]
        ),
    ]
    for side in (0, 1):
        elbow = pose.elbows[side * 2], pose.elbows[side * 2 + 1]
        hand = pose.hands[side * 2], pose.hands[side * 2 + 1]
        knee = pose.knees[side * 2], pose.knees[side * 2 + 1]
        foot = pose.feet[side * 2], pose.feet[side * 2 + 1]
        outlines += [limb(shoulders[side], elbow, 0.034, 0.026), limb(elbow, hand, 0.026, 0.019)]
        outlines += [limb(hips[side], knee, 0.052, 0.036), limb(knee, foot, 0.036, 0.022)]
        outlines += [
            limb(foot, (foot[0] + (0.035 if side or pose.lean else -0.035), foot[1] + 0.01), 0.022, 0.014),
            disc(*hand, 0.022, 0.026),
        ]
    if coat:
        outlines.append(
            curve(
                [
                    (-0.1 + lean, -0.81),
                    (0.1 + lean, -0.81),
                    (0.1, -0.6),
                    (0.14, -0.24),
                    (0.09, -0.21),
                    (0, -0.26),
                    (-0.1, -0.2),
                    (-0.15, -0.24),
                    (-0.1, -0.6),
                ],
                6,
            )
        )
    if dress:
        outlines.append(
            curve(
                [
                    (-0.06 + lean, -0.78),
                    (0.06 + lean, -0.78),
                    (0.055, -0.6),
                    (0.13, -0.36),
                    (0.19, -0.16),
                    (0, -0.12),
                    (-0.19, -0.16),
                    (-0.13, -0.36),
                    (-0.055, -0.6),
                ],
                6,
            )
        )
    if hat:
        outlines += [
            disc(lean * 1.3, -0.965, 0.1, 0.016),
            curve(
                [
                    (-0.055 + lean, -0.965),
                    (-0.05 + lean, -1.02),
                    (0, -1.015),
                    (0.05 + lean, -1.02),
                    (0.055 + lean, -0.965),
                ]
            ),
        ]
    if hair:
        outlines.append(
            curve(
                [
                    (lean, -1.0),
                    (0.062 + lean, -0.95),
                    (0.068 + lean, -0.84),
                    (0.03 + lean, -0.8),
                    (-0.04 + lean, -0.8),
                    (-0.068 + lean, -0.84),
                    (-0.062 + lean, -0.95),
                ]
            )
        )
    return outlines


def bust(hat: bool = False, helmet: bool = False) -> list[Outline]:
    """Head and shoulders from the front, wide at the bottom."""
    half = points(
        "0.0,-1.0 0.1,-0.985 0.155,-0.9 0.16,-0.78 0.135,-0.66 0.09,-0.59 0.085,-0.52 "
        "0.16,-0.46 0.34,-0.4 0.43,-0.28 0.47,0.0"
    )
    outlines = [mirrored(half)]
    if hat:
        outlines += [
            disc(0, -0.9, 0.33, 0.055),
            curve(points("-0.18,-0.9 -0.175,-1.06 -0.08,-1.12 0,-1.08 0.08,-1.12 0.175,-1.06 0.18,-0.9")),
        ]
    if helmet:
        outlines.append(curve(points("-0.22,-0.84 -0.2,-1.0 -0.1,-1.08 0.1,-1.08 0.2,-1.0 0.22,-0.84 0,-0.88")))
    return outlines


def profile(woman: bool = False) -> Outline:
    """A face looking right, with neck and breast, cut off at y = 0."""
    face: list[Point] = points(
        "-0.02,-1.0 0.1,-0.98 0.19,-0.91 0.22,-0.83 0.205,-0.79 0.225,-0.74 0.275,-0.665 "
        "0.265,-0.645 0.225,-0.635 0.222,-0.61 0.245,-0.585 0.225,-0.56 0.24,-0.53 "
        "0.21,-0.5 0.21,-0.46 0.17,-0.42 0.08,-0.41 0.04,-0.36 0.05,-0.26 0.12,-0.17 "
        "0.26,-0.1 0.34,0.03"
    )
    back: list[Point] = points(
        "-0.42,0.03 -0.36,-0.14 -0.2,-0.24 -0.16,-0.36 -0.2,-0.5 -0.29,-0.66 -0.27,-0.84 -0.16,-0.96"
    )
    if woman:
        back = points("-0.36,0.03 -0.3,-0.12 -0.22,-0.2 -0.3,-0.3 -0.33,-0.5 -0.34,-0.7 -0.3,-0.88 -0.18,-1.0")
    return curve([*face, *back], 8)


def horse_and_rider() -> list[Outline]:
    """A rider in a hat on a walking horse, facing right; 1.3 long."""
    horse = curve(
        points(
            "-0.42,-0.6 -0.2,-0.63 0.0,-0.6 0.18,-0.64 0.3,-0.8 0.4,-0.93 0.43,-0.99 "
            "0.46,-0.92 0.52,-0.86 0.62,-0.72 0.6,-0.67 0.53,-0.68 0.45,-0.74 0.4,-0.66 "
            "0.34,-0.5 0.26,-0.37 0.0,-0.33 -0.25,-0.35 -0.4,-0.4 -0.47,-0.5"
        ),
        8,
    )
    legs = [
        ((0.25, -0.42), (0.31, -0.22), (0.27, -0.02)),
        ((0.18, -0.4), (0.15, -0.2), (0.1, -0.02)),
        ((-0.35, -0.45), (-0.42, -0.22), (-0.38, -0.02)),
        ((-0.28, -0.42), (-0.25, -0.22), (-0.31, -0.02)),
    ]
    outlines = [horse, curve(points("-0.44,-0.58 -0.54,-0.5 -0.56,-0.22 -0.51,-0.2 -0.47,-0.45"))]
    for top, middle, hoof in legs:
        outlines += [
            limb(top, middle, 0.06, 0.032),
            limb(middle, hoof, 0.03, 0.022),
            limb(hoof, (hoof[0] + 0.02, -0.01), 0.026, 0.026),
        ]
    outlines += place(person(WALK, hat=True)[:3] + person(hat=True)[-2:], 0.02, -0.24, 0.82)
    outlines += [limb((0.04, -0.66), (0.13, -0.5), 0.055, 0.042), limb((0.13, -0.5), (0.08, -0.28), 0.04, 0.03)]
    outlines += [limb((0.08, -0.9), (0.14, -0.75), 0.032, 0.025), limb((0.14, -0.75), (0.25, -0.72), 0.025, 0.018)]
    return outlines


def ship() -> list[Outline]:
    """A three-masted ship under torn sail, heading right; 1 high, 1.2 long."""
    hull = curve(
        points(
            "-0.52,-0.2 -0.48,-0.06 -0.3,0.0 0.3,0.0 0.48,-0.1 0.6,-0.22 0.4,-0.17 0.0,-0.13 -0.35,-0.15 -0.4,-0.24"
        ),
        8,
    )
    outlines = [hull, limb((0.5, -0.2), (0.78, -0.33), 0.012, 0.006)]
    for x, top, wide in ((-0.3, -0.78, 0.13), (0.02, -1.0, 0.18), (0.3, -0.82, 0.14)):
        outlines.append(limb((x, -0.1), (x, top), 0.012, 0.006))
        for low, high in ((0.18, 0.48), (0.52, 0.74), (0.77, 0.93)):
            y0, y1 = top * low - 0.06, top * high
            w0, w1 = wide * (1.15 - low * 0.6), wide * (1.15 - high * 0.6)
            outlines.append(
                curve(
                    [
                        (x - w1, y1),
                        (x, y1 - 0.005),
                        (x + w1, y1),
                        (x + w0 * 1.12, (y0 + y1) / 2),
                        (x + w0, y0),
                        (x, y0 - 0.03),
                        (x - w0, y0),
                        (x - w0 * 0.85, (y0 + y1) / 2),
                    ],
                    6,
                )
            )
    outlines.append([(0.32, -0.75), (0.75, -0.32), (0.4, -0.3)])
    return outlines


def house() -> list[Outline]:
    """A crooked Victorian house with a tower."""
    return [
        box(-0.3, -0.5, 0.3, 0.0),
        points("-0.36,-0.48 -0.16,-0.72 0.2,-0.7 0.36,-0.47"),
        box(0.1, -0.8, 0.27, -0.4),
        [(0.06, -0.79), (0.19, -1.06), (0.31, -0.79)],
        box(-0.24, -0.84, -0.17, -0.6),
        [(-0.2, -0.55), (-0.08, -0.82), (0.05, -0.55)],
        box(-0.42, -0.26, -0.28, 0.0),
        [(-0.46, -0.25), (-0.35, -0.38), (-0.26, -0.25)],
        limb((0.19, -1.05), (0.19, -1.16), 0.006, 0.002),
    ]


def fox() -> list[Outline]:
    """A sitting fox, facing right."""
    return [
        curve(points("0.12,-0.72 0.22,-0.5 0.24,-0.2 0.27,0.0 0.1,0.01 -0.2,0.0 -0.28,-0.14 -0.22,-0.38 -0.05,-0.6")),
        curve(points("0.0,-0.86 0.14,-0.9 0.28,-0.8 0.44,-0.68 0.42,-0.64 0.26,-0.62 0.12,-0.58 0.0,-0.68")),
        [(0.0, -0.83), (0.01, -1.06), (0.12, -0.87)],
        [(0.13, -0.86), (0.2, -1.05), (0.25, -0.8)],
        curve(points("-0.2,-0.05 -0.42,-0.06 -0.58,-0.22 -0.62,-0.46 -0.52,-0.42 -0.42,-0.26 -0.26,-0.16")),
    ]


def owl() -> list[Outline]:
    """A perched owl."""
    body = mirrored(points("0.0,-0.94 0.13,-0.95 0.21,-1.03 0.25,-0.86 0.28,-0.6 0.26,-0.3 0.14,-0.08 0.04,0.0"))
    return [body]


def astronaut() -> list[Outline]:
    """A floating figure in a space suit."""
    return [
        disc(0.02, -0.85, 0.13, 0.14),
        curve(points("-0.15,-0.72 0.15,-0.72 0.18,-0.5 0.14,-0.36 -0.13,-0.36 -0.19,-0.5")),
        box(-0.21, -0.75, -0.12, -0.45),
        limb((-0.13, -0.66), (-0.33, -0.6), 0.065, 0.055),
        limb((-0.33, -0.6), (-0.42, -0.76), 0.055, 0.05),
        limb((0.14, -0.66), (0.32, -0.55), 0.065, 0.055),
        limb((0.32, -0.55), (0.46, -0.6), 0.055, 0.05),
        limb((-0.07, -0.38), (-0.14, -0.18), 0.085, 0.07),
        limb((-0.14, -0.18), (-0.08, 0.0), 0.07, 0.06),
        limb((0.07, -0.38), (0.17, -0.22), 0.085, 0.07),
        limb((0.17, -0.22), (0.3, -0.1), 0.07, 0.06),
    ]
