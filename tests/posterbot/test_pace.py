"""How long a response is held back. That it is, in a crawl: ``test_wikipedia_crawl.py``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.pace import seconds_to_wait
from posterbot.settings import DOWNLOAD_SLOTS


@pytest.mark.parametrize(
    ("size", "seconds", "bits_per_second", "wait"),
    [
        (1_000_000, 0.0, 8e6, 1.0),
        (1_000_000, 0.25, 8e6, 0.75),
        (1_000_000, 1.0, 8e6, 0.0),
        (1_000_000, 60.0, 8e6, 0.0),
        (0, 0.0, 8e6, 0.0),
        (50_000, 0.0, 12.5e6, 0.032),
    ],
)
def test_seconds_to_wait(size: int, seconds: float, bits_per_second: float, wait: float) -> None:
    assert seconds_to_wait(size, seconds, bits_per_second) == pytest.approx(wait)


transfers = st.lists(st.tuples(st.integers(0, 20_000_000), st.floats(0.001, 30)), min_size=1, max_size=30)


@given(st.lists(transfers, min_size=2, max_size=2))
def test_two_places_together_keep_to_the_rate(places: list[list[tuple[int, float]]]) -> None:
    rate = 25e6
    busy, bits = [], 0.0
    for place in places:
        busy.append(sum(seconds + seconds_to_wait(size, seconds, rate / 2) for size, seconds in place))
        bits += sum(8 * size for size, _ in place)
    assert bits <= rate * max(busy) * (1 + 1e-9)


def test_wikimedias_limits_are_the_default() -> None:
    assert DOWNLOAD_SLOTS["upload.wikimedia.org"] == {"concurrency": 2, "bits_per_second": 25_000_000}
