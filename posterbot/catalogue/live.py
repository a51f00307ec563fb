"""What changes from second to second: how fast a run goes, what waits, and what another policy would keep.

Nothing here reads more than a bounded number of rows, so a page may ask every two seconds, of any catalogue.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine, LargeBinary, Table, func, literal_column, select, type_coerce

from posterbot.catalogue.judge_all import judge_all
from posterbot.catalogue.judge_past_sql import POOR, not_good_enough
from posterbot.catalogue.policies import REJUDGE
from posterbot.catalogue.records import Model, Policy
from posterbot.catalogue.schema import candidates, images, models, pages, policies, queues, runs, scores

BINS, BIN_SECONDS = 60, 5
"""The last five minutes, in steps."""
LATEST = 20_000
"""Rows that are looked at for them; more than 66 a second are estimated by these."""
SAMPLE = 100_000
"""Images by which a policy is tried where there are more."""
_BLOCKS = 200
"""Runs of images in a row that a sample is made of."""
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one kind of row has come lately."""

    rate: float
    """Each second, over the last minute."""
    bins: tuple[int, ...]
    """How many in each of :data:`BINS` steps of :data:`BIN_SECONDS`, the last one now."""


@dataclass(frozen=True, slots=True)
class RunName:
    """A run to choose."""

    number: int
    spider: str
    started_at: datetime
    finished_at: datetime | None
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy with its numbers."""

    number: int
    model_id: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Tried:
    """How many images a policy keeps, and how many the one in force keeps."""

    scored: int
    """Images with scores of the policy's model."""
    would: int
    does: int
    sampled: int | None
    """Numbers are estimates from so many images; None: all were asked."""


def run_names(engine: Engine, limit: int = 50) -> list[RunName]:
    """The newest runs, newest first."""
    columns = (runs.c[name] for name in ("id", "spider", "started_at", "finished_at", "finish_reason"))
    with engine.connect() as connection:
        return [RunName(*row) for row in connection.execute(select(*columns).order_by(runs.c.id.desc()).limit(limit))]


def run_name(engine: Engine, run: int) -> RunName:
    """One run. Raises LookupError where there is none of this number."""
    columns = (runs.c[name] for name in ("id", "spider", "started_at", "finished_at", "finish_reason"))
    with engine.connect() as connection:
        row = connection.execute(select(*columns).where(runs.c.id == run)).first()
    if row is None:
        raise LookupError(f"no run {run}")
    return RunName(*row)


def paces(engine: Engine, run: int, now: datetime) -> tuple[Pace, Pace]:
    """Of the pages and of the images that run ``run`` has fetched."""
    since = now - timedelta(seconds=BINS * BIN_SECONDS)
    with engine.connect() as connection:
        found = []
        tables: tuple[tuple[Table, Any], ...] = ((pages, pages), (candidates, candidates.join(pages)))
        for table, joined in tables:
            last = connection.scalar(select(func.max(table.c.id))) or 0
            statement = select(table.c.fetched_at).select_from(joined)
            statement = statement.where(table.c.id > last - LATEST, pages.c.run_id == run, table.c.fetched_at > since)
            if table is candidates:
                statement = statement.where(candidates.c.image_id.is_not(None))
            found.append(_pace([(now - at).total_seconds() for at in connection.scalars(statement)]))
    return found[0], found[1]


def waiting(engine: Engine, run: int) -> int:
    """URLs that wait to be fetched in a run."""
    statement = select(func.sum(queues.c.waiting)).where(queues.c.run_id == run, literal_column("queues.waiting > 0"))
    with engine.connect() as connection:
        return int(connection.scalar(statement) or 0)


