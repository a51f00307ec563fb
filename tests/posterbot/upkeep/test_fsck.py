"""Catalogue, store and spool: each difference is found, mended, and nothing else is touched."""

from __future__ import annotations

import itertools
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from frontier.frontier_cases import Part
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_images import Kept, bytes_of, dropped_path_of, path_of, sha256_of
from sqlalchemy import Engine, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Model, Policy
from posterbot.catalogue.schema import images, runs
from posterbot.stores import patient
from posterbot.stores.local import LocalStore
from posterbot.stores.store import Stat, StoreError, UnavailableError
from posterbot.upkeep import repair as repairing
from posterbot.upkeep.fsck import Counts, fsck
from posterbot.upkeep.repair import Action, Repairs, Resumable, repair

OTHER_POLICY = Policy(("photo",), 0.5, Model("web-images", "a" * 64, ("poster", "photo")), "anna", "arguments")
LOST = "lost+found/"


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def kept(engine: Engine, tmp_path: Path) -> Kept:
    return Kept(engine, tmp_path)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "BACKOFF_SECONDS", 0.001)


def found(kept: Kept, **how: Any) -> list[tuple[str, str]]:
    return sorted((str(one.kind), one.path) for one in fsck(kept.engine, kept.store, kept.spool, **how))


def mend(kept: Kept, **how: Any) -> tuple[dict[str, tuple[Action, ...]], Repairs]:
    repairs = Repairs()
    done = {
        one.difference.path: one.actions for one in repair(kept.engine, kept.store, kept.spool, repairs=repairs, **how)
    }
    return done, repairs


def test_what_agrees(kept: Kept) -> None:
    kept.crawl(["a", "b"], ["c"])
    counts = Counts()
    assert list(fsck(kept.engine, kept.store, kept.spool, deep=True, counts=counts)) == []
    assert (counts.rows, counts.objects, counts.bytes) == (3, 3, 2 * len(bytes_of("a")) + 5)
    assert (counts.waiting, counts.young, counts.differences.total()) == (0, 0, 0)
    assert mend(kept) == ({}, Repairs())


def test_every_kind_of_difference(kept: Kept) -> None:
    kept.crawl(["whole", "missing", "short", "damaged"], ["small", "no small", "longer small"])
    kept.store.delete(path_of("missing"))
    kept.put(path_of("short"), b"the")
    kept.put(path_of("damaged"), bytes_of("DAMAGED"))
    kept.put(path_of("orphan"), bytes_of("orphan"))
    kept.put("notes.txt", b"mine")
    kept.put(dropped_path_of("orphan"), b"small")
    kept.put(dropped_path_of("longer small"), b"longer")
    kept.store.delete(dropped_path_of("no small"))
    counts = Counts()
    plain = [
        ("missing", dropped_path_of("no small")),
        ("missing", path_of("missing")),
        ("orphan", dropped_path_of("orphan")),
        ("orphan", "notes.txt"),
        ("orphan", path_of("orphan")),
        ("wrong_size", dropped_path_of("longer small")),
        ("wrong_size", path_of("short")),
    ]
    assert found(kept, counts=counts) == sorted(plain)
    assert counts.differences == {"missing": 2, "orphan": 3, "wrong_size": 2}
    assert found(kept, deep=True) == sorted([*plain, ("wrong_hash", path_of("damaged"))])
    (short,) = [one for one in fsck(kept.engine, kept.store, kept.spool) if one.path == path_of("short")]
    assert short.detail == f"3 bytes in the store, {len(bytes_of('short'))} in the catalogue"

    done, repairs = mend(kept, deep=True)
    assert done == {
        path_of("missing"): (Action.AGAIN,),
        path_of("short"): (Action.SET_ASIDE, Action.AGAIN),
        path_of("damaged"): (Action.SET_ASIDE, Action.AGAIN),
        path_of("orphan"): (Action.SET_ASIDE,),
        "notes.txt": (Action.SET_ASIDE,),
        dropped_path_of("orphan"): (Action.DELETED,),
        dropped_path_of("no small"): (Action.TAKEN_BACK,),
        dropped_path_of("longer small"): (Action.SET_ASIDE, Action.TAKEN_BACK),
    }
    assert repairs.left == 3
    assert repairs.runs == [Resumable(1, 3, 0, False)]
    assert kept.store.get(LOST + path_of("short")) == b"the"
    assert kept.store.get(LOST + path_of("damaged")) == bytes_of("DAMAGED")
    assert kept.store.get(LOST + path_of("orphan")) == bytes_of("orphan")
    assert [path for path in kept.everything() if not path.startswith(LOST)] == [
        *sorted([path_of("whole"), dropped_path_of("small")])
    ]
    # What is wanted and nowhere stays a difference until it is fetched.
    lost = ["missing", "short", "damaged"]
    assert found(kept, deep=True) == sorted(("missing", sha256_of(name)) for name in lost)
    kept.crawl(lost)
    assert found(kept, deep=True) == []


