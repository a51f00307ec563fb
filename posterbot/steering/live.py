"""The policy in force: checked before it counts, replaced as a whole, and told to all who judge by it."""

from __future__ import annotations

import getpass
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import EllipsisType

from models.classifier import Classifier
from posterbot.catalogue.policies import ARGUMENTS
from posterbot.catalogue.records import Model, Policy, now
from posterbot.steering.labels import PolicyError, read_labels

logger = logging.getLogger(__name__)

CONSOLE = "console"
"""Origin of what was typed at the telnet console, or assigned to the spider."""
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
        origin: str = ARGUMENTS,
    ) -> None:
        identity = _identity(model)
        self.classifier = model
        """The model whose scores the policy judges."""
        wanted = read_labels(labels, identity)
        likeliest = read_top(top, identity)
        if threshold is None:
            threshold = DEFAULT_THRESHOLD if likeliest is None else 0.0
        self.current = Policy(
            wanted,
            read_threshold(threshold, wanted, likeliest, model.curve),
            identity,
            author=getpass.getuser(),
            origin=origin,
            top=likeliest,
        )
        self.listeners: list[Callable[[Policy], object]] = []
        """Called with each new policy, in the thread of the change, once policy and model are both in force."""

    def change(
        self,
        *,
        labels: str | Iterable[str] | None = None,
        threshold: float | str | None = None,
        top: int | str | EllipsisType | None = ...,
        model: Classifier | None = None,
        author: str | None = None,
        origin: str,
    ) -> Policy:
        """Replace the policy; what is not given stays as it is. ``top=None`` takes it away.

        ``author`` is who wants it; None: the user of this process.

        Raises:
            PolicyError: unknown label, or threshold or top out of range; or labels stay that ``model`` does not have.
                The old policy stays in force.
        """
        old = self.current
        classifier = self.classifier if model is None else model
        identity = old.model if model is None else _identity(model)
        if labels is None:
            _check_same_labels(old.labels, identity)
        wanted = old.labels if labels is None else read_labels(labels, identity)
        likeliest = read_top(old.top if isinstance(top, EllipsisType) else top, identity)
        asked = old.threshold if threshold is None else threshold
        new = replace(
            old,
            labels=wanted,
            threshold=read_threshold(asked, wanted, likeliest, classifier.curve),
            model=identity,
            top=likeliest,
            author=getpass.getuser() if author is None else author,
            origin=origin,
            at=now(),
        )
        self.follow(new, classifier)
        return new

    def follow(self, policy: Policy, model: Classifier | None = None) -> None:
        """Put a policy in force that was checked already: by another worker of the run, say. ``model``: its model."""
        if model is not None:
            self.classifier = model
        self.current = policy
        for listener in self.listeners:
            listener(policy)


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


def _identity(model: Classifier) -> Model:
    return Model(model.name, model.hash, tuple(model.labels))


def _check_same_labels(labels: Sequence[str], model: Model) -> None:
    if missing := [label for label in labels if label not in model.labels]:
        try:
            read_labels(missing, model)  # tells what it knows, or what is like it
        except PolicyError as error:
            raise PolicyError(f"{error}; give labels together with the model") from None
        raise PolicyError(  # the same under another name: not for us to choose
            f"{model.name} has no label {', '.join(map(repr, missing))}; give labels together with the model"
        )


def _resolve(goal: str, value: float, labels: Sequence[str], curve: Path | None) -> float:
    from models.curve import CurveError, threshold_at

    try:
        return threshold_at(curve, labels, goal, value)
    except CurveError as error:
        raise PolicyError(f"threshold {goal}={value:g}: {error}") from None
