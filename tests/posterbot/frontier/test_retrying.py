from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from failing_cases import fail, images_again, leave, lost, record, waiting
from frontier_cases import Part
from sqlalchemy import Engine, select, update

from posterbot.catalogue import in_turn
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Outcome, Page
from posterbot.catalogue.runs import begin_run
from posterbot.catalogue.schema import frontier, pages, patterns, runs, workers
from posterbot.frontier import retrying
from posterbot.frontier.again import Again
from posterbot.frontier.operate import Refusal
from posterbot.frontier.records import Failed, Finished, State, Wish
from posterbot.frontier.retrying import Failures, failures, retry


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def part(engine: Engine) -> Part:
    return Part(engine)


def test_failed_pages_are_tried_again(engine: Engine, part: Part) -> None:
    fail(part, {"https://a.example/x/1": "timeout", "https://b.example/x/1": "http_5xx"})
    fail(part, {"https://a.example/x/2": "timeout"}, retry_in=3600.0)
    fail(part, {"https://a.example/x/3": "http_404"})
    part.add("https://a.example/x/4")
    other = Part(engine, "other")
    fail(other, {"https://c.example/x/1": "timeout"})
    assert failures(engine, part.run) == {
        "timeout": Failures(2, 0),
        "http_5xx": Failures(1, 0),
        "http_404": Failures(1, 0),
    }
    queued = retry(engine, part.run, {"timeout", "http_5xx"})
    assert (queued.pages, queued.images, queued.patterns) == (3, Again(), 0)
    assert len(queued.at_work) == 1
    assert waiting(part) == [4, 4]
    again = (frontier.c.run_id == part.run) & frontier.c.url.in_(["https://a.example/x/1", "https://b.example/x/1"])
    columns = (frontier.c.tries, frontier.c.retry_at, frontier.c.reason)
    with engine.connect() as connection:
        assert connection.execute(select(*columns).where(again)).all() == [(0, None, None)] * 2
    assert len(part.lease()) == 4
    assert other.lease() == {}
    assert failures(engine, part.run) == {"http_404": Failures(1, 0)}


def test_only_of_one_host(engine: Engine, part: Part) -> None:
    fail(part, {"https://a.example/x/1": "timeout", "https://b.example/x/1": "timeout"})
    page = Page("https://a.example/p", 200)
    record(engine, lost(page, "one"), Outcome(page, "https://a.example/2.jpg", "img", reason="timeout"))
    assert failures(engine, part.run, "images.example") == {"timeout": Failures(0, 1)}
    assert failures(engine, part.run, "a.example") == {"timeout": Failures(1, 1)}
    assert retry(engine, part.run, {"timeout"}, "a.example").pages == 1
    assert images_again(part, 1) == ["2.jpg"]
    assert retry(engine, part.run, {"timeout"}, "nobody.example") == retrying.Queued(
        0, Again(), 0, retry(engine, part.run, set()).at_work
    )
    assert set(part.lease()) == {"https://a.example/x/1", "posterbot://again?page=1"}


def test_a_finished_run_is_open_again_and_goes_on(engine: Engine, part: Part) -> None:
    fail(part, {"https://a.example/x/1": "timeout"})
    leave(part)
    at = part.value(runs.c.finished_at)
    assert retry(engine, part.run, {"http_404"}).pages == 0
    assert part.value(runs.c.finish_reason) == "finished"  # nothing to go on with
    assert retry(engine, part.run, {"timeout"}).at_work == ()
    assert (part.value(runs.c.finish_reason), part.value(runs.c.finished_at)) == ("retry", at)
    later = Part(engine)
    assert (later.run, later.resumed) == (part.run, True)
    assert set(later.lease()) == {"https://a.example/x/1"}


def test_a_stop_keeps_its_reason(engine: Engine, part: Part) -> None:
    fail(part, {"https://a.example/x/1": "timeout"})
    leave(part, "shutdown")
    retry(engine, part.run, {"timeout"})
    assert part.value(runs.c.finish_reason) == "shutdown"


def test_what_a_worker_ended_meanwhile_is_opened_by_the_next_try(engine: Engine, part: Part) -> None:
    fail(part, {"https://a.example/x/1": "timeout"})
    retry(engine, part.run, {"timeout"})
    leave(part)  # it had looked before
    assert retry(engine, part.run, {"timeout"}).pages == 0
    assert part.value(runs.c.finish_reason) == "retry"


