"""What a format does: it writes shards, each for itself, and at the end what tells of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from posterbot.export.example import Example
from posterbot.export.lockfile import Header, Lockfile, Shard


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as it goes into a dataset: decoded once, to see that it can be."""

    data: bytes
    extension: str
    """``jpg``, ``png``, …, without a dot."""
    width: int
    height: int


class Format(Protocol):
    """Made anew in each process. The same calls give the same bytes."""

    jpeg_only: bool
    """It takes no other pictures: originals that are none are encoded as JPEG."""

    def __init__(self, header: Header) -> None: ...

    def write_shard(self, shard: Shard, pictures: Iterable[tuple[Example, Encoded]], folder: Path) -> None:
        """Write the files of one shard into ``folder``, in folders that may hold those of others.

        ``pictures`` come in the order of the lockfile, one at a time. Those whose bytes are gone do not come. No two
        shards write to the same file; what is of the whole split or dataset is written by :meth:`finish`.
        """

    def finish(self, lock: Lockfile, folder: Path) -> None:
        """Write the files that tell of the whole dataset, of which ``lock`` has what was really written."""
