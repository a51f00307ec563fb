"""Has something changed? Of each host the last images are compared with those before: how many are kept, and how right.

Two alarms, each so set that a host that stays as it is raises one in a thousand looks at the catalogue:

- *kept share*: images come in blocks of :data:`BLOCK`, and the share of each that is kept is a point of a Laney p′
  chart ("Improved control charts for attributes", Quality Engineering 14, 2002), which takes the scatter between blocks
  from the blocks themselves: pages of one kind come together, and a plain test of two shares would cry wolf.
- *precision*: of the audits of kept images the last :data:`AUDITS` against those before, by Fisher's exact test, only
  downwards.

Both are divided by the number of hosts that are compared (Bonferroni), and only one policy is looked at, the newest
that has judged: a threshold that somebody has changed is no drift.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Engine, func, select

from posterbot.catalogue.schema import candidates, sources, verdicts
from posterbot.review.quality import reviewed

BLOCK = 200
"""Images."""
BLOCKS = 8
"""So many blocks have to be there before the last one."""
LATEST = 100_000
"""Images that are looked at: the newest."""
AUDITS, AUDITS_BEFORE = 40, 40
"""Audits of kept images of a host: the last, and how many there have to be before."""
RISK = 0.001
"""Of a false alarm, on each look, over all hosts."""
LEAST = 0.05
"""A share that has moved by less is nobody's concern."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that has changed on a host."""

    host: str
    kind: str
    """``kept share`` or ``precision``."""
    before: float
    """Share, 0–1."""
    now: float
    number: int
    """Images, or audits, in which it is so now."""
    risk: float
    """How likely a host that stays as it is shows as much by chance, before it is divided by the number of hosts."""


def drift(engine: Engine) -> list[Alarm]:
    """All alarms there are now, the surest first."""
    with engine.connect() as connection:
        kept = _kept(connection)
        audits: dict[str, list[bool]] = defaultdict(list)
        for one in reviewed(connection, "host"):
            if one.kept and one.drawn is not None and one.wanted is not None:
                audits[one.of].append(one.wanted)
    return sorted(
        [*_alarms("kept share", kept, shares_moved), *_alarms("precision", audits, precision_fell)],
        key=lambda alarm: (alarm.risk, alarm.host, alarm.kind),
    )


def shares_moved(kept: Sequence[bool]) -> tuple[float, float, int, float] | None:
    """Shares kept before and in the last block, its images, and how likely that is by chance. None: too few images.

    Args:
        kept: of the images of one host, in the order in which they came.
    """
    from scipy.stats import t

    blocks = len(kept) // BLOCK
    if blocks <= BLOCKS:
        return None
    shares = np.asarray(kept, float)[len(kept) - blocks * BLOCK :].reshape(blocks, BLOCK).mean(1)
    before, last = shares[:-1], float(shares[-1])
    mean = float(before.mean())
    # Half an image where nothing or all was kept: one image more is no alarm.
    sigma = math.sqrt(max(mean * (1 - mean), 0.5 / BLOCK) / BLOCK)
    moving = np.abs(np.diff(before / sigma)).mean() / 1.128
    # As an outlier among that many blocks: their mean is uncertain, and so is their scatter.
    z = abs(last - mean) / (sigma * max(1.0, moving) * math.sqrt(1 + 1 / len(before)))
    return mean, last, BLOCK, 2 * float(t.sf(z, len(before) - 1))


def precision_fell(wanted: Sequence[bool]) -> tuple[float, float, int, float] | None:
    """Precision before and in the last audits, their number, and how likely that is by chance. None: too few audits.

    Args:
        wanted: what was said of kept images of one host, in the order in which they came.
    """
    from scipy.stats import fisher_exact

    if len(wanted) < AUDITS + AUDITS_BEFORE:
        return None
    before, last = wanted[:-AUDITS], wanted[-AUDITS:]
    table = [[sum(last), len(last) - sum(last)], [sum(before), len(before) - sum(before)]]
    risk = float(fisher_exact(table, alternative="less").pvalue)
    return sum(before) / len(before), sum(last) / len(last), len(last), risk


def _alarms(kind: str, of_hosts: Mapping[str, Sequence[bool]], test: object) -> list[Alarm]:
    assert callable(test)
    compared = {host: found for host, flags in of_hosts.items() if (found := test(flags)) is not None}
    return [
        Alarm(host, kind, before, now, number, risk)
        for host, (before, now, number, risk) in compared.items()
        if risk < RISK / len(compared) and abs(now - before) >= LEAST
    ]


def _kept(connection: Connection) -> dict[str, list[bool]]:
    """Host → of its newest images, those that the newest policy has judged: are they kept?"""
    newest = connection.scalar(select(func.max(verdicts.c.policy_id)))
    last = connection.scalar(select(func.max(verdicts.c.image_id)))
    if newest is None or last is None:
        return {}
    first = (
        select(candidates.c.image_id, func.min(candidates.c.id).label("first"))
        .where(candidates.c.image_id > last - LATEST)
        .group_by(candidates.c.image_id)
        .subquery()
    )
    statement = (
        select(sources.c.name, verdicts.c.keep)
        .select_from(
            first.join(candidates, candidates.c.id == first.c.first)
            .join(sources, sources.c.id == candidates.c.source_id)
            .join(verdicts, verdicts.c.image_id == first.c.image_id)
        )
        .where(verdicts.c.policy_id == newest, verdicts.c.score.is_not(None))
        .order_by(first.c.image_id)
    )
    found: dict[str, list[bool]] = defaultdict(list)
    for host, keep in connection.execute(statement):
        found[host].append(bool(keep))
    return found
