from __future__ import annotations

import io
import json
import tarfile
from dataclasses import fields
from pathlib import Path

import pytest
import webdataset
from dataset_rows import LABELS, contents, export, rows
from PIL import Image

from posterbot.export.example import Example
from posterbot.export.formats.webdataset import CLASSES, WebDataset
from posterbot.export.options import Options


def test_read_by_the_webdataset_package(tmp_path: Path) -> None:
    export(WebDataset, Options("webdataset", size=64), tmp_path)
    shards = f"{tmp_path}/train/posters-train-{{000000..000001}}.tar"
    samples = list(
        webdataset.WebDataset(shards, shardshuffle=False, empty_check=False)
        .decode("pil")
        .to_tuple("jpg", "cls", "json", "__key__")
    )
    expected = [example for example, _ in rows() if example.split == "train"]
    assert [key for *_, key in samples] == [example.sha256 for example in expected]
    assert [LABELS[number] for _, number, _, _ in samples] == [example.label for example in expected]
    assert [image.size for image, *_ in samples] == [(43, 64), (40, 40), (43, 64)]
    assert [about["genres"] for _, _, about, _ in samples] == [list(example.genres) for example in expected]


def test_all_facts_are_there(tmp_path: Path) -> None:
    export(WebDataset, Options("webdataset", size=64), tmp_path)
    example = rows()[0][0]
    with tarfile.open(tmp_path / "train/posters-train-000000.tar") as tar:
        content = tar.extractfile(f"{example.sha256}.json").read()
    about = json.loads(content)
    assert list(about) == sorted(field.name for field in fields(Example))
    assert about["fetched_at"] == "2026-05-04T03:02:01.000005+00:00"
    assert about["alt"] == example.alt
    assert about["copies"] is None
    assert about["ml_allowed"] is True


def test_originals_keep_their_bytes_and_kind(tmp_path: Path) -> None:
    export(WebDataset, Options("webdataset"), tmp_path)
    with tarfile.open(tmp_path / "train/posters-train-000000.tar") as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}
    for example, data in rows()[:2]:
        assert members[f"{example.sha256}.{'jpg' if example.format == 'JPEG' else 'png'}"] == data


def test_the_same_bytes_without_date_or_owner(tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(WebDataset, Options("webdataset", size=64), tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    with tarfile.open(tmp_path / "a/train/posters-train-000000.tar") as tar:
        for member in tar:
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
            assert member.mode == 0o644
            assert not member.pax_headers


def test_what_belongs_together_stands_together(tmp_path: Path) -> None:
    export(WebDataset, Options("webdataset", size=64), tmp_path)
    with tarfile.open(tmp_path / "test/posters-test-000000.tar") as tar:
        names = tar.getnames()
    first, second = (example.sha256 for example, _ in rows()[3:])
    assert names == [f"{key}.{extension}" for key in (first, second) for extension in ("jpg", "cls", "json")]


def test_classes_are_named_in_order(tmp_path: Path) -> None:
    export(WebDataset, Options("webdataset", size=64), tmp_path)
    assert (tmp_path / CLASSES).read_text().splitlines() == list(LABELS)


@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_pictures_are_whole(tmp_path: Path, extension: str) -> None:
    export(WebDataset, Options("webdataset"), tmp_path)
    with tarfile.open(tmp_path / "train/posters-train-000000.tar") as tar:
        (picture,) = (tar.extractfile(name).read() for name in tar.getnames() if name.endswith(extension))
    Image.open(io.BytesIO(picture)).load()
