"""Lists of URLs: one a line, or the rows of a table. Rows of ``wikidump`` keep what they say of each image."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from posterbot.catalogue.records import Claim

COLUMNS = ("url", "alt", "title", "image_status", *(field.name for field in fields(Claim) if field.name != "list"))
"""What is read of a table; other columns are passed over."""

_LARGEST = 2**53
"""Up to here a float holds every whole number; those of pages and revisions are far below."""


class ListError(ValueError):
    """A list cannot be read, or not to its end; one line."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list of URLs; ``text`` describes the image, where the list does.

    ``claim`` is there for rows that say which article of which wiki names the image.
    """

    url: str
    text: str = ""
    claim: Claim | None = None


def read_urls(file: Path) -> Iterator[Listed | None]:
    """Rows of a list of URLs: ``.csv``, ``.jsonl`` or ``.parquet`` with a column ``url``, else one URL a line.

    ``alt`` or ``title`` becomes the row's text. None stands for a row that names no image: without a URL, or with an
    ``image_status`` other than ``ok``; lists of films have those.

    Raises:
        ListError: missing, unreadable, or without a column ``url``.
    """
    name = file.resolve().as_uri()
    try:
        for row in _rows(file):
            if "url" not in row:
                raise ListError(f"urls: {file} has no column 'url' (found: {', '.join(map(str, row)) or 'nothing'})")
            url = str(row["url"] or "").strip()
            if not url or _text(row.get("image_status")) not in {"", "ok"}:
                yield None
            else:
                yield Listed(url, _text(row.get("alt")) or _text(row.get("title")), _claim(row, name))
    except OSError as error:
        raise ListError(f"urls: cannot read {file}: {error.strerror or error}") from None
    except (ValueError, csv.Error, RecursionError) as error:
        if isinstance(error, ListError):
            raise
        raise ListError(f"urls: {file} is not a readable {file.suffix or 'text'} file: {error}") from None


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    kind = file.suffix.lower()
    if kind == ".parquet":
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(file) as table:
            names = [name for name in COLUMNS if name in table.schema_arrow.names]
            if "url" not in names:
                yield dict.fromkeys(table.schema_arrow.names)
            for batch in table.iter_batches(1000, columns=names):
                yield from batch.to_pylist()
        return
    with file.open(encoding="utf-8-sig", newline="" if kind == ".csv" else None) as lines:
        if kind == ".csv":
            yield from csv.DictReader(lines)
        elif kind in {".jsonl", ".ndjson"}:
            for line in lines:
                if line.strip():
                    row = json.loads(line)
                    yield row if isinstance(row, dict) else {}
        else:
            yield from ({"url": line.strip()} for line in lines if line.strip() and not line.startswith("#"))


def _claim(row: dict[str, Any], name: str) -> Claim | None:
    wiki, title = _text(row.get("wiki")), _text(row.get("title"))
    if not wiki or not title:
        return None
    return Claim(
        list=name,
        wiki=wiki,
        title=title,
        page_id=_number(row.get("page_id")),
        rev_id=_number(row.get("rev_id")),
        template=_text(row.get("template")) or None,
        kind=_text(row.get("kind")) or None,
        image_name=_text(row.get("image_name")) or None,
        repository=_text(row.get("repository")) or None,
        licence=_text(row.get("licence")) or None,
        year=_number(row.get("year")),
        directors=_texts(row.get("directors")),
        countries=_texts(row.get("countries")),
        languages=_texts(row.get("languages")),
        genres=_texts(row.get("genres")),
        imdb_id=_text(row.get("imdb_id")) or None,
        dump_date=_text(row.get("dump_date")) or None,
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _texts(value: Any) -> tuple[str, ...]:
    """A list of texts; a table of plain text has it as one."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(text for each in values if (text := _text(each)))


def _number(value: Any) -> int | None:
    """A whole number; other programs write it as ``1995.0`` where some rows have none."""
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= _LARGEST else None
