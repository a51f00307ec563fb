from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_rows import ROW
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.export.example import SPLITS, Example
from posterbot.export.lockfile import Header, Lockfile, LockWriter, Rule
from posterbot.export.options import Options
from posterbot.export.pairs import NEGATIVES, POSITIVES, Paired, write_pairs
from posterbot.similarity.neighbours import nearest_strangers

COUNT, MODEL = 40, Model("web-images", "a" * 64, ("poster", "photo"))
SHA256 = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(COUNT)]
GENRES = tuple(f"Genre {number:02}" for number in range(70))
WITHOUT = {SHA256[7], SHA256[8]}


@cache
def embedding(number: int) -> np.ndarray | None:
    """Six numbers; some images have the same, one has none but zeros, two have no embedding."""
    if SHA256[number] in WITHOUT:
        return None
    if number == 11:
        return np.zeros(6, np.float16)
    return np.random.default_rng(number % 30).normal(size=6).astype(np.float16)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = open_catalogue(f"sqlite:///{tmp_path_factory.mktemp('pairs')}/c.db")
    fill(opened)
    yield opened
    opened.dispose()


def fill(engine: Engine) -> None:
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    policy = Policy(("poster",), 0.5, MODEL, "anna", "arguments")
    for number, sha256 in enumerate(SHA256):
        facts: dict[str, Any] = {"policy": policy, "keep": True, "verdict_reason": "relevant"}
        facts |= {"scores": np.array([0.9, 0.1], "<f4"), "embedding": embedding(number)}
        image = Image(sha256, 1000, "JPEG", 600, 900, path=f"{sha256}.jpg")
        recorder.outcome(
            Outcome(Page("https://a.example/"), f"https://a.example/{number}", "img", image=image, **facts)
        )
    recorder.close("finished")


def lockfile(folder: Path, examples: list[Example], genres: tuple[str, ...] = GENRES) -> Lockfile:
    folder.mkdir(parents=True, exist_ok=True)
    rules = (Rule(1, ("poster",), 0.5, None, MODEL.name, MODEL.hash),)
    with LockWriter(folder / "lock", Header(Options("parquet"), "1", ("poster",), genres, rules, ())) as writer:
        for split in SPLITS:
            mine = [example for example in examples if example.split == split]
            for shard, start in enumerate(range(0, len(mine), 15)):
                writer.write([replace(example, shard=shard) for example in mine[start : start + 15]])
    return Lockfile(folder / "lock")


@st.composite
def worlds(draw: st.DrawFn) -> list[Example]:
    """Any images: with any films, genres, clusters and splits, in any order."""
    films, clusters = st.sampled_from("ABCDEFGH"), st.none() | st.sampled_from(["c1", "c2", "c3"])
    chosen = draw(st.permutations(range(COUNT)))[: draw(st.integers(1, COUNT))]
    examples = []
    for number in chosen:
        of = draw(st.sets(films, max_size=2))
        examples.append(
            replace(
                ROW,
                sha256=SHA256[number],
                split=draw(st.sampled_from(SPLITS)),
                film=min(of) if of else None,
                films=tuple(sorted(of)),
                genres=tuple(sorted(draw(st.sets(st.sampled_from([GENRES[0], GENRES[1], GENRES[69]]), max_size=2)))),
                copies=draw(clusters),
                variants=draw(clusters),
            )
        )
    return examples


def tables(folder: Path, split: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    names = (f"{split}.parquet", f"{split}-hard-negatives.parquet")
    positives, negatives = (pq.read_table(folder / "pairs" / name).to_pylist() for name in names)
    return positives, negatives


def ways(example: Example) -> set[str]:
    """All that it may have in common with others."""
    return {*example.films, f"copies {example.copies}", f"variants {example.variants}"} - {
        "copies None",
        "variants None",
    }


def kind_of(one: Example, other: Example) -> str | None:
    if one.copies is not None and one.copies == other.copies:
        return "copy"
    if one.variants is not None and one.variants == other.variants:
        return "variant"
    return "same_film" if one.film is not None and one.film == other.film else None


def families(examples: list[Example]) -> dict[str, int]:
    """Images that a chain of common films or clusters joins have one number."""
    family = {example.sha256: number for number, example in enumerate(examples)}
    for _ in examples:  # a chain is no longer than that
        smallest: dict[str, int] = {}
        for example in examples:
            for way in ways(example):
                smallest[way] = min(smallest.get(way, COUNT), family[example.sha256])
        for example in examples:
            family[example.sha256] = min([family[example.sha256], *(smallest[way] for way in ways(example))])
    return family


@cache
def cosine(one: str, other: str) -> float:
    first, second = (embedding(SHA256.index(sha256)).astype(float) for sha256 in (one, other))  # type: ignore[union-attr]
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / lengths) if lengths else 0.0


