"""The lockfile: one Parquet file that says what a dataset consists of, image by image, and how it was chosen.

It is the plan from which an export is written and from which it can be made again elsewhere. A row group is a shard;
the shards of a split follow each other. The header is JSON in the file's own metadata. Neither has a time or a place of
the moment when it was written, so the same choice gives the same bytes (with the same version of pyarrow).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from posterbot.export.example import Example
from posterbot.export.options import Options

NAME = "posterbot.lock.parquet"
"""In the folder of an export."""
FORMAT = 1
_KEY = b"posterbot"
_TEXT, _WORDS = pa.string(), pa.list_(pa.string())

COLUMNS = pa.schema(
    [
        pa.field("sha256", _TEXT, nullable=False),
        pa.field("path", _TEXT, nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("format", _TEXT, nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("phash", _TEXT),
        pa.field("split", _TEXT, nullable=False),
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("url", _TEXT, nullable=False),
        pa.field("page_url", _TEXT, nullable=False),
        pa.field("source", _TEXT, nullable=False),
        pa.field("alt", _TEXT, nullable=False),
        pa.field("fetched_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("label", _TEXT, nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("policy", pa.int32(), nullable=False),
        pa.field("model", _TEXT, nullable=False),
        pa.field("model_hash", _TEXT, nullable=False),
        pa.field("film", _TEXT),
        pa.field("films", _WORDS, nullable=False),
        pa.field("title", _TEXT),
        pa.field("year", pa.int32()),
        pa.field("genres", _WORDS, nullable=False),
        pa.field("confidence", pa.float64()),
        pa.field("copies", _TEXT),
        pa.field("variants", _TEXT),
        pa.field("licence", _TEXT),
        pa.field("ml_allowed", pa.bool_()),
        pa.field("redistributable", pa.bool_()),
        pa.field("attribution", _TEXT),
        pa.field("terms_url", _TEXT),
    ]
)
"""The fields of :class:`Example`, in their order."""

_LISTS = ("films", "genres")


class LockfileError(ValueError):
    """The file is no lockfile that can be read; ``str()`` is one line."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy by which images of the dataset were kept."""

    number: int
    labels: tuple[str, ...]
    threshold: float
    top: int | None
    model: str
    model_hash: str


@dataclass(frozen=True, slots=True)
class Source:
    """A host or list, its terms as they were recorded, and how many of the dataset's images are from it."""

    name: str
    images: int
    ml_allowed: bool | None
    redistributable: bool | None
    attribution: str | None
    max_age_days: int | None
    terms_url: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """How the images were chosen."""

    options: Options
    version: str
    """Of posterbot."""
    labels: tuple[str, ...]
    """Of the images, sorted: the classes of formats that have such. A class's number is its place here."""
    genres: tuple[str, ...]
    """The same of genres."""
    rules: tuple[Rule, ...]
    sources: tuple[Source, ...]
    """Those with most images first."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Kept images that are not in it: why → how many."""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Shard:
    """A row group of the lockfile."""

    index: int
    """Of the row group."""
    split: str
    number: int
    """Within the split, from 0."""
    of: int
    """Shards of the split."""
    images: int


class LockWriter:
    """Writes a lockfile, shard by shard; whole only when it was closed without an error."""

    def __init__(self, file: Path, header: Header) -> None:
        about = json.dumps(asdict(header), sort_keys=True, ensure_ascii=False)
        self._writer = pq.ParquetWriter(file, COLUMNS.with_metadata({_KEY: about}), compression="zstd")

    def __enter__(self) -> LockWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, examples: Sequence[Example]) -> None:
        """One shard: all of one split and with one number."""
        columns = {name: [getattr(example, name) for example in examples] for name in COLUMNS.names}
        table = pa.Table.from_pydict(columns, schema=COLUMNS)
        self._writer.write_table(table, row_group_size=max(len(examples), 1))


class Lockfile:
    """A lockfile that is read; a shard at a time is in memory.

    Raises:
        LockfileError: ``file`` cannot be read, or is something else, or is of a newer posterbot.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._parquet = pq.ParquetFile(file)
            schema = self._parquet.schema_arrow
            about = json.loads((schema.metadata or {})[_KEY])
            if about["format"] > FORMAT:
                raise LockfileError(f"{file} was written by a newer posterbot ({about['version']}); upgrade posterbot")
            self.header = _header(about)
            if schema.names != COLUMNS.names:
                raise LockfileError(f"{file}: its columns are not those of a lockfile")
            self.shards = self._shards()
        except OSError as error:
            raise LockfileError(f"cannot read lockfile {file}: {error.strerror or error}") from None
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            if isinstance(error, LockfileError):
                raise
            raise LockfileError(f"{file} is no lockfile of posterbot; give {NAME} of an export") from None

    @property
    def images(self) -> int:
        """In all shards."""
        return int(self._parquet.metadata.num_rows)

    def read(self, shard: int) -> list[Example]:
        """The images of the shard with this index."""
        return [_example(row) for row in self._parquet.read_row_group(shard).to_pylist()]

    def __iter__(self) -> Iterator[Example]:
        for shard in self.shards:
            yield from self.read(shard.index)

    def _shards(self) -> tuple[Shard, ...]:
        found: list[tuple[str, int, int]] = []
        for index in range(self._parquet.num_row_groups):
            group = self._parquet.read_row_group(index, columns=["split", "shard"])
            found.append((group["split"][0].as_py(), group["shard"][0].as_py(), group.num_rows))
        of = {split: sum(each == split for each, _, _ in found) for split, _, _ in found}
        return tuple(
            Shard(index, split, number, of[split], images) for index, (split, number, images) in enumerate(found)
        )


def _example(row: dict[str, Any]) -> Example:
    for name in _LISTS:
        row[name] = tuple(row[name])
    row["fetched_at"] = row["fetched_at"].astimezone(UTC)
    return Example(**row)


def _header(about: dict[str, Any]) -> Header:
    options: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in about["options"].items()
    }
    known = {each.name for each in fields(Options)}
    return Header(
        options=Options(**{name: value for name, value in options.items() if name in known}),
        version=about["version"],
        labels=tuple(about["labels"]),
        genres=tuple(about["genres"]),
        rules=tuple(Rule(**(rule | {"labels": tuple(rule["labels"])})) for rule in about["rules"]),
        sources=tuple(Source(**source) for source in about["sources"]),
        left_out=about["left_out"],
        format=about["format"],
    )
