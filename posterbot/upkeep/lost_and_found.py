"""``lost+found/``: where that goes which may be worth something, and has no business where it was."""

from __future__ import annotations

import hashlib

from posterbot.catalogue.stored import Stored
from posterbot.stores.store import LOST_AND_FOUND, NotStoredError, Stat, Store
from posterbot.upkeep.fsck import is_right


def set_aside(store: Store, path: str, data: bytes) -> None:
    """Move an object of the store, which is ``data``, out of the way."""
    put_aside(store, store.stat(path) or Stat(path, len(data)), data)
    store.delete(path)


def put_aside(store: Store, found: Stat, data: bytes) -> None:
    """Keep ``data``, which was ``found`` somewhere; what has that name there already stays as well."""
    path = f"{LOST_AND_FOUND}/{found.path}"
    if store.put_if_absent(path, data, found.media_type, found.facts) or store.get(path) == data:
        return
    store.put_if_absent(f"{path}.{hashlib.sha256(data).hexdigest()[:16]}", data, found.media_type, found.facts)


def put_back(store: Store, row: Stored) -> bool:
    """Is the image in ``lost+found``? There it came as an orphan, while a crawl found that it was stored already."""
    path = f"{LOST_AND_FOUND}/{row.path}"
    try:
        data = store.get(path)
    except NotStoredError:
        return False
    if not is_right(row, data):
        return False
    found = store.stat(path) or Stat(path, len(data))
    store.put_if_absent(row.path, data, found.media_type, found.facts)
    store.delete(path)
    return True
