"""Which images are together, as images come one after another. Pure: no database, no pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from posterbot.duplicates.likeness import Kind

Alike = Callable[[Kind, int, int], bool]
"""May the images at two places be in one cluster of that kind: :func:`posterbot.duplicates.likeness.loosely`."""


@dataclass(frozen=True, slots=True)
class Link:
    """An image is like an earlier one."""

    other: int
    """Place of the earlier one."""
    kind: Kind
    distance: int
    """Bits in which their hashes differ."""
    similarity: float | None
    """Cosine of their embeddings; None: not known."""


class Clusters:
    """The clusters of images, which have places 0, 1, 2, … in the order in which they came.

    Two clusters become one when an image of one is like an image of the other, and their first images are at least
    loosely alike: else A is like B, B like C, and so on to what has nothing to do with A. Clusters of variants hold
    whole clusters of copies.

    Args:
        numbers: of the images, int64: the cluster with the lower first number is the older.
        names: of the clusters that they would begin, uint64.
        copies, variants: names of the clusters that they are in.
    """

    def __init__(self, numbers: np.ndarray, names: np.ndarray, copies: np.ndarray, variants: np.ndarray) -> None:
        self._count = len(numbers)
        self._numbers, self._names = numbers, names
        self._first = {Kind.COPY: _first(names, copies), Kind.VARIANT: _first(names, variants)}
        self._called = {Kind.COPY: copies, Kind.VARIANT: variants}

    def add(self, numbers: np.ndarray, names: np.ndarray) -> int:
        """Further images, each in clusters of its own; gives the place of the first of them."""
        place = self._count
        self._count += len(numbers)
        self._numbers, self._names = self._grown(self._numbers, numbers), self._grown(self._names, names)
        for kind in self._first:
            places = np.arange(place, self._count, dtype=np.int32)
            self._first[kind] = self._grown(self._first[kind], places)
            self._called[kind] = self._grown(self._called[kind], names)
        return place

    def _grown(self, array: np.ndarray, more: np.ndarray) -> np.ndarray:
        before = self._count - len(more)
        if len(array) < self._count:
            room = np.empty(self._count * 9 // 8 + 1024, array.dtype)
            room[:before] = array[:before]
            array = room
        array[before : self._count] = more
        return array

    def first(self, kind: Kind, place: int) -> int:
        """Place of the first image of the cluster that the image at ``place`` is in."""
        return int(self._first[kind][place])

    def name(self, kind: Kind, place: int) -> int:
        """Name of the cluster that the image at ``place`` is in."""
        return int(self._called[kind][self.first(kind, place)])

    def number(self, place: int) -> int:
        """Number of the image at ``place``."""
        return int(self._numbers[place])

    def numbers(self, places: np.ndarray) -> np.ndarray:
        """Numbers of the images at ``places``, int64."""
        found: np.ndarray = self._numbers[places]
        return found

    def link(self, place: int, links: Sequence[Link], alike: Alike) -> list[Link]:
        """Put the newest image together with those it is like.

        Args:
            place: of the image, which is alone so far.
            links: to earlier images, nearest first.
            alike: says whether two first images may be together.

        Returns:
            Those links that were followed, as what they came to.
        """
        followed = []
        for link in links:
            if not self._together(Kind.VARIANT, place, link.other, alike):
                continue
            copies = link.kind is Kind.COPY and self._together(Kind.COPY, place, link.other, alike)
            kind = Kind.COPY if copies else Kind.VARIANT
            followed.append(Link(link.other, kind, link.distance, link.similarity))
        return followed

    def _together(self, kind: Kind, place: int, other: int, alike: Alike) -> bool:
        ours, theirs = self.first(kind, place), self.first(kind, other)
        if ours == theirs:
            return True
        if not alike(kind, ours, theirs):
            return False
        # An image that has just come does not give its name to what was there.
        newer = ours if ours == place or self.number(ours) > self.number(theirs) else theirs
        first = self._first[kind][: self._count]
        if newer == place:
            first[place] = theirs
        else:
            first[first == newer] = theirs if newer == ours else ours
        return True


def _first(names: np.ndarray, called: np.ndarray) -> np.ndarray:
    """Place of the first image of each image's cluster, int32.

    That is the one after which the cluster is called; if it has been forgotten, the first that is left.
    """
    _, first, cluster = np.unique(called, return_index=True, return_inverse=True)
    first = first.astype(np.int32)
    own = np.flatnonzero(names == called).astype(np.int32)
    first[cluster[own]] = own
    return first[cluster]
