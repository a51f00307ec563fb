"""Mending what ``fsck`` finds. Nothing is lost by it: bytes are copied before they are deleted, rows outlive images.

It may be interrupted anywhere, and done again: what was taken back in the catalogue, and not queued yet, is found by
its verdict the next time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from sqlalchemy import Engine

from posterbot.catalogue.stored import (
    Stored,
    fewest_runs_that_saw,
    known_paths,
    number_not_stored,
    number_stored,
    runs_that_saw,
    store_of_image,
    stores_of_runs,
    unset,
)
from posterbot.frontier.operate import Refusal, at_work, refuse_what_stays, run_row
from posterbot.frontier.retrying import retry
from posterbot.reasons import Reason
from posterbot.stores.patient import Patient
from posterbot.stores.spool import Spool
from posterbot.stores.store import DROPPED, NotStoredError, Stat, Store, StoreError
from posterbot.stores.streams import in_parallel, sha256_of_name
from posterbot.upkeep.fsck import IN_SPOOL, Counts, Difference, Kind, fsck, is_right
from posterbot.upkeep.lost_and_found import put_aside, put_back, set_aside

_AT_ONCE = 200


class Action(StrEnum):
    """What was done about a difference."""

    SET_ASIDE = "set aside"
    """Moved to ``lost+found/``."""
    DELETED = "deleted"
    PUT_BACK = "put back"
    """From ``lost+found/``, where it was whole."""
    TAKEN_BACK = "taken back"
    """The catalogue does not say any more that it is there, and nobody wants it."""
    AGAIN = "to be fetched again"
    ELSEWHERE = "left alone"
    """It may be in the store to which its runs have stored."""
    NONE = "right by now"


@dataclass(frozen=True, slots=True)
class Mended:
    """A difference and what was done about it."""

    difference: Difference
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Resumable:
    """A run that has images to fetch again."""

    run: int
    images: int
    """Sightings that were queued now."""
    busy: int
    """Pages whose images are being fetched again at this moment."""
    at_work: bool
    """Somebody works on it: nobody has to resume it."""


@dataclass(slots=True)
class Repairs:
    """All that was done."""

    uploaded: int = 0
    """Images from the spool, and ..."""
    uploaded_bytes: int = 0
    actions: Counter[Action] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    """Store → how many missing images may be there."""
    runs: list[Resumable] = field(default_factory=list)
    hopeless: int = 0
    """Images to fetch again that no run can, and ..."""
    refused: list[str] = field(default_factory=list)
    """... why, a line for each run that saw them."""
    left: int = 0
    """Images that are wanted and not stored, and objects that were left alone: complete at the end."""


def repair(
    engine: Engine,
    store: Store,
    spool: Spool,
    *,
    deep: bool = False,
    counts: Counts | None = None,
    repairs: Repairs | None = None,
    looked: Callable[[Counts], None] = lambda _: None,
) -> Generator[Mended, None, None]:
    """Mend each difference as it is found; what is wanted and nowhere to be had is queued to be fetched again.

    Args:
        engine, store, spool, deep, counts, looked: as for :func:`posterbot.upkeep.fsck.fsck`.
        repairs: where to note what was done; complete when all is through.

    Raises:
        StoreError: somebody has to mend it; also where the store is empty, and none that runs have named.
        UnavailableError: the store did not answer several times in a row.
    """
    counts = counts if counts is not None else Counts()
    repairs = repairs if repairs is not None else Repairs()
    patient = Patient(store)
    others = [name for name in stores_of_runs(engine) if name != store.name]
    _refuse_the_wrong_store(engine, patient)
    for mended in _empty(engine, patient, spool, repairs):
        counts.differences[mended.difference.kind] += 1
        repairs.actions.update(mended.actions)
        yield mended
    with closing(fsck(engine, patient, spool, deep=deep, counts=counts, looked=looked)) as differences:
        for difference in differences:
            mended = Mended(difference, tuple(_mend(engine, patient, spool, difference, others, repairs)))
            repairs.actions.update(mended.actions)
            yield mended
    _queue(engine, repairs)


def _refuse_the_wrong_store(engine: Engine, store: Store) -> None:
    """A slip of the hand must not have a million images fetched again."""
    if store.name in stores_of_runs(engine) or next(iter(store.list()), None) is not None:
        return
    if number := number_stored(engine):
        raise StoreError(
            f"IMAGES_STORE: {store.name} is empty, the catalogue has {number:,} objects in its store, and no run says "
            "that it was this one: give the right --store"
        )


# --- The spool ------------------------------------------------------------------------------------------------------


def _empty(engine: Engine, store: Patient, spool: Spool, repairs: Repairs) -> Iterator[Mended]:
    """What waits goes to the store; only what the catalogue does not know stays, and is an orphan when it is older."""

    def known() -> Iterator[Stat]:
        waiting = spool.list()
        while batch := list(islice(waiting, _AT_ONCE)):
            paths = known_paths(engine, [found.path for found in batch])
            yield from (found for found in batch if found.path in paths)

    def move(found: Stat) -> tuple[Stat, list[Action] | None]:
        return found, _move(store, spool, found)

    with closing(in_parallel(move, known(), store.threads, store.hurry)) as moved:
        for found, actions in moved:
            if actions is None:
                damaged = Difference(Kind.WRONG_HASH, found.path, "damaged in the spool", None, found, IN_SPOOL)
                yield Mended(damaged, (Action.SET_ASIDE,))
            else:
                repairs.uploaded += 1
                repairs.uploaded_bytes += found.size
                repairs.actions.update(actions)


def _move(store: Store, spool: Spool, found: Stat) -> list[Action] | None:
    """From the spool to the store, in place of what is wrong there; None where it is wrong itself."""
    actions: list[Action] = []
    try:
        data = spool.get(found.path)
    except NotStoredError:
        return actions  # a crawl has done it
    name = sha256_of_name(found.path)
    if name is not None and hashlib.sha256(data).hexdigest() != name:
        put_aside(store, found, data)
        spool.delete(found.path)
        return None
    if not store.put_if_absent(found.path, data, found.media_type, found.facts):
        there = store.get(found.path)
        if there != data:
            set_aside(store, found.path, there)
            store.put_if_absent(found.path, data, found.media_type, found.facts)
            actions.append(Action.SET_ASIDE)
    spool.delete(found.path)
    return actions


# --- One difference -------------------------------------------------------------------------------------------------


def _mend(
    engine: Engine, store: Store, spool: Spool, difference: Difference, others: list[str], repairs: Repairs
) -> Iterator[Action]:
    row, path = difference.row, difference.path
    if difference.kind is Kind.ORPHAN:
        yield _orphan(engine, store, spool, difference)
    elif row is None:
        yield Action.AGAIN  # it was taken back before: all that is left is to queue it
    elif difference.kind is Kind.MISSING:
        yield _missing(engine, store, row, others, repairs)
    elif difference.place == IN_SPOOL:
        yield Action.NONE  # come meanwhile, with a crawl: the next time
    else:
        try:
            data = store.get(path)
        except NotStoredError:
            data = None
        if data is not None and is_right(row, data):
            yield Action.NONE
            return
        if data is not None:
            set_aside(store, path, data)
            yield Action.SET_ASIDE
        yield _missing(engine, store, row, [], repairs)


def _orphan(engine: Engine, store: Store, spool: Spool, difference: Difference) -> Action:
    path, found = difference.path, difference.found
    assert found is not None
    source = spool if difference.place == IN_SPOOL else store
    if path.startswith(DROPPED + "/"):
        source.delete(path)
        return Action.DELETED
    try:
        data = source.get(path)
    except NotStoredError:
        return Action.NONE
    if source is spool:
        put_aside(store, found, data)
        spool.delete(path)
    else:
        set_aside(store, path, data)
    if known_paths(engine, [path]):  # a crawl has committed it this moment
        store.put_if_absent(path, data, found.media_type, found.facts)
        return Action.NONE
    return Action.SET_ASIDE


def _missing(engine: Engine, store: Store, row: Stored, others: list[str], repairs: Repairs) -> Action:
    if others and (elsewhere := store_of_image(engine, row.image, store.name)) != store.name:
        repairs.elsewhere[elsewhere] += 1
        return Action.ELSEWHERE
    if not row.dropped and put_back(store, row):
        return Action.PUT_BACK
    wanted = unset(engine, row)
    return Action.AGAIN if wanted and not row.dropped else Action.TAKEN_BACK


# --- To be fetched again --------------------------------------------------------------------------------------------


def _queue(engine: Engine, repairs: Repairs) -> None:
    """Each image in the newest run that saw it and can go on."""
    able, refused = [], []
    with engine.connect() as connection:
        for run in runs_that_saw(connection):
            try:
                if not at_work(engine, run):
                    refuse_what_stays(connection, run_row(connection, run))
                able.append(run)
            except Refusal as refusal:
                refused.append(str(refusal))
        chosen = fewest_runs_that_saw(connection, able)
    for run in chosen:
        queued = retry(engine, run, {Reason.STORE_FAILED})
        repairs.runs.append(Resumable(run, queued.images.images, queued.images.busy, bool(queued.at_work)))
    missing = number_not_stored(engine)
    repairs.hopeless = max(0, missing - sum(chosen.values()))
    repairs.refused = refused if repairs.hopeless else []
    repairs.left = missing + repairs.elsewhere.total()