def test_what_is_young_is_left_alone(kept: Kept) -> None:
    kept.crawl(["a"])
    kept.put(path_of("b"), b"b", time.time() - 3000)
    kept.put(dropped_path_of("b"), b"b", time.time())
    kept.spool.put_if_absent(path_of("c"), bytes_of("c"))
    counts = Counts()
    assert found(kept, counts=counts) == []
    assert counts.young == 3
    assert mend(kept)[0] == {}
    assert kept.store.get(path_of("b")) == b"b"
    assert kept.spool.get(path_of("c")) == bytes_of("c")


def test_what_waits_in_the_spool(kept: Kept) -> None:
    kept.crawl(["stored"], spooled=["one", "two", "stored"])
    counts = Counts()
    assert found(kept, deep=True, counts=counts) == []
    assert (counts.waiting, counts.objects, counts.rows) == (3, 1, 3)
    done, repairs = mend(kept)
    assert (done, repairs.uploaded, repairs.left) == ({}, 3, 0)
    assert repairs.uploaded_bytes == sum(len(bytes_of(name)) for name in ("one", "two", "stored"))
    assert list(kept.spool.list()) == []
    assert kept.store.get(path_of("two")) == bytes_of("two")
    assert found(kept, deep=True) == []


def test_the_spool_replaces_what_is_wrong_in_the_store(kept: Kept) -> None:
    kept.crawl(["a"], spooled=["a"])
    kept.put(path_of("a"), b"half")
    assert found(kept) == [("wrong_size", path_of("a"))]
    done, repairs = mend(kept)
    assert (done, repairs.left, repairs.actions) == ({}, 0, {Action.SET_ASIDE: 1})
    assert kept.store.get(path_of("a")) == bytes_of("a")
    assert kept.store.get(LOST + path_of("a")) == b"half"
    assert found(kept, deep=True) == []


def test_what_is_wrong_in_the_spool(kept: Kept) -> None:
    kept.crawl([], spooled=["cut", "damaged"])
    for name, data in (("cut", b"cut"), ("damaged", bytes_of("DAMAGED")), ("orphan", bytes_of("orphan"))):
        kept.spool.delete(path_of(name))
        kept.spool.put_if_absent(path_of(name), data)
        kept.age(kept.spool.folder / path_of(name))
    expected = sorted([("orphan", path_of("orphan")), ("wrong_size", path_of("cut"))])
    assert found(kept) == expected
    assert found(kept, deep=True) == sorted([*expected, ("wrong_hash", path_of("damaged"))])
    done, repairs = mend(kept)
    assert done[path_of("orphan")] == (Action.SET_ASIDE,)
    assert (repairs.left, repairs.uploaded) == (2, 0)
    assert list(kept.spool.list()) == []
    assert kept.everything() == sorted(LOST + path_of(name) for name in ("cut", "damaged", "orphan"))


def test_lost_and_found_is_not_looked_at_and_keeps_all(kept: Kept) -> None:
    kept.crawl(["a"])
    for data in (b"first", b"second", b"second"):
        kept.put("x/y.jpg", data)
        assert mend(kept)[0] == {"x/y.jpg": (Action.SET_ASIDE,)}
    for path in kept.everything():
        kept.age(kept.store.folder / path)
    assert found(kept) == []
    assert [kept.store.get(path) for path in kept.everything() if path.startswith(LOST)] == [b"first", b"second"]


