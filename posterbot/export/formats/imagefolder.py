"""Pictures in folders of their labels, as ``datasets.load_dataset("imagefolder", data_dir=…)`` reads them.

``train/poster/<sha256>.jpg``, and ``train/metadata.csv`` with a line for each.

``datasets`` guesses the type of a column in each split from its first 10,000 lines, and refuses splits whose guesses
differ. So years are written as ``1927.0``, a number with gaps and without, and a column of texts that one split
would not show to be such is in none; the lockfile has it all the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from posterbot.export.example import Example
from posterbot.export.formats.cells import cell, folder_name, line
from posterbot.export.formats.format import Encoded
from posterbot.export.formats.parts import parts, splits_of, write_part
from posterbot.export.lockfile import Header, Lockfile, Shard

COLUMNS = (
    "file_name",
    "label",
    "score",
    "film",
    "title",
    "year",
    "genres",
    "width",
    "height",
    "copies",
    "variants",
    "source",
    "url",
    "page_url",
    "alt",
    "licence",
    "attribution",
)
"""Of ``metadata.csv``. Genres are joined by ``|``; sizes are those of the picture written."""
GUESSED_FROM = 10_000
"""Lines by which ``datasets`` guesses."""
_NUMBERS = {"score", "year", "width", "height"}
# What pandas takes for a gap, in lower case.
_GAPS = {"", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "na", "nan"}
_GAPS |= {"none", "null"}


class ImageFolder:
    """See :class:`posterbot.export.formats.format.Format`."""

    jpeg_only = False

    def __init__(self, header: Header) -> None:
        self._folders = {label: folder_name(label) for label in header.labels}

    def write_shard(self, shard: Shard, pictures: Iterable[tuple[Example, Encoded]], folder: Path) -> None:
        """Write pictures, and leave their lines for the end."""
        for name in self._folders.values():
            (folder / shard.split / name).mkdir(parents=True, exist_ok=True)

        def lines() -> Iterator[str]:
            for example, picture in pictures:
                name = f"{self._folders[example.label]}/{example.sha256}.{picture.extension}"
                (folder / shard.split / name).write_bytes(picture.data)
                yield line(_row(name, example, picture))

        write_part(folder, shard, lines())

    def finish(self, lock: Lockfile, folder: Path) -> None:
        """Write ``metadata.csv`` of each split."""
        splits = splits_of(lock.shards)
        columns = _columns(folder, splits)
        for split in splits:
            (folder / split).mkdir(parents=True, exist_ok=True)
            with (folder / split / "metadata.csv").open("w", encoding="utf-8", newline="") as out:
                out.write(line([COLUMNS[place] for place in columns]))
                for row in csv.reader(parts(folder, split)):
                    out.write(line([row[place] for place in columns]))


def _columns(folder: Path, splits: Iterable[str]) -> list[int]:
    """Places of the columns of which the same is guessed in all splits."""
    guesses: list[set[str]] = [set() for _ in COLUMNS]
    for split in splits:
        rows = csv.reader(islice(parts(folder, split), GUESSED_FROM))
        found: list[set[str]] = [set() for _ in COLUMNS]
        for row in rows:
            for place, text in enumerate(row):
                found[place].add(_guess(text))
        for place, of in enumerate(found):
            guesses[place].add("text" if "text" in of else "gap" if of == {"gap"} else "number")
    return [place for place, name in enumerate(COLUMNS) if name in _NUMBERS or guesses[place] in ({"text"}, {"gap"})]


def _guess(text: str) -> str:
    if text.lower() in _GAPS:
        return "gap"
    if text.lower() in {"true", "false"}:
        return "number"
    try:
        float(text)
    except ValueError:
        return "text"
    return "number"


def _row(name: str, example: Example, picture: Encoded) -> list[object]:
    return [
        name,
        cell(example.label),
        example.score,
        example.film,
        cell(example.title),
        None if example.year is None else float(example.year),
        cell("|".join(example.genres)),
        picture.width,
        picture.height,
        example.copies,
        example.variants,
        cell(example.source),
        cell(example.url),
        cell(example.page_url),
        cell(example.alt),
        cell(example.licence),
        cell(example.attribution),
    ]