def in_force(engine: Engine, run: int) -> InForce | None:
    """The policy by which a run judges; None: it has none. One that only judged the past is none of a run's."""
    statement = (
        select(policies, models.c.name, models.c.hash, models.c.labels.label("known"))
        .join(models, models.c.id == policies.c.model_id)
        .where(policies.c.run_id == run, policies.c.origin != REJUDGE)
        .order_by(policies.c.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(statement).first()
    if row is None:
        return None
    model = Model(row.name, row.hash, tuple(row.known))
    policy = Policy(tuple(row.labels), row.threshold, model, row.author, row.origin, row.at, row.top)
    return InForce(row.id, row.model_id, policy)


class Trial:
    """Tries policies on the scores that are stored; remembers the scores of one model. For any number of threads.

    At most :data:`SAMPLE` images are held, some ten megabytes for 25 labels. Sharpness and the like are asked as a
    crawl asks them; placeholders are not looked for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._model = -1
        self._last = -1
        self._vectors = np.zeros((0, 0), "<f4")
        self._poor = np.zeros(0, bool)
        self._share = 1.0

    def of(self, model_id: int, policy: Policy, old: Policy) -> Tried:
        """What ``policy`` would keep, and ``old`` does; both of the model ``model_id``."""
        with self._lock:
            self._read(model_id)
            vectors, poor, share = self._vectors, self._poor, self._share
        if not len(vectors):
            return Tried(0, 0, 0, None)
        counts = [int((judge_all(vectors, one).keep & ~poor).sum()) for one in (policy, old)]
        would, does, scored = (round(count / share) for count in (*counts, len(vectors)))
        return Tried(scored, would, does, None if share == 1 else len(vectors))

    def _read(self, model_id: int) -> None:
        with self._engine.connect() as connection:
            last = connection.scalar(select(func.max(images.c.id))) or 0
            first = connection.scalar(select(func.min(images.c.id))) or 0
        if model_id == self._model and self._last <= last:
            if last == self._last:
                return
            if self._share == 1 and last - first < SAMPLE:  # a crawl adds to it: read what is new
                vectors, poor = self._between(model_id, self._last + 1, last)
                self._last = last
                if len(vectors):
                    self._vectors = np.concatenate([self._vectors, vectors]) if len(self._vectors) else vectors
                    self._poor = np.concatenate([self._poor, poor])
                return
            if last - self._last < 0.02 * (last - first):
                return
        span = last - first + 1
        if span <= SAMPLE:
            starts, length = [first], span
        else:  # as many from each part of the crawl
            length = SAMPLE // _BLOCKS
            starts = [first + int(start) for start in np.linspace(0, span - length, _BLOCKS)]
        parts = [self._between(model_id, start, start + length - 1) for start in starts]
        filled = [part for part in parts if len(part[0])]
        self._vectors = np.concatenate([part[0] for part in filled]) if filled else np.zeros((0, 0), "<f4")
        self._poor = np.concatenate([part[1] for part in filled]) if filled else np.zeros(0, bool)
        self._share = len(starts) * length / span
        self._model, self._last = model_id, last

    def _between(self, model_id: int, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (N, labels) of images by number, and which are not good enough."""
        vector = type_coerce(scores.c.vector, LargeBinary)
        ours = select(scores.c.image_id, vector).where(
            scores.c.model_id == model_id, scores.c.image_id.between(first, last)
        )
        measured = (images.c[name] for name in ("id", "sharpness", "spread", "entropy"))
        with self._engine.connect() as connection:
            rows = connection.execute(ours.order_by(scores.c.image_id)).all()
            if not rows:
                return np.zeros((0, 0), "<f4"), np.zeros(0, bool)
            bad = not_good_enough(
                connection.execute(select(*measured).where(images.c.id.between(first, last), POOR)).all()
            )
        numbers, blobs = zip(*rows, strict=True)
        vectors = np.frombuffer(b"".join(map(bytes, blobs)), "<f4").reshape(len(rows), -1)
        return vectors, np.isin(np.array(numbers), list(bad))


def _pace(ages: list[float]) -> Pace:
    """Of rows that are so many seconds old."""
    bins = [0] * BINS
    for age in ages:
        place = BINS - 1 - int(max(0.0, age) // BIN_SECONDS)
        if place >= 0:
            bins[place] += 1
    # Where more have come than are looked at, the minute is not full.
    seconds = min(_MINUTE, max(ages, default=0.0)) if len(ages) >= LATEST else _MINUTE
    return Pace(sum(age < _MINUTE for age in ages) / max(seconds, 1.0), tuple(bins))