@settings(max_examples=20)
@given(worlds())
def test_pairs_are_what_they_are_called(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, world: list[Example]
) -> None:
    folder = tmp_path_factory.mktemp("world")
    told = write_pairs(engine, lockfile(folder, world), folder)
    assert [each.split for each in told] == [split for split in SPLITS if any(e.split == split for e in world)]
    for paired in told:
        here = {example.sha256: example for example in world if example.split == paired.split}
        positives, negatives = tables(folder, paired.split)
        check_positives(here, positives)
        check_negatives(here, negatives)
        assert (paired.positives, paired.negatives) == (len(positives), len(negatives))
        assert paired.anchors == len({row["anchor"] for row in negatives})
        assert paired.without_embedding == sum(e.film is not None and e.sha256 in WITHOUT for e in here.values())


def check_positives(here: dict[str, Example], rows: list[dict[str, Any]]) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        assert row["kind"] == kind_of(here[row["anchor"]], here[row["positive"]])
        found[row["anchor"]].append(row["positive"])
    for anchor in here:
        others = {other for other in here if other != anchor and kind_of(here[anchor], here[other])}
        assert set(found[anchor]) <= others
        assert len(set(found[anchor])) == len(found[anchor]) <= POSITIVES
        assert len(found[anchor]) == min(len(others), POSITIVES)
    assert [row["anchor"] for row in rows] == sorted(row["anchor"] for row in rows)


def check_negatives(here: dict[str, Example], rows: list[dict[str, Any]]) -> None:
    family = families(list(here.values()))
    able = [sha256 for sha256, example in here.items() if example.film is not None and sha256 not in WITHOUT]
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        one, other = here[row["anchor"]], here[row["negative"]]
        assert one.film is not None
        assert other.film is not None
        assert not ways(one) & ways(other)
        assert not set(one.genres) & set(other.genres)
        assert row["similarity"] == pytest.approx(cosine(row["anchor"], row["negative"]), abs=2e-6)
        found[row["anchor"]].append(row)
    for anchor in able:
        strangers = [
            other
            for other in able
            if family[other] != family[anchor] and not set(here[anchor].genres) & set(here[other].genres)
        ]
        nearest = sorted(strangers, key=lambda other: (-round(cosine(anchor, other), 5), other))[:NEGATIVES]
        mine = found.pop(anchor, [])
        assert [row["rank"] for row in mine] == list(range(1, len(nearest) + 1))
        best = [round(cosine(anchor, other), 5) for other in nearest]
        assert [row["similarity"] for row in mine] == pytest.approx(best, abs=2e-5)
    assert not found
    assert [row["anchor"] for row in rows] == sorted(row["anchor"] for row in rows)


@settings(max_examples=5)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_same_images_give_the_same_bytes(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, world: list[Example], chance: Any
) -> None:
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    write_pairs(engine, lockfile(first, world), first)
    chance.shuffle(world)
    write_pairs(engine, lockfile(second, world), second)
    files = sorted(file.name for file in (first / "pairs").iterdir())
    assert files == sorted(file.name for file in (second / "pairs").iterdir())
    for name in files:
        assert (first / "pairs" / name).read_bytes() == (second / "pairs" / name).read_bytes()


def test_a_catalogue_without_embeddings_has_positives_only(tmp_path: Path) -> None:
    bare = open_catalogue(f"sqlite:///{tmp_path}/c.db")
    two = [replace(ROW, sha256=SHA256[number], film="tt1", films=("tt1",)) for number in range(2)]
    told = write_pairs(bare, lockfile(tmp_path, two), tmp_path)
    assert told == (Paired("train", 2, 0, 0, 2),)
    assert tables(tmp_path, "train")[1] == []
    bare.dispose()


def test_both_databases(catalogue_url: str, tmp_path: Path) -> None:
    engine = open_catalogue(catalogue_url)
    fill(engine)
    world = [replace(ROW, sha256=name, film=name, films=(name,), genres=()) for name in SHA256]
    (told,) = write_pairs(engine, lockfile(tmp_path, world, ()), tmp_path)
    assert (told.positives, told.negatives, told.without_embedding) == (0, (COUNT - 2) * NEGATIVES, 2)
    engine.dispose()


@given(st.integers(0, 2**32))
@settings(max_examples=5)
def test_cells_miss_some_and_get_none_wrong(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups, traits = rng.integers(0, 100, 300), rng.integers(0, 8, (300, 2)).astype(np.uint64)
    exact, similar = nearest_strangers(vectors, groups, traits, 10)
    celled, near = nearest_strangers(vectors, groups, traits, 10, exact=100)
    for rows, cosines in ((exact, similar), (celled, near)):
        anchors, places = np.nonzero(rows >= 0)
        others = rows[anchors, places]
        assert (groups[anchors] != groups[others]).all()
        assert not (traits[anchors] & traits[others]).any()
        assert np.abs((vectors[anchors] * vectors[others]).sum(1) - cosines[anchors, places]).max() < 1e-5
    assert (np.sort(celled) == np.sort(exact)).mean() > 0.5
