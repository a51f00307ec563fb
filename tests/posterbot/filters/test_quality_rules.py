"""What is of no use for training goes, and no poster with it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from conftest import picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from models.decode import Header, Picture
from models.quality import measure
from posterbot.filters.quality import aspect_fits, good_enough
from posterbot.reasons import Reason

KEPT = (True, Reason.RELEVANT)


@pytest.mark.parametrize(
    ("size", "keep"),
    [
        ((300, 450), True),
        ((200, 600), True),  # a door panel
        ((728, 90), False),
        ((160, 600), False),
        ((320, 100), True),
        ((321, 100), False),
        ((1, 1), True),
        ((4000, 1), False),
    ],
)
def test_extreme_aspect(size: tuple[int, int], keep: bool) -> None:
    assert aspect_fits(Header("JPEG", *size)) == (KEPT if keep else (False, Reason.EXTREME_ASPECT))


@given(st.integers(1, 9999), st.integers(1, 9999), st.floats(1, 100))
def test_aspect_is_the_same_lying_or_standing(width: int, height: int, most: float) -> None:
    lying, standing = (aspect_fits(Header("PNG", *size), most) for size in ((width, height), (height, width)))
    assert lying == standing
    assert lying[0] == (max(width, height) / min(width, height) <= most or width == height)


def card(*lines: str) -> Image.Image:
    image = Image.new("RGB", (107, 160), (225, 225, 225))
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((20, 60 + 14 * number), line, (205, 205, 205))
    return image


def test_flat() -> None:
    for image in (
        card(),
        card("no poster", "available"),
        Image.linear_gradient("L").point(lambda v: 100 + v // 8).convert("RGB"),
    ):
        assert good_enough(measure(image)) == (False, Reason.FLAT)


def blurred(image: Image.Image, sigma: float) -> tuple[bool, Reason]:
    return good_enough(measure(image.filter(ImageFilter.GaussianBlur(sigma))))


def test_few_posters_are_lost_and_few_blurred_ones_kept(real_data: Path) -> None:
    paths = sorted((real_data / "images" / "poster").iterdir())[::8]
    images = [Picture(path.read_bytes()).rgb(144) for path in paths]
    lost = [path.name for path, image in zip(paths, images, strict=True) if good_enough(measure(image)) != KEPT]
    assert len(lost) <= 0.002 * len(paths), lost
    sample = images[::6]
    caught = [blurred(image, 1.5) != KEPT for image in sample]
    assert sum(caught) > 0.95 * len(caught)
    slightly = [blurred(image, 0.5) != KEPT for image in sample]
    assert sum(slightly) < 0.02 * len(slightly)


def test_no_real_poster_has_an_extreme_aspect(real_data: Path) -> None:
    with (real_data / "images" / "index.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["original_width"]]
    goes = {
        label: [
            not aspect_fits(Header("JPEG", int(row["original_width"]), int(row["original_height"])))[0]
            for row in rows
            if row["label"] == label
        ]
        for label in ("poster", "logo")
    }
    assert sum(goes["poster"]) == 0
    assert sum(goes["logo"]) > 0.1 * len(goes["logo"])


def test_a_drawn_picture_passes() -> None:
    busy = picture().resize((107, 160))
    ImageDraw.Draw(busy).text((10, 20), "THE TITLE\nOF A FILM", (255, 255, 255))
    assert good_enough(measure(busy)) == KEPT
