"""Precision and recall from audits: right on average, with intervals that hold; drift alarms that are quiet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from reviewed_images import fill, sha256_of
from sqlalchemy import Engine, insert

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import now
from posterbot.catalogue.schema import reviews
from posterbot.rejudge.rejudge import rejudge
from posterbot.review import drift as drifting
from posterbot.review.answers import record
from posterbot.review.drift import BLOCK, RISK, drift, precision_fell, shares_moved
from posterbot.review.estimate import Answered, estimate, weigh
from posterbot.review.intervals import effective, ratio, wilson
from posterbot.review.quality import quality


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


# --- Figures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "dropped", "right", "missed", "audits"),
    [
        (5_000, 50_000, 0.9, 0.01, (100, 100)),
        (5_000, 50_000, 0.9, 0.002, (60, 200)),
        (500, 500, 0.7, 0.1, (100, 100)),
        (20_000, 20_000, 0.5, 0.3, (30, 30)),
        (5_000, 50_000, 0.99, 0.0, (50, 50)),
    ],
)
def test_intervals_hold_as_often_as_they_say(
    kept: int, dropped: int, right: float, missed: float, audits: tuple[int, int]
) -> None:
    chance = np.random.default_rng(1)
    yes, no = round(kept * right), round(dropped * missed)
    rounds = 250
    held = {"precision": 0, "recall": 0}
    for _ in range(rounds):
        told = []
        for stratum, wanted, of, number in ((True, yes, kept, audits[0]), (False, no, dropped, audits[1])):
            found = int(chance.hypergeometric(wanted, of - wanted, number))
            told += [Answered(stratum, place < found, of / number) for place in range(number)]
        figures = estimate("all", told, kept, dropped)
        for name, real in (("precision", yes / kept), ("recall", yes / (yes + no))):
            low, high = getattr(figures, f"{name}_interval")
            held[name] += low - 1e-9 <= real <= high + 1e-9
    assert min(held.values()) / rounds > 0.9


def test_what_was_shown_for_other_reasons_stands_for_itself_only() -> None:
    audits = [Answered(True, place < 8, 100) for place in range(10)]
    audits += [Answered(False, place < 1, 100) for place in range(10)]
    alone = estimate("all", audits, 1000, 1000)
    assert (alone.precision, alone.recall) == (pytest.approx(0.8), pytest.approx(0.8 / 0.9))
    doubtful = [Answered(True, False, None)] * 100  # as those next to the threshold are
    both = estimate("all", [*audits, *doubtful], 1000, 1000)
    assert both.precision == pytest.approx(0.9 * 0.8)
    assert both.audits_kept == 10


def test_audits_are_weighed_by_the_strata_of_their_time() -> None:
    """Under policy 1 one in 20 of the kept was asked, and one in 180 of the dropped; under 2 all alike."""
    drawn = [(1, True)] * 50 + [(1, False)] * 50 + [(2, True)] * 100
    sizes = {1: (1_000, 9_000), 2: (10_000, 0)}
    weights = weigh(drawn, sizes)
    assert weights == [10.0] * 50 + [90.0] * 50 + [50.0] * 100
    assert sum(weights) == pytest.approx(10_000)
    told = [Answered(True, stratum, weight) for (_, stratum), weight in zip(drawn[:100], weights, strict=False)]
    assert estimate("all", told, 10_000, 0).precision == pytest.approx(0.1)


def test_nothing_is_said_of_what_nobody_looked_at() -> None:
    nothing = estimate("all", [], 10, 10)
    assert (nothing.precision, nothing.recall) == (None, None)
    assert nothing.precision_interval == nothing.recall_interval == (0.0, 1.0)
    half = estimate("all", [Answered(True, True, 2)] * 5, 10, 10)
    assert (half.precision, half.recall) == (1.0, None)
    assert half.precision_interval[0] < 0.9


def test_all_asked_is_all_known() -> None:
    told = [Answered(True, place < 8, 1) for place in range(10)] + [Answered(False, False, 1)] * 10
    figures = estimate("all", told, 10, 10)
    assert figures.precision_interval == pytest.approx((0.8, 0.8))
    assert figures.recall_interval == pytest.approx((1.0, 1.0))


def test_the_parts_agree_with_what_is_published() -> None:
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert wilson(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0.5, 0) == (0.0, 1.0)
    assert effective(10, 10, 10**9) == pytest.approx(10, rel=1e-6)
    assert effective(10, 10, 10) == float("inf")
    assert ratio((1.0, (1.0, 1.0)), (2.0, (2.0, 2.0))) == pytest.approx((0.5, 0.5))
    low, high = ratio((0.0, (0.0, 0.2)), (0.5, (0.3, 0.7)))
    assert low == 0.0
    assert 0.2 / 0.5 < high < 0.2 / 0.3
    assert ratio((0.5, (0.4, 0.6)), (0.1, (0.0, 0.2)))[1] == float("inf")


# --- From a catalogue -----------------------------------------------------------------------------------------------


def table_of(*shares: float) -> np.ndarray:
    return np.array([[share, 1 - share, 0] for share in shares], "<f4")


def answer(engine: Engine, number: int, said: str, stratum: str | None = None, label: str | None = None) -> None:
    picked = "asked" if stratum is None else "audit"
    record(engine, sha256_of(number), said, label=label, picked=picked, stratum=stratum, reviewer="anna")


def test_by_all_hosts_days_and_policies(engine: Engine) -> None:
    days = [datetime(2026, 5, 1, 23, 59, tzinfo=UTC), datetime(2026, 5, 2, 0, 1, tzinfo=UTC)]
    fill(engine, table_of(*[0.9] * 20, *[0.1] * 20), hosts=("a.example", "b.example"), days=days)
    for number in range(1, 11):
        answer(engine, number, "yes" if number % 2 else "no", "kept")
    for number in range(21, 31):
        answer(engine, number, "no", "dropped")
    answer(engine, 21, "skip", "dropped")  # a skip does not undo
    answer(engine, 22, "yes")  # a correction does, and it stays an audit
    (both,) = quality(engine)
    assert (both.of, both.kept, both.dropped, both.audits_kept, both.audits_dropped) == ("all", 20, 20, 10, 10)
    assert both.precision == pytest.approx(0.5)
    assert both.recall == pytest.approx(10 / 12)
    a, b = quality(engine, by="host")
    assert [(one.of, one.kept, one.precision) for one in (a, b)] == [("a.example", 10, 0.0), ("b.example", 10, 1.0)]
    first, second = quality(engine, by="day")
    assert [(one.of, one.precision) for one in (first, second)] == [("2026-05-01", 0.0), ("2026-05-02", 1.0)]
    rejudge(engine, threshold=0.05, author="bob")
    one, two = quality(engine, by="policy")
    assert (one.of, one.precision, one.kept) == ("1", pytest.approx(0.5), 20)
    assert (two.of, two.precision, two.kept) == ("2", pytest.approx((20 * 0.5 + 20 * 0.1) / 40), 40)
    assert two.recall == 1.0


def test_answers_to_another_question_do_not_count(local: Engine) -> None:
    fill(local, table_of(*[0.9] * 10, *[0.1] * 10))
    for number in range(1, 6):
        answer(local, number, "no", "kept")
    answer(local, 6, "label", "kept", label="photo")
    rejudge(local, labels="photo", threshold=0.5, author="bob")
    (now_,) = quality(local)
    assert (now_.audits_kept, now_.audits_dropped) == (0, 1), "no poster may be a photo, and the one said to be is"


def test_an_empty_catalogue_has_no_quality(local: Engine) -> None:
    (nothing,) = quality(local)
    assert (nothing.kept, nothing.precision) == (0, None)
    assert quality(local, by="host") == quality(local, by="policy") == quality(local, by="day") == []
    assert drift(local) == []


# --- Drift ----------------------------------------------------------------------------------------------------------


def test_false_alarms_are_as_rare_as_they_should_be() -> None:
    chance = np.random.default_rng(2)
    plain = [shares_moved(chance.random(BLOCK * 12) < share) for share in (0.02, 0.3, 0.9) for _ in range(400)]
    lumpy = [
        shares_moved(chance.random(BLOCK * 12) < np.repeat(np.clip(chance.normal(0.4, 0.08, 12), 0, 1), BLOCK))
        for _ in range(800)
    ]
    for found in (plain, lumpy):
        risks = np.array([one[3] for one in found if one is not None])
        assert len(risks) == len(found)
        assert (risks < RISK).mean() <= 0.005
        assert (risks < 0.05).mean() <= 0.06
    asked = [precision_fell(list(chance.random(120) < 0.9)) for _ in range(400)]
    assert np.mean([one is not None and one[3] < RISK for one in asked]) <= 0.005


def test_small_numbers_are_quiet() -> None:
    assert shares_moved([True] * (BLOCK * 8)) is None
    assert precision_fell([True] * 39 + [False] * 40) is None


def test_a_host_that_has_changed_raises_one_alarm(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifting, "BLOCK", 40)
    chance = np.random.default_rng(3)
    steady, changed = chance.random(800) < 0.5, chance.random(800) < 0.5
    changed[-40:] = False
    kept = np.stack([changed, steady], 1).ravel()  # image 1 is on the second host
    fill(
        engine,
        np.where(kept[:, np.newaxis], [0.9, 0.1, 0], [0.1, 0.9, 0]).astype("<f4"),
        hosts=("b.example", "a.example"),
    )
    (alarm,) = drift(engine)
    assert (alarm.host, alarm.kind, alarm.now, alarm.number) == ("a.example", "kept share", 0.0, 40)
    rows = np.flatnonzero(kept)[1::2][:160] + 1
    said = [{"image_id": int(n), "answer": "yes" if place < 110 else "no"} for place, n in enumerate(rows)]
    facts = {"policy_id": 1, "picked": "audit", "stratum": "kept", "reviewer": "anna", "at": now()}
    with engine.begin() as connection:
        connection.execute(insert(reviews), [{**one, **facts} for one in said])
    assert "precision" in {alarm.kind for alarm in drift(engine)}


def test_another_policy_is_no_drift(local: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drifting, "BLOCK", 20)
    shares = np.random.default_rng(4).random(400)
    fill(local, np.stack([shares, 1 - shares, 0 * shares], 1).astype("<f4"))
    rejudge(local, threshold=0.9, author="bob")
    assert drift(local) == []
