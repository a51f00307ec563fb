"""All scores of a model judged by one policy, a batch at a time: see ``rejudge.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, LargeBinary, bindparam, exists, func, select, type_coerce

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.placeholders import FILMS, placeholders
from posterbot.catalogue.records import Policy
from posterbot.catalogue.schema import candidates, images, models, scores, sources, verdicts
from posterbot.reasons import Reason
from posterbot.rejudge.judge_all import Judged, judge_all
from posterbot.rejudge.judge_past_sql import (
    COLUMNS,
    INSERT_ARRAYS,
    INSERT_ROWS,
    POOR,
    VALUES_AT_ONCE,
    not_good_enough,
    sha256s,
    told,
)

AT_ONCE = 20_000
"""Images in one transaction: a tenth of a second on SQLite, on whose writers a crawl may wait."""
_ON_SERVER = 5_000
"""On PostgreSQL, where writers wait for single rows only."""
HOSTS_OF = 20_000
"""Of at most so many changed images it is looked up on which host they lie."""

Progress = Callable[[int, int], object]
"""Called with how many images are judged, and how many there are at most."""


@dataclass(slots=True)
class Past:
    """What a policy makes of all images, or would make."""

    judged: int = 0
    """Images that have scores of the policy's model, and no verdict of it, or of a newer policy, before."""
    newly_kept: int = 0
    newly_dropped: int = 0
    to_fetch: int = 0
    """Newly kept, and not in the store."""
    unchanged: int = 0
    """Kept as before, or dropped as before."""
    without_scores: int = 0
    """Images with scores of other models only: they keep their verdicts."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why images were newly dropped."""
    labels: dict[str, list[int]] = field(default_factory=dict)
    """Likeliest label → newly kept and newly dropped."""
    hosts: dict[str, list[int]] = field(default_factory=dict)
    """Host → the same, of at most :data:`HOSTS_OF` changed images; only of a policy that is tried."""
    hosts_of: int = 0
    """Of so many."""


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """What the catalogue knows of some images, by rising number."""

    ids: np.ndarray
    vectors: np.ndarray
    """float32 (N, labels)."""
    kept: np.ndarray
    """By the newest verdict. This and those below: bool (N,)."""
    placeholder: np.ndarray
    stored: np.ndarray
    reasons: dict[int, Reason]
    """Number → why it is not good enough, of those that are not."""


