from __future__ import annotations

from collections.abc import Iterator

import pytest
from frontier_cases import Part, link
from sqlalchemy import Engine, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import frontier, hosts, patterns, queues, runs, workers
from posterbot.frontier.records import Failed, Finished, HostState, State, Wish


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def part(engine: Engine) -> Part:
    return Part(engine)


def urls(host: str, number: int, path: str = "film") -> list[str]:
    return [f"https://{host}/{path}/{n}" for n in range(number)]


def test_a_url_is_added_once_and_leased_once(part: Part) -> None:
    assert part.add("https://a.example/x/1", "https://a.example/x/1", "https://a.example/x/2") == 2
    assert part.add("https://a.example/x/1") == 0
    assert set(part.lease()) == {"https://a.example/x/1", "https://a.example/x/2"}
    assert part.lease() == {}


def test_what_is_shallow_comes_first(part: Part) -> None:
    part.add("https://a.example/x/deep", priority=-3)
    part.add("https://a.example/x/shallow", priority=-1)
    assert list(part.lease(1)) == ["https://a.example/x/shallow"]


def test_hosts_take_turns(part: Part) -> None:
    for host in ("a.example", "b.example", "c.example"):
        part.add(*urls(host, 50))
    leased = part.lease(9)
    assert {url.split("/")[2]: sum(url.split("/")[2] in u for u in leased) for url in leased} == {
        "a.example": 3,
        "b.example": 3,
        "c.example": 3,
    }
    assert all("c.example" not in url for url in part.lease(4, full=frozenset({"c.example"})))


def test_pieces_of_a_list_are_shared_by_all_workers(engine: Engine, part: Part) -> None:
    other = Part(engine)
    part.add(*(f"file:///list.jsonl#{number}" for number in range(4)))
    first, second = part.lease(10), other.lease(10)
    assert len(first) == len(second) == 1
    assert not first.keys() & second.keys()
    assert {*first, *second, *part.lease(10), *other.lease(10)} == {f"file:///list.jsonl#{n}" for n in range(4)}
    assert part.lease(10) == other.lease(10) == {}


def test_a_lease_says_whether_there_may_be_more(part: Part) -> None:
    lease = part.frontier.lease
    assert part.do(lease, Wish(5)).unfinished is False
    part.add("https://a.example/x/1")
    key = part.lease()["https://a.example/x/1"]
    assert part.do(lease, Wish(5)).unfinished is True  # it may bring links
    part.do(part.frontier.fail, Failed(key, "timeout", 3600.0))
    grant = part.do(lease, Wish(5))
    assert grant.unfinished is True
    assert 3500 < grant.soonest <= 3600
    with part.begin() as connection:
        connection.execute(update(frontier).values(retry_at=1.0))
    assert part.lease() == {"https://a.example/x/1": key}
    part.do(part.frontier.finish, Finished(key))
    assert part.do(lease, Wish(5)).unfinished is False
    assert part.value(frontier.c.tries) == 1


def test_a_retry_planned_by_a_clock_that_was_set_back_is_due(part: Part) -> None:
    part.add("https://a.example/x/1")
    part.do(part.frontier.fail, Failed(part.lease()["https://a.example/x/1"], "timeout", 10 * 86_400.0))
    assert part.lease()


def test_what_is_given_up_stays_failed(part: Part) -> None:
    part.add(*urls("a.example", 3), *urls("b.example", 2))
    first, *_ = part.lease(2).values()
    part.do(part.frontier.fail, Failed(first, "http_404", None))
    assert part.do(part.frontier.give_up, ("a.example", "host_failing")) == 2
    assert part.count(frontier, frontier.c.state == State.FAILED, frontier.c.retry_at.is_(None)) == 3
    assert all("b.example" in url for url in part.lease())


def test_released_urls_come_again(part: Part) -> None:
    part.add(*urls("a.example", 3))
    leased = part.lease()
    part.do(part.frontier.release, list(leased.values()))
    assert part.lease() == leased
    assert part.value(queues.c.waiting) == 0


def test_a_host_cannot_eat_the_crawl(engine: Engine) -> None:
    part = Part(engine, urls_per_host=10)
    assert part.add(*urls("a.example", 8)) == 8
    assert part.add(*urls("a.example", 20)) == 2
    assert part.add(*urls("b.example", 3)) == 3
    assert part.value(queues.c.refused, queues.c.added == 10) == 10


