"""``.keras`` files, SavedModels and TensorFlow Hub: they answer as TensorFlow does, or are refused in one line."""

from __future__ import annotations

import io
import pickle
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Answer, Site, encode, picture
from networks import LABELS, PIXELS, SIDE, declared, expected, keras, keras_file, labelled, network, saved_model

from models.classifier import ModelError
from models.registry import load_model
from models.scorer import Scorer

SAVE = [keras_file, saved_model]
NUMBERS = "".join(f"class {number}\n" for number in range(1000))


@pytest.mark.parametrize("save", SAVE)
def test_a_bare_network_with_labels_beside_it(tmp_path: Path, save: Callable[..., Path]) -> None:
    net = network()
    model = load_model(str(save(tmp_path, net)))
    assert (model.name, model.labels, model.side, model.dimensions, model.curve) == ("net", LABELS, SIDE, 0, None)
    scores = model.predict(PIXELS)
    assert scores.dtype == np.float32
    assert np.allclose(scores, expected(net), atol=1e-6)
    assert np.allclose(model.predict(PIXELS[:1]), scores[:1], atol=1e-6)


def test_labels_named_after_the_file_come_first(tmp_path: Path) -> None:
    file = keras_file(tmp_path, network())
    (tmp_path / "net.labels.txt").write_text("a\nb\nc\nd\n")
    assert load_model(str(file)).labels == ("a", "b", "c", "d")


@pytest.mark.parametrize("save", SAVE)
def test_what_is_declared_is_used(tmp_path: Path, save: Callable[..., Path]) -> None:
    net = network(activation=None, labels=len(LABELS) + 1)
    folder = declared(save(tmp_path, net), name="mine", range=[-1, 1], labels_offset=1, temperature=2.0, fit="stretch")
    model = load_model(folder)
    raised = np.exp(expected(net, low=-1) / 2)
    assert np.allclose(model.predict(PIXELS), (raised / raised.sum(1, keepdims=True))[:, 1:], atol=1e-5)
    assert (model.name, model.labels, model.fit) == ("mine", LABELS, "stretch")


def test_range_is_read_from_a_rescaling_layer_or_the_pixel_type(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = network(rescaling=True)
    assert np.allclose(load_model(str(keras_file(tmp_path, net))).predict(PIXELS), expected(net, high=255), atol=1e-6)
    net = network(rescaling=True, dtype="uint8")
    assert np.allclose(load_model(str(saved_model(tmp_path, net))).predict(PIXELS), expected(net, high=255), atol=1e-6)
    assert "in which range" not in caplog.text
    load_model(str(keras_file(tmp_path, network())))
    assert "takes float pixels and does not say in which range: taking 0–1" in caplog.text


def test_any_side_may_be_declared(tmp_path: Path) -> None:
    net = network(side=None)
    file = keras_file(tmp_path, net)
    with pytest.raises(ModelError, match=r"takes images of any size, expected side = PIXELS"):
        load_model(str(file))
    model = load_model(declared(file, side=SIDE))
    assert np.allclose(model.predict(PIXELS), expected(net), atol=1e-6)


def test_a_batch_of_one_and_a_second_output(tmp_path: Path) -> None:
    net = network(batch=1, embedding=True)
    model = load_model(str(keras_file(tmp_path, net)))
    assert model.dimensions == 8
    for row, features, scores in zip(PIXELS, model.embed(PIXELS), model.predict(PIXELS), strict=True):
        pooled, right = net(row[np.newaxis] / np.float32(255))
        assert np.allclose(features, pooled[0], atol=1e-5)
        assert np.allclose(scores, right[0], atol=1e-5)


def test_the_hash_is_over_the_weights_and_their_use(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "a", network())
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    first = load_model(str(folder))
    assert load_model(str(tmp_path / "b/net")).hash == first.hash
    assert pickle.loads(pickle.dumps(first)).hash == first.hash
    assert load_model(declared(folder, range=[0, 255])).hash != first.hash
    assert load_model(str(saved_model(tmp_path / "c", network(labels=4, activation=None)))).hash != first.hash


def test_scored_in_a_process_of_its_own(tmp_path: Path) -> None:
    model = load_model(str(saved_model(tmp_path, network())))
    scorer = Scorer(model, workers=1)
    scores = scorer.submit(encode(picture())).result(100).scores
    scorer.close()
    assert scores is not None
    assert scores.shape == (len(LABELS),)
    assert scores.sum() == pytest.approx(1, abs=1e-4)


def test_the_registry_does_not_import_tensorflow() -> None:
    program = "import sys, models.registry; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2]).returncode == 0


def damaged() -> keras.Model:
    net = network()
    weights = net.get_weights()
    weights[-2][0, 1] = np.nan
    net.set_weights(weights)
    return net


def one_pixel_wide() -> keras.Model:
    pixels = keras.Input((0, 0, 3))
    return keras.Model(pixels, keras.layers.Dense(4, "softmax")(keras.layers.GlobalAveragePooling2D()(pixels)))


def map_of_scores() -> keras.Model:
    pixels = keras.Input((SIDE, SIDE, 3))
    return keras.Model(pixels, keras.layers.Conv2D(4, 3, activation="softmax")(pixels))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: network(channels=1), r"takes \(any, 32, 32, 1\), which is grayscale, expected RGB"),
        (lambda: network(channels=4), r"takes \(any, 32, 32, 4\), which is RGB with alpha, expected RGB"),
        (lambda: network(labels=7), "gives 7 scores, but 4 labels are listed$"),
        (lambda: network(labels=5), "gives 5 scores, but 4 labels are listed; labels_offset = 1"),
        (
            lambda: network(activation="sigmoid"),
            "gives neither probabilities nor logits: a grey image scored .* in sum",
        ),
        (damaged, "answers NaN, expected numbers"),
        (one_pixel_wide, r"takes \(any, 0, 0, 3\), an image of no size"),
        (map_of_scores, r"answers \(2, 30, 30, 4\) to 2 images, expected \(N, scores\)"),
    ],
)
def test_networks_that_do_not_fit(tmp_path: Path, build: Callable[[], keras.Model], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(keras_file(tmp_path, build())))
    assert "\n" not in str(caught.value)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_damaged_files(tmp_path: Path) -> None:
    file = keras_file(tmp_path, network())
    cut(file)
    with pytest.raises(ModelError, match=r"net\.keras is not a readable \.keras file \(damaged or cut short\)"):
        load_model(str(file))
    for name in ("saved_model.pb", "variables/variables.data-00000-of-00001"):
        folder = saved_model(tmp_path / name, network())
        cut(folder / name)
        with pytest.raises(ModelError, match="net is not a readable SavedModel") as caught:
            load_model(str(folder))
        assert "\n" not in str(caught.value)


