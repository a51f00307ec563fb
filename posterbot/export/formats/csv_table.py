"""Pictures in one folder, and tables with a column for each genre: what courses on multi-label classification take.

``posters.csv`` has all images; ``train.csv``, ``validation.csv`` and ``test.csv`` have those of a split. The column
``img`` is the path of the picture; each genre has a column with 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from posterbot.export.example import Example
from posterbot.export.formats.cells import cell, line
from posterbot.export.formats.format import Encoded
from posterbot.export.formats.parts import parts, splits_of, write_part
from posterbot.export.lockfile import Header, Lockfile, Shard

IMG = "img"
ALL = "posters.csv"


class CsvTable:
    """See :class:`posterbot.export.formats.format.Format`."""

    jpeg_only = False

    def __init__(self, header: Header) -> None:
        self._genres = header.genres

    def write_shard(self, shard: Shard, pictures: Iterable[tuple[Example, Encoded]], folder: Path) -> None:
        """Write pictures, and leave their lines for the end."""

        def lines() -> Iterator[str]:
            for example, picture in pictures:
                path = write_picture(folder, example, picture)
                yield line([path, *(int(genre in example.genres) for genre in self._genres)])

        write_part(folder, shard, lines())

    def finish(self, lock: Lockfile, folder: Path) -> None:
        """Write the tables."""
        splits = splits_of(lock.shards)
        for name, of in {ALL: splits, **{f"{split}.csv": [split] for split in splits}}.items():
            with (folder / name).open("w", encoding="utf-8", newline="") as out:
                out.write(line([IMG, *(f"{genre} (genre)" if genre == IMG else cell(genre) for genre in self._genres)]))
                for split in of:
                    out.writelines(parts(folder, split))


def write_picture(folder: Path, example: Example, picture: Encoded) -> str:
    """Write a picture as ``images/aa/<sha256>.<ext>``; gives that path."""
    path = f"images/{example.sha256[:2]}/{example.sha256}.{picture.extension}"
    file = folder / path
    try:
        file.write_bytes(picture.data)
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture.data)
    return path
