"""Loading models: the shipped one works, and what does not fit together is refused in one line."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import encode, picture

from models.classifier import ModelError
from models.decode import letterbox, read_rgb
from models.fitting import Fit
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
    assert {"imagenet", "web-images"} <= set(known_models())
    assert model.fit is Fit.LETTERBOX
    weights = hashlib.sha256((WEIGHTS / "web-images" / "model.tflite").read_bytes()).hexdigest()
    assert len(model.hash) == 64
    assert model.hash != weights  # the temperature and the shape count as well
    assert model.dimensions == 1280
    assert pickle.loads(pickle.dumps(model)).hash == model.hash
    assert set(REQUIRED.split()) <= set(model.labels)
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


@pytest.mark.parametrize("name", ["web-image", "", "nowhere.tflite", "nowhere.keras", "\0"])
def test_unknown_name_lists_the_known(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"no model '.*': give one of .*web-images.*, or a folder with a model"):
        load_model(name)


def test_a_bare_file_needs_labels(folder: Path) -> None:
    file = folder / "model.tflite"
    (folder / "model.toml").unlink()
    assert load_model(str(file)).labels == load_model().labels
    (folder / "labels.txt").rename(folder / "model.labels.txt")
    assert load_model(str(file)).labels == load_model().labels
    (folder / "model.labels.txt").unlink()
    with pytest.raises(
        ModelError, match=r"has no labels, expected one a line in .*/model\.labels\.txt or .*/labels\.txt"
    ):
        load_model(str(file))


def test_a_curve_beside_the_model(folder: Path) -> None:
    (folder / "curve.json").unlink(missing_ok=True)
    assert load_model(str(folder)).curve is None
    (folder / "curve.json").write_text("{}")
    assert load_model(str(folder)).curve == folder / "curve.json"


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
        (lambda f: (f / "labels.txt").write_bytes(b"\xff\xfe"), "cannot read labels"),
        (lambda f: (f / "model.toml").write_text("file = 'model.tflite'"), "the key labels is missing"),
        (lambda f: (f / "model.toml").write_text("]["), "is not readable TOML"),
        (lambda f: (f / "model.toml").write_text("kind = 'taught'"), r"the key \w+ is missing"),
    ],
)
def test_spoilt_model(folder: Path, spoil: object, message: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(folder))
    assert "\n" not in str(caught.value)
