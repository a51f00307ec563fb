from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
from failing_cases import POLICY, images_again, leave, lost, record, refused, waiting
from frontier_cases import Part
from scrapy import Spider
from scrapy.http import Response
from sqlalchemy import Engine, select, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Claim, Image, Page
from posterbot.catalogue.schema import frontier, hosts, images, runs
from posterbot.frontier.again import Again
from posterbot.frontier.records import Finished, State
from posterbot.frontier.requests import from_json
from posterbot.frontier.retrying import Failures, failures, retry
from posterbot.page import Candidate, FoundBy
from posterbot.spiders.pieces import items_again


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def part(engine: Engine) -> Part:
    return Part(engine)


class Posters(Spider):
    name = "posters"
    CALLBACKS: ClassVar = frozenset({"again", "failed"})

    def again(self) -> None: ...

    def failed(self) -> None: ...


def test_failed_images_are_one_url_for_each_page(engine: Engine, part: Part) -> None:
    page = Page("https://a.example/p", 200, "Films ünd mehr", "https://a.example/", 3)
    claim = Claim("file:///list", "enwiki", "Alien", 12, year=1979, directors=("Scott",))
    record(
        engine,
        lost(page, "one", alt="alt", title="title", caption="caption", declared_width=20, declared_height=30),
        lost(page, "two", "http_5xx", alternatives=("https://a.example/2.jpg",)),
        lost(page, "gone", "http_404"),
        refused(page, "kept", "k/x.jpg"),
        lost(Page("https://en.example/Alien", title="Alien"), "poster", claim=claim),
    )
    leave(part)
    assert failures(engine, part.run) == {
        "timeout": Failures(0, 2),
        "http_5xx": Failures(0, 1),
        "http_404": Failures(0, 1),
    }
    assert retry(engine, part.run, {"timeout", "http_5xx"}).images == Again(2, 3)
    assert waiting(part) == [2, 2]
    with engine.connect() as connection:
        row = connection.execute(select(frontier).where(frontier.c.url == "posterbot://again?page=1")).one()
        assert (row.rank, row.pattern_id, row.state, len(row.fingerprint)) == (0, None, State.PENDING, 20)
        assert connection.scalar(select(hosts.c.name).where(hosts.c.id == row.host_id)) == ""
    spider = Posters()
    again = from_json(row.url, row.request, spider)
    assert again.callback == spider.again
    assert again.meta["allow_offsite"] is True
    one, two = items_again(Response(again.url, request=again))
    assert one.page == two.page == replace(page, at=one.page.at)
    url = "https://images.example/one.jpg"
    assert one.candidates == (Candidate(url, FoundBy.IMG, "alt", "title", "caption", 20, 30),)
    assert two.candidates[0].alternatives == ("https://a.example/2.jpg",)
    assert (one.claim, two.claim) == (None, None)
    stored = part.value(frontier.c.request, frontier.c.url == "posterbot://again?page=2")
    request = from_json("posterbot://again?page=2", stored, spider)
    assert [item.claim for item in items_again(Response(request.url, request=request))] == [claim]
    assert part.value(runs.c.finish_reason) == "retry"
    another = Part(engine)
    assert {*another.lease(), *another.lease()} == {"posterbot://again?page=1", "posterbot://again?page=2"}


def test_the_page_is_that_of_the_run(engine: Engine, part: Part) -> None:
    record(engine, lost(Page("https://a.example/p"), "one"))
    leave(part)
    part = Part(engine)
    record(engine, lost(Page("https://a.example/p"), "two"))
    assert retry(engine, part.run, {"timeout"}).images == Again(1, 1)
    assert images_again(part, 2) == ["two.jpg"]


