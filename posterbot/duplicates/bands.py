"""Finding perceptual hashes that differ in few bits, among millions, without comparing each with each.

A hash is cut into eight bands of 8 bits (multi-index hashing: M. Norouzi, A. Punjani, D. Fleet, "Fast Search in Hamming
Space with Multi-Index Hashing", CVPR 2012). Two hashes that differ in 15 bits or fewer differ in at most one bit of
some band, and nearly all of those that differ in 16. So there is a table by each band, and a query is compared with
what is under the nine values of its band that are within one bit: in all with a quarter of the hashes, in long runs of
memory, many queries at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BANDS = 8
PROBED = 1
"""Bits of a band in which a value that is looked up may differ."""
SURE = BANDS * PROBED + BANDS - 1
"""Hashes that differ in so many bits, or fewer, are always found."""
REACH = 16
"""Of those that differ in more, up to this, the ones that differ in at most PROBED bits of some band."""
ALIKE = 32
"""Of equal hashes so many are compared with, those added first: thousands of empty pictures have the same."""

_Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""As the arguments of :class:`Near`, in no order."""
_VALUES = 256
_BLOCK = 1 << 17
"""Comparisons at a time: what fits into a processor's cache."""
_CROWD = 64
"""A query of a block that has more than so many near, in the mean, is given only the nearest."""
_TAIL = 8192
"""So many hashes are compared one by one before there are tables of them,"""
_SHARE = 16
"""and this part of those that are in tables."""
_SHIFTS = np.arange(BANDS, dtype=np.uint64) * np.uint64(8)
_BAND = np.uint64(_VALUES - 1)
_PROBES = np.bitwise_count(np.arange(_VALUES)[:, np.newaxis] ^ np.arange(_VALUES)) <= PROBED


class Near:
    """What was found: three arrays of one length, ordered by query, distance and place.

    Args:
        query: int32: number of the query.
        place: int32: number of the hash, in the order of :meth:`Hashes.add`.
        distance: uint8: bits that differ, 0 to REACH.
    """

    __slots__ = ("distance", "place", "query")

    def __init__(self, query: np.ndarray, place: np.ndarray, distance: np.ndarray) -> None:
        order = np.lexsort((place, distance, query))
        self.query, self.place, self.distance = query[order], place[order], distance[order]

    def nearest(self, most: int) -> Near:
        """Of each query only the ``most`` nearest; of equally near ones those added first."""
        if not len(self.query):
            return self
        begins = np.flatnonzero(np.diff(self.query, prepend=-1))
        rank = np.arange(len(self.query)) - np.repeat(begins, np.diff(begins, append=len(self.query)))
        kept = rank < most
        return Near(self.query[kept], self.place[kept], self.distance[kept])


