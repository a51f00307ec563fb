"""Pairs to train on: which images of a split belong together, and which only look as if they did.

``pairs/<split>.parquet`` has ``anchor``, ``positive`` (sha256) and ``kind``: ``copy``, ``variant`` or ``same_film``.
``pairs/<split>-hard-negatives.parquet`` has ``anchor``, ``negative``, ``similarity`` (cosine of the embeddings) and
``rank``, from 1. Both are sorted by anchor. A split's tables name images of that split only.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sqlalchemy import Engine, select

from posterbot.catalogue.schema import embeddings, images
from posterbot.export.example import SPLITS, Example
from posterbot.export.lockfile import Header, Lockfile
from posterbot.similarity.index import EmbeddingModel, embedding_models
from posterbot.similarity.neighbours import nearest_strangers

FOLDER = "pairs"
POSITIVES = 10
"""Most of each anchor."""
NEGATIVES = 10
KINDS = ("same_film", "variant", "copy")
"""An image with more than POSITIVES of them keeps those that differ most."""
_AT_ONCE = 500
_ANCHORS = 4096
"""Anchors in a row group."""
_TEXT = pa.string()
POSITIVE_COLUMNS = pa.schema([("anchor", _TEXT), ("positive", _TEXT), ("kind", _TEXT)])
NEGATIVE_COLUMNS = pa.schema(
    [("anchor", _TEXT), ("negative", _TEXT), ("similarity", pa.float64()), ("rank", pa.int32())]
)

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Paired:
    """What was written for one split."""

    split: str
    positives: int
    negatives: int
    anchors: int
    """Images that have hard negatives."""
    without_embedding: int
    """Images of a film that could have some, but have no embedding to be compared by."""


@dataclass(slots=True, eq=False)
class _Images:
    """The n images of a split, sorted by sha256: some 70 bytes for each."""

    sha256: np.ndarray
    """V32."""
    film: np.ndarray
    """uint64: a hash of its name, 0 where there is none."""
    copies: np.ndarray
    variants: np.ndarray
    genres: np.ndarray
    """uint64 (n, words): a bit for each genre."""
    group: np.ndarray
    """int32: those that share a film, by whatever evidence, or a cluster, are of one group."""


def write_pairs(
    engine: Engine, lock: Lockfile, folder: Path, told: Told = lambda verb, done, of: None
) -> tuple[Paired, ...]:
    """Write the tables of all splits of ``lock`` into ``folder/pairs/``; the same catalogue gives the same bytes.

    A positive is another image of the same film, or of the same cluster of copies or variants. A hard negative is an
    image that looks most like the anchor and has another film; none of the films that any evidence links them with is
    the same, no genre is, and they are in no cluster together. A film whose genres nobody knows shares none. An image
    without a film is no hard negative, and has none.

    Up to 60,000 images of films in a split, the nearest are exactly those; above, of a part of the split (see
    ``similarity/neighbours.py``).

    Args:
        engine: the catalogue that the lockfile was made from, for its embeddings.
        lock: which images, and what they are.
        folder: of the dataset.
        told: called with what is being done, and with how many images, of how many.

    Raises:
        OSError: the tables cannot be written.
    """
    model = _model(engine, lock.header)
    out = folder / FOLDER
    out.mkdir(parents=True, exist_ok=True)
    done = []
    for split in SPLITS:
        if any(shard.split == split for shard in lock.shards):
            there = _read(lock, split)
            positives = _write_positives(there, out / f"{split}.parquet")
            negatives = _write_negatives(engine, model, there, out, split, told)
            done.append(Paired(split, positives, *negatives))
    return tuple(done)


def _model(engine: Engine, header: Header) -> EmbeddingModel | None:
    """That of the newest of the dataset's policies that has embeddings, else any; None where there are none."""
    there = {model.hash: model for model in reversed(embedding_models(engine))}
    for rule in sorted(header.rules, key=lambda rule: -rule.number):
        if rule.model_hash in there:
            return there[rule.model_hash]
    return next(reversed(there.values()), None)


