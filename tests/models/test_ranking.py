"""Ranking figures are scikit-learn's, intervals are those of whole sources."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.ranking import _Ranked, average_precision, intervals, rank

ROWS = st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans(), st.integers(0, 3)), min_size=3, max_size=60)


def columns(rows: list[tuple[int, bool, bool, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    score, wanted, covers, weight = (np.array(column) for column in zip(*rows, strict=True))
    return score / 10, wanted.astype(bool), covers.astype(bool), weight


@given(ROWS)
@settings(max_examples=40)
def test_figures_are_scikit_learns(rows: list[tuple[int, bool, bool, int]]) -> None:
    score, wanted, covers, _ = columns(rows)
    web = wanted | ~covers
    assume(wanted.any() and not wanted[web].all())
    ranking = rank(score, wanted, covers)
    assert ranking.average_precision == pytest.approx(average_precision_score(wanted, score))
    assert average_precision(score, wanted) == pytest.approx(ranking.average_precision)
    assert ranking.web_average_precision == pytest.approx(average_precision_score(wanted[web], score[web]))
    assert ranking.auc == pytest.approx(roc_auc_score(wanted, score))
    assert ranking.web_auc == pytest.approx(roc_auc_score(wanted[web], score[web]))


@given(ROWS)
def test_a_weight_is_that_many_images(rows: list[tuple[int, bool, bool, int]]) -> None:
    score, wanted, covers, weight = columns(rows)
    assume((weight * wanted).any())
    repeated = [np.repeat(column, weight) for column in (score, wanted, covers)]
    weighted = _Ranked(score, wanted, covers).figures(weight.astype(float))
    assert weighted == pytest.approx(_Ranked(*repeated).figures(np.ones(weight.sum())), nan_ok=True)


def test_two_percent_of_the_web_mix_pass() -> None:
    # 100 others at 0.00 … 0.99: the third highest, 0.97, may not pass any more.
    score = np.array([0.985, 0.975, 0.97, 0.5, 0.99, 0.97, *np.arange(100) / 100])
    wanted = np.array([True] * 4 + [False] * 102)
    covers = np.array([False] * 4 + [True] * 2 + [False] * 100)
    ranking = rank(score, wanted, covers)
    assert ranking.recall == 0.5
    assert ranking.covers_passing == 0.5


def test_what_cannot_be_measured_is_none() -> None:
    score, wanted = np.array([0.9, 0.1]), np.array([True, False])
    without_covers = rank(score, wanted, np.array([False, False])).as_dict()
    assert without_covers["covers_passing"] is None
    assert without_covers["recall"] == 1
    covers_only = rank(score, wanted, np.array([False, True])).as_dict()
    assert covers_only["recall"] is None
    assert covers_only["web_auc"] is None
    assert covers_only["average_precision"] == 1


def test_intervals_are_those_of_sources() -> None:
    chance = np.random.default_rng(1)
    sources = np.repeat([f"s{n}" for n in range(24)], 30)
    wanted, covers = np.arange(720) < 240, np.arange(720) >= 600
    quality = np.repeat(chance.normal(0, 1, 24), 30)  # what images of one source have in common
    score = wanted * 2 + quality + chance.normal(0, 0.3, 720)
    figures = rank(score, wanted, covers).as_dict()
    by_source = intervals(score, wanted, covers, sources.tolist())
    assert by_source == intervals(score, wanted, covers, sources.tolist())
    for name, (low, high) in by_source.items():
        assert 0 <= low <= (figures[name] or 0) <= high <= 1
    by_image = intervals(score, wanted, covers, [str(n) for n in range(720)])
    wide, narrow = (high - low for low, high in (by_source["average_precision"], by_image["average_precision"]))
    assert wide > 2 * narrow
    assert set(by_source) == {"average_precision", "web_average_precision", "recall", "covers_passing"}
    assert set(intervals(score, wanted, wanted, sources.tolist())) == set(by_source) - {"covers_passing"}
