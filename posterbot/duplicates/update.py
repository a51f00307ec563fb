"""Bringing the clusters up to date: images that have come since are compared with all others and put into clusters.

It can be stopped, or die, at any moment: what is written is right, and the next call goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy import update as change

from posterbot.catalogue.in_turn import written
from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import clusters, duplicates
from posterbot.duplicates.bands import Hashes, Near
from posterbot.duplicates.best import FACTS, appoint, badly_represented, elect, merit
from posterbot.duplicates.clusters import Clusters, Link
from posterbot.duplicates.likeness import SMALL, Kind, crowded, kinds, loosely
from posterbot.duplicates.one_at_a_time import alone
from posterbot.duplicates.rows import AT_ONCE, Looks, as_name, as_numbers, number_waiting, read_placed, waiting

BATCH = 512
"""Images that are placed in one transaction."""
NEAREST = 32
"""Of each image so many others are looked at more closely, those with the nearest hashes."""
LINKS = 8
"""And of those that it is like, so many are written down."""


@dataclass(frozen=True, slots=True)
class Updated:
    """What a call has done."""

    images: int = 0
    """That were placed."""
    copies: int = 0
    """Of them, copies of an earlier one."""
    variants: int = 0
    """And variants of an earlier one, and copies of none."""
    left: int = 0
    """That still wait, as it was stopped."""
    elsewhere: bool = False
    """Another process is at it, so nothing was done."""


def update(
    engine: Engine,
    *,
    wait: bool = False,
    mend: bool = True,
    batch: int = BATCH,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Updated:
    """Put all images that have a perceptual hash and are in no cluster into clusters.

    Blocks: it belongs on a thread. Takes some 200 bytes of memory for each image of the catalogue, and 100 MB.

    Args:
        engine: from ``open_catalogue``; a crawl may be writing.
        wait: for another process that does the same; otherwise nothing is done then.
        mend: also choose representatives anew where they were forgotten, or others have been stored since.
        batch: images in one transaction; the clusters do not depend on it.
        stopped: asked before each transaction.
        progress: called with how many are placed, of how many.

    Raises:
        SQLAlchemyError: the catalogue cannot be read or written.
    """
    with alone(engine, wait, stopped) as ours:
        if not ours:
            return Updated(elsewhere=True)
        with engine.connect() as connection:
            number = number_waiting(connection)
        done, last, counts = 0, 0, dict.fromkeys(Kind, 0)
        if number:
            placing = _Placing(engine)
            progress(0, number)
            while done < number and not stopped():
                with engine.connect() as connection:
                    rows = waiting(connection, min(batch, number - done), last)
                if not rows:
                    break
                for kind, count in placing.place(rows).items():
                    counts[kind] += count
                done, last = done + len(rows), rows[-1].id
                progress(done, number)
        if mend and not stopped():
            _mend(engine)
    return Updated(done, counts[Kind.COPY], counts[Kind.VARIANT], max(0, number - done))


class _Placing:
    """Hashes and clusters of all images, in memory as in the catalogue."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        placed = read_placed(engine)
        self._hashes = Hashes(NEAREST)
        self._hashes.add(placed.hashes)
        self._clusters = Clusters(placed.numbers, placed.names, placed.copies, placed.variants)

    def place(self, rows: Sequence[Any]) -> dict[Kind, int]:
        """Place the images of ``rows``, and write that; gives how many there were of each kind."""
        near = self._hashes.add_new(as_numbers([row.phash for row in rows]))
        numbers = np.array([row.id for row in rows], np.int64)
        begin = self._clusters.add(numbers, as_numbers([row.sha256[:16] for row in rows]))
        before = {kind: self._names_of_earlier(kind, near, begin) for kind in (Kind.COPY, Kind.VARIANT)}
        looks = self._looks(near, begin)
        links = self._links(near, begin, looks)

        def alike(kind: Kind, one: int, other: int) -> bool:
            ones, others = (np.array([self._clusters.number(place)]) for place in (one, other))
            similarity, small = looks.similarity(ones, others), looks.small(ones, others, SMALL)
            return loosely(kind, self._hashes.distance(one, other), float(similarity[0]), bool(small[0]))

        places = range(begin, begin + len(rows))
        followed = [self._clusters.link(place, links.get(place, ()), alike) for place in places]
        written(self._engine, self._write, rows, places, followed, before)
        kinds_of = [max((link.kind for link in of), default=Kind.OTHER) for of in followed]
        return {kind: kinds_of.count(kind) for kind in Kind}

    def _names_of_earlier(self, kind: Kind, near: Near, begin: int) -> dict[int, str]:
        """Names of the clusters that are in the catalogue and may get something, by the place of their first image."""
        of = self._clusters
        firsts = {of.first(kind, place) for place in np.unique(near.place[near.place < begin]).tolist()}
        return {first: as_name(of.name(kind, first)) for first in sorted(firsts)}

    def _looks(self, near: Near, begin: int) -> Looks:
        of = self._clusters
        places = {*np.unique(near.place).tolist(), *np.unique(near.query + begin).tolist()}
        places |= {of.first(kind, place) for place in places for kind in (Kind.COPY, Kind.VARIANT)}
        numbers = np.array(sorted(of.number(place) for place in places), np.int64)
        with self._engine.connect() as connection:
            return Looks(connection, numbers)

    def _links(self, near: Near, begin: int, looks: Looks) -> dict[int, list[Link]]:
        """Of each place that has any, those to earlier ones: copies first, then the nearest."""
        ones, others = self._clusters.numbers(near.query + begin), self._clusters.numbers(near.place)
        similarity = looks.similarity(ones, others)
        kind = kinds(near.distance, similarity, looks.small(ones, others, SMALL))
        some = np.flatnonzero(kind)
        for begins, ends in _runs(near.query[some]):
            of_one = some[begins:ends]
            certain = crowded(near.distance[of_one], similarity[of_one], self._hashes.at(near.place[of_one]))
            kind[of_one[~certain]] = Kind.OTHER
        links: dict[int, list[Link]] = {}
        for pair in np.flatnonzero(kind):
            cosine = None if np.isnan(similarity[pair]) else float(similarity[pair])
            link = Link(int(near.place[pair]), Kind(kind[pair]), int(near.distance[pair]), cosine)
            links.setdefault(int(near.query[pair]) + begin, []).append(link)
        for of in links.values():
            of.sort(key=lambda link: -link.kind)
        return links

    def _write(
        self,
        connection: Connection,
        rows: Sequence[Any],
        places: Sequence[int],
        followed: Sequence[Sequence[Link]],
        before: dict[Kind, dict[int, str]],
    ) -> None:
        of = self._clusters
        alive = _alive(connection, {row.id for row in rows} | {of.number(x.other) for links in followed for x in links})
        fresh = [
            (row, place, links) for row, place, links in zip(rows, places, followed, strict=True) if row.id in alive
        ]
        names = {place: as_name(of.name(Kind.COPY, place)) for _, place, _ in fresh}
        after = {name: as_name(of.name(Kind.COPY, first)) for first, name in before[Kind.COPY].items()}
        former = _representatives(connection, [name for name in after if after[name] in set(names.values())])
        best: dict[str, Any] = {}
        for name, row in [(after[row.copies], row) for row in former] + [
            (names[place], row) for row, place, _ in fresh
        ]:
            if name not in best or merit(row) > merit(best[name]):
                best[name] = row
        chosen = {row.id for row in best.values()}
        for kind, column in ((Kind.COPY, clusters.c.copies), (Kind.VARIANT, clusters.c.variants)):
            for first, name in before[kind].items():
                if (now := as_name(of.name(kind, first))) != name:
                    connection.execute(change(clusters).where(column == name).values({column: now}))
        if fresh:
            placed = [
                {
                    "image_id": row.id,
                    "copies": names[place],
                    "variants": as_name(of.name(Kind.VARIANT, place)),
                    "representative": row.id in chosen,
                }
                for row, place, _ in fresh
            ]
            connection.execute(insert(clusters), placed)
        appoint(connection, {row.id for row in former}, chosen - {row.id for row, _, _ in fresh})
        reasons = [
            {
                "image_id": row.id,
                "other_id": of.number(link.other),
                "kind": link.kind.name.lower(),
                "distance": link.distance,
                "similarity": link.similarity,
            }
            for row, _, links in fresh
            for link in links[:LINKS]
            if of.number(link.other) in alive
        ]
        if reasons:
            connection.execute(insert(duplicates), reasons)


