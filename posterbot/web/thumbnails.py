"""Small pictures for the pages, those looked at last in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict

from posterbot.stores.store import Store
from posterbot.thumbnail import SIDE, thumbnail

MOST_BYTES = 128 << 20
"""Some 8,000 pictures."""
LARGE = 960
"""Longer side in pixels of a picture that is looked at by itself."""
AT_ONCE = 4
"""Pictures that are decoded at the same time."""


class Thumbnails:
    """Makes them of what a store has, and remembers them. For any number of threads."""

    def __init__(self, store: Store | None, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._most = most_bytes
        self._bytes = 0
        self._known: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(AT_ONCE)

    def get(self, path: str, side: int = SIDE) -> bytes:
        """The JPEG of what is stored under ``path``: the name of an object never means other bytes.

        Args:
            path: in the store.
            side: of the JPEG, at most, in pixels.

        Raises:
            LookupError: nothing is stored there, or there is no store.
            UnavailableError, StoreError: the store does not answer, or not to us.
            ImageError: it is no image that can be read.
        """
        key = path, side
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        if self._store is None:
            raise LookupError("there is no store")
        with self._turn:
            small = thumbnail(self._store.get(path), side)
        with self._lock:
            if key not in self._known:
                self._known[key] = small
                self._bytes += len(small)
            while self._bytes > self._most:
                self._bytes -= len(self._known.popitem(last=False)[1])
        return small
