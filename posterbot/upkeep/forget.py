"""Forgetting: bytes, small pictures and rows go; hashes stay, by which a crawl knows what it must not fetch again.

In an order in which a crash loses nothing that the next call could not finish: first the tombstones of all; then the
objects; then contact sheets, which are emptied; then the rows, by which all this was found; then new contact sheets.

What remains: the tombstones. In SQLite's file what was deleted is overwritten, and its log is brought to an end; while
others hold that it may have some of it, until the last of them has closed it. What is beyond reach: backups, earlier
versions of objects that a bucket keeps, copies of contact sheets, logs of crawls, lists of URLs, the alt texts of other
pictures. On disks and in PostgreSQL, what was deleted is free to be overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, exists, or_, select

from posterbot.catalogue.schema import (
    candidates,
    claims,
    embeddings,
    film_statements,
    images,
    pages,
    reviews,
    scores,
    sources,
    verdicts,
)
from posterbot.catalogue.schema_films import clusters, duplicates, film_conflicts, image_films
from posterbot.catalogue.tombstones import HOST, IMAGE, URL, laid, lay_tombstones
from posterbot.frontier.adding import in_pieces
from posterbot.frontier.tombstones import host_of, host_tombstone, image_tombstone, url_tombstone
from posterbot.reasons import Reason
from posterbot.similarity.index import index_file
from posterbot.stores.local import LocalStore
from posterbot.stores.patient import Patient
from posterbot.stores.spool import Spool
from posterbot.stores.store import DROPPED, LOST_AND_FOUND, Store
from posterbot.stores.streams import in_parallel
from posterbot.upkeep.forget_erase import at_work, clear_log, erase, nameless, written
from posterbot.upkeep.forget_films import erase_films, unread
from posterbot.upkeep.forget_rows import Found, Picture
from posterbot.upkeep.forget_traces import erase_hosts, erase_traces

SHEET = "kept.html"
SIGHTINGS_AT_ONCE = 500
"""Sightings in one transaction."""
IMAGES_AT_ONCE = 200
PAGES_AT_ONCE = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ElsewhereError(Exception):
    """None of the objects is in the stores that were given; one line. Nothing but tombstones was written."""


@dataclass(frozen=True, slots=True)
class Forgot:
    """What was done."""

    objects: int
    """Deleted from stores and spools."""
    sheets: int
    """Contact sheets written anew."""
    lost_sheets: int
    """And deleted, as that failed."""
    log_cleared: bool
    """False: the log of SQLite's file may still have what was deleted, until all who use it have closed it."""
    at_work: bool
    """A crawl is at work, and what it had in hand may come back."""


def forget(engine: Engine, found: Found, stores: Sequence[Store], spool: Path, reports: Path) -> Forgot:
    """Forget all that was found. What is interrupted is finished by the same call, for what the same question finds.

    Args:
        engine: from ``open_catalogue``.
        found: from ``forget_rows.find``.
        stores: where images may be; all of them are looked into.
        spool: the folder of all spools.
        reports: the folder of contact sheets, ``<run>/kept.html``.

    Raises:
        ElsewhereError: there should be objects, and none was found; does not happen when it is called again.
        StoreError: a store cannot be used.
        UnavailableError: it did not answer several times in a row.
        OSError: a contact sheet can neither be written nor deleted.
    """
    begun_before = written(engine, lay, found)
    objects = delete_objects(found, stores, spool)
    if not objects and not begun_before and any(picture.path for picture in found.images.values()):
        raise ElsewhereError(
            f"none of the images is in {' or '.join(store.name for store in stores)}: give --store URI for where they "
            "are, perhaps several times; or run this again, if they are gone already"
        )
    empty_sheets(reports, found.runs)
    erase_traces(engine, found)
    erase_rows(engine, found)
    erase_hosts(engine, found)
    erase_films(engine, found.wanted)
    index_file(engine).unlink(missing_ok=True)  # of embeddings; the next search makes it anew
    sheets, lost = write_sheets(engine, stores, reports)
    with engine.connect() as connection:
        working = at_work(connection)
    return Forgot(objects, sheets, lost, clear_log(engine), working)


def lay(connection: Connection, found: Found) -> bool:
    """All tombstones, in one transaction. Was there one already, of an image that was to be in a store?"""
    stored = {image_tombstone(picture.sha256) for picture in found.images.values() if picture.path}
    before = bool(laid(connection, stored))
    of_images = {image_tombstone(picture.sha256) for picture in found.images.values()}
    lay_tombstones(connection, IMAGE, of_images | set(map(image_tombstone, found.wanted.sha256s)))
    lay_tombstones(connection, URL, (url_tombstone(url) for url in found.urls if host_of(url) is not None))
    lay_tombstones(connection, HOST, map(host_tombstone, found.wanted.hosts))
    return before


# --- Bytes ----------------------------------------------------------------------------------------------------------


def delete_objects(found: Found, stores: Sequence[Store], spool: Path) -> int:
    """Originals, small pictures, and what fsck has put out of the way; gives how many there were."""
    names = {picture.sha256 for picture in found.images.values()} | set(found.wanted.sha256s)
    number = 0
    for store in map(Patient, stores):
        waiting = LocalStore(str(Spool(spool, store.name, 0).folder), "SPOOL")
        # The spool first: what is in it may be on its way into the store.
        for place, paths in (
            (Patient(waiting), _of_images(waiting, "", names)),
            (store, _paths(found.images.values())),
            (store, _unknown(store, found, names)),
        ):
            for deleted in in_parallel(place.delete, paths, place.threads, place.hurry):
                number += deleted
    return number


