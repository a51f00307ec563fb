"""The local store: whole files or none, named by content, errors that name the setting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from contract import PATH, SHA, Contract

from posterbot.stores.local import LocalStore
from posterbot.stores.store import StoreError, object_path


class TestLocalStore(Contract):
    facts = False

    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(str(tmp_path / "new" / "images"))


def test_names() -> None:
    assert object_path(SHA, "jpg") == f"ab/cd/{SHA}.jpg"


def test_file_url(tmp_path: Path) -> None:
    LocalStore(f"file://{tmp_path}/images").put_if_absent("a/b", b"x")
    assert (tmp_path / "images/a/b").read_bytes() == b"x"


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(str(tmp_path))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"IMAGES_STORE: cannot use .*No space.*make room"):
        store.put_if_absent(PATH, b"bytes")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_what_a_killed_process_left_is_not_listed(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path))
    store.put_if_absent(PATH, b"x")
    (tmp_path / "ab/cd" / f".{SHA}.jpg.17-abcd.part").write_bytes(b"ha")
    assert [found.path for found in store.list()] == [PATH]


@pytest.mark.parametrize("where", ["/proc/no-such", "/dev/null/images"])
def test_unwritable(where: str) -> None:
    with pytest.raises(StoreError, match=f"IMAGES_STORE: cannot write to {where}"):
        LocalStore(where).check()
