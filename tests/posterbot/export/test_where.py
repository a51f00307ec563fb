from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from export_calls import lock_of, made
from export_world import ExportWorld
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from posterbot.catalogue.schema import images, sources
from posterbot.catalogue.terms import effective_terms
from posterbot.export import kept
from posterbot.export import where as language
from posterbot.export.example import Example
from posterbot.export.where import FIELDS, Kind, Part, WhereError, parse

Truth = dict[str, Example]
FIELD = {"genre": "genres"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportWorld]:
    world = ExportWorld(tmp_path_factory.mktemp("where"))
    yield world
    world.close()


@pytest.fixture(scope="module")
def truth(world: ExportWorld, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """All that can be chosen, as a lockfile has it."""
    out = tmp_path_factory.mktemp("all") / "out"
    made(world, out)
    return {example.sha256: example for example in lock_of(out)}


def chosen(world: ExportWorld, text: str) -> set[str]:
    """The sha256 of what an expression is true of."""
    effective = effective_terms(world.engine)
    with world.engine.connect() as connection:
        terms = {row.id: effective(row.name) for row in connection.execute(select(sources.c.id, sources.c.name))}
        allowed = {number: of.ml_allowed for number, of in terms.items()}
        passed = {number: of.redistributable for number, of in terms.items()}
        dialect = world.engine.dialect.name
        conditions = [kept.matching(part.node, dialect, allowed, passed) for part in parse(text)]
        return set(connection.scalars(kept.stored().add_columns(images.c.sha256).where(*conditions)))


def those(truth: Truth, test: object) -> set[str]:
    return {sha256 for sha256, example in truth.items() if test(example)}  # type: ignore[operator]


CASES = {
    "": lambda e: True,
    "label = poster and score > 0.8": lambda e: e.label == "poster" and e.score > 0.8,
    "label='poster'and(score<=.8)": lambda e: e.label == "poster" and e.score <= 0.8,
    "LABEL == 'poster' OR genre = Drama": lambda e: e.label == "poster" or "Drama" in e.genres,
    "year >= 1925": lambda e: e.year is not None and e.year >= 1925,
    "year != 1925": lambda e: e.year != 1925,
    "not year < 1925": lambda e: not (e.year is not None and e.year < 1925),
    "year = unknown": lambda e: e.year is None,
    "year in (1921, 1922, unknown)": lambda e: e.year in {1921, 1922, None},
    "year not in (1921, 1922)": lambda e: e.year not in {1921, 1922},
    "year": lambda e: e.year is not None,
    "film": lambda e: e.film is not None,
    "not film": lambda e: e.film is None,
    "film = tt0000005 or film = 'tmdb:1' or film in ('Q2', 'film:4')": lambda e: (
        e.film in {"tt0000005", "tmdb:1", "Q2", "film:4"}
    ),
    "genre != Drama": lambda e: "Drama" not in e.genres,
    "genre = unknown": lambda e: not e.genres,
    "genre contains 'ce fic'": lambda e: "Science Fiction" in e.genres,
    "genre = Drama and genre = Horror": lambda e: {"Drama", "Horror"} <= set(e.genres),
    "genre in ('Comedy', unknown)": lambda e: not e.genres or "Comedy" in e.genres,
    "ml_allowed = no": lambda e: e.ml_allowed is False,
    "ml_allowed != no": lambda e: e.ml_allowed is not False,
    "ml_allowed": lambda e: e.ml_allowed is True,
    "redistributable = unknown": lambda e: e.redistributable is None,
    "source = open.example and model = other": lambda e: e.source == "open.example" and e.model == "other",
    "policy <> 1": lambda e: e.policy != 1,
    "format = PNG and width > 62 and height >= 92 and bytes > 100": lambda e: (
        e.format == "PNG" and e.width > 62 and e.height >= 92 and e.bytes > 100
    ),
    "licence = 'CC BY-SA 4.0'": lambda e: e.licence == "CC BY-SA 4.0",
    "licence != 'CC BY-SA 4.0'": lambda e: e.licence is None,
    "alt contains 'POSTER, 1'": lambda e: "poster, 1" in e.alt.lower(),
    "alt not contains '%'": lambda e: True,
    "alt contains '@sum(1)'": lambda e: e.alt.startswith("@SUM"),
    "url contains '_example'": lambda e: False,
    "title = '<script>alert(1)</script> & \"quotes\"'": lambda e: bool(e.title and e.title.startswith("<script>")),
    "confidence > 0.5": lambda e: e.confidence is not None and e.confidence > 0.5,
    "not representative": lambda e: e.copies is not None and not e.sha256.startswith(e.copies),
    "not not label = poster": lambda e: e.label == "poster",
    "label = album_cover or label = poster and score > 0.9": lambda e: (
        e.label == "album_cover" or (e.label == "poster" and e.score > 0.9)
    ),
    "score > -1e3 and score < +2": lambda e: True,
}


@pytest.mark.parametrize("text", CASES)
def test_means_what_a_person_expects(world: ExportWorld, truth: Truth, text: str) -> None:
    assert chosen(world, text) == those(truth, CASES[text])


def test_on_both_databases(catalogue_url: str, tmp_path: Path) -> None:
    world = ExportWorld(tmp_path / "world", 20, catalogue_url)
    made(world, tmp_path / "out")
    truth = {example.sha256: example for example in lock_of(tmp_path / "out")}
    for text, test in CASES.items():
        assert chosen(world, text) == those(truth, test), text
    world.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lable = 'poster'", "column 1: no field 'lable'; did you mean 'label'?"),
        ("label = 'poster' and", "column 21: expected a field, such as label; found the end"),
        ("score > 0.5 or 1", "column 16: expected a field, such as label; found '1'"),
        ("score > high", "column 9: expected a number, to compare score with; found 'high'"),
        ("year = 'x'", "column 8: expected a number or unknown, to compare year with; found"),
        ("label > 'a'", "column 7: expected one of = != contains in after label, which is text; found '>'"),
        ("label = 'poster", "column 9: a quote that is not closed"),
        ("(label = 'a'", "column 13: expected 'and', 'or' or ')'; found the end"),
        ("label = 'a')", "column 12: expected 'and', 'or' or the end; found ')'"),
        ("label 'a'", "column 7: expected an operator (= != contains in), 'and', 'or' or the end; found"),
        ("year in 1950", "column 9: expected '('; found '1950'"),
        ("year in (1950", "column 14: expected ',' or ')'; found the end"),
        ("year in ()", "column 10: expected a number or unknown"),
        ("label = 'a'; DROP TABLE images", "column 12: ';' is not expected here"),
        ("year = 1e300", "column 8: expected a number or unknown"),
        ("ml_allowed = maybe", "column 14: expected yes or no or unknown"),
        ("label = 'a\0'", "column 11: no text has '\\x00'"),
        ("(" * 100 + "label", "column 51: expected at most 50 parentheses in each other; found '('"),
        ("label and " * 401 + "label", "more than 200 comparisons"),
        ("label" * 3000, "15,000 characters; at most 10,000 are read"),
        ("zzzzz", f"column 1: no field 'zzzzz'; there are: {', '.join(FIELDS)}"),
    ],
)
def test_says_where_it_is_wrong(text: str, message: str) -> None:
    with pytest.raises(WhereError) as raised:
        parse(text)
    assert str(raised.value).startswith(f"--where: {message}")
    assert "\n" not in str(raised.value)


