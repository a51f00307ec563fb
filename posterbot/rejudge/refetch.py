"""Bytes of images that are wanted by now: taken from what KEEP_DROPPED has kept, or queued to be fetched again.

Both begin with what the catalogue says, so whatever is interrupted is finished by the same call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from mimetypes import guess_type

from sqlalchemy import Connection, Engine, exists, func, select, update

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.in_turn import in_turn
from posterbot.catalogue.policies import decide_alike, newest_policies
from posterbot.catalogue.records import Policy
from posterbot.catalogue.runs import FINISHED
from posterbot.catalogue.schema import candidates, images, pages, queues, runs
from posterbot.catalogue.stored import kept_without_bytes
from posterbot.frontier.again import Again, queue_images
from posterbot.frontier.operate import Refusal, at_work, refuse_what_stays, run_row
from posterbot.frontier.retrying import RETRY
from posterbot.rejudge.judge_past import Progress
from posterbot.stores.patient import Patient
from posterbot.stores.store import DROPPED, OCTETS, NotStoredError, Store
from posterbot.stores.streams import in_parallel

IMAGES_AT_ONCE = 200
"""Images in one transaction."""


@dataclass(frozen=True, slots=True)
class OfRun:
    """What one run has to fetch again."""

    run: int
    images: int
    """Wanted images that it has seen."""
    busy: int
    """Pages whose images are being fetched again at this moment."""
    at_work: bool
    """Somebody works on it."""
    follows: bool
    """It goes by the policy that wants them. Where it does not it would drop them again: nothing was queued for a run
    that is at work, and one that is resumed needs to be told the policy."""


@dataclass(slots=True)
class Refetch:
    """All that was done."""

    promoted: int = 0
    """Images whose original was kept though they were dropped: it is in its place now."""
    promoted_bytes: int = 0
    runs: list[OfRun] = field(default_factory=list)
    hopeless: int = 0
    """Images that no run can fetch, and ..."""
    refused: list[str] = field(default_factory=list)
    """... why, a line for each run that saw one."""


def promote(engine: Engine, store: Store) -> tuple[int, int]:
    """Put the originals in their place that are still there of images that are wanted now.

    KEEP_DROPPED=all has kept them, or a ``--prune`` that was interrupted has not deleted them yet.

    The bytes come first and the row second, and what KEEP_DROPPED kept stays until ``posterbot rejudge --prune``: a
    kill leaves nothing that is said to be there and is not.

    Returns:
        How many images, and bytes.

    Raises:
        StoreError: the store cannot be used.
        UnavailableError: it did not answer several times in a row.
    """
    patient = Patient(store)
    wanted = select(images.c.id, images.c.sha256, images.c.dropped_path).where(
        images.c.dropped_path.is_not(None),
        images.c.dropped_bytes == images.c.bytes,
        images.c.id.in_(kept_without_bytes()),
    )
    with engine.connect() as connection:
        rows = [(row.id, row.sha256, row.dropped_path) for row in connection.execute(wanted.order_by(images.c.id))]

    def move(row: tuple[int, str, str]) -> int:
        number, sha256, kept = row
        try:
            data = patient.get(kept)
        except NotStoredError:
            return 0
        path = kept.removeprefix(f"{DROPPED}/")
        if hashlib.sha256(data).hexdigest() != sha256:  # a small picture that is as long as the original, by chance
            return 0
        patient.put_if_absent(path, data, guess_type(path)[0] or OCTETS)
        with engine.execution_options(**IMMEDIATE).begin() as connection:
            connection.execute(update(images).where(images.c.id == number, images.c.path.is_(None)).values(path=path))
        return len(data)

    with closing(in_parallel(move, rows, patient.threads, patient.hurry)) as moved:
        sizes = [size for size in moved if size]
    return len(sizes), sum(sizes)


def refetch(
    engine: Engine, policy: Policy, store: Store | None = None, progress: Progress | None = None
) -> Refetch | None:
    """See to the bytes of all images that are wanted and not stored; None where there are none.

    Args:
        engine: from ``open_catalogue``.
        policy: wants them.
        store: where what KEEP_DROPPED has kept lies; None: it is not looked for.
        progress: called with how many images are queued, and how many there are.

    Raises:
        StoreError: the store cannot be used.
        UnavailableError: it did not answer several times in a row.
    """
    with engine.connect() as connection:
        if connection.scalar(kept_without_bytes().limit(1)) is None:
            return None
    promoted = promote(engine, store) if store is not None else (0, 0)
    found = queue_missing(engine, policy, progress)
    found.promoted, found.promoted_bytes = promoted
    return found


def queue_missing(engine: Engine, policy: Policy, progress: Progress | None = None) -> Refetch:
    """Queue all images that are wanted and not stored, each in the newest run that saw it and can go on.

    They are answered without asking any host, and hosts take turns: a crawl that is at work begins within seconds.
    """
    found = Refetch()
    with engine.connect() as connection:
        wanted: list[int] = sorted(row.image_id for row in connection.execute(kept_without_bytes()))
    able = _Able(engine, policy)
    queued: dict[int, OfRun] = {}
    for start in range(0, len(wanted), IMAGES_AT_ONCE):
        piece = wanted[start : start + IMAGES_AT_ONCE]
        with engine.connect() as connection:
            of_runs = _pages_of(connection, piece, able)
        found.hopeless += len(piece) - sum(len(ids) for ids, _ in of_runs.values())
        for run, (ids, of_pages) in of_runs.items():
            before = queued.get(run, able[run])
            again = Again()
            if before.follows or not before.at_work:
                again = _queue(engine, run, ids, of_pages)
            queued[run] = replace(before, images=before.images + len(ids), busy=before.busy + again.busy)
        if progress is not None:
            progress(start + len(piece), len(wanted))
    found.runs = [queued[run] for run in sorted(queued)]
    found.refused = able.refused if found.hopeless else []
    return found


def _queue(engine: Engine, run: int, ids: set[int], of_pages: set[int]) -> Again:
    with in_turn(engine) as connection:
        shown = candidates.c.image_id.in_(sorted(ids)) & candidates.c.reason.is_(None)
        again = queue_images(connection, run, sorted(of_pages), None, shown)
        # What is finished and has something to do again is not finished, and the same command goes on with it.
        waits = exists().where(queues.c.run_id == run, queues.c.waiting > 0)
        finished = update(runs).where(runs.c.id == run, runs.c.finish_reason == FINISHED, waits)
        connection.execute(finished.values(finish_reason=RETRY))
        return again


class _Able:
    """Which runs can go on, asked once of each."""

    def __init__(self, engine: Engine, policy: Policy) -> None:
        self._engine, self._policy = engine, policy
        self._known: dict[int, OfRun | None] = {}
        self.refused: list[str] = []

    def __contains__(self, run: int) -> bool:
        if run not in self._known:
            self._known[run] = self._ask(run)
        return self._known[run] is not None

    def __getitem__(self, run: int) -> OfRun:
        found = self._known[run]
        assert found is not None
        return found

    def _ask(self, run: int) -> OfRun | None:
        working = bool(at_work(self._engine, run))
        with self._engine.connect() as connection:
            if not working:
                try:
                    refuse_what_stays(connection, run_row(connection, run))
                except Refusal as refusal:
                    self.refused.append(str(refusal))
                    return None
            (goes_by,) = newest_policies(connection, [(run, 0)])
        follows = goes_by is not None and decide_alike(goes_by.policy, self._policy)
        return OfRun(run, 0, 0, working, follows)


def _pages_of(connection: Connection, wanted: Sequence[int], able: _Able) -> dict[int, tuple[set[int], set[int]]]:
    """Run → images, and the pages that show them; each image with one page of the newest run that is able."""
    seen = (
        select(candidates.c.image_id, pages.c.run_id, func.max(candidates.c.page_id).label("page"))
        .join(pages, pages.c.id == candidates.c.page_id)
        .where(candidates.c.image_id.in_(wanted), candidates.c.reason.is_(None))
        .group_by(candidates.c.image_id, pages.c.run_id)
        .order_by(candidates.c.image_id, pages.c.run_id.desc())
    )
    chosen: dict[int, tuple[int, int]] = {}
    for image, run, page in connection.execute(seen):
        if image not in chosen and run in able:
            chosen[image] = run, page
    found: dict[int, tuple[set[int], set[int]]] = {}
    for image, (run, page) in chosen.items():
        ids, of_pages = found.setdefault(run, (set(), set()))
        ids.add(image)
        of_pages.add(page)
    return found
