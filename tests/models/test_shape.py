"""The outline of a letterboxed picture, and what it says of a label."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.classifier import ModelError
from models.declaration import read_declaration
from models.decode import letterbox
from models.shape import Shape, aspects

POSTER = Shape("poster", aspect=2 / 3, spread=0.04, any_other=0.02)
DECLARED = {"file": "m.tflite", "labels": "labels.txt"}


def outlined(width: int, height: int) -> np.ndarray:
    return letterbox(Image.new("RGB", (width, height), (200, 30, 30)), 144)[np.newaxis]


@given(st.integers(20, 3000), st.integers(20, 3000))
def test_outline_is_found_to_the_pixel(width: int, height: int) -> None:
    side = 144 * min(width, height) / max(width, height)
    slack = 0.5 / max(side, 1)
    assert abs(log(aspects(outlined(width, height))[0]) - log(width / height)) <= slack * 2 + 1e-9


def test_a_picture_of_nothing_but_grey_is_a_square() -> None:
    assert aspects(letterbox(Image.new("RGB", (50, 150), (128, 128, 128)), 96)[np.newaxis]) == [1.0]


def test_the_typical_outline_costs_nothing_and_an_odd_one_a_bounded_amount() -> None:
    one_sheet, a_series, square, banner = (
        float(POSTER.log_likelihood(outlined(*size))[0])
        for size in ((1000, 1500), (1000, 1414), (900, 900), (1500, 150))
    )
    assert one_sheet > -0.1
    assert one_sheet > a_series > square
    assert square == pytest.approx(log(0.02), abs=0.01)
    assert banner == pytest.approx(square, abs=0.01)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"label": "poster", "aspect": 0.66, "spread": 0.04}, "the key any_other is missing"),
        ({"label": "poster", "aspect": 0, "spread": 0.04, "any_other": 0.1}, "aspect = 0, expected a number above 0"),
        ({"label": "poster", "aspect": 1, "spread": 1, "any_other": 1}, "any_other = 1.0, expected a share below 1"),
        ({"label": "poster", "aspect": 1, "spread": 1, "any_other": 0.1, "x": 1}, "unknown key x"),
        ("square", "shape = 'square', expected a table"),
    ],
)
def test_a_wrong_declaration_is_refused(shape: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_declaration(Path("m/model.toml"), DECLARED | {"shape": shape})


def test_shape_needs_letterboxing() -> None:
    shape = {"label": "poster", "aspect": 0.66, "spread": 0.04, "any_other": 0.1}
    with pytest.raises(ModelError, match=r'\[shape\] needs fit = "letterbox", found "crop"'):
        read_declaration(Path("m/model.toml"), DECLARED | {"shape": shape, "fit": "crop"})
