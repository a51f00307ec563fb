from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from conftest import encode, picture
from embedded_images import erase, name_of, record
from sqlalchemy import insert, select

from models.analysis import Analysis, analyse
from models.registry import load_model
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Model
from posterbot.catalogue.schema import images
from posterbot.catalogue.schema_films import films, image_films
from posterbot.cli_similar import similar
from posterbot.similarity.similar import SimilarError, known_images
from posterbot.similarity.similar import similar as find_similar

STEPS = {"one": [1, 0, 0], "two": [0.9, 0.1, 0], "three": [0.5, 0.5, 0], "four": [0, 1, 0], "five": [-1, 0, 0]}


def asked(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(similar, [*words, "--catalogue", f"sqlite:///{folder}/c.db"], catch_exceptions=False)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    engine = open_catalogue(f"sqlite:///{tmp_path}/c.db")
    record(engine, {name: np.array(vector) for name, vector in STEPS.items()}, dropped=frozenset({"three"}))
    record(engine, {"no embedding": None})
    with engine.begin() as connection:
        number = connection.scalar(select(images.c.id).where(images.c.sha256 == name_of("two")))
        for title, confidence in (("Wrong", 0.2), ("Metro\x1bpolis\n", 0.9)):
            film = {"title": title, "year": 1927, "genres": []}
            (key,) = connection.execute(insert(films).values(film)).inserted_primary_key
            link = {"image_id": number, "film_id": key, "evidence": "x", "confidence": confidence, "detail": ""}
            connection.execute(insert(image_films).values(link))
    engine.dispose()
    return tmp_path


def test_lists_the_nearest_of_an_image_of_the_catalogue(filled: Path) -> None:
    answer = asked(filled, name_of("one")[:8], "-k", "3")
    assert answer.exit_code == 0
    lines = answer.stdout.splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["1", "0.994", "kept", name_of("two")[:16]],
        ["2", "0.707", "dropped", name_of("three")[:16]],
        ["3", "0.000", "kept", name_of("four")[:16]],
    ]
    assert "Metro?polis? (1927)" in lines[0]
    assert lines[0].endswith("https://images.example/two.jpg")
    first = json.loads(asked(filled, name_of("one").upper(), "--json").stdout.splitlines()[0])
    assert first["rank"] == 1
    assert first["sha256"] == name_of("two")
    assert (first["title"], first["year"], first["host"]) == ("Metro\x1bpolis\n", 1927, "images.example")


def test_a_forgotten_image_vanishes(filled: Path) -> None:
    assert name_of("two")[:16] in asked(filled, name_of("one")).stdout
    engine = open_catalogue(f"sqlite:///{filled}/c.db")
    with engine.begin() as connection:
        connection.execute(image_films.delete())
    erase(engine, "two")
    engine.dispose()
    assert name_of("two")[:16] not in asked(filled, name_of("one")).stdout


def test_a_file_is_embedded_by_the_same_model(tmp_path: Path) -> None:
    model = load_model()
    files = {seed: encode(picture(120, 180, seed)) for seed in range(6)}
    looked = {
        hashlib.sha256(data).hexdigest(): each
        for data, each in zip(files.values(), analyse(list(files.values()), model), strict=True)
        if isinstance(each, Analysis)
    }
    engine = open_catalogue(f"sqlite:///{tmp_path}/c.db")
    record(
        engine,
        {seed: each.embedding for seed, each in zip(files, looked.values(), strict=True)},
        model=Model(model.name, model.hash, model.labels),
    )
    again = tmp_path / "again.webp"
    again.write_bytes(encode(picture(120, 180, 3), "WEBP", quality=80))
    answers = find_similar(engine, str(again), 2, tmp_path / "i.vectors")
    assert answers.nearest[0].image.sha256 == name_of(3)
    assert answers.nearest[0].similarity > 0.9
    assert answers.known is None
    assert answers.data == again.read_bytes()
    record(engine, {"other": np.ones(4)}, model=Model("other", "b" * 64, ("poster", "photo")))
    assert len(find_similar(engine, str(again), 9, tmp_path / "i.vectors", "web-images").nearest) == 6
    with pytest.raises(SimilarError, match=r"of model other .bbbbbbbb.*no model 'other'.*--model"):
        find_similar(engine, str(again), 2, tmp_path / "i.vectors")
    engine.dispose()


