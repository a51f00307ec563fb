"""A card says what was measured, owns up to what falls short, and shows no picture of anybody else's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from colours import Colours, draw

from models.curve import threshold_at
from models.evaluate import Report, evaluate
from models.training.card import Facts, write_card
from models.training.dataset import Sample

FACTS = Facts(32, 2_500_000, 1.25, 0.5, "weights of nobody (CC0)", ("three epochs",))
TRAINING = [Sample(Path("x"), "poster", "t"), Sample(Path("y"), "poster", "t"), Sample(Path("z"), "flyer", "u")]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """30 posters from two sources, 30 photos that are never taken for one, 10 book covers that often are."""
    folder = tmp_path_factory.mktemp("images")
    posters = [draw(folder, f"poster/{'ab'[n % 2]}__{n}.png", 50 + n, 10) for n in range(30)]
    photos = [draw(folder, f"photo/c__{n}.png", n, 5) for n in range(30)]
    covers = [draw(folder, f"book_cover/d__{n}.png", 60 + 2 * n, 10) for n in range(8)]
    covers += [draw(folder, f"book_cover/d__{n}.png", 10, 80) for n in range(8, 10)]
    return evaluate(Colours(), [*posters, *photos, *covers])


def section(card: str, heading: str) -> str:
    return card.partition(f"## {heading}")[2].partition("\n## ")[0]


def test_a_card(report: Report, tmp_path: Path) -> None:
    held_out = report.scored.samples
    write_card(tmp_path, report, TRAINING, held_out, FACTS)
    names = {"card.md", "curve.json", "pr.png", "reliability.png", "confusion.png"}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert sum(file.stat().st_size for file in tmp_path.glob("*.png")) < 400_000
    card = (tmp_path / "card.md").read_text()
    assert set(re.findall(r"\]\(([^)]+)\)", card)) <= names
    assert "```" not in card  # blocks are commands that documents promise to run
    for fact in (
        "# colours\n",
        "32×32",
        "2.5 MB",
        "3 labels",
        "temperature 1.25",
        "weights of nobody (CC0).",
        "- three",
    ):
        assert fact in card
    assert "Trained on 3 images of 2 sources, measured on 70 images of 4 sources" in card

    goals = section(card, "What it should reach")
    assert re.search(r"\| AP, web mix \| 0.99 \| 1.000 \| 1.000–1.000 \| yes \|", goals)
    assert re.search(r"\| covers passing there, at most \| 0.12 \| 0.800 \| .* \| \*\*no\*\* \|", goals)
    assert "It falls short in: AP, all images; covers passing there." in goals
    assert "There are 2 of poster" in goals

    thresholds = section(card, "Thresholds")
    assert "| 0.5 | 0.789 | 1.000 | 0.000 | 0.800 |" in thresholds
    assert re.search(r"`precision=0.95` \| precision=0.95 is not reached for poster: 0\.\d+ at best", thresholds)
    found = re.search(r"`recall=0.95` → (\S+) \| \S+ \| (\S+) \|", thresholds)
    assert found is not None
    assert float(found[1]) == threshold_at(tmp_path / "curve.json", ["poster"], "recall", 0.95)
    assert float(found[2]) >= 0.95

    assert "| book_cover | 8 | 10 |" in section(card, "What it takes for what")
    assert "mistakes" not in card
    assert "| photo | 30 |" in section(card, "By label")
    assert "| poster | a | 15 | 1.00 | 1.00 |" in section(card, "By held-out source")
    assert "| poster | 2 | 30 | t 2 |" in section(card, "Training data")
    assert "| flyer | 1 | 0 | u 1 |" in section(card, "Training data")
    assert f"{report.label_reliability.ece:.3f} for poster" in section(card, "Do the probabilities")


def test_mistakes_are_shown_only_when_asked_for(report: Report, tmp_path: Path) -> None:
    write_card(tmp_path, report, TRAINING, report.scored.samples, FACTS, mistakes=True)
    assert "![The worst mistakes](mistakes.png)" in (tmp_path / "card.md").read_text()
    assert (tmp_path / "mistakes.png").is_file()
