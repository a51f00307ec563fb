"""The policy in force, changed from the telnet console, checked before it counts, recorded each time."""

from __future__ import annotations

import getpass
import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from models.classifier import Classifier
from posterbot.catalogue.records import Model, Policy, now


class PolicyError(ValueError):
    """A label or threshold that cannot be used; one line that names what can. Nothing has changed."""


class LivePolicy:
    """Holds the one policy in force. A policy is never modified: a change makes a new one, which is a new row.

    Args:
        model: whose labels may be asked for.
        labels: ``"poster"``, ``"poster, album_cover"`` or a list of names.
        threshold: number, 0 < threshold < 1.
        origin: where this came from, for the record.

    Raises:
        PolicyError: unknown label, or threshold out of range.
    """

    def __init__(
        self, model: Classifier, labels: str | Iterable[str], threshold: float | str, *, origin: str = "arguments"
    ) -> None:
        identity = Model(model.name, model.hash, tuple(model.labels))
        self.current = Policy(
            read_labels(labels, identity), read_threshold(threshold), identity, author=getpass.getuser(), origin=origin
        )
        self.listeners: list[Callable[[Policy], object]] = []
        """Called with each new policy, in the thread of the change."""

    def change(
        self, *, labels: str | Iterable[str] | None = None, threshold: float | str | None = None, origin: str
    ) -> Policy:
        """Replace the policy; what is not given stays as it is.

        Raises:
            PolicyError: unknown label, or threshold out of range; the old policy stays in force.
        """
        old = self.current
        self.current = replace(
            old,
            labels=old.labels if labels is None else read_labels(labels, old.model),
            threshold=old.threshold if threshold is None else read_threshold(threshold),
            origin=origin,
            at=now(),
        )
        for listener in self.listeners:
            listener(self.current)
        return self.current


def read_labels(labels: str | Iterable[str], model: Model) -> tuple[str, ...]:
    """``"poster, card"`` as ``("poster", "card")``, each a label of ``model``.

    Raises:
        PolicyError: none given, or one unknown.
    """
    names = labels.split(",") if isinstance(labels, str) else [str(label) for label in labels]
    wanted = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    unknown = [name for name in wanted if name not in model.labels]
    if unknown or not wanted:
        what = f"unknown label {', '.join(map(repr, unknown))}" if unknown else "no label given"
        raise PolicyError(f"{what}: {model.name} knows {', '.join(model.labels)}")
    return wanted


def read_threshold(threshold: float | str) -> float:
    """A probability strictly between 0 and 1.

    Raises:
        PolicyError: anything else.
    """
    try:
        value = float(threshold)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 < value < 1:
        raise PolicyError(f"threshold {threshold!r}: give a number between 0 and 1, such as 0.5")
    return value
