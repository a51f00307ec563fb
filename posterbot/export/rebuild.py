"""A dataset made again from its lockfile alone: what has to be fetched, and the writing. The fetching is a crawl."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sqlalchemy import Engine

from posterbot.catalogue.tombstones import laid
from posterbot.export.example import SPLITS, Example
from posterbot.export.export import Exported, carry_out
from posterbot.export.formats.formats import FORMATS
from posterbot.export.link_rot import Found, Status, line
from posterbot.export.lockfile import NAME, Header, Lockfile, LockfileError, LockWriter
from posterbot.export.making import Job
from posterbot.export.options import FITS
from posterbot.export.papers import write_papers
from posterbot.export.target import PLAN, OccupiedError, open_target
from posterbot.frontier.tombstones import image_tombstone, tombstones_of
from posterbot.reasons import Reason
from posterbot.stores.patient import Patient
from posterbot.stores.streams import in_parallel

LARGEST = 16_384
"""Pixels that a lockfile may ask for."""
FORGOTTEN = "forgotten"
_PATH = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f]{64})\.[a-z0-9]{1,5}")
_ROWS = 10_000

Told = Callable[[int], None]
"""So many images are looked at."""
Progress = Callable[[str, int, int | None, int], None]
"""What is done, with how many images so far, of how many, and how many bytes were read."""


def open_lockfile(place: Path) -> Lockfile:
    """The lockfile ``place``, or the one in the folder ``place``.

    Raises:
        LockfileError: there is none that can be read.
    """
    return Lockfile(place / NAME if place.is_dir() else place)


def check_lockfile(lock: Lockfile) -> None:
    """A lockfile may come from a stranger, and says where files are written: nothing in it may lead elsewhere.

    Raises:
        LockfileError: it says what no export has written.
    """
    options = lock.header.options
    if options.format not in FORMATS or options.fit not in FITS:
        raise LockfileError(f"{lock.file}: no format {options.format!r} or fit {options.fit!r} is known here")
    if options.size is not None and not (isinstance(options.size, int) and 0 < options.size <= LARGEST):
        raise LockfileError(f"{lock.file}: size {options.size!r}: it is from 1 to {LARGEST:,} pixels")
    labels, genres = set(lock.header.labels), set(lock.header.genres)
    number = 0
    try:
        with pq.ParquetFile(lock.file, pre_buffer=False) as file:
            for batch in file.iter_batches(_ROWS, columns=["sha256", "path", "split", "shard", "label", "genres"]):
                for row in batch.to_pylist():
                    number += 1
                    path = _PATH.fullmatch(row["path"])
                    if path is None or path[3] != row["sha256"] or path[3][:4] != path[1] + path[2]:
                        raise LockfileError(f"{lock.file}: row {number}: its path is not that of an original")
                    if row["split"] not in SPLITS or row["shard"] < 0:
                        raise LockfileError(f"{lock.file}: row {number}: no split is called {row['split'][:40]!r}")
                    if row["label"] not in labels or not genres.issuperset(row["genres"]):
                        raise LockfileError(f"{lock.file}: row {number}: its label or genre is not in the header")
    except (OSError, ValueError) as error:  # of Arrow
        if isinstance(error, LockfileError):
            raise
        raise LockfileError(f"{lock.file}: it is damaged ({str(error).splitlines()[0]})") from None


def plan_again(lock: Lockfile, file: Path, format: str | None, forgotten: Collection[str]) -> Lockfile:
    """Write the plan of what is made: the lockfile itself, or one of another format, or without some images.

    Pairs of images are found by embeddings, which no lockfile has, so they are not asked for again.

    Args:
        lock: of the dataset.
        file: the plan.
        format: instead of the dataset's own.
        forgotten: sha256 of what must not be made again.

    Raises:
        LockfileError: nothing is left.
    """
    options = replace(lock.header.options, format=format or lock.header.options.format, pairs=False)
    gone = set(forgotten)
    header = replace(lock.header, options=options)
    part = file.with_name(f"{file.name}.part")
    if header == lock.header and not gone:
        shutil.copyfile(lock.file, part)
    else:
        if gone:
            header = _without(header, lock, gone)
        with LockWriter(part, header) as writer:
            for shard in lock.shards:
                if rows := [row for row in lock.read(shard.index) if row.sha256 not in gone]:
                    writer.write(rows)
    os.replace(part, file)  # noqa: PTH105
    found = Lockfile(file)
    if not found.images:
        raise LockfileError(f"{lock.file}: there is no image left in it")
    return found


def _without(header: Header, lock: Lockfile, gone: set[str]) -> Header:
    taken: dict[str, int] = {}
    for example in lock:
        if example.sha256 in gone:
            taken[example.source] = taken.get(example.source, 0) + 1
    left = (replace(source, images=source.images - taken.get(source.name, 0)) for source in header.sources)
    return replace(
        header,
        sources=tuple(sorted((each for each in left if each.images), key=lambda each: (-each.images, each.name))),
        left_out=header.left_out | {FORGOTTEN: header.left_out.get(FORGOTTEN, 0) + len(gone)},
    )


def forgotten_of(engine: Engine, lock: Lockfile) -> list[Example]:
    """Those images that the catalogue says are to be forgotten: by their bytes, their URL or its host."""
    found = []
    with engine.connect() as connection:
        for shard in lock.shards:
            rows = lock.read(shard.index)
            hashes = [{image_tombstone(row.sha256), *tombstones_of(row.url)} for row in rows]
            if there := laid(connection, {hash_ for each in hashes for hash_ in each}):
                found += [row for row, each in zip(rows, hashes, strict=True) if not there.isdisjoint(each)]
    return found


def forgotten_line(example: Example) -> str:
    """Of the report."""
    return line(example.sha256, Found(Status.REFUSED, FORGOTTEN, Reason.FORGOTTEN), example.url)


def write_wanted(lock: Lockfile, store: Patient, settled: np.ndarray, file: Path, told: Told) -> tuple[int, int]:
    """Write down the images that are not in the store, for ``spiders/refetch.py``.

    Only size and name are looked at here. Whoever writes the dataset compares every sha256.

    Args:
        lock: the plan.
        store: where originals are looked for.
        settled: of what need not be asked again, see ``link_rot.go_on``.
        file: to write.
        told: called now and then.

    Returns:
        How many are in the store, and how many are wanted.
    """
    stored = wanted = looked = 0

    def there(example: Example) -> tuple[Example, bool]:
        found = store.stat(example.path)
        return example, found is not None and found.size == example.bytes

    looking = in_parallel(there, lock, store.threads, store.hurry)
    with file.open("w", encoding="utf-8") as out, closing(looking) as all_:
        for example, is_there in all_:
            looked += 1
            told(looked)
            known = _among(bytes.fromhex(example.sha256), settled)
            stored += is_there and not known
            if not is_there and not known:
                wanted += 1
                row = {name: getattr(example, name) for name in ("sha256", "path", "bytes", "url")}
                out.write(json.dumps(row) + "\n")
    return stored, wanted


def write_again(plan: Lockfile, store: str, out: str, *, workers: int | None, told: Progress) -> Exported:
    """Write the dataset that ``plan`` tells of, from what is in the store; go on with it where that was begun.

    Args:
        plan: see :func:`plan_again`.
        store: URI of the originals.
        out: folder of the dataset.
        workers: processes; None: one for each core.
        told: called now and then.

    Raises:
        OccupiedError: there is something else in ``out``.
        TargetError, OSError, StoreError, UnavailableError, DiedError: see ``export.export``.
    """
    target = open_target(out, os.environ)
    try:
        begun = target.fetch(PLAN)
        if begun is None and not target.is_empty():
            raise OccupiedError(f"{target.name} is not empty; give another --out")
        if begun is not None and begun.read_bytes() != plan.file.read_bytes():
            raise OccupiedError(f"what was begun in {target.name} is another dataset; give another --out")
        target.begin()
        if begun is None:
            shutil.copyfile(plan.file, target.folder / PLAN)
            target.keep(PLAN)
        return carry_out(
            target,
            Job(store, out, target.folder),
            workers,
            told,
            lambda lock, missing: write_papers(None, store, lock, target.folder, missing),
        )
    finally:
        target.close()


def _among(digest: bytes, ascending: np.ndarray) -> bool:
    place = int(np.searchsorted(ascending, np.array(digest, "S32")))
    return place < len(ascending) and bool(ascending[place] == np.array(digest, "S32"))