class Hashes:
    """Hashes in the order in which they were added; some 120 bytes each.

    Args:
        most: so many near ones are given of each.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._all = np.empty(0, np.uint64)
        self._hashes = np.empty(0, np.uint64)
        self._places = np.empty(0, np.int32)
        """These two: of the first ALIKE of those that are equal. The first ones are in the tables."""
        self._sorted = np.empty(0, np.uint64)
        self._tables: list[_Table] = []

    def __len__(self) -> int:
        return len(self._all)

    def add(self, hashes: np.ndarray) -> None:
        """Add uint64 (N,)."""
        places = np.arange(len(self._all), len(self._all) + len(hashes), dtype=np.int32)
        self._all = np.concatenate([self._all, hashes])
        seen = self._is_among_first(hashes)
        self._hashes = np.concatenate([self._hashes, hashes[seen]])
        self._places = np.concatenate([self._places, places[seen]])
        if len(self._hashes) - len(self._sorted) > max(_TAIL, len(self._sorted) // _SHARE):
            self._tables = []  # before there are new ones: memory
            self._sorted = np.sort(self._hashes)
            self._tables = [_Table(self._hashes, self._places, band) for band in range(BANDS)]

    def near(self, queries: np.ndarray) -> Near:
        """What is near each of ``queries``, uint64 (N,); one near itself if it was added."""
        bands = queries[:, np.newaxis] >> _SHIFTS & _BAND
        tail = slice(len(self._sorted), None)
        found = [_compared(queries, self._hashes[tail], self._places[tail], self._most, BANDS)]
        for table in self._tables:
            found.extend(table.near(queries, bands[:, table.band], self._most))
        return Near(*_joined(found)).nearest(self._most)

    def add_new(self, hashes: np.ndarray) -> Near:
        """Add uint64 (N,); gives what is near each of them of those added before it, in this call as well."""
        before = self.near(hashes)
        first, among = len(self._all), slice(len(self._hashes), None)
        self.add(hashes)
        new = _compared(hashes, self._hashes[among], self._places[among], self._most, BANDS, first=first)
        return Near(*_joined([(before.query, before.place, before.distance), new])).nearest(self._most)

    def at(self, places: np.ndarray) -> np.ndarray:
        """The hashes at ``places``, uint64."""
        found: np.ndarray = self._all[places]
        return found

    def distance(self, one: int, other: int) -> int:
        """Bits in which the hashes at two places differ, 0 to 64."""
        return int(np.bitwise_count(self._all[one] ^ self._all[other]))

    def _is_among_first(self, hashes: np.ndarray) -> np.ndarray:
        """Of each: are there fewer than ALIKE equal ones before it?"""
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        equal = np.arange(len(hashes)) - np.searchsorted(ordered, ordered, "left")
        for stored in (self._sorted, np.sort(self._hashes[len(self._sorted) :])):
            equal += np.searchsorted(stored, ordered, "right") - np.searchsorted(stored, ordered, "left")
        among = np.empty(len(hashes), bool)
        among[order] = equal < ALIKE
        return among


class _Table:
    """Hashes sorted by one of their bands."""

    def __init__(self, hashes: np.ndarray, places: np.ndarray, band: int) -> None:
        self.band = band
        values = (hashes >> _SHIFTS[band]).astype(np.uint8)
        order = np.argsort(values, kind="stable")
        self._hashes, self._places = hashes[order], places[order]
        self._ends = np.cumsum(np.bincount(values, minlength=_VALUES))

    def near(self, queries: np.ndarray, values: np.ndarray, most: int) -> Iterator[_Found]:
        """What is near and not given by the table of an earlier band; ``values``: this band of the queries."""
        for value, end in enumerate(self._ends.tolist()):
            begin = int(self._ends[value - 1]) if value else 0
            some = np.flatnonzero(_PROBES[value][values]).astype(np.int32)
            if end > begin and len(some):
                those = self._hashes[begin:end], self._places[begin:end]
                query, place, distance = _compared(queries[some], *those, most, self.band, given=False)
                if len(query):
                    yield some[query], place, distance


def _compared(
    queries: np.ndarray,
    hashes: np.ndarray,
    places: np.ndarray,
    most: int,
    bands: int,
    given: bool = True,
    first: int | None = None,
) -> _Found:
    """Each with each: what is within REACH, and given by the tables of the first ``bands`` bands (or by none).

    ``first``: place of the first query, where only what is before each is wanted.
    """
    found: list[_Found] = []
    if len(hashes):
        for start in range(0, len(queries), rows := max(1, _BLOCK // len(hashes))):
            difference = queries[start : start + rows, np.newaxis] ^ hashes
            distance = np.bitwise_count(difference)
            if first is not None:
                distance[places >= np.arange(start, start + len(distance))[:, np.newaxis] + first] = REACH + 1
            if np.count_nonzero(distance <= REACH) > max(_CROWD, most) * len(distance):
                # Of a crowd only the nearest: what is beyond the last of them is not given.
                beyond = np.partition(distance, most, axis=1)[:, most : most + 1]
                distance[distance > beyond] = REACH + 1
            near = np.flatnonzero(distance <= REACH)
            if len(near):
                probed = np.bitwise_count(difference.ravel()[near, np.newaxis] >> _SHIFTS[:bands] & _BAND) <= PROBED
                near = near[probed.any(1) == given]
                query, place = np.divmod(near, len(hashes))
                found.append(((query + start).astype(np.int32), places[place], distance.ravel()[near]))
    return _joined(found)


def _joined(found: list[_Found]) -> _Found:
    if not found:
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8)
    query, place, distance = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return query, place, distance
