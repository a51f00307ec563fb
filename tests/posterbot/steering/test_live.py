"""The live policy: changes are checked, new, told, and all or nothing."""

from __future__ import annotations

import pytest

from models.registry import load_model
from posterbot.catalogue.records import Policy
from posterbot.steering.live import LivePolicy, PolicyError


@pytest.fixture
def live() -> LivePolicy:
    return LivePolicy(load_model(), "poster", 0.5)


def test_a_change_is_a_new_policy(live: LivePolicy) -> None:
    told: list[Policy] = []
    live.listeners.append(told.append)
    old = live.current
    new = live.change(labels=" book_cover,poster,poster ", origin="console")
    assert old.labels == ("poster",)
    assert new.labels == ("book_cover", "poster")
    assert (new.threshold, new.origin) == (0.5, "console")
    assert new.at >= old.at
    assert live.change(threshold="0.7", origin="console").labels == new.labels
    assert told == [new, live.current]


@pytest.mark.parametrize("labels", ["poter", "poster, nonsense", "", " , ", ["poster", "x"]])
def test_a_wrong_label_changes_nothing(live: LivePolicy, labels: object) -> None:
    told: list[Policy] = []
    live.listeners.append(told.append)
    old = live.current
    with pytest.raises(PolicyError, match=r"knows album_cover, art, .*poster"):
        live.change(labels=labels, threshold=0.9, origin="console")  # type: ignore[arg-type]
    assert live.current is old
    assert told == []


@pytest.mark.parametrize("threshold", [0, 1, -0.1, 1.1, float("nan"), float("inf"), "x", True])
def test_a_wrong_threshold_changes_nothing(live: LivePolicy, threshold: object) -> None:
    with pytest.raises(PolicyError, match="between 0 and 1"):
        live.change(labels="card", threshold=threshold, origin="console")  # type: ignore[arg-type]
    assert live.current.labels == ("poster",)
