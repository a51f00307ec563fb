"""The lists that galleries are scrolled through: each read once, and kept as long as somebody looks at it."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict

from sqlalchemy import Engine

from posterbot.catalogue.gallery import Chosen, Filter, chosen, state, without_show

MOST = 8
"""Lists that are held: five bytes for each image in them."""
FRESH = 15.0
"""Seconds after which a list is read anew for who opens a gallery: verdicts may have changed without a new policy."""


class ImageLists:
    """Lists by filter, and by the name that a page has of its list. For any number of threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._known: OrderedDict[str, tuple[Filter, tuple[int, int, int], float, Chosen]] = OrderedDict()

    def open(self, asked: Filter) -> tuple[str, Chosen]:
        """The list of a filter as it is now, whatever is shown of it, and its name."""
        asked = without_show(asked)
        with self._reading:
            now = state(self._engine)
            with self._lock:
                for name, (same, then, at, found) in self._known.items():
                    if (same, then) == (asked, now) and time.monotonic() - at < FRESH:
                        self._known.move_to_end(name)
                        return name, found
            found, name = chosen(self._engine, asked), secrets.token_hex(8)
            with self._lock:
                self._known[name] = asked, now, time.monotonic(), found
                while len(self._known) > MOST:
                    self._known.popitem(last=False)
            return name, found

    def named(self, name: str) -> Chosen | None:
        """The list of that name; None: it is not held any more."""
        with self._lock:
            if name not in self._known:
                return None
            self._known.move_to_end(name)
            return self._known[name][3]
