from __future__ import annotations

import json
from pathlib import Path

from export_calls import lock_of, made
from export_world import ExportWorld
from PIL import Image


def test_annotations_of_each_split(tmp_path: Path) -> None:
    world = ExportWorld(tmp_path / "world", 30)
    out = tmp_path / "out"
    made(world, out, "json", split=(0.6, 0.2, 0.2), size=40, shard_images=4)
    world.close()
    examples = list(lock_of(out))
    categories = {"album_cover": 1, "poster": 2}
    number = 0
    for split in ("train", "validation", "test"):
        told = json.loads((out / "annotations" / f"{split}.json").read_text(encoding="utf-8"))
        assert {each["name"]: each["id"] for each in told["categories"]} == categories
        licences = {each["id"]: each["name"] for each in told["licenses"]}
        of = [example for example in examples if example.split == split]
        assert len(told["images"]) == len(told["annotations"]) == len(of)
        for image, annotation, example in zip(told["images"], told["annotations"], of, strict=True):
            number += 1
            assert image["id"] == annotation["id"] == annotation["image_id"] == number
            with Image.open(out / image["file_name"]) as picture:
                assert (image["width"], image["height"]) == picture.size
            assert annotation["bbox"] == [0, 0, image["width"], image["height"]]
            assert annotation["area"] == image["width"] * image["height"]
            assert annotation["category_id"] == categories[example.label]
            assert licences[image["license"]] == (example.licence or "unknown")
            assert (image["title"], image["year"], image["coco_url"]) == (example.title, example.year, example.url)
            assert image["genres"] == list(example.genres)
    assert number == 30
