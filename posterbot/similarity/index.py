"""The index of a catalogue's embeddings: a file beside it that is brought up to date whenever it is asked.

What is searched is all of it, exactly: usearch's kernels look through 100,000 embeddings of 1,280 numbers in some
30 ms. A graph (HNSW) answers sooner, but takes longer to build than all the searches of a person together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, func, select

from posterbot.catalogue.schema import embeddings, images, models, policies
from posterbot.similarity.vectors import SUFFIX, DamagedError, Vectors

AT_ONCE = 500
"""Embeddings that are read from the catalogue at once."""
MORE = 32
"""So many more than wanted are looked at again in double precision: float32 sums may order near ties by chance."""


class NoEmbeddingsError(LookupError):
    """There is nothing to search; ``str()`` is one line."""


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model of the catalogue, by which images were embedded."""

    id: int
    name: str
    hash: str
    images: int
    """That have an embedding of it."""


@dataclass(frozen=True, slots=True)
class Near:
    """An image, and the cosine of the angle between its embedding and the one asked for: 1 is the same direction."""

    sha256: str
    similarity: float


Told = Callable[[str, int, int], None]
"""What is being done, with how many images, of how many."""


def silent(_: str, __: int, ___: int) -> None:
    """Nobody looks."""


def embedding_models(engine: Engine) -> list[EmbeddingModel]:
    """All models with embeddings: that of the newest policy first, then those with most images."""
    with engine.connect() as connection:
        newest = connection.scalar(select(policies.c.model_id).order_by(policies.c.id.desc()).limit(1))
        counted = (
            select(models.c.id, models.c.name, models.c.hash, func.count())
            .join(embeddings, embeddings.c.model_id == models.c.id)
            .group_by(models.c.id, models.c.name, models.c.hash)
        )
        found = [EmbeddingModel(*row) for row in connection.execute(counted)]
    return sorted(found, key=lambda model: (model.id != newest, -model.images, model.hash))


def index_file(engine: Engine) -> Path:
    """Where the index of a catalogue lies unless told: beside a SQLite file, else under ``data/``."""
    name = engine.url.database or "catalogue"
    if engine.dialect.name == "sqlite":
        return Path(name).with_name(Path(name).name + SUFFIX)
    return Path("data") / (name.replace("/", "_") + SUFFIX)


class Index:
    """All embeddings of ``model`` in the catalogue at this moment, ready to be searched.

    What is new there is appended to ``file``, what was forgotten is taken out of it, and a file that cannot be used is
    made anew.

    Args:
        engine: from ``open_catalogue``.
        model: one of :func:`embedding_models`.
        file: made where it is missing; named ``….vectors``, it is replaced where it is damaged.
        told: called while embeddings are read, for who waits.
        say: called with one line where the file had to be made anew.

    Raises:
        NoEmbeddingsError: the model's embeddings are gone, or are no vectors.
        ForeignError: ``file`` is something else.
        OSError: it cannot be written.
    """

    def __init__(
        self,
        engine: Engine,
        model: EmbeddingModel,
        file: Path,
        told: Told = silent,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._engine, self._model, self._told = engine, model, told
        dimensions = self._dimensions()
        try:
            vectors = Vectors(file, model.hash, dimensions)
        except FileNotFoundError:
            vectors = Vectors.create(file, model.hash, dimensions)
        except DamagedError as error:
            say(f"{file} is made anew: {error}")
            vectors = Vectors.create(file, model.hash, dimensions)
        self._vectors = self._up_to_date(vectors)

    @property
    def images(self) -> int:
        """In the index."""
        return len(self._vectors.records)

    def of(self, sha256: str) -> np.ndarray | None:
        """The embedding of an image, float16 (dimensions,); None where it has none."""
        row = self._vectors.row(sha256)
        return None if row is None else np.array(self._vectors.vectors[row])

    def nearest(self, embedding: np.ndarray, number: int, besides: str | None = None) -> list[Near]:
        """The ``number`` images whose embeddings are most like ``embedding``, best first; ties by sha256.

        Args:
            embedding: (dimensions,), of the same model.
            number: at most so many.
            besides: sha256 of an image that is left out.
        """
        from usearch.index import MetricKind, search

        count = min(number + MORE, self.images)
        asked = np.ascontiguousarray(embedding, np.float16)[np.newaxis]
        rows = search(self._vectors.vectors, asked, count, MetricKind.Cos, exact=True).keys.ravel().astype(np.int64)
        similar = cosines(np.asarray(self._vectors.vectors[rows]), embedding)
        found = [Near(self._vectors.sha256(int(row)), float(cosine)) for row, cosine in zip(rows, similar, strict=True)]
        found = [near for near in found if near.sha256 != besides]
        return sorted(found, key=lambda near: (-near.similarity, near.sha256))[:number]

    def _dimensions(self) -> int:
        """Length of the embeddings."""
        first = select(embeddings.c.vector).where(embeddings.c.model_id == self._model.id).limit(1)
        with self._engine.connect() as connection:
            vector = connection.scalar(first)
        if vector is None or not len(vector):
            raise NoEmbeddingsError(f"there is no embedding of model {self._model.name} in this catalogue any more")
        return len(vector)

    def _up_to_date(self, vectors: Vectors) -> Vectors:
        numbers, heads = self._in_catalogue()
        there = vectors.heads
        stay = np.isin(there, heads)
        if not stay.all():
            vectors = vectors.only(stay)
        new = numbers[~np.isin(heads, there)]
        return vectors.append(self._records(new, vectors)) if len(new) else vectors

    def _in_catalogue(self) -> tuple[np.ndarray, np.ndarray]:
        """Number, and first 8 bytes of the sha256, of each image that has an embedding: 16 bytes for each."""
        asked = (
            select(images.c.id, images.c.sha256)
            .join(embeddings, embeddings.c.image_id == images.c.id)
            .where(embeddings.c.model_id == self._model.id)
            .order_by(images.c.id)
        )
        with self._engine.connect().execution_options(yield_per=10_000) as connection:
            found = np.fromiter(
                ((row.id, int(row.sha256[:16], 16)) for row in connection.execute(asked)),
                np.dtype([("id", np.int64), ("head", np.uint64)]),
            )
        return found["id"], found["head"]

    def _records(self, numbers: np.ndarray, vectors: Vectors) -> Iterator[np.ndarray]:
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE].tolist()
            asked = (
                select(images.c.sha256, embeddings.c.vector)
                .join(embeddings, embeddings.c.image_id == images.c.id)
                .where(embeddings.c.model_id == self._model.id, images.c.id.in_(some))
                .order_by(images.c.id)
            )
            with self._engine.connect() as connection:
                rows = [row for row in connection.execute(asked) if len(row.vector) == vectors.dimensions]
            block = np.empty(len(rows), vectors.record)
            for place, row in enumerate(rows):
                block[place] = (bytes.fromhex(row.sha256), row.vector)
            yield block
            self._told("indexed", start + len(some), len(numbers))


def cosines(vectors: np.ndarray, embedding: np.ndarray) -> np.ndarray:
    """Cosine of each row of ``vectors`` (N, D) with ``embedding`` (D,); 0 where one has no length.

    Summed in double precision and rounded to six digits, so that it is the same on every machine.
    """
    rows, one = vectors.astype(np.float64), np.asarray(embedding, np.float64)
    lengths = np.sqrt((rows * rows).sum(axis=1)) * np.sqrt((one * one).sum())
    products = (rows * one).sum(axis=1)
    return np.asarray(np.round(np.divide(products, lengths, out=np.zeros(len(rows)), where=lengths > 0), 6))
