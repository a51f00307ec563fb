"""What a crawl asks the catalogue of images: were they looked at before, where do they lie, are they placeholders?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from catalogue_records import MODEL, image, judged, page
from sqlalchemy import Engine, select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.known import known_images
from posterbot.catalogue.originals import dropped_bytes, store_of_run, stored_paths
from posterbot.catalogue.placeholders import FILMS, is_own, placeholders
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Claim, Film, Outcome
from posterbot.catalogue.schema import embeddings, verdicts


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def record(engine: Engine, *outcomes: Outcome) -> int:
    recorder = Recorder(engine, spider="posters", arguments={}, version="0")
    for outcome in outcomes:
        recorder.outcome(outcome).result()
    recorder.close("finished")
    return recorder.run_id


def test_the_newest_answer_is_known(engine: Engine) -> None:
    record(engine, judged("a", page(1), etag='"old"'))
    quality = (1000.0, 50.0, 7.5)
    newest = record(
        engine,
        judged(
            "a", page(2), image=image("other", path="aa/x.jpg", quality=quality), etag='"new"', final_url="https://c/"
        ),
        judged("b", page(2), scores=None, image=image("b")),
    )
    a, b, nothing = (f"https://images.example/{name}.jpg" for name in ("a", "b", "nothing"))
    with engine.connect() as connection:
        found, of_another, of_none = known_images(
            connection, [([a, b, nothing], MODEL.hash), ([a], "f" * 64), ([nothing], MODEL.hash)]
        )
    assert of_none == {}
    assert found.keys() == {a, b}
    known = found[a]
    assert (known.run, known.etag, known.final_url) == (newest, '"new"', "https://c/")
    assert known.image == image("other", path="aa/x.jpg", quality=quality)
    assert known.scores is not None
    assert np.allclose(known.scores, [0.9, 0.06, 0.04])
    assert of_another[a].scores is None
    assert found[b].scores is None


def test_where_originals_lie(engine: Engine) -> None:
    run = record(
        engine,
        judged("kept", page(1), image=image("kept", path="aa/kept.jpg")),
        judged("dropped", page(1), False, image=image("dropped", dropped_path="dropped/x.jpg", dropped_bytes=70)),
    )
    with engine.begin() as connection:
        asked = [image(name).sha256 for name in ("kept", "dropped", "nothing")]
        assert stored_paths(connection, asked) == ["aa/kept.jpg", None, None]
        assert dropped_bytes(connection, [None, None]) == [70, 70]
        assert store_of_run(connection, [(run, "/a")]) == [[]]
        assert store_of_run(connection, [(run, "/b")]) == [["/a"]]  # the first stays


def film(number: int, own: bool, same: str = "none") -> Outcome:
    on = page(number, films=(Film("Movie", f"Film {number}"),))
    outcome = judged(same, on, alt="" if own else "Another film")
    return replace(outcome, found_by="json_ld") if own else outcome


@pytest.mark.parametrize(("own", "number", "found"), [(True, FILMS, True), (True, FILMS - 1, False), (False, 9, False)])
def test_what_stands_for_many_films(engine: Engine, own: bool, number: int, found: bool) -> None:
    record(engine, *(film(n, own) for n in range(number)))
    with engine.begin() as connection:
        assert placeholders(connection, [(image("none").sha256, False)]) == [False]  # nobody has looked yet
        asked = [(image("none").sha256, True), (image("unknown").sha256, True)]
        assert placeholders(connection, asked) == [found, False]
        assert placeholders(connection, [(image("none").sha256, False)]) == [found]
    with engine.connect() as connection:
        assert set(map(tuple, connection.execute(select(verdicts.c.keep, verdicts.c.reason)))) == {
            (False, "placeholder") if found else (True, "relevant")
        }


def test_one_film_on_many_pages(engine: Engine) -> None:
    same = (Film("Movie", "Nosferatu"),)
    record(engine, *(replace(judged("p", page(n, films=same)), found_by="json_ld") for n in range(2 * FILMS)))
    with engine.begin() as connection:
        assert placeholders(connection, [(image("p").sha256, True)]) == [False]


def test_the_alt_text_has_the_films_name(engine: Engine) -> None:
    named = [
        judged("none", page(n, films=(Film("Movie", f"100% Film_{n}"),)), alt=f"Poster of 100% FILM_{n}")
        for n in range(FILMS)
    ]
    record(engine, *named)
    with engine.begin() as connection:
        assert placeholders(connection, [(image("none").sha256, True)]) == [True]


def test_embeddings_are_kept_of_all_that_was_scored(engine: Engine) -> None:
    vector = np.array([0.5, -2.25, 6e4], np.float16)
    record(
        engine,
        judged("kept", page(1), embedding=vector),
        judged("dropped", page(1), False, embedding=2 * vector[:2]),
        judged("without", page(1)),
    )
    with engine.connect() as connection:
        found = list(connection.scalars(select(embeddings.c.vector).order_by(embeddings.c.image_id)))
    assert [list(each) for each in found] == [list(vector), [1.0, -4.5]]
    assert {each.dtype for each in found} == {np.dtype(np.float16)}


@pytest.mark.parametrize(
    ("found_by", "alt", "listed", "own"),
    [
        ("json_ld", "", False, True),
        ("img", "NOSFERATU, the poster", False, True),
        ("img", "Another film", False, False),
        ("list", "", True, True),
    ],
)
def test_whose_poster_it_is(found_by: str, alt: str, listed: bool, own: bool) -> None:
    on = page(1, films=(Film("Movie", "Nosferatu"),))
    assert is_own(found_by, alt, on, Claim("file:///l", "enwiki", "Faust") if listed else None) is own
