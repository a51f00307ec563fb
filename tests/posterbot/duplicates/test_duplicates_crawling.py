from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest
from conftest import Site, encode, picture
from crawling import crawl
from made_up_images import add, groups, picture_of, representatives
from scrapy.utils.test import get_crawler

from posterbot import settings
from posterbot.catalogue.database import open_catalogue
from posterbot.duplicates.crawling import Duplicates
from posterbot.duplicates.one_at_a_time import alone

EXTENSIONS = json.dumps(settings.EXTENSIONS | {"posterbot.duplicates.crawling.Duplicates": 0})


def test_a_crawl_finds_them(site: Site, tmp_path: Path) -> None:
    poster, other = picture(seed=1), picture(seed=2)
    site.page("/", "<img src=/a.jpg><img src=/b.png><img src=/c.jpg><a href=/more>more</a>")
    site.page("/more", "<img src=/d.jpg>")
    site.image("/a.jpg", encode(poster, quality=60))
    site.image("/b.png", encode(poster, "PNG"), "image/png")
    site.image("/c.jpg", encode(other))
    site.image("/d.jpg", encode(poster.resize((200, 300))), delay=0.8)
    ended = crawl(
        tmp_path, "-a", f"start={site.url}/", EXTENSIONS=EXTENSIONS, DUPLICATES_EVERY=0.3, IMAGES_MIN_WIDTH=50
    )
    assert ended.code == 0, ended.output
    assert "Traceback" not in ended.output
    assert "'posterbot/duplicates/images': 4" in ended.output
    assert "'posterbot/duplicates/copies': 2" in ended.output
    engine = open_catalogue(ended.catalogue, must_exist=True)
    assert sorted(map(len, groups(engine))) == [1, 3]
    assert len(representatives(engine)) == 2
    engine.dispose()


def extension(url: str, every: float = 0) -> Duplicates:
    return Duplicates.from_crawler(get_crawler(settings_dict={"CATALOGUE_URL": url, "DUPLICATES_EVERY": every}))


async def live(duplicates: Duplicates, seconds: float = 0.0) -> None:
    duplicates.opened()
    await asyncio.sleep(seconds)
    await duplicates.closed()


def test_a_failure_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "catalogue.db").write_text("no catalogue" * 100)
    asyncio.run(live(extension(f"sqlite:///{tmp_path}/catalogue.db")))
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage().startswith("duplicates were not looked for: ")
    assert "\n" not in record.getMessage()
    assert record.exc_info is None


def test_it_looks_now_and_then_and_waits_for_no_other(catalogue_url: str) -> None:
    engine = open_catalogue(catalogue_url)
    add(engine, 1, *picture_of(0))
    seen: list[int] = []

    async def watched() -> None:
        duplicates = extension(catalogue_url, every=0.05)
        with alone(engine, False, lambda: False):
            duplicates.opened()
            await asyncio.sleep(0.4)
            seen.append(len(groups(engine)))
        for _ in range(200):
            await asyncio.sleep(0.05)
            if groups(engine):
                break
        seen.append(len(groups(engine)))
        await duplicates.closed()

    asyncio.run(watched())
    assert seen == [0, 1]
    engine.dispose()


def test_the_end_does_not_take_long(
    catalogue_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("posterbot.duplicates.crawling.LAST_SECONDS", 0.0)
    engine = open_catalogue(catalogue_url)
    add(engine, 1, *picture_of(0))
    with alone(engine, False, lambda: False):
        asyncio.run(live(extension(catalogue_url)))
    assert groups(engine) == set()
    engine.dispose()
