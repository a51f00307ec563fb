"""What a person has to see of an image to say what it is, and nothing that would tell what the model thinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select

from posterbot.catalogue.schema import candidates, images, models, pages, policies, reviews, verdicts

LATEST = 5000
"""Verdicts by whose labels the most frequent are told."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An image, and what is asked about it."""

    sha256: str
    width: int
    height: int
    wanted: tuple[str, ...]
    """The labels that are wanted by the newest policy that judged it."""
    page_title: str
    page_url: str
    alt: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Answers so far; the last of each image counts."""

    answers: int
    """Images that somebody has said something of, skips left out."""
    audits: int
    """Of them, those that were drawn at random: only these tell how good the filter is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model thought, to be told after the answer."""

    kept: bool
    score: float | None
    label: str | None
    answers: int
    """What people said of this image so far."""


def asked_about(engine: Engine, sha256s: Sequence[str]) -> dict[str, Asked]:
    """By sha256, those that are there; at most a few hundred."""
    newer = verdicts.alias("newer")
    newest = (
        select(func.max(newer.c.policy_id)).where(newer.c.image_id == images.c.id).correlate(images).scalar_subquery()
    )
    first = (
        select(func.min(candidates.c.id))
        .where(candidates.c.image_id == images.c.id)
        .correlate(images)
        .scalar_subquery()
    )
    statement = (
        select(
            *(images.c[name] for name in ("sha256", "width", "height")),
            policies.c.labels,
            *(pages.c.title, pages.c.url, candidates.c.alt),
        )
        .join_from(images, policies, policies.c.id == newest, isouter=True)
        .outerjoin(candidates, candidates.c.id == first)
        .outerjoin(pages, pages.c.id == candidates.c.page_id)
        .where(images.c.sha256.in_(sha256s))
    )
    with engine.connect() as connection:
        return {row.sha256: _asked(row) for row in connection.execute(statement)}


def progress(engine: Engine) -> Progress:
    """Count."""
    with engine.connect() as connection:
        answered = func.count(reviews.c.image_id.distinct())
        said = reviews.c.answer != "skip"
        return Progress(
            connection.scalar(select(answered).where(said)) or 0,
            connection.scalar(select(answered).where(said, reviews.c.picked == "audit")) or 0,
        )


def verdict_of(engine: Engine, sha256: str) -> Verdict | None:
    """By the newest policy; None: none has judged it."""
    with engine.connect() as connection:
        row = connection.execute(
            select(images.c.id, verdicts.c.keep, verdicts.c.score, verdicts.c.label)
            .join_from(verdicts, images, images.c.id == verdicts.c.image_id)
            .where(images.c.sha256 == sha256)
            .order_by(verdicts.c.policy_id.desc())
            .limit(1)
        ).first()
        if row is None:
            return None
        said = connection.scalar(select(func.count()).where(reviews.c.image_id == row.id)) or 0
    return Verdict(bool(row.keep), row.score, row.label, said)


def other_labels(engine: Engine) -> tuple[list[str], list[str]]:
    """The labels that the newest policy wants, and its model's others: the most frequent of late first."""
    with engine.connect() as connection:
        newest = connection.execute(
            select(policies.c.labels, models.c.labels.label("known"))
            .join(models, models.c.id == policies.c.model_id)
            .order_by(policies.c.id.desc())
            .limit(1)
        ).first()
        if newest is None:
            return [], []
        last = connection.scalar(select(func.max(verdicts.c.image_id))) or 0
        frequent = connection.scalars(
            select(verdicts.c.label)
            .where(verdicts.c.image_id > last - LATEST, verdicts.c.label.is_not(None))
            .group_by(verdicts.c.label)
            .order_by(func.count().desc(), verdicts.c.label)
        )
        order = {label: place for place, label in enumerate(frequent)}
    others = [label for label in newest.known if label not in newest.labels]
    return list(newest.labels), sorted(others, key=lambda label: order.get(label, len(order)))


def _asked(row: Any) -> Asked:
    wanted = tuple(row.labels or ())
    return Asked(row.sha256, row.width, row.height, wanted, row.title or "", row.url or "", row.alt or "")
