"""Parquet with the pictures in it, as the Hub has them and ``datasets.load_dataset`` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from posterbot.export.example import Example
from posterbot.export.formats.format import Encoded
from posterbot.export.lockfile import COLUMNS, Header, Lockfile, Shard

ROW_GROUP = 100
"""Images that are read together: as ``datasets`` writes them; small enough for a picture at random, and to stream."""
ROW_GROUP_BYTES = 64_000_000
"""Of pictures, after which a row group ends before that: originals can be large."""
_PICTURE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
_HUB_NAMES = {"double": "float64"}
"""What ``datasets`` calls otherwise than Arrow."""


class ParquetTable:
    """``data/train-00000-of-00004.parquet`` and so on: one row for each image.

    Columns: ``image``, a struct of ``bytes`` and the file name ``path``; ``label``, a number whose names are in the
    schema's metadata; and all other fields of :class:`Example` as the lockfile has them. Libraries of Hugging Face
    make pictures and class names of the first two.
    """

    jpeg_only = False

    def __init__(self, header: Header) -> None:
        self._classes = {label: number for number, label in enumerate(header.labels)}
        self._schema = _schema(header.labels)
        self._names = [name for name in self._schema.names if name not in {"image", "label"}]

    def write_shard(self, shard: Shard, pictures: Iterable[tuple[Example, Encoded]], folder: Path) -> None:
        """One file, of which a row group is in memory."""
        file = folder / parquet_name(shard)
        file.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(
            file, self._schema, compression="zstd", use_dictionary=self._names, write_statistics=self._names
        ) as writer:
            for rows in _row_groups(pictures):
                writer.write_table(self._table(rows))

    def finish(self, lock: Lockfile, folder: Path) -> None:
        """Nothing is left to tell: each file has the names of the labels."""

    def _table(self, rows: Iterable[tuple[Example, Encoded]]) -> Any:
        columns: dict[str, list[Any]] = {name: [] for name in self._schema.names}
        for example, picture in rows:
            columns["image"].append({"bytes": picture.data, "path": f"{example.sha256}.{picture.extension}"})
            columns["label"].append(self._classes[example.label])
            for name in self._names:
                columns[name].append(getattr(example, name))
        return pa.Table.from_pydict(columns, schema=self._schema)


def parquet_name(shard: Shard) -> str:
    """The name of a shard, under the folder of the dataset."""
    return f"data/{shard.split}-{shard.number:05d}-of-{shard.of:05d}.parquet"


def _row_groups(pictures: Iterable[tuple[Example, Encoded]]) -> Iterator[list[tuple[Example, Encoded]]]:
    rows, size = [], 0
    for row in pictures:
        rows.append(row)
        size += len(row[1].data)
        if len(rows) == ROW_GROUP or size >= ROW_GROUP_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _schema(labels: tuple[str, ...]) -> Any:
    fields = [pa.field("image", _PICTURE), pa.field("label", pa.int64())]
    fields += [field for field in COLUMNS if field.name != "label"]
    features = {field.name: _feature(field.type) for field in fields}
    features |= {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": list(labels)}}
    about = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return pa.schema(fields, metadata={"huggingface": about})


def _feature(kind: Any) -> dict[str, Any]:
    if pa.types.is_list(kind):
        # A word that releases before 4 know as well as those since, which write List.
        return {"_type": "Sequence", "feature": _feature(kind.value_type)}
    return {"_type": "Value", "dtype": _HUB_NAMES.get(str(kind), str(kind))}
