"""WebDataset: tar files that are read from front to back; what belongs together has one name and stands together."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from posterbot.export.example import Example
from posterbot.export.formats.format import Encoded
from posterbot.export.lockfile import COLUMNS, Header, Lockfile, Shard

CLASSES = "classes.txt"
"""The labels, one a line; the number in a ``.cls`` is a line's, counted from 0."""


class WebDataset:
    """``train/posters-train-000000.tar`` and so on, as ``{000000..000041}`` in a shell or in ``webdataset`` names them.

    Each image is three members: ``<sha256>.jpg`` (or what else its original is), ``.cls``, the number of its label, and
    ``.json``, all that is known of it: the fields of :class:`Example`, sorted by name, absent ones null.
    """

    jpeg_only = False

    def __init__(self, header: Header) -> None:
        self._classes = {label: str(number).encode() for number, label in enumerate(header.labels)}

    def write_shard(self, shard: Shard, pictures: Iterable[tuple[Example, Encoded]], folder: Path) -> None:
        """One tar file, in the oldest format that all read; nobody owns its members, and none has a date."""
        file = folder / tar_name(shard.split, shard.number)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as tar:
            for example, picture in pictures:
                for extension, content in self._members(example, picture):
                    member = tarfile.TarInfo(f"{example.sha256}.{extension}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))

    def finish(self, lock: Lockfile, folder: Path) -> None:
        """Write the labels in the order of their numbers."""
        (folder / CLASSES).write_text("".join(f"{label}\n" for label in lock.header.labels), "utf-8", newline="\n")

    def _members(self, example: Example, picture: Encoded) -> Iterator[tuple[str, bytes]]:
        yield picture.extension, picture.data
        yield "cls", self._classes[example.label]
        yield "json", json.dumps(facts(example), sort_keys=True, ensure_ascii=False).encode()


def tar_name(split: str, number: int) -> str:
    """The name of a shard, under the folder of the dataset."""
    return f"{split}/posters-{split}-{number:06d}.tar"


def facts(example: Example) -> dict[str, Any]:
    """All that is known of an image, as JSON has it; times in ISO 8601."""
    known = {name: getattr(example, name) for name in COLUMNS.names}
    return known | {"fetched_at": example.fetched_at.isoformat()}
