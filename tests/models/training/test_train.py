"""The whole way from a folder of pictures to a shipped model, in small, from the real ImageNet weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import encode, picture
from PIL import Image

from models.__main__ import cli
from models.decode import letterbox, read_rgb
from models.registry import load_model


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two labels that a network tells apart at a glance, from two sources each."""
    for number in range(160):
        label, source = ("poster", "logo")[number % 2], ("a", "b")[number // 2 % 2]
        image = picture(100, 150, seed=number) if label == "poster" else Image.new("RGB", (150, 60), (number, 255, 9))
        file = tmp_path / "data" / label / f"{label}-{source}__{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(image))
    return tmp_path / "data"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of some twenty small steps; most of its time goes into making graphs of each phase."""
    from models.training import batches, export, ship, train

    monkeypatch.setattr(batches, "BATCH", 16)
    monkeypatch.setattr(export, "REPRESENTATIVE", 32)
    monkeypatch.setattr(train, "AVERAGING", 0.5)
    monkeypatch.setattr(ship, "PHASES", (train.Phase("head", 64, 2, 1e-2, whole=False),))
    monkeypatch.setattr(ship, "LAST", train.Phase("all-sources", 64, 1, 1e-5))


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("short")
def test_train_ship_and_measure(real_data: Path, data: Path, tmp_path: Path) -> None:
    imagenet = real_data / "imagenet" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    out = tmp_path / "out"
    arguments = ["train", "web-images", "--data", data, "--imagenet", imagenet, "--out", out]
    done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output

    written = {"model.tflite", "labels.txt", "model.toml", "card.md", "curve.json", "training.jsonl"}
    assert written <= {file.name for file in out.iterdir()}
    log = [json.loads(line) for line in (out / "training.jsonl").read_text().splitlines()]
    assert [(row["phase"], row["epoch"]) for row in log] == [("head", 1), ("head", 2), ("all-sources", 1)]
    card = (out / "card.md").read_text()
    assert "## By held-out source" in card
    assert "has learned the held-out sources too" in card

    images = [picture(100, 150, seed=500), Image.new("RGB", (150, 60), (77, 255, 9))]
    for folder in (out, out / "measured"):
        model = load_model(str(folder))
        assert model.labels == ("comic_cover", "logo", "magazine", "poster")
        assert model.dimensions == 1280
        pixels = np.stack([letterbox(read_rgb(encode(image), model.side), model.side) for image in images])
        poster, logo = model.predict(pixels)[:, 3]
        assert poster > logo

    done = CliRunner().invoke(cli, ["evaluate", str(data), "--model", str(out / "measured"), "--held-out", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["ranking"]["average_precision"] > 0.9


@pytest.mark.usefixtures("short")
def test_a_finished_phase_is_not_trained_again(real_data: Path, data: Path, tmp_path: Path) -> None:
    from models.training.dataset import read_samples
    from models.training.train import Phase, fit, start

    imagenet = real_data / "imagenet" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    samples = read_samples(data)[:32]
    phase = Phase("head", 32, 1, 1e-2, whole=False)
    first, labels = start(samples, imagenet, seed=1)
    fit(first, labels, samples, [phase], tmp_path, seed=1)
    again, _ = start(samples, imagenet, seed=2)
    fit(again, labels, samples, [phase], tmp_path, seed=2)
    assert all((a == b).all() for a, b in zip(first.get_weights(), again.get_weights(), strict=True))
    assert len((tmp_path / "training.jsonl").read_text().splitlines()) == 1


def test_one_source_only_cannot_be_measured(tmp_path: Path) -> None:
    for label in ("poster", "logo"):
        (tmp_path / label).mkdir()
        (tmp_path / label / f"{label}-a__1.png").write_bytes(encode(picture(), "PNG"))
    file = tmp_path / "net.tflite"
    file.write_bytes(b"")
    arguments = ["train", "web-images", "--data", tmp_path, "--imagenet", file, "--out", tmp_path / "out"]
    done = CliRunner().invoke(cli, list(map(str, arguments)))
    assert done.exit_code == 1
    assert "every label has one source only" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nonsense"], "no model 'nonsense'"),
        (["--label", "nonsense"], "'nonsense' is not both a label of web-images and a folder"),
    ],
)
def test_measuring_what_cannot_be_measured(data: Path, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(cli, ["evaluate", str(data), *arguments])
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output


def test_dequantised_weights_know_the_goldfish(real_data: Path) -> None:
    """What ImageNet taught the file is in the Keras network: with the file's last layer, it names the photographs."""
    from models.training.backbone import build, kernels, load_imagenet

    file = real_data / "imagenet" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    photographs = [path for path in sorted((real_data / "imagenet").glob("n*.jpg")) if "tabby" not in path.name]
    pixels = np.stack([letterbox(read_rgb(path.read_bytes(), 224), 224) for path in photographs])
    network = build(2)
    load_imagenet(network, file)
    import keras

    embedding = np.asarray(keras.Model(network.input, network.get_layer("embedding").output)(pixels))
    assert embedding.shape == (4, 1280)
    kernel, bias = kernels(file)[-1]
    named = (embedding @ kernel.reshape(len(bias), -1).T + bias).argmax(1)
    labels = next((real_data / "imagenet").glob("*labels*.txt")).read_text().splitlines()
    for path, best in zip(photographs, named, strict=True):
        assert path.stem.split("_", 1)[1].replace("_", " ").lower() in labels[best].lower()


def test_another_network_is_refused(tmp_path: Path, real_data: Path) -> None:
    from models.registry import WEIGHTS
    from models.training.backbone import build, kernels, load_imagenet

    shipped = WEIGHTS / "web-images" / "model.tflite"
    assert len(kernels(shipped)) == 52  # without ImageNet's classifier
    with pytest.raises(ValueError, match=r"51 convolutions found, MobileNetV2 1\.0 has 52"):
        load_imagenet(build(2), shipped)
