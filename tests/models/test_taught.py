"""Taught models: a head on an embedding scores, travels to other processes, and is refused where it does not fit."""

from __future__ import annotations

import functools
import io
import pickle
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from models.classifier import Classifier, ModelError
from models.registry import load_model
from models.taught import Head

DIMENSIONS = 24


@functools.cache
def tiny_network(seed: int = 3, embeds: bool = True) -> bytes:
    """A .tflite file with random weights: scores of two labels, and an embedding."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    pixels = keras.Input((32, 32, 3), batch_size=1, dtype="uint8")
    scaled = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    convolved = keras.layers.Conv2D(DIMENSIONS, 5, strides=2, activation="relu")(scaled)
    embedding = keras.layers.GlobalAveragePooling2D()(convolved)
    scores = keras.layers.Dense(2, activation="softmax")(embedding)
    with tempfile.TemporaryDirectory() as folder:
        keras.Model(pixels, [scores, embedding] if embeds else scores).export(
            folder, format="tf_saved_model", verbose=False
        )
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def make_base(folder: Path) -> Path:
    """A model folder with the tiny file in it."""
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(tiny_network())
    (folder / "labels.txt").write_text("this\nthat\n")
    (folder / "model.toml").write_text('name = "tiny"\nfile = "model.tflite"\nlabels = "labels.txt"\n')
    return folder


def make_head(labels: int = 3) -> Head:
    rng = np.random.default_rng(5)
    return Head(
        rng.normal(size=(DIMENSIONS, labels)).astype(np.float32),
        rng.normal(size=labels).astype(np.float32),
        rng.normal(size=DIMENSIONS).astype(np.float32),
        rng.uniform(0.1, 2, DIMENSIONS).astype(np.float32),
        np.array(1.7, np.float32),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A taught model on the tiny base beside it."""
    base = make_base(tmp_path / "base")
    taught = tmp_path / "taught"
    taught.mkdir()
    (taught / "head.npz").write_bytes(make_head().to_bytes())
    (taught / "labels.txt").write_text("cat\ndog\nother\n")
    (taught / "model.toml").write_text(
        f'kind = "taught"\nname = "pets"\nbase = "{base}"\nbase_hash = "{load_model(str(base)).hash}"\n'
        'head = "head.npz"\nlabels = "labels.txt"\n'
    )
    return taught


@pytest.fixture
def model(folder: Path) -> Classifier:
    return load_model(str(folder))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 32, 32, 3), np.uint8)


def test_it_is_softmax_of_a_linear_map_of_the_standardised_embedding(
    folder: Path, model: Classifier, pixels: np.ndarray
) -> None:
    base, head = load_model(str(folder.parent / "base")), make_head()
    assert (model.embed(pixels) == base.embed(pixels)).all()
    assert model.dimensions == DIMENSIONS
    assert (model.name, model.labels, model.side, model.fit) == ("pets", ("cat", "dog", "other"), 32, base.fit)
    logits = ((base.embed(pixels) - head.mean) / head.scale) @ head.weights + head.bias
    raised = np.exp(logits / 1.7)
    scores = model.predict(pixels)
    assert scores.dtype == np.float32
    assert np.allclose(scores, raised / raised.sum(1, keepdims=True), atol=1e-6)


def test_scores_do_not_depend_on_the_batch(model: Classifier, pixels: np.ndarray) -> None:
    assert (model.predict(pixels)[2] == model.predict(pixels[2:3])[0]).all()


def test_it_travels(model: Classifier, pixels: np.ndarray) -> None:
    travelled = pickle.loads(pickle.dumps(model))
    assert travelled.hash == model.hash
    assert (travelled.predict(pixels) == model.predict(pixels)).all()
    assert len(pickle.dumps(model)) < 1000  # the names of files, not weights


def test_the_hash_covers_head_and_base(folder: Path, model: Classifier) -> None:
    assert len(model.hash) == 64
    head = make_head()
    (folder / "head.npz").write_bytes(replace(head, bias=head.bias + np.float32(0.5)).to_bytes())
    other_head = load_model(str(folder))
    (folder / "head.npz").write_bytes(head.to_bytes())
    assert load_model(str(folder)).hash == model.hash
    (folder.parent / "base" / "model.tflite").write_bytes(tiny_network(seed=4))
    other = load_model(str(folder.parent / "base")).hash
    toml = folder / "model.toml"
    toml.write_text(
        "\n".join(f'base_hash = "{other}"' if "base_hash" in s else s for s in toml.read_text().split("\n"))
    )
    assert len({model.hash, other_head.hash, load_model(str(folder)).hash}) == 3


