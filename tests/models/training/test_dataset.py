"""Splits that do not leak, weights that balance, variants that stay pictures."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from conftest import picture
from hypothesis import given
from hypothesis import strategies as st

from models.training.augment import augment, mend_corner
from models.training.compose import COMPOSITIONS
from models.training.dataset import Sample, read_samples, sampling_weights, split_by_source


def sample(label: str, source: str, number: int = 0) -> Sample:
    return Sample(Path(f"{label}/{source}__{number}.jpg"), label, source)


def test_labels_and_sources_are_read_from_names(tmp_path: Path) -> None:
    for name in ("poster/site-a__1.jpg", "poster/site-b__2.PNG", "photo/plain.jpg", "photo/notes.txt", "stray.jpg"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"")
    assert {(s.label, s.source) for s in read_samples(tmp_path)} == {
        ("poster", "site-a"),
        ("poster", "site-b"),
        ("photo", "photo"),
    }


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected DIR/<label>"):
        read_samples(tmp_path)


LABELLED = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("stuvwxyz"), st.integers(0, 999)), min_size=1, max_size=200
)


@given(LABELLED)
def test_no_source_is_on_both_sides(rows: list[tuple[str, str, int]]) -> None:
    samples = [sample(*row) for row in rows]
    training, held_out = split_by_source(samples)
    assert len(training) + len(held_out) == len(samples)
    assert not {s.source for s in training} & {s.source for s in held_out}


def test_each_label_trains_and_is_held_out_where_it_can() -> None:
    samples = [sample(label, f"{label}{n}", k) for label in "abc" for n in range(3) for k in range(10 * (n + 1))]
    samples += [sample("lonely", "only", k) for k in range(5)]
    training, held_out = split_by_source(samples)
    assert {s.label for s in training} == {"a", "b", "c", "lonely"}
    assert {s.label for s in held_out} == {"a", "b", "c"}
    assert {s.source for s in training} >= {"a2", "b2", "c2"}  # the largest trains
    assert split_by_source(samples) == (training, held_out)


def test_thin_labels_are_drawn_more_often_than_they_occur() -> None:
    samples = [sample("big", "x", k) for k in range(900)] + [sample("thin", "y", k) for k in range(100)]
    weights = sampling_weights(samples)
    assert sum(weights) == pytest.approx(1)
    assert sum(weights[900:]) == pytest.approx(0.25)  # √100 of √900 + √100


@pytest.mark.parametrize("seed", range(40))
def test_variants_are_pictures_and_repeat(seed: int) -> None:
    image = picture(90 + 7 * seed, 240 - 3 * seed, seed=seed)
    first, again = (augment(image, Random(seed)) for _ in range(2))
    assert first.mode == "RGB"
    assert min(first.size) >= 16
    assert first.tobytes() == again.tobytes()


def test_the_ribbon_goes_and_the_rest_stays() -> None:
    image = picture(200, 300)
    marked = image.copy()
    marked.paste((255, 0, 0), (140, 0, 200, 70))
    mended = np.asarray(mend_corner(marked))
    assert not (mended[:70, 140:] == (255, 0, 0)).all(axis=2).any()
    assert (mended[100:] == np.asarray(image)[100:]).all()


@pytest.mark.parametrize("label", COMPOSITIONS)
def test_compositions(label: str) -> None:
    often, made_of, compose = COMPOSITIONS[label]
    assert 0 < often <= 1
    assert made_of
    for seed in range(30):
        image = picture(40 + 11 * seed, 200 - 4 * seed, seed=seed)
        before = image.tobytes()
        made = compose(image, Random(seed))
        assert made.mode == "RGB"
        assert min(made.size) >= 30
        assert image.tobytes() == before
        assert made.tobytes() == compose(image, Random(seed)).tobytes()


def test_real_split(real_data: Path) -> None:
    _, held_out = split_by_source(read_samples(real_data / "images"))
    assert len(held_out) >= 2000
    assert len({s.source for s in held_out if s.label == "poster"}) >= 3
