"""The gallery: what its filters let through, what it refuses, and how it scrolls in a real browser."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from forgotten_image import forget_image
from many_images import add_images
from page_waits import until
from serve_world import TOKEN, World, chromium

from posterbot.catalogue.gallery import ALL, DROPPED, KEPT, UNSURE, Filter, chosen, first, near_threshold, tiles
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Outcome, Page

MANY = 100_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("gallery"), images=24)
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    with world.served() as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def get(address: str) -> tuple[int, bytes, Any]:
    port = address.split(":")[2].partition("/")[0]
    request = urllib.request.Request(address, headers={"Cookie": f"posterbot-{port}={TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def told(site: str, **asked: Any) -> list[Any]:
    """All tiles of a filter, as its page gets them."""
    status, body, _ = get(f"{site}/gallery/list?{urlencode(asked)}")
    assert status == 200, body
    found = json.loads(body)
    place = urlencode({"list": found["list"], "show": asked.get("show", "all"), "start": 0, "number": 200})
    status, body, _ = get(f"{site}/gallery/tiles?{place}")
    assert status == 200
    all_of_it: list[Any] = json.loads(body)["tiles"]
    assert len(all_of_it) == found["total"]
    assert found["first"] == (all_of_it[0][0] if all_of_it else None)
    return all_of_it


class TestFilters:
    def test_each_image_is_in_all_and_either_kept_or_dropped(self, world: World, site: str) -> None:
        shown = {show: {tile[1] for tile in told(site, show=show)} for show in (ALL, KEPT, DROPPED)}
        assert shown[KEPT] == set(world.kept)
        assert shown[DROPPED] == set(world.dropped)
        assert shown[ALL] == shown[KEPT] | shown[DROPPED]

    def test_unsure_is_next_to_the_threshold_on_both_sides(self, site: str) -> None:
        low, high = near_threshold(0.5)
        assert low == pytest.approx(1 - high)
        scores = [tile[5] for tile in told(site, show=UNSURE)]
        assert scores == [0.52] * 3  # pictures 4, 13 and 22

    def test_newest_first_or_by_score(self, site: str) -> None:
        numbers = [tile[0] for tile in told(site)]
        assert numbers == sorted(numbers, reverse=True)
        scores = [tile[5] for tile in told(site, order="highest")]
        assert scores == sorted(scores, reverse=True)
        assert [tile[5] for tile in told(site, order="lowest")] == scores[::-1]

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"label": "photo"}, 8),
            ({"low": "0.5", "high": "0.6"}, 3),
            ({"low": "0,9"}, 13),
            ({"host": "posters.example"}, 8),
            ({"reason": "not_relevant"}, 8),
            ({"film": "of film 1"}, 11),
            ({"film": "FILM 23"}, 1),
            ({"film": "100%"}, 0),
            ({"label": "poster", "host": "shop.example", "show": "kept"}, 0),
        ],
    )
    def test_what_passes(self, site: str, asked: dict[str, str], expected: int) -> None:
        assert len(told(site, **asked)) == expected

    def test_what_is_asked_together_holds_together(self, world: World) -> None:
        both = chosen(world.engine, Filter(label="poster", host="cinema.example"))
        assert {tile.label for tile in tiles(world.engine, both.numbers.tolist()) if tile} == {"poster"}
        assert both.counts()[KEPT] == len(first(world.engine, Filter(KEPT, "poster", host="cinema.example"), 100))

    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("label=nonsense", "knows the label"),
            ("low=7", "is no score"),
            ("high=nan", "is no score"),
            ("low=-0.1", "is no score"),
            ("low=1e400", "is no score"),
            ("low=0.9&high=0.1", "No score is at least"),
            ("host=nowhere.example", "No image is from the host"),
            ("reason=because", "is no reason"),
            ("order=random", "is no order"),
            ("show=everything", "cannot be shown"),
            ("film=" + "x" * 300, "at most 200"),
            ("film=%00", "at most 200"),
            ("label=%3Cscript%3E", "knows the label"),
        ],
    )
    def test_nonsense_is_refused_in_place(self, site: str, query: str, says: str) -> None:
        for page in ("gallery", "gallery/list"):
            status, body, _ = get(f"{site}/{page}?{query}")
            assert (status, says in body.decode()) == (400, True), body[-500:]
            assert b"<script>" not in body

    @pytest.mark.parametrize("query", ["start=-1&number=5", "start=0&number=100000", "start=x&number=5", "start=0", ""])
    def test_a_part_that_is_none(self, site: str, query: str) -> None:
        assert get(f"{site}/gallery/tiles?list=x&{query}")[0] == 400

    def test_a_list_that_was_put_away(self, site: str) -> None:
        assert get(f"{site}/gallery/tiles?list=0123&start=0&number=5")[0] == 410

    def test_names_are_text(self, tmp_path: Any) -> None:
        world = World(tmp_path, images=0)
        world.crawl(range(1), alt='"><script>alert(1)</script>\x07')
        with world.served() as site:
            body = get(f"{site}/gallery")[1].decode()
        world.close()
        assert "<script>alert" not in body
        assert "alert(1)" in body


class TestLists:
    def test_a_new_image_is_in_the_next_list(self, tmp_path: Any) -> None:
        world = World(tmp_path, images=3)
        with world.served() as site:
            assert len(told(site)) == 3
            world.crawl(range(3, 5))
            assert len(told(site)) == 5
        world.close()

    def test_one_that_is_gone_leaves_its_place(self, tmp_path: Any) -> None:
        world = World(tmp_path, images=5)
        numbers = chosen(world.engine, Filter()).numbers.tolist()
        forget_image(world, world.kept[0])
        assert [tile is None for tile in tiles(world.engine, numbers)].count(True) == 1
        world.close()

    def test_an_image_that_was_never_judged_is_dropped(self, tmp_path: Any) -> None:
        world = World(tmp_path, images=1)
        recorder = Recorder(world.engine, spider="posters", arguments={}, version="1")
        page, small = Page("https://shop.example/", 200, "Shop"), Image("c" * 64, 100, "PNG", 9, 9)
        recorder.outcome(Outcome(page, "https://shop.example/1.png", "img", reason="too_small", image=small)).result()
        recorder.close("finished")
        (tile,) = first(world.engine, Filter(DROPPED), 10)
        assert (tile.kept, tile.reason, tile.path) == (False, "too_small", None)
        assert chosen(world.engine, Filter(reason="too_small")).counts() == {ALL: 1, KEPT: 0, DROPPED: 1, UNSURE: 0}
        world.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    made = World(tmp_path_factory.mktemp("many"), images=24)
    add_images(made, MANY)
    with made.served() as address:
        yield made, address
    made.close()


FILLED = """() => [...document.querySelectorAll("#grid li")].filter((li) => {
  const box = li.getBoundingClientRect();
  return box.bottom > 60 && box.top < innerHeight;
}).map((li) => {
  const img = li.querySelector("img");
  return img.classList.contains("there") || li.querySelector(".words").textContent !== "";
})"""
SHIFTS = """addEventListener("load", () => {}); window.moved = 0;
new PerformanceObserver((list) => { for (const each of list.getEntries()) window.moved += each.value; })
  .observe({ type: "layout-shift", buffered: true });"""


class TestManyImages:
    def test_all_are_in_the_list(self, many: tuple[World, str]) -> None:
        counts = chosen(many[0].engine, Filter()).counts()
        assert counts[ALL] == MANY + 24
        assert counts[KEPT] + counts[DROPPED] == MANY + 24
        numbers = chosen(many[0].engine, Filter(order="highest")).numbers
        assert len(np.unique(numbers)) == len(numbers)

    def test_tiles_come_wherever_one_scrolls_and_nothing_moves(self, many: tuple[World, str], browser: Any) -> None:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(SHIFTS)
        page.goto(f"{many[1]}/gallery?token={TOKEN}")
        until(page, "document.getElementById('total').textContent === '100,024 images'")
        whole = page.evaluate("document.documentElement.scrollHeight")
        assert whole > 1_000_000
        for place in (0.5, 0.9, 1.0, 0.1, 0.0):
            page.evaluate("(y) => scrollTo(0, y)", whole * place)
            until(page, f"() => {{ const f = ({FILLED})(); return f.length > 7 && f.every(Boolean); }}")
        assert page.locator("#grid li").count() < 200
        assert page.evaluate("document.documentElement.scrollHeight") == whole
        assert page.evaluate("window.moved") < 0.001
        page.close()

    def test_the_keyboard_goes_everywhere(self, many: tuple[World, str], browser: Any) -> None:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{many[1]}/gallery?token={TOKEN}")
        until(page, "document.getElementById('total').textContent !== 'Counting…'")
        place = "document.activeElement.closest('li')?.ariaPosInSet"
        seen = []
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "End", "Home"):
            page.keyboard.press(key)
            seen.append(int(page.evaluate(place)))
        columns = seen[2] - seen[1]
        assert columns > 4
        assert seen == [1, 2, 2 + columns, 2, 1, MANY + 24, 1]
        page.keyboard.press("End")
        until(page, "document.activeElement.href.includes('/image/')")
        address = page.evaluate("document.activeElement.href")
        page.keyboard.press("Enter")
        page.wait_for_url("**/image/*")
        assert page.url == address
        page.go_back()
        until(page, "scrollY > 1e6")
        page.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(site: str, browser: Any, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site}/gallery?label=poster&token={TOKEN}")
    until(page, f"() => ({FILLED})().every(Boolean)")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_an_empty_catalogue_says_so(tmp_path: Any, browser: Any) -> None:
    world = World(tmp_path, images=0)
    with world.served() as site:
        page = browser.new_page()
        page.goto(f"{site}/gallery?token={TOKEN}")
        page.get_by_role("heading", name="No images yet").wait_for()
        page.close()
    world.close()
