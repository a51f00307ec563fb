"""What is not wanted any more is deleted; no moment, and no kill, leaves a kept image without its bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from kept_images import Kept, bytes_of, dropped_path_of, path_of, sha256_of
from sqlalchemy import Engine, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import images, verdicts, workers
from posterbot.frontier.operate import Refusal
from posterbot.frontier.workers import born, machine
from posterbot.rejudge import prune as pruning
from posterbot.rejudge.prune import prunable, prune
from posterbot.rejudge.rejudge import rejudge
from posterbot.review.answers import record
from posterbot.stores.local import LocalStore
from posterbot.stores.store import UnavailableError
from posterbot.upkeep.fsck import Kind, fsck

NAMES = [f"picture {number}" for number in range(12)]


class Killed(BaseException):
    """As a kill: nothing catches it."""


class Faulty(LocalStore):
    """Dies at the ``at``-th deletion: before it, or after it."""

    def __init__(self, store: LocalStore, at: int, *, after: bool) -> None:
        super().__init__(str(store.folder))
        self.threads, self._left, self._after = 1, at, after

    def delete(self, path: str) -> bool:
        self._left -= 1
        if self._left < 0 or (self._left == 0 and not self._after):
            raise Killed
        done = super().delete(path)
        if self._left == 0:
            raise Killed
        return done


@pytest.fixture
def kept(catalogue_url: str, tmp_path: Path) -> Iterator[Kept]:
    engine = open_catalogue(catalogue_url)
    yield Kept(engine, tmp_path)
    engine.dispose()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Kept]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield Kept(engine, tmp_path)
    engine.dispose()


def drop(engine: Engine, *names: str) -> None:
    """The newest verdicts of some images, turned."""
    these = select(images.c.id).where(images.c.sha256.in_([sha256_of(name) for name in names]))
    with engine.begin() as connection:
        connection.execute(
            update(verdicts).where(verdicts.c.image_id.in_(these)).values(keep=False, reason="not_relevant")
        )


def holds(kept: Kept) -> list[Kind]:
    """What fsck finds; and whatever is said to be kept has its bytes."""
    with kept.engine.connect() as connection:
        for path in connection.scalars(select(images.c.path).where(images.c.path.is_not(None))):
            assert kept.store.stat(path) is not None, path
    return [difference.kind for difference in fsck(kept.engine, kept.store, kept.spool)]


def test_originals_of_dropped_images_go_and_all_else_stays(kept: Kept) -> None:
    kept.crawl(NAMES[:6], dropped=["small"], spooled=["waits"])
    done = rejudge(kept.engine, threshold=0.9, author="bob")  # all have 0.75
    assert done.newly_dropped == 7
    assert kept.path_in_catalogue(NAMES[0]) is not None, "bytes stay until they are pruned"
    record(kept.engine, sha256_of(NAMES[0]), "yes", picked="asked", stratum=None, reviewer="anna")
    record(kept.engine, sha256_of(NAMES[1]), "yes", picked="asked", stratum=None, reviewer="anna")
    record(kept.engine, sha256_of(NAMES[1]), "no", picked="asked", stratum=None, reviewer="anna")
    record(kept.engine, sha256_of(NAMES[2]), "label", label="poster", picked="asked", stratum=None, reviewer="anna")
    there = prunable(kept.engine)
    assert (there.images, there.copies, there.spared) == (5, 0, 2)
    assert there.bytes == sum(len(bytes_of(name)) for name in [NAMES[1], *NAMES[3:6], "waits"])
    gone = prune(kept.engine, kept.store, kept.spool)
    assert (gone.objects, gone.bytes) == (5, there.bytes)
    assert kept.everything() == sorted([path_of(NAMES[0]), path_of(NAMES[2]), dropped_path_of("small")])
    assert kept.spool.stat(path_of("waits")) is None
    assert holds(kept) == []
    assert prune(kept.engine, kept.store, kept.spool).objects == 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 7, 12])
def test_a_kill_in_the_middle_is_finished_by_the_same_call(
    local: Kept, at: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 5)
    local.crawl(NAMES)
    drop(local.engine, *NAMES[2:])
    with pytest.raises(Killed) if at <= 10 else nullcontext():
        prune(local.engine, Faulty(local.store, at, after=after), local.spool)
    found = holds(local)
    # Nothing but, at most, the object that was deleted in this very moment, and is still said to be there.
    assert found == ([Kind.MISSING] if after and at <= 10 else [])
    prune(local.engine, local.store, local.spool)
    assert holds(local) == []
    assert local.everything() == sorted(map(path_of, NAMES[:2]))


def test_what_is_wanted_again_since_it_was_marked_is_put_back(local: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    local.crawl(NAMES[:4])
    rejudge(local.engine, threshold=0.9, author="bob")
    with pytest.raises(Killed):
        prune(local.engine, Faulty(local.store, 2, after=False), local.spool)
    rejudge(local.engine, threshold=0.5, author="bob")
    prune(local.engine, local.store, local.spool)
    assert len(local.everything()) == 3, "what is wanted again is not deleted, though it was marked"
    done = rejudge(local.engine, author="bob", store=local.store)
    assert (done.judged, done.newly_kept) == (0, 0)
    assert done.bytes is not None
    assert done.bytes.promoted == 3, "the bytes that are there are not fetched again"
    assert sum(of.images for of in done.bytes.runs) == 1
    prune(local.engine, local.store, local.spool)
    assert len(local.everything()) == 3
    assert holds(local) == [Kind.MISSING], "the one that is wanted, and to be fetched"


def test_second_copies_of_kept_images_go_and_small_pictures_of_dropped_ones_stay(local: Kept) -> None:
    local.crawl(["a"], dropped=["a", "b"])
    assert prunable(local.engine).copies == 1
    prune(local.engine, local.store, local.spool)
    assert local.everything() == sorted([path_of("a"), dropped_path_of("b")])
    assert holds(local) == []
    local.crawl(["b"], job="again")
    drop(local.engine, "b")
    prune(local.engine, local.store, local.spool)
    assert local.everything() == [path_of("a")]
    assert holds(local) == []


def test_not_beside_a_crawl(local: Kept) -> None:
    run = local.crawl(["a"])
    drop(local.engine, "a")
    with local.engine.begin() as connection:
        at = connection.scalar(select(images.c.first_seen_at))
        row = {"run_id": run, "machine": machine(), "pid": os.getpid(), "born": born(os.getpid()), "beat": 0}
        connection.execute(workers.insert().values(**row, started_at=at))
    with pytest.raises(Refusal, match="run 1 is at work"):
        prune(local.engine, local.store, local.spool)
    assert local.everything() == [path_of("a")]


def test_a_store_that_does_not_answer_loses_nothing(local: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    local.crawl(["a", "b"])
    drop(local.engine, "a", "b")
    monkeypatch.setattr("posterbot.stores.patient.BACKOFF_SECONDS", 0.0)

    class Away(LocalStore):
        def delete(self, path: str) -> bool:
            raise UnavailableError("away")

    with pytest.raises(UnavailableError):
        prune(local.engine, Away(str(local.store.folder)), local.spool)
    assert holds(local) == []
    prune(local.engine, local.store, local.spool)
    assert (local.everything(), holds(local)) == ([], [])


def test_a_crawl_that_took_it_for_stored_meanwhile_has_it_fetched_again(local: Kept) -> None:
    local.crawl(["a"])
    drop(local.engine, "a")

    class Meanwhile(LocalStore):
        def delete(self, path: str) -> bool:
            with local.engine.begin() as connection:
                connection.execute(update(images).values(path=path))
            return super().delete(path)

    prune(local.engine, Meanwhile(str(local.store.folder)), local.spool)
    assert local.path_in_catalogue("a") is None