def test_an_image_comes_back_from_lost_and_found(kept: Kept) -> None:
    """A crawl offered it while it was an orphan, was told that it is there, and committed after it was moved."""
    kept.put(path_of("a"), bytes_of("a"))
    kept.put("lost+found/" + path_of("b"), b"not b")
    mend(kept)
    kept.crawl(["a", "b"])
    kept.store.delete(path_of("a"))
    kept.store.delete(path_of("b"))
    done, repairs = mend(kept)
    assert done == {path_of("a"): (Action.PUT_BACK,), path_of("b"): (Action.AGAIN,)}
    assert kept.store.get(path_of("a")) == bytes_of("a")
    assert repairs.left == 1


def test_what_is_lost_is_queued_in_the_newest_run_that_can_go_on(kept: Kept) -> None:
    assert kept.crawl(["a", "b", "c", "d", "e"], job="first") == 1
    assert kept.crawl(["a", "b"], job="second") == 2
    assert kept.crawl(["c"], job=None) == 3
    assert kept.crawl(["d"], job="first") == 4  # from now on run 1 cannot go on
    for name in "abcde":
        kept.store.delete(path_of(name))
    done, repairs = mend(kept)
    assert set(done.values()) == {(Action.AGAIN,)}
    assert repairs.runs == [Resumable(4, 1, 0, False), Resumable(2, 2, 0, False)]
    assert (kept.queued(4), kept.queued(2)) == ({sha256_of("d")}, {sha256_of("a"), sha256_of("b")})
    assert (repairs.hopeless, repairs.left) == (2, 5)
    assert [line[:26] for line in repairs.refused] == ["run 3 cannot be resumed: i", "run 1 cannot be resumed: r"]
    assert [kept.path_in_catalogue(name) for name in "abcde"] == [None] * 5
    with kept.engine.connect() as connection:
        reasons = connection.execute(select(runs.c.id, runs.c.finish_reason).order_by(runs.c.id)).all()
    assert reasons == [(1, "finished"), (2, "retry"), (3, "finished"), (4, "retry")]

    again, repairs = mend(kept)  # nothing is doubled
    assert again == {sha256_of(name): (Action.AGAIN,) for name in "abcde"}
    assert repairs.runs == [Resumable(4, 1, 0, False), Resumable(2, 2, 0, False)]
    kept.crawl(["a", "b"], job="second")
    kept.crawl(["d"], job="first")
    assert found(kept) == sorted(("missing", sha256_of(name)) for name in "ce")


def test_what_the_newest_policy_rejects_is_not_fetched_again(kept: Kept) -> None:
    kept.crawl(["a", "b"])
    kept.crawl([], ["a"], policy=OTHER_POLICY)
    kept.store.delete(path_of("a"))
    done, repairs = mend(kept)
    assert (done, repairs.left, repairs.runs) == ({path_of("a"): (Action.TAKEN_BACK,)}, 0, [])
    assert kept.path_in_catalogue("a") is None
    assert found(kept) == []


def test_a_run_that_is_at_work_takes_it_up(kept: Kept) -> None:
    part = Part(kept.engine, "job")
    kept.crawl(["a"], end=None)
    kept.store.delete(path_of("a"))
    _, repairs = mend(kept)
    assert repairs.runs == [Resumable(part.run, 1, 0, True)]
    assert part.lease().keys() == {"posterbot://again?page=1"}


def test_what_may_be_in_another_store_is_left_alone(kept: Kept) -> None:
    kept.crawl(["a", "b"], ["c"], job="first", store="gs://elsewhere")
    kept.crawl(["b", "d"], job="second")
    for name in "abd":
        kept.store.delete(path_of(name))
    kept.store.delete(dropped_path_of("c"))
    done, repairs = mend(kept)
    assert done == {
        path_of("a"): (Action.ELSEWHERE,),
        dropped_path_of("c"): (Action.ELSEWHERE,),
        path_of("b"): (Action.AGAIN,),
        path_of("d"): (Action.AGAIN,),
    }
    assert (repairs.elsewhere, repairs.left) == ({"gs://elsewhere": 2}, 4)
    assert kept.path_in_catalogue("a") == path_of("a")


