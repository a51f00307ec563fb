"""TFRecord: as the trainer smellslikeml/image-similarity-metric-learning reads it, or with all that is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from posterbot.export.example import Example
from posterbot.export.formats.format import Encoded
from posterbot.export.formats.tf_example import Values, example, write_record
from posterbot.export.lockfile import COLUMNS, Header, Lockfile, Shard

LABELS = "labels.txt"
"""What the numbers in ``label`` mean, one a line, counted from 0."""
COUNTS = "records.json"
"""Records of each split (``TRAIN_SIZE`` of that trainer), images, and how many of those are in no record."""


class TFRecord:
    """``posters_train-000.tfrecords`` and so on, ``posters_validation-…``, ``posters_test-…``.

    Each record is a ``tf.train.Example`` with ``label``, an integer, ``image``, the bytes of a JPEG, and ``filename``.
    As that trainer's own writer does, an image is written once for each of its genres, whose numbers are the labels,
    and one without genres not at all. With ``options.rich`` each image is written once, ``label`` is the number of its
    label, and all fields of :class:`Example` are there as well.
    """

    jpeg_only = True

    def __init__(self, header: Header) -> None:
        self._rich = header.options.rich
        self._numbers = {name: number for number, name in enumerate(header.labels if self._rich else header.genres)}

    def write_shard(self, shard: Shard, pictures: Iterable[tuple[Example, Encoded]], folder: Path) -> None:
        """One file; it is empty where no image has a genre."""
        with (folder / tfrecord_name(shard.split, shard.number)).open("wb") as file:
            for row, picture in pictures:
                for features in self._features(row):
                    name = f"{row.sha256}.{picture.extension}".encode()
                    write_record(file, example(features | {"image": [picture.data], "filename": [name]}))

    def finish(self, lock: Lockfile, folder: Path) -> None:
        """Write what the numbers mean, and how many records there are."""
        names = lock.header.labels if lock.header.options.rich else lock.header.genres
        (folder / LABELS).write_text("".join(f"{' '.join(name.split())}\n" for name in names), "utf-8", newline="\n")
        (folder / COUNTS).write_text(json.dumps(_counts(lock), indent=2) + "\n", "utf-8", newline="\n")

    def _features(self, row: Example) -> Iterator[dict[str, Values]]:
        if not self._rich:
            for genre in row.genres:
                yield {"label": [self._numbers[genre]]}
            return
        known = {name: _values(getattr(row, name)) for name in COLUMNS.names}
        yield known | {"label": [self._numbers[row.label]], "label_name": [row.label.encode()]}


def tfrecord_name(split: str, number: int) -> str:
    """The name of a shard; the trainer takes every file whose name has ``train``, or ``test``, in it."""
    return f"posters_{split}-{number:03d}.tfrecords"


def _counts(lock: Lockfile) -> dict[str, dict[str, int]]:
    rich, counts = lock.header.options.rich, dict[str, dict[str, int]]()
    for batch in pq.ParquetFile(lock.file).iter_batches(columns=["split", "genres"]):
        genres = pc.list_value_length(batch["genres"])
        for split in pc.unique(batch["split"]).to_pylist():
            of = genres.filter(pc.equal(batch["split"], split))
            known = counts.setdefault(split, {"images": 0, "records": 0, "left_out": 0})
            known["images"] += len(of)
            known["records"] += len(of) if rich else pc.sum(of).as_py()
            known["left_out"] += 0 if rich else pc.sum(pc.equal(of, 0)).as_py()
    return counts


def _values(value: Any) -> Values:
    """As TensorFlow has it: text as bytes, a time as ISO 8601, yes and no as 1 and 0, what is not known as no value."""
    if value is None:
        return []
    if isinstance(value, tuple):
        return [each.encode() for each in value]
    if isinstance(value, str):
        return [value.encode()]
    if isinstance(value, int | float):
        return [value]
    return [value.isoformat().encode()]
