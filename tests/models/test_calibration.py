"""The expected calibration error, on cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.calibration import BINS, reliability


def test_half_right_at_nine_tenths() -> None:
    measured = reliability(np.full(30, 0.9), np.arange(30) % 2 == 0)
    assert measured.ece == pytest.approx(0.4)
    assert [bin.images for bin in measured.bins] == [2] * BINS
    assert {(bin.confidence, bin.accuracy) for bin in measured.bins} == {(0.9, 0.5)}


def test_honest_probabilities_have_almost_none() -> None:
    chance = np.random.default_rng(0)
    confidence = chance.random(30_000)
    measured = reliability(confidence, chance.random(30_000) < confidence)
    assert measured.ece < 0.02
    assert max(bin.images for bin in measured.bins) - min(bin.images for bin in measured.bins) <= 1
    edges = [edge for bin in measured.bins for edge in (bin.lowest, bin.highest)]
    assert edges == sorted(edges)


def test_fewer_images_than_bins() -> None:
    measured = reliability(np.array([0.2, 1.0]), np.array([False, True]))
    assert measured.ece == pytest.approx(0.1)
    assert len(measured.bins) == 2