def _runs(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where the runs of equal ``values`` begin and end, of those with more than one value."""
    begins = np.flatnonzero(np.diff(values, prepend=-1))
    ends = np.append(begins[1:], len(values))
    long = ends - begins > 1
    yield from zip(begins[long].tolist(), ends[long].tolist(), strict=True)


def _alive(connection: Connection, numbers: set[int]) -> set[int]:
    """Those images that have not been forgotten meanwhile, and will not be until the transaction ends."""
    found: set[int] = set()
    for these in _pieces(sorted(numbers)):
        kept = select(images.c.id).where(images.c.id.in_(these)).with_for_update(read=True, key_share=True)
        found.update(connection.scalars(kept))
    return found


def _representatives(connection: Connection, names: list[str]) -> list[Any]:
    """Of the clusters with these names, with what tells how good they are."""
    columns = clusters.c.copies, images.c.id, *(images.c[name] for name in FACTS)
    found: list[Any] = []
    for these in _pieces(names):
        joined = select(*columns).join(images, images.c.id == clusters.c.image_id)
        found.extend(connection.execute(joined.where(clusters.c.copies.in_(these), clusters.c.representative)))
    return found


def _mend(engine: Engine) -> None:
    with engine.connect() as connection:
        names = badly_represented(connection)
    for these in _pieces(names):
        written(engine, elect, these)


def _pieces(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]