def test_what_was_queued_before_it_broke_off_is_not_lost(
    engine: Engine, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(part, {"https://a.example/x/1": "timeout"})
    record(engine, lost(Page("https://a.example/p"), "one"))
    leave(part)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(retrying, "queue_images", broken)
    with pytest.raises(ZeroDivisionError):
        retry(engine, part.run, {"timeout"})
    assert set(Part(engine).lease()) == {"https://a.example/x/1"}
    assert part.count(runs) == 1


def test_what_a_worker_has_taken_meanwhile_stays_its(
    engine: Engine, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(part, {"https://a.example/x/1": "timeout"})
    with part.begin() as connection:
        connection.execute(update(frontier).values(retry_at=1.0))
    written = retrying.written

    def late(*arguments: object) -> object:
        part.lease()
        return written(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(retrying, "written", late)
    assert retry(engine, part.run, {"timeout"}).pages == 0
    assert part.value(frontier.c.state) == State.LEASED


def test_what_nobody_can_go_on_with_is_refused(engine: Engine) -> None:
    sample = Part(engine, None)
    fail(sample, {"https://a.example/x/1": "timeout"})
    assert retry(engine, sample.run, {"timeout"}).pages == 1  # while it runs
    leave(sample)
    with pytest.raises(Refusal, match="sample site"):
        retry(engine, sample.run, {"timeout"})
    old = Part(engine)
    leave(old)
    new = Part(engine)
    with pytest.raises(Refusal, match=f"run {new.run} is a newer crawl of the same"):
        retry(engine, old.run, {"timeout"})
    with pytest.raises(LookupError, match="no run 99"):
        retry(engine, 99, {"timeout"})


def test_a_trap_is_opened(engine: Engine, part: Part) -> None:
    part.add(*(f"https://a.example/calendar/{n}" for n in range(9)))
    part.add(*(f"https://b.example/calendar/{n}" for n in range(9)))
    leased = part.lease(14)
    part.do(part.frontier.finish, *(Finished(key) for key in leased.values()))
    assert part.count(patterns, patterns.c.closed == "trap") == 2
    assert failures(engine, part.run) == {"trap": Failures(4, 0)}
    leave(part)
    assert retry(engine, part.run, {"timeout"}).patterns == 0
    assert part.count(patterns, patterns.c.closed == "trap") == 2
    queued = retry(engine, part.run, {"trap"}, "a.example")
    assert (queued.pages, queued.patterns) == (2, 1)
    queued = retry(engine, part.run, {"trap"})
    assert (queued.pages, queued.patterns) == (2, 1)
    later = Part(engine)
    assert len(later.lease()) == 4
    assert later.count(patterns, patterns.c.closed.is_(None), patterns.c.fruitless == 0) == 2
    assert later.add("https://a.example/calendar/new") == 1


def test_a_dry_run_counts_alike_and_changes_nothing(engine: Engine, part: Part) -> None:
    part.add(*(f"https://a.example/calendar/{n}" for n in range(7)))
    part.do(part.frontier.finish, *(Finished(key) for key in part.lease(5).values()))
    fail(part, {"https://a.example/x/1": "timeout"})
    one, two = Page("https://a.example/p"), Page("https://a.example/q")
    record(engine, lost(one, "one"), lost(one, "two"), lost(two, "one"))
    leave(part)
    for reasons, expected in (({"timeout"}, (1, Again(2, 3), 0)), ({"trap"}, (2, Again(), 1))):
        told = retry(engine, part.run, reasons, dry_run=True)
        assert (told.pages, told.images, told.patterns) == expected
        assert waiting(part) == [0, 0]
        assert part.value(runs.c.finish_reason) == "finished"
        assert part.count(patterns, patterns.c.closed == "trap") == 1
    assert retry(engine, part.run, {"timeout"}).images == Again(2, 3)


def test_in_batches(engine: Engine, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "URLS_AT_ONCE", 3)
    monkeypatch.setattr(retrying, "PAGES_AT_ONCE", 2)
    fail(part, {f"https://{host}.example/x/{n}": "timeout" for host in "ab" for n in range(5)})
    record(engine, *(lost(Page(f"https://a.example/{n}"), f"{n}-{m}") for n in range(5) for m in range(2)))
    queued = retry(engine, part.run, {"timeout"})
    assert (queued.pages, queued.images) == (10, Again(5, 10))
    assert waiting(part) == [15, 15]
    assert sum(len(part.lease()) for _ in range(5)) == 15


def test_while_a_crawl_writes(engine: Engine, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that leases, fails and adds all the time, and one who asks for all failures again and again."""
    monkeypatch.setattr(retrying, "URLS_AT_ONCE", 7)
    monkeypatch.setattr(in_turn, "_AGAIN_SECONDS", 0.0)
    part.add(*(f"https://{host}.example/x/{n}" for host in "abc" for n in range(20)))
    record(engine, *(lost(Page(f"https://a.example/{n}"), f"{n}") for n in range(9)))
    enough = threading.Event()
    added = 60
    errors: list[BaseException] = []

    def crawl() -> None:
        nonlocal added
        try:
            while not enough.is_set():
                added += part.add(f"https://d.example/x/{added}")
                if leased := part.do(part.frontier.lease, Wish(9)).leased:
                    part.do(part.frontier.fail, *(Failed(one.key, "timeout", None) for one in leased))
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=crawl)
    worker.start()
    again = 0
    while again < 10 and worker.is_alive():
        again += retry(engine, part.run, {"timeout"}).pages
    enough.set()
    worker.join()
    assert errors == []
    retry(engine, part.run, {"timeout"})
    assert waiting(part) == [added + 9, added + 9]
    assert part.count(frontier) == added + 9


def test_what_is_not_of_the_run_stays(engine: Engine) -> None:
    with engine.begin() as connection:
        begin_run(connection, "posters", {}, "1", "old")
    part = Part(engine)
    record(engine, lost(Page("https://a.example/p"), "one"))
    assert part.value(pages.c.run_id) == part.run
    assert failures(engine, 1) == {}
    assert retry(engine, 1, {"timeout"}).images == Again()
    assert part.value(workers.c.ended_at) is None
