"""What a lockfile's rows add up to: all numbers of a dataset card, from one pass over its columns."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from posterbot.export.example import SPLITS

PERCENTILES = (0, 10, 50, 90, 100)
AT_ONCE = 50_000
"""Rows in memory at once."""

_COUNTED = ("split", "label", "format", "licence")
_COLUMNS = [
    *_COUNTED,
    *("bytes", "width", "height", "year", "policy", "genres", "film", "films", "title", "copies", "variants"),
    *("confidence", "fetched_at"),
]


@dataclass(slots=True)
class Numbers:
    """Counts of images, unless something else is said. None among the keys: not known."""

    images: int = 0
    bytes: int = 0
    """Of the originals."""
    split: Counter[Any] = field(default_factory=Counter)
    label: Counter[Any] = field(default_factory=Counter)
    format: Counter[Any] = field(default_factory=Counter)
    licence: Counter[Any] = field(default_factory=Counter)
    decade: Counter[Any] = field(default_factory=Counter)
    genre: Counter[Any] = field(default_factory=Counter)
    """An image counts for each of its genres."""
    policy: Counter[Any] = field(default_factory=Counter)
    split_label: Counter[tuple[str, str]] = field(default_factory=Counter)
    without_genre: int = 0
    linked: int = 0
    """With a film."""
    split_films: Counter[str] = field(default_factory=Counter)
    """Different films of each split."""
    films: int = 0
    """Different ones."""
    several: int = 0
    """Films of which there is more than one image."""
    leaks: dict[str, int] = field(default_factory=dict)
    """Films, clusters of copies and clusters of variants that are in more than one split."""
    clusters: dict[str, int] = field(default_factory=dict)
    """``copies`` and ``variants``: clusters of which there is more than one image."""
    clustered: dict[str, int] = field(default_factory=dict)
    """Images in those."""
    sizes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """``width``, ``height`` in pixels and ``bytes``, at PERCENTILES."""
    last_fetched: str | None = None
    """The day, ``2026-11-21``, on which the last of them was fetched."""


def add_up(file: Path) -> Numbers:
    """Read the lockfile ``file``, a batch at a time; some 70 bytes for each image are in memory."""
    found = Numbers()
    sizes: dict[str, list[np.ndarray]] = {"width": [], "height": [], "bytes": []}
    hashed: dict[str, list[np.ndarray]] = {"films": [], "film": [], "copies": [], "variants": []}
    splits: dict[str, list[np.ndarray]] = {name: [] for name in hashed}
    with pq.ParquetFile(file, pre_buffer=False) as rows:
        for batch in rows.iter_batches(AT_ONCE, columns=_COLUMNS):
            _count(found, batch)
            for name, parts in sizes.items():
                parts.append(batch[name].to_numpy(zero_copy_only=False))
            split = np.array([SPLITS.index(name) for name in batch["split"].to_pylist()], np.uint8)
            for name in ("film", "copies", "variants"):
                known = np.asarray(batch[name].is_valid())
                hashed[name].append(_hashes(batch[name].drop_null()))
                splits[name].append(split[known])
            hashed["films"].append(_hashes(batch["films"].flatten()))
            splits["films"].append(split[pc.list_parent_indices(batch["films"]).to_numpy()])
    found.images = found.split.total()
    for name, parts in sizes.items():
        values = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        if name == "bytes":
            found.bytes = int(values.sum())
        if len(values):
            at = np.percentile(values, PERCENTILES, method="inverted_cdf")
            found.sizes[name] = tuple(int(value) for value in at)
    for name in hashed:
        _group(found, name, np.concatenate(hashed[name] or [_NONE]), np.concatenate(splits[name] or [_NONE]))
    return found


_NONE = np.zeros(0, np.uint8)


def _count(found: Numbers, batch: pa.RecordBatch) -> None:
    for name in _COUNTED:
        getattr(found, name).update(_values(batch[name]))
    found.policy.update(_values(batch["policy"]))
    found.genre.update(_values(batch["genres"].flatten()))
    found.without_genre += int(pc.sum(pc.equal(pc.list_value_length(batch["genres"]), 0)).as_py() or 0)
    for year, number in _values(batch["year"]).items():
        found.decade[None if year is None else year // 10 * 10] += number
    found.split_label.update(zip(batch["split"].to_pylist(), batch["label"].to_pylist(), strict=True))
    found.linked += len(batch) - batch["film"].null_count
    latest = pc.max(batch["fetched_at"]).as_py()
    if latest is not None:
        found.last_fetched = max(found.last_fetched or "", f"{latest:%Y-%m-%d}")


def _values(column: pa.Array) -> dict[Any, int]:
    return {each["values"]: each["counts"] for each in pc.value_counts(column).to_pylist()}


def _hashes(column: pa.Array) -> np.ndarray:
    """64 bits for each text: among a million, two that differ are equal once in 37 million datasets."""
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in column.to_pylist())
    return np.frombuffer(digests, np.uint64)


def _group(found: Numbers, name: str, hashes: np.ndarray, split: np.ndarray) -> None:
    """What of it is in several splits, and what has several images."""
    different, number = np.unique(hashes, return_counts=True)
    if name != "film":
        in_split = np.unique(np.stack([hashes.astype(np.uint64), split.astype(np.uint64)]), axis=1)
        found.leaks[name] = int((np.unique(in_split[0], return_counts=True)[1] > 1).sum()) if len(hashes) else 0
    if name == "film":
        found.films, found.several = len(different), int((number > 1).sum())
        for place, split_name in enumerate(SPLITS):
            found.split_films[split_name] = len(np.unique(hashes[split == place]))
    elif name != "films":
        found.clusters[name], found.clustered[name] = int((number > 1).sum()), int(number[number > 1].sum())
