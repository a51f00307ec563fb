"""Shapes of image addresses in the catalogue: read, counted by several at once, and there again after a restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.image_patterns import MOST, Key, count_patterns, read_patterns
from posterbot.catalogue.recorder import Recorder

RULE = "poster 0.5 100x100 abc"
STILLS: Key = ("img.example", RULE, "/stills/{text}.jpg")
POSTERS: Key = ("img.example", RULE, "/posters/{text}.jpg")


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def recorder(engine: Engine) -> Recorder:
    return Recorder(engine, spider="posters", arguments={}, version="0")


def test_what_was_counted_is_read(engine: Engine) -> None:
    one = recorder(engine)
    assert one.call(read_patterns, (STILLS[0], RULE)).result(20) == {}
    assert one.call(count_patterns, {STILLS: (3, 0), POSTERS: (2, 1)}).result(20) == {STILLS: (3, 0), POSTERS: (2, 1)}
    assert one.call(count_patterns, {STILLS: (2, 1)}).result(20) == {STILLS: (5, 1)}
    assert one.call(count_patterns, {}).result(20) == {}
    assert one.call(read_patterns, ("img.example", RULE)).result(20) == {STILLS[2]: (5, 1), POSTERS[2]: (2, 1)}
    assert one.call(read_patterns, ("other.example", RULE)).result(20) == {}
    assert one.call(read_patterns, ("img.example", "logo 0.5")).result(20) == {}
    one.close("finished")


def test_many_calls_at_once_are_one(engine: Engine) -> None:
    one = recorder(engine)
    futures = [one.call(count_patterns, {STILLS: (1, number % 2)}) for number in range(100)]
    reads = [one.call(read_patterns, (host, RULE)) for host in ("img.example", "other.example", "img.example")]
    assert [future.result(20)[STILLS] for future in futures][-1] == (100, 50)
    assert [read.result(20) for read in reads] == [{STILLS[2]: (100, 50)}, {}, {STILLS[2]: (100, 50)}]
    one.close("finished")


def test_two_workers_count_together(engine: Engine, catalogue_url: str) -> None:
    other_engine = open_catalogue(catalogue_url)
    workers = [recorder(engine), recorder(other_engine)]
    futures = []
    for number in range(40):
        first, second = (STILLS, POSTERS) if number % 2 else (POSTERS, STILLS)
        futures += [worker.call(count_patterns, {first: (1, 0), second: (1, 1)}, urgent=True) for worker in workers]
    for future in futures:
        future.result(60)
    assert workers[0].call(read_patterns, ("img.example", RULE)).result(20) == {
        STILLS[2]: (80, 40),
        POSTERS[2]: (80, 40),
    }
    for worker in workers:
        worker.close("finished")
    other_engine.dispose()


def test_the_next_run_knows(engine: Engine, catalogue_url: str) -> None:
    first = recorder(engine)
    first.call(count_patterns, {STILLS: (30, 0)}).result(20)
    first.close("finished")
    engine.dispose()
    opened = open_catalogue(catalogue_url)
    second = recorder(opened)
    assert second.call(read_patterns, ("img.example", RULE)).result(20) == {STILLS[2]: (30, 0)}
    assert second.call(count_patterns, {STILLS: (1, 1)}).result(20) == {STILLS: (31, 1)}
    second.close("finished")
    opened.dispose()


def test_the_most_seen_are_read(engine: Engine) -> None:
    one = recorder(engine)
    one.call(count_patterns, {("img.example", RULE, f"/{n}"): (n + 1, 0) for n in range(MOST + 20)}).result(20)
    found = one.call(read_patterns, ("img.example", RULE)).result(20)
    assert len(found) == MOST
    assert min(seen for seen, _ in found.values()) == 21
    one.close("finished")
