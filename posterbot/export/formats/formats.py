"""The formats by name; what one of them needs is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posterbot.export.formats.format import Format


def _imagefolder() -> type[Format]:
    from posterbot.export.formats.imagefolder import ImageFolder

    return ImageFolder


def _webdataset() -> type[Format]:
    from posterbot.export.formats.webdataset import WebDataset

    return WebDataset


def _tfrecord() -> type[Format]:
    from posterbot.export.formats.tfrecord import TFRecord

    return TFRecord


def _parquet() -> type[Format]:
    from posterbot.export.formats.parquet import ParquetTable

    return ParquetTable


def _csv() -> type[Format]:
    from posterbot.export.formats.csv_table import CsvTable

    return CsvTable


def _json() -> type[Format]:
    from posterbot.export.formats.coco import Coco

    return Coco


FORMATS: dict[str, Callable[[], type[Format]]] = {
    "imagefolder": _imagefolder,
    "webdataset": _webdataset,
    "tfrecord": _tfrecord,
    "parquet": _parquet,
    "csv": _csv,
    "json": _json,
}
"""Name → what imports its class."""
