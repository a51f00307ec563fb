"""Crawls without pictures: pages of a made-up site come and go through the frontier, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from frontier_cases import Part, link
from sqlalchemy import Engine, func, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import arm_links, arms, frontier, promises, queues, yields
from posterbot.frontier import by_yield, host_arms
from posterbot.frontier.heads import REACH
from posterbot.frontier.records import Failed, Finished, Link, Place, State, Wish

FILMS, NEWS = "html/body/main/ul.films/li/a.title", "html/body/aside/ul.news/li/a"


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def part(engine: Engine) -> Part:
    return Part(engine, by_yield=True)


def found(url: str, path: str, *, parent: int | None = None, text: str = "", host: str = "a.example") -> Link:
    made = link(f"https://{host}{url}", parent=parent)
    return Link(made.url, made.fingerprint, made.host, made.pattern, -1, "{}", parent, Place(path, text, 0), depth=1)


def add(part: Part, *links: Link) -> int:
    number: int = part.do(part.frontier.add, links)
    return number


def films(number: int, start: int = 0, **more: Any) -> list[Link]:
    return [found(f"/film/{n}", FILMS, **more) for n in range(start, start + number)]


def news(number: int, start: int = 0, **more: Any) -> list[Link]:
    return [found(f"/news/{n}", NEWS, **more) for n in range(start, start + number)]


def kind(url: str) -> str:
    return urlsplit(url).path.split("/")[1]


def crawl(part: Part, pages: int, good: str = "film", at_once: int = 8) -> list[str]:
    """Fetch: pages of ``good`` bring a picture each. Gives the kinds of what was fetched, in order."""
    order: list[str] = []
    while len(order) < pages and (leased := part.lease(at_once)):
        order += [kind(url) for url in leased]
        part.do(
            part.frontier.finish,
            *(
                Finished(key, new_images=1, kept=int(kind(url) == good), requests=2, size=10_000)
                for url, key in leased.items()
            ),
        )
    return order


def test_links_in_like_places_that_look_alike_are_one_arm(part: Part) -> None:
    add(part, *films(5), *news(5), found("/film/9", "html/body/main/ul.films.active/li/a.title.visited"))
    assert part.count(arms) == 2
    assert part.value(func.max(arms.c.added)) == 6
    assert part.count(frontier, frontier.c.arm_id == 0) == 0


def test_hosts_that_were_forgotten_are_read_again(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_arms, "REMEMBERED", 7)
    for start in (0, 5):
        for letter in "abcdef":
            host = f"{letter}.example"
            add(part, *films(5, start, host=host), *news(5, start, host=host))
    assert part.count(arms) == 12
    remembered = part.frontier._strategy._hosts
    assert remembered._size == sum(1 + len(host.numbers) for host in remembered._known.values())
    assert 0 < remembered._size <= 7


def test_what_brings_pictures_is_fetched_first(part: Part) -> None:
    add(part, *news(200), *films(200))
    order = Counter(crawl(part, 160)[80:])
    assert order["film"] > 0.85 * sum(order.values())


def test_a_list_is_worth_nearly_what_it_leads_to(part: Part) -> None:
    """Lists bring nothing themselves; articles neither, nor do they lead anywhere."""
    add(part, *(found(f"/list/{n}", "html/body/nav/a") for n in range(20)), *news(100))
    leads = 0
    for _ in range(40):
        leased = part.lease(4)
        for url, key in leased.items():
            if kind(url) == "list":
                add(part, *(found(f"/film/{leads + n}", FILMS, parent=key) for n in range(5)))
                leads += 5
            part.do(part.frontier.finish, Finished(key, new_images=1, kept=int(kind(url) == "film"), requests=1))
    worth = dict(part_rows(part))
    assert worth["/list"] > 0.5 * worth["/film"]
    assert worth["/news"] < 0.2 * worth["/film"]
    assert part.value(arm_links.c.number) > 0


def test_a_list_of_pages_elsewhere_is_worth_what_they_are(part: Part) -> None:
    """Neither list brings anything; one leads to films on other hosts, the other to news there."""
    add(part, *(found(f"/{name}/{n}", f"html/body/nav.{name}/a") for name in ("good", "dull") for n in range(20)))
    made = 0
    for _ in range(40):
        leased = part.lease(4)
        for url, key in leased.items():
            links = {"good": films, "dull": news}.get(kind(url))
            for host in ("b.example", "c.example") if links else ():
                add(part, *links(2, start=made, parent=key, host=host))
                made += 2
        part.do(
            part.frontier.finish,
            *(Finished(key, new_images=1, kept=int(kind(url) == "film"), requests=1) for url, key in leased.items()),
        )
    worth = dict(part_rows(part))
    assert worth["/good"] > 0.5 * worth["/film"]
    assert worth["/dull"] < 0.2 * worth["/film"]


def part_rows(part: Part) -> list[tuple[str, float]]:
    with part.engine.connect() as connection:
        return [(row.pattern, row.worth) for row in connection.execute(select(arms.c.pattern, arms.c.worth))]


def test_nothing_starves(part: Part) -> None:
    add(part, *news(3), *films(400))
    order = crawl(part, 250)
    assert order.count("news") == 3, "each twentieth is of the arm served longest ago"


def test_within_an_arm_the_promising_goes_first_but_not_for_ever(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    wiki = "html/body/div.content/p/a"
    add(part, *(found(f"/wiki/{n}", wiki, text="a village" if n % 2 else "a film") for n in range(200)))
    for _ in range(10):
        leased = part.lease(10)
        part.do(
            part.frontier.finish,
            *(Finished(key, new_images=1, kept=int(url.rpartition("/")[2]) % 2 == 0) for url, key in leased.items()),
        )
    texts = {n: "a village" if n % 2 else "a film" for n in range(1000, 1200)}
    add(part, *(found(f"/wiki/{n}", wiki, text=text) for n, text in texts.items()))
    with part.engine.connect() as connection:
        ranks = {
            int(url.rpartition("/")[2]): rank
            for url, rank in connection.execute(select(frontier.c.url, frontier.c.rank))
        }
    better = [ranks[n] for n in texts if n % 2 == 0]
    worse = [ranks[n] for n in texts if n % 2]
    assert max(better) < min(worse)
    assert max(ranks.values()) - min(ranks.values()) <= REACH + len(ranks)


def test_hosts_compete(part: Part) -> None:
    for host in ("poor.example", "rich.example"):
        add(part, *(films(200, host=host) if host.startswith("rich") else news(200, host=host)))
    for _ in range(30):
        leased = part.lease(4)
        part.do(
            part.frontier.finish, *(Finished(key, new_images=1, kept=int("rich" in url)) for url, key in leased.items())
        )
    hosts_first = [next(iter(part.lease(1))) for _ in range(10)]
    assert sum("rich" in url for url in hosts_first) >= 8


def test_a_second_worker_knows_what_the_first_has_learned(engine: Engine, part: Part) -> None:
    add(part, *news(300), *films(300))
    crawl(part, 120)
    part.do(part.worker.leave, "shutdown")
    other = Part(engine, by_yield=True)
    other.do(other.frontier.join, None)
    assert other.run == part.run
    assert Counter(crawl(other, 40))["film"] >= 34


def test_what_words_are_worth_is_shared(engine: Engine, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_yield, "SHARED_EVERY", 10)
    add(part, *news(40), *films(40))
    crawl(part, 60)
    assert part.count(promises) > 0
    other = Part(engine, by_yield=True)
    other.do(other.frontier.join, None)
    add(other, *films(1, 900), *news(1, 900))
    ranks = [other.value(frontier.c.rank, frontier.c.url.endswith(f"/{of}/900")) for of in ("film", "news")]
    assert ranks[0] < ranks[1]


def test_an_undone_transaction_leaves_nothing_behind(part: Part) -> None:
    with part.engine.connect() as connection, connection.begin() as undone:
        part.frontier.add(connection, [films(3)])
        undone.rollback()
    part.frontier.forget()
    assert add(part, *films(3)) == 3
    assert len(part.lease()) == 3
    assert part.count(arms) == 1


def test_a_crawl_that_was_breadth_first_goes_on_by_yield_and_back(engine: Engine) -> None:
    first = Part(engine)
    add(first, *news(30))
    assert len(first.lease(5)) == 5
    first.do(first.worker.leave, "shutdown")
    second = Part(engine, by_yield=True)
    second.do(second.frontier.join, None)
    assert second.run == first.run
    assert second.count(frontier, frontier.c.arm_id == 0, frontier.c.state == State.PENDING) == 0
    assert len(second.lease(10)) == 10
    add(second, *films(10))
    second.do(second.worker.leave, "shutdown")
    third = Part(engine)
    third.do(third.frontier.join, None)
    seen = set()
    while leased := third.lease(20):
        seen |= set(leased)
        third.do(third.frontier.finish, *(Finished(key, new_images=1) for key in leased.values()))
    assert len(seen) == 40
    assert third.value(func.max(frontier.c.rank)) == 1


def test_what_a_person_asks_for_comes_first(part: Part) -> None:
    """``posterbot retry`` queues rows of no arm while a crawl is at work."""
    add(part, *films(50))
    with part.begin() as connection:
        of_news = frontier.c.url.endswith("/film/49")
        connection.execute(update(frontier).where(of_news).values(arm_id=0))
    assert next(iter(part.lease(5))) == "https://a.example/film/49"


def test_a_page_that_moved_is_a_page_of_its_arm(part: Part) -> None:
    add(part, *films(1))
    ((_, key),) = part.lease().items()
    moved = link("https://a.example/elsewhere/1", parent=key)
    add(part, moved)
    part.do(part.frontier.finish, Finished(key, "redirected"))
    ((url, key),) = part.lease().items()
    assert url == moved.url
    part.do(part.frontier.finish, Finished(key, new_images=1, kept=2, requests=3))
    assert part.count(arms) == 1
    assert (part.value(arms.c.added), part.value(arms.c.fetched), part.value(arms.c.found)) == (1, 1, 2.0)


def test_pages_that_cannot_be_read_count_against_their_arm(part: Part) -> None:
    add(part, *films(2))
    one, two = part.lease().values()
    part.do(part.frontier.fail, Failed(one, "http_404", None), Failed(two, "timeout", 60.0))
    assert part.value(arms.c.fetched) == 1


def test_the_course_of_a_run_is_counted(part: Part) -> None:
    add(part, *films(10), *news(10))
    crawl(part, 20)
    totals = [part.value(func.sum(column)) for column in (yields.c.pages, yields.c.requests, yields.c.found)]
    assert totals == [20, 40, 10.0]
    assert part.value(func.sum(frontier.c.found)) == 10.0


def test_a_host_cannot_have_arms_without_end(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_arms, "MOST_ARMS", 10)
    add(part, *(link(f"https://a.example/{n}", pattern=f"/shape-{n}") for n in range(50)))
    assert part.count(arms) == 11
    assert len(part.lease()) == 50


def test_old_experience_counts_less(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posterbot.frontier.arm_table.MEMORY", 32)
    add(part, *films(300))
    crawl(part, 100, good="film")
    assert part.value(arms.c.pulls) < 32 + 8
    assert part.value(arms.c.fetched) >= 100
    crawl(part, 100, good="nothing")
    part.do(part.frontier.lease, Wish(1))
    assert part.value(arms.c.worth) < 0.1, "within a hundred pages it is known that the site has changed"


def test_what_can_still_be_hoped_for(part: Part) -> None:
    assert part.do(part.frontier.best, None).worth is None
    add(part, *films(600))
    first = part.do(part.frontier.best, None).worth
    crawl(part, 400, good="nothing")
    outlook = part.do(part.frontier.best, None)
    assert outlook.pages >= 400
    assert outlook.worth < 0.1 * first
    assert part.count(queues, queues.c.waiting > 0) == 1