def _paths(pictures: Collection[Picture]) -> Iterator[str]:
    return (path for picture in pictures for path in (picture.path, picture.dropped_path) if path)


def _unknown(store: Store, found: Found, names: Collection[str]) -> Iterator[str]:
    """Objects of which no row speaks."""
    if names:
        yield from _of_images(store, f"{LOST_AND_FOUND}/", names)
    for sha256 in found.wanted.sha256s:
        place = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
        for prefix in (place, f"{DROPPED}/{place}"):
            yield from [one.path for one in store.list(prefix)]


def _of_images(store: Store, prefix: str, names: Collection[str]) -> Iterator[str]:
    return (one.path for one in store.list(prefix) if not set(_SHA256.findall(one.path)).isdisjoint(names))


def empty_sheets(reports: Path, of_runs: Collection[int]) -> None:
    """Empty the contact sheets of some runs. An empty one is one to be written anew, by whoever comes to it."""
    for run in of_runs:
        folder = reports / str(run)
        for unfinished in folder.glob(f".{SHEET}.*"):
            unfinished.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            (folder / SHEET).open("r+b").truncate()


def write_sheets(engine: Engine, stores: Sequence[Store], reports: Path) -> tuple[int, int]:
    """Write the empty ones, or delete them where that fails; gives how many of each."""
    from posterbot.web.contact_sheet import write_contact_sheet

    local = next((store for store in stores if isinstance(store, LocalStore)), None)
    done = lost = 0
    for sheet in sorted(reports.glob(f"[0-9]*/{SHEET}")):
        if sheet.stat().st_size or not sheet.parent.name.isdecimal():
            continue
        try:
            write_contact_sheet(engine, local, sheet, int(sheet.parent.name))
            done += 1
        except (OSError, LookupError):
            sheet.unlink()
            lost += 1
    return done, lost


# --- Rows -----------------------------------------------------------------------------------------------------------


def erase_rows(engine: Engine, found: Found) -> None:
    """Sightings, then their images, then the pages."""
    for piece in in_pieces(sorted(found.pictureless)):
        _in_pieces(engine, candidates.c.id.in_(piece))
    for numbers in _batches(found.images, IMAGES_AT_ONCE):
        _in_pieces(engine, candidates.c.image_id.in_(numbers))
        written(engine, _erase_images, numbers)
    for numbers in _batches(found.pages, PAGES_AT_ONCE):
        _in_pieces(engine, candidates.c.page_id.in_(numbers))
        written(engine, _erase_pages, numbers)


def _batches(rows: Collection[int], size: int) -> Iterator[list[int]]:
    numbers = sorted(rows)
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _in_pieces(engine: Engine, condition: ColumnElement[bool]) -> None:
    while written(engine, _erase_sightings, condition):
        pass


def _erase_sightings(connection: Connection, condition: ColumnElement[bool]) -> bool:
    """Some of the sightings that meet ``condition``, and pages that were nothing else; are there more?"""
    columns = (candidates.c[name] for name in ("id", "page_id", "image_id", "url", "final_url"))
    rows = connection.execute(select(*columns).where(condition).order_by(candidates.c.id).limit(SIGHTINGS_AT_ONCE))
    gone = rows.all()
    if not gone:
        return False
    numbers = [row.id for row in gone]
    unread(connection, numbers, {row.image_id for row in gone if row.image_id is not None})
    connection.execute(delete(claims).where(claims.c.candidate_id.in_(numbers)))
    connection.execute(delete(candidates).where(candidates.c.id.in_(numbers)))
    # Where nobody has been: a page named by a list. And a page that was the picture itself.
    named = and_(pages.c.id.in_({row.page_id for row in gone}), pages.c.status.is_(None), pages.c.reason.is_(None))
    itself = pages.c.url.in_({url for row in gone if row.image_id for url in (row.url, row.final_url)})
    empty = select(pages.c.id).where(or_(named, itself), ~exists().where(candidates.c.page_id == pages.c.id))
    _erase_pages(connection, connection.scalars(empty).all())
    return len(gone) == SIGHTINGS_AT_ONCE


def _erase_images(connection: Connection, numbers: Sequence[int]) -> None:
    while _erase_sightings(connection, candidates.c.image_id.in_(numbers)):  # a crawl has just seen one again
        pass
    connection.execute(delete(duplicates).where(duplicates.c.other_id.in_(numbers)))
    for table in (scores, embeddings, verdicts, reviews, image_films, film_conflicts, clusters, duplicates):
        connection.execute(delete(table).where(table.c.image_id.in_(numbers)))

    def emptied() -> dict[str, Any]:
        nothing = dict.fromkeys(("phash", "path", "dropped_path", "dropped_bytes", "sharpness", "spread", "entropy"))
        sizes = dict.fromkeys(("bytes", "width", "height"), 0)
        return {"sha256": token_hex(32), "format": "", **sizes, **nothing}

    erase(connection, images, numbers, emptied)


def _erase_pages(connection: Connection, numbers: Sequence[int]) -> None:
    if not numbers:
        return
    condition = candidates.c.page_id.in_(numbers)
    if connection.scalar(select(exists().where(condition))):
        while _erase_sightings(connection, condition):
            pass
    connection.execute(delete(film_statements).where(film_statements.c.page_id.in_(numbers)))

    def emptied() -> dict[str, Any]:
        return {
            "url": token_hex(32),
            "source_id": nameless(connection, sources),
            "status": None,
            "reason": Reason.FORGOTTEN.value,
            **dict.fromkeys(("title", "referrer", "etag", "last_modified"), ""),
        }

    erase(connection, pages, numbers, emptied)
