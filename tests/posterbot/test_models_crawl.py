"""Crawls with models that people bring: ImageNet's labels by name and number, top-k, and a measured threshold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import Site, encode, picture
from crawling import crawl

from models.registry import WEIGHTS

PHOTOS = ["n01443537_goldfish", "n02123045_tabby", "n02504458_African_elephant", "n03063599_coffee_mug"]
PHOTOS.append("n04487081_trolleybus")


@pytest.fixture
def photos(site: Site, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A page with five photos; what ``imagenet`` would download is there already."""
    cache = tmp_path / "models"
    monkeypatch.setenv("POSTERBOT_MODELS", str(cache))
    (cache / "imagenet").mkdir(parents=True)
    for name in ("mobilenet_v2_1.0_224_quant.tflite", "imagenet_labels.txt"):
        (cache / "imagenet" / name).symlink_to(real_data / "imagenet" / name)
    for name in PHOTOS:
        site.image(f"/{name}.jpg", (real_data / "imagenet" / f"{name}.jpg").read_bytes())
    site.page("/", "".join(f'<p><img src="/{name}.jpg" alt="{name}">' for name in PHOTOS))
    return site


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["labels=goldfish", "top=1"], ["goldfish"]),
        (["labels=1, Coffee mug", "threshold=0.9"], ["coffee_mug", "goldfish"]),
        (["labels=tabby", "top=2"], ["tabby"]),
    ],
)
def test_imagenet_keeps_what_is_asked_for_and_drops_the_rest(
    photos: Site, tmp_path: Path, arguments: list[str], kept: list[str]
) -> None:
    words = [word for argument in ["model=imagenet", *arguments] for word in ("-a", argument)]
    done = crawl(tmp_path, "-a", f"start={photos.url}/", *words)
    assert done.code == 0, done.output
    assert "downloading" not in done.output
    seen = done.sightings()
    assert {s.model for s in seen} == {"imagenet"}
    assert [len(s.scores) for s in seen] == [1000] * 5
    assert sorted(s.alt.partition("_")[2] for s in seen if s.verdict == "kept") == kept
    assert {s.reason for s in seen if s.verdict == "dropped"} == {"not_relevant"}
    assert sum(file.is_file() for file in done.store.rglob("*")) == len(kept)


def test_an_ambiguous_label_is_one_line_and_code_2(photos: Site, tmp_path: Path) -> None:
    done = crawl(tmp_path, "-a", f"start={photos.url}/", "-a", "model=imagenet", "-a", "labels=panda")
    assert done.code == 2
    assert "label 'panda' may be 387 (lesser panda, " in done.output
    assert len(done.output.strip().splitlines()) == 1, done.output


def test_the_threshold_of_a_recall_is_said_and_recorded(site: Site, tmp_path: Path) -> None:
    site.image("/a.png", encode(picture(), "PNG"), "image/png")
    site.page("/", '<img src="/a.png">')
    folder = Path(shutil.copytree(WEIGHTS / "web-images", tmp_path / "mine"))
    curve = {"images": 1000, "prevalence": 0.5, "passing": [900, 500, 400], "precision": [0.5, 0.9, 1.0]}
    rows = {"poster": curve | {"recall": [1.0, 0.98, 0.7]}}
    (folder / "curve.json").write_text(json.dumps({"thresholds": [0.1, 0.35, 0.9], "labels": rows}))
    done = crawl(tmp_path, "-a", f"start={site.url}/", "-a", f"model={folder}", "-a", "threshold=recall=0.95")
    assert done.code == 0, done.output
    assert "threshold recall=0.95 is 0.35 for poster" in done.output
    table = done.output[done.output.index("policy  run  threshold") :].splitlines()
    assert table[1].split()[:4] == ["1", "1", "0.35", "poster"]