def test_quotes_are_doubled() -> None:
    assert parse("""title = 'It''s "it"'""") == (
        Part("""title = 'It''s "it"'""", language.Test("title", "=", ("""It's "it\"""",))),
    )


def test_parts_are_what_must_all_hold() -> None:
    assert [part.text for part in parse("label = a and (year > 1 or film) and not genre = b")] == [
        "label = a",
        "(year > 1 or film)",
        "not genre = b",
    ]
    assert [part.text for part in parse("label = a and film or year")] == ["label = a and film or year"]


WORDS = st.sampled_from(
    [*FIELDS, "and", "or", "not", "in", "contains", "(", ")", ",", "=", "!=", "<", ">=", "'a'", "1", "unknown", "yes"]
)
INJECTIONS = st.sampled_from(
    ["' OR 1=1 --", "'; DROP TABLE images; --", "1) UNION SELECT sha256 FROM images --", "%_\\", ":x", "?", "%(a)s"]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    try:
        assert all(isinstance(part, Part) for part in parse(text))
    except WhereError as error:
        assert "\n" not in str(error)


@given(st.lists(WORDS, max_size=10).map(" ".join))
def test_whatever_is_an_expression_can_be_asked(world: ExportWorld, truth: Truth, text: str) -> None:
    try:
        parse(text)
    except WhereError:
        return
    taken, left = chosen(world, text), chosen(world, f"not ({text})") if text.strip() else set()
    assert not taken & left
    assert taken | left == set(truth)  # a condition is true or false, never neither


@settings(max_examples=30)
@given(st.one_of(INJECTIONS, st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
def test_a_text_is_only_a_text(world: ExportWorld, truth: Truth, text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    for field in ("label", "alt", "title", "film"):
        assert chosen(world, f"{field} = {quoted}") == those(truth, lambda e, f=field: getattr(e, f) == text)
    assert chosen(world, f"genre = {quoted}") == those(truth, lambda e: text in e.genres)
    if text.isascii():
        assert chosen(world, f"alt contains {quoted}") == those(truth, lambda e: text.lower() in e.alt.lower())


def test_all_fields_are_documented() -> None:
    document = (Path(__file__).parents[3] / "docs/export.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (number|text|words|yes or no) \|", document, re.MULTILINE))
    assert rows == {name: str(kind) for name, (kind, _) in FIELDS.items()}
    assert rows["genre"] == Kind.WORDS
