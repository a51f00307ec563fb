"""Plots are pictures of the right size and the same each time; the sheet shows the worst mistakes uncropped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from colours import Colours, draw
from PIL import Image

from models.evaluate import Report, evaluate
from models.plots import MISTAKES, write_mistakes, write_plots


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """25 posters scored from 50 to 74 percent and 30 photos from 20 to 78, every one of its own size."""
    folder = tmp_path_factory.mktemp("images")
    posters = [draw(folder, f"poster/a__{n}.png", 50 + n, 5, (300, 450)) for n in range(25)]
    photos = [draw(folder, f"photo/b__{n}.png", 20 + 2 * n, 0, (300, 100)) for n in range(30)]
    return evaluate(Colours(), [*posters, *photos])


def test_plots(report: Report, tmp_path: Path) -> None:
    write_plots(report, tmp_path)
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == ["confusion.png", "pr.png", "reliability.png"]
    first = [path.read_bytes() for path in paths]
    for path in paths:
        with Image.open(path) as image:
            assert min(image.size) > 400
            pixels = np.asarray(image.convert("RGB"))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10
        # Nothing runs over the edge: the outermost pixels are paper.
        for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
            assert edge.min() > 240, path.name
    write_plots(report, tmp_path)
    assert [path.read_bytes() for path in paths] == first


def test_the_sheet_shows_the_worst_uncropped(report: Report, tmp_path: Path) -> None:
    write_mistakes(report, tmp_path / "mistakes.png")
    with Image.open(tmp_path / "mistakes.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    # The first cell is the photo with the highest score, 78 percent red: 150x50 in the middle of 150x150.
    cell = pixels[40:190, 10:160]
    assert (abs(cell - (195, 0, 55)).max(2) <= 2).sum() == 150 * 50
    assert (cell[0] == 0xEE).all()
    # The first of the lower half is the poster with the lowest, 50 percent red: 100x150.
    top = 40 + 2 * 210 + 40
    cell = pixels[top : top + 150, 10:160]
    assert (abs(cell - (125, 12, 112)).max(2) <= 2).sum() == 100 * 150
    reds = [tuple(pixels[40 + 75 + 210 * (n // 10), 10 + 75 + 160 * (n % 10)]) for n in range(MISTAKES)]
    assert [red for red, _, _ in reds] == sorted((red for red, _, _ in reds), reverse=True)
    assert len(set(reds)) == MISTAKES


def test_a_file_that_has_gone_is_no_reason_to_stop(report: Report, tmp_path: Path) -> None:
    gone = [replace(sample, path=Path("nowhere.png")) for sample in report.scored.samples]
    write_mistakes(replace(report, scored=replace(report.scored, samples=gone)), tmp_path / "mistakes.png")
    with Image.open(tmp_path / "mistakes.png") as image:
        assert image.size == (1610, 930)
