"""How sure a share is that was counted on a sample: 95 % intervals that also hold where little or nothing was found."""

from __future__ import annotations

import math

Z = 1.959964
"""Of the normal distribution, two-sided 95 %."""
Interval = tuple[float, float]
ALL: Interval = (0.0, 1.0)


def wilson(share: float, of: float) -> Interval:
    """The interval of a share of ``of`` images (Wilson, JASA 22, 1927); 0 to 1 where that is 0.

    ``of`` need not be whole: of a weighted sample it is the number of equally weighted images that tell as much.
    """
    if of <= 0:
        return ALL
    square = Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half) if share > 0 else 0.0, min(1.0, middle + half) if share < 1 else 1.0


def effective(weights_sum: float, squares_sum: float, population: float) -> float:
    """How many independent images tell as much as a weighted sample without replacement.

    Unequal weights count less (Kish, Survey Sampling, 1965), a large part of all there are counts more (the finite
    population correction: Cochran, Sampling Techniques, 1977, 2.6): infinity where all were asked.

    Args:
        weights_sum, squares_sum: of the weights and of their squares.
        population: how many images there are.
    """
    if squares_sum <= 0:
        return 0.0
    number = weights_sum * weights_sum / squares_sum
    if number >= population:
        return math.inf
    return number * (population - 1) / (population - number)


def ratio(one: tuple[float, Interval], other: tuple[float, Interval]) -> Interval:
    """The interval of ``one`` ÷ ``other``, independent estimates of 0 or more, each with its interval.

    MOVER-R (Newcombe, "MOVER-R confidence intervals for ratios and products of two independently estimated
    quantities", Statistical Methods in Medical Research 25, 2016): it needs no logarithm, and so bears zeros.
    The upper limit is infinite where ``other`` may be 0.
    """
    (a, (low_a, high_a)), (b, (low_b, high_b)) = one, other

    def limit(far_a: float, far_b: float, sign: float) -> float:
        below = far_b * (2 * b - far_b)
        if below <= 0:
            return math.inf if sign > 0 else 0.0
        inside = (a * b) ** 2 - far_a * far_b * (2 * a - far_a) * (2 * b - far_b)
        return max(0.0, (a * b + sign * math.sqrt(max(0.0, inside))) / below)

    return limit(low_a, high_b, -1.0), limit(high_a, low_b, 1.0)