def test_an_empty_store_that_nobody_named_is_a_mistake(kept: Kept) -> None:
    kept.crawl(["a"])
    wrong = Kept(kept.engine, kept.store.folder / "wrong")
    assert found(wrong) == [("missing", path_of("a"))]
    with pytest.raises(
        StoreError, match=r"wrong/images is empty, the catalogue has 1 objects .* give the right --store"
    ):
        mend(wrong)
    assert kept.path_in_catalogue("a") == path_of("a")
    kept.store.delete(path_of("a"))
    assert mend(kept)[0] == {path_of("a"): (Action.AGAIN,)}  # this one has been named, and is empty by an accident


# --- While others are at work ---------------------------------------------------------------------------------------


class Meanwhile(LocalStore):
    """Something happens when all has been listed."""

    def __init__(self, kept: Kept, happens: Callable[[], None]) -> None:
        super().__init__(kept.store.name)
        self.happens = happens

    def list(self, prefix: str = "") -> Iterator[Stat]:
        yield from list(super().list(prefix))
        self.happens()


def test_what_moves_meanwhile_is_looked_at_again(kept: Kept) -> None:
    kept.crawl(["a", "b"], ["c"])
    kept.put(path_of("d"), bytes_of("d"))
    kept.store.delete(path_of("b"))

    def happens() -> None:
        kept.crawl(["b", "d"])

    assert list(fsck(kept.engine, Meanwhile(kept, happens), kept.spool)) == []
    kept.store.delete(path_of("b"))

    def forget() -> None:
        with kept.engine.begin() as connection:
            connection.execute(update(images).values(path=None).where(images.c.sha256 == sha256_of("b")))

    assert list(fsck(kept.engine, Meanwhile(kept, forget), kept.spool)) == []


