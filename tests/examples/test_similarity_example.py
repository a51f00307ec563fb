"""The example runs: a small catalogue, an export of it, and an epoch. How well it learns is told in its README."""

from __future__ import annotations

import csv
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import encode, picture

from posterbot.catalogue.database import open_catalogue
from posterbot.export.export import export
from posterbot.export.options import Options

ROOT = Path(__file__).parents[2]


def numbers(line: str) -> list[float]:
    """The means of a row."""
    return [float(number) for number in re.findall(r"(\d\.\d{3}) \(", line)]


@pytest.mark.timeout(300)
def test_from_a_folder_of_posters_to_figures(tmp_path: Path) -> None:
    with (tmp_path / "index.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["path", "source", "imdb_id", "genres"])
        for number in range(24):
            (tmp_path / f"{number}.jpg").write_bytes(encode(picture(96, 144, number)))
            rows.writerow([f"{number}.jpg", "drawn", f"tt{number // 2:07}", ("Comedy", "Drama")[number % 4 // 2]])
        rows.writerow(["unknown.jpg", "drawn", "", ""])
    example = ROOT / "examples/similarity"
    load = runpy.run_path(str(example / "load.py"))["load"]
    catalogue, store = f"sqlite:///{tmp_path}/c.db", str(tmp_path / "images")
    assert load(tmp_path / "index.csv", catalogue, store) == 24
    assert load(tmp_path / "index.csv", catalogue, store) == 24  # again: nothing is there twice
    engine = open_catalogue(catalogue)
    options = Options("parquet", size=96, split=(0.5, 0.0, 0.5), pairs=True)
    assert sum(export(engine, store, options, str(tmp_path / "posters"), workers=1).images.values()) == 24
    engine.dispose()

    done = subprocess.run(
        [sys.executable, str(example / "train.py"), "posters", "--epochs", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = {line.split()[1]: numbers(line) for line in done.stdout.splitlines() if line.startswith("| ")}
    assert list(figures) == ["embedding", "trained", "backbone", "pixels", "chance"]
    assert all(
        len(row) == 5 and min(row) >= 0 and max(row) <= 1 for name, row in figures.items() if name != "embedding"
    )
    assert figures["pixels"][0] > 0.5 > figures["chance"][0]  # of 12 pictures without anything in common
    assert {file.name for file in (tmp_path / "trained").iterdir()} == {"embedder.keras", "figures.md", "sheet.jpg"}
    assert (tmp_path / "trained/sheet.jpg").read_bytes().startswith(b"\xff\xd8")
