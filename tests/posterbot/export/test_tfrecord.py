from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import encode, picture
from dataset_rows import GENRES, LABELS, ROW, contents, export, rows
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from posterbot.export.example import Example
from posterbot.export.formats.tf_example import example as message
from posterbot.export.formats.tfrecord import COUNTS, TFRecord, tfrecord_name
from posterbot.export.formats.tfrecord import LABELS as NAMES
from posterbot.export.options import Options

tf = pytest.importorskip("tensorflow")

OPTIONS, RICH = Options("tfrecord", size=64), Options("tfrecord", size=64, rich=True)


def trainers_records(folder: Path, split: str) -> list[tuple[Any, int, str]]:
    """What that trainer reads: its choice of files, its features, its decoder and its size (utils/datasets.py)."""
    files = sorted(str(file) for file in folder.iterdir() if split in file.name)
    description = {
        "label": tf.io.FixedLenFeature([], tf.int64),
        "image": tf.io.FixedLenFeature([], tf.string),
        "filename": tf.io.FixedLenFeature([], tf.string),
    }

    def parse(record: Any) -> tuple[Any, Any, Any]:
        parsed = tf.io.parse_single_example(record, description)
        data = tf.io.decode_png(parsed["image"], 3)
        data = tf.image.resize(data, [220, 220], method="nearest")
        return tf.cast(data, tf.float32) / 255, parsed["label"], parsed["filename"]

    records = tf.data.TFRecordDataset(files).map(parse)
    return [(data.numpy(), int(label), filename.numpy().decode()) for data, label, filename in records]


def test_the_public_trainer_reads_it(tmp_path: Path) -> None:
    export(TFRecord, OPTIONS, tmp_path)
    images = [example for example, _ in rows()]
    train = trainers_records(tmp_path, "train")
    assert [(GENRES[label], name) for _, label, name in train] == [
        ("Drama", f"{images[0].sha256}.jpg"),
        ("Film-Noir", f"{images[0].sha256}.jpg"),
        ("Comedy", f"{images[2].sha256}.jpg"),
    ]
    assert all(data.shape == (220, 220, 3) and 0 <= data.min() < data.max() <= 1 for data, _, _ in train)
    assert [label for _, label, _ in trainers_records(tmp_path, "test")] == [1, 2]
    assert (tmp_path / NAMES).read_text().splitlines() == list(GENRES)


def test_records_are_counted_and_what_is_in_none(tmp_path: Path) -> None:
    export(TFRecord, OPTIONS, tmp_path / "plain")
    export(TFRecord, RICH, tmp_path / "rich")
    assert json.loads((tmp_path / "plain" / COUNTS).read_text()) == {
        "train": {"images": 3, "records": 3, "left_out": 1},
        "test": {"images": 2, "records": 2, "left_out": 1},
    }
    assert json.loads((tmp_path / "rich" / COUNTS).read_text()) == {
        "train": {"images": 3, "records": 3, "left_out": 0},
        "test": {"images": 2, "records": 2, "left_out": 0},
    }


def test_validation_is_a_split_that_the_trainer_leaves_alone(tmp_path: Path) -> None:
    example, data = rows()[0]
    export(TFRecord, OPTIONS, tmp_path, [(example, data), (replace(example, split="validation"), data)])
    assert {file.name for file in tmp_path.glob("*.tfrecords")} == {
        "posters_train-000.tfrecords",
        "posters_validation-000.tfrecords",
    }
    assert len(trainers_records(tmp_path, "train")) == 2


def test_rich_records_have_all_facts(tmp_path: Path) -> None:
    export(TFRecord, RICH, tmp_path)
    records = tf.data.TFRecordDataset([str(tmp_path / tfrecord_name("train", number)) for number in (0, 1)])
    read = [tf.train.Example.FromString(record.numpy()) for record in records]
    assert len(read) == 3
    for record, (example, _) in zip(read, rows(), strict=False):
        features = record.features.feature
        assert LABELS[features["label"].int64_list.value[0]] == example.label
        assert set(features) == {field.name for field in fields(Example)} | {"image", "filename", "label_name"}
        assert features["label_name"].bytes_list.value[0].decode() == example.label
        assert list(features["genres"].bytes_list.value) == [genre.encode() for genre in example.genres]
        assert list(features["year"].int64_list.value) == ([] if example.year is None else [example.year])
        assert features["score"].float_list.value[0] == example.score
        assert features["alt"].bytes_list.value[0].decode() == example.alt
        assert list(features["ml_allowed"].int64_list.value) == ([] if example.ml_allowed is None else [1])
        assert features["fetched_at"].bytes_list.value[0] == b"2026-05-04T03:02:01.000005+00:00"
    assert (tmp_path / NAMES).read_text().splitlines() == list(LABELS)


def test_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(TFRecord, RICH, tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_original_that_is_no_jpeg_becomes_one(tmp_path: Path) -> None:
    export(TFRecord, Options("tfrecord"), tmp_path, [(replace(ROW, sha256="0" * 64), encode(picture(30, 40), "PNG"))])
    ((data, _, name), *_) = trainers_records(tmp_path, "train")
    assert data.shape == (220, 220, 3)
    assert name == "0" * 64 + ".jpg"


def test_an_original_in_inks_is_read_by_tensorflow(tmp_path: Path) -> None:
    red = encode(Image.new("RGB", (32, 32), (250, 10, 10)).convert("CMYK"))
    export(TFRecord, Options("tfrecord"), tmp_path, [(replace(ROW, sha256="0" * 64), red)])
    ((data, _, _), *_) = trainers_records(tmp_path, "train")
    assert data[100, 100, 0] > 0.9
    assert data[100, 100, 1] < 0.1


def test_names_of_shards_past_a_thousand() -> None:
    assert tfrecord_name("train", 7) == "posters_train-007.tfrecords"
    assert tfrecord_name("test", 1234) == "posters_test-1234.tfrecords"


def test_a_genre_over_two_lines_takes_one(tmp_path: Path) -> None:
    lock = export(TFRecord, OPTIONS, tmp_path)
    hostile = replace(lock.header, genres=("Comedy", "Dra\nma", "x\x85y"))
    lock.header = hostile
    TFRecord(hostile).finish(lock, tmp_path)
    assert (tmp_path / NAMES).read_text().splitlines() == ["Comedy", "Dra ma", "x y"]


numbers = st.lists(st.integers(-(2**63), 2**63 - 1))
floats = st.lists(st.floats(width=32, allow_nan=False))


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=200), st.one_of(numbers, floats, st.lists(st.binary(max_size=300)))))
def test_messages_are_those_of_protocol_buffers(values: dict[str, list[Any]]) -> None:
    expected = tf.train.Example(features={})
    for name, each in values.items():
        feature = expected.features.feature[name]
        for value in each:
            kind = {bytes: feature.bytes_list, float: feature.float_list, int: feature.int64_list}[type(value)]
            kind.value.append(value)
    data = message(values)
    assert tf.train.Example.FromString(data) == expected
    assert len(data) == expected.ByteSize()
    assert data == message(dict(reversed(values.items())))
