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


@pytest.mark.timeout(300)
def test_train_ship_and_measure(real_data: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.training import train

    monkeypatch.setattr(train, "BATCH", 16)
    monkeypatch.setattr(train, "AVERAGING", 0.5)  # there are thirty steps in all
    phases = (train.Phase("head", 64, 2, 1e-2, whole=False), train.Phase("small", 64, 1, 1e-4))
    monkeypatch.setattr(train, "PHASES", phases)
    imagenet = real_data / "imagenet" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    arguments = [
        "train",
        "web-images",
        "--data",
        str(data),
        "--imagenet",
        str(imagenet),
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output

    out = tmp_path / "out"
    assert {file.name for file in out.iterdir()} == {
        "model.tflite", "labels.txt", "model.toml", "card.md", "training.jsonl",
    }  # fmt: skip
    log = [json.loads(line) for line in (out / "training.jsonl").read_text().splitlines()]
    assert [(row["phase"], row["epoch"]) for row in log] == [("head", 1), ("head", 2), ("small", 1)]
    assert "## By held-out source" in (out / "card.md").read_text()

    model = load_model(str(out))
    assert model.labels == ("logo", "poster")
    images = [picture(100, 150, seed=500), Image.new("RGB", (150, 60), (77, 255, 9))]
    pixels = np.stack([letterbox(read_rgb(encode(image), model.side), model.side) for image in images])
    poster, logo = model.predict(pixels)[:, 1]
    assert poster > logo

    done = CliRunner().invoke(cli, ["evaluate", str(data), "--model", str(out), "--held-out", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["ranking"]["average_precision"] > 0.9


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


def test_restored_weights_know_the_goldfish(real_data: Path) -> None:
    """De-quantised and with BatchNorm restored, the network still sees what ImageNet taught it."""
    from models.training.backbone import _kernels, build, load_imagenet

    files = sorted((real_data / "imagenet").glob("n*.jpg"))
    pixels = np.stack([letterbox(read_rgb(file.read_bytes(), 224), 224) for file in files])
    network = build(2)
    load_imagenet(network, real_data / "imagenet" / "tf2_mobilenet_v2_1.0_224_ptq.tflite", pixels)
    import keras

    embedding = keras.Model(network.input, network.get_layer("embedding").output)
    still, moving = (np.asarray(embedding(pixels, training=training)) for training in (False, True))
    assert still.shape == (5, 1280)
    assert np.corrcoef(still.ravel(), moving.ravel())[0, 1] > 0.9
    assert len(_kernels(real_data / "imagenet" / "tf2_mobilenet_v2_1.0_224_ptq.tflite")) == 52
