"""The local store: whole files or none, named by content, errors that name the setting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from posterbot.stores.local import LocalStore, StoreError, object_path

SHA = "ab" + "cd" + "e" * 60


def put(store: LocalStore, path: str, data: bytes) -> None:
    store._write(store._get_filesystem_path(path), data)


def test_names() -> None:
    assert object_path(SHA, "jpg") == f"ab/cd/{SHA}.jpg"


def test_writes_and_never_overwrites(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "new" / "images")
    put(store, object_path(SHA, "jpg"), b"bytes")
    file = tmp_path / "new" / "images" / object_path(SHA, "jpg")
    assert file.read_bytes() == b"bytes"
    before = file.stat().st_mtime_ns
    put(store, object_path(SHA, "jpg"), b"bytes")
    assert file.stat().st_mtime_ns == before


def test_file_url(tmp_path: Path) -> None:
    put(LocalStore(f"file://{tmp_path}/images"), "a/b", b"x")
    assert (tmp_path / "images/a/b").read_bytes() == b"x"


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        put(store, object_path(SHA, "jpg"), b"bytes")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("where", ["/proc/no-such", "/dev/null/images"])
def test_unwritable(where: str) -> None:
    with pytest.raises(StoreError, match=f"IMAGES_STORE: cannot write to {where}"):
        LocalStore(where)