def test_a_second_time_adds_and_doubles_nothing(engine: Engine, part: Part) -> None:
    page = Page("https://a.example/p")
    record(engine, lost(page, "one"), lost(page, "two", "http_5xx"))
    assert retry(engine, part.run, {"timeout"}).images == Again(1, 1)
    assert retry(engine, part.run, {"timeout"}).images == Again(1, 1)
    assert (waiting(part), images_again(part, 1)) == ([1, 1], ["one.jpg"])
    retry(engine, part.run, {"http_5xx"})
    assert (waiting(part), images_again(part, 1)) == ([1, 1], ["one.jpg", "two.jpg"])

    key = part.lease()["posterbot://again?page=1"]
    assert retry(engine, part.run, {"timeout"}).images == Again(busy=1)
    assert part.value(frontier.c.state) == State.LEASED
    part.do(part.frontier.finish, Finished(key))
    assert retry(engine, part.run, {"timeout"}).images == Again(1, 1)  # it failed again
    assert (waiting(part), images_again(part, 1)) == ([1, 1], ["one.jpg"])


def test_a_damaged_row_is_written_anew(engine: Engine, part: Part) -> None:
    record(engine, lost(Page("https://a.example/p"), "one"))
    for damage in ("{", "[]", '{"meta":{"posterbot_again":{"images":[1]}}}'):
        retry(engine, part.run, {"timeout"})
        with engine.begin() as connection:
            connection.execute(update(frontier).values(request=damage))
        retry(engine, part.run, {"timeout"})
        assert images_again(part, 1) == ["one.jpg"]


def test_pictures_that_were_not_stored(engine: Engine, part: Part) -> None:
    page = Page("https://a.example/p")
    record(engine, refused(page, "lost"), refused(page, "kept", "k/x.jpg"))
    assert failures(engine, part.run) == {"store_failed": Failures(0, 1)}
    assert retry(engine, part.run, {"timeout"}).images == Again()
    assert retry(engine, part.run, {"store_failed"}).images == Again(1, 1)
    assert images_again(part, 1) == ["lost.jpg"]
    with engine.begin() as connection:
        connection.execute(update(images).values(path="l/x.jpg"))  # another page had it, and it was stored
    assert failures(engine, part.run) == {}
    assert retry(engine, part.run, {"store_failed"}).images == Again()


def test_pictures_that_the_store_has_lost(engine: Engine, part: Part) -> None:
    page = Page("https://a.example/p")
    record(
        engine, refused(page, "lost", "l/x.jpg"), refused(page, "kept", "k/x.jpg"), refused(page, "unwanted", "u/x.jpg")
    )
    rejected = replace(refused(page, "unwanted", "u/x.jpg"), policy=replace(POLICY, labels=("photo",)), keep=False)
    record(engine, replace(rejected, verdict_reason="not_relevant"))
    assert failures(engine, part.run) == {}
    with engine.begin() as connection:
        connection.execute(update(images).where(images.c.path != "k/x.jpg").values(path=None))
    assert failures(engine, part.run) == {"store_failed": Failures(0, 1)}
    assert retry(engine, part.run, {"store_failed"}).images == Again(1, 1)
    assert images_again(part, 1) == ["lost.jpg"]
    record(engine, refused(page, "lost", "l/x.jpg"))  # it was fetched, and stored
    assert failures(engine, part.run) == {}


def test_a_picture_that_is_known_needs_no_other_try(engine: Engine, part: Part) -> None:
    seen = Image("a" * 64, 1, "JPEG", 600, 900)
    record(engine, lost(Page("https://a.example/p"), "one", "score_failed", image=seen))
    assert failures(engine, part.run) == {}
    assert retry(engine, part.run, {"score_failed"}).images == Again()


def test_an_address_of_which_only_the_beginning_is_known(engine: Engine, part: Part) -> None:
    page = Page("https://a.example/p")
    record(engine, lost(page, "x" * 3000), lost(page, "short"))
    assert retry(engine, part.run, {"timeout"}).images == Again(1, 1)
    assert images_again(part, 1) == ["short.jpg"]