def read(part: Part, key: int, *links: str, images: int = 0) -> None:
    """A page was read, and had these links."""
    with part.begin() as connection:
        part.frontier.add(connection, [[link(url, parent=key) for url in links]])
        part.frontier.finish(connection, [Finished(key, None, images)])


def test_a_pattern_without_fruit_is_closed(part: Part) -> None:
    part.add(*urls("a.example", 20, "calendar"), *urls("a.example", 20, "film"))
    calendar = {url: key for url, key in part.lease(40).items() if "calendar" in url}
    for number, (url, key) in enumerate(list(calendar.items())[:5]):
        read(part, key, f"{url}x", images=int(number == 0))  # a link of its own kind is no fruit, a picture is
    assert part.value(patterns.c.closed, patterns.c.pattern == "/calendar") is None
    read(part, list(calendar.values())[5])
    assert part.value(patterns.c.closed, patterns.c.pattern == "/calendar") == "trap"
    assert part.lease() == {}  # those that waited are done
    assert part.count(frontier, frontier.c.reason == "trap", frontier.c.state == State.DONE) == 5
    assert part.value(patterns.c.refused, patterns.c.pattern == "/calendar") == 5
    assert part.add(*urls("a.example", 3, "calendar"), "https://a.example/calendar/new") == 0
    assert part.value(patterns.c.refused, patterns.c.pattern == "/calendar") == 6
    assert part.add("https://a.example/film/new") == 1


def test_links_elsewhere_are_fruit(part: Part) -> None:
    part.add(*urls("a.example", 20, "list"))
    for number, key in enumerate(part.lease(20).values()):
        read(part, key, f"https://a.example/film/{number}")
    assert part.value(patterns.c.closed, patterns.c.pattern == "/list") is None
    assert part.value(patterns.c.pages, patterns.c.pattern == "/list") == 20


def test_two_workers_share_a_run_and_no_host(engine: Engine) -> None:
    one, two = Part(engine), Part(engine)
    assert (one.run, one.resumed, two.run, two.resumed) == (one.run, False, one.run, True)
    one.add(*urls("a.example", 4), *urls("b.example", 4))
    first = one.lease(2)
    second = two.lease(100)
    assert first
    assert not {url.split("/")[2] for url in first} & {url.split("/")[2] for url in second}


def test_another_job_is_another_run(engine: Engine) -> None:
    one, two = Part(engine, "one"), Part(engine, "two")
    assert one.run != two.run
    one.add("https://a.example/x/1")
    assert two.lease() == {}
    assert two.add("https://a.example/x/1") == 1


def test_a_finished_run_is_not_resumed(engine: Engine) -> None:
    one = Part(engine)
    assert one.do(one.worker.leave, "finished") is True
    two = Part(engine)
    assert (two.run > one.run, two.resumed) == (True, False)
    two.do(two.worker.leave, "shutdown")
    assert Part(engine).run == two.run
    assert Part(engine, None).run > two.run


def test_a_run_that_gets_more_to_do_at_its_end_is_not_finished(engine: Engine) -> None:
    one = Part(engine)
    one.add("https://a.example/x/1")
    one.do(one.worker.leave, "finished")
    assert one.value(runs.c.finish_reason) == "left_over"
    assert Part(engine).lease()


def test_who_leaves_gives_back(engine: Engine) -> None:
    one, two = Part(engine), Part(engine)
    one.add(*urls("a.example", 4))
    leased = one.lease(2)
    assert two.lease() == {}
    assert one.do(one.worker.leave, "shutdown") is False  # there is another
    assert one.value(runs.c.finished_at) is None
    again = two.lease()
    assert set(leased) < set(again)
    two.do(two.frontier.finish, *(Finished(key) for key in again.values()))
    assert two.do(two.worker.leave, "finished") is True
    assert two.value(runs.c.finish_reason) == "finished"


def dead_after(part: Part, seconds: float) -> int:
    part.now += seconds
    dead: int = part.do(part.worker.beat, None).dead
    return dead


