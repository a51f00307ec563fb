"""The most useful images first: by chance that a seed fixes, none twice, and none that cannot be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from reviewed_images import fill, sha256_of, world
from sqlalchemy import Engine, insert, update

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import clusters
from posterbot.review import picking
from posterbot.review.answers import record
from posterbot.review.picking import Pick, next_images

NUMBER = 120


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    fill(engine, world(NUMBER)[1])
    yield engine
    engine.dispose()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


def test_a_mix_that_the_seed_fixes_without_what_was_reviewed(engine: Engine) -> None:
    first = next_images(engine, 16, seed=3)
    assert first == next_images(engine, 16, seed=3)
    assert {pick.sha256 for pick in first} != {pick.sha256 for pick in next_images(engine, 16, seed=4)}
    kinds = Counter((pick.picked, pick.stratum) for pick in first)
    assert kinds["unsure", None] >= 6
    assert kinds["audit", "kept"] >= 3
    assert kinds["audit", "dropped"] >= 3
    assert len({pick.sha256 for pick in first}) == 16
    for pick in first[:8]:
        record(engine, pick.sha256, "skip", picked=pick.picked, stratum=pick.stratum, reviewer="anna")
    on_screen = [pick.sha256 for pick in first[8:]]
    second = next_images(engine, NUMBER, exclude=on_screen, seed=3)
    assert {pick.sha256 for pick in second}.isdisjoint(pick.sha256 for pick in first)
    assert len(second) == NUMBER - 16, "all there are, and no more"


def test_unsure_ones_are_next_to_the_threshold(local: Engine) -> None:
    shares = np.linspace(0.001, 0.999, 200)
    fill(local, np.stack([shares, 1 - shares, 0 * shares], 1).astype("<f4"))
    picks = next_images(local, 20)
    unsure = [int(100 * shares[n - 1]) for n in range(1, 201) if Pick(sha256_of(n), "unsure") in picks]
    assert unsure
    assert min(unsure) >= 40
    assert max(unsure) <= 60


def test_copies_that_are_judged_apart_are_shown(local: Engine) -> None:
    fill(local, np.array([[0.9, 0.1, 0]] * 30 + [[0.1, 0.9, 0]] * 30, "<f4"))
    with local.begin() as connection:
        names = {1: "same", 31: "same", 2: "kept", 3: "kept"}
        rows = [{"image_id": n, "copies": name, "variants": name, "representative": False} for n, name in names.items()]
        connection.execute(insert(clusters), rows)
    found = {pick.sha256 for pick in next_images(local, 8) if pick.picked == "duplicates"}
    assert found <= {sha256_of(1), sha256_of(31)}
    assert found


def test_what_cannot_be_shown_is_not_picked(local: Engine) -> None:
    fill(local, np.array([[0.9, 0.1, 0]] * 5 + [[0.1, 0.9, 0]] * 5, "<f4"), stored=False)
    assert next_images(local, 5) == []
    with local.begin() as connection:
        connection.execute(update(images).where(images.c.id == 7).values(dropped_path="dropped/7.jpg"))
    assert next_images(local, 5) == [Pick(sha256_of(7), "audit", "dropped")]


def test_audits_are_a_fair_sample_of_each_stratum(local: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where one question walks a small part of what there is, and turns round at its end."""
    monkeypatch.setattr(picking, "WALK", 16)
    fill(local, np.array([[0.9, 0.1, 0], [0.6, 0.4, 0], [0.1, 0.9, 0], [0.4, 0.6, 0]] * 200, "<f4"))
    sides: Counter[tuple[str | None, int]] = Counter()
    numbers = {sha256_of(n): n for n in range(1, 801)}
    for seed in range(60):
        for pick in next_images(local, 8, seed=seed):
            if pick.picked == "audit":
                sides[pick.stratum, (numbers[pick.sha256] - 1) % 4] += 1
                record(local, pick.sha256, "yes", picked="audit", stratum=pick.stratum, reviewer="anna")
    assert set(sides) == {("kept", 0), ("kept", 1), ("dropped", 2), ("dropped", 3)}
    assert sum(sides.values()) >= 200
    # Scores near the threshold are shown for that, and more often; audits know no difference (4 standard deviations).
    for one, other in ((sides["kept", 0], sides["kept", 1]), (sides["dropped", 2], sides["dropped", 3])):
        assert abs(one - other) < 4 * (one + other) ** 0.5


def test_an_empty_catalogue_has_nothing_to_show(local: Engine) -> None:
    assert next_images(local, 5) == []
