"""The past is judged again: one policy, applied to all scores of its model that the catalogue has.

Every image with scores gets a verdict of the policy, also where it says the same as the one before. Rows only for what
changes would be fewer, but then a crawl that still goes by an older policy, and comes to such an image again, would
overrule the newer one; and nobody could say what the policy keeps (``posterbot policies``, ``review/quality.py``).

Verdicts are written in short transactions, so a crawl goes on meanwhile. What is interrupted is finished by the same
call: it finds the policy it has made, and the images that have its verdict. Reasons that are no matter of policy stay:
what has no scores keeps its verdict, and a placeholder stays one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.policies import REJUDGE
from posterbot.catalogue.records import Policy
from posterbot.rejudge.judge_past import Judging, Past, Progress
from posterbot.rejudge.refetch import Refetch, refetch
from posterbot.steering.asked_policy import policy_of, read_asked, record_policy

if TYPE_CHECKING:
    from posterbot.stores.store import Store


@dataclass(slots=True)
class Rejudged(Past):
    """What a policy made of the past, or would make."""

    policy: int | None = None
    """Its number; None: it was only tried."""
    decides: Policy | None = None
    """What it is."""
    bytes: Refetch | None = None
    """What was done about images that are kept now, and not stored; None: there are none, or it was only tried."""


def rejudge(
    engine: Engine,
    *,
    labels: str | Iterable[str] | None = None,
    threshold: float | str | None = None,
    top: int | str | EllipsisType | None = ...,
    model: str | None = None,
    author: str,
    origin: str = REJUDGE,
    dry_run: bool = False,
    quality_gates: bool = True,
    store: Store | None = None,
    progress: Progress | None = None,
    queueing: Progress | None = None,
) -> Rejudged:
    """Judge all scores of a model by one policy, which is the newest from then on.

    Args:
        engine: from ``open_catalogue``.
        labels, threshold, top, model: see :func:`posterbot.steering.asked_policy.read_asked`.
        author: who asks.
        origin: where that came from. Crawls follow policies of any origin but :data:`~.policies.REJUDGE`.
        dry_run: count, and change nothing.
        quality_gates: as the crawl's setting ``QUALITY_GATES``.
        store: where what ``KEEP_DROPPED=all`` has kept is looked for, before anything is fetched.
        progress: see :data:`~posterbot.rejudge.judge_past.Progress`.
        queueing: the same, of images that are queued to be fetched.

    Raises:
        PolicyError: a label, threshold, top or model that cannot be used; nothing has changed.
        LookupError: there is no policy yet.
    """
    asked = read_asked(engine, labels=labels, threshold=threshold, top=top, model=model, author=author, origin=origin)
    number = None
    if not dry_run:
        with engine.execution_options(**IMMEDIATE).begin() as connection:
            number = record_policy(connection, asked)
    judging = Judging(engine, asked.policy, asked.model_id, number, quality_gates, fresh=dry_run or not asked.is_newest)
    return _done(engine, number, asked.policy, judging.run(progress), store, queueing)


def rejudge_with(
    engine: Engine,
    policy_number: int,
    *,
    quality_gates: bool = True,
    store: Store | None = None,
    progress: Progress | None = None,
    queueing: Progress | None = None,
) -> Rejudged:
    """The same by a policy that is recorded, as by a crawl that has just made it.

    Images that a newer policy has judged keep its verdict.

    Raises:
        LookupError: there is no such policy.
    """
    model_id, policy = policy_of(engine, policy_number)
    past = Judging(engine, policy, model_id, policy_number, quality_gates, fresh=False).run(progress)
    return _done(engine, policy_number, policy, past, store, queueing)


def _done(
    engine: Engine,
    number: int | None,
    policy: Policy,
    past: Past,
    store: Store | None,
    queueing: Progress | None,
) -> Rejudged:
    facts = {name: getattr(past, name) for name in Past.__dataclass_fields__}
    done = Rejudged(**facts, policy=number, decides=policy)
    if number is not None:
        # What is wanted and not stored, whoever has judged so: a call that was interrupted here is finished.
        done.bytes = refetch(engine, policy, store, queueing)
    return done
