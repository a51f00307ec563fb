"""Many transactions in a row: others get their turn, and what was in another's way is done again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from posterbot.catalogue import in_turn as turns
from posterbot.catalogue.database import IMMEDIATE, open_catalogue
from posterbot.catalogue.in_turn import in_turn, written
from posterbot.catalogue.schema import candidates, sources


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def add(connection: Connection, name: str) -> None:
    connection.execute(insert(sources).values(name=name))


def test_who_waits_gets_its_turn(tmp_path: Path) -> None:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    begun = threading.Event()

    def other() -> None:
        begun.wait()
        with engine.execution_options(**IMMEDIATE).begin() as connection:
            add(connection, "who waits")

    waiting = threading.Thread(target=other)
    waiting.start()
    for number in range(8):
        with in_turn(engine) as connection:
            add(connection, f"{number}.example")
            begun.set()
            time.sleep(0.12)
    waiting.join()
    with engine.connect() as connection:
        order = connection.scalars(select(sources.c.name).order_by(sources.c.id)).all()
    engine.dispose()
    assert order.index("who waits") < len(order) - 1


def test_what_is_in_anothers_way_is_done_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_AGAIN_SECONDS", 0.001)
    calls = []

    def write(connection: Connection, often: int) -> int:
        calls.append(None)
        add(connection, f"{len(calls)}.example")
        if len(calls) < often:
            connection.execute(insert(candidates).values(page_id=77, url="u", found_by="img"))  # no such page
        return len(calls)

    assert written(engine, write, 3) == 3
    with pytest.raises(IntegrityError):
        written(engine, write, 100)
    with engine.connect() as connection:
        assert connection.scalars(select(sources.c.name)).all() == ["3.example"]


def test_an_error_undoes_it(engine: Engine) -> None:
    def breaks(connection: Connection) -> None:
        add(connection, "a.example")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        written(engine, breaks)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(sources)) == 0
