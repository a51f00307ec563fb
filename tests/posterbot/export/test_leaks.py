from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from export_world import AT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posterbot.export.example import Example
from posterbot.export.leaks import NAMED, find_leaks
from posterbot.export.lockfile import Header, LockWriter
from posterbot.export.options import Options

TRAIN, TEST = "train", "test"


def example(number: int, split: str, **facts: object) -> Example:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    plain = Example(
        sha256, "a/b.jpg", 10, "JPEG", 60, 90, sha256[:16], split, 0, "https://a.example/1.jpg", "https://a.example/",
        f"host{number}.example", "", AT, "poster", 0.9, 1, "web-images", "a" * 64, None, (), None, None, (), None,
        sha256[:16], sha256[:16], None, None, None, None, None,
    )  # fmt: skip
    return replace(plain, **facts)  # type: ignore[arg-type]


def written(file: Path, *examples: Example) -> Path:
    with LockWriter(file, Header(Options("csv"), "1", ("poster",), (), (), ())) as writer:
        for split in dict.fromkeys(each.split for each in examples):
            writer.write([each for each in examples if each.split == split])
    return file


def test_none_where_there_is_none(tmp_path: Path) -> None:
    together = {"films": ("tt1", "tt2"), "copies": "c", "variants": "v", "phash": "p"}
    unknown = {"films": (), "copies": None, "variants": None, "phash": None, "source": "one.example"}
    file = written(
        tmp_path / "lock",
        example(1, TRAIN, **together),
        example(2, TRAIN, **together),
        example(3, TRAIN, **unknown),
        example(4, TEST, **unknown),
        example(5, TEST, films=("tt3",)),
    )
    assert find_leaks(file) == []
    assert [leak.kind for leak in find_leaks(file, by_source=True)] == ["source"]


@pytest.mark.parametrize(
    ("shared", "kind", "value"),
    [
        ({"films": ("tt1",)}, "film", "tt1"),
        ({"copies": "c"}, "cluster of copies", "c"),
        ({"variants": "v"}, "cluster of variants", "v"),
        ({"phash": "p"}, "perceptual hash", "p"),
        ({"sha256": "0" * 64}, "image", "0" * 64),
    ],
)
def test_finds_what_is_planted(tmp_path: Path, shared: dict[str, object], kind: str, value: str) -> None:
    others = [example(number, TRAIN if number % 2 else TEST, films=(f"tt{number}",)) for number in range(10, 40)]
    one, other = example(1, TRAIN, **shared), example(2, TEST, **shared)
    found = find_leaks(written(tmp_path / "lock", *others[:15], one, *others[15:], other))
    assert [(leak.kind, leak.value) for leak in found] == [(kind, value)]
    assert {found[0].one, found[0].other} == {(one.sha256, TRAIN), (other.sha256, TEST)}
    assert one.sha256 in str(found[0])


def test_a_film_in_the_middle_of_a_list(tmp_path: Path) -> None:
    one, other = example(1, TRAIN, films=("tt0", "tt1", "tt2")), example(2, "validation", films=("tt1",))
    assert [leak.value for leak in find_leaks(written(tmp_path / "lock", one, other))] == ["tt1"]


def test_names_some_of_many(tmp_path: Path) -> None:
    pairs = [
        example(number, split, films=(f"tt{number // 2:03}",))
        for number, split in zip(range(200), (TRAIN, TEST) * 100, strict=True)
    ]
    assert len(find_leaks(written(tmp_path / "lock", *pairs))) == NAMED


@given(st.lists(st.tuples(st.sampled_from([TRAIN, TEST]), st.sets(st.integers(0, 6), max_size=3)), max_size=8))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_agrees_with_the_plain_definition(tmp_path: Path, images: list[tuple[str, set[int]]]) -> None:
    examples = [
        example(number, split, films=tuple(f"tt{film}" for film in sorted(films)))
        for number, (split, films) in enumerate(images)
    ]
    train, test = ({film for each in examples if each.split == split for film in each.films} for split in (TRAIN, TEST))
    found = find_leaks(written(tmp_path / "lock", *examples))
    assert {leak.value for leak in found} == train & test
