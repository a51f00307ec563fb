"""Where images wait on the local disk while their store cannot take them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from posterbot.stores.local import LocalStore
from posterbot.stores.store import NO_FACTS, OCTETS, Stat


class SpoolFullError(Exception):
    """The spool has reached its limit; one line."""


class Spool:
    """A folder of images for one store. Several processes may use it at once: each file is whole, or not there.

    Each file is one line of JSON (media type and facts), then the image. Used from threads, as stores are.

    Args:
        root: folder of all spools; this one is a folder in it, named for its store.
        store: ``name`` of the store that the images are for.
        limit: bytes; what several processes add at the same moment may exceed it.

    Raises:
        StoreError: on writing, where the disk cannot.
    """

    def __init__(self, root: Path, store: str, limit: int) -> None:
        self.folder = root / hashlib.sha256(store.encode()).hexdigest()[:16]
        self.limit = limit
        self._store = store
        self._files = LocalStore(str(self.folder), "SPOOL")
        self._lock = threading.Lock()
        self.count()

    def count(self) -> None:
        """Look how much there is: others may have added to it, or emptied it."""
        sizes = [found.size for found in self._files.list() if found.path != "store"]
        self.images, self.bytes = len(sizes), sum(sizes)

    @property
    def fill(self) -> float:
        """How full it is, 0 to 1 and perhaps a little more."""
        return self.bytes / self.limit if self.limit else 1.0

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """Keep ``data`` until the store can take it; False if it is here already.

        Raises:
            SpoolFullError: there is no room for it.
        """
        if self.bytes + len(data) > self.limit:
            self.count()
            if self.bytes + len(data) > self.limit:
                raise SpoolFullError(f"SPOOL: {self.folder} is full ({self.bytes:,} of {self.limit:,} bytes)")
        if not self.images:
            self._files.put_if_absent("store", self._store.encode())  # for a person who looks
        header = json.dumps({"media_type": media_type, "facts": dict(facts)}).encode() + b"\n"
        written = self._files.put_if_absent(path, header + data)
        if written:
            self._counted(1, len(header) + len(data))
        return written

    def get(self, path: str) -> bytes:
        """The image. Raises NotStoredError."""
        return self._files.get(path).partition(b"\n")[2]

    def stat(self, path: str) -> Stat | None:
        """What is known of an image: as the store will know it."""
        found = self._files.stat(path)
        return None if found is None else self._described(found)

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """All images, in the order of their paths; see :class:`~posterbot.stores.store.Store`."""
        for found in self._files.list(prefix):
            if found.path == "store":
                continue
            try:
                yield self._described(found)
            except FileNotFoundError:
                continue  # another process has taken it to the store

    def delete(self, path: str) -> bool:
        """The store has it, or it is not wanted any more."""
        found = self._files.stat(path)
        if found is None or not self._files.delete(path):
            return False
        self._counted(-1, -found.size)
        return True

    def _counted(self, images: int, size: int) -> None:
        with self._lock:
            self.images += images
            self.bytes += size

    def _described(self, found: Stat) -> Stat:
        with (self.folder / found.path).open("rb") as file:
            header = file.readline()
        size = found.size - len(header)
        try:
            said = json.loads(header)
            return Stat(found.path, size, found.modified, None, said["media_type"], said["facts"])
        except (ValueError, KeyError, TypeError):  # a damaged disk: whoever takes the image finds its hash wrong
            return Stat(found.path, size, found.modified)
