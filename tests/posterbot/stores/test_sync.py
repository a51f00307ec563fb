"""From store to store: what is missing is copied, whole; everything else stays as it is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posterbot.stores import patient
from posterbot.stores.local import LocalStore
from posterbot.stores.patient import Patient
from posterbot.stores.store import NO_FACTS, OCTETS, NotStoredError, Stat, StoreError, UnavailableError, object_path
from posterbot.stores.streams import in_parallel, side_by_side
from posterbot.stores.sync import NotCopied, Synced, overlap, sync


def original(name: str) -> tuple[str, bytes]:
    data = f"picture {name}".encode()
    return object_path(hashlib.sha256(data).hexdigest(), "jpg"), data


def contents(store: LocalStore) -> dict[str, bytes]:
    return {found.path: store.get(found.path) for found in store.list()}


def troubles(source: LocalStore, destination: LocalStore) -> tuple[Synced, list[NotCopied]]:
    heard: list[NotCopied] = []
    return sync(source, destination, lambda _, trouble: heard.append(trouble) if trouble else None), heard


class Remembering(LocalStore):
    """A folder that keeps media types and facts while it is open; lists tell them only if asked to."""

    def __init__(self, folder: Path, lists: bool = False) -> None:
        super().__init__(str(folder))
        self.lists, self.said = lists, dict[str, tuple[str, dict[str, str]]]()
        self.asked: list[str] = []

    def put_if_absent(
        self, path: str, data: bytes, media_type: str = OCTETS, facts: Mapping[str, str] = NO_FACTS
    ) -> bool:
        self.said.setdefault(path, (media_type, dict(facts)))
        return super().put_if_absent(path, data)

    def stat(self, path: str) -> Stat | None:
        self.asked.append(path)
        found = super().stat(path)
        return None if found is None else Stat(path, found.size, found.modified, None, *self.said[path])

    def list(self, prefix: str = "") -> Iterator[Stat]:
        for found in super().list(prefix):
            yield Stat(found.path, found.size, None, None, *self.said[found.path]) if self.lists else found


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "BACKOFF_SECONDS", 0.001)


@pytest.fixture
def source(tmp_path: Path) -> LocalStore:
    return LocalStore(str(tmp_path / "source"))


@pytest.fixture
def destination(tmp_path: Path) -> LocalStore:
    return LocalStore(str(tmp_path / "destination"))


def test_what_is_missing_is_copied_once(source: LocalStore, destination: LocalStore) -> None:
    images = dict(original(str(number)) for number in range(20))
    for path, data in images.items():
        source.put_if_absent(path, data)
    source.put_if_absent("dropped/" + next(iter(images)), b"a small picture, under the name of the large one")
    source.put_if_absent("notes.txt", b"mine")
    source.put_if_absent("lost+found/x", b"not wanted")
    destination.put_if_absent("more", b"stays")
    destination.put_if_absent(*next(iter(images.items())))
    synced, heard = troubles(source, destination)
    copied = contents(source)
    del copied["lost+found/x"]
    assert contents(destination) == {**copied, "more": b"stays"}
    assert (synced.copied, synced.already, synced.not_copied, synced.total, heard) == (21, 1, 0, 21, [])
    assert synced.bytes == synced.total_bytes == sum(map(len, copied.values())) - len(b"picture 0")
    again, heard = troubles(source, destination)
    assert (again.copied, again.bytes, again.already, heard) == (0, 0, 22, [])


def test_what_is_wrong_is_said_and_not_copied(source: LocalStore, destination: LocalStore) -> None:
    (whole, data), (damaged, _), (longer, other) = map(original, ["whole", "damaged", "longer"])
    source.put_if_absent(whole, data)
    source.put_if_absent(damaged, b"rubbish")
    source.put_if_absent(longer, other)
    destination.put_if_absent(longer, b"short")
    synced, heard = troubles(source, destination)
    assert contents(destination) == {whole: data, longer: b"short"}
    assert (synced.copied, synced.already, synced.not_copied) == (1, 0, 2)
    assert {trouble.path: trouble.why for trouble in heard} == {
        damaged: "damaged: these are not the bytes that its name says",
        longer: "5 bytes are there already, 14 are here: left as it is",
    }
    assert troubles(source, destination)[0].not_copied == 2  # also where nothing else is left to do


@pytest.mark.parametrize("lists", [False, True])
def test_media_type_and_facts_go_with_it(tmp_path: Path, lists: bool) -> None:
    source, destination = Remembering(tmp_path / "a", lists), Remembering(tmp_path / "b")
    source.put_if_absent("x/y", b"x", "image/webp", {"url": "https://a.example/ä"})
    source.put_if_absent("z.avif", b"z", "image/avif", {"label": "poster"})
    sync(source, destination)
    assert destination.said == source.said
    assert sorted(source.asked) == ([] if lists else ["x/y", "z.avif"])


def test_a_disk_knows_no_media_types_but_the_names_do(source: LocalStore, tmp_path: Path) -> None:
    destination = Remembering(tmp_path / "b")
    for path in ("a.jpg", "b.png", "c.txt", "d"):
        source.put_if_absent(path, b"x")
    sync(source, destination)
    said = {path: media_type for path, (media_type, _) in destination.said.items()}
    assert said == {"a.jpg": "image/jpeg", "b.png": "image/png", "c.txt": OCTETS, "d": OCTETS}


def test_what_is_gone_or_grew_meanwhile(source: LocalStore, destination: LocalStore) -> None:
    class Changing(LocalStore):
        def get(self, path: str) -> bytes:
            if path == "gone":
                raise NotStoredError(path)
            return super().get(path) + b"!"

    for path in ("gone", "grown"):
        source.put_if_absent(path, b"x")
    synced, heard = troubles(Changing(source.name), destination)
    assert {trouble.path: trouble.why for trouble in heard} == {
        "gone": "gone since it was listed",
        "grown": "changed: 1 bytes were listed, 2 came",
    }
    assert (synced.copied, contents(destination)) == (0, {})


def test_names_that_overlap() -> None:
    assert overlap("/data/images", "/data/images/")
    assert overlap("/data", "/data/images")
    assert overlap("gs://b/x", "gs://b")
    assert not overlap("/data/images", "/data/images2")
    assert not overlap("gs://b", "s3://b")


# --- What may pass --------------------------------------------------------------------------------------------------


class Faulty(LocalStore):
    """The first two tries for each object fail, and each list a little further on than the one before it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lists, self.tries = 0, Counter[str]()

    def _call(self, path: str) -> None:
        self.tries[path] += 1
        if self.tries[path] <= 2:
            raise UnavailableError("503")

    def get(self, path: str) -> bytes:
        self._call(path)
        return super().get(path)

    def put_if_absent(self, path: str, data: bytes, *more: object) -> bool:
        self._call(path)
        return super().put_if_absent(path, data)

    def list(self, prefix: str = "") -> Iterator[Stat]:
        self.lists += 1
        for number, found in enumerate(super().list(prefix), 1):
            if number == 3 * self.lists:
                raise UnavailableError("reset")
            yield found


