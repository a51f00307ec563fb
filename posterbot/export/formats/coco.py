"""JSON as COCO has it (https://cocodataset.org/#format-data): ``annotations/train.json``, and pictures in ``images/``.

Each image has one annotation: its label as category, over the whole picture. The numbers of images count through the
dataset. Fields that COCO does not know tell of the film and of where the image was found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from posterbot.export.example import Example
from posterbot.export.formats.csv_table import write_picture
from posterbot.export.formats.format import Encoded
from posterbot.export.formats.parts import parts, splits_of, write_part
from posterbot.export.lockfile import Header, Lockfile, Shard

UNKNOWN = "unknown"
"""The first of the licences."""


class Coco:
    """See :class:`posterbot.export.formats.format.Format`."""

    jpeg_only = False

    def __init__(self, header: Header) -> None:
        self._header = header
        self._category = {label: number for number, label in enumerate(header.labels, 1)}

    def write_shard(self, shard: Shard, pictures: Iterable[tuple[Example, Encoded]], folder: Path) -> None:
        """Write pictures, and leave what is to be said of them for the end."""

        def lines() -> Iterator[str]:
            for example, picture in pictures:
                path = write_picture(folder, example, picture)
                yield json.dumps(self._said(example, picture, path)) + "\n"

        write_part(folder, shard, lines())

    def finish(self, lock: Lockfile, folder: Path) -> None:
        """Write ``annotations/<split>.json``, line by line."""
        splits = splits_of(lock.shards)
        names = {json.loads(said)["license"] for split in splits for said in parts(folder, split)} - {None}
        licences: dict[str | None, int] = {None: 0} | {name: number for number, name in enumerate(sorted(names), 1)}
        (folder / "annotations").mkdir(parents=True, exist_ok=True)
        begin = 1
        for split in splits:
            with (folder / "annotations" / f"{split}.json").open("w", encoding="utf-8") as out:
                begin = self._write(out, folder, split, licences, begin)

    def _write(self, out: IO[str], folder: Path, split: str, licences: dict[str | None, int], begin: int) -> int:
        info = {"description": f"posterbot, {split}", "version": self._header.version, "contributor": "posterbot"}
        listed = [{"id": number, "name": name or UNKNOWN, "url": ""} for name, number in licences.items()]
        categories = [
            {"id": number, "name": label, "supercategory": "image"} for label, number in self._category.items()
        ]
        out.write(f'{{"info": {json.dumps(info)},\n"licenses": {json.dumps(listed)},\n')
        out.write(f'"categories": {json.dumps(categories)},\n"images": [\n')
        number = begin
        for number, said in enumerate(parts(folder, split), begin):
            image = json.loads(said)
            del image["category_id"]
            image = {"id": number} | image | {"license": licences[image["license"]]}
            out.write((",\n" if number > begin else "") + json.dumps(image))
        out.write('\n],\n"annotations": [\n')
        for number, said in enumerate(parts(folder, split), begin):
            image = json.loads(said)
            out.write((",\n" if number > begin else "") + json.dumps(_annotation(number, image)))
        out.write("\n]}\n")
        return number + 1

    def _said(self, example: Example, picture: Encoded, path: str) -> dict[str, Any]:
        return {
            "file_name": path,
            "width": picture.width,
            "height": picture.height,
            "license": example.licence,
            "coco_url": example.url,
            "date_captured": example.fetched_at.strftime("%Y-%m-%d %H:%M:%S"),
            "category_id": self._category[example.label],
            "score": example.score,
            "film": example.film,
            "title": example.title,
            "year": example.year,
            "genres": example.genres,
            "source": example.source,
            "page_url": example.page_url,
            "alt": example.alt,
            "attribution": example.attribution,
            "copies": example.copies,
            "variants": example.variants,
        }


def _annotation(number: int, image: dict[str, Any]) -> dict[str, Any]:
    width, height = image["width"], image["height"]
    return {
        "id": number,
        "image_id": number,
        "category_id": image["category_id"],
        "bbox": [0, 0, width, height],
        "area": width * height,
        "iscrowd": 0,
    }
