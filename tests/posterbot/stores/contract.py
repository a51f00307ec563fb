"""What every store must do. A test file of a store has a fixture ``store``, an empty one, and imports these tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posterbot.stores.store import NotStoredError, Store, object_path

SHA = "ab" + "cd" + "e" * 60
PATH = object_path(SHA, "jpg")


class Contract:
    """The tests; a store that keeps no facts sets ``facts`` to False."""

    facts = True

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        raise NotImplementedError

    def test_what_is_put_is_there(self, store: Store) -> None:
        store.check()
        assert store.put_if_absent(PATH, b"bytes", "image/jpeg", {"url": "http://a.example/ä?ß", "label": "poster"})
        assert store.get(PATH) == b"bytes"
        found = store.stat(PATH)
        assert found is not None
        assert (found.path, found.size) == (PATH, 5)
        assert found.modified is not None
        assert found.modified.tzinfo is not None
        if self.facts:
            assert found.media_type == "image/jpeg"
            assert found.facts == {"url": "http://a.example/ä?ß", "label": "poster"}

    def test_what_is_there_stays(self, store: Store) -> None:
        assert store.put_if_absent(PATH, b"first")
        assert not store.put_if_absent(PATH, b"second")
        assert store.get(PATH) == b"first"

    def test_of_many_at_once_one_writes(self, store: Store) -> None:
        written: list[bool] = []
        threads = [
            threading.Thread(target=lambda: written.append(store.put_if_absent(PATH, b"same"))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(written) == 4
        assert any(written)
        assert store.get(PATH) == b"same"

    def test_what_is_not_there(self, store: Store) -> None:
        with pytest.raises(NotStoredError):
            store.get(PATH)
        assert store.stat(PATH) is None
        assert not store.delete(PATH)
        assert list(store.list()) == []

    def test_deleting(self, store: Store) -> None:
        store.put_if_absent(PATH, b"x")
        assert store.delete(PATH)
        assert store.stat(PATH) is None
        assert not store.delete(PATH)

    def test_empty_and_large(self, store: Store) -> None:
        large = bytes(range(256)) * 12_000
        store.put_if_absent("a/empty.bin", b"")
        store.put_if_absent("a/large.bin", large)
        assert store.get("a/empty.bin") == b""
        assert store.get("a/large.bin") == large
        assert [found.size for found in store.list()] == [0, len(large)]

    def test_listing_is_in_the_order_of_paths(self, store: Store) -> None:
        paths = ["a/b.jpg", "a.jpg", "a/b/c.jpg", "b/c d+é.jpg", "dropped/ab/x.jpg", "a/b-1.jpg"]
        for path in paths:
            store.put_if_absent(path, path.encode())
        store.check()  # leaves nothing behind
        assert [found.path for found in store.list()] == sorted(paths, key=str.encode)
        assert [found.path for found in store.list("a/b")] == ["a/b-1.jpg", "a/b.jpg", "a/b/c.jpg"]
        assert [found.path for found in store.list("dropped/")] == ["dropped/ab/x.jpg"]
        assert list(store.list("nowhere/")) == []

    @pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../x", "a//b", "a/./b", "a\\b", "a/\n", "a/"])
    def test_paths_lead_downwards(self, store: Store, path: str) -> None:
        for call in (lambda: store.put_if_absent(path, b"x"), lambda: store.get(path), lambda: store.delete(path)):
            with pytest.raises(ValueError, match="not a path in a store"):
                call()

    @settings(
        max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    )
    @given(data=st.binary(max_size=300), name=st.text("abcxyz019-_.", min_size=1, max_size=20))
    def test_any_bytes_come_back(self, store: Store, data: bytes, name: str) -> None:
        path = f"any/x{name}.bin"
        store.delete(path)
        assert store.put_if_absent(path, data)
        assert store.get(path) == data
