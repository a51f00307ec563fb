"""Loading models: the shipped one works, and what does not fit together is refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import encode, picture

from models.classifier import ModelError
from models.decode import letterbox, read_rgb
from models.registry import WEIGHTS, known_models, load_model

REQUIRED = (
    "poster book_cover album_cover game_box card photo portrait film_still screenshot logo icon chart document meme"
    " product"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped model, to be spoilt."""
    return Path(shutil.copytree(WEIGHTS / "web-images", tmp_path / "web-images"))


def test_shipped_model() -> None:
    model = load_model("web-images")
    assert "web-images" in known_models()
    assert set(REQUIRED.split()) <= set(model.labels)
    assert len(model.hash) == 64
    batch = np.stack([letterbox(read_rgb(encode(picture(seed=n)), model.side), model.side) for n in range(3)])
    scores = model.predict(batch)
    assert scores.shape == (3, len(model.labels))
    assert scores.dtype == np.float32
    assert np.allclose(scores.sum(1), 1, atol=0.02)
    assert (WEIGHTS / "web-images" / "model.tflite").stat().st_size <= 6_000_000


def test_scores_do_not_depend_on_the_batch() -> None:
    model = load_model()
    batch = np.random.default_rng(1).integers(0, 256, (4, model.side, model.side, 3), np.uint8)
    assert (model.predict(batch)[2] == model.predict(batch[2:3])[0]).all()


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ModelError, match=r"no model 'web-image': give one of .*web-images"):
        load_model("web-image")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "model.tflite").write_bytes((f / "model.tflite").read_bytes()[:20_000]), "not a readable"),
        (lambda f: (f / "model.tflite").write_bytes(b""), "not a readable"),
        (lambda f: (f / "model.tflite").unlink(), "cannot read"),
        (lambda f: (f / "labels.txt").write_text("poster\nother\n"), "but 2 labels are listed"),
        (lambda f: (f / "labels.txt").write_text("poster\nposter\n"), "listed twice: poster"),
        (lambda f: (f / "labels.txt").write_text("\n"), "no labels"),
        (lambda f: (f / "labels.txt").unlink(), "cannot read labels"),
        (lambda f: (f / "model.toml").write_text("file = 'model.tflite'"), "expected the keys file and labels"),
        (lambda f: (f / "model.toml").write_text("]["), "expected the keys file and labels"),
    ],
)
def test_spoilt_model(folder: Path, spoil: object, message: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(folder))
    assert "\n" not in str(caught.value)
