"""The model ``imagenet``, on its real weights: it knows the five photos, and where its files come from."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from models.analysis import Analysis, analyse
from models.classifier import ModelError
from models.declaration import read_declaration, read_toml
from models.imagenet import PUBLISHED, read_classes
from models.registry import WEIGHTS, load_model

FILES = "mobilenet_v2_1.0_224_quant.tflite", "imagenet_labels.txt"


@pytest.fixture
def cache(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the downloaded files would be."""
    monkeypatch.setenv("POSTERBOT_MODELS", str(tmp_path))
    (tmp_path / "imagenet").mkdir()
    for name in FILES:
        (tmp_path / "imagenet" / name).symlink_to(real_data / "imagenet" / name)
    return tmp_path / "imagenet"


def test_five_photos(cache: Path, real_data: Path) -> None:
    model = load_model("imagenet")
    assert len(model.labels) == 1000
    assert (model.labels[0], model.labels[1]) == ("tench, Tinca tinca", "goldfish, Carassius auratus")
    assert pickle.loads(pickle.dumps(model)).hash == model.hash
    for file in sorted((real_data / "imagenet").glob("*.jpg")):
        (answer,) = analyse([file.read_bytes()], model)
        assert isinstance(answer, Analysis)
        assert answer.scores is not None
        assert 0.9 < answer.scores.sum() < 1.01
        likeliest = [model.labels[n].split(",")[0] for n in np.argsort(-answer.scores)[:2]]
        name = file.stem.partition("_")[2].replace("_", " ")
        assert name == likeliest[1 if name == "tabby" else 0]


def test_two_cranes_are_told_apart(cache: Path) -> None:
    labels = read_classes(cache / "imagenet_labels.txt")
    assert [label for label in labels if label.startswith("crane")] == ["crane (134)", "crane (517)"]
    assert len(set(labels)) == 1000


def test_what_is_published_are_these_files(real_data: Path) -> None:
    toml = WEIGHTS / "imagenet" / "model.toml"
    weights = read_declaration(toml, read_toml(toml)).download
    assert weights is not None
    for name, published in zip(FILES, (weights, PUBLISHED), strict=True):
        content = (real_data / "imagenet" / name).read_bytes()
        assert published.url.endswith(f"/{name}")
        assert (published.bytes, published.sha256) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(("lines", "message"), [(999, "999 labels, expected 1000"), (1001, "1001 labels")])
def test_a_wrong_list_of_classes(tmp_path: Path, lines: int, message: str) -> None:
    (tmp_path / "l.txt").write_text("background\n" + "".join(f"{n}\n" for n in range(lines)))
    with pytest.raises(ModelError, match=message):
        read_classes(tmp_path / "l.txt")
