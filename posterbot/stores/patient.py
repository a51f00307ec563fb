"""A store for those who have time: what may pass is tried again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from posterbot.stores.store import NO_FACTS, OCTETS, Stat, Store, StoreError, UnavailableError
from posterbot.stores.streams import order

TRIES = 5
BACKOFF_SECONDS = 0.5
"""Before the second try; then twice as long, and so on, up to a half more or less by chance."""

Answer = TypeVar("Answer")


class Patient:
    """A store that is asked again when it is not available, a few times; otherwise as the store itself.

    Raises:
        StoreError: also where it lists in another order than that of paths, by which nothing could be compared.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.name, self.threads = store.name, store.threads
        self._hurry = threading.Event()

    def hurry(self) -> None:
        """Do not try again any more: somebody wants to stop."""
        self._hurry.set()

    def check(self) -> None:
        """See :class:`~posterbot.stores.store.Store`."""
        self._again(self._store.check)

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        return self._again(self._store.put_if_absent, path, data, media_type, facts)

    def get(self, path: str) -> bytes:
        """See :class:`~posterbot.stores.store.Store`."""
        return self._again(self._store.get, path)

    def stat(self, path: str) -> Stat | None:
        """See :class:`~posterbot.stores.store.Store`."""
        return self._again(self._store.stat, path)

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """See :class:`~posterbot.stores.store.Store`. Where it breaks off it is begun again, and goes on behind."""
        last, failures = b"", 0
        while True:
            behind = last
            try:
                for found in self._store.list(prefix):
                    key = order(found)
                    if key <= behind:
                        continue
                    if key <= last:
                        raise StoreError(f"{self.name} does not list in the order of paths: {found.path!r} comes late")
                    last, failures = key, 0
                    yield found
                return
            except UnavailableError:
                failures += 1
                if not self._waited(failures):
                    raise

    def delete(self, path: str) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        return self._again(self._store.delete, path)

    def close(self) -> None:
        """See :class:`~posterbot.stores.store.Store`."""
        self._store.close()

    def _again(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        failures = 0
        while True:
            try:
                return call(*arguments)
            except UnavailableError:
                failures += 1
                if not self._waited(failures):
                    raise

    def _waited(self, failures: int) -> bool:
        """Is it of use to go on, after so many failures in a row?"""
        seconds = BACKOFF_SECONDS * 2 ** (failures - 1) * random.uniform(0.5, 1.5)
        return failures < TRIES and not self._hurry.wait(seconds)
