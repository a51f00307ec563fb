"""What a policy would keep, told while somebody moves a slider."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine, LargeBinary, func, select, type_coerce

from posterbot.catalogue.records import Policy
from posterbot.catalogue.schema import images, scores
from posterbot.rejudge.judge_all import judge_all
from posterbot.rejudge.judge_past_sql import POOR, not_good_enough

SAMPLE = 100_000
"""Images by which a policy is tried where there are more."""
_BLOCKS = 200
"""Runs of images in a row that a sample is made of."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How many images a policy keeps, and how many the one in force keeps."""

    scored: int
    """Images with scores of the policy's model."""
    would: int
    does: int
    sampled: int | None
    """Numbers are estimates from so many images; None: all were asked."""


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
