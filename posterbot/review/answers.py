"""Answers of people, as rows: checked before they are written, each with the verdict as it was when it was given."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.records import now
from posterbot.catalogue.schema import images, models, policies, reviews, verdicts
from posterbot.review.truth import ANSWERS, LABEL, NO, SKIP, YES

AUDIT, UNSURE, DUPLICATES, ASKED = "audit", "unsure", "duplicates", "asked"
PICKED = (AUDIT, UNSURE, DUPLICATES, ASKED)
"""Why an image was shown: see ``picking.py``; ``asked``: somebody looked for this one."""
KEPT, DROPPED = "kept", "dropped"
STRATA = (KEPT, DROPPED)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OWN = re.compile(r"[a-z0-9_]{1,40}")
_REVIEWER = 100


class ReviewError(ValueError):
    """An answer that makes no sense; one line. Nothing was written."""


def record(
    engine: Engine,
    sha256: str,
    answer: str,
    *,
    label: str | None = None,
    picked: str,
    stratum: str | None,
    reviewer: str,
) -> int:
    """Write what a person said of an image; the last answer holds, the earlier ones stay.

    Args:
        engine: from ``open_catalogue``.
        sha256: of the image.
        answer: ``yes``: it is one of the labels wanted; ``no``; ``label``: it is ``label``; ``skip``.
        label: one of the model's, or a word of one's own: ``[a-z0-9_]``, at most 40. With ``yes`` it may say which.
        picked: one of :data:`PICKED`.
        stratum: ``kept`` or ``dropped`` with an audit, else None.
        reviewer: who.

    Returns:
        Number of the review.

    Raises:
        ReviewError: an answer, label or origin that cannot be.
        LookupError: there is no such image, or no longer.
    """
    _check(sha256, answer, label, picked, stratum, reviewer)
    with engine.execution_options(**IMMEDIATE).begin() as connection:
        number = connection.scalar(select(images.c.id).where(images.c.sha256 == sha256))
        if number is None:
            raise LookupError(
                f"image {sha256[:12]}… is not in the catalogue, or not any more: it may have been forgotten"
            )
        verdict = _newest(connection, number)
        if label is not None:
            _check_label(connection, label, answer, verdict)
        row = {
            "image_id": number,
            "answer": answer,
            "label": label,
            "policy_id": None if verdict is None else verdict.policy_id,
            "kept": None if verdict is None else verdict.keep,
            "score": None if verdict is None else verdict.score,
            "picked": picked,
            "stratum": stratum,
            "reviewer": reviewer.strip(),
            "at": now(),
        }
        key = connection.execute(insert(reviews).values(row)).inserted_primary_key
        assert key is not None
        return int(key[0])


def _check(sha256: str, answer: str, label: str | None, picked: str, stratum: str | None, reviewer: str) -> None:
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ReviewError(f"{str(sha256)[:80]!r} is not the sha256 of an image: 64 hexadecimal digits")
    if answer not in ANSWERS:
        raise ReviewError(f"answer {str(answer)[:40]!r}: give one of {', '.join(ANSWERS)}")
    if label is None and answer == LABEL:
        raise ReviewError(f"answer {answer!r} needs a label")
    if label is not None and answer in {NO, SKIP}:
        raise ReviewError(f"answer {answer!r} takes no label")
    if picked not in PICKED:
        raise ReviewError(f"picked {str(picked)[:40]!r}: give one of {', '.join(PICKED)}")
    if (stratum in STRATA) != (picked == AUDIT) or (stratum is not None and stratum not in STRATA):
        raise ReviewError(f"stratum {str(stratum)[:40]!r}: an audit is of {' or '.join(STRATA)}, all else of none")
    if not reviewer.strip() or len(reviewer) > _REVIEWER or not reviewer.isprintable():
        raise ReviewError(f"reviewer: give a name of at most {_REVIEWER} letters")


def _check_label(connection: Connection, label: str, answer: str, verdict: Any) -> None:
    asked = () if verdict is None else tuple(verdict.labels)
    if answer == YES:
        if label not in asked:
            raise ReviewError(f"yes, and label {label[:40]!r}: wanted are {', '.join(asked) or 'none'}")
        return
    known = () if verdict is None else tuple(verdict.known)
    if label not in known and not _OWN.fullmatch(label):
        raise ReviewError(
            f"label {label[:60]!r}: give one of the model's, or a word of your own of a-z, 0-9 and _, at most 40"
        )


def _newest(connection: Connection, image: int) -> Any:
    columns = verdicts.c.policy_id, verdicts.c.keep, verdicts.c.score, policies.c.labels, models.c.labels.label("known")
    return connection.execute(
        select(*columns)
        .join(policies, policies.c.id == verdicts.c.policy_id)
        .join(models, models.c.id == policies.c.model_id)
        .where(verdicts.c.image_id == image)
        .order_by(verdicts.c.policy_id.desc())
        .limit(1)
    ).first()
