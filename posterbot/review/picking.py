"""Which images to show to a person next: those of whose answers most is learned.

Three kinds, in turns. *audit*: drawn at random from what is kept, and from what is dropped, with equal chances within
each: only these tell how good the filter is (``quality.py``). *unsure*: scores next to the threshold, from which a
model learns most (uncertainty sampling: Lewis and Gale, SIGIR 1994). *duplicates*: copies of one picture of which one
is kept and another dropped, so that one of the two is wrong.

Chance is the sha256 of the images: they are walked in its order, from a place that the seed chooses. An index serves
that, so a million images are no more work than a thousand, and the same seed shows the same images as long as nothing
changes. (Permanent random numbers: Ohlsson, "Coordination of samples using permanent random numbers", in Business
Survey Methods, 1995.) Only images of which bytes are kept can be shown.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice

from sqlalchemy import Connection, Engine, and_, exists, func, or_, select

from posterbot.catalogue.schema import images, policies, reviews, verdicts
from posterbot.catalogue.schema_films import clusters
from posterbot.review.answers import AUDIT, DROPPED, DUPLICATES, KEPT, UNSURE

WALK = 400
"""Images that are looked at for one question, ..."""
WALKS = 4
"""... and so many times at most, where one of kept and dropped is rare."""
_TURNS = (AUDIT, UNSURE, AUDIT, UNSURE, AUDIT, UNSURE, AUDIT, DUPLICATES)
_IN = 500


@dataclass(frozen=True, slots=True)
class Pick:
    """An image to show, and why."""

    sha256: str
    picked: str
    """``audit``, ``unsure`` or ``duplicates``."""
    stratum: str | None = None
    """Of an audit: ``kept`` or ``dropped``."""


@dataclass(frozen=True, slots=True)
class _Seen:
    id: int
    sha256: str
    keep: bool
    score: float
    threshold: float

    @property
    def distance(self) -> float:
        """From the threshold, in logits: between 0.98 and 0.99 there is more than between 0.5 and 0.51."""
        return abs(_logit(self.score) - _logit(self.threshold or 0.5))


def next_images(engine: Engine, number: int, *, exclude: Collection[str] = (), seed: int = 0) -> list[Pick]:
    """The next images to review, in the order in which to show them; fewer where there are no more.

    Args:
        engine: from ``open_catalogue``.
        number: how many are wanted.
        exclude: sha256 of images that are not to be picked: those that are on the screen. What was reviewed is not.
        seed: another one begins elsewhere.
    """
    without = set(exclude)
    with engine.connect() as connection:
        seen = _walk(connection, hashlib.sha256(str(seed).encode()).hexdigest(), without, number)
        nearest = sorted(seen, key=lambda one: (one.distance, one.sha256))
        disagreeing = _disagreeing(connection, nearest[:_IN])
    strata = {
        KEPT: iter([Pick(one.sha256, AUDIT, KEPT) for one in seen if one.keep]),
        DROPPED: iter([Pick(one.sha256, AUDIT, DROPPED) for one in seen if not one.keep]),
    }
    sides = cycle((KEPT, DROPPED)) if seed % 2 else cycle((DROPPED, KEPT))

    def audits() -> Iterator[Pick]:
        while True:
            side = next(sides)
            found = next(strata[side], None) or next(strata[DROPPED if side == KEPT else KEPT], None)
            if found is None:
                return
            yield found

    # Drawn before the others choose: what is next to the threshold is audited as often as anything else.
    drawn = list(islice(audits(), sum(turn == AUDIT for turn in islice(cycle(_TURNS), number))))
    taken = {pick.sha256 for pick in drawn}
    kinds = {
        AUDIT: chain(drawn, audits()),
        UNSURE: iter([Pick(one.sha256, UNSURE) for one in nearest if one.sha256 not in taken]),
        DUPLICATES: iter([Pick(one.sha256, DUPLICATES) for one in disagreeing if one.sha256 not in taken]),
    }
    return list(islice(_in_turns(kinds), number))


def _in_turns(kinds: dict[str, Iterator[Pick]]) -> Iterator[Pick]:
    """Of each kind when its turn is; of the next kind where there is none left. None twice."""
    shown: set[str] = set()
    for turn in cycle(_TURNS):
        for kind in (turn, UNSURE, AUDIT, DUPLICATES):
            found = next((pick for pick in kinds[kind] if pick.sha256 not in shown), None)
            if found is not None:
                break
        else:
            return
        shown.add(found.sha256)
        yield found


def _walk(connection: Connection, start: str, without: set[str], number: int) -> list[_Seen]:
    """Images behind ``start`` that can be shown and were not reviewed, in the order of their sha256, and round."""
    found: dict[str, _Seen] = {}
    behind, round_ = start, False
    for _ in range(WALKS):
        rows, last = _some(connection, behind, start if round_ else None)
        found.update((one.sha256, one) for one in rows if one.sha256 not in without)
        if last is None and round_:
            break
        behind, round_ = ("", True) if last is None else (last, round_)
        kept = sum(one.keep for one in found.values())
        if min(kept, len(found) - kept) > number // 4 and len(found) >= 2 * number:
            break
    return list(found.values())


def _some(connection: Connection, behind: str, until: str | None) -> tuple[list[_Seen], str | None]:
    """Up to :data:`WALK` images, and the last one looked at; None: there are no more."""
    these = select(images.c.id, images.c.sha256, or_(images.c.path.is_not(None), images.c.dropped_path.is_not(None)))
    these = these.where(images.c.sha256 > behind).order_by(images.c.sha256).limit(WALK)
    if until is not None:
        these = these.where(images.c.sha256 <= until)
    looked = connection.execute(these).all()
    names = {row.id: row.sha256 for row in looked if row[2]}
    seen: list[_Seen] = []
    numbers = list(names)
    for start in range(0, len(numbers), _IN):
        newer = verdicts.alias("newer")
        newest = select(func.max(newer.c.policy_id)).where(newer.c.image_id == verdicts.c.image_id).scalar_subquery()
        judged = (
            select(verdicts.c.image_id, verdicts.c.keep, verdicts.c.score, policies.c.threshold)
            .join(policies, policies.c.id == verdicts.c.policy_id)
            .where(
                verdicts.c.image_id.in_(numbers[start : start + _IN]),
                verdicts.c.policy_id == newest,
                verdicts.c.score.is_not(None),
                ~exists().where(reviews.c.image_id == verdicts.c.image_id),
            )
        )
        rows = connection.execute(judged)
        seen += [_Seen(row.image_id, names[row.image_id], row.keep, row.score, row.threshold) for row in rows]
    seen.sort(key=lambda one: one.sha256)
    return seen, looked[-1].sha256 if len(looked) == WALK else None


def _disagreeing(connection: Connection, near: Sequence[_Seen]) -> list[_Seen]:
    """Those of a few images that have a copy with another verdict."""
    other, newer = clusters.alias("other"), verdicts.alias("newer")
    newest = select(func.max(newer.c.policy_id)).where(newer.c.image_id == verdicts.c.image_id).scalar_subquery()
    copies = (
        select(clusters.c.image_id, verdicts.c.keep)
        .join(other, and_(other.c.copies == clusters.c.copies, other.c.image_id != clusters.c.image_id))
        .join(verdicts, and_(verdicts.c.image_id == other.c.image_id, verdicts.c.policy_id == newest))
        .where(clusters.c.image_id.in_([one.id for one in near]))
    )
    differ: set[int] = set()
    keeps = {one.id: one.keep for one in near}
    for image, keep in connection.execute(copies):
        if bool(keep) != keeps[image]:
            differ.add(image)
    return [one for one in near if one.id in differ]


def _logit(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))
