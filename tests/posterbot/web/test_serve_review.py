"""Reviews by keyboard, in a real browser, into the table; and what is refused."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from forgotten_image import forget_image
from page_waits import until
from serve_world import TOKEN, World, chromium
from sqlalchemy import select

from posterbot.catalogue.schema import images, reviews
from posterbot.web.pages.review import ask

SHIFTS = """window.moved = 0;
new PerformanceObserver((list) => { for (const each of list.getEntries()) window.moved += each.value; })
  .observe({ type: "layout-shift", buffered: true });"""

SEEN = "!document.querySelector('[data-answer=yes]').disabled"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, images=12)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """For questions that change nothing."""
    made = World(tmp_path_factory.mktemp("shared"), images=12)
    with made.served() as address:
        yield made, address
    made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def rows(world: World) -> list[Any]:
    statement = select(images.c.sha256, reviews.c.answer, reviews.c.label, reviews.c.picked, reviews.c.stratum)
    with world.engine.connect() as connection:
        return list(connection.execute(statement.join_from(reviews, images).order_by(reviews.c.id)))


def opened(browser: Any, site: str, **options: Any) -> Any:
    page = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options)).new_page()
    page.add_init_script(SHIFTS)
    page.goto(f"{site}/review?token={TOKEN}")
    until(page, SEEN)
    return page


def shown(page: Any) -> str:
    """sha256 of the image on the page."""
    found: str = page.evaluate("document.getElementById('picture').src").rpartition("/")[2][:64]
    return found


def press(page: Any, key: str) -> None:
    """A key, and wait for the next image."""
    before = shown(page)
    page.keyboard.press(key)
    until(page, f"!document.getElementById('picture').src.includes('{before}')")
    until(page, SEEN)


class TestKeyboard:
    def test_answers_are_rows(self, world: World, browser: Any) -> None:
        with world.served() as site:
            page = opened(browser, site)
            labels = page.locator("#labels button")
            names = [labels.nth(place).get_attribute("data-label") for place in range(labels.count())]
            images_shown = []
            for key in ("y", "n", "2", "s", "y"):
                images_shown.append(shown(page))
                press(page, key)
            assert page.locator("#now").text_content() == "5"
            assert page.locator("#answers").text_content() == "4"  # a skip is none
            assert page.evaluate("window.moved") < 0.001
            page.context.close()
        found = rows(world)
        assert [row.sha256 for row in found] == images_shown
        assert len(set(images_shown)) == 5
        assert [(row.answer, row.label) for row in found] == [
            ("yes", None), ("no", None), ("label", names[1]), ("skip", None), ("yes", None),
        ]  # fmt: skip
        for row in found:
            assert (row.stratum is not None) == (row.picked == "audit")
            if row.picked == "audit":
                assert row.stratum == ("kept" if row.sha256 in world.kept else "dropped")

    def test_nothing_tells_what_the_filter_thinks_before_the_answer(self, world: World, browser: Any) -> None:
        with world.served() as site:
            page = opened(browser, site)
            text = page.locator("#review").inner_text()
            assert not re.search(r"0\.\d|\bkept\b|\bkeeps\b|\bdrop", text)
            press(page, "y")
            assert re.search(r"The filter (keeps|drops) it, \w+ 0\.\d\d", page.locator("#last").inner_text())
            page.context.close()

    def test_a_later_answer_takes_the_place(self, world: World, browser: Any) -> None:
        with world.served() as site:
            page = opened(browser, site)
            first = shown(page)
            press(page, "y")
            second = shown(page)
            press(page, "u")
            assert shown(page) == first
            press(page, "n")
            assert shown(page) == second
            page.context.close()
        assert [(row.sha256, row.answer) for row in rows(world)] == [(first, "yes"), (first, "no")]

    def test_a_word_of_ones_own(self, world: World, browser: Any) -> None:
        with world.served() as site:
            page = opened(browser, site)
            first = shown(page)
            page.keyboard.press("o")
            page.keyboard.type("Not A Label!")
            page.keyboard.press("Enter")
            page.get_by_role("alert").filter(has_text="Nothing was recorded").wait_for()
            assert shown(page) == first
            page.locator("#word").fill("vinyl_sleeve")
            page.locator("#word").press("Enter")
            until(page, f"!document.getElementById('picture').src.includes('{first}')")
            page.context.close()
        assert [(row.sha256, row.answer, row.label) for row in rows(world)] == [(first, "label", "vinyl_sleeve")]

    def test_until_nothing_is_left(self, tmp_path: Path, browser: Any) -> None:
        world = World(tmp_path / "small", images=2)
        with world.served() as site:
            page = opened(browser, site)
            press(page, "y")
            page.keyboard.press("n")
            page.get_by_text("Nothing is left to review.").wait_for()
            page.keyboard.press("y")
            page.context.close()
        assert len(rows(world)) == 2
        world.close()


class TestTrouble:
    def test_an_answer_that_is_lost_on_the_way_stays(self, world: World, browser: Any) -> None:
        with world.served() as site:
            page = opened(browser, site)
            first = shown(page)
            page.context.set_offline(True)
            page.keyboard.press("n")
            page.get_by_role("alert").filter(has_text="has not been recorded").wait_for()
            page.keyboard.press("y")  # not while the other is not sent
            assert shown(page) == first
            assert rows(world) == []
            page.context.set_offline(False)
            press(page, "Enter")
            page.context.close()
        assert [(row.sha256, row.answer) for row in rows(world)] == [(first, "no")]

    def test_an_image_that_is_gone_makes_room_for_the_next(self, world: World, browser: Any) -> None:
        with world.served() as site:
            page = opened(browser, site)
            first = shown(page)
            forget_image(world, first)
            press(page, "y")
            assert "not in the catalogue any more" in page.get_by_role("alert").inner_text()
            press(page, "y")
            assert page.get_by_role("alert").count() == 0
            page.context.close()
        assert len(rows(world)) == 1

    def test_nothing_is_said_of_a_picture_that_is_not_there(self, world: World, browser: Any) -> None:
        with world.served() as site:
            page = opened(browser, site)
            page.route("**/pictures/*", lambda route: route.abort())
            page.reload()
            page.get_by_text("The picture cannot be shown").wait_for()
            page.keyboard.press("y")
            assert page.locator("[data-answer=yes]").is_disabled()
            page.keyboard.press("s")
            until(page, "document.getElementById('now').textContent === '1'")
            page.context.close()
        assert [row.answer for row in rows(world)] == ["skip"]


class TestRequests:
    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"sha256": "../../etc/passwd"}, 400),
            ({"sha256": "f" * 64}, 404),
            ({"answer": "perhaps"}, 400),
            ({"picked": "because"}, 400),
            ({"stratum": "kept"}, 400),
            ({"label": "poster", "answer": "no"}, 400),
            ({"csrf": "0" * 64}, 403),
        ],
    )
    def test_nonsense_changes_nothing(self, shared: tuple[World, str], change: dict[str, str], status: int) -> None:
        world, site = shared
        got, body = send(f"{site}/review/answers", answer_of(world, site) | change)
        assert got == status
        assert list(json.loads(body)) == ["error"]
        assert rows(world) == []

    def test_sense_does(self, world: World) -> None:
        with world.served() as site:
            assert send(f"{site}/review/answers", answer_of(world, site))[0] == 200
        assert len(rows(world)) == 1

    @pytest.mark.parametrize("query", ["seed=-1", "seed=x", "exclude=abc", "exclude=" + ",".join(["f" * 64] * 51)])
    def test_questions_that_make_no_sense(self, shared: tuple[World, str], query: str) -> None:
        assert send(f"{shared[1]}/review/next?{query}")[0] == 400

    def test_the_question(self) -> None:
        assert ask(["poster"]) == "Is this a poster?"
        assert ask(["album_cover", "poster"]) == "Is this an album cover or poster?"
        assert ask([]) == "Is this wanted?"


def answer_of(world: World, site: str) -> dict[str, str]:
    """An answer as the page sends it."""
    token = re.search(rb'name="csrf" content="([0-9a-f]+)"', send(f"{site}/review")[1])
    assert token
    return {"sha256": world.kept[0], "answer": "yes", "picked": "unsure", "csrf": token[1].decode()}


def send(address: str, data: dict[str, str] | None = None) -> tuple[int, bytes]:
    port = address.split(":")[2].partition("/")[0]
    body = None if data is None else urllib.parse.urlencode(data).encode()
    headers = {"Cookie": f"posterbot-{port}={TOKEN}"} | ({} if data is None else {"Accept": "application/json"})
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(shared: tuple[World, str], browser: Any, width: int, scheme: str) -> None:
    page = opened(browser, shared[1], viewport={"width": width, "height": 844}, color_scheme=scheme)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if width < 500:  # with a thumb, and without scrolling
        box = page.locator("[data-answer=yes]").bounding_box()
        assert box["height"] >= 44
        assert box["y"] + box["height"] < 844
    page.context.close()