def test_another_version_of_the_model_is_told(filled: Path) -> None:
    (filled / "a.jpg").write_bytes(encode(picture()))
    answer = asked(filled, str(filled / "a.jpg"))
    assert answer.exit_code == 1
    assert "web-images (aaaaaaaa): the model web-images here is another" in answer.stderr


BAD = {
    ("nowhere.jpg",): "no file nowhere.jpg; give a picture, or the sha256",
    ("deadbeef",): "no image in this catalogue has a sha256 that begins with deadbeef",
    ("abc",): "no file abc",
    (name_of("no embedding"),): "has no embedding of model web-images",
    (name_of("one"), "--model", "nix"): "no model 'nix'",
    (name_of("one"), "--model", "cafecafe"): "no model 'cafecafe'",
    (name_of("one"), "--index", "/proc/nix/i.vectors"): "cannot write the index",
    (name_of("one"), "--html", "/proc/nix/page.html"): "cannot write /proc/nix/page.html",
    (name_of("one"), "--html", "page.html", "--store", "ftp://"): "ftp://",
}


def test_what_cannot_be_answered_is_one_line(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(filled)
    for words, said in BAD.items():
        answer = asked(filled, *words)
        assert (answer.exit_code, said in answer.stderr) == (1, True), (words, answer.stderr)
        assert len(answer.stderr.splitlines()) == 1


def test_an_unreadable_picture_is_one_line(tmp_path: Path) -> None:
    model = load_model()
    engine = open_catalogue(f"sqlite:///{tmp_path}/c.db")
    record(engine, {"one": np.ones(1280)}, model=Model(model.name, model.hash, model.labels))
    for name, data in {"text": b"hello", "cut": encode(picture())[:3000], "empty": b""}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SimilarError, match="is no picture that can be read"):
            find_similar(engine, str(tmp_path / name), 2, tmp_path / "i.vectors")
    engine.dispose()


def test_a_catalogue_without_embeddings_says_how_to_get_them(tmp_path: Path) -> None:
    engine = open_catalogue(f"sqlite:///{tmp_path}/c.db")
    record(engine, {"one": None})
    engine.dispose()
    answer = asked(tmp_path, name_of("one"))
    assert answer.exit_code == 1
    assert "-a model=web-images" in answer.stderr


def test_a_beginning_that_several_have_is_not_guessed(tmp_path: Path) -> None:
    engine = open_catalogue(f"sqlite:///{tmp_path}/c.db")
    record(engine, {name: np.array(vector) for name, vector in STEPS.items()})
    with engine.begin() as connection:
        for number, name in enumerate(("one", "two")):
            twin = images.update().where(images.c.sha256 == name_of(name))
            connection.execute(twin.values(sha256="0123456789" + str(number) * 54))
    with pytest.raises(SimilarError, match="several images"):
        find_similar(engine, "01234567", 2, tmp_path / "i.vectors")
    assert len(find_similar(engine, "01234567890", 9, tmp_path / "i.vectors").nearest) == 4
    engine.dispose()


def test_the_questions_run_on_both_databases(catalogue_url: str, tmp_path: Path) -> None:
    engine = open_catalogue(catalogue_url)
    record(engine, {name: np.array(vector) for name, vector in STEPS.items()})
    record(engine, {"one": np.array(STEPS["one"])}, dropped=frozenset({"one"}))
    answers = find_similar(engine, name_of("one")[:9], 2, tmp_path / "i.vectors")
    assert [each.image.sha256 for each in answers.nearest] == [name_of("two"), name_of("three")]
    assert answers.known is not None
    assert (answers.known.verdict, answers.known.url) == ("dropped", "https://images.example/one.jpg")
    assert set(known_images(engine, [name_of(name) for name in (*STEPS, "nobody")])) == {name_of(n) for n in STEPS}
    engine.dispose()