def test_code_in_a_keras_file_is_not_run(tmp_path: Path) -> None:
    pixels = keras.Input((SIDE, SIDE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Lambda(lambda values: values * 2)(pixels))
    with pytest.raises(ModelError, match=r"is not a readable \.keras file"):
        load_model(str(keras_file(tmp_path, keras.Model(pixels, keras.layers.Dense(4, "softmax")(pooled)))))


def publish(site: Site, path: str, folder: Path) -> str:
    """``folder`` as TensorFlow Hub gives it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, arcname=".")
    site[f"{path}?tf-hub-format=compressed"] = Answer(buffer.getvalue(), "application/gzip")
    return site.url + path


def test_an_address_of_tensorflow_hub(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSTERBOT_MODELS", str(tmp_path / "cache"))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    net = network(labels=1001, activation=None)
    address = publish(site, "/google/net/1", saved_model(tmp_path / "big", net))
    (tmp_path / "cache/imagenet").mkdir(parents=True)
    (tmp_path / "cache/imagenet/imagenet_labels.txt").write_text("background\n" + NUMBERS)
    model = load_model(address)
    assert (model.name, len(model.labels), model.labels[7]) == (address, 1000, "class 7")
    raised = np.exp(expected(net))
    assert np.allclose(model.predict(PIXELS), (raised / raised.sum(1, keepdims=True))[:, 1:], atol=1e-6)
    assert pickle.loads(pickle.dumps(model)).hash == load_model(address).hash == model.hash
    assert len(site.asked) == 1  # kept
    said = capfd.readouterr().err
    assert said == f"downloading {address} (TensorFlow Hub does not say how large it is) to {tmp_path}/cache/hub\n"

    small = publish(site, "/google/small/1", saved_model(tmp_path / "small", network()))
    with pytest.raises(ModelError, match=r"gives 4 scores and names no labels: write a model\.toml with this address"):
        load_model(small)
    folder = labelled(tmp_path / "declared")
    (folder / "model.toml").write_text(f'file = "{small}"\nlabels = "labels.txt"\nrange = [0, 1]\n')
    assert load_model(str(folder)).labels == LABELS
    with pytest.raises(ModelError, match=r"cannot download .*/gone/1 \(HTTP Error 404") as caught:
        load_model(site.url + "/gone/1")
    assert "\n" not in str(caught.value)
