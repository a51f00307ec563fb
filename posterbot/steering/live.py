"""The policy in force, changed from the telnet console, checked before it counts, recorded each time."""

from __future__ import annotations

import getpass
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import EllipsisType

from models.classifier import Classifier
from posterbot.catalogue.records import Model, Policy, now
from posterbot.steering.labels import PolicyError, read_labels

logger = logging.getLogger(__name__)

DEFAULT_THRESHOLD = 0.5


class LivePolicy:
    """Holds the one policy in force. A policy is never modified: a change makes a new one, which is a new row.

    Args:
        model: whose labels may be asked for, and whose curve tells the threshold of a precision or recall.
        labels: see :func:`posterbot.steering.labels.read_labels`.
        threshold: see :func:`read_threshold`. None: 0.5, or none where ``top`` is given.
        top: see :func:`read_top`.
        origin: where this came from, for the record.

    Raises:
        PolicyError: unknown label, or threshold or top out of range.
    """

    def __init__(
        self,
        model: Classifier,
        labels: str | Iterable[str],
        threshold: float | str | None = None,
        top: int | str | None = None,
        *,
        origin: str = "arguments",
    ) -> None:
        identity = Model(model.name, model.hash, tuple(model.labels))
        self._curve = model.curve
        wanted = read_labels(labels, identity)
        likeliest = read_top(top, identity)
        if threshold is None:
            threshold = DEFAULT_THRESHOLD if likeliest is None else 0.0
        self.current = Policy(
            wanted,
            read_threshold(threshold, wanted, likeliest, self._curve),
            identity,
            author=getpass.getuser(),
            origin=origin,
            top=likeliest,
        )
        self.listeners: list[Callable[[Policy], object]] = []
        """Called with each new policy, in the thread of the change."""

    def change(
        self,
        *,
        labels: str | Iterable[str] | None = None,
        threshold: float | str | None = None,
        top: int | str | EllipsisType | None = ...,
        origin: str,
    ) -> Policy:
        """Replace the policy; what is not given stays as it is. ``top=None`` takes it away.

        Raises:
            PolicyError: unknown label, or threshold or top out of range; the old policy stays in force.
        """
        old = self.current
        wanted = old.labels if labels is None else read_labels(labels, old.model)
        likeliest = old.top if isinstance(top, EllipsisType) else read_top(top, old.model)
        self.current = replace(
            old,
            labels=wanted,
            threshold=read_threshold(old.threshold if threshold is None else threshold, wanted, likeliest, self._curve),
            top=likeliest,
            origin=origin,
            at=now(),
        )
        for listener in self.listeners:
            listener(self.current)
        return self.current


def read_threshold(
    threshold: float | str, labels: Sequence[str] = (), top: int | None = None, curve: Path | None = None
) -> float:
    """A probability strictly between 0 and 1, or 0 where ``top`` is given and alone decides.

    ``precision=0.95`` and ``recall=0.98`` become the threshold where ``labels`` reach that on the model's ``curve``.

    Raises:
        PolicyError: anything else, or a goal that the curve does not reach.
    """
    goal, is_goal, text = str(threshold).partition("=")
    try:
        value = float(text if is_goal else threshold)
    except (TypeError, ValueError):
        value = math.nan
    if is_goal and not math.isnan(value):
        resolved = _resolve(goal.strip(), value, labels, curve)
        logger.info("threshold %s is %g for %s", threshold, resolved, ", ".join(labels))
        return resolved
    if not (0 < value < 1 or (value == 0 and top is not None)):
        raise PolicyError(
            f"threshold {threshold!r}: give a number between 0 and 1, such as 0.5, or precision=0.95, or recall=0.98"
        )
    return value


def read_top(top: int | str | None, model: Model) -> int | None:
    """A number of labels, from 1 to all that ``model`` has; None and an empty text: not asked for.

    Raises:
        PolicyError: anything else.
    """
    if top is None or top == "":
        return None
    text = str(top).strip()
    value = int(text) if text.isdecimal() and len(text) < 10 else 0
    if not 1 <= value <= len(model.labels):
        most = len(model.labels)
        raise PolicyError(f"top {top!r}: give a whole number from 1 to {most:,}, the number of labels of {model.name}")
    return value


def _resolve(goal: str, value: float, labels: Sequence[str], curve: Path | None) -> float:
    from models.curve import CurveError, threshold_at

    try:
        return threshold_at(curve, labels, goal, value)
    except CurveError as error:
        raise PolicyError(f"threshold {goal}={value:g}: {error}") from None
