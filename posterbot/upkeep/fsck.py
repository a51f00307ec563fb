"""Catalogue = store = spool? Each difference is found by reading the three side by side, in the order of paths.

A crawl may be at work meanwhile: it stores first and commits then, and its spool moves into the store. So what seems to
be missing, or too much, is looked at once more before it is called so, and what is young is left alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, islice
from typing import Any

from sqlalchemy import Engine

from posterbot.catalogue.display import size
from posterbot.catalogue.records import now
from posterbot.catalogue.stored import Stored, is_stored, known_paths, not_stored, stored
from posterbot.stores.patient import Patient
from posterbot.stores.spool import Spool
from posterbot.stores.store import NotStoredError, Stat, Store
from posterbot.stores.streams import in_parallel, of_images, side_by_side

TOO_YOUNG = timedelta(hours=1)
"""An object that was there for less may belong to a page that is not committed yet."""
IN_STORE, IN_SPOOL = "store", "spool"
PLACES_AT_ONCE = 50
"""Paths that one thread looks at in a row; of what it reads it has one object at a time."""


class Kind(StrEnum):
    """What can be wrong."""

    MISSING = "missing"
    """The catalogue has it, store and spool have not."""
    ORPHAN = "orphan"
    """An object of which the catalogue knows nothing."""
    WRONG_SIZE = "wrong_size"
    WRONG_HASH = "wrong_hash"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is wrong."""

    kind: Kind
    path: str
    """In the store. Of an image that is wanted, but has lost its place there: its sha256."""
    detail: str
    """For a person."""
    row: Stored | None = None
    """What the catalogue says; None for an orphan, and for an image that has lost its place."""
    found: Stat | None = None
    """What is there; None where nothing is."""
    place: str = IN_STORE
    """Where that is: ``store`` or ``spool``."""


@dataclass(slots=True)
class Counts:
    """What was looked at."""

    rows: int = 0
    """Objects that the catalogue says are there."""
    objects: int = 0
    """Objects in the store, without what was put out of the way there."""
    bytes: int = 0
    """Their size."""
    waiting: int = 0
    """Images in the spool."""
    waiting_bytes: int = 0
    young: int = 0
    """Objects without a row that are too young to tell."""
    differences: Counter[Kind] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Place:
    """All that is known of one path."""

    rows: list[Stored]
    in_store: Stat | None
    in_spool: Stat | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """And what was found there."""

    place: _Place
    differences: list[Difference]
    young: int


def fsck(
    engine: Engine,
    store: Store,
    spool: Spool,
    *,
    deep: bool = False,
    counts: Counts | None = None,
    looked: Callable[[Counts], None] = lambda _: None,
) -> Generator[Difference, None, None]:
    """Each difference between a catalogue, its store, and what waits for that. Changes nothing.

    Images that are wanted and have no place in the store come first, by their sha256; then all others by path.

    Args:
        engine: from ``open_catalogue``.
        store: where the catalogue's images are.
        spool: the store's, on this machine.
        deep: read every original, and compare its hash.
        counts: where to count; what is in it is complete when the last difference has been given.
        looked: called after each path.

    Returns:
        A stream, to be closed by who does not read it to its end.

    Raises:
        StoreError: somebody has to mend it.
        UnavailableError: the store did not answer several times in a row.
    """
    counts = counts if counts is not None else Counts()
    patient = store if isinstance(store, Patient) else Patient(store)
    grown = now() - TOO_YOUNG
    with closing(not_stored(engine)) as wanted:
        for sha256 in wanted:
            counts.differences[Kind.MISSING] += 1
            yield Difference(Kind.MISSING, sha256, "wanted, but not stored: it has yet to be fetched again")

    def look(places: Sequence[_Place]) -> list[_Seen]:
        return [_look(place, engine, patient, spool, deep, grown) for place in places]

    with (
        closing(stored(engine)) as rows,
        closing(in_parallel(look, _batches(rows, patient, spool), patient.threads, patient.hurry)) as batches,
    ):
        for seen in chain.from_iterable(batches):
            _count(seen, counts)
            yield from seen.differences
            looked(counts)


