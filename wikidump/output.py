"""The rows of all shards, settled by the File: pages of all shards, as one file."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from wikidump.licence import settle
from wikidump.rows import FilePage, Row
from wikidump.units import read_shard

FORMATS = (".jsonl", ".parquet")
BATCH = 10_000
"""Rows in one group of a Parquet file."""

Files = dict[str, dict[str, FilePage]]
"""By wiki and name."""


def rows_of(shards: Iterable[tuple[str, int]]) -> Iterator[Row]:
    """The rows as they lie in the shards (folder, number), in order."""
    for folder, number in shards:
        for kind, *content in read_shard(folder, number):
            if kind == "row":
                given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content[0].items()}
                yield Row(**given)


def files_of(shards: list[tuple[str, int]]) -> Files:
    """The File: pages of the files that the rows name, and of those that these were moved to."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in rows_of(shards):
        if row.image_status == "ok" and row.image_name is not None:
            wanted[row.wiki].add(row.image_name)
    found: Files = defaultdict(dict)
    while any(wanted.values()):
        moved: dict[str, set[str]] = defaultdict(set)
        for folder, number in shards:
            for kind, wiki, *content in read_shard(folder, number):
                if kind == "file" and content[0] in wanted[wiki] and content[0] not in found[wiki]:
                    page = FilePage(*content)
                    found[wiki][page.name] = page
                    if page.target is not None and page.target not in found[wiki]:
                        moved[wiki].add(page.target)
        wanted = moved
    return found


def settled(rows: Iterable[Row], files: Files, whole: set[str]) -> Iterator[Row]:
    """The rows with what the File: pages say. That a file has none says something only of a wiki in ``whole``."""
    for row in rows:
        known = files.get(row.wiki, {})
        yield settle(row, known) if row.wiki in whole or row.image_name in known else row


@contextmanager
def writer(out: Path) -> Iterator[Callable[[Row], None]]:
    """Call what this gives with each row. The file appears at the end, whole, and not at all after an error.

    Raises:
        OSError: it cannot be written.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with (_parquet if out.suffix == ".parquet" else _jsonl)(temporary) as write:
            yield write
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _jsonl(path: Path) -> Iterator[Callable[[Row], None]]:
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        yield lambda row: print(json.dumps(row.as_dict(), ensure_ascii=False), file=file)


@contextmanager
def _parquet(path: Path) -> Iterator[Callable[[Row], None]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = dict.fromkeys(("page_id", "rev_id"), pa.int64()) | {"year": pa.int16()}
    types |= dict.fromkeys(("directors", "countries", "languages", "genres"), pa.list_(pa.string()))
    schema = pa.schema([(field.name, types.get(field.name, pa.string())) for field in fields(Row)])
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(path, schema) as file:

        def flush() -> None:
            file.write_table(pa.Table.from_pylist(rows, schema))
            rows.clear()

        def write(row: Row) -> None:
            rows.append(row.as_dict())
            if len(rows) == BATCH:
                flush()

        yield write
        flush()
