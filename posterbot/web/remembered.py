"""Answers that take long, told again for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")
_REST = 20
"""What is counted over the whole catalogue is counted again after so many times as long as it took."""


class Remembered(Generic[Value]):
    """Answers about runs that take the longer the larger the catalogue is: they may be a little old."""

    def __init__(self, ask: Callable[[int], Value]) -> None:
        self._ask = ask
        self._known: dict[int, tuple[Value, float]] = {}
        self._asking = threading.Lock()

    def of(self, run: int) -> Value:
        """The answer about a run; who comes while it is asked anew gets the old one."""
        known = self._known.get(run)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        if not self._asking.acquire(blocking=known is None):
            assert known is not None
            return known[0]
        try:
            started = time.monotonic()
            value = self._ask(run)
            now = time.monotonic()
            if len(self._known) > 20:
                self._known.clear()
            self._known[run] = value, now + _REST * (now - started)
            return value
        finally:
            self._asking.release()

    def forget(self) -> None:
        """Ask anew: something has changed."""
        self._known.clear()