class Broken(LocalStore):
    """Fails from the ``works``-th call on."""

    def __init__(self, kept: Kept, works: int, error: BaseException) -> None:
        super().__init__(kept.store.name)
        self.left, self.error = works, error

    def _call(self, *what: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.error

    def get(self, path: str) -> bytes:
        self._call("get", path)
        return super().get(path)

    def put_if_absent(self, path: str, *arguments: Any) -> bool:
        self._call("put", path)
        return super().put_if_absent(path, *arguments)

    def delete(self, path: str) -> bool:
        self._call("delete", path)
        return super().delete(path)

    def list(self, prefix: str = "") -> Iterator[Stat]:
        for number, one in enumerate(super().list(prefix)):
            if number == 1:
                self._call("list")
            yield one


def broken_dataset(kept: Kept) -> set[bytes]:
    """Something of everything; returns all bytes that must be somewhere whatever happens."""
    kept.crawl(["whole", "missing", "short", "damaged"], ["small"], spooled=["waits", "half there"])
    kept.put(path_of("half there"), b"half")
    kept.store.delete(path_of("missing"))
    kept.put(path_of("short"), b"the")
    kept.put(path_of("damaged"), bytes_of("DAMAGED"))
    kept.put(path_of("orphan"), bytes_of("orphan"))
    whole = {bytes_of(name) for name in ("whole", "waits", "half there", "orphan", "DAMAGED")}
    return {*whole, b"the", b"half", b"small"}


@pytest.mark.parametrize("catalogue_url", ["sqlite"], indirect=True)
def test_interrupted_anywhere_and_done_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    precious = broken_dataset(kept)
    interruptions = 0
    for works in itertools.count():
        try:
            list(repair(kept.engine, Broken(kept, works, KeyboardInterrupt()), kept.spool, deep=True))
            break
        except KeyboardInterrupt:
            interruptions += 1
        there = {kept.store.get(path) for path in kept.everything()} | {
            kept.spool.get(one.path) for one in kept.spool.list()
        }
        assert precious <= there
    assert interruptions > 3
    lost = {sha256_of(name) for name in ("missing", "short", "damaged")}
    assert kept.queued(1) == lost
    assert found(kept, deep=True) == sorted(("missing", name) for name in lost)
    assert list(kept.spool.list()) == []


def test_interrupted_before_anything_is_queued(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.crawl(["a", "b"])
    kept.store.delete(path_of("a"))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repairing, "retry", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mend(kept)
    assert (kept.path_in_catalogue("a"), kept.queued(1)) == (None, set())
    done, repairs = mend(kept)
    assert done == {sha256_of("a"): (Action.AGAIN,)}
    assert (kept.queued(1), repairs.left) == ({sha256_of("a")}, 1)


class Passing(Broken):
    """Each call is refused twice before it is answered."""

    def __init__(self, kept: Kept, error: BaseException) -> None:
        super().__init__(kept, 0, error)
        self.refused: Counter[tuple[str, ...]] = Counter()

    def _call(self, *what: str) -> None:
        self.refused[what] += 1
        if self.refused[what] % 3:
            raise self.error


def test_what_passes_is_waited_for(kept: Kept) -> None:
    broken_dataset(kept)
    away = UnavailableError("503")
    expected = found(kept, deep=True)
    kept_store, kept.store = kept.store, Passing(kept, away)
    assert found(kept, deep=True) == expected
    mend(kept, deep=True)
    kept.store = kept_store
    lost = {sha256_of(name) for name in ("missing", "short", "damaged")}
    assert found(kept, deep=True) == sorted(("missing", name) for name in lost)
    with pytest.raises(UnavailableError, match="503"):
        list(fsck(kept.engine, Broken(kept, 0, away), kept.spool))
    with pytest.raises(UnavailableError, match="503"):
        list(repair(kept.engine, Broken(kept, 1, away), kept.spool, deep=True))


# --- Anything at all, and very many ---------------------------------------------------------------------------------

NAMES = [f"image {number}" for number in range(12)]
DAMAGE = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(["delete", "truncate", "damage", "spool", "double"]), max_size=len(NAMES)
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset to be copied for each example."""
    folder = tmp_path_factory.mktemp("template")
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
    Kept(engine, folder).crawl(NAMES, store=None)
    engine.dispose()
    return folder


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGE, extra=st.sets(st.integers(0, 5)))
def test_exactly_what_was_done_is_found_and_mended(
    template: Path, tmp_path_factory: pytest.TempPathFactory, damage: dict[str, str], extra: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("dataset")
    shutil.copytree(template, folder, dirs_exist_ok=True)
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
    kept = Kept(engine, folder)
    kinds = {"delete": "missing", "truncate": "wrong_size", "damage": "wrong_hash"}
    expected, lost = [], set()
    for name, what in damage.items():
        path, data = path_of(name), bytes_of(name)
        if what in {"spool", "double"}:
            kept.spool.put_if_absent(path, data)
        if what != "double":
            kept.store.delete(path)
        if what in {"truncate", "damage"}:
            kept.put(path, data[:-1] if what == "truncate" else data[:-1] + b"!")
        if what in kinds:
            expected.append((kinds[what], path))
            lost.add(sha256_of(name))
    for number in extra:
        kept.put(f"{number}/orphan", b"orphan")
        expected.append(("orphan", f"{number}/orphan"))
    try:
        assert found(kept, deep=True) == sorted(expected)
        if set(damage.values()) <= {"delete"} and len(damage) == len(NAMES) and not extra:
            return  # an empty store is taken for the wrong one
        repairs = mend(kept, deep=True)[1]
        assert repairs.left == len(lost)
        assert kept.queued(1) == lost
        assert found(kept, deep=True) == sorted(("missing", name) for name in lost)
        kept.crawl([name for name in damage if sha256_of(name) in lost])
        assert found(kept, deep=True) == []
    finally:
        engine.dispose()


class Endless:
    """20,000 orphans that are made while they are listed."""

    name, threads = "endless", 2

    def __init__(self) -> None:
        self.listed = 0

    def list(self, prefix: str = "") -> Iterator[Stat]:
        for number in range(20_000):
            self.listed += 1
            yield Stat(f"{number:09}", 1, datetime.now(UTC) - timedelta(days=1))


def test_nothing_is_read_far_ahead(kept: Kept) -> None:
    kept.crawl(["a"])
    store: Any = Endless()
    differences = fsck(kept.engine, store, kept.spool)
    assert [next(differences).path for _ in range(3)] == ["000000000", "000000001", "000000002"]
    assert store.listed < 1000
    differences.close()


def test_a_store_that_lists_in_another_order_is_not_trusted(kept: Kept) -> None:
    kept.crawl(["a"])

    class Odd(LocalStore):
        def list(self, prefix: str = "") -> Iterator[Stat]:
            yield from (Stat(path, 1) for path in ("b", "a"))

    with pytest.raises(StoreError, match="does not list in the order of paths: 'a' comes late"):
        list(fsck(kept.engine, Odd(kept.store.name), kept.spool))
