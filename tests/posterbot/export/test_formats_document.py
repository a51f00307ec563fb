"""The code in docs/formats.md reads what is exported."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from dataset_rows import export, rows

from posterbot.export.example import Example
from posterbot.export.formats.formats import FORMATS
from posterbot.export.options import Options

DOCUMENT = (Path(__file__).parents[3] / "docs/formats.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.M | re.S))


def code(section: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", SECTIONS[section], re.M | re.S)


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Exports, runs all code of a section in that folder, and gives the names that it leaves."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run(section: str, **options: Any) -> dict[str, Any]:
        format, out = section.lower(), tmp_path / "out"
        export(FORMATS[format](), Options(format, size=64, **options), out)
        monkeypatch.chdir(out)
        names: dict[str, Any] = {}
        for block in code(section):
            exec(block.replace("000003", "000001"), names)  # as many shards as there are
        return names

    return run


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package; what it makes stays in the test's folder."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets


def test_webdataset(read: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    read("WebDataset")
    assert "(43, 64) 1 M ['Drama', 'Film-Noir']\n" in capsys.readouterr().out


def test_tfrecord(read: Callable[..., dict[str, Any]]) -> None:
    pictures, labels = next(iter(read("TFRecord")["posters"]))
    assert pictures.shape == (3, 220, 220, 3)
    assert sorted(labels.numpy().tolist()) == [0, 1, 2]


def test_rich_tfrecord(read: Callable[..., dict[str, Any]]) -> None:
    names = read("TFRecord", rich=True)
    tf = names["tf"]
    records = tf.data.TFRecordDataset("posters_train-000.tfrecords")
    found = [tf.io.parse_single_example(record, names["features"]) for record in records]
    assert [int(each["year"]) for each in found] == [1931, 0]
    assert [each["film"].numpy() for each in found] == [b"tt0022100", b""]
    assert [tf.sparse.to_dense(each["genres"]).numpy().tolist() for each in found] == [[b"Drama", b"Film-Noir"], []]


def test_parquet(read: Callable[..., dict[str, Any]], datasets: Any, capsys: pytest.CaptureFixture[str]) -> None:
    names = read("Parquet")
    assert len(names["posters"]) == 3
    assert "(43, 64) poster M\n" in capsys.readouterr().out
    assert sorted(names["films"]["sha256"]) == sorted(row.sha256 for row, _ in rows())


def test_imagefolder(read: Callable[..., dict[str, Any]], datasets: Any) -> None:
    assert len(read("ImageFolder")["posters"]) == 3


def test_csv(read: Callable[..., dict[str, Any]]) -> None:
    names = read("CSV")
    assert names["genres"].sum() == 3
    assert all(Path(name).is_file() for name in names["pictures"])


def test_json(read: Callable[..., dict[str, Any]]) -> None:
    assert len(read("JSON")["about"]["images"]) == 3


def test_all_fields_are_explained() -> None:
    named = set(re.findall(r"`(\w+)`", SECTIONS["All that is known"]))
    assert {field.name for field in fields(Example)} <= named
