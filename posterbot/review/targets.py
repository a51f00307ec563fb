"""What there is to learn, and whether there are enough reviews of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posterbot.catalogue.records import Policy
from posterbot.review.examples import Examples

LEAST = 10
"""Reviewed images that a label needs, of it and of what is not it, each in as many groups as there are folds."""
FOLDS = 5
NEEDED = f"{LEAST} reviews of what is looked for and {LEAST} of what is not are the least"


class LearnError(ValueError):
    """Nothing can be learned; one line that says why, and what it takes."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is compared: a set of labels that exclude each other."""

    labels: tuple[str, ...]
    learned: bool
    """False: it is only looked after, so that it does not suffer."""


def find_targets(examples: Examples, policy: Policy, label: str | None) -> tuple[tuple[str, ...], list[Target]]:
    """The labels of the new head, and what is compared, what is learned first. Raises LearnError."""
    old = policy.model.labels
    words = sorted({one.label for one in examples.answers if one.label is not None})
    if label is not None:
        if label not in old and label not in words:
            raise LearnError(f"label {label!r} is none of {policy.model.name}, and nobody has given it; {NEEDED}")
        if short := _short(examples, (label,)):
            raise LearnError(short)
        new = () if label in old else (label,)
        return (*old, *new), [Target((label,), True), *_looked_after(examples, policy, {label})]
    enough = [word for word in words if not _short(examples, (word,))]
    targets = [Target((word,), True) for word in enough]
    if not _short(examples, policy.labels) and policy.labels not in [target.labels for target in targets]:
        targets.insert(0, Target(policy.labels, True))
    if not targets:
        raise LearnError(_short(examples, policy.labels))
    return (*old, *(word for word in enough if word not in old)), targets


def _looked_after(examples: Examples, policy: Policy, learned: set[str]) -> list[Target]:
    if set(policy.labels) == learned or _short(examples, policy.labels):
        return []
    return [Target(policy.labels, False)]


def _short(examples: Examples, labels: Sequence[str]) -> str:
    """What is missing to learn these labels; empty: nothing."""
    told = [one.is_one_of(labels) for one in examples.answers]
    name = " or ".join(labels)
    missing = []
    for truth, what in ((True, name), (False, f"not {name}")):
        groups = {int(group) for group, one in zip(examples.groups, told, strict=True) if one is truth}
        number = sum(one is truth for one in told)
        if number < LEAST:
            missing.append(f"{number} reviewed images are {what}, {LEAST - number} more are needed")
        elif len(groups) < FOLDS:
            missing.append(
                f"the {number} reviewed images that are {what} show {len(groups)} different films or pictures, "
                f"{FOLDS} are needed"
            )
    return "; ".join(missing)


def groups_short(examples: Examples, groups: np.ndarray, labels: Sequence[str]) -> int:
    """How many groups are missing on the side that has fewest."""
    told = [one.is_one_of(labels) for one in examples.answers]
    sides = (np.unique(groups[[one is truth for one in told]]) for truth in (True, False))
    return max(0, 2 * FOLDS - min(len(side) for side in sides))
