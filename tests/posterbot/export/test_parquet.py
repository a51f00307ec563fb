from __future__ import annotations

import hashlib
import io
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from dataset_rows import LABELS, contents, export, rows
from PIL import Image

from posterbot.export.example import Example
from posterbot.export.formats.parquet import ROW_GROUP, ParquetTable
from posterbot.export.options import Options


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The ``datasets`` package, which asks nobody, and keeps what it makes in the test's own folder."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    import datasets

    datasets.disable_progress_bars()
    return lambda folder: datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


def test_load_dataset_gives_pictures_and_names(tmp_path: Path, offline: Any) -> None:
    export(ParquetTable, Options("parquet", size=64), tmp_path / "out")
    found = offline(tmp_path / "out")
    assert {split: len(found[split]) for split in found} == {"train": 3, "test": 2}
    assert found["train"].features["label"].names == list(LABELS)
    for split in found:
        for row, (example, _) in zip(found[split], [each for each in rows() if each[0].split == split], strict=True):
            assert isinstance(row["image"], Image.Image)
            assert max(row["image"].size) <= 64
            assert LABELS[row["label"]] == example.label
            for field in fields(Example):
                if field.name != "label":
                    value = getattr(example, field.name)
                    assert row[field.name] == (list(value) if isinstance(value, tuple) else value), field.name


def test_originals_keep_their_bytes(tmp_path: Path) -> None:
    export(ParquetTable, Options("parquet"), tmp_path)
    images = pq.read_table(tmp_path / "data/train-00000-of-00002.parquet", columns=["image", "sha256"]).to_pylist()
    assert [row["image"]["bytes"] for row in images] == [data for _, data in rows()[:2]]
    assert [hashlib.sha256(row["image"]["bytes"]).hexdigest() for row in images] == [row["sha256"] for row in images]
    assert [row["image"]["path"] for row in images] == [f"{images[0]['sha256']}.jpg", f"{images[1]['sha256']}.png"]


def test_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(ParquetTable, Options("parquet", size=64), tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_shards_are_numbered_as_on_the_hub(tmp_path: Path) -> None:
    export(ParquetTable, Options("parquet", size=64), tmp_path)
    names = {"train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-00000-of-00001.parquet"}
    assert {file.name for file in (tmp_path / "data").iterdir()} == names


def test_row_groups_are_small(tmp_path: Path) -> None:
    example, data = rows()[0]
    many = [(replace(example, sha256=f"{number:064x}"), data) for number in range(2 * ROW_GROUP + 1)]
    export(ParquetTable, Options("parquet", size=8), tmp_path, many)
    file = pq.ParquetFile(tmp_path / "data/train-00000-of-00001.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [100, 100, 1]
    picture = file.read_row_group(2)["image"][0].as_py()
    assert Image.open(io.BytesIO(picture["bytes"])).size == (5, 8)


def test_row_groups_of_large_pictures_are_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posterbot.export.formats.parquet.ROW_GROUP_BYTES", 10_000)
    example, data = rows()[0]
    many = [(replace(example, sha256=f"{number:064x}"), data) for number in range(9)]
    export(ParquetTable, Options("parquet"), tmp_path, many)
    metadata = pq.ParquetFile(tmp_path / "data/train-00000-of-00001.parquet").metadata
    counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert sum(counts) == 9
    assert max(counts) * len(data) < 10_000 + len(data)
