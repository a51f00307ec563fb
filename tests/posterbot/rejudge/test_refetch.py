"""Images that pass for the first time get their bytes: from what was kept of them, or from the web."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kept_images import POLICY, Kept, bytes_of, dropped_path_of, path_of, sha256_of
from sqlalchemy import select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import images, policies, runs, workers
from posterbot.frontier.workers import born, machine
from posterbot.rejudge import refetch as fetching
from posterbot.rejudge.refetch import OfRun
from posterbot.rejudge.rejudge import Rejudged, rejudge, rejudge_with
from posterbot.upkeep.fsck import fsck


@pytest.fixture
def kept(catalogue_url: str, tmp_path: Path) -> Iterator[Kept]:
    engine = open_catalogue(catalogue_url)
    yield Kept(engine, tmp_path)
    engine.dispose()


def crawl_without(kept: Kept, names: list[str], **facts: object) -> int:
    """A run that has scored and dropped some images, of which nothing was kept."""
    run = kept.crawl([], dropped=names, **facts)  # type: ignore[arg-type]
    for name in names:
        kept.store.delete(dropped_path_of(name))
    with kept.engine.begin() as connection:
        connection.execute(update(images).values(dropped_path=None, dropped_bytes=None))
    return run


def let_pass(kept: Kept) -> Rejudged:
    return rejudge(kept.engine, threshold=0.6, author="bob", store=kept.store)


def test_they_are_queued_in_the_newest_run_that_can_go_on(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "IMAGES_AT_ONCE", 2)
    names = [f"n{number}" for number in range(5)]
    crawl_without(kept, names, job=None)
    run = crawl_without(kept, names)
    done = let_pass(kept)
    assert (done.newly_kept, done.to_fetch) == (5, 5)
    assert done.bytes is not None
    assert done.bytes.runs == [OfRun(run, 5, 0, False, False)]
    assert kept.queued(run) == {sha256_of(name) for name in names}
    with kept.engine.connect() as connection:
        assert connection.scalar(select(runs.c.finish_reason).where(runs.c.id == run)) == "retry"
    again = let_pass(kept)
    assert again.bytes is not None, "as long as they are not there, the same call says so"
    assert again.bytes.runs == done.bytes.runs
    assert kept.queued(run) == {sha256_of(name) for name in names}


def test_a_run_at_work_by_another_policy_would_drop_them_again(kept: Kept) -> None:
    run = crawl_without(kept, ["a"], end=None)
    with kept.engine.begin() as connection:
        at = connection.scalar(select(images.c.first_seen_at))
        row = {"run_id": run, "machine": machine(), "pid": os.getpid(), "born": born(os.getpid()), "beat": 0}
        connection.execute(workers.insert().values(**row, started_at=at))
    done = let_pass(kept)
    assert done.bytes is not None
    assert done.bytes.runs == [OfRun(run, 1, 0, True, False)]
    assert kept.queued(run) == set()
    with kept.engine.begin() as connection:  # somebody steers it
        connection.execute(update(policies).where(policies.c.id == done.policy).values(origin="steer"))
    assert done.policy is not None
    followed = rejudge_with(kept.engine, done.policy)
    assert followed.bytes is not None
    assert followed.bytes.runs == [OfRun(run, 1, 0, True, True)]
    assert kept.queued(run) == {sha256_of("a")}


def test_what_keep_dropped_has_whole_is_put_in_place(kept: Kept) -> None:
    run = crawl_without(kept, ["whole", "small", "longish"])
    for name, data in {
        "whole": bytes_of("whole"),
        "small": b"small",
        "longish": b"x" * len(bytes_of("longish")),
    }.items():
        kept.put(dropped_path_of(name), data)
        with kept.engine.begin() as connection:
            facts = {"dropped_path": dropped_path_of(name), "dropped_bytes": len(data)}
            connection.execute(update(images).where(images.c.sha256 == sha256_of(name)).values(facts))
    done = let_pass(kept)
    assert done.bytes is not None
    assert (done.bytes.promoted, done.bytes.promoted_bytes) == (1, len(bytes_of("whole")))
    assert kept.path_in_catalogue("whole") == path_of("whole")
    assert kept.store.get(path_of("whole")) == bytes_of("whole")
    assert kept.queued(run) == {sha256_of("small"), sha256_of("longish")}
    wrong = [difference.path for difference in fsck(kept.engine, kept.store, kept.spool)]
    assert wrong == sorted([sha256_of("small"), sha256_of("longish")]), "what has yet to be fetched"


def test_what_no_run_can_fetch_is_said(kept: Kept) -> None:
    crawl_without(kept, ["a"], job=None, policy=POLICY)
    done = let_pass(kept)
    assert done.bytes is not None
    assert (done.bytes.runs, done.bytes.hopeless) == ([], 1)
    assert "cannot be resumed" in done.bytes.refused[0]