class Judging:
    """One policy and all images.

    Args:
        engine: from ``open_catalogue``.
        policy: judges.
        model: number of its model.
        number: its own; None: it is only tried.
        quality: as the crawl's setting ``QUALITY_GATES``.
        fresh: nothing can have been judged by it yet.
    """

    def __init__(
        self, engine: Engine, policy: Policy, model: int, number: int | None, quality: bool, *, fresh: bool
    ) -> None:
        self._engine, self._policy, self._model, self._quality = engine, policy, model, quality
        self._number, self._fresh = number, fresh
        self._server = engine.dialect.name == "postgresql"
        self._done = Past()
        self._changed: list[np.ndarray] = []

    def run(self, progress: Progress | None) -> Past:
        """Judge all that is not judged by this policy yet."""
        done = self._done
        with self._engine.connect() as connection:
            of = int(connection.scalar(select(func.count()).select_from(images)) or 0)
        for batch in self._batches():
            self._judge(batch)
            if progress is not None:
                progress(done.judged, max(of, done.judged))
        done.unchanged = done.judged - done.newly_kept - done.newly_dropped
        with self._engine.connect() as connection:
            done.without_scores = self._without_scores(connection)
            if self._number is None:
                self._hosts(connection)
        return done

    # --- Reading ----------------------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[_Batch]:
        """All scores that the policy has not judged yet, nor a newer one."""
        vector = type_coerce(scores.c.vector, LargeBinary)
        statement = (
            select(scores.c.image_id, vector)
            .where(scores.c.model_id == self._model, scores.c.image_id > bindparam("last"))
            .order_by(scores.c.image_id)
            .limit(_ON_SERVER if self._server else AT_ONCE)
        )
        if not self._fresh:
            judged = verdicts.c.image_id == scores.c.image_id, verdicts.c.policy_id >= self._number
            statement = statement.where(~exists().where(*judged))
        last = -1
        while True:
            with self._engine.connect() as connection:
                rows = connection.execute(statement, {"last": last}).all()
                if not rows:
                    return
                numbers, blobs = zip(*rows, strict=True)
                last = numbers[-1]
                batch = self._batch(connection, np.array(numbers), b"".join(map(bytes, blobs)))
            yield batch

    def _batch(self, connection: Connection, ids: np.ndarray, blob: bytes) -> _Batch:
        vectors = np.frombuffer(blob, "<f4").reshape(len(ids), -1)
        first, last = int(ids[0]), int(ids[-1])
        of_images = images.c.id.between(first, last)
        rows = connection.execute(told(first, last)).all()
        kept = [row.image_id for row in rows if row.kept]
        turned = [row.image_id for row in rows if row.placeholder]
        stored = connection.scalars(select(images.c.id).where(of_images, images.c.path.is_not(None))).all()
        bad: dict[int, Reason] = {}
        if self._quality:
            measured = (images.c[name] for name in ("id", "sharpness", "spread", "entropy"))
            bad = not_good_enough(connection.execute(select(*measured).where(of_images, POOR)).all())
        return _Batch(ids, vectors, np.isin(ids, kept), np.isin(ids, turned), np.isin(ids, stored), bad)

    # --- Judging ----------------------------------------------------------------------------------------------------

    def _judge(self, batch: _Batch) -> None:
        judged = judge_all(batch.vectors, self._policy)
        reasons = np.where(judged.keep, Reason.RELEVANT.value, Reason.NOT_RELEVANT.value).astype(object)
        keep = judged.keep.copy()
        for place in np.flatnonzero(np.isin(batch.ids, list(batch.reasons)) & judged.keep).tolist():
            keep[place], reasons[place] = False, batch.reasons[int(batch.ids[place])].value
        if self._quality:
            turned = keep & batch.placeholder
            keep[turned], reasons[turned] = False, Reason.PLACEHOLDER.value
        if self._number is not None:
            self._write(batch.ids, keep, reasons, judged)
            for number in self._new_placeholders(batch.ids[keep & ~batch.kept]):
                place = int(np.searchsorted(batch.ids, number))
                keep[place], reasons[place] = False, Reason.PLACEHOLDER.value
        self._count(batch, keep, reasons, judged)

    def _write(self, ids: np.ndarray, keep: np.ndarray, reasons: np.ndarray, judged: Judged) -> None:
        names = np.array(self._policy.model.labels, object)
        columns: list[Sequence[Any]] = [
            ids.tolist(),
            [self._number] * len(ids),
            keep.tolist(),
            reasons.tolist(),
            names[judged.best].tolist(),
            judged.score.astype(np.float64).tolist(),
        ]
        with self._engine.execution_options(**IMMEDIATE).begin() as connection:
            if self._server:
                connection.execute(INSERT_ARRAYS, dict(zip(COLUMNS, columns, strict=True)))
            else:  # past SQLAlchemy, which takes as long as SQLite itself; and no list of a million tuples is made
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.executemany(INSERT_ROWS, zip(*columns, strict=True))

    def _new_placeholders(self, ids: np.ndarray) -> list[int]:
        """Those of some newly kept images that turn out to be placeholders, now that somebody asks; none is kept."""
        if not self._quality or not len(ids):
            return []
        often = (
            select(candidates.c.image_id)
            .where(candidates.c.image_id.between(int(ids[0]), int(ids[-1])))
            .group_by(candidates.c.image_id)
            .having(func.count() >= FILMS)
        )
        with self._engine.connect() as connection:
            seen = np.intersect1d(connection.scalars(often).all(), ids)
            names = sha256s(connection, seen.tolist())
        found = []
        for number, sha256 in names.items():
            with self._engine.execution_options(**IMMEDIATE).begin() as connection:
                if placeholders(connection, [(sha256, True)])[0]:
                    found.append(number)
        return found

    # --- Counting ---------------------------------------------------------------------------------------------------

    def _count(self, batch: _Batch, keep: np.ndarray, reasons: np.ndarray, judged: Judged) -> None:
        done = self._done
        gained, lost = keep & ~batch.kept, ~keep & batch.kept
        done.judged += len(keep)
        done.newly_kept += int(gained.sum())
        done.newly_dropped += int(lost.sum())
        done.to_fetch += int((gained & ~batch.stored).sum())
        done.reasons.update(reasons[lost].tolist())
        for place, rows in enumerate((gained, lost)):
            numbers, counts = np.unique(judged.best[rows], return_counts=True)
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                done.labels.setdefault(self._policy.model.labels[number], [0, 0])[place] += count
        if self._number is None:
            self._changed.append(np.concatenate([batch.ids[gained], -batch.ids[lost]]))

    def _hosts(self, connection: Connection) -> None:
        changed = np.concatenate(self._changed) if self._changed else np.zeros(0, np.int64)
        if len(changed) > HOSTS_OF:  # as many from each part of the crawl
            changed = changed[np.linspace(0, len(changed) - 1, HOSTS_OF).astype(int)]
        self._done.hosts_of = len(changed)
        for place, ids in enumerate((changed[changed > 0], -changed[changed < 0])):
            for start in range(0, len(ids), VALUES_AT_ONCE):
                first = (
                    select(func.min(candidates.c.id))
                    .where(candidates.c.image_id.in_(ids[start : start + VALUES_AT_ONCE].tolist()))
                    .group_by(candidates.c.image_id)
                )
                counted = (
                    select(sources.c.name, func.count())
                    .join(candidates, candidates.c.source_id == sources.c.id)
                    .where(candidates.c.id.in_(first))
                    .group_by(sources.c.name)
                )
                for host, count in connection.execute(counted):
                    self._done.hosts.setdefault(host, [0, 0])[place] += count

    def _without_scores(self, connection: Connection) -> int:
        if connection.scalar(select(models.c.id).where(models.c.id != self._model).limit(1)) is None:
            return 0
        same = scores.alias("same")
        mine = exists().where(same.c.image_id == scores.c.image_id, same.c.model_id == self._model)
        counted = select(func.count(scores.c.image_id.distinct())).where(scores.c.model_id != self._model, ~mine)
        return int(connection.scalar(counted) or 0)
