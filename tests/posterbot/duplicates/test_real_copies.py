"""Real posters, altered as the web alters them. benchmarks/duplicates.py measures the same on all there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from altered_pictures import COPIES, VARIANTS
from made_up_images import add, groups, names
from PIL import Image

from models.analysis import Analysis, analyse
from models.registry import load_model
from posterbot.catalogue.database import open_catalogue
from posterbot.duplicates.update import update

POSTERS = 30
SOME_COPIES = (
    "JPEG 30",
    "WebP 50",
    "PNG",
    "size 35 %",
    "size 50 %",
    "size 200 %",
    "border 2 % black",
    "border 2 % white",
    "border 5 % white",
    "crop 2 % all around",
    "crop 5 % of the left",
    "small watermark",
    "darker",
    "more contrast",
)
SOME_VARIANTS = ("another title above", "hue", "grey", "large watermark")


@pytest.fixture(scope="module")
def seen(real_data: Path) -> list[dict[str, Analysis]]:
    """Of each poster, what the pipeline finds in it and in what was made of it."""
    model = load_model()
    files = sorted((real_data / "images" / "poster").iterdir())[::150][:POSTERS]
    found = []
    for number, file in enumerate(files):
        picture = Image.open(file).convert("RGB")
        copies = SOME_COPIES[number % 7], SOME_COPIES[7 + number % 7]
        variant = SOME_VARIANTS[number % 4]
        made = {"original": file.read_bytes()} | {name: COPIES[name](picture) for name in copies}
        made[variant] = VARIANTS[variant](picture)
        answers = analyse(list(made.values()), model)
        assert all(isinstance(answer, Analysis) for answer in answers)
        found.append(dict(zip(made, answers, strict=True)))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("with_embeddings", [True, False])
def test_copies_of_real_posters_are_found(
    seen: list[dict[str, Analysis]], tmp_path: Path, with_embeddings: bool
) -> None:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    numbered = [(name, poster, analysis) for poster, of in enumerate(seen) for name, analysis in of.items()]
    numbered.sort(key=lambda each: each[2].sha256)  # they come in any order
    for number, (_, _, analysis) in enumerate(numbered, 1):
        assert analysis.header is not None
        assert analysis.phash is not None
        size = {"width": analysis.header.width, "height": analysis.header.height, "sha256": analysis.sha256}
        add(engine, number, int(analysis.phash, 16), analysis.embedding if with_embeddings else None, **size)
    update(engine)
    of = {number: poster for number, (_, poster, _) in enumerate(numbered, 1)}
    for column in ("copies", "variants"):
        assert all(len({of[number] for number in group}) == 1 for group in groups(engine, column))
    found, originals = names(engine), {}
    for number, (name, poster, _) in enumerate(numbered, 1):
        if name == "original":
            originals[poster] = number
    copies = [number for number, (name, *_) in enumerate(numbered, 1) if name in COPIES]
    recall = sum(found[number] == found[originals[of[number]]] for number in copies) / len(copies)
    assert len(copies) == 2 * POSTERS
    assert recall >= (0.96 if with_embeddings else 0.6)
    if with_embeddings:
        together = names(engine, "variants")
        variants = [number for number, (name, *_) in enumerate(numbered, 1) if name in VARIANTS]
        assert sum(together[number] == together[originals[of[number]]] for number in variants) >= 0.85 * len(variants)
    engine.dispose()
