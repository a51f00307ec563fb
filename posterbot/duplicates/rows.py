"""What is read of the catalogue to find duplicates, and in what form it is kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Engine, Select, func, select

from posterbot.catalogue.schema import embeddings, images
from posterbot.catalogue.schema_films import clusters
from posterbot.duplicates.best import FACTS

AT_ONCE = 500
"""Values in one statement: databases have limits."""
_ROWS = 10_000
"""Rows of a stream that are in memory."""
_HASHED = func.length(images.c.phash) == 16


class Placed(NamedTuple):
    """The images that are in clusters, by number: arrays of one length, 8 bytes an image each."""

    numbers: np.ndarray
    """int64."""
    hashes: np.ndarray
    """uint64: perceptual hashes."""
    names: np.ndarray
    """uint64: the first 16 digits of the sha256."""
    copies: np.ndarray
    """uint64: name of the cluster of copies."""
    variants: np.ndarray
    """uint64: name of the cluster of variants."""


def read_placed(engine: Engine) -> Placed:
    """Read them all: about two seconds for each million."""
    columns = images.c.id, images.c.phash, images.c.sha256, clusters.c.copies, clusters.c.variants
    statement = select(*columns).join(clusters, clusters.c.image_id == images.c.id).where(_HASHED)
    pieces: list[list[np.ndarray]] = [[] for _ in columns]
    with engine.connect() as connection:
        for rows in _partitions(connection, statement.order_by(images.c.id)):
            numbers, hashes, sha256s, copies, variants = zip(*rows, strict=True)
            pieces[0].append(np.array(numbers, np.int64))
            texts = (hashes, [sha256[:16] for sha256 in sha256s], copies, variants)
            for piece, text in zip(pieces[1:], texts, strict=True):
                piece.append(as_numbers(text))
    types = (np.int64, np.uint64, np.uint64, np.uint64, np.uint64)
    return Placed(*(np.concatenate([np.empty(0, t), *of]) for t, of in zip(types, pieces, strict=True)))


def waiting(connection: Connection, most: int, after: int = 0) -> Sequence[Any]:
    """Up to ``most`` images that have a perceptual hash and are in no cluster, by number, from ``after`` on."""
    columns = images.c.id, images.c.phash, images.c.sha256, *(images.c[name] for name in FACTS if name != "sha256")
    beyond = _waiting(*columns).where(images.c.id > after)  # or each call would pass all that are placed
    return connection.execute(beyond.order_by(images.c.id).limit(most)).all()


def number_waiting(connection: Connection) -> int:
    """How many there are."""
    return int(connection.scalar(_waiting(func.count())) or 0)


def _waiting(*columns: Any) -> Select[Any]:
    joined = images.outerjoin(clusters, clusters.c.image_id == images.c.id)
    return select(*columns).select_from(joined).where(_HASHED, clusters.c.image_id.is_(None))


class Looks:
    """How models see some images, and how large they are."""

    def __init__(self, connection: Connection, numbers: np.ndarray) -> None:
        """Read it for the images with these numbers, int64, sorted."""
        self._numbers = numbers
        self._longer = np.zeros(len(numbers), np.int32)
        self._rows: dict[int, np.ndarray] = {}
        """By model: row of each image in the vectors, or -1."""
        vectors: dict[int, list[np.ndarray]] = {}
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE].tolist()
            sizes = select(images.c.id, images.c.width, images.c.height).where(images.c.id.in_(some))
            for number, width, height in connection.execute(sizes):
                self._longer[np.searchsorted(numbers, number)] = max(width, height)
            these = select(embeddings).where(embeddings.c.image_id.in_(some))
            for number, model, vector in connection.execute(these):
                of_model = vectors.setdefault(model, [])
                if of_model and len(of_model[0]) != len(vector):
                    continue
                rows = self._rows.setdefault(model, np.full(len(numbers), -1, np.int32))
                rows[np.searchsorted(numbers, number)] = len(of_model)
                of_model.append(vector)
        self._vectors = {model: np.stack(of_model) for model, of_model in vectors.items()}

    def similarity(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Cosine of the embeddings of pairs of images, given by number; of the newest model that has seen both.

        Returns:
            float32 (N,); NaN: there is none.
        """
        ones, others = np.searchsorted(self._numbers, ones), np.searchsorted(self._numbers, others)
        found = np.full(len(ones), np.nan, np.float32)
        for model in sorted(self._rows):
            rows, vectors = self._rows[model], self._vectors[model]
            both = np.flatnonzero((rows[ones] >= 0) & (rows[others] >= 0))
            for start in range(0, len(both), AT_ONCE):
                some = both[start : start + AT_ONCE]
                a, b = (vectors[rows[of[some]]].astype(np.float32) for of in (ones, others))
                norms = np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
                with np.errstate(invalid="ignore", divide="ignore"):
                    found[some] = np.einsum("ij,ij->i", a, b) / norms
        return found

    def small(self, ones: np.ndarray, others: np.ndarray, side: int) -> np.ndarray:
        """Is the longer side of one of each pair below ``side`` pixels?"""
        pair = (self._longer[np.searchsorted(self._numbers, of)] for of in (ones, others))
        return np.minimum(*pair) < side


def as_numbers(digits: Sequence[str]) -> np.ndarray:
    """uint64 of texts of 16 hexadecimal digits."""
    return np.frombuffer(bytes.fromhex("".join(digits)), ">u8").astype(np.uint64)


def as_name(number: int) -> str:
    """16 hexadecimal digits."""
    return f"{number:016x}"


def _partitions(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    with connection.execution_options(yield_per=_ROWS).execute(statement) as rows:
        yield from rows.partitions()
