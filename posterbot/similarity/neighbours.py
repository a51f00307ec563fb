"""For each of many images, the nearest that have nothing to do with it: all with all, block by block.

Products of blocks of float32 are what a processor does fastest, and what may not be a neighbour is masked before the
nearest are taken, so that their number does not depend on how many are masked. Above :data:`EXACT` images it looks only
into cells around each image's own (Sivic & Zisserman, ICCV 2003; Jégou et al., PAMI 2011): a few neighbours
are missed then, none is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from posterbot.similarity.index import cosines

EXACT = 60_000
"""Up to so many images, all are compared with all."""
CELL = 4_000
"""Images in a cell, about."""
PROBES = 16
"""Cells that are looked into."""
_SAMPLE = 20
"""Images for each cell from which the cells' centres are learned."""
_ROUNDS = 6
_ANCHORS, _OTHERS = 1024, 8192
_SPARE = 6
"""So many more are looked at again in double precision."""

Told = Callable[[int], None]


def nearest_strangers(
    vectors: np.ndarray,
    groups: np.ndarray,
    traits: np.ndarray,
    number: int,
    told: Told = lambda _: None,
    exact: int = EXACT,
) -> tuple[np.ndarray, np.ndarray]:
    """For each image the ``number`` nearest of other groups with no trait in common; best first, ties by row.

    The same input gives the same answer. In memory is what is returned, a few blocks, and ``vectors`` where they are.

    Args:
        vectors: float32 (N, D), each of length 1 or 0; may be a memory map.
        groups: int (N,).
        traits: uint64 (N, W): a bit for each trait.
        number: at most so many.
        told: called with the number of images that are done.
        exact: instead of :data:`EXACT`.

    Returns:
        int32 (N, number): rows, -1 where there are no more; float32 (N, number): cosines.
    """
    count = len(vectors)
    rows = np.full((count, number), -1, np.int32)
    similar = np.full((count, number), -np.inf, np.float32)
    done = 0
    for anchors, others in _cells(vectors, exact):
        for start in range(0, len(anchors), _ANCHORS):
            some = anchors[start : start + _ANCHORS]
            found, near = _best(vectors, groups, traits, some, others, number + _SPARE)
            rows[some], similar[some] = _ordered(vectors, some, found, near, number)
            done += len(some)
            told(done)
    return rows, similar


def _best(
    vectors: np.ndarray, groups: np.ndarray, traits: np.ndarray, some: np.ndarray, others: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of ``others`` to each of ``some``, in any order."""
    mine = vectors[some]
    found = np.full((len(some), number), -1, np.int32)
    near = np.full((len(some), number), -np.inf, np.float32)
    for start in range(0, len(others), _OTHERS):
        block = others[start : start + _OTHERS]
        products = mine @ vectors[block].T
        related = groups[some][:, None] == groups[block][None, :]
        for word in range(traits.shape[1]):
            related |= (traits[some, word][:, None] & traits[block, word][None, :]) != 0
        products[related] = -np.inf
        together = np.concatenate([near, products], axis=1)
        names = np.concatenate([found, np.broadcast_to(block.astype(np.int32), products.shape)], axis=1)
        places = np.argpartition(together, -number, axis=1)[:, -number:]
        near, found = np.take_along_axis(together, places, 1), np.take_along_axis(names, places, 1)
    return np.where(np.isneginf(near), -1, found), near


def _ordered(
    vectors: np.ndarray, some: np.ndarray, found: np.ndarray, near: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best ``number`` of each row, by cosines that do not depend on how the products were summed."""
    rows = np.full((len(some), number), -1, np.int32)
    similar = np.full((len(some), number), -np.inf, np.float32)
    for place, anchor in enumerate(some):
        there = found[place][found[place] >= 0]
        cosine = cosines(vectors[there], vectors[anchor])
        order = np.lexsort((there, -cosine))[:number]
        rows[place, : len(order)], similar[place, : len(order)] = there[order], cosine[order]
    return rows, similar


def _cells(vectors: np.ndarray, exact: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows, and those that they are compared with."""
    count = len(vectors)
    everything = np.arange(count)
    if count <= exact:
        yield everything, everything
        return
    centres = _centres(vectors, max(count // CELL, 2))
    cell = np.empty(count, np.int32)
    for start in range(0, count, _OTHERS):
        cell[start : start + _OTHERS] = np.argmax(vectors[start : start + _OTHERS] @ centres.T, axis=1)
    by_cell = np.argsort(cell, kind="stable")
    ends = np.searchsorted(cell[by_cell], np.arange(len(centres) + 1))
    for number, centre in enumerate(centres):
        near = np.argsort(-(centres @ centre), kind="stable")[:PROBES]
        others = np.sort(np.concatenate([by_cell[ends[one] : ends[one + 1]] for one in near]))
        yield by_cell[ends[number] : ends[number + 1]], others


def _centres(vectors: np.ndarray, number: int) -> np.ndarray:
    """Directions in which many images lie: float32 (number, D), by k-means on the sphere, begun at fixed rows."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, number * _SAMPLE).astype(np.int64))
    sample = np.asarray(vectors[rows])
    centres = sample[:: max(len(sample) // number, 1)][:number].copy()
    for _ in range(_ROUNDS):
        nearest = np.argmax(sample @ centres.T, axis=1)
        for one in range(len(centres)):
            mean = sample[nearest == one].sum(axis=0)
            length = np.linalg.norm(mean)
            if length > 0:
                centres[one] = mean / length
    return centres
