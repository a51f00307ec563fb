"""The live policy: changes are checked, new, told, and all or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.curve import threshold_at, write_curve
from models.fitting import Fit
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


def test_top_is_part_of_the_policy_and_may_go_again(live: LivePolicy) -> None:
    assert live.current.top is None
    assert live.change(top="5", origin="console").top == 5
    assert (live.current.threshold, live.current.labels) == (0.5, ("poster",))  # both hold now
    assert live.change(threshold=0, origin="console").threshold == 0  # top alone
    with pytest.raises(PolicyError, match=r"threshold 0\.0: give a number"):
        live.change(top=None, origin="console")  # nothing would decide
    assert live.current.top == 5
    assert live.change(top=None, threshold=0.4, origin="console") == live.current
    assert (live.current.top, live.current.threshold) == (None, 0.4)


def test_top_without_a_threshold_decides_alone() -> None:
    model = load_model()
    assert LivePolicy(model, "poster", top=3).current.threshold == 0
    assert LivePolicy(model, "poster", "0.3", "3").current.threshold == 0.3
    assert LivePolicy(model, "poster").current.threshold == 0.5


@pytest.mark.parametrize("top", [0, -1, 1.5, "x", "0", "1000", True, "²", "9" * 5000])
def test_a_wrong_top_changes_nothing(live: LivePolicy, top: object) -> None:
    old = live.current
    with pytest.raises(PolicyError, match=r"give a whole number from 1 to \d+, the number of labels of web-images"):
        live.change(labels="card", top=top, origin="console")  # type: ignore[arg-type]
    assert live.current is old


class Measured:
    """A model whose curve was measured on forty posters and sixty others."""

    name, hash, side, fit, dimensions = "measured", "0" * 64, 32, Fit.LETTERBOX, 0
    labels = ("poster", "other")

    def __init__(self, curve: Path) -> None:
        self.curve = curve
        score = np.concatenate([np.linspace(0.31, 0.99, 40), np.linspace(0.01, 0.6, 60)])
        table = np.stack([score, 1 - score], axis=1).astype(np.float32)
        write_curve(curve, table, self.labels, ["poster"] * 40 + ["other"] * 60)


def test_a_threshold_may_be_a_precision_or_a_recall(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = Measured(tmp_path / "curve.json")
    caplog.set_level("INFO")
    live = LivePolicy(model, "poster", "recall=1")  # type: ignore[arg-type]
    lowest = live.current.threshold
    assert lowest == threshold_at(model.curve, ["poster"], "recall", 1)
    assert 0.3 <= lowest <= 0.31
    assert f"threshold recall=1 is {lowest:g} for poster" in caplog.text
    live.change(threshold="precision=0.99", origin="console")
    assert live.current.threshold == threshold_at(model.curve, ["poster"], "precision", 0.99) > 0.59


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ("precision=1.5", "threshold precision=1.5: precision=1.5 is out of range"),
        ("precision=", "threshold 'precision=': give a number between 0 and 1, such as 0.5, or precision=0.95"),
        ("f1=0.9", "unknown goal 'f1'"),
        ("recall=nan", "give a number between 0 and 1"),
    ],
)
def test_a_wrong_goal_changes_nothing(tmp_path: Path, threshold: str, message: str) -> None:
    live = LivePolicy(Measured(tmp_path / "curve.json"), "poster", 0.5)  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match=message) as caught:
        live.change(threshold=threshold, origin="console")
    assert "\n" not in str(caught.value)
    assert live.current.threshold == 0.5


def test_a_goal_needs_a_curve_and_one_label(tmp_path: Path) -> None:
    model = Measured(tmp_path / "curve.json")
    with pytest.raises(PolicyError, match="takes one label, not poster, other"):
        LivePolicy(model, "poster, other", "recall=0.9")  # type: ignore[arg-type]
    model.curve.unlink()
    with pytest.raises(PolicyError, match=r"threshold recall=0\.9: no curve with this model"):
        LivePolicy(model, "poster", "recall=0.9")  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", [0, 1, -0.1, 1.1, float("nan"), float("inf"), "x", True])
def test_a_wrong_threshold_changes_nothing(live: LivePolicy, threshold: object) -> None:
    with pytest.raises(PolicyError, match="between 0 and 1"):
        live.change(labels="card", threshold=threshold, origin="console")  # type: ignore[arg-type]
    assert live.current.labels == ("poster",)
