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


def policy(*labels: str, threshold: float = 0.5) -> Policy:
    return Policy(labels, threshold, MODEL, author="me", origin="test")


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


def test_reasons_of_statuses() -> None:
    for status in (*range(201, 600), 999):
        assert Reason.of_status(status).startswith("http_")
