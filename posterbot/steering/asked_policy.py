"""From what a person asks of the past to a policy: what is not asked for is as the newest policy has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, insert, select

from posterbot.catalogue.model_folders import curve_of
from posterbot.catalogue.policies import REJUDGE, decide_alike
from posterbot.catalogue.records import Model, Policy
from posterbot.catalogue.schema import models, policies, runs, workers


@dataclass(frozen=True, slots=True)
class Asked:
    """A policy, checked, and not recorded yet."""

    policy: Policy
    model_id: int
    newest: int
    """Number of the newest policy."""
    is_newest: bool
    """That one decides alike."""


def newest_policy(engine: Engine) -> tuple[int, int, Policy]:
    """Numbers of the newest policy and of its model, and the policy.

    Raises:
        LookupError: there is none yet.
    """
    with engine.connect() as connection:
        row = connection.execute(_policies().order_by(policies.c.id.desc()).limit(1)).first()
    if row is None:
        raise LookupError("there is no policy in this catalogue yet: run a crawl first")
    return row.id, row.model_id, _policy(row)


def policy_of(engine: Engine, number: int) -> tuple[int, Policy]:
    """Number of its model, and the policy.

    Raises:
        LookupError: there is none of this number.
    """
    with engine.connect() as connection:
        row = connection.execute(_policies().where(policies.c.id == number)).first()
    if row is None:
        raise LookupError(f"no policy {number}; posterbot policies lists them")
    return row.model_id, _policy(row)


def read_asked(
    engine: Engine,
    *,
    labels: str | Iterable[str] | None = None,
    threshold: float | str | None = None,
    top: int | str | EllipsisType | None = ...,
    model: str | None = None,
    author: str,
    origin: str = REJUDGE,
) -> Asked:
    """Check what is asked for; the words are those of ``-a labels=``, ``-a threshold=`` and ``-a top=``.

    Args:
        engine: from ``open_catalogue``.
        labels, threshold, top: None, or an ellipsis for ``top``: as in the newest policy. ``top=None``: not asked for.
        model: name, or the beginning of the hash, of a model that has scored images here.
        author, origin: who asks, and from where.

    Raises:
        PolicyError: a label, threshold, top or model that cannot be used; one line.
        LookupError: there is no policy yet.
    """
    from posterbot.steering.labels import PolicyError, read_labels
    from posterbot.steering.live import DEFAULT_THRESHOLD, read_threshold, read_top

    newest, model_id, old = newest_policy(engine)
    known = old.model
    if model is not None:
        model_id, known = find_model(engine, model)
    if labels is None and (missing := [label for label in old.labels if label not in known.labels]):
        raise PolicyError(f"{known.name} has no label {missing[0]!r}: give labels together with the model")
    wanted = read_labels(old.labels if labels is None else labels, known)
    likeliest = read_top(old.top if isinstance(top, EllipsisType) else top, known)
    if threshold is None:  # what top alone decided needs a threshold where top is taken away
        threshold = DEFAULT_THRESHOLD if likeliest is None and old.threshold == 0 else old.threshold
    curve = curve_of(known.name, known.hash) if "=" in str(threshold) else None
    value = read_threshold(threshold, wanted, likeliest, curve)
    policy = Policy(wanted, value, known, author, origin, top=likeliest)
    return Asked(policy, model_id, newest, decide_alike(policy, old))


def find_model(engine: Engine, name: str) -> tuple[int, Model]:
    """Number and identity of the model of that name, or hash, that was used last.

    Raises:
        PolicyError: there is none.
    """
    from posterbot.steering.labels import PolicyError

    with engine.connect() as connection:
        rows = connection.execute(select(models).order_by(models.c.id.desc())).all()
    for row in rows:
        if name == row.name or (len(name) >= 6 and row.hash.startswith(name.lower())):
            return row.id, Model(row.name, row.hash, tuple(row.labels))
    known = ", ".join(dict.fromkeys(row.name for row in reversed(rows))) or "none"
    raise PolicyError(f"no image here has scores of a model {name[:100]!r}; models with scores: {known}")


def record_policy(connection: Connection, asked: Asked) -> int:
    """Its number, in a transaction: a new one, unless the newest policy decides alike."""
    if asked.is_newest:
        return asked.newest
    policy = asked.policy
    row = {
        "run_id": _run(connection),
        "model_id": asked.model_id,
        "labels": list(policy.labels),
        "threshold": policy.threshold,
        "author": policy.author,
        "origin": policy.origin,
        "at": policy.at,
        "top": policy.top,
    }
    key = connection.execute(insert(policies).values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _run(connection: Connection) -> int:
    """The newest run that somebody works on, else the newest: a policy belongs to one."""
    working = select(workers.c.run_id).where(workers.c.ended_at.is_(None)).order_by(workers.c.run_id.desc()).limit(1)
    found = connection.scalar(working) or connection.scalar(select(runs.c.id).order_by(runs.c.id.desc()).limit(1))
    return int(found or 0)


def _policies() -> Select[Any]:
    return select(policies, models.c.name, models.c.hash, models.c.labels.label("known")).join(models)


def _policy(row: Row[Any]) -> Policy:
    model = Model(row.name, row.hash, tuple(row.known))
    return Policy(tuple(row.labels), row.threshold, model, row.author, row.origin, row.at, row.top)
