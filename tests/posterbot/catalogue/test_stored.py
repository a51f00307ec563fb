"""What the catalogue says of stored bytes, as streams in the order of paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from catalogue_records import failed, image, judged, page, policy
from sqlalchemy import Engine, insert, select, text, update

from posterbot.catalogue import stored as asking
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Outcome, now
from posterbot.catalogue.schema import candidates, images, runs, workers
from posterbot.catalogue.stored import (
    Stored,
    fewest_runs_that_saw,
    is_stored,
    known_paths,
    machines_of_runs,
    not_stored,
    number_not_stored,
    number_stored,
    runs_that_saw,
    store_of_image,
    stored,
    stores_of_runs,
    unset,
)


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def record(engine: Engine, *outcomes: Outcome, store: str | None = None) -> int:
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    written = [recorder.outcome(outcome) for outcome in outcomes]
    recorder.close("finished")
    assert [future.result() for future in written] == [None] * len(outcomes)
    with engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.id == recorder.run_id).values(store=store))
    return recorder.run_id


def kept(name: str, path: str | None, **facts: Any) -> Outcome:
    return judged(name, page(**facts), image=image(name, path=path))


def numbers(engine: Engine, names: Sequence[str]) -> list[int]:
    with engine.connect() as connection:
        found = {row.sha256: row.id for row in connection.execute(select(images.c.sha256, images.c.id))}
    return [found[image(name).sha256] for name in names]


def test_in_the_order_of_bytes_and_no_more_than_a_few_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A language would have "a" and "A" side by side, and leave out the signs between."""
    monkeypatch.setattr(asking, "ROWS_AT_ONCE", 2)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text('ALTER TABLE images ALTER path TYPE varchar COLLATE "und-x-icu"'))
    paths = ["b/B.jpg", "a/b.jpg", "a.jpg", "A/x.jpg", "a/b-1.jpg", "a/b/c.jpg", "ä.jpg", "aB", "ab"]
    dropped = image("small", dropped_path="dropped/x.jpg", dropped_bytes=7)
    record(
        engine,
        *(kept(f"image {number}", path) for number, path in enumerate(paths)),
        kept("nowhere", None),
        judged("small", page(), keep=False, image=dropped),
        failed("gone", page()),
    )
    found = list(stored(engine))
    assert [row.path for row in found] == sorted([*paths, "dropped/x.jpg"], key=str.encode)
    assert number_stored(engine) == len(found) == 10
    small = next(row for row in found if row.dropped)
    assert small == Stored("dropped/x.jpg", *numbers(engine, ["small"]), dropped.sha256, 7, True)
    first = found[0]
    assert first == Stored("A/x.jpg", *numbers(engine, ["image 3"]), image("image 3").sha256, 1000, False)


def test_paths_that_are_known(engine: Engine) -> None:
    name = image("a").sha256
    small = image("b", dropped_path=f"dropped/{image('b').sha256}.jpg", dropped_bytes=1)
    record(engine, kept("a", f"x/{name}.jpg"), judged("b", page(), keep=False, image=small), kept("c", "odd"))
    paths = [f"x/{name}.jpg", f"x/{name}.png", f"{name}.jpg", str(small.dropped_path), "odd", "unknown"]
    assert known_paths(engine, paths) == {f"x/{name}.jpg", small.dropped_path, "odd"}
    assert known_paths(engine, []) == set()


def test_what_is_taken_back_and_still_wanted(engine: Engine) -> None:
    small = image("small", dropped_path="dropped/x.jpg", dropped_bytes=7)
    record(engine, kept("a", "a.jpg"), kept("b", "b.jpg"), judged("small", page(), keep=False, image=small))
    record(engine, judged("b", page(), keep=False, image=image("b"), policy=policy("photo")))
    a, b, dropped = stored(engine)
    assert (list(not_stored(engine)), number_not_stored(engine)) == ([], 0)
    assert unset(engine, a)
    assert not unset(engine, b)  # the newest policy rejects it
    assert not unset(engine, dropped)
    assert [is_stored(engine, row) for row in (a, b, dropped)] == [False] * 3
    assert (list(stored(engine)), number_stored(engine)) == ([], 0)
    assert (list(not_stored(engine)), number_not_stored(engine)) == ([a.sha256], 1)
    with engine.connect() as connection:
        assert connection.scalar(select(images.c.dropped_bytes).where(images.c.id == dropped.image)) is None


def test_what_has_moved_meanwhile_is_not_taken_back(engine: Engine) -> None:
    record(engine, kept("a", "a.jpg"))
    (row,) = stored(engine)
    with engine.begin() as connection:
        connection.execute(update(images).values(path="b.jpg"))
    assert not is_stored(engine, row)
    assert not unset(engine, row)
    assert [row.path for row in stored(engine)] == ["b.jpg"]


def test_an_image_that_no_page_shows_is_not_wanted(engine: Engine) -> None:
    record(engine, kept("a", None), kept("b", "b.jpg"))
    assert number_not_stored(engine) == 1
    _, b = numbers(engine, ["a", "b"])
    with engine.begin() as connection:  # what is at that address is another picture now
        connection.execute(update(candidates).values(image_id=b))
    assert number_not_stored(engine) == 0


def test_which_runs_saw_what_is_wanted(engine: Engine) -> None:
    assert record(engine, *(kept(name, None) for name in "abc"), kept("d", "d.jpg")) == 1
    assert record(engine, *(kept(name, None) for name in "ab")) == 2
    assert record(engine, kept("d", "d.jpg")) == 3
    assert record(engine, kept("a", None)) == 4
    with engine.connect() as connection:
        assert runs_that_saw(connection) == [4, 2, 1]
        assert fewest_runs_that_saw(connection, [1, 2, 3, 4]) == {4: 1, 2: 1, 1: 1}
        assert fewest_runs_that_saw(connection, [1, 2]) == {2: 2, 1: 1}
        assert fewest_runs_that_saw(connection, [2]) == {2: 2}
        assert fewest_runs_that_saw(connection, []) == {}


def test_where_runs_have_stored(engine: Engine) -> None:
    record(engine, kept("old", "old.jpg"))
    record(engine, kept("a", "a.jpg"), kept("b", "b.jpg"), store="gs://there")
    record(engine, kept("b", "b.jpg"), store="/here")
    assert stores_of_runs(engine) == ["/here", "gs://there"]
    old, a, b = numbers(engine, ["old", "a", "b"])
    assert store_of_image(engine, old, "/here") == "/here"  # it is not known: it may
    assert store_of_image(engine, a, "/here") == "gs://there"
    assert store_of_image(engine, b, "/here") == "/here"
    assert store_of_image(engine, b, "gs://there") == "gs://there"
    assert store_of_image(engine, b, "/elsewhere") == "/here"


def test_machines(engine: Engine) -> None:
    run = record(engine, kept("a", "a.jpg"))
    row = {"run_id": run, "pid": 1, "born": "1", "beat": 0, "started_at": now()}
    with engine.begin() as connection:
        for name in ("one/boot/container", "one/other boot/container", "two//"):
            connection.execute(insert(workers).values(machine=name, **row))
    assert machines_of_runs(engine) == {"one", "two"}
