"""Images for the tests of this folder: rows with a hash and an embedding, of pictures that nobody has drawn."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine, insert, select

from posterbot.catalogue.schema import embeddings, images, models
from posterbot.catalogue.schema_films import clusters, duplicates

DIMENSIONS = 32


def sha256_of(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def name_of(number: int) -> str:
    """Of the cluster that this image begins."""
    return sha256_of(number)[:16]


def picture_of(seed: int) -> tuple[int, np.ndarray]:
    """A hash and an embedding, like those of no other seed."""
    rng = np.random.default_rng([8, seed])
    return int(rng.integers(0, 2**64, dtype=np.uint64)), rng.standard_normal(DIMENSIONS)


def turned(phash: int, *bits: int) -> int:
    """With some bits turned."""
    for bit in bits:
        phash ^= 1 << bit
    return phash


def moved(vector: np.ndarray, cosine: float, seed: int = 0) -> np.ndarray:
    """A vector that has this cosine with ``vector``."""
    other = np.random.default_rng([9, seed]).standard_normal(len(vector))
    other -= vector * (other @ vector) / (vector @ vector)
    return cosine * vector / np.linalg.norm(vector) + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)


def add(engine: Engine, number: int, phash: int | None, vector: np.ndarray | None = None, **facts: Any) -> None:
    """A row of ``images``, and one of ``embeddings`` if there is a vector."""
    given: dict[str, Any] = {
        "id": number,
        "sha256": sha256_of(number),
        "bytes": 50_000,
        "format": "JPEG",
        "width": 600,
        "height": 900,
        "phash": None if phash is None else f"{phash:016x}",
        "path": f"{number}.jpg",
        "sharpness": 1000.0,
        "first_seen_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    with engine.begin() as connection:
        connection.execute(insert(images).values(given | facts))
        if vector is not None:
            if connection.scalar(select(models.c.id)) is None:
                connection.execute(insert(models).values(id=1, name="made up", hash="a" * 64, labels=[]))
            connection.execute(insert(embeddings).values(image_id=number, model_id=1, vector=vector))


def names(engine: Engine, column: str = "copies") -> dict[int, str]:
    """By number, the name of each image's cluster."""
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(select(clusters.c.image_id, clusters.c[column]))}


def groups(engine: Engine, column: str = "copies") -> set[frozenset[int]]:
    """The clusters as sets of numbers."""
    found: dict[str, set[int]] = {}
    for number, name in names(engine, column).items():
        found.setdefault(name, set()).add(number)
    return {frozenset(of) for of in found.values()}


def representatives(engine: Engine) -> set[int]:
    with engine.connect() as connection:
        return set(connection.scalars(select(clusters.c.image_id).where(clusters.c.representative)))


def reasons(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        ordered = select(duplicates).order_by(duplicates.c.image_id, duplicates.c.other_id)
        return [tuple(row) for row in connection.execute(ordered)]
