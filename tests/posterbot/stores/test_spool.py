from __future__ import annotations

from pathlib import Path

import pytest
from contract import PATH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posterbot.stores.spool import Spool, SpoolFullError
from posterbot.stores.store import NotStoredError

FACTS = {"url": "http://a.example/ä\n", "label": "poster"}


def test_what_is_put_comes_back_with_its_facts(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "gs://bucket", 1000)
    assert spool.put_if_absent(PATH, b"one\ntwo\n", "image/jpeg", FACTS)
    assert not spool.put_if_absent(PATH, b"one\ntwo\n", "image/jpeg", FACTS)
    again = Spool(tmp_path, "gs://bucket", 1000)  # the next run
    assert again.images == 1
    assert again.get(PATH) == b"one\ntwo\n"
    found = again.stat(PATH)
    assert found is not None
    assert (found.path, found.size, found.media_type, found.facts) == (PATH, 8, "image/jpeg", FACTS)
    assert [image.path for image in again.list()] == [PATH]
    assert (again.folder / "store").read_text() == "gs://bucket"


def test_each_store_has_its_own(tmp_path: Path) -> None:
    Spool(tmp_path, "gs://bucket", 1000).put_if_absent(PATH, b"x")
    other = Spool(tmp_path, "gs://other", 1000)
    assert (other.images, list(other.list())) == (0, [])


def test_its_end(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "gs://bucket", 250)
    spool.put_if_absent("a/1", bytes(100))
    assert 0 < spool.fill < 1
    with pytest.raises(SpoolFullError, match=r"SPOOL: .* is full"):
        spool.put_if_absent("a/2", bytes(150))
    # Another process has made room meanwhile.
    assert Spool(tmp_path, "gs://bucket", 250).delete("a/1")
    assert spool.put_if_absent("a/2", bytes(150))
    assert spool.delete("a/2")
    assert (spool.images, spool.bytes) == (0, 0)
    with pytest.raises(NotStoredError):
        spool.get("a/2")
    assert spool.stat("a/2") is None
    assert not spool.delete("a/2")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), facts=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3))
def test_any_bytes_and_facts(tmp_path: Path, data: bytes, facts: dict[str, str]) -> None:
    spool = Spool(tmp_path, "s", 10_000)
    spool.delete("a/b")
    spool.put_if_absent("a/b", data, "image/png", facts)
    found = spool.stat("a/b")
    assert found is not None
    assert (spool.get("a/b"), found.size, found.facts) == (data, len(data), facts)


def test_a_damaged_file_is_still_listed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "gs://bucket", 1000)
    spool.put_if_absent(PATH, b"x")
    (spool.folder / PATH).write_bytes(b"\x00\xff{nothing")
    assert [image.path for image in spool.list()] == [PATH]
