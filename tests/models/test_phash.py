"""The perceptual hash is imagehash's, and stays near for copies."""

from __future__ import annotations

import io

import imagehash
import pytest
from conftest import encode, picture
from PIL import Image

from models.phash import phash


@pytest.mark.parametrize("seed", range(20))
def test_same_as_the_package(seed: int) -> None:
    image = picture(150 + seed * 7, 220, seed=seed)
    assert phash(image) == str(imagehash.phash(image))


def test_copies_are_near_and_others_are_far() -> None:
    original = picture()
    copy = Image.open(io.BytesIO(encode(original.resize((200, 300)), quality=50)))
    assert (int(phash(original), 16) ^ int(phash(copy), 16)).bit_count() <= 6
    assert (int(phash(original), 16) ^ int(phash(picture(seed=9)), 16)).bit_count() >= 16
