"""The curve is what counting gives, and a threshold read from it keeps what was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.curve import ENOUGH, THRESHOLDS, CurveError, threshold_at, write_curve

LABELS = ("poster", "photo", "logo")


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray]:
    """500 images, of which 150 are posters and score higher; none is a logo."""
    chance = np.random.default_rng(3)
    targets = np.array(["poster"] * 150 + ["photo"] * 350)
    poster = np.where(targets == "poster", chance.beta(5, 2, 500), chance.beta(2, 5, 500))
    return np.stack([poster, 0.9 * (1 - poster), 0.1 * (1 - poster)], 1).astype(np.float32), targets


@pytest.fixture
def curve(tmp_path: Path, scored: tuple[np.ndarray, np.ndarray]) -> Path:
    write_curve(tmp_path / "curve.json", scored[0], LABELS, scored[1].tolist())
    return tmp_path / "curve.json"


def test_the_curve_counts(curve: Path, scored: tuple[np.ndarray, np.ndarray]) -> None:
    content = json.loads(curve.read_text())
    assert content["thresholds"] == pytest.approx(np.linspace(0.005, 0.995, 199))
    assert set(content["labels"]) == {"poster", "photo"}  # nothing is a logo
    row = content["labels"]["poster"]
    assert (row["images"], row["prevalence"]) == (500, 0.3)
    wanted = scored[1] == "poster"
    for k, threshold in enumerate(THRESHOLDS):
        kept = scored[0][:, 0] >= threshold
        assert row["passing"][k] == kept.sum()
        assert row["recall"][k] == pytest.approx(kept[wanted].mean(), abs=1e-4)
        assert row["precision"][k] == pytest.approx(wanted[kept].mean() if kept.any() else 1, abs=1e-4)


def test_a_score_on_the_threshold_passes(tmp_path: Path) -> None:
    table = np.tile(np.array([[0.5, 0.5]], np.float32), (30, 1))
    write_curve(tmp_path / "curve.json", table, ("a", "b"), ["a"] * 30)
    assert threshold_at(tmp_path / "curve.json", ["a"], "recall", 1.0) == 0.5


@pytest.mark.parametrize("value", [0.5, 0.8, 0.9, 0.95])
def test_precision_holds_at_and_above(curve: Path, scored: tuple[np.ndarray, np.ndarray], value: float) -> None:
    threshold = threshold_at(curve, ["poster"], "precision", value)
    wanted = scored[1] == "poster"

    def holds(t: float) -> bool:
        kept = scored[0][:, 0] >= t
        return kept.sum() < ENOUGH or wanted[kept].mean() >= value - 1e-4

    assert all(holds(t) for t in THRESHOLDS if t >= threshold)
    assert not holds(threshold - 0.005)


@pytest.mark.parametrize("value", [0.5, 0.9, 0.98, 1.0])
def test_recall_is_kept_as_high_as_can_be(curve: Path, scored: tuple[np.ndarray, np.ndarray], value: float) -> None:
    threshold = threshold_at(curve, ["poster"], "recall", value)
    score = scored[0][scored[1] == "poster", 0]
    assert (score >= threshold).mean() >= value > (score >= threshold + 0.005).mean()


def test_one_lucky_threshold_does_not_count(tmp_path: Path) -> None:
    """Precision touches the mark at 0.3, falls below it at 0.5, and holds from 0.7 on."""
    scores = [0.3] * 40 + [0.5] * 20 + [0.7] * 40
    targets = ["a"] * 40 + ["b"] * 20 + ["a"] * 40
    table = np.array([[score, 1 - score] for score in scores], np.float32)
    write_curve(tmp_path / "curve.json", table, ("a", "b"), targets)
    reached = json.loads((tmp_path / "curve.json").read_text())["labels"]["a"]["precision"]
    assert reached[50] == 0.8  # 0.255
    assert reached[90] == pytest.approx(2 / 3, abs=1e-4)  # 0.455
    assert threshold_at(tmp_path / "curve.json", ["a"], "precision", 0.75) == pytest.approx(0.505)


def test_a_handful_above_does_not_decide(tmp_path: Path) -> None:
    """One wrong image of three at the very top is noise, not a precision of 2/3."""
    table = np.array([[0.6, 0.4]] * 97 + [[0.95, 0.05]] * 3, np.float32)
    write_curve(tmp_path / "curve.json", table, ("a", "b"), ["a"] * 99 + ["b"])
    assert threshold_at(tmp_path / "curve.json", ["a"], "precision", 0.98) == 0.005


@pytest.mark.parametrize(
    ("labels", "goal", "value", "message"),
    [
        (["poster"], "f1", 0.9, "unknown goal 'f1'"),
        (["poster"], "precision", 0.0, "out of range"),
        (["poster"], "recall", 1.01, "out of range"),
        (["poster"], "recall", float("nan"), "out of range"),
        (["poster", "photo"], "precision", 0.9, "one label, not poster, photo"),
        ([], "precision", 0.9, "one label, not none"),
        (["logo"], "precision", 0.9, "logo was not measured"),
    ],
)
def test_what_cannot_be_asked(curve: Path, labels: list[str], goal: str, value: float, message: str) -> None:
    with pytest.raises(CurveError, match=message) as caught:
        threshold_at(curve, labels, goal, value)
    assert "\n" not in str(caught.value)


def test_what_is_not_reached_says_what_is(tmp_path: Path) -> None:
    table = np.array([[0.8, 0.2]] * 50 + [[0.001, 0.999]] * 50, np.float32)
    write_curve(tmp_path / "curve.json", table, ("a", "b"), (["a"] * 4 + ["b"]) * 20)
    with pytest.raises(CurveError, match=r"precision=0.9 is not reached for a: 0\.800 at best"):
        threshold_at(tmp_path / "curve.json", ["a"], "precision", 0.9)
    with pytest.raises(CurveError, match=r"recall=0.9 is not reached for a: 0\.500 at the lowest"):
        threshold_at(tmp_path / "curve.json", ["a"], "recall", 0.9)


def test_too_few_to_know(tmp_path: Path) -> None:
    table = np.array([[0.9, 0.1]] * 19, np.float32)
    write_curve(tmp_path / "curve.json", table, ("a", "b"), ["a"] * 19)
    for goal in ("precision", "recall"):
        with pytest.raises(CurveError, match="fewer than 20"):
            threshold_at(tmp_path / "curve.json", ["a"], goal, 0.5)


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"labels": {"poster": {}}, "thresholds": []}', "\xff"])
def test_no_curve_or_none_that_can_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "curve.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(CurveError, match="no curve with this model" if content is None else "not a readable curve"):
        threshold_at(path, ["poster"], "precision", 0.9)
    with pytest.raises(CurveError, match="no curve with this model"):
        threshold_at(None, ["poster"], "precision", 0.9)
