from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from frontier_cases import Part
from sqlalchemy import Engine, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Page
from posterbot.catalogue.runs import begin_run
from posterbot.catalogue.schema import hosts, runs, workers
from posterbot.frontier.host_rows import host_rows
from posterbot.frontier.host_table import clock
from posterbot.frontier.operate import Refusal, ask_to_stop, at_work, crawls, to_resume
from posterbot.frontier.records import Failed

NOBODY = 2**22 + 1
"""A pid that no process can have."""


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def dies(part: Part) -> None:
    """As after kill -9, on this machine."""
    with part.begin() as connection:
        connection.execute(update(workers).where(workers.c.id == part.worker.number).values(pid=NOBODY))


def moves(part: Part) -> None:
    """As if it worked on another machine."""
    with part.begin() as connection:
        elsewhere = update(workers).where(workers.c.id == part.worker.number)
        connection.execute(elsewhere.values(machine="far-away/boot/pid:[1]", pid=77))


def test_a_crawl_is_counted(engine: Engine) -> None:
    part = Part(engine)
    part.add(*(f"https://a.example/x/{n}" for n in range(9)))
    leased = list(part.lease(4).values())
    part.do(part.frontier.fail, Failed(leased[0], "timeout", 60.0), Failed(leased[1], "http_404", None))
    recorder = Recorder(engine, spider="posters", arguments={"labels": "poster"}, version="1", job="job")
    for number in range(3):
        recorder.page(Page(f"https://a.example/p/{number}", 200))
    recorder.page(Page("https://a.example/x/1", 404, reason="http_404"))
    recorder.close(None)
    (crawl,) = crawls(engine)
    assert (crawl.run, crawl.state, crawl.reason, crawl.workers) == (part.run, "running", None, 1)
    assert (crawl.done, crawl.waiting, crawl.leased, crawl.failed, crawl.retries) == (3, 5, 2, 1, 1)
    assert crawl.resumable


def test_crawls_are_counted_apart(engine: Engine) -> None:
    one, two = Part(engine, "one"), Part(engine, "two")
    one.add("https://a.example/x/1", "https://b.example/x/1")
    two.add("https://a.example/x/1")
    two.lease()
    assert [(crawl.waiting, crawl.leased) for crawl in crawls(engine)] == [(2, 0), (0, 1)]


def test_states(engine: Engine) -> None:
    parts = {name: Part(engine, name) for name in ("running", "dead", "elsewhere", "both", "finished", "stopped")}
    dies(parts["dead"])
    moves(parts["elsewhere"])
    moves(parts["both"])
    Part(engine, "both")
    for name, reason in (("finished", "finished"), ("stopped", "shutdown")):
        parts[name].do(parts[name].worker.leave, reason)
    with engine.begin() as connection:
        begin_run(connection, "posters", {}, "0", None)  # killed, and older than the table of workers
    states = {crawl.run: (crawl.state, crawl.reason, crawl.workers, crawl.resumable) for crawl in crawls(engine)}
    assert [states.pop(part.run) for part in parts.values()] == [
        ("running", None, 1, True),
        ("interrupted", None, 0, True),
        ("running?", None, 1, True),
        ("running", None, 2, True),
        ("finished", "finished", 0, False),
        ("stopped", "shutdown", 0, True),
    ]
    assert list(states.values()) == [("interrupted", None, 0, False)]


def test_who_is_at_work(engine: Engine) -> None:
    here, there, dead = Part(engine), Part(engine), Part(engine)
    moves(there)
    dies(dead)
    Part(engine, "other")
    found = at_work(engine, here.run)
    assert [(worker.number, worker.sure) for worker in found] == [
        (here.worker.number, True),
        (there.worker.number, False),
    ]
    assert str(found[1]) == "process 77 on far-away"
    with pytest.raises(LookupError, match="no run 99; the newest is 2"):
        at_work(engine, 99)


def test_a_stop_reaches_the_workers_of_that_run_only(engine: Engine) -> None:
    one, other = Part(engine, "one"), Part(engine, "other")
    ask_to_stop(engine, one.run)
    assert one.do(one.worker.beat, None).stop
    assert not other.do(other.worker.beat, None).stop


