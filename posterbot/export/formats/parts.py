"""What a shard leaves for the end: a piece of a file that tells of a whole split, next to the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from posterbot.export.lockfile import Shard
from posterbot.stores.store import OURS

PARTS = f"{OURS}/parts"
"""Below the folder of a dataset that is not finished."""


def write_part(folder: Path, shard: Shard, lines: Iterable[str]) -> None:
    """Leave lines, each with its own end, for :func:`parts`."""
    file = folder / PARTS / f"{shard.split}-{shard.number:06}"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as out:
        out.writelines(lines)


def parts(folder: Path, split: str) -> Iterator[str]:
    """All lines of a split, in the order of its images."""
    for file in sorted((folder / PARTS).glob(f"{split}-*")):
        with file.open(encoding="utf-8", newline="\n") as lines:
            yield from lines


def splits_of(shards: Iterable[Shard]) -> list[str]:
    """The splits that have images, in their order."""
    return list(dict.fromkeys(shard.split for shard in shards))
