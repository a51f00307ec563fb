"""``model.toml``: every key is understood or refused, in one line that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.classifier import ModelError
from models.declaration import PLAIN, Declaration, Kind, Output, Usage, read_declaration, read_toml
from models.download import Download
from models.fitting import Fit

LEAST = 'file = "net.tflite"\nlabels = "labels.txt"\n'


def read(folder: Path, text: str) -> Declaration:
    file = folder / "model.toml"
    file.write_text(text)
    return read_declaration(file, read_toml(file))


def test_the_least_there_can_be(tmp_path: Path) -> None:
    assert read(tmp_path, LEAST) == Declaration(tmp_path.name, Kind.TFLITE, "net.tflite", "labels.txt", PLAIN, None)


@pytest.mark.parametrize(("file", "kind"), [("a.keras", Kind.KERAS), ("a.TFLITE", Kind.TFLITE), ("a", Kind.SAVEDMODEL)])
def test_the_kind_is_read_from_the_file_name(tmp_path: Path, file: str, kind: Kind) -> None:
    assert read(tmp_path, f'file = "{file}"\nlabels = "l"').kind is kind


def test_every_key(tmp_path: Path) -> None:
    declared = read(
        tmp_path,
        'name = "mine"\nkind = "keras"\nfile = "weights"\nlabels = "imagenet"\nside = 96\nrange = [-1, 1.0]\n'
        'fit = "crop"\noutput = "logits"\nlabels_offset = 1\ntemperature = 2\n'
        '[download]\nurl = "http://host/weights"\nbytes = 5\nsha256 = "ab"\n',
    )
    usage = Usage(96, (-1.0, 1.0), Fit.CROP, Output.LOGITS, 1, 2.0)
    download = Download("http://host/weights", 5, "ab")
    assert declared == Declaration("mine", Kind.KERAS, "weights", "imagenet", usage, download)
    assert len(usage.identity("weights")) == 64
    assert PLAIN.identity("weights") == "weights"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("][", r"is not readable TOML: "),
        ("name = 'x'", "the key file is missing"),
        ("file = 'x'", "the key labels is missing"),
        (LEAST + "rnage = [0, 1]", "unknown key rnage, expected .*range"),
        (LEAST + "file = ''", "is not readable TOML"),
        ("file = ''\nlabels = 'l'", "file = '', expected a text"),
        ("file = 'x'\nlabels = ['a', 'b']", r"labels = \['a', 'b'\], expected a text"),
        (LEAST + "kind = 'onnx'", "kind = 'onnx', expected one of tflite, keras, savedmodel"),
        (LEAST + "side = 0", "side = 0, expected a whole number from 1 to 2048"),
        (LEAST + "side = 22.4", "side = 22.4, expected a whole number"),
        (LEAST + "side = true", "side = True, expected a whole number"),
        (LEAST + "range = [1, 0]", r"range = \[1, 0\], expected two numbers such as \[0, 1\]"),
        (LEAST + "range = [0, inf]", "expected two numbers"),
        (LEAST + "range = 'float'", "expected two numbers"),
        (LEAST + "fit = 'squash'", "expected one of letterbox, crop, stretch"),
        (LEAST + "output = 'softmax'", "expected one of probabilities, logits"),
        (LEAST + "labels_offset = -1", "expected a whole number from 0"),
        (LEAST + "temperature = 0", "temperature = 0, expected a number above 0"),
        (LEAST + "temperature = nan", "expected a number above 0"),
        (LEAST + "download = 'http://x'", "expected a table"),
        (LEAST + "[download]\nurl = 'http://x'\nbytes = 1", "the key sha256 is missing"),
        (LEAST + "[download]\nurl = 'http://x'\nsha256 = 'a'", "the key bytes is missing"),
        ("file = 'https://tfhub.dev/x/1'\nlabels = 'l'\nkind = 'keras'", 'an address is of kind "savedmodel"'),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "model.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / "model.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="is not readable TOML"):
        read_toml(tmp_path / "model.toml")