def is_right(row: Stored, data: bytes) -> bool:
    """Are these the bytes that the row speaks of, as far as it says?"""
    if row.dropped:
        return row.bytes is None or row.bytes == len(data)
    return hashlib.sha256(data).hexdigest() == row.sha256


def _batches(rows: Iterable[Stored], store: Store, spool: Spool) -> Iterator[list[_Place]]:
    places = (
        _Place(said, _only(in_store), _only(in_spool))
        for said, in_store, in_spool in side_by_side(rows, of_images(store.list()), spool.list())
    )
    while batch := list(islice(places, PLACES_AT_ONCE)):
        yield batch


def _only(found: list[Any]) -> Stat | None:
    return found[0] if found else None


def _look(place: _Place, engine: Engine, store: Store, spool: Spool, deep: bool, grown: datetime) -> _Seen:
    differences, young = [], 0
    for difference in _differences(place, store, spool, deep):
        if difference.kind is Kind.ORPHAN and _is_young(difference.found, grown):
            young += 1
        elif _holds(difference, engine, store, spool):
            differences.append(difference)
    return _Seen(place, differences, young)


def _count(seen: _Seen, counts: Counts) -> None:
    place = seen.place
    counts.rows += len(place.rows)
    counts.young += seen.young
    counts.differences.update(difference.kind for difference in seen.differences)
    if place.in_store is not None:
        counts.objects += 1
        counts.bytes += place.in_store.size
    if place.in_spool is not None and place.rows:
        counts.waiting += 1
        counts.waiting_bytes += place.in_spool.size


def _differences(place: _Place, store: Store, spool: Spool, deep: bool) -> Iterator[Difference]:
    there = [
        (found, where, source)
        for found, where, source in ((place.in_store, IN_STORE, store), (place.in_spool, IN_SPOOL, spool))
        if found is not None
    ]
    if not place.rows:
        for found, where, _ in there:
            detail = f"{size(found.size)} in the {where} that the catalogue does not know"
            yield Difference(Kind.ORPHAN, found.path, detail, found=found, place=where)
    for row in place.rows:
        if not there:
            yield _missing(row)
            continue
        found, where, source = there[0]  # what is in the store counts: a copy in the spool only waits to be deleted
        if row.bytes is not None and found.size != row.bytes:
            detail = f"{found.size:,} bytes in the {where}, {row.bytes:,} in the catalogue"
            yield Difference(Kind.WRONG_SIZE, row.path, detail, row, found, where)
        elif deep and not row.dropped:
            try:
                data = source.get(row.path)
            except NotStoredError:
                yield _missing(row)
                continue
            if not is_right(row, data):
                detail = f"{size(len(data))} in the {where} that are not the image: their sha256 is another"
                yield Difference(Kind.WRONG_HASH, row.path, detail, row, found, where)


def _missing(row: Stored) -> Difference:
    weight = "" if row.bytes is None else f", {size(row.bytes)}"
    what = "what was kept of a rejected image" if row.dropped else "an image"
    return Difference(Kind.MISSING, row.path, f"{what}{weight}: neither in the store nor in the spool", row)


def _is_young(found: Stat | None, grown: datetime) -> bool:
    return found is not None and found.modified is not None and found.modified > grown


def _holds(difference: Difference, engine: Engine, store: Store, spool: Spool) -> bool:
    """Is it so now? The streams were not read at the same moment."""
    path = difference.path
    if difference.kind is Kind.MISSING:
        assert difference.row is not None
        # In this order: what waits moves from the spool to the store, never back.
        return spool.stat(path) is None and store.stat(path) is None and is_stored(engine, difference.row)
    return difference.kind is not Kind.ORPHAN or not known_paths(engine, [path])
