"""The store on file systems of fsspec: real ones that need nothing but memory and a disk."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import pytest
from contract import PATH, Contract

from posterbot.stores.generic import GenericStore
from posterbot.stores.opening import open_store
from posterbot.stores.store import StoreError


class TestMemory(Contract):
    facts = False

    @pytest.fixture
    def store(self) -> GenericStore:
        return GenericStore(f"memory://{uuid.uuid4()}/prefix")


class TestLocal(Contract):
    facts = False

    @pytest.fixture
    def store(self, tmp_path: Path) -> GenericStore:
        return GenericStore(f"local://{tmp_path}/new/images/")


def test_name(tmp_path: Path) -> None:
    assert GenericStore(f"local://{tmp_path}/a/").name == f"local://{tmp_path}/a"


@pytest.mark.parametrize("scheme", ["az", "abfs"])
def test_azure_is_another_package(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adlfs", None)  # also where it is installed
    with pytest.raises(StoreError, match=r"IMAGES_STORE: .*adlfs.*pip install 'posterbot\[azure\]'$"):
        open_store(f"{scheme}://container/prefix", {})


def test_unknown_and_bad() -> None:
    with pytest.raises(StoreError, match="IMAGES_STORE: nope://"):
        GenericStore("nope://x")
    with pytest.raises(StoreError, match=r"IMAGES_STORE: memory://a/\.\."):
        GenericStore("memory://a/../b")


def test_what_others_wrote_is_seen(tmp_path: Path) -> None:
    one, other = (GenericStore(f"local://{tmp_path}") for _ in range(2))
    assert list(one.list()) == []
    other.put_if_absent(PATH, b"x")
    (tmp_path / ".posterbot-check-1").write_bytes(b"left")
    (tmp_path / "a" / "empty").mkdir(parents=True)
    assert [found.path for found in one.list()] == [PATH]
    assert one.stat("a/empty") is None


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "ab").write_bytes(b"a file")
    store = GenericStore(f"local://{tmp_path}")
    with pytest.raises(StoreError, match=f"IMAGES_STORE: local://{tmp_path}: "):
        store.put_if_absent(PATH, b"x")


def test_where_nothing_can_be_written() -> None:
    with pytest.raises(StoreError, match="IMAGES_STORE: local:///proc/nowhere: "):
        GenericStore("local:///proc/nowhere").check()
