"""A crawl killed ten times loses nothing and repeats almost nothing. benchmarks/frontier_kill.py: fifty times."""

from __future__ import annotations

from pathlib import Path

import pytest
from kills import Story, crawl_under_kills
from webs import Web

KILLS = 10
FLAKY = 0.03
# Few pages at once, so that also in a short life some come to their end.
SETTINGS = {"RETRY_BACKOFF": 0.1, "HOST_BACKOFF": 0.1, "PAGES_IN_FLIGHT": 8}


def holds(story: Story) -> None:
    assert story.problems == []
    assert story.kills == KILLS
    assert story.in_flight > KILLS, "the kills hit idle workers: this shows little"
    assert story.after_work > KILLS // 2, "the kills came before anything was done: this shows little"
    assert story.again <= story.in_flight


def test_nothing_is_lost_on_sqlite(tmp_path: Path) -> None:
    with Web(pages=150, images=2, flaky=FLAKY) as web:
        catalogue = f"sqlite:///{tmp_path}/catalogue.db"
        holds(crawl_under_kills(web, tmp_path, catalogue, kills=KILLS, **SETTINGS))


def test_nothing_is_lost_by_three_workers_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    with Web(pages=250, images=2, flaky=FLAKY, seed=1) as web:
        holds(crawl_under_kills(web, tmp_path, postgres_url, kills=KILLS, workers=3, seed=1, **SETTINGS))


pytestmark = pytest.mark.timeout(300)