def test_the_curve_is_found(folder: Path, model: Classifier) -> None:
    assert model.curve is None
    (folder / "curve.json").write_text("{}")
    assert load_model(str(folder)).curve == folder / "curve.json"


def test_heads_are_kept_to_the_bit() -> None:
    head = make_head()
    back = Head.from_bytes(head.to_bytes())
    for field in fields(Head):
        assert (getattr(back, field.name) == getattr(head, field.name)).all()
    assert back.to_bytes() == head.to_bytes()


def spoilt(**arrays: object) -> bytes:
    """A head with other arrays, as NumPy itself would save it."""
    buffer = io.BytesIO()
    kept = {field.name: getattr(make_head(), field.name) for field in fields(Head)} | arrays
    np.savez(buffer, **{name: np.asarray(array) for name, array in kept.items() if array is not None})  # type: ignore[arg-type]
    return buffer.getvalue()


def nan(length: int) -> np.ndarray:
    return np.full(length, np.nan, np.float32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (make_head().to_bytes()[:900], "not a readable .npz file"),
        (b"", "not a readable .npz file"),
        (b"\x93NUMPY", "not a readable .npz file"),
        (b"weights", "not a readable .npz file"),
        (spoilt(scale=None), "expected the arrays weights, bias, mean, scale, temperature"),
        (spoilt(mean=np.array([{}], object)), "not a readable .npz file .*allow_pickle"),
        (spoilt(mean=nan(DIMENSIONS)), "mean holds NaN"),
        (spoilt(temperature=np.float32(np.inf)), "temperature holds NaN or infinite"),
        (spoilt(temperature=np.float32(0)), "scale and temperature must be above 0"),
        (spoilt(scale=np.zeros(DIMENSIONS, np.float32)), "scale and temperature must be above 0"),
        (spoilt(weights=np.ones((3, DIMENSIONS), np.float32)), r"weights is .*\(3, 24\), expected float32 \(24, 3\)"),
        (spoilt(bias=np.float32(1)), r"weights is float32 \(24, 3\), expected"),
        (spoilt(scale=np.float32(1)), r"scale is float32 \(\), expected float32 \(24,\)"),
        (spoilt(weights=np.ones((DIMENSIONS, 3))), "weights is float64"),
        (make_head(labels=2).to_bytes(), "gives 2 scores, but 3 labels are listed"),
        (
            spoilt(
                weights=np.ones((7, 3), np.float32), mean=np.ones(7, np.float32), scale=np.ones(7, np.float32)
            ),
            "takes 7 features, .* gives 24",
        ),
    ],
)  # fmt: skip
def test_spoilt_heads(folder: Path, content: bytes, message: str) -> None:
    (folder / "head.npz").write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(folder))
    assert "model pets: " in str(caught.value)
    assert "\n" not in str(caught.value)


def edit(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "head.npz").unlink(), "model pets: cannot read"),
        (lambda f: (f / "labels.txt").write_text("cat\ncat\ndog\n"), "listed twice: cat"),
        (lambda f: edit(f / "model.toml", "head = ", "had = "), "key head is missing"),
        (lambda f: edit(f / "model.toml", "name = ", "side = 3\nname = "), "unknown key side"),
        (lambda f: edit(f / "model.toml", 'head = "head.npz"', "head = 3"), "head = 3, expected a text"),
        (lambda f: edit(f / "model.toml", f"{f.parent / 'base'}", str(f)), "pets cannot be its own base"),
        (lambda f: edit(f / "model.toml", f"{f.parent / 'base'}", "pets"), "pets cannot be its own base"),
        (lambda f: edit(f / "model.toml", "/base", "/bass"), "was taught on .*/bass, which cannot be loaded: no model"),
        (
            lambda f: (f.parent / "base/model.tflite").write_bytes(tiny_network(seed=4)),
            "was taught on .*/base [0-9a-f]{12}, but .*/base is now [0-9a-f]{12}: teach it again .*train pets --from",
        ),
    ],
)
def test_spoilt_folders(folder: Path, spoil: object, message: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(folder))
    assert "\n" not in str(caught.value)
