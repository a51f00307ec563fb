"""The rules: (keep, reason) and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decode import Header
from posterbot.catalogue.records import Model, Policy
from posterbot.filters.relevance import judge
from posterbot.filters.size import MinimumSize
from posterbot.reasons import Reason

MODEL = Model("m", "0" * 64, ("card", "photo", "poster"))


def policy(*labels: str, threshold: float = 0.5, top: int | None = None) -> Policy:
    return Policy(labels, threshold, MODEL, author="me", origin="test", top=top)


@pytest.mark.parametrize(
    ("size", "keep"), [((100, 150), True), ((99, 150), False), ((100, 149), False), ((1, 1), False)]
)
def test_minimum_size(size: tuple[int, int], keep: bool) -> None:
    assert MinimumSize(100, 150)(Header("PNG", *size)) == (keep, Reason.RELEVANT if keep else Reason.TOO_SMALL)


def test_wanted_labels_are_summed() -> None:
    scores = np.array([0.25, 0.5, 0.25], np.float32)
    assert not judge(scores, policy("poster")).keep
    both = judge(scores, policy("poster", "card"))
    assert (both.keep, both.reason, both.label, both.score) == (True, Reason.RELEVANT, "photo", 0.5)


@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), st.floats(0.01, 0.99))
def test_a_stricter_threshold_never_keeps_more(values: list[float], threshold: float) -> None:
    scores = np.array(values, np.float32)
    loose, strict = (judge(scores, policy("poster", threshold=t)).keep for t in (threshold / 2, threshold))
    assert loose or not strict


@pytest.mark.parametrize(
    ("scores", "top", "keep"),
    [
        ([0.2, 0.5, 0.3], 1, False),
        ([0.2, 0.5, 0.3], 2, True),
        ([0.1, 0.3, 0.6], 1, True),
        ([0.5, 0.0, 0.5], 1, False),  # one of two equal ones is not the likeliest
        ([0.5, 0.0, 0.5], 2, True),
        ([1.0, 0.0, 0.0], 2, False),  # nor is one of many that the network gives nothing
        ([1.0, 0.0, 0.0], 3, True),
    ],
)
def test_top_alone_decides_where_there_is_no_threshold(scores: list[float], top: int, keep: bool) -> None:
    verdict = judge(np.array(scores, np.float32), policy("poster", threshold=0, top=top))
    assert (verdict.keep, verdict.reason) == (keep, Reason.RELEVANT if keep else Reason.NOT_RELEVANT)


def test_both_top_and_threshold_must_hold() -> None:
    scores = np.array([0.1, 0.5, 0.4], np.float32)
    assert judge(scores, policy("poster", threshold=0.3, top=2)).keep
    assert not judge(scores, policy("poster", threshold=0.5, top=2)).keep
    assert not judge(scores, policy("poster", threshold=0.3, top=1)).keep
    assert judge(scores, policy("poster", "photo", threshold=0.8, top=1)).keep  # one of those wanted is enough


@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3))
def test_a_larger_top_never_keeps_less_and_all_labels_keep_all(values: list[float]) -> None:
    kept = [judge(np.array(values, np.float32), policy("card", threshold=0, top=top)).keep for top in (1, 2, 3)]
    assert kept == sorted(kept)
    assert kept[2]


def test_reasons_of_statuses() -> None:
    for status in (*range(201, 600), 999):
        assert Reason.of_status(status).startswith("http_")
