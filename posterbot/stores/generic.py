"""Originals wherever fsspec can write: Azure, and what else one has a package for."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import fsspec  # type: ignore[import-untyped]

from posterbot.stores.opening import without_password
from posterbot.stores.store import (
    NO_FACTS,
    OCTETS,
    OURS,
    NotStoredError,
    Stat,
    StoreError,
    UnavailableError,
    checked_path,
    checked_prefix,
)

_WRONG = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
_TIMES = ("last_modified", "LastModified", "mtime", "created")


class GenericStore:
    """A folder of a file system of fsspec's. See :class:`posterbot.stores.store.Store`, of which this promises less.

    What is there stays as it is only if the file system can create a file that must not exist (Azure can; for others
    fsspec asks first, and of two who write at once both may). Of what arrived, only the size is compared. That nobody
    sees half a file is up to the file system as well: object stores have it so, disks have not. Media types and facts
    are not kept.

    Keys and accounts come from where the file system looks for them: for Azure ``AZURE_STORAGE_CONNECTION_STRING``, or
    ``AZURE_STORAGE_ACCOUNT_NAME`` and ``AZURE_STORAGE_ACCOUNT_KEY``, in the environment. Raises StoreError where these,
    or a package, are missing.
    """

    threads = 8

    def __init__(self, uri: str) -> None:
        self.name = without_password(uri).rstrip("/")
        checked_prefix(self.name, uri.partition("://")[2])
        try:
            self._files, root = fsspec.core.url_to_fs(uri)
        except ImportError as error:
            raise StoreError(f"IMAGES_STORE: {error}; for Azure: pip install 'posterbot[azure]'") from None
        except Exception as error:  # of many packages
            raise StoreError(
                f"IMAGES_STORE: {self.name}: {_line(error)}; Azure needs AZURE_STORAGE_CONNECTION_STRING"
            ) from None
        self._root = root.rstrip("/") + "/"

    def check(self) -> None:
        """See :class:`~posterbot.stores.store.Store`."""
        path = f"{OURS}-check-{secrets.token_hex(8)}"
        self.put_if_absent(path, path.encode())
        self.get(path)
        self.delete(path)

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """See :class:`~posterbot.stores.store.Store`, and what the class says."""
        where = self._root + checked_path(path)
        with self._told():
            try:
                self._create(where, data)
            except Exception as error:
                is_there = isinstance(error, FileExistsError) or _status(error) == 409
                if is_there and self.stat(path) is not None:
                    return False
                raise
        found = self.stat(path)
        if found is None or found.size != len(data):
            raise UnavailableError(f"{self.name}: what arrived as {path} is not what was sent")
        return True

    def get(self, path: str) -> bytes:
        """See :class:`~posterbot.stores.store.Store`."""
        where = self._root + checked_path(path)
        with self._told():
            try:
                return bytes(self._files.cat_file(where))
            except (FileNotFoundError, IsADirectoryError):
                raise NotStoredError(path) from None

    def stat(self, path: str) -> Stat | None:
        """See :class:`~posterbot.stores.store.Store`."""
        where = self._root + checked_path(path)
        found = None
        with self._told(), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            found = self._files.info(where)
        return _stat(path, found) if found and found["type"] == "file" else None

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """See :class:`~posterbot.stores.store.Store`; it holds all that is in one folder of the first level."""
        with self._told(), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            for top, entry in self._sorted(self._files.ls(self._root.rstrip("/") or "/", detail=True)):
                if top.startswith(prefix) or prefix.startswith(top):
                    found = self._files.find(entry["name"], detail=True).values() if top.endswith("/") else [entry]
                    yield from (_stat(path, below) for path, below in self._sorted(found) if path.startswith(prefix))

    def delete(self, path: str) -> bool:
        """See :class:`~posterbot.stores.store.Store`."""
        if self.stat(path) is None:
            return False
        with self._told():
            self._files.rm_file(self._root + path)
        return True

    def close(self) -> None:
        """Connections are fsspec's, which shares them."""

    def _create(self, where: str, data: bytes) -> None:
        try:
            self._files.pipe_file(where, data, mode="create")
        except FileNotFoundError:
            self._files.makedirs(where.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(where, data, mode="create")

    def _sorted(self, entries: Iterable[Mapping[str, Any]]) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """By path, in which folders end with a slash."""
        found = {entry["name"][len(self._root) :].rstrip("/"): entry for entry in entries}
        ours = [path for path in found if path.rpartition("/")[2].startswith(OURS)]
        slashed = {p + "/" * (found[p]["type"] == "directory"): found[p] for p in found.keys() - ours}
        return sorted(slashed.items(), key=lambda item: item[0].encode())

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of any package as ours."""
        try:
            yield
        except Exception as error:
            if isinstance(error, StoreError | UnavailableError | NotStoredError):
                raise
            if isinstance(error, _WRONG) or _status(error) in {400, 401, 403, 404}:
                raise StoreError(f"IMAGES_STORE: {self.name}: {_line(error)}; see to it, or set another") from error
            raise UnavailableError(f"{self.name}: {_line(error)}") from error


def _status(error: Exception) -> object:
    return getattr(error, "status_code", None)  # as errors of Azure's have it


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _stat(path: str, found: Mapping[str, Any]) -> Stat:
    time = next((found[name] for name in _TIMES if found.get(name)), None)
    modified = datetime.fromtimestamp(time, UTC) if isinstance(time, int | float) else time
    return Stat(path, int(found["size"]), modified)
