from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from export_calls import lock_of, made
from export_world import ExportWorld, bytes_of, sha256_of
from hypothesis import given
from hypothesis import strategies as st

from posterbot.export.formats.cells import LONGEST, cell, folder_name, line
from posterbot.export.formats.imagefolder import COLUMNS


def test_as_datasets_loads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    world = ExportWorld(tmp_path / "world", 24)
    out = tmp_path / "out"
    made(world, out, "imagefolder", split=(0.6, 0.2, 0.2), shard_images=5)
    world.close()
    loaded: Any = datasets.load_dataset("imagefolder", data_dir=str(out), cache_dir=str(tmp_path / "cache"))
    truth = {example.sha256: example for example in lock_of(out)}
    found = {split: [row["copies"] for row in loaded[split].remove_columns("image")] for split in loaded}
    assert {split: len(rows) for split, rows in found.items()} == {
        split: sum(example.split == split for example in truth.values()) for split in ("train", "validation", "test")
    }
    assert found["train"] == [example.copies for example in truth.values() if example.split == "train"]
    row = loaded["train"][0]
    example = next(iter(truth.values()))
    assert row["image"].size == (example.width, example.height)
    assert (row["label"], row["source"], row["url"]) == (example.label, example.source, example.url)
    left_out = {"file_name", "genres"}  # in one split there are none
    assert set(loaded["train"].column_names) == {"image", *COLUMNS} - left_out


def test_files_and_their_lines(tmp_path: Path) -> None:
    world = ExportWorld(tmp_path / "world", 24)
    out = tmp_path / "out"
    made(world, out, "imagefolder", shard_images=5)
    world.close()
    with (out / "train/metadata.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["file_name"]: row for row in csv.DictReader(file)}
    files = {str(file.relative_to(out / "train")) for file in (out / "train").rglob("*") if file.suffix != ".csv"}
    assert set(rows) == {name for name in files if (out / "train" / name).is_file()}
    assert (out / f"train/poster/{sha256_of(4)}.png").read_bytes() == bytes_of(4)
    said = rows[f"poster/{sha256_of(4)}.png"]
    assert said["title"] == '\'=HYPERLINK("http://evil.example")'
    assert (said["film"], said["year"], said["genres"]) == ("tmdb:1", "1921.0", "Drama")
    assert rows[f"poster/{sha256_of(3)}.jpg"]["alt"] == "'@SUM(1) poster 3"
    assert rows[f"poster/{sha256_of(6)}.jpg"]["title"] == "Line break and   bell"


@given(st.text())
def test_no_cell_is_a_formula_or_a_second_line(text: str) -> None:
    safe = cell(text)
    assert not safe.startswith(("=", "+", "-", "@"))
    assert len(line([safe]).splitlines()) <= 1 or "\n" not in safe
    assert len(safe) <= LONGEST + 1
    assert list(csv.reader([line([safe, 1])])) == [[safe, "1"]]


@given(st.text(min_size=1), st.text(min_size=1))
def test_folders_of_labels(one: str, other: str) -> None:
    name = folder_name(one)
    assert name.strip()
    assert not set(name) & set("/\\\0\n:")
    assert not name.startswith(".")
    assert Path("/a", name).resolve().parent == Path("/a")
    if one.strip() == one and other.strip() == other and one != other:
        assert name != folder_name(other)


def test_a_label_of_a_stranger_stays_below(tmp_path: Path) -> None:
    from posterbot.export.formats.imagefolder import ImageFolder
    from posterbot.export.lockfile import Lockfile

    world = ExportWorld(tmp_path / "world", 2)
    made(world, tmp_path / "out", "imagefolder")
    world.close()
    header = replace(Lockfile(tmp_path / "out/posterbot.lock.parquet").header, labels=("../../evil",))
    assert ImageFolder(header)._folders == {"../../evil": "%2E%2E%2F%2E%2E%2Fevil"}
