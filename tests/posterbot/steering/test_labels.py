"""Labels as people type them: by name, by any of several names, by number; and what is not clear is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.catalogue.records import Model
from posterbot.steering.labels import LISTED, PolicyError, read_labels

ANIMALS = Model(
    "animals",
    "0" * 64,
    (
        "tench, Tinca tinca",
        "goldfish, Carassius auratus",
        "Cardigan, Cardigan Welsh corgi",
        "cardigan",
        "crane (4)",
        "crane (5)",
        "maillot",
        "maillot, tank suit",
        "polecat, fitch",
        "skunk, polecat",
    ),
)


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("goldfish", [1]),
        ("GoldFish", [1]),
        ("carassius auratus", [1]),
        ("goldfish, Carassius auratus", [1]),
        ("1", [1]),
        (" 0 ,goldfish , 0", [0, 1]),
        ("Cardigan", [2]),
        ("cardigan", [3]),
        ("crane (5)", [5]),
        ("maillot", [6]),
        ("maillot, tank suit", [7]),
        ("tank suit", [7]),
        ("fitch, skunk", [8, 9]),
        (["maillot, tank suit", "1"], [7, 1]),
        ([3], [3]),
    ],
)
def test_understood(typed: object, numbers: list[int]) -> None:
    assert read_labels(typed, ANIMALS) == tuple(ANIMALS.labels[n] for n in numbers)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(ANIMALS.labels), min_size=1, unique=True))
def test_what_is_shown_may_be_typed_again(labels: list[str]) -> None:
    assert read_labels(", ".join(labels), ANIMALS) == tuple(labels)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("polecat", r"label 'polecat' may be 8 \(polecat, fitch\), 9 \(skunk, polecat\): give the number"),
        ("CARDIGAN", r"label 'CARDIGAN' may be 2 \(Cardigan, .*\), 3 \(cardigan\): give the number"),
        ("crane", r"unknown label 'crane': animals knows tench"),
        ("10", "unknown label '10'"),
        ("-1", "unknown label '-1'"),
        ("9" * 5000, "unknown label"),
        ("", "no label given: animals knows"),
        (" , ", "no label given"),
        ([], "no label given"),
    ],
)
def test_refused(typed: object, message: str) -> None:
    with pytest.raises(PolicyError, match=message) as caught:
        read_labels(typed, ANIMALS)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_where_labels_are_numbers_a_number_is_a_label() -> None:
    digits = Model("digits", "0" * 64, ("5", "0", "4"))
    assert read_labels("4, 0", digits) == ("4", "0")
    with pytest.raises(PolicyError, match="unknown label '1'"):
        read_labels("1", digits)


def test_of_many_labels_those_like_it_are_named() -> None:
    many = Model("many", "0" * 64, ANIMALS.labels + tuple(f"thing {n}" for n in range(LISTED)))
    with pytest.raises(PolicyError, match=r"unknown label 'goldfsh': many knows 60 labels, .*like it: goldfish, Cara"):
        read_labels("goldfsh", many)
    with pytest.raises(PolicyError, match=r"unknown label 'zzzzzzzz': many knows 60 labels, by name or number$"):
        read_labels("zzzzzzzz", many)