def test_what_it_takes_to_resume(engine: Engine, tmp_path: Path) -> None:
    job = json.dumps({"start": "https://a.example/", "urls": str(tmp_path / "list.txt"), "domains": []})
    with engine.begin() as connection:
        run = begin_run(connection, "posters", {"labels": "poster", "urls": "list.txt"}, "1", job).run
    found = to_resume(engine, run)
    assert (found.run, found.spider, found.at_work) == (run, "posters", ())
    # The setting START may be another now, and so may the folder.
    assert found.arguments == {
        "labels": "poster",
        "urls": str(tmp_path / "list.txt"),
        "start": "https://a.example/",
    }


def test_a_job_that_says_nothing_changes_nothing(engine: Engine) -> None:
    for job in ("job", "[]", "{}"):
        with engine.begin() as connection:
            run = begin_run(connection, "posters", {"start": "x"}, "1", job).run
        assert to_resume(engine, run).arguments == {"start": "x"}


def test_what_cannot_be_resumed(engine: Engine) -> None:
    with pytest.raises(LookupError, match="no run 1; there is none yet"):
        to_resume(engine, 1)
    one = Part(engine)
    one.do(one.worker.leave, "finished")
    with pytest.raises(Refusal, match=f"run {one.run} is finished; .*posterbot retry --run {one.run} "):
        to_resume(engine, one.run)
    two = Part(engine)
    with engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.id == one.run).values(finish_reason="retry"))
    with pytest.raises(Refusal, match=f"run {two.run} is a newer crawl"):
        to_resume(engine, one.run)
    assert [worker.number for worker in to_resume(engine, two.run).at_work] == [two.worker.number]
    with pytest.raises(Refusal, match="sample site"):
        to_resume(engine, Part(engine, None).run)


def test_hosts(engine: Engine) -> None:
    one, two = Part(engine, "one"), Part(engine, "two")
    one.add("https://a.example/x/1", "https://b.example/x/1", "https://b.example/x/2", "file:///list#1")
    two.add("https://a.example/x/1", "https://a.example/x/2")
    states = one.do(one.hosts.take, ["images.example", "b.example"])
    day = int(datetime.now(UTC).timestamp() // 86_400)
    state = states["images.example"]
    state.requests, state.bytes, state.day, state.day_requests, state.day_bytes = 90, 4000, day, 7, 100
    state.gap, state.crawl_delay, state.failures = 2.5, 2.5, 3
    state.closed_for, state.closed_reason = 90.0, "http_429"
    old = states["b.example"]
    old.requests, old.day, old.day_requests, old.day_bytes = 1, day - 2, 5, 50
    one.do(one.hosts.save, [state, old])
    rows, total = host_rows(engine)
    assert [(row.host, row.waiting) for row in rows] == [("a.example", 3), ("b.example", 2), ("images.example", 0)]
    assert total == 3
    a, b, images = rows
    assert a.worker is None
    assert (images.requests, images.bytes, images.requests_today, images.bytes_today) == (90, 4000, 7, 100)
    assert (images.gap, images.crawl_delay, images.failures, images.closed_reason) == (2.5, 2.5, 3, "http_429")
    assert 80 < images.closed_for <= 90
    assert images.worker is not None
    assert "dead" not in images.worker
    assert (b.requests_today, b.bytes_today, b.closed_for) == (0, 0, 0)  # that was another day

    assert [(row.host, row.waiting) for row in host_rows(engine, two.run)[0]][:2] == [
        ("a.example", 2),
        ("images.example", 0),  # then by requests
    ]
    assert ([row.host for row in host_rows(engine, limit=1)[0]], host_rows(engine, limit=1)[1]) == (["a.example"], 3)
    with pytest.raises(LookupError):
        host_rows(engine, 99)


def test_a_closing_that_is_over_and_a_lease_of_the_dead(engine: Engine) -> None:
    part = Part(engine)
    part.do(part.hosts.take, ["a.example"])
    with engine.begin() as connection:
        past = clock(connection) - 5
        connection.execute(update(hosts).values(closed_until=past, closed_reason="failing"))
    dies(part)
    ((row,), _) = host_rows(engine)
    assert (row.closed_for, row.closed_reason) == (0, None)
    assert (row.worker or "").endswith(", which is dead")
