"""Pictures into squares: what is shown, what is left out, and that no more is decoded than needed."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import encode
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.analysis import analyse
from models.fitting import CENTRE, Fit, fit_square, longer_side


def bars(width: int, height: int) -> Image.Image:
    """Red left quarter, blue right quarter, green between."""
    image = Image.new("RGB", (width, height), (0, 255, 0))
    image.paste((255, 0, 0), (0, 0, width // 4, height))
    image.paste((0, 0, 255), (width - width // 4, 0, width, height))
    return image


def test_letterbox_shows_all_in_a_frame() -> None:
    square = fit_square(bars(400, 200), 100, Fit.LETTERBOX)
    assert (square[0] == 128).all()
    assert square[50, 5].tolist() == [255, 0, 0]
    assert square[50, 95].tolist() == [0, 0, 255]


def test_crop_shows_the_centre_undistorted() -> None:
    square = fit_square(bars(400, 200), 100, Fit.CROP)
    assert (square == (0, 255, 0)).all()  # the bars are outside of the central square
    square = fit_square(bars(200, 200), 100, Fit.CROP)
    edge = 100 * (0.25 - (1 - CENTRE) / 2) / CENTRE
    assert square[50, round(edge) - 2].tolist() == [255, 0, 0]
    assert square[50, round(edge) + 2].tolist() == [0, 255, 0]


def test_stretch_shows_all_squashed() -> None:
    square = fit_square(bars(400, 200), 100, Fit.STRETCH)
    assert [square[99, x].tolist().index(255) for x in (20, 50, 80)] == [0, 1, 2]


@pytest.mark.parametrize("fit", Fit)
@given(width=st.integers(1, 3000), height=st.integers(1, 30), side=st.integers(1, 64))
def test_any_shape_fits(fit: Fit, width: int, height: int, side: int) -> None:
    square = fit_square(Image.new("RGB", (width, height)), side, fit)
    assert (square.shape, square.dtype) == ((side, side, 3), np.uint8)


@given(fit=st.sampled_from(Fit), width=st.integers(1, 20_000), height=st.integers(1, 20_000), side=st.integers(1, 500))
def test_enough_is_decoded_and_no_more(fit: Fit, width: int, height: int, side: int) -> None:
    longer = longer_side(fit, side, width, height)
    if fit is Fit.LETTERBOX:
        assert longer == side
        return
    shorter_shown = min(width, height) * longer / max(width, height) * (CENTRE if fit is Fit.CROP else 1)
    assert 1 <= longer <= max(width, height)
    assert longer == max(width, height) or abs(shorter_shown - side) <= 1


class Witness:
    """A classifier that keeps what it was given."""

    name, hash, labels, side, dimensions, curve = "witness", "0" * 64, ("poster",), 50, 0, None

    def __init__(self, fit: Fit) -> None:
        self.fit = fit

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return self.predict(pixels), None

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        self.given = pixels
        return np.ones((len(pixels), 1), np.float32)


@pytest.mark.parametrize("fit", Fit)
def test_pictures_are_fitted_as_the_model_wants(fit: Fit) -> None:
    model = Witness(fit)
    analyse([encode(bars(400, 200), "PNG")], model)  # type: ignore[arg-type]
    difference = model.given[0].astype(int) - fit_square(bars(400, 200), 50, fit)
    assert np.abs(difference).mean() < 2  # it was reduced in two steps
