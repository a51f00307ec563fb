"""The pages in a real browser: they look after themselves, shift nothing, and steer a crawl that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serve_world import TOKEN, World, chromium
from sqlalchemy import select, update
from steered import Endless, Running, ask, jobs, until

from posterbot.catalogue.schema import pages, policies
from posterbot.steering import client

__all__ = ["jobs"]
PAGES = ("/", "/frontier", "/quality", "/duplicates", "/export", "/nothing")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, 12)
    yield world
    world.close()


class Seen:
    """A page, and what its console says."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.address = address
        self.page.goto(f"{address}/?token={TOKEN}")

    def text(self, selector: str) -> str:
        return " ".join(self.page.locator(selector).inner_text().split())


def says(page: Any, selector: str, text: str) -> None:
    """Wait for it, without any script of ours on the page: its rules forbid that."""
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_contain_text(text, timeout=15_000)


def test_every_page_is_accessible_and_fits(world: World, browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with world.served() as address:
        for width, scheme in ((1280, "light"), (390, "dark")):
            seen = Seen(browser, address, viewport={"width": width, "height": 800}, color_scheme=scheme)
            for path in PAGES:
                seen.page.goto(address + path)
                found = Axe().run(seen.page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (path, width)
                assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
            assert [error for error in seen.errors if "404" not in error] == [], "no script or style is refused"
            seen.context.close()


def test_numbers_are_fresh_and_nothing_moves(world: World, browser: Any) -> None:
    with world.served() as address:
        seen = Seen(browser, address, viewport={"width": 1280, "height": 1200})
        assert "Kept 8" in seen.text("[data-live=funnel]")
        seen.page.evaluate(
            """() => { window.moved = 0; new PerformanceObserver((list) => {
                 for (const one of list.getEntries()) window.moved += one.value;
               }).observe({ type: "layout-shift", buffered: true }); }"""
        )
        more = world.crawl(range(12, 24))
        with world.engine.begin() as connection:  # as if it were the same run that goes on
            connection.execute(update(pages).where(pages.c.run_id == more).values(run_id=world.run))
        says(seen.page, "[data-live=funnel]", "24")
        assert seen.page.evaluate("window.moved") == 0
        assert seen.errors == []


def test_a_policy_is_tried_then_made_in_place(world: World, browser: Any) -> None:
    with world.served() as address:
        page = Seen(browser, address).page
        page.fill("#threshold", "0.6")
        says(page, "#preview", "7 instead of 8")
        page.check("input[value=photo]")
        says(page, "#preview", "12 instead of 8")
        page.fill("#threshold", "NaN")
        says(page, "#preview", "between 0 and 1")
        assert page.get_attribute("#threshold", "aria-invalid") == "true"
        page.click("text=Judge the past again")
        page.wait_for_selector("#said .bad")
        page.uncheck("input[value=photo]")
        page.fill("#threshold", "0.6")
        page.click("text=Judge the past again")
        says(page, "#said", "1 newly dropped")
        assert page.url == f"{address}/"


def test_it_works_without_scripts(world: World, browser: Any) -> None:
    with world.served() as address:
        page = Seen(browser, address, java_script_enabled=False).page
        page.fill("#threshold", "0.6")
        page.click("text=Judge the past again")
        assert "1 newly dropped" in page.locator("#said").inner_text()
        page.fill("#threshold", "7")
        page.click("text=Judge the past again")
        assert "Nothing was changed" in page.locator("h1").inner_text()


def test_keys_lead_everywhere_and_dark_is_remembered(world: World, browser: Any) -> None:
    with world.served() as address:
        page = Seen(browser, address, color_scheme="light").page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("t")
        page.keyboard.press("g")
        page.keyboard.press("q")
        page.wait_for_url("**/quality")
        assert page.get_attribute("html", "data-theme") == "dark"
        page.keyboard.press("?")
        assert page.locator("dialog[open]").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("dialog[open]").is_visible()
        page.goto(f"{address}/export")
        page.fill("#where", "title contains 'gq?t'")
        assert page.url.endswith("/export"), "what is typed is no shortcut"
        page.fill("#where", "colour = 1")
        page.wait_for_selector("#count.wrong")
        page.fill("#where", "score > 0.8")
        says(page, "#count", "7 images of 8")
        assert "score > 0.8" in page.locator("#command").inner_text()


def test_a_server_that_went_away_is_said(world: World, browser: Any) -> None:
    with world.served() as address:
        seen = Seen(browser, address)
    says(seen.page, "#lost", "does not answer")
    seen.page.fill("#threshold", "0.7")
    seen.page.click("text=Judge the past again")
    seen.page.wait_for_selector("#said .bad")
    seen.context.close()


def test_a_running_crawl_is_steered_from_the_page(tmp_path: Path, jobs: Path, browser: Any) -> None:
    site = Endless(delay=0.5)
    running = Running(tmp_path, site.starts, tmp_path / "log")
    try:
        world = World(tmp_path, 0)
        until(lambda: len(client.running(world.url)) == 1 and len(site.asked) > 20)
        with world.served() as address:
            seen = Seen(browser, address)
            page = seen.page
            assert "running" in seen.text("[data-live=state]")
            page.fill("#threshold", "0.25")
            page.click("text=Change the crawl")
            says(page, "#said", "is in force")
            number = int(re.findall(r"\d+", seen.text("#said"))[0])

            def newest(connection: Any) -> Any:
                return connection.execute(select(policies).order_by(policies.c.id.desc()).limit(1)).one()

            row: Any = ask(tmp_path, newest)
            assert (row.id, row.threshold, row.origin) == (number, 0.25, "page")
            assert client.status(client.running(world.url)[0])["policy"]["number"] == number
            page.click("text=Pause")
            says(page, "#said", "takes no new pages")
            assert client.status(client.running(world.url)[0])["state"] == "paused"
            page.click("text=Resume")
            says(page, "#said", "goes on")
            site.ended = True
            running.end()
            page.fill("#threshold", "0.3")
            page.click("text=Change the crawl")
            page.wait_for_selector("#said .bad")
            assert "has ended" in seen.text("#said")
            assert ask(tmp_path, newest) == row, "nothing was changed"
        world.close()
    finally:
        running.kill()
        site.close()
