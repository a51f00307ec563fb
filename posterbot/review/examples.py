"""What there is to learn from: reviewed images with their features, old scores, and what each answer allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, and_, func, select

from posterbot.catalogue.schema import candidates, embeddings, images, policies, reviews, scores
from posterbot.catalogue.schema_films import clusters, image_films
from posterbot.review.head import Pool
from posterbot.review.truth import NO, YES, last_answers, truth

POOL = 4000
"""Images that nobody reviewed, of which the old head is read off."""
_IN = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of an image."""

    image: int
    answer: str
    label: str | None
    asked: tuple[str, ...]
    """Labels that were wanted then."""

    def is_one_of(self, labels: Sequence[str]) -> bool | None:
        """See :func:`posterbot.review.truth.truth`."""
        return truth(self.answer, self.label, self.asked, labels)

    def allows(self, labels: Sequence[str]) -> np.ndarray:
        """bool (labels,): which of them the image may be."""
        if self.label is not None and self.label in labels:
            return np.array([label == self.label for label in labels])
        if self.answer == YES:
            return np.array([label in self.asked for label in labels])
        # A word that is not learned: at least none of those that were wanted.
        return np.array([label not in self.asked for label in labels])


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """N reviewed images, in the order of their numbers."""

    answers: tuple[Answer, ...]
    features: np.ndarray
    """float32 (N, dimensions)."""
    scores: np.ndarray
    """float32 (N, labels): by the old model."""
    groups: np.ndarray
    """int (N,): equal where one image tells of the other: copies, and pictures of one film."""
    hosts: np.ndarray
    """int (N,): likewise, and equal where they were first seen on one host."""
    without: int
    """Reviewed images that have no features or no scores of the model."""


def read_examples(engine: Engine, model: int, features: Sequence[int]) -> Examples:
    """All reviewed images of which is known what it takes.

    Args:
        engine: from ``open_catalogue``.
        model: number of the model whose scores are the old ones.
        features: numbers of the models that see images as its base does.
    """
    with engine.connect() as connection:
        answers = _answers(connection)
        vectors = _vectors(connection, [one.image for one in answers], features)
        old = _scores(connection, [one.image for one in answers], model)
        told = tuple(one for one in answers if one.image in vectors and one.image in old)
        ids = [one.image for one in told]
        groups = _groups(connection, ids, {})
        hosts = _groups(connection, ids, _hosts(connection, ids))
    return Examples(
        told,
        np.stack([vectors[number] for number in ids]).astype(np.float32) if ids else np.zeros((0, 0), np.float32),
        np.stack([old[number] for number in ids]) if ids else np.zeros((0, 0), np.float32),
        groups,
        hosts,
        len(answers) - len(told),
    )


def read_pool(engine: Engine, model: int, features: Sequence[int], without: Sequence[int]) -> Pool:
    """Up to :data:`POOL` images with features and scores, evenly from all of the catalogue, but ``without`` some.

    A number of an image has nothing to do with what is on it; those wanted are spread over all there are.
    """
    with engine.connect() as connection:
        last = int(connection.scalar(select(func.max(images.c.id))) or 0)
        wanted = np.unique(np.linspace(1, max(1, last), min(last, 2 * POOL)).astype(int)).tolist()
        left = sorted(set(wanted).difference(without))
        vectors = _vectors(connection, left, features)
        old = _scores(connection, left, model)
    both = sorted(vectors.keys() & old.keys())
    if len(both) > POOL:
        both = [both[place] for place in np.linspace(0, len(both) - 1, POOL).astype(int)]
    if not both:
        return Pool(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))
    return Pool(np.stack([vectors[n] for n in both]).astype(np.float32), np.stack([old[n] for n in both]))


def _answers(connection: Connection) -> list[Answer]:
    holding = (
        select(reviews.c.image_id, reviews.c.answer, reviews.c.label, policies.c.labels)
        .outerjoin(policies, policies.c.id == reviews.c.policy_id)
        .where(reviews.c.id.in_(last_answers()))
        .order_by(reviews.c.image_id)
    )
    rows = connection.execute(holding)
    return [
        Answer(row.image_id, row.answer, None if row.answer == NO else row.label, tuple(row.labels or ()))
        for row in rows
    ]


def _vectors(connection: Connection, ids: Sequence[int], models: Sequence[int]) -> dict[int, np.ndarray]:
    return _by_image(connection, ids, embeddings, embeddings.c.model_id.in_(models))


def _scores(connection: Connection, ids: Sequence[int], model: int) -> dict[int, np.ndarray]:
    return _by_image(connection, ids, scores, scores.c.model_id == model)


def _by_image(connection: Connection, ids: Sequence[int], table: Any, condition: Any) -> dict[int, np.ndarray]:
    found: dict[int, np.ndarray] = {}
    for start in range(0, len(ids), _IN):
        these = and_(table.c.image_id.in_(ids[start : start + _IN]), condition)
        asked = select(table.c.image_id, table.c.vector).where(these).order_by(table.c.image_id, table.c.model_id)
        for row in connection.execute(asked):
            found.setdefault(row.image_id, row.vector)
    return found


def _hosts(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(ids), _IN):
        first = (
            select(func.min(candidates.c.id))
            .where(candidates.c.image_id.in_(ids[start : start + _IN]))
            .group_by(candidates.c.image_id)
        )
        asked = select(candidates.c.image_id, candidates.c.source_id).where(candidates.c.id.in_(first))
        found |= {row.image_id: str(row.source_id) for row in connection.execute(asked)}
    return found


def _groups(connection: Connection, ids: Sequence[int], hosts: dict[int, str]) -> np.ndarray:
    """Numbers of groups: images that share any key are in one."""
    keys: dict[str, list[int]] = defaultdict(list)
    for number, host in hosts.items():
        keys[f"host {host}"].append(number)
    for start in range(0, len(ids), _IN):
        these = ids[start : start + _IN]
        for row in connection.execute(select(images.c.id, images.c.phash).where(images.c.id.in_(these))):
            if row.phash is not None:
                keys[f"look {row.phash}"].append(row.id)
        like = select(clusters.c.image_id, clusters.c.variants).where(clusters.c.image_id.in_(these))
        for row in connection.execute(like):
            keys[f"variants {row.variants}"].append(row.image_id)
        films = select(image_films.c.image_id, image_films.c.film_id).where(image_films.c.image_id.in_(these))
        for row in connection.execute(films):
            keys[f"film {row.film_id}"].append(row.image_id)
    first = {number: number for number in ids}

    def root(number: int) -> int:
        while first[number] != number:
            first[number] = first[first[number]]
            number = first[number]
        return number

    for together in keys.values():
        for number in together[1:]:
            first[root(number)] = root(together[0])
    return np.unique([root(number) for number in ids], return_inverse=True)[1] if ids else np.zeros(0, int)
