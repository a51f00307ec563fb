"""The proof that splits do not leak: it reads a finished lockfile and nothing else, and knows nothing of ``splits.py``.

For everything that images can have in common, it lists all values with their splits: a value that is in two is a leak.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

KINDS = {
    "films": "film",
    "copies": "cluster of copies",
    "variants": "cluster of variants",
    "sha256": "image",
    "phash": "perceptual hash",
    "source": "source",
}
"""Column → what it is. ``source`` only where the dataset is split by it."""
NAMED = 20
"""Most leaks of each kind that are named."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Two images in different splits that have something in common."""

    kind: str
    """One of :data:`KINDS`' values."""
    value: str
    one: tuple[str, str]
    """sha256 and split."""
    other: tuple[str, str]

    def __str__(self) -> str:
        pair = " and ".join(f"{sha256} ({split})" for sha256, split in (self.one, self.other))
        return f"{self.kind} {self.value!r}: {pair}"


def find_leaks(lockfile: Path, *, by_source: bool = False) -> list[Leak]:
    """All leaks of a dataset, by its lockfile; at most :data:`NAMED` of each kind. In memory are 9 bytes a value.

    Args:
        lockfile: a finished one.
        by_source: no source may be in two splits.
    """
    found: list[Leak] = []
    for column, kind in KINDS.items():
        if column != "source" or by_source:
            found += _of_column(lockfile, column, kind)
    return found


def _of_column(lockfile: Path, column: str, kind: str) -> list[Leak]:
    splits: dict[str, int] = {}
    hashes, codes = [np.empty(0, np.uint64)], [np.empty(0, np.int8)]
    for values, split, _ in _values(lockfile, column):
        hashes.append(np.fromiter((_hash(value) for _, value in values), np.uint64, len(values)))
        codes.append(np.full(len(values), splits.setdefault(split, len(splits)), np.int8))
    suspects = set(_in_two(np.concatenate(hashes), np.concatenate(codes)).tolist())
    if not suspects:
        return []
    found: dict[str, dict[str, str]] = {}
    for values, split, names in _values(lockfile, column):
        for place, value in values:
            if _hash(value) in suspects:
                found.setdefault(value, {}).setdefault(split, names[place])
    leaking = sorted((value, list(of.items())) for value, of in found.items() if len(of) > 1)
    return [
        Leak(kind, value, (one, split), (other, other_split))
        for value, ((split, one), (other_split, other), *_) in leaking[:NAMED]
    ]


def _values(lockfile: Path, column: str) -> Iterator[tuple[list[tuple[int, str]], str, list[str]]]:
    """Of each row group: row and value of all that have one; the split; and the sha256 of the rows."""
    with pq.ParquetFile(lockfile) as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=list({column, "split", "sha256"}))
            by_split: dict[str, list[tuple[int, str]]] = {}
            both = zip(rows[column].to_pylist(), rows["split"].to_pylist(), strict=True)
            for place, (value, split) in enumerate(both):
                several = value if isinstance(value, list) else [value]
                by_split.setdefault(split, []).extend((place, one) for one in several if one is not None)
            names = rows["sha256"].to_pylist()
            for split, values in by_split.items():
                yield values, split, names


def _in_two(hashes: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Those of ``hashes`` that come with different ``codes``."""
    order = np.argsort(hashes, kind="stable")
    hashes, codes = hashes[order], codes[order]
    starts = np.flatnonzero(np.concatenate([hashes[:1] == hashes[:1], hashes[1:] != hashes[:-1]]))
    if not len(starts):
        return hashes
    several = np.minimum.reduceat(codes, starts) != np.maximum.reduceat(codes, starts)
    return np.asarray(hashes[starts[several]])


def _hash(value: str) -> int:
    return int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest())
