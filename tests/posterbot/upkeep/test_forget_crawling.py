"""Forgetting while a crawl is at work on the same catalogue."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogue.catalogue_records import failed
from forget_world import A, B, C, World, again, path_of, piece, sha256_of
from frontier.frontier_cases import Part, link
from sqlalchemy import Engine, func, insert, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.schema import (
    candidates,
    frontier,
    hosts,
    images,
    pages,
    queues,
    sources,
)
from posterbot.frontier.records import Failed, Finished, State

SECRET = "https://images.example/secret.jpg"


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def count(world: World, table: Any, *conditions: Any) -> int:
    with world.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


@pytest.fixture
def part(engine: Engine) -> Part:
    return Part(engine)


@pytest.fixture
def crawled(part: Part, engine: Engine, tmp_path: Path) -> World:
    """As ``world``, of a run at which a worker is."""
    world = World(engine, tmp_path / "w")
    assert world.fill(end=None) == part.run
    return world


def waiting(part: Part) -> dict[str, int]:
    with part.begin() as connection:
        asked = select(hosts.c.name, queues.c.waiting).join(hosts, hosts.c.id == queues.c.host_id)
        return {name: number for name, number in connection.execute(asked) if number}


def urls(part: Part) -> set[str]:
    with part.begin() as connection:
        return set(connection.scalars(select(frontier.c.url)))


def test_urls_that_wait_are_not_fetched(crawled: World, part: Part) -> None:
    part.add("https://a.example/1", "https://a.example/2", "https://b.example/1", A.url, SECRET)
    part.add("https://c.example/1")
    assert waiting(part) == {"a.example": 3, "b.example": 1, "c.example": 1, "images.example": 1}
    assert crawled.forget(urls=[SECRET]).at_work
    assert waiting(part) == {"a.example": 3, "b.example": 1, "c.example": 1}
    crawled.forget(hosts=["a.example"])
    assert waiting(part) == {"b.example": 1, "c.example": 1}
    assert urls(part) - {""} == {"https://b.example/1", "https://c.example/1"}
    assert set(part.lease()) == {"https://b.example/1", "https://c.example/1"}
    assert count(crawled, hosts, hosts.c.name == "a.example") == 0


def test_the_lease_of_what_is_gone_may_end_in_any_way(crawled: World, part: Part) -> None:
    part.add(*(f"https://a.example/{n}" for n in range(4)), "https://b.example/1")
    keys = part.lease()
    crawled.forget(hosts=["a.example"])
    assert part.count(frontier, frontier.c.state == int(State.LEASED)) == 1
    part.do(part.frontier.finish, Finished(keys["https://a.example/0"]))
    part.do(part.frontier.fail, Failed(keys["https://a.example/1"], "forgotten", None))
    part.do(part.frontier.release, [keys["https://a.example/2"]])
    part.do(part.worker.leave, "finished")
    assert waiting(part) == {"b.example": 1}
    assert crawled.names("a.example") == set()


def test_numbers_that_a_crawl_knows_are_not_given_again(crawled: World, part: Part) -> None:
    """SQLite would give the number of the newest row to the next."""
    part.add("https://last.example/1")
    key = part.lease()["https://last.example/1"]
    recorder = Recorder(crawled.engine, spider="posters", arguments={}, version="1", job="job")
    d, e = (replace(C, url=f"https://{host}.example/1", films=()) for host in ("last", "newer"))
    recorder.outcome(crawled.seen("d", d, url="https://last.example/d.jpg")).result()
    tables = frontier, images, pages, sources
    with part.begin() as connection:
        newest = [connection.scalar(select(func.max(table.c.id))) for table in tables]
    crawled.store.put_if_absent(path_of("d"), b"x")
    crawled.forget(hosts=["last.example"])
    assert crawled.names("last.example", sha256_of("d")) == set()
    part.add("https://newer.example/1")
    recorder.outcome(crawled.seen("e", e, url="https://newer.example/e.jpg")).result()
    recorder.outcome(replace(failed("d", d, "forgotten"), url="https://last.example/d.jpg")).result()
    recorder.close(None)
    part.do(part.frontier.finish, Finished(key))
    with part.begin() as connection:
        for table, number in zip(tables, newest, strict=True):
            row = connection.execute(select(table).where(table.c.id == number)).mappings().first()
            assert row is None or "newer.example" not in str(dict(row)), table.name
        again = select(candidates.c.url, sources.c.name).join(sources, sources.c.id == candidates.c.source_id)
        found = dict(tuple(row) for row in connection.execute(again))
    assert found["https://last.example/d.jpg"].startswith(("last.example", "forgotten:"))
    assert part.value(frontier.c.state, frontier.c.url == "https://newer.example/1") == State.PENDING


def test_what_a_crawl_records_meanwhile_is_not_lost(crawled: World, part: Part) -> None:
    """It writes to the same pages and images without a pause."""
    stop = threading.Event()
    written = 0
    recorder = Recorder(crawled.engine, spider="posters", arguments={}, version="1", job="job")

    def crawl() -> None:
        nonlocal written
        while not stop.is_set():
            shared = crawled.seen("shared", B, url=f"https://mirror.example/{written}.jpg")
            third = crawled.seen("third", C, url=f"https://images.example/third-{written}.jpg")
            recorder.together([shared, third]).result()
            written += 1

    thread = threading.Thread(target=crawl)
    thread.start()
    try:
        while written < 5:
            crawled.forget(urls=[A.url])
    finally:
        stop.set()
        thread.join()
        recorder.close(None)
    crawled.forget(urls=[A.url])  # and what came back
    assert crawled.names(A.url, "mirror.example/", sha256_of("shared")) == set()
    assert count(crawled, candidates, candidates.c.url.like("%third-%")) == written


def test_requests_that_name_the_forgotten(crawled: World, part: Part) -> None:
    part.add(A.url, B.url)
    keys = part.lease()
    request = {"headers": {"Referer": [A.url], "X": ["y"]}, "meta": {"redirect_urls": [A.url, "https://r.example/"]}}
    child = link("https://b.example/child", parent=keys[A.url])
    other = link("https://b.example/other", parent=keys[B.url])
    for one, text in ((child, json.dumps(request)), (other, "{}")):
        part.do(part.frontier.add, [one])
        with part.begin() as connection:
            connection.execute(update(frontier).where(frontier.c.url == one.url).values(request=text))
    crawled.forget(urls=[A.url])
    assert crawled.names(A.url) == set()
    left = json.loads(part.value(frontier.c.request, frontier.c.url == child.url))
    assert left == {"headers": {"X": ["y"]}, "meta": {"redirect_urls": ["https://r.example/"]}}
    assert part.value(frontier.c.parent_id, frontier.c.url == other.url) == keys[B.url]


def test_images_that_wait_in_lists_and_to_be_fetched_again(crawled: World, part: Part) -> None:
    with part.begin() as connection:
        connection.execute(insert(hosts).values(name=""))
        nobody = connection.scalar(select(hosts.c.id).where(hosts.c.name == ""))
        numbers = dict(tuple(row) for row in connection.execute(select(pages.c.url, pages.c.id)))
        connection.execute(insert(queues).values(run_id=part.run, host_id=nobody, waiting=4))
        rows = {
            "file:///list.csv?piece=1": piece(SECRET, "https://images.example/third.jpg"),
            f"posterbot://again?page={numbers[A.url]}": again(A, "https://images.example/new.jpg"),
            f"posterbot://again?page={numbers[B.url]}": again(B, SECRET, "https://images.example/other.jpg"),
            f"posterbot://again?page={numbers[C.url]}": again(C, SECRET),
        }
        for number, (url, request) in enumerate(rows.items()):
            row = {"url": url, "request": request, "fingerprint": bytes([number]) * 20, "state": 0, "rank": 0}
            connection.execute(insert(frontier).values(run_id=part.run, host_id=nobody, **row))
    crawled.forget(urls=[A.url])
    assert crawled.names(A.url, SECRET) == set()
    assert waiting(part) == {"": 2}
    left = {url: part.value(frontier.c.request, frontier.c.url == url) for url in urls(part) if url}
    assert set(left) == {"file:///list.csv?piece=1", f"posterbot://again?page={numbers[B.url]}"}
    assert json.loads(left["file:///list.csv?piece=1"])["meta"]["posterbot_rows"] == [
        1,
        [None, ["https://images.example/third.jpg", "", None]],
    ]
