"""Originals on a local disk: written beside, flushed, then renamed, so that a file is whole or not there."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from posterbot.stores.store import (
    NO_FACTS,
    OCTETS,
    OURS,
    NotStoredError,
    Stat,
    StoreError,
    UnavailableError,
    checked_path,
)

_PART = ".part"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# What a while may change: a busy file, a network file system that is away.
_PASSING = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EINTR,
    errno.EIO,
    errno.ETIMEDOUT,
    errno.ESTALE,
    errno.ENFILE,
    errno.EMFILE,
}


class LocalStore:
    """A folder. See :class:`posterbot.stores.store.Store`; media types and facts are not kept with a file.

    Args:
        uri: the folder, or ``file://`` and the folder.
        what: the setting that names it, for messages.
    """

    # They wait for the disk: those that flush at the same time share one commit of its journal.
    threads = 8

    def __init__(self, uri: str, what: str = "IMAGES_STORE") -> None:
        self._what = what
        self.folder = Path(uri.removeprefix("file://")).expanduser()
        self.name = str(self.folder.absolute())

    def check(self) -> None:
        """Make the folder, and write to it: permission bits do not tell (root, read-only mounts, quotas)."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise StoreError(
                f"{self._what}: cannot write to {self.folder} ({error.strerror}); set it to a folder you may write to"
            ) from None

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        file = f"{self.name}/{checked_path(path)}"
        try:
            if os.path.exists(file):  # noqa: PTH110
                return False
            _write(file, data)
        except OSError as error:
            raise self._error(error) from error
        return True

    def get(self, path: str) -> bytes:
        """See :class:`~posterbot.stores.store.Store`."""
        try:
            return (self.folder / checked_path(path)).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotStoredError(path) from None
        except OSError as error:
            raise self._error(error) from error

    def stat(self, path: str) -> Stat | None:
        """See :class:`~posterbot.stores.store.Store`."""
        file = self.folder / checked_path(path)
        try:
            return _stat(path, file.stat()) if file.is_file() else None
        except OSError as error:
            raise self._error(error) from error

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """See :class:`~posterbot.stores.store.Store`."""
        try:
            yield from _walk(str(self.folder), "", prefix)
        except OSError as error:
            raise self._error(error) from error

    def delete(self, path: str) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        try:
            (self.folder / checked_path(path)).unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise self._error(error) from error
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _error(self, error: OSError) -> StoreError | UnavailableError:
        if error.errno in _PASSING:
            return UnavailableError(f"{self.folder}: {error.strerror}")
        advice = "make room there" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "see to it"
        return StoreError(f"{self._what}: cannot use {self.folder} ({error.strerror}); {advice}, or set another folder")


def _write(file: str, data: bytes) -> None:
    folder, _, name = file.rpartition("/")
    temporary = f"{folder}/.{name}.{os.getpid()}-{os.urandom(4).hex()}{_PART}"
    try:
        descriptor = os.open(temporary, _NEW, 0o666)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103  # a Path costs as much as the write
        descriptor = os.open(temporary, _NEW, 0o666)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, file)  # noqa: PTH104
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def _walk(folder: str, path: str, prefix: str) -> Iterator[Stat]:
    """Files below ``folder``, in the order of their whole paths: ``a.jpg`` comes before ``a/…``, as "." before "/"."""
    try:
        with os.scandir(folder) as found:
            entries = [(entry.name + "/" if entry.is_dir() else entry.name, entry) for entry in found]
    except FileNotFoundError:
        return
    for name, entry in sorted(entries, key=lambda pair: os.fsencode(pair[0])):
        whole = path + name
        if name.endswith("/"):
            if whole.startswith(prefix) or prefix.startswith(whole):
                yield from _walk(entry.path, whole, prefix)
        elif whole.startswith(prefix) and not name.startswith(OURS) and not (name[0] == "." and name.endswith(_PART)):
            try:
                yield _stat(whole, entry.stat())
            except FileNotFoundError:
                continue  # deleted since


def _stat(path: str, stat: os.stat_result) -> Stat:
    return Stat(path, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
