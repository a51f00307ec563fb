from __future__ import annotations

import csv
from pathlib import Path

from export_calls import lock_of, made
from export_world import ExportWorld
from PIL import Image


def test_img_and_a_column_for_each_genre(tmp_path: Path) -> None:
    world = ExportWorld(tmp_path / "world", 24)
    out = tmp_path / "out"
    made(world, out, "csv", split=(0.6, 0.0, 0.4), size=40, fit="stretch", shard_images=5)
    world.close()
    lock = lock_of(out)
    tables = {}
    for name in ("posters", "train", "test"):
        with (out / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            tables[name] = list(csv.DictReader(file))
    assert not (out / "validation.csv").exists()
    assert tables["posters"] == tables["train"] + tables["test"]
    assert lock.header.genres == ("Comedy", "Drama", "Horror", "Science Fiction")
    for row, example in zip(tables["posters"], lock, strict=True):
        assert row.pop("img") == f"images/{example.sha256[:2]}/{example.sha256}.jpg"
        assert row == {genre: str(int(genre in example.genres)) for genre in lock.header.genres}
        with Image.open(out / f"images/{example.sha256[:2]}/{example.sha256}.jpg") as picture:
            assert picture.size == (40, 40)
    assert [example.split for example in lock] == ["train"] * len(tables["train"]) + ["test"] * len(tables["test"])