def test_faults_that_pass(source: LocalStore, destination: LocalStore) -> None:
    for number in range(30):
        source.put_if_absent(*original(str(number)))
    faulty = Faulty(source.name)
    synced = sync(faulty, Faulty(destination.name))
    assert (synced.copied, contents(destination)) == (30, contents(source))
    assert faulty.lists > 5


def test_a_store_that_stays_away_is_given_up(source: LocalStore, destination: LocalStore) -> None:
    class Away(LocalStore):
        tries = 0

        def put_if_absent(self, *arguments: object) -> bool:
            self.tries += 1
            raise UnavailableError("the bucket is away")

    source.put_if_absent("a", b"x")
    away = Away(destination.name)
    with pytest.raises(UnavailableError, match="the bucket is away"):
        sync(source, away)
    assert away.tries == patient.TRIES


def test_interrupted_and_done_again(source: LocalStore, destination: LocalStore) -> None:
    for number in range(30):
        source.put_if_absent(*original(str(number)))

    def interrupted(synced: Synced, _: NotCopied | None) -> None:
        if synced.copied == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(source, destination, interrupted)
    there = contents(destination)
    assert 7 <= len(there) < 30
    assert there.items() <= contents(source).items()
    synced = sync(source, destination)
    assert (synced.copied, synced.already) == (30 - len(there), len(there))
    assert contents(destination) == contents(source)


def test_nobody_waits_for_a_store_that_is_away_when_all_is_given_up(tmp_path: Path) -> None:
    class Away(LocalStore):
        def get(self, path: str) -> bytes:
            raise UnavailableError("away")

    store = Patient(Away(str(tmp_path)))
    store.hurry()
    with pytest.raises(UnavailableError):
        store.get("a")


def test_a_list_that_is_in_no_order(source: LocalStore) -> None:
    class Odd(LocalStore):
        def list(self, prefix: str = "") -> Iterator[Stat]:
            yield from (Stat(path, 1) for path in ("a/b", "a.jpg"))

    with pytest.raises(StoreError, match=r"does not list in the order of paths: 'a\.jpg' comes late"):
        list(Patient(Odd(source.name)).list())


# --- Streams --------------------------------------------------------------------------------------------------------


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sides=st.lists(st.sets(st.text("aAä/.-", min_size=1, max_size=4)), min_size=2, max_size=3))
def test_side_by_side_is_what_sets_say(sides: list[set[str]]) -> None:
    streams = [[Stat(path, 1) for path in sorted(side, key=str.encode)] for side in sides]
    found = list(side_by_side(*streams))
    assert [{one.path for of in places for one in of} for places in found] == [
        {path} for path in sorted(set().union(*sides), key=str.encode)
    ]
    for number, side in enumerate(sides):
        assert {one.path for places in found for one in places[number]} == side


def test_few_are_under_way_and_all_answers_are_in_order() -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(20_000):
            taken.append(number)
            yield number

    doubled = in_parallel(lambda number: 2 * number, numbers(), 4, lambda: None)
    assert [next(doubled) for _ in range(100)] == list(range(0, 200, 2))
    assert len(taken) <= 100 + 12
    hurried: list[None] = []
    broken = in_parallel(lambda number: 1 // (5 - number), range(100), 2, lambda: hurried.append(None))
    with pytest.raises(ZeroDivisionError):
        list(broken)
    assert hurried == [None]
    doubled.close()
    assert len(taken) <= 100 + 12