def test_the_dead_are_found_by_their_silence(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Part(engine), Part(engine)
    with engine.begin() as connection:  # as if on another machine
        connection.execute(update(workers).where(workers.c.id == one.worker.number).values(machine="elsewhere"))
    one.add(*urls("a.example", 4))
    leased = one.lease()
    one.do(one.worker.beat, None)
    two.do(two.worker.beat, None)
    assert [dead_after(two, 5) for _ in range(5)] == [0] * 5
    one.do(one.worker.beat, None)
    assert [dead_after(two, 5) for _ in range(7)] == [0] * 7
    assert dead_after(two, 500) == 0  # it was two who was away
    assert [dead_after(two, 5) for _ in range(7)] == [0] * 6 + [1]
    assert two.lease() == leased
    pulse = one.do(one.worker.beat, None)  # it was only slow
    assert pulse.buried
    assert not one.do(one.worker.beat, None).buried


def test_a_dead_process_of_this_machine_is_dead_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Part(engine)
    one.delays["a.example"] = 1.9
    one.add(*urls("a.example", 4))
    leased = one.lease()
    with engine.begin() as connection:
        connection.execute(update(workers).values(pid=2**22 + 1))  # more than there can be
    two = Part(engine)
    assert two.resumed
    assert two.do(two.worker.beat, None).dead == 1
    (state,) = two.do(two.hosts.take, ["a.example"]).values()
    assert 1 < state.wait <= 1.9  # nobody knows when it was last asked
    state.wait = 0.0
    two.do(two.hosts.save, [state])
    assert two.lease() == leased


def test_a_stop_is_asked_for_by_the_run(part: Part) -> None:
    assert not part.do(part.worker.beat, None).stop
    with part.begin() as connection:
        connection.execute(update(runs).values(stopping=True))
    assert part.do(part.worker.beat, None).stop
    assert not Part(part.engine).do(part.worker.beat, None).stop  # who starts it again wants it to go on


def test_a_host_is_handed_to_who_waits_for_it(engine: Engine) -> None:
    one, two = Part(engine), Part(engine)
    (state,) = one.do(one.hosts.take, ["a.example"]).values()
    assert two.do(two.hosts.take, ["a.example", "b.example"]).keys() == {"b.example"}
    state.wait, state.requests, state.crawl_delay = 5.0, 7, 2.5
    assert one.do(one.hosts.save, [state]) == {"a.example"}
    one.do(one.hosts.give, [state])
    one.add("https://a.example/x/1")
    assert one.lease() == {}
    (taken,) = two.do(two.hosts.take, ["a.example"]).values()
    assert (taken.requests, taken.crawl_delay) == (7, 2.5)
    assert 4 < taken.wait <= 5
    one.do(one.hosts.give, [HostState("a.example", requests=1)])  # not its own any more
    assert two.value(hosts.c.requests, hosts.c.name == "a.example") == 7


def test_closed_hosts_are_passed_over(part: Part) -> None:
    part.add(*urls("a.example", 2), *urls("b.example", 2))
    (state,) = part.do(part.hosts.take, ["a.example"]).values()
    state.closed_for, state.closed_reason = 60.0, "failing"
    part.do(part.hosts.save, [state])
    assert all("b.example" in url for url in part.lease())


def test_hosts_in_their_gap_are_passed_over_and_slow_ones_leased_by_the_url(part: Part) -> None:
    part.delays["slow.example"] = 5.0
    part.add(*urls("slow.example", 9), *urls("a.example", 9))
    (state,) = part.do(part.hosts.take, ["slow.example"]).values()
    assert sum("slow" in url for url in part.lease(8)) <= 1
    state.wait = 4.0
    part.do(part.hosts.save, [state])
    leased = part.lease(6)
    assert leased
    assert not any("slow" in url for url in leased)


def test_a_lease_whose_commit_was_never_heard_of_is_given_back(part: Part) -> None:
    part.add(*urls("a.example", 4))
    known = part.lease(2)
    part.lease(1)  # the answer is lost
    part.frontier.forget()
    assert len(part.lease(10, held=frozenset(known.values()))) == 2


def test_an_undone_transaction_leaves_no_trace(part: Part) -> None:
    part.add(*urls("a.example", 4))
    with part.engine.connect() as connection, connection.begin() as undone:
        part.frontier.lease(connection, [Wish(3)])
        undone.rollback()
    part.frontier.forget()
    assert len(part.lease()) == 4
    with part.engine.connect() as connection:
        assert connection.execute(select(queues.c.waiting, queues.c.added)).all() == [(0, 4)]
