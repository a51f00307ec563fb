"""Croissant metadata: valid, and enough to read a dataset by."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import mlcroissant
import pytest
from export.locks import HOSTILE, bytes_of, examples, write_lock

from posterbot.export.croissant import FILE, write_croissant
from posterbot.export.formats.formats import FORMATS
from posterbot.export.lockfile import COLUMNS, NAME, Lockfile
from posterbot.export.options import Options
from posterbot.export.pictures import prepare


def write(folder: Path, options: Options, rows: Any) -> Lockfile:
    """A dataset, without what only an export writes."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = write_lock(folder / NAME, rows, options)
    originals = {row.sha256: bytes_of(number) for number, row in enumerate(rows)}
    made = FORMATS[options.format]()(lock.header)
    for shard in lock.shards:
        read = lock.read(shard.index)
        pictures = ((row, prepare(originals[row.sha256], options, jpeg=made.jpeg_only)) for row in read)
        made.write_shard(shard, pictures, folder)
    made.finish(lock, folder)
    write_croissant(folder, lock)
    return lock


def valid(folder: Path) -> mlcroissant.Dataset:
    dataset = mlcroissant.Dataset(jsonld=folder / FILE)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings
    return dataset


@pytest.mark.parametrize("format", FORMATS)
def test_it_is_valid_and_its_records_can_be_read(format: str, tmp_path: Path) -> None:
    rows = examples(12)
    lock = write(tmp_path, Options(format, size=32), rows)
    dataset = valid(tmp_path)
    records = list(dataset.records("rows"))
    assert {name.removeprefix("rows/") for name in records[0]} == set(COLUMNS.names)
    assert [record["rows/sha256"].decode() for record in records] == [row.sha256 for row in lock]
    by_hash = {row.sha256: row for row in rows}
    for record in records:
        row = by_hash[record["rows/sha256"].decode()]
        assert record["rows/split"].decode() == row.split
        assert record["rows/url"].decode() == row.url
        assert [genre.decode() for genre in record["rows/genres"]] == list(row.genres)
        assert row.year is None or record["rows/year"] == row.year
    if format in {"webdataset", "tfrecord"}:
        return
    pictures = list(dataset.records("images"))
    assert {picture["images/sha256"].decode() for picture in pictures} == set(by_hash)
    assert all(max(picture["images/image"].size) == 32 for picture in pictures)


def test_what_it_says_of_files_is_true(tmp_path: Path) -> None:
    write(tmp_path, Options("imagefolder"), examples(9))
    said = json.loads((tmp_path / FILE).read_text())
    files = [each for each in said["distribution"] if each["@type"] == "cr:FileObject"]
    assert {file["contentUrl"] for file in files} == {
        NAME,
        *(f"{split}/metadata.csv" for split in ("train", "validation", "test")),
    }
    for file in files:
        assert file["sha256"] == hashlib.sha256((tmp_path / file["contentUrl"]).read_bytes()).hexdigest()
    assert said["datePublished"] == "2026-03-01"
    assert said["isLiveDataset"] is False


def test_texts_of_strangers_and_many_runs(tmp_path: Path) -> None:
    rows = examples(4, label=HOSTILE, source=HOSTILE, licence=HOSTILE, title=HOSTILE, genres=(HOSTILE,))
    for place in ("one", "other"):
        write(tmp_path / place, Options("parquet"), rows)
        valid(tmp_path / place)
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "other" / FILE).read_bytes()
    (record,) = [
        each for each in valid(tmp_path / "one").records("rows") if each["rows/sha256"].decode() == rows[0].sha256
    ]
    assert record["rows/title"].decode() == HOSTILE


def test_a_licence_that_all_have(tmp_path: Path) -> None:
    write(tmp_path, Options("csv"), examples(3, licence="CC BY 4.0"))
    assert valid(tmp_path).metadata.license == ["https://spdx.org/licenses/CC-BY-4.0.html"]
