"""The page of the frontier: the curve and its estimate, the arms, what is next; and what the web put into them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from frontier.frontier_cases import Part, link
from serve_http import Client
from serve_world import TOKEN, World, chromium

from posterbot.frontier.course import MOST_POINTS, Course
from posterbot.frontier.records import Finished, Link, Place
from posterbot.web.pages.frontier import chart, ticks

EVIL = "https://evil.example/film/<script>alert(1)</script>"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, 0)
    yield world
    world.close()


def crawled(world: World) -> int:
    """A run by yield: films with a picture each, and articles."""
    part = Part(world.engine, by_yield=True)
    links = [link(f"https://a.example/film/{n}", pattern="/film/{n}") for n in range(30)]
    links += [link(f"https://a.example/news/{n}", pattern="/news/{n}") for n in range(90)]
    links += [link(EVIL, pattern="/film/<b>{text}"), link("javascript:alert(1)", pattern="/odd")]
    places = (Place(f"ul.{one.pattern[1:5]}/li/a", "", 0) for one in links)
    placed = [
        Link(one.url, one.fingerprint, one.host, one.pattern, -1, "{}", None, place)
        for one, place in zip(links, places, strict=True)
    ]
    part.do(part.frontier.add, placed)
    for _ in range(5):
        done = [
            Finished(key, new_images=1, kept=int("/film/" in url), requests=2)
            for url, key in part.lease(10).items()
            if "a.example" in url
        ]
        part.do(part.frontier.finish, *done)
    return part.run


def test_it_shows_the_curve_the_arms_and_what_is_next(world: World) -> None:
    run = crawled(world)
    with world.served() as address:
        client = Client(address)
        text = client.get("/frontier").text
        assert client.get(f"/frontier?run={run}").text.count('class="card"') == 3
        assert client.get("/frontier?run=77").status == 404
        assert client.get("/frontier?run=x").status == 400
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    assert re.search(r"Breadth first would have found about \d+ with as many requests\. That is an estimate", plain)
    assert "a.example/film/{n}" in plain
    assert "best of a.example:" in plain
    assert text.count('class="curve') == 2
    assert 'href="/frontier" aria-current="page"' in text
    assert "<script>alert" not in text
    assert "<b>{text}" not in text
    assert 'href="javascript:' not in text


def test_breadth_first_and_an_empty_catalogue_have_a_page(world: World) -> None:
    with world.served() as address:
        client = Client(address)
        assert "No crawl yet" in client.get("/frontier").text
        Part(world.engine).add("https://a.example/1")
        text = client.get("/frontier").text
    assert "breadth first" in text
    assert "No page has been fetched yet." in text
    assert "https://a.example/1" in text


def test_a_chart_is_well_formed_and_within_its_frame() -> None:
    curve = tuple((float(n), n**0.5) for n in range(MOST_POINTS))
    svg = chart(Course("yield", 100, MOST_POINTS - 1, curve[-1][1], curve, ((0.0, 0.0), (MOST_POINTS - 1.0, 17.0))))
    root = ET.fromstring(svg)
    points = [tuple(map(float, point.split())) for path in root.findall("path[@class]")
              if "curve" in path.attrib["class"] for point in path.attrib["d"][1:].split("L")]  # fmt: skip
    assert len(points) == MOST_POINTS + 2
    _, _, wide, high = map(float, root.attrib["viewBox"].split())
    assert all(0 <= x <= wide and 0 <= y <= high for x, y in points)
    texts = [float(text.attrib["y"]) for text in root.findall("text") if text.attrib.get("class")]
    assert len({round(y) for y in texts}) == 4, "curves that end together have numbers that do not lie on each other"
    assert ET.fromstring(chart(Course("yield", 0, 0, 0.0, ((0.0, 0.0),), ())))
    assert "breadth first" not in chart(Course("breadth_first", 1, 1, 1.0, ((0.0, 0.0), (1.0, 1.0)), ()))


@pytest.mark.parametrize("most", [1, 1.5, 3, 10, 99, 137, 5000, 123456789])
def test_ticks_are_few_and_round(most: float) -> None:
    found = ticks(most)
    assert 3 <= len(found) <= 6
    assert found[0] == 0
    assert found[-1] <= most < found[-1] + found[1]


def test_it_is_accessible_and_fits(world: World) -> None:
    from axe_playwright_python.sync_playwright import Axe

    crawled(world)
    with world.served() as address, chromium() as browser:
        for width, scheme in ((1280, "light"), (390, "dark")):
            page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
            said: list[str] = []
            page.on("console", lambda line: said.append(line.text))  # noqa: B023
            page.goto(f"{address}/frontier?token={TOKEN}")
            found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            nav = page.locator(".top nav")
            assert nav.evaluate("nav => nav.scrollWidth <= nav.clientWidth"), "all pages are in sight"
            assert said == []
