"""What an answer says of an image, whatever is looked for by now."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from posterbot.catalogue.schema import images, reviews

YES, NO, LABEL, SKIP = "yes", "no", "label", "skip"
ANSWERS = (YES, NO, LABEL, SKIP)


def truth(answer: str, label: str | None, asked: Collection[str], wanted: Collection[str]) -> bool | None:
    """Is the image one of ``wanted``? None: the answer does not tell.

    Args:
        answer: one of :data:`ANSWERS`.
        label: the one that was given with it, if any.
        asked: the labels that were wanted when the answer was given: ``yes`` and ``no`` speak of these.
        wanted: the labels of now. Labels exclude each other.
    """
    if answer == SKIP:
        return None
    if label is not None and answer != NO:
        return label in wanted
    if answer == YES:
        if set(asked) <= set(wanted):
            return True
        return None if set(asked) & set(wanted) else False
    return False if set(wanted) <= set(asked) else None


def last_answers() -> Select[tuple[int]]:
    """Numbers of the reviews that hold: the last of each image that is no ``skip``."""
    return select(func.max(reviews.c.id)).where(reviews.c.answer != SKIP).group_by(reviews.c.image_id)


def called_wanted(labels: Sequence[str]) -> ColumnElement[bool]:
    """Of an image: did a person, in the last answer that holds, call it wanted, or one of ``labels``?"""
    newer = reviews.alias("newer")
    last = (
        select(func.max(newer.c.id))
        .where(newer.c.image_id == images.c.id, newer.c.answer != SKIP)
        .correlate(images)
        .scalar_subquery()
    )
    named = and_(reviews.c.answer == LABEL, reviews.c.label.in_(sorted(labels)))
    said = select(reviews.c.id).where(reviews.c.id == last, or_(reviews.c.answer == YES, named))
    return said.correlate(images).exists()
