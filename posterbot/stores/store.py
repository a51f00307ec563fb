"""What a store of original bytes can do, whatever it is made of, and what can go wrong with it.

A store blocks: it belongs on a thread (``uploads.py``), never on an event loop. All of its methods may be called from
several threads at once. It does not try again by itself; who calls it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

OCTETS = "application/octet-stream"
NO_FACTS: Mapping[str, str] = MappingProxyType({})
LOST_AND_FOUND = "lost+found"
"""Folder for what ``posterbot fsck --repair`` takes out of the way."""
DROPPED = "dropped"
"""Folder for what is kept of rejected images."""
OURS = ".posterbot"
"""Names that begin with this are the store's own business, and are never listed."""

_SEGMENT = re.compile(r"[^/\\\x00-\x1f\x7f]+")


class StoreError(ValueError):
    """The store cannot be used as it is set up; one line that names the setting to change."""


class UnavailableError(Exception):
    """It did not work, and may in a while: the other side is busy, gone, or too slow. One line."""


class NotStoredError(LookupError):
    """There is nothing under that path."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store says of one object without sending it."""

    path: str
    size: int
    """Bytes."""
    modified: datetime | None = None
    """When it was written, aware; None where the store does not say."""
    md5: str | None = None
    """In hexadecimal, as the store has computed it of what it received; None where it has not."""
    media_type: str = OCTETS
    facts: Mapping[str, str] = field(default_factory=dict)


class Store(Protocol):
    """Objects under paths such as ``aa/bb/<sha256>.jpg``, relative to the store's own folder, bucket or prefix.

    Methods raise :class:`UnavailableError` for what may pass, and :class:`StoreError` for what somebody has to mend:
    credentials, permissions, a bucket that is gone, a full disk.
    """

    name: str
    """The URI or folder, absolute and without a password: equal for equal places."""
    threads: int
    """How many calls at once are worth while."""

    def check(self) -> None:
        """Can objects be written and read here? Asks the other side, and leaves nothing behind."""

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        """Store ``data`` unless there is an object under ``path``, which is left as it is.

        When it returns, the object is there, whole, and durable as far as the store promises that. What arrived was
        compared with what was sent, by a checksum where the store has one. Nobody ever sees half of it.

        Args:
            path: relative, without ``..``; raises ValueError otherwise.
            data: all of it.
            media_type: of the content.
            facts: kept with the object where the store can: ASCII names, values of any text.

        Returns:
            True if it was written, False if it was there.
        """

    def get(self, path: str) -> bytes:
        """The whole object.

        Raises:
            NotStoredError: there is none.
        """

    def stat(self, path: str) -> Stat | None:
        """What is known of an object, None where there is none."""

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """All objects whose path begins with ``prefix``, in the order of their paths' bytes; facts may be missing.

        A stream: it holds a page or a folder, never all names. What is :data:`OURS` is left out.
        """

    def delete(self, path: str) -> bool:
        """Delete an object; False if there was none."""

    def close(self) -> None:
        """Give back connections. The store is not used after this."""


def object_path(sha256: str, extension: str) -> str:
    """``aa/bb/<sha256>.<ext>``: two levels keep folders under a few thousand entries at 100 million images."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"


def checked_path(path: str) -> str:
    """``path``, if it can only lead downwards.

    Raises:
        ValueError: it is empty or absolute, or has ``.``, ``..``, a backslash or a control character.
    """
    segments = path.split("/")
    if all(_SEGMENT.fullmatch(segment) and segment not in {".", ".."} for segment in segments):
        return path
    raise ValueError(f"not a path in a store: {path!r}")


def checked_prefix(uri: str, prefix: str) -> str:
    """The part of ``uri`` after the bucket, with one ``/`` at its end; empty where there is none.

    Raises:
        StoreError: it leads elsewhere.
    """
    prefix = prefix.strip("/")
    if not prefix:
        return ""
    try:
        return checked_path(prefix) + "/"
    except ValueError:
        raise StoreError(f"IMAGES_STORE: {uri}: a prefix has no empty parts, no '.' and no '..'") from None
