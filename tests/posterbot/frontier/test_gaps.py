"""Hosts see the gaps they were promised, however many workers there are. benchmarks/frontier_gaps.py: for longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from gaps import crawl_politely
from webs import CDN_NETWORK, SITE_NETWORK, Web

# In seconds. Some hosts say it in robots.txt, for some it is set, and for two both: the longer one counts.
CRAWL_DELAYS = {f"{SITE_NETWORK}.{number}": 0.2 + 0.1 * (number % 9) for number in range(1, 12)}
SLOTS = {f"{SITE_NETWORK}.{number}": 0.15 + 0.1 * (number % 8) for number in range(10, 21)}
FOR_IMAGES = {f"{CDN_NETWORK}.1": 0.3}, {f"{CDN_NETWORK}.2": 0.25}


@pytest.mark.timeout(200)
def test_no_gap_is_shorter_than_promised(tmp_path: Path, postgres_url: str) -> None:
    crawl_delays, slots = CRAWL_DELAYS | FOR_IMAGES[0], SLOTS | FOR_IMAGES[1]
    with Web(pages=400, hosts=20, images=2, crawl_delays=crawl_delays, seed=2) as web:
        asked = crawl_politely(
            web, tmp_path, postgres_url, crawl_delays=crawl_delays, slots=slots, workers=3, kill_every=90, until=8
        )
        agents = {request.agent for request in web.log()}
    assert [gaps for gaps in asked if not gaps.kept] == []
    assert min(len(gaps.seen) for gaps in asked) >= 7, "a host was hardly asked: this shows nothing"
    assert len(agents) >= 3, "not all workers were at work: this shows little"
    assert max(gaps.workers for gaps in asked) > 1, "no host passed from one worker to another: this shows nothing"
