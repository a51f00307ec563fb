"""Where a dataset is written: a folder, or a bucket by way of a folder on this machine.

What is under way is told in ``.posterbot/`` there: the plan, and for each shard that is complete a marker. A dataset is
complete when its lockfile is there; then ``.posterbot/`` is gone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from posterbot.stores.opening import open_store
from posterbot.stores.patient import Patient
from posterbot.stores.store import OURS, NotStoredError, Store

STATE = OURS
"""Folder of what is under way."""
PLAN = f"{STATE}/plan.parquet"
"""The lockfile from which the dataset is made."""


class TargetError(Exception):
    """It cannot be written there; ``str()`` is one line with what to do."""


class OccupiedError(ValueError):
    """There is something already."""


class Target(Protocol):
    """A place for one dataset. Paths are relative to it, with ``/``."""

    name: str
    folder: Path
    """Where files are made that tell of the whole dataset, and where the state is read."""

    def begin(self) -> None:
        """Get ready to write. Raises TargetError where that cannot be, or another export is at work there."""

    def is_empty(self) -> bool:
        """Is nothing there, nor a plan of something?"""

    def fetch(self, path: str) -> Path | None:
        """A file of the dataset or its state on this machine; None if it is not there."""

    def keep(self, path: str) -> None:
        """A file that was made in :attr:`folder` stays, whatever happens to this machine's processes."""

    def deliver(self, made: Path) -> list[str]:
        """Everything below ``made`` goes to its place; gives the paths. Done again, it does no harm."""

    def publish(self, last: str) -> None:
        """What was made in :attr:`folder` goes to its place, and at the very end ``last``, which lies in the state."""

    def clear(self, paths: Iterable[str]) -> None:
        """The dataset is complete: take away its state, of which ``paths`` are all names."""

    def abandon(self) -> None:
        """Nothing has come of it: leave no trace."""

    def close(self) -> None:
        """Give back what is held."""


class LocalTarget:
    """A folder. Files are made within it and renamed, so all that has its name is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, str(folder)
        self._lock: int | None = None

    def begin(self) -> None:
        """See :class:`Target`."""
        state = self.folder / STATE
        state.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(state / "lock", os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TargetError(f"another export is at work in {self.name}") from None
        shutil.rmtree(state / "making", ignore_errors=True)

    def is_empty(self) -> bool:
        """See :class:`Target`."""
        try:
            with os.scandir(self.folder) as found:
                return all(entry.name == STATE for entry in found) and self.fetch(PLAN) is None
        except FileNotFoundError:
            return True

    def fetch(self, path: str) -> Path | None:
        """See :class:`Target`."""
        file = self.folder / path
        return file if file.is_file() else None

    def keep(self, path: str) -> None:
        """It does."""

    def deliver(self, made: Path) -> list[str]:
        """See :class:`Target`."""
        paths = sorted(_files(made))
        for folder in {os.path.dirname(path) for path in paths}:  # noqa: PTH120
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        for path in paths:
            os.replace(made / path, self.folder / path)  # noqa: PTH105
        return paths

    def publish(self, last: str) -> None:
        """See :class:`Target`."""
        (self.folder / STATE / last).replace(self.folder / last)

    def clear(self, paths: Iterable[str]) -> None:
        """See :class:`Target`."""
        shutil.rmtree(self.folder / STATE)

    def abandon(self) -> None:
        """See :class:`Target`."""
        shutil.rmtree(self.folder / STATE, ignore_errors=True)
        with suppress(OSError):
            self.folder.rmdir()

    def close(self) -> None:
        """See :class:`Target`."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class BucketTarget:
    """A store that keeps what is there: what is there with other bytes is refused.

    Args:
        store: where the dataset goes.
        folder: of this machine, empty at first; the plan, and what tells of all, is made there.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = Patient(store)
        self.folder, self.name = folder, store.name

    def begin(self) -> None:
        """See :class:`Target`."""
        self._store.check()
        (self.folder / STATE).mkdir(parents=True, exist_ok=True)

    def is_empty(self) -> bool:
        """See :class:`Target`."""
        return next(iter(self._store.list()), None) is None and self._store.stat(PLAN) is None

    def fetch(self, path: str) -> Path | None:
        """See :class:`Target`."""
        file = self.folder / path
        if not file.exists():
            try:
                data = self._store.get(path)
            except NotStoredError:
                return None
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return file

    def keep(self, path: str) -> None:
        """See :class:`Target`."""
        self._put(path, self.folder / path)

    def deliver(self, made: Path) -> list[str]:
        """See :class:`Target`."""
        return self._upload(_files(made), made)

    def publish(self, last: str) -> None:
        """See :class:`Target`."""
        self._upload((path for path in _files(self.folder) if not path.startswith(STATE)), self.folder)
        self._put(last, self.folder / STATE / last)

    def clear(self, paths: Iterable[str]) -> None:
        """See :class:`Target`."""
        with ThreadPoolExecutor(self._store.threads, "upload") as pool:
            list(pool.map(self._store.delete, paths))

    def abandon(self) -> None:
        """Nothing was written."""

    def close(self) -> None:
        """See :class:`Target`."""
        self._store.close()

    def _upload(self, files: Iterable[str], folder: Path) -> list[str]:
        paths = sorted(files)
        with ThreadPoolExecutor(self._store.threads, "upload") as pool:
            futures = [pool.submit(self._put, path, folder / path) for path in paths]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self._store.hurry()
                pool.shutdown(cancel_futures=True)
                raise
        return paths

    def _put(self, path: str, file: Path) -> None:
        data = file.read_bytes()
        if self._store.put_if_absent(path, data):
            return
        there = self._store.stat(path)
        if there is None or there.size != len(data) or self._store.get(path) != data:
            raise TargetError(f"{self.name} has a {path} with other content; give another --out, or delete it there")


def open_target(out: str, settings: Mapping[str, Any], folder: Path | None = None) -> Target:
    """A folder or a bucket.

    Args:
        out: a path, ``file://…``, ``gs://…``, ``s3://…``, ``az://…`` or ``ftp://…``.
        settings: see ``stores.opening``.
        folder: of a bucket: where this machine works for it; a temporary one where it is not given.

    Raises:
        StoreError: there is no such kind of place, or something it needs is missing.
    """
    scheme, mark, rest = out.partition("://")
    if not mark or scheme.lower() == "file":
        return LocalTarget(Path(rest if mark else out).expanduser().absolute())
    store = open_store(out, settings, "--out")
    return BucketTarget(store, folder or Path(tempfile.mkdtemp(prefix="posterbot-export-")))


def discard(target: Target) -> None:
    """Delete what a bucket's export has left on this machine."""
    if isinstance(target, BucketTarget):
        with suppress(OSError):
            shutil.rmtree(target.folder)


def _files(folder: Path) -> Iterator[str]:
    for root, _, names in os.walk(folder):
        below = Path(root).relative_to(folder).as_posix()
        yield from (name if below == "." else f"{below}/{name}" for name in names)
