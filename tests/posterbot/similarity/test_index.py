from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from embedded_images import MODEL, erase, name_of, record
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Model
from posterbot.similarity.index import Index, Near, NoEmbeddingsError, cosines, embedding_models, index_file
from posterbot.similarity.vectors import ForeignError, Vectors


def vectors(seed: int, count: int, dimensions: int = 24) -> dict[object, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {f"{seed}-{number}": rng.normal(size=dimensions).astype(np.float16) for number in range(count)}


def by_hand(all_of: dict[object, np.ndarray], asked: np.ndarray, number: int) -> list[str]:
    """The nearest, by the definition of a cosine."""
    asked = asked.astype(float)
    similar = {
        name_of(name): float(each.astype(float) @ asked / np.linalg.norm(each.astype(float)) / np.linalg.norm(asked))
        for name, each in all_of.items()
    }
    return sorted(similar, key=lambda name: (-round(similar[name], 6), name))[:number]


def opened(engine: Engine, file: Path, said: list[str] | None = None) -> Index:
    return Index(engine, embedding_models(engine)[0], file, say=[].append if said is None else said.append)


def names(found: list[Near]) -> list[str]:
    return [each.sha256 for each in found]


def test_finds_what_the_definition_says_and_follows_the_catalogue(catalogue_url: str, tmp_path: Path) -> None:
    engine, file = open_catalogue(catalogue_url), tmp_path / "a.vectors"
    first, more = vectors(1, 60), vectors(2, 40)
    asked = vectors(3, 1)["3-0"]
    record(engine, first | {"without": None})
    index = opened(engine, file)
    assert index.images == 60
    assert names(index.nearest(asked, 12)) == by_hand(first, asked, 12)

    record(engine, more)
    written = file.read_bytes()
    assert names(opened(engine, file).nearest(asked, 12)) == by_hand(first | more, asked, 12)
    assert file.read_bytes()[512 : len(written)] == written[512:]  # what was there was not written again

    best = by_hand(first | more, asked, 1)[0]
    gone = next(name for name in (first | more) if name_of(name) == best)
    erase(engine, gone)
    record(engine, {"later": asked})  # SQLite gives it the number of what was erased, if that was the last
    left = {name: each for name, each in (first | more).items() if name != gone} | {"later": asked}
    index = opened(engine, file)
    assert names(index.nearest(asked, 12)) == by_hand(left, asked, 12)
    assert bytes.fromhex(best) not in file.read_bytes()
    assert names(index.nearest(asked, 5, besides=name_of("later"))) == by_hand(left, asked, 6)[1:]
    assert len(index.nearest(asked, 1000)) == index.images == len(left)
    engine.dispose()


@pytest.mark.parametrize("harm", ["cut", "header", "count", "nothing"])
def test_a_damaged_file_is_made_anew(harm: str, tmp_path: Path) -> None:
    engine, file = open_catalogue(f"sqlite:///{tmp_path}/c.db"), tmp_path / "c.db.vectors"
    record(engine, vectors(1, 30))
    asked = vectors(3, 1)["3-0"]
    right = opened(engine, file).nearest(asked, 5)
    data = file.read_bytes()
    harmed = {
        "cut": data[:-1],
        "header": b"\0" * 512 + data[512:],
        "count": data[:20] + b"}" + data[21:],
        "nothing": b"",
    }
    file.write_bytes(harmed[harm])
    said: list[str] = []
    assert opened(engine, file, said).nearest(asked, 5) == right
    assert len(said) == 1
    assert str(file) in said[0]
    assert file.read_bytes() == data
    assert opened(engine, file, said).nearest(asked, 5) == right
    assert len(said) == 1
    engine.dispose()


def test_what_a_dying_process_left_behind_does_not_count(tmp_path: Path) -> None:
    engine, file = open_catalogue(f"sqlite:///{tmp_path}/c.db"), tmp_path / "c.db.vectors"
    record(engine, vectors(1, 30))
    opened(engine, file)
    with file.open("ab") as out:
        out.write(b"\xff" * 300)
    record(engine, vectors(2, 30))
    said: list[str] = []
    index = opened(engine, file, said)
    assert (index.images, said) == (60, [])
    asked = vectors(3, 1)["3-0"]
    assert names(index.nearest(asked, 9)) == by_hand(vectors(1, 30) | vectors(2, 30), asked, 9)
    engine.dispose()


def test_two_that_append_at_once_leave_each_image_once(tmp_path: Path) -> None:
    engine, file = open_catalogue(f"sqlite:///{tmp_path}/c.db"), tmp_path / "c.db.vectors"
    record(engine, vectors(1, 30))
    opened(engine, file)
    mine = Vectors(file, MODEL.hash, 24)
    block = np.array([(bytes.fromhex(name_of("x")), np.ones(24))], mine.record)
    assert len(Vectors(file, MODEL.hash, 24).append([block]).records) == 31
    assert len(mine.append([block]).records) == 31
    engine.dispose()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    engine, file = open_catalogue(f"sqlite:///{tmp_path}/c.db"), tmp_path / "letter.txt"
    record(engine, vectors(1, 3))
    file.write_text("dear all")
    with pytest.raises(ForeignError, match=r"letter\.txt"):
        opened(engine, file)
    assert file.read_text() == "dear all"
    engine.dispose()


def test_models_are_not_mixed(tmp_path: Path) -> None:
    engine, file = open_catalogue(f"sqlite:///{tmp_path}/c.db"), tmp_path / "c.db.vectors"
    record(engine, vectors(1, 30))
    record(engine, vectors(2, 10, dimensions=7), model=Model("small", "b" * 64, ("poster", "photo")))
    newest, other = embedding_models(engine)
    assert (newest.name, newest.images, other.name, other.images) == ("small", 10, "web-images", 30)
    said: list[str] = []
    assert opened(engine, file, said).images == 10
    assert Index(engine, other, file, say=said.append).images == 30
    assert ["another model" in line for line in said] == [True]
    for number in range(10):
        erase(engine, f"2-{number}")
    with pytest.raises(NoEmbeddingsError):
        Index(engine, newest, file)
    engine.dispose()


def test_the_index_lies_beside_the_catalogue(tmp_path: Path) -> None:
    engine = open_catalogue(f"sqlite:///{tmp_path}/c.db")
    assert index_file(engine) == tmp_path / "c.db.vectors"
    engine.dispose()


@given(st.integers(0, 2**32), st.integers(1, 40), st.booleans())
def test_cosines_are_cosines(seed: int, count: int, with_zero: bool) -> None:
    rng = np.random.default_rng(seed)
    rows, one = rng.normal(size=(count, 9)).astype(np.float16), rng.normal(size=9).astype(np.float16)
    rows[0] = 0 if with_zero else one
    found = cosines(rows, one)
    assert np.abs(found).max() <= 1
    assert found[0] == (0 if with_zero else 1)
    order = rng.permutation(count)
    assert (cosines(rows[order], one) == found[order]).all()
