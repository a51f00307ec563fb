"""What tells of a dataset as a whole, whatever its format: pairs, a picture of it, its card, Croissant metadata."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine

from posterbot.export.card import write_card
from posterbot.export.card_sheet import sheet_examples, write_contact_sheet_picture
from posterbot.export.croissant import write_croissant
from posterbot.export.example import Example
from posterbot.export.lockfile import Lockfile
from posterbot.export.pairs import write_pairs
from posterbot.stores.opening import open_store
from posterbot.stores.patient import Patient
from posterbot.stores.store import NotStoredError

Told = Callable[[str, int, int | None, int], None]
"""As of ``export.py``."""


def write_papers(
    engine: Engine | None,
    store: str,
    lock: Lockfile,
    folder: Path,
    missing: int,
    told: Told = lambda verb, done, of, read: None,
) -> None:
    """Write them into ``folder``.

    Args:
        engine: of the catalogue, by whose embeddings pairs are found; None: there is none, and no pairs.
        store: URI of the originals, from which some are shown.
        lock: what was really written.
        folder: of the dataset.
        missing: images that were planned and could not be written.
        told: called now and then.
    """
    if lock.header.options.pairs and engine is not None:
        write_pairs(engine, lock, folder, lambda verb, done, of: told(verb, done, of, 0))
    originals = Patient(open_store(store, os.environ, "--store"))

    def get(example: Example) -> bytes | None:
        with suppress(NotStoredError):
            return originals.get(example.path)
        return None

    try:
        write_contact_sheet_picture(folder, sheet_examples(lock), get)
    finally:
        originals.close()
    write_card(folder, lock, missing=missing)
    write_croissant(folder, lock)