def _read(lock: Lockfile, split: str) -> _Images:
    count = sum(shard.images for shard in lock.shards if shard.split == split)
    bit = {genre: place for place, genre in enumerate(lock.header.genres)}
    sha256, genres = np.empty(count, "V32"), np.zeros((count, len(bit) // 64 + 1), np.uint64)
    keys = np.zeros((3, count), np.uint64)
    linked: list[np.ndarray] = []
    row = 0
    for shard in lock.shards:
        if shard.split != split:
            continue
        links: list[tuple[int, int]] = []
        for example in lock.read(shard.index):
            sha256[row] = bytes.fromhex(example.sha256)
            keys[:, row] = [_key(example.film), _key(example.copies), _key(example.variants)]
            for genre in example.genres:
                if genre in bit:
                    genres[row, bit[genre] // 64] |= np.uint64(1 << (bit[genre] % 64))
            links += [(row, _key(name)) for name in _names(example)]
            row += 1
        linked.append(np.array(links, np.uint64).reshape(-1, 2))
    order = np.lexsort(sha256.view(np.uint8).reshape(count, 32).view(">u8").astype(np.uint64).T[::-1])
    group = _groups(count, np.concatenate(linked) if linked else np.empty((0, 2), np.uint64))
    film, copies, variants = keys[:, order]
    return _Images(sha256[order], film, copies, variants, genres[order], group[order])


def _names(example: Example) -> Iterator[str]:
    """What it may have in common with others."""
    yield from example.films
    if example.film is not None:
        yield example.film
    if example.copies is not None:
        yield f"copies {example.copies}"
    if example.variants is not None:
        yield f"variants {example.variants}"


def _key(name: str | None) -> int:
    """63 bits of a hash of a name, never 0; 0 for None."""
    if name is None:
        return 0
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()) >> 1 | 1


def _groups(count: int, links: np.ndarray) -> np.ndarray:
    """int32 (count,): images that are linked, over whatever others, have the same number."""
    names, places = np.unique(links[:, 1], return_inverse=True)
    size = count + len(names)
    edges = (links[:, 0].astype(np.int32), (count + places.ravel()).astype(np.int32))
    graph = coo_array((np.ones(len(links), np.int8), edges), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][:count], np.int32)


def _write_positives(there: _Images, file: Path) -> int:
    circles = [_Circle(there.film), _Circle(there.variants), _Circle(there.copies)]
    written, count = 0, len(there.sha256)
    with pq.ParquetWriter(file, POSITIVE_COLUMNS, compression="zstd") as writer:
        for start in range(0, count, _ANCHORS):
            some = np.arange(start, min(start + _ANCHORS, count))
            anchors, others = _positives(there, circles, some)
            kinds = _kinds(there, anchors, others)
            columns = [_names_of(there, anchors), _names_of(there, others), pa.array(np.array(KINDS)[kinds], _TEXT)]
            writer.write_table(pa.table(columns, schema=POSITIVE_COLUMNS))
            written += len(anchors)
    return written


class _Circle:
    """Images with one key, in a circle: each has those that follow it as positives, and so all are chosen as often."""

    def __init__(self, keys: np.ndarray) -> None:
        self._order = np.argsort(keys, kind="stable").astype(np.int32)
        sorted_keys = keys[self._order]
        self._first = np.searchsorted(sorted_keys, keys, "left").astype(np.int32)
        length = np.searchsorted(sorted_keys, keys, "right") - self._first
        self._length = np.where(keys == 0, 1, length).astype(np.int32)
        self._place = np.empty(len(keys), np.int32)
        self._place[self._order] = np.arange(len(keys), dtype=np.int32)

    def following(self, some: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Those of ``some`` whose circle is longer than ``step``, and the image that is ``step`` behind each."""
        some = some[self._length[some] > step]
        first, length = self._first[some], self._length[some]
        return some, self._order[first + (self._place[some] - first + step) % length]


def _positives(there: _Images, circles: list[_Circle], some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Anchors and positives, at most POSITIVES of each, sorted."""
    found = [circle.following(some, step) for circle in circles for step in range(1, POSITIVES + 1)]
    pairs = np.unique(np.stack([np.concatenate(side).astype(np.int64) for side in zip(*found, strict=True)], 1), axis=0)
    anchors, others = pairs[:, 0], pairs[:, 1]
    order = np.lexsort((others, _kinds(there, anchors, others), anchors))
    anchors, others = anchors[order], others[order]
    rank = np.arange(len(anchors)) - np.searchsorted(anchors, anchors, "left")
    return anchors[rank < POSITIVES], others[rank < POSITIVES]


def _kinds(there: _Images, anchors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Places in KINDS: the closest relation that two images have."""

    def same(keys: np.ndarray) -> np.ndarray:
        return np.asarray((keys[anchors] == keys[others]) & (keys[anchors] != 0))

    return np.where(same(there.copies), 2, np.where(same(there.variants), 1, 0))


def _write_negatives(
    engine: Engine, model: EmbeddingModel | None, there: _Images, out: Path, split: str, told: Told
) -> tuple[int, int, int]:
    """How many were written, of how many anchors; and how many images lack an embedding."""
    candidates = np.flatnonzero(there.film != 0)
    file, written, with_some = out / f"{split}-hard-negatives.parquet", 0, 0
    with (
        tempfile.TemporaryFile(dir=out) as lies,
        pq.ParquetWriter(file, NEGATIVE_COLUMNS, compression="zstd") as writer,
    ):
        vectors, has = _vectors(engine, model, there.sha256[candidates], lies)
        rows = candidates[has]
        verb = f"hard negatives of {split}: compared"
        near, similar = nearest_strangers(
            vectors, there.group[rows], there.genres[rows], NEGATIVES, lambda done: told(verb, done, len(rows))
        )
        for start in range(0, len(rows), _ANCHORS):
            place, rank = np.nonzero(near[start : start + _ANCHORS] >= 0)
            place += start
            columns = [
                _names_of(there, rows[place]),
                _names_of(there, rows[near[place, rank]]),
                pa.array(np.round(similar[place, rank].astype(np.float64), 6)),
                pa.array(rank + 1, pa.int32()),
            ]
            writer.write_table(pa.table(columns, schema=NEGATIVE_COLUMNS))
            written += len(place)
            with_some += len(np.unique(place))
    return written, with_some, len(candidates) - len(rows)


def _vectors(
    engine: Engine, model: EmbeddingModel | None, sha256: np.ndarray, lies: IO[bytes]
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of length 1, float32 (m, D) in the file ``lies``, and which of ``sha256`` they are of: bool (n,)."""
    has = np.zeros(len(sha256), bool)
    if model is None:
        return np.empty((0, 1), np.float32), has
    dimensions = 0
    for start in range(0, len(sha256), _AT_ONCE):
        names = [name.tobytes().hex() for name in sha256[start : start + _AT_ONCE]]
        asked = (
            select(images.c.sha256, embeddings.c.vector)
            .join(embeddings, embeddings.c.image_id == images.c.id)
            .where(embeddings.c.model_id == model.id, images.c.sha256.in_(names))
        )
        with engine.connect() as connection:
            found = {row.sha256: row.vector for row in connection.execute(asked)}
        for place, name in enumerate(names, start):
            vector = found.get(name)
            dimensions = dimensions or (0 if vector is None else len(vector))
            if vector is not None and len(vector) == dimensions > 0:
                wide = vector.astype(np.float64)
                lies.write((wide / max(np.sqrt((wide * wide).sum()), 1e-12)).astype(np.float32).tobytes())
                has[place] = True
    lies.flush()
    if not has.any():
        return np.empty((0, 1), np.float32), has
    return np.memmap(lies, np.float32, "r", shape=(int(has.sum()), dimensions)), has


def _names_of(there: _Images, rows: np.ndarray) -> pa.Array:
    """Their sha256 in hexadecimal."""
    return pa.array([name.tobytes().hex() for name in there.sha256[rows]], _TEXT)
