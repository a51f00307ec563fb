"""What pages are rewarded for: pictures that the catalogue did not have, and films that had none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from catalogue_records import failed, image, judged, page
from sqlalchemy import Engine, event

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.new_films import LOOKED_AT, Stated, new_films, stated
from posterbot.catalogue.new_pictures import AT_ONCE, Picture, new_pictures
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Claim, Film, Outcome, Page

IMDB = "https://www.imdb.com/title/{}/"


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def record(engine: Engine, *records: Outcome | Page) -> None:
    recorder = Recorder(engine, spider="posters", arguments={}, version="0")
    recorder.together(records).result()
    recorder.close("finished")


def kept(name: object, on: Page, **facts: Any) -> Outcome:
    return judged(name, on, image=image(name, path=f"aa/{name}.jpg", **facts))


def new(engine: Engine, *calls: list[Picture]) -> list[list[Picture]]:
    with engine.connect() as connection:
        return new_pictures(connection, calls)


def sha256(name: str) -> str:
    return image(name).sha256


def test_what_is_kept_is_not_new_and_its_copies_are_not(engine: Engine) -> None:
    record(
        engine,
        kept("a", page(), phash="00000000000000aa"),
        judged("dropped", page(), keep=False, image=image("dropped", phash="00000000000000dd")),
        kept("nameless", page()),
    )
    same, copy = (sha256("a"), "00000000000000aa"), (sha256("copy"), "00000000000000aa")
    other, none = (sha256("other"), "00000000000000ab"), (sha256("none"), None)
    late = (sha256("dropped"), "00000000000000dd")  # kept now, perhaps by other labels
    assert new(engine, [same, other, copy], [], [none, late], [(sha256("nameless"), None)]) == [
        [other],
        [],
        [none, late],
        [],
    ]


def test_of_copies_on_one_page_the_first_counts(engine: Engine) -> None:
    a, b, c = (sha256("a"), "0" * 16), (sha256("b"), "0" * 16), (sha256("c"), None)
    assert new(engine, [a, b, a, c, c], [b, a]) == [[a, c], [b]]


def test_many_pictures(engine: Engine) -> None:
    many: list[Picture] = [(sha256(str(n)), f"{n:016x}") for n in range(AT_ONCE + 2)]
    record(engine, kept("x", page(), phash=many[-1][1]), kept(str(AT_ONCE), page()))
    assert new(engine, many) == [many[:AT_ONCE]]


# --- Films ----------------------------------------------------------------------------------------------------------


def film(name: str, year: int | None = 1949, imdb: str | None = None) -> Film:
    return Film("Movie", name, year, same_as=() if imdb is None else ("https://a.example/", IMDB.format(imdb)))


def had(engine: Engine, *films: Stated) -> list[bool]:
    with engine.connect() as connection:
        found = new_films(connection, [([film], 1) for film in films])
    return [not each for each in found]


def test_a_film_has_a_picture_where_a_page_that_states_it_has_one(engine: Engine) -> None:
    record(
        engine,
        kept("a", page(1, films=(film("Die Straße"), film("other", None), film("Élan vital")))),
        judged("b", on := page(2, films=(film("Dropped"), film("Failed"))), keep=False),
        failed("c", on),
        page(3, films=(film("Alone"),)),
    )
    for name in ("Die Straße", "Other", "ÉLAN VITAL", "élan vital"):
        assert had(engine, Stated(name, 1949)) == [True], name
    assert had(engine, Stated("Die Straße"), Stated("Die Straße", 1950)) == [True, False]
    for name in ("Dropped", "Failed", "Alone", "", "%", "Die"):
        assert had(engine, Stated(name, 1949)) == [False], name


def test_numbers_of_imdb_decide(engine: Engine) -> None:
    record(engine, kept("a", page(1, films=(film("M", 1931, "tt0022100"), film("Home")))))
    assert had(
        engine,
        Stated("M", 1931),
        Stated("M", 1951),
        Stated("m", 1951, "tt0022100"),
        Stated("M", 1931, "tt0043766"),
        Stated("Home", 1949, "tt0043766"),
    ) == [True, False, True, False, True]


def test_at_most_so_many_are_new(engine: Engine) -> None:
    record(engine, kept("a", page(1, films=(film("A"),))))
    a, b, c = (Stated(name, 1949) for name in "ABC")
    with engine.connect() as connection:
        assert new_films(connection, [([a, b, c], 1), ([], 3), ([a, b, c], 3), ([b], 0)]) == [[b], [], [b, c], []]


def test_a_list_names_the_article_of_its_film(engine: Engine) -> None:
    article = replace(page(7), url="https://en.wikipedia.org/wiki/M_(film)")
    claim = Claim("file:///list", "enwiki", "M (1931 film)", imdb_id="22100")
    assert stated(article, claim) == [Stated("M", 1931, "tt0022100", article.url)]
    assert had(engine, *stated(article, claim)) == [False]
    record(engine, replace(kept("a", article), claim=claim))
    assert had(engine, *stated(article, claim), Stated("M", 1931)) == [True, False]
    piece = Page("file:///list#3")
    assert stated(piece, claim)[0].article is None


def test_a_film_is_stated_once() -> None:
    films = (film("M", 1931), film("m", None), film("M", 1951), film("M", 1931, "tt0022100"), film("N\0", 1931))
    found = stated(page(films=films), None)
    assert [(each.name, each.year) for each in found] == [("M", 1931), ("M", 1951), ("N", 1931)]


def test_a_film_that_is_stated_everywhere_costs_little(engine: Engine) -> None:
    record(engine, *(page(n, films=(film("Everywhere"),)) for n in range(LOOKED_AT + 50)))
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert had(engine, Stated("Everywhere", 1949, article=page(0).url)) == [False]
    asked = [statement for statement in statements if statement.startswith("SELECT")]
    assert len(asked) == 2
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each.replace('?', '1')}").all() for each in asked]
        steps = [row[3] for plan in plans for row in plan]
        assert [step for step in steps if step.startswith("SCAN") and "anon" not in step] == []
