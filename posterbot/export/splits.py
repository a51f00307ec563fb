"""Which images go to training, validation and test: whole groups, so that nothing known of one split is in another.

Two images are of one group if they share a film, a cluster of copies or variants, a perceptual hash (or a source, where
that is asked for), or if a chain of such images leads from one to the other. Groups are put in the order of a hash of
the seed and their smallest sha256, and cut where the shares are met best. So nothing depends on the numbers that a
catalogue has given, and when a catalogue grows, most groups stay where they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Links = tuple[np.ndarray, np.ndarray]
"""Places of images, and what each is linked with: images with equal values are together."""


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """What became of ``n`` images."""

    split: np.ndarray
    """int8, (n,): place in ``example.SPLITS``."""
    group: np.ndarray
    """int32, (n,)."""
    largest: int
    """Images of the largest group."""


def digests(sha256: Sequence[str]) -> np.ndarray:
    """Hashes in hexadecimal as numbers that sort alike: uint64, (n, 4)."""
    data = bytes.fromhex("".join(sha256))
    return np.frombuffer(data, ">u8").reshape(-1, 4).astype(np.uint64)


def shuffled(sha256: np.ndarray, seed: int) -> np.ndarray:
    """A number for each image by which they are in an order of chance, the same each time: uint64, (n,)."""
    salt = f"{seed}:".encode()
    rows = sha256.astype(">u8").tobytes()
    out = bytearray(8 * len(sha256))
    for place in range(len(sha256)):
        out[8 * place : 8 * place + 8] = hashlib.sha256(salt + rows[32 * place : 32 * place + 32]).digest()[:8]
    return np.frombuffer(bytes(out), ">u8").astype(np.uint64)


def assign(sha256: np.ndarray, links: Iterable[Links], shares: Sequence[float], seed: int) -> Assignment:
    """Split images.

    Args:
        sha256: of each, from :func:`digests`.
        links: what holds images together.
        shares: of each split, 0–1; they sum to 1. A split without a share gets nothing, and one with a share gets at
            least a group, as long as there are enough.
        seed: another one gives another split.
    """
    count = len(sha256)
    group = components(count, links)
    groups = int(group.max()) + 1 if count else 0
    order = np.lexsort(sha256.T[::-1])
    smallest = np.empty(groups, np.int64)
    smallest[group[order[::-1]]] = order[::-1]  # of several, the last to be written: the smallest
    sizes = np.bincount(group, minlength=groups)
    by_hash = np.lexsort((smallest, shuffled(sha256[smallest], seed)))
    of_group = np.empty(groups, np.int8)
    of_group[by_hash] = _cut(sizes[by_hash], shares)
    return Assignment(of_group[group], group, int(sizes.max(initial=0)))


def components(count: int, links: Iterable[Links]) -> np.ndarray:
    """Number of the group of each of ``count`` images: int32, (count,)."""
    ends: list[np.ndarray] = []
    nodes = count
    starts: list[np.ndarray] = []
    for places, values in links:
        _, of_value, images = np.unique(values, return_inverse=True, return_counts=True)
        shared = images[of_value] > 1  # most values are of one image, and hold nothing together
        starts.append(places[shared])
        ends.append(of_value[shared] + nodes)
        nodes += len(images)
    start = np.concatenate([*starts, np.empty(0, np.int64)]).astype(np.int64)
    end = np.concatenate([*ends, np.empty(0, np.int64)]).astype(np.int64)
    graph = coo_matrix((np.ones(len(start), np.int8), (start, end)), shape=(nodes, nodes))
    _, found = connected_components(graph, directed=False)
    return np.unique(found[:count], return_inverse=True)[1].astype(np.int32)


def _cut(sizes: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """The split of each group, for groups in their order: int8.

    Groups that are larger than the smallest share go to the largest; the others are cut into one run for each split.
    """
    wanted = [split for split, share in enumerate(shares) if share > 0]
    largest = max(wanted, key=lambda split: (shares[split], -split))
    total = int(sizes.sum())
    out = np.full(len(sizes), largest, np.int8)
    limit = max(1.0, min(shares[split] for split in wanted) * total)
    dear = [place for place in np.argsort(-sizes, kind="stable") if sizes[place] > limit]
    dear = dear[: max(0, len(sizes) - len(wanted) + 1)]
    rest = np.setdiff1d(np.arange(len(sizes)), dear)
    ends = np.cumsum(sizes[rest])
    needed = {split: shares[split] * total for split in wanted}
    needed[largest] = max(0.0, needed[largest] - float(sizes[dear].sum()))
    factor = ends[-1] / max(sum(needed.values()), 1e-9) if len(rest) else 0.0
    begin, target = 0, 0.0
    for number, split in enumerate(wanted):
        target += needed[split] * factor
        later = sum(1 for other in wanted[number + 1 :] if other != largest or not dear)
        least = begin + (split != largest or not dear)
        end = int(np.argmin(np.abs(np.concatenate([[0], ends]) - target)))
        end = len(rest) if number == len(wanted) - 1 else min(max(end, least), max(len(rest) - later, begin))
        out[rest[begin:end]] = split
        begin = end
    return out
