"""From one store to another: what is missing there is copied, what is there stays, and nothing is ever deleted.

Both sides list in the order of paths, so they are compared as two streams; memory does not grow with their number.
What was interrupted is done again by the same call, which then finds less missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from posterbot.stores.patient import Patient
from posterbot.stores.store import OCTETS, NotStoredError, Stat, Store
from posterbot.stores.streams import in_parallel, of_images, sha256_of_name, side_by_side


@dataclass(frozen=True, slots=True)
class NotCopied:
    """An object of the source that is not at the destination as it should be."""

    path: str
    why: str


@dataclass(slots=True)
class Synced:
    """What :func:`sync` has done so far."""

    listed: int = 0
    """Objects of the source, as far as they are compared; nothing is copied before all are."""
    total: int | None = None
    """Objects to copy, and ..."""
    total_bytes: int = 0
    """... their size; both are known when all are compared."""
    copied: int = 0
    bytes: int = 0
    """Of what was copied."""
    already: int = 0
    """Objects that were there."""
    not_copied: int = 0


def _silent(synced: Synced, trouble: NotCopied | None) -> None:
    pass


def sync(
    source: Store,
    destination: Store,
    told: Callable[[Synced, NotCopied | None], None] = _silent,
    synced: Synced | None = None,
) -> Synced:
    """Copy what ``destination`` lacks, with media types and facts; what it has is left as it is.

    Args:
        source: it must not be, hold, or lie in ``destination``: see :func:`overlap`.
        destination: where to.
        told: called after each object, with what was done so far and with what could not be copied.
        synced: where to count; a new one if not given.

    Returns:
        All that was done.

    Raises:
        StoreError: somebody has to mend it.
        UnavailableError: a store did not answer several times in a row.
    """
    synced = synced or Synced()
    source, destination = Patient(source), Patient(destination)
    total, differ = 0, False
    for here, there in side_by_side(of_images(source.list()), of_images(destination.list())):
        synced.listed += len(here)
        if here and not there:
            total += 1
            synced.total_bytes += here[0].size
        elif here:
            synced.already += 1
            differ = differ or _difference(here[0], there[0]) is not None
        told(synced, None)
    synced.total = total
    if not total and not differ:
        return synced
    synced.already = 0

    def hurry() -> None:
        source.hurry()
        destination.hurry()

    def copy(pair: tuple[list[Any], ...]) -> tuple[int | None, NotCopied | None]:
        (here,), there = pair
        if there:
            why = _difference(here, there[0])
            return None, None if why is None else NotCopied(here.path, why)
        return _copy(source, destination, here)

    both = side_by_side(of_images(source.list()), of_images(destination.list()))
    threads = max(source.threads, destination.threads)
    with closing(in_parallel(copy, (pair for pair in both if pair[0]), threads, hurry)) as results:
        for size, trouble in results:
            if trouble is not None:
                synced.not_copied += 1
            elif size is None:
                synced.already += 1
            else:
                synced.copied += 1
                synced.bytes += size
            told(synced, trouble)
    return synced


def overlap(one: str, other: str) -> bool:
    """Are two stores, by their names, the same, or is one within the other?"""
    one, other = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return one.startswith(other) or other.startswith(one)


def _difference(here: Stat, there: Stat) -> str | None:
    if here.size != there.size:
        return f"{there.size:,} bytes are there already, {here.size:,} are here: left as it is"
    if here.md5 is not None and there.md5 is not None and here.md5 != there.md5:
        return "other bytes are there already, as their md5 says: left as it is"
    return None


def _copy(source: Store, destination: Store, found: Stat) -> tuple[int | None, NotCopied | None]:
    """Bytes that were copied, None where another was faster; or what is wrong."""
    try:
        data = source.get(found.path)
    except NotStoredError:
        return None, NotCopied(found.path, "gone since it was listed")
    name = sha256_of_name(found.path)
    if name is not None and hashlib.sha256(data).hexdigest() != name:
        return None, NotCopied(found.path, "damaged: these are not the bytes that its name says")
    if len(data) != found.size:
        return None, NotCopied(found.path, f"changed: {found.size:,} bytes were listed, {len(data):,} came")
    if found.media_type == OCTETS and not found.facts:
        found = source.stat(found.path) or found  # lists of some stores have neither
    media_type = _media_type(found.path) if found.media_type == OCTETS else found.media_type
    written = destination.put_if_absent(found.path, data, media_type, found.facts)
    return len(data) if written else None, None


def _media_type(path: str) -> str:
    """By the extension, which was given by the signature: a disk keeps no media types, and browsers need them."""
    from models.decode import FORMATS

    return dict(FORMATS.values()).get(path.rpartition(".")[2], OCTETS)
