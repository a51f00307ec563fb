"""``.tflite`` files of every pixel type answer as the network they were made from; what does not fit is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from networks import LABELS, PIXELS, SIDE, declared, expected, keras, network, tf, tflite

from models.classifier import ModelError
from models.registry import load_model


def test_float_pixels(tmp_path: Path) -> None:
    net = network(activation=None)
    file = tflite(tmp_path, net)
    model = load_model(str(file))
    raised = np.exp(expected(net))
    assert np.allclose(model.predict(PIXELS), raised / raised.sum(1, keepdims=True), atol=1e-5)
    model = load_model(declared(file, kind="tflite", range=[-1, 1], output="logits"))
    raised = np.exp(expected(net, low=-1))
    assert np.allclose(model.predict(PIXELS), raised / raised.sum(1, keepdims=True), atol=1e-5)
    assert (pickle.loads(pickle.dumps(model)).predict(PIXELS) == model.predict(PIXELS)).all()
    assert model.predict(PIXELS[:0]).shape == (0, len(LABELS))


@pytest.mark.parametrize("integers", [tf.uint8, tf.int8])
def test_quantised_pixels_and_scores(tmp_path: Path, integers: tf.DType) -> None:
    net = network()
    file = tflite(tmp_path, net, integers)
    scores = load_model(str(file)).predict(PIXELS)
    # It was measured with pixels from 0 to 1, so its zero is black and its steps are 1/255.
    assert np.allclose(scores, expected(net), atol=0.02)
    assert np.allclose(scores, load_model(declared(file, range=[0, 1])).predict(PIXELS), atol=0.01)
    half = load_model(declared(file, range=[0, 0.5])).predict(PIXELS)
    assert np.allclose(half, expected(net, high=0.5), atol=0.02)


def test_a_temperature_softens_probabilities(tmp_path: Path) -> None:
    net = network()
    model = load_model(declared(tflite(tmp_path, net), temperature=3, range=[0, 255]))
    softened = expected(net, high=255) ** (1 / 3)
    assert np.allclose(model.predict(PIXELS), softened / softened.sum(1, keepdims=True), atol=1e-4)


def test_any_side_may_be_declared(tmp_path: Path) -> None:
    net = network(side=None)
    file = tflite(tmp_path, net)
    model = load_model(declared(file, side=SIDE))
    assert np.allclose(model.predict(PIXELS), expected(net), atol=1e-5)
    with pytest.raises(ModelError, match="takes images of any size"):
        load_model(str(file))


def test_a_declared_side_must_be_that_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"takes \(any, 32, 32, 3\), but model\.toml declares side = 64"):
        load_model(declared(tflite(tmp_path, network()), side=64))


def three_outputs() -> keras.Model:
    net = network(embedding=True)
    return keras.Model(net.inputs, [*net.outputs, keras.layers.Dense(3)(net.outputs[0])])


@pytest.mark.parametrize(
    ("build", "keys", "message"),
    [
        (lambda: network(channels=1), {}, r"takes \(any, 32, 32, 1\), which is grayscale"),
        (lambda: network(labels=5), {}, "gives 5 scores, but 4 labels are listed; labels_offset = 1"),
        (lambda: network(activation=None), {"output": "probabilities"}, "does not give probabilities, as is declared"),
        (lambda: network(batch=4), {}, "takes 4 images at once, expected 1"),
        (three_outputs, {}, "gives 3 outputs, expected the scores, and perhaps an embedding"),
    ],
)
def test_networks_that_do_not_fit(
    tmp_path: Path, build: Callable[[], keras.Model], keys: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load_model(declared(tflite(tmp_path, build()), range=[0, 1], **keys))
    assert "\n" not in str(caught.value)
