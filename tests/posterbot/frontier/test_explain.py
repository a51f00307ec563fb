"""What is said of the frontier is what a lease does, and nothing is changed by asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from frontier_cases import Part, link
from sqlalchemy import Engine, event, update
from test_by_yield import add, crawl, films, found, kind, news

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import frontier, hosts, queues
from posterbot.frontier.course import Course, Group, at, course, estimate
from posterbot.frontier.explain import explain, hoped
from posterbot.frontier.records import Failed, Finished


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def part(engine: Engine) -> Part:
    return Part(engine, by_yield=True)


def lists_films_and_news(part: Part) -> None:
    """Lists lead to five films each, and six articles, which lead to nothing."""
    add(part, *(found(f"/list/{n}", "html/body/nav/a") for n in range(30)), *news(60))
    leads = 0
    for _ in range(15):
        leased = part.lease(8)
        for url, key in leased.items():
            if kind(url) == "list":
                add(part, *films(5, leads, parent=key), *news(6, 1000 + 2 * leads, parent=key))
                leads += 5
        done = [
            Finished(key, new_images=1, kept=int(kind(url) == "film"), requests=2, size=1000)
            for url, key in leased.items()
        ]
        part.do(part.frontier.finish, *done)


def test_the_next_urls_are_those_that_a_lease_gives(engine: Engine, part: Part) -> None:
    lists_films_and_news(part)
    part.do(part.worker.leave, "shutdown")
    fresh = Part(engine, by_yield=True)  # begins now, as is assumed
    fresh.do(fresh.frontier.join, None)
    fresh.do(fresh.frontier.release, list(fresh.lease(1).values()))  # judges the arms anew
    add(fresh, *(found(f"/{kind}/{n}", f"html/body/{kind}/a") for kind in ("odd", "even") for n in range(30)))
    held: frozenset[int] = frozenset()
    for number in (4, 3, 11):  # all within 20, and each knows of those before that they are under way
        told = explain(engine, part.run, number=number)
        assert told.under_way == len(held)
        assert told.next == explain(engine, part.run, number=number).next
        leased = fresh.lease(number, held=held)
        assert [one.url for one in told.next] == list(leased)
        assert len(leased) == number
        held |= frozenset(leased.values())


def test_why_a_url_is_next(engine: Engine, part: Part) -> None:
    lists_films_and_news(part)
    add(part, found("/odd/1", "html/body/footer/a"), *news(200, 100))
    whys = {kind(one.url): one.why for one in explain(engine, part.run, number=200).next}
    assert whys["odd"].startswith("new: never tried; usual is 0.")
    told = explain(engine, part.run, number=20)
    by_turns = [place for place, one in enumerate(told.next, 1) if one.why.startswith("by turns")]
    assert by_turns == [20], "as choosing has it: each twentieth"
    best = next(one for one in told.next if one.why.startswith("best of a.example: 0."))
    pulls = next(arm.fetched for arm in told.arms if arm.arm == best.arm)
    assert best.why.endswith(f"{pulls:,} pulls")
    with part.begin() as connection:
        connection.execute(update(frontier).where(frontier.c.url.endswith("/news/299")).values(arm_id=0))
    first = explain(engine, part.run).next[0]
    assert (first.url, first.why) == ("https://a.example/news/299", "asked for by a person")


def test_a_list_says_where_it_leads(engine: Engine, part: Part) -> None:
    lists_films_and_news(part)
    rows = {arm.pattern: arm for arm in explain(engine, part.run).arms}
    lead, other = rows["/list"].leads
    assert (other.pattern, other.per_page > lead.per_page) == ("/news", True), "what pays is first, not what is most"
    assert (lead.arm, lead.pattern, lead.host) == (rows["/film"].arm, "/film", "a.example")
    assert 4 < lead.per_page < 8
    assert rows["/list"].worth > 3 * (rows["/list"].recent or 0)
    assert rows["/film"].path == "main/ul.films/li/a.title"
    assert rows["/film"].found == rows["/film"].fetched
    assert rows["/film"].worth <= rows["/film"].hope
    assert all(kind(url) == arm.pattern[1:] for arm in rows.values() for url in arm.examples)
    assert [arm.worth for arm in explain(engine, part.run).arms] == sorted(arm.worth for arm in rows.values())[::-1]
    limited = explain(engine, part.run, limit=1)
    assert (len(limited.arms), limited.arm_count) == (1, 3)


def test_arms_of_which_nothing_waits_have_examples_too(engine: Engine, part: Part) -> None:
    add(part, *films(3))
    crawl(part, 3)
    (arm,) = explain(engine, part.run).arms
    assert arm.waiting == 0
    assert len(set(arm.examples)) == 2
    assert {kind(url) for url in arm.examples} == {"film"}
    assert explain(engine, part.run).next == ()


def test_one_host_only(engine: Engine, part: Part) -> None:
    add(part, *films(5), *news(5, host="b.example"))
    told = explain(engine, part.run, host="b.example")
    assert (told.waiting, told.arm_count, {one.host for one in told.next}) == (5, 1, {"b.example"})
    assert {arm.host for arm in told.arms} == {"b.example"}
    with pytest.raises(LookupError, match=r"run 1 has no URLs of host 'c\.example'"):
        explain(engine, part.run, host="c.example")
    with pytest.raises(LookupError, match="no run 7"):
        explain(engine, 7)


def test_hosts_take_their_turns_by_their_gaps(engine: Engine, part: Part) -> None:
    add(part, *films(9), *news(9, host="b.example"))
    with part.begin() as connection:
        connection.execute(update(hosts).values(gap=2.0))
        connection.execute(update(queues).values(served_at=0.0))
    told = explain(engine, part.run, number=6).next
    assert [one.seconds for one in told] == [0, 0, 2, 2, 4, 4]
    assert [len({one.host for one in told[place : place + 2]}) for place in (0, 2, 4)] == [2, 2, 2]
    with part.begin() as connection:
        connection.execute(update(hosts).where(hosts.c.name == "a.example").values(closed_until=1e12))
    assert {one.host for one in explain(engine, part.run, number=9).next} == {"b.example"}


def test_breadth_first_says_so(engine: Engine) -> None:
    part = Part(engine)
    part.do(
        part.frontier.add,
        [replace(link(f"https://a.example/x/{n}", priority=-(n > 1)), depth=int(n > 1)) for n in range(5)],
    )
    told = explain(engine, part.run)
    assert (told.strategy, told.arms, told.arm_count) == ("breadth_first", (), 0)
    assert [(depth.depth, depth.waiting, depth.fetched) for depth in told.depths] == [(0, 2, 0), (1, 3, 0)]
    assert [one.url for one in told.next] == list(part.lease(5))
    assert "found first" in told.next[0].why
    assert course(engine, part.run) == Course("breadth_first", 0, 0, 0.0, ((0.0, 0.0),), ())


def test_the_strategy_is_the_one_in_force(engine: Engine, part: Part) -> None:
    add(part, *films(5))
    assert explain(engine, part.run).strategy == "yield"
    part.do(part.worker.leave, "shutdown")
    other = Part(engine)
    other.do(other.frontier.join, None)
    assert explain(engine, part.run).strategy == "breadth_first"
    other.do(other.worker.leave, "shutdown")
    third = Part(engine, by_yield=True)
    third.do(third.frontier.join, None)
    assert explain(engine, part.run).strategy == "yield"


def test_asking_writes_nothing(engine: Engine, part: Part) -> None:
    lists_films_and_news(part)
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, *rest: said.append(statement))
    explain(engine, part.run)
    course(engine, part.run)
    assert said
    assert [statement for statement in said if not statement.lstrip().upper().startswith(("SELECT", "BEGIN DEF"))] == []


def test_what_can_be_hoped(engine: Engine, part: Part) -> None:
    assert hoped(engine, part.run) == (None, 0)
    add(part, *films(5))
    worth, waiting = hoped(engine, part.run)
    assert worth is not None
    assert (0 < worth < 1, waiting) == (True, 5)


def test_the_course_is_what_was_counted(engine: Engine, part: Part) -> None:
    lists_films_and_news(part)
    part.do(part.frontier.fail, *(Failed(key, "http_404", None) for key in part.lease(3).values()))
    told = course(engine, part.run)
    assert told.requests >= 2 * (told.pages - 3)
    assert told.found == sum(arm.found for arm in explain(engine, part.run).arms)
    assert told.curve[-1] == (told.requests, told.found)
    assert told.instead is not None
    assert told.instead < told.found, "films are behind lists, beside as many news"


def test_the_estimate_takes_depth_after_depth() -> None:
    """Arm 1: news, nothing. Arm 2: films, all with a poster; one request each."""
    groups = [Group(0, 1, 1, 0.0, 0), Group(1, 1, 80, 0.0, 20), Group(2, 2, 50, 50.0, 50), Group(2, 1, 0, 0.0, 100)]
    curve = estimate(groups, {1: 1.0, 2: 1.0}, 131.0)
    assert curve[-1] == (131.0, pytest.approx(15.0)), "30 of the 200 in depth 2, half of which are films"
    assert at(curve, 101) == 0.0
    dear = estimate(groups, {1: 1.0, 2: 3.0}, 131.0 + 100)
    assert at(dear, 101) == 0.0
    assert dear[-1][1] == pytest.approx(100 * 130 / 400), "a film takes three requests, an article one"
    assert estimate([], {}, 0.0)[-1] == (0.0, 0.0)


def test_few_pages_of_a_depth_are_judged_by_the_whole_arm() -> None:
    lucky = [Group(1, 1, 1, 1.0, 99), Group(2, 1, 99, 9.0, 0)]
    assert estimate(lucky, {1: 1.0}, 100.0)[-1][1] == pytest.approx(1 + 99 * 0.1, abs=1)
