"""Originals on a local disk: written beside, flushed, then renamed, so that a file is whole or not there."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

from scrapy.pipelines.files import FSFilesStore


class StoreError(ValueError):
    """The store cannot be used; one line that names the setting to change."""


def object_path(sha256: str, extension: str) -> str:
    """``aa/bb/<sha256>.<ext>``: two levels keep folders under a few thousand entries at 100 million images."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"


class LocalStore(FSFilesStore):
    """Scrapy's file store with atomic writes off the event loop.

    Raises:
        StoreError: the folder cannot be made or written to.
    """

    def __init__(self, basedir: str | PathLike[str]) -> None:
        # More threads would only wait for each other: for the disk's journal, and for Python's lock.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="store")
        try:
            super().__init__(basedir)
            # Permission bits do not tell (root, read-only mounts, quotas): only a write does.
            with tempfile.TemporaryFile(dir=self.basedir):
                pass
        except OSError as error:
            raise StoreError(
                f"IMAGES_STORE: cannot write to {basedir} ({error.strerror}); set it to a folder you may write to"
            ) from None

    def persist_file(  # type: ignore[override]
        self,
        path: str | PathLike[str],
        buf: BytesIO,
        info: Any,
        meta: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Awaitable[None]:
        """Write ``buf`` to ``path`` below the store, in a thread. Content decides the name, so what exists is right."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, self._write, self._get_filesystem_path(path), buf.getvalue())

    def _write(self, path: Path, data: bytes) -> None:
        if path.exists():
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
        try:
            file = temporary.open("wb")
        except FileNotFoundError:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            file = temporary.open("wb")
        try:
            with file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
