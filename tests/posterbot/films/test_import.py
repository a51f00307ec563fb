"""Tables of films: real ones, a person's own, and broken ones."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from film_world import claim, everything, film_of, imdb, listed, movie, names, page, record, seen, sha256_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema_films import film_ids, film_mentions, films
from posterbot.cli_films import films as command
from posterbot.films import tables
from posterbot.films.importing import ROWS_AT_ONCE, import_table
from posterbot.films.link import link
from posterbot.films.tables import BadRow, FilmRow, TableError, open_table

HEADER = "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres\n"
IMDB = (
    HEADER
    + "tt0069293\tmovie\tSolaris\tSolyaris\t0\t1972\t\\N\t167\tDrama,Mystery,Sci-Fi\n"
    + "tt0307479\tmovie\tSolaris\tSolaris\t0\t2002\t\\N\t99\tDrama\n"
    + 'tt9999999\tmovie\tNobody "Knows" It\t"Odd\t0\t2001\t\\N\t\\N\t\\N\n'
    + "tt0000009\ttvEpisode\tSolaris\tSolaris\t0\t1972\t\\N\t\\N\tDrama\n"
)


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Engine]:
    """On SQLite: for what is the same on any database."""
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


def write(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def read(file: Path) -> list[FilmRow | BadRow]:
    return list(open_table(file)[1])


def bad(file: Path) -> list[tuple[int, str]]:
    return [(row.line, row.why) for row in read(file) if isinstance(row, BadRow)]


# --- What comes in --------------------------------------------------------------------------------------------------


def test_imdb_gives_ids_and_genres_to_films_that_matter(engine: Engine, tmp_path: Path) -> None:
    record(engine, seen("a", page("1", movie("Solaris", 1972)), "json_ld"))
    record(engine, seen("b", page("2"), alt="Solyaris (1972) poster"))
    file = write(tmp_path, IMDB)
    done = import_table(engine, file)
    assert (done.kind, done.rows, done.taken, done.bad) == (tables.IMDB, 4, 1, 0)
    assert film_of(engine, "a") == film_of(engine, "b") == "Solaris 1972 tt0069293"
    with engine.connect() as connection:
        assert connection.scalar(select(films.c.genres)) == ["Drama", "Mystery", "Sci-Fi"]
        assert connection.scalar(select(film_ids.c.evidence)) == "imdb"
    before = everything(engine)
    assert import_table(engine, file).changed == 0
    assert everything(engine) == before
    # All of it: the other film of that title, the odd one, and the episode, which has the title and year as well.
    assert import_table(engine, file, all_rows=True).taken == 4
    assert import_table(engine, file, all_rows=True).changed == 0
    assert len(names(engine)) == 4


def test_a_newer_table_of_imdb_replaces_the_older(engine: Engine, tmp_path: Path) -> None:
    record(engine, seen("a", page("1", movie("Solaris", 1972, imdb(69293))), "json_ld"))
    import_table(engine, write(tmp_path, IMDB))
    number = next(iter(names(engine)))
    newer = IMDB.replace("Sci-Fi", "Romance").replace("Solaris\tSolyaris", "Solaris!\tSolyaris")
    file = write(tmp_path, newer)
    assert import_table(engine, file).changed > 0
    assert names(engine) == {number: "Solaris! 1972 tt0069293"}
    with engine.connect() as connection:
        assert connection.scalar(select(films.c.genres)) == ["Drama", "Mystery", "Romance"]
        of_imdb = select(film_mentions.c.title).where(film_mentions.c.origin == "imdb")
        assert sorted(connection.scalars(of_imdb)) == ["Solaris!", "Solyaris"]
    assert import_table(engine, file).changed == 0


def test_movielens_joins_ids(here: Engine, tmp_path: Path) -> None:
    record(
        here,
        seen("a", page("1", movie("Toy Story", 1995, imdb(114709))), "json_ld"),
        seen("b", page("https://www.themoviedb.org/movie/862-toy-story"), "open_graph"),
    )
    link(here)
    assert len(names(here)) == 2
    file = write(tmp_path, "movieId,imdbId,tmdbId\n1,0114709,862\n2,0113497,8844\n3,0113228,\n")
    done = import_table(here, file)
    assert (done.rows, done.bad) == (3, 0)
    assert film_of(here, "a") == film_of(here, "b") == "Toy Story 1995 tt0114709 862"
    assert import_table(here, file).changed == 0


def test_a_table_of_images_links_them(engine: Engine, tmp_path: Path) -> None:
    record(
        engine,
        seen("a", page("1"), alt="Stalker (1979)"),
        seen("b", page("1")),
        seen("c", page("1")),
        seen("d", page("1", movie("Wrong", 1999)), "json_ld"),
    )
    file = write(
        tmp_path,
        "\ufeffSHA256;title;year;imdb_id;url;path\n"
        f"{sha256_of('a').upper()};Solaris;1972;tt0069293;;\n"
        ";Solaris;1972;;https://images.example/b.jpg;\n"
        f";Solaris;1972;;;{sha256_of('c')[:2]}/x/{sha256_of('c')}.jpg\n"
        f"{sha256_of('d')};Solaris;1972;69293;;\n"
        f"{'0' * 64};Solaris;1972;;;\n",
    )
    done = import_table(engine, file)
    assert (done.images, done.unknown_images, done.bad) == (4, 1, 0)
    # What a person says stands alone.
    assert {film_of(engine, name) for name in "abcd"} == {"Solaris 1972 tt0069293"}
    assert import_table(engine, file).changed == 0
    corrected = file.read_text().replace(f"{sha256_of('d')};Solaris;1972;69293", f"{sha256_of('d')};Faust;1926;16847")
    assert import_table(engine, write(tmp_path, corrected)).changed > 0
    assert film_of(engine, "d") == "Faust 1926 tt0016847"
    assert import_table(engine, write(tmp_path, corrected)).changed == 0


def test_a_table_decides_what_pages_contest(here: Engine, tmp_path: Path) -> None:
    record(
        here,
        seen("a", page("1", movie("Solaris", 1972, imdb(69293))), "json_ld"),
        seen("b", page("2", movie("Barbie", 2023, imdb(69293))), "json_ld"),
    )
    link(here)
    assert film_of(here, "a") == "Solaris 1972"
    import_table(here, write(tmp_path, IMDB))
    assert (film_of(here, "a"), film_of(here, "b")) == ("Solaris 1972 tt0069293", "Barbie 2023")


def test_the_real_excerpt_of_imdb(here: Engine, real_data: Path) -> None:
    record(
        here,
        listed("a", claim("Carmencita (film)", 1894)),
        listed("b", claim("Blacksmith Scene", 1893, imdb_id="tt0000005")),
    )
    file = real_data / "films/imdb-tsv-excerpt/title.basics.tsv"
    done = import_table(here, file)
    assert (done.rows, done.taken, done.bad) == (249, 2, 0)
    assert film_of(here, "a") == "Carmencita 1894 tt0000001"
    assert film_of(here, "b") == "Blacksmith Scene 1893 tt0000005"
    done = import_table(here, file, all_rows=True)
    assert (done.taken, len(names(here))) == (249, 249)
    assert import_table(here, file, all_rows=True).changed == 0
    with pytest.raises(TableError, match="ratings"):
        open_table(real_data / "films/imdb-tsv-excerpt/title.ratings.tsv")


# --- Broken files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "title,year\nSolaris,1972\n",
        "\ufefftitle,year\r\nSolaris,1972\r\n",
        "title;year\nSolaris;1972",
        'Name\tYear\n"Solaris"\t1972.0\n',
        "title,year\nSolaris,1972\n".encode("utf-16"),
        "title,year\nSolaris,1972\n".encode("utf-16-le").join([b"\xff\xfe", b""]),
        gzip.compress(b"title,year\nSolaris,1972\n"),
        "title,year,sha256\nSolaris,1972-03-20,\n",
        "title,year\n\n\nSolaris (1972 film),NaN\n",
    ],
)
def test_tables_as_people_and_programs_write_them(tmp_path: Path, data: str | bytes) -> None:
    rows = read(write(tmp_path, data))
    assert [(row.title.removesuffix(" (1972 film)"), row.year or 1972) for row in rows if isinstance(row, FilmRow)] == [
        ("Solaris", 1972)
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no table of films|no text"),
        (b"a,b\n1,2\n", "needs a header with one of imdb_id, .*found: a, b"),
        (b"tconst\taverageRating\tnumVotes\n", "IMDb's ratings"),
        (b"nconst\tprimaryName\n", "IMDb's people"),
        (b"\x1f\x8bgarbage", "damaged|ends in the middle"),
        (b"\0\0\0\0\n", "no text"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path: Path, data: bytes, problem: str) -> None:
    with pytest.raises(TableError, match=problem) as error:
        open_table(write(tmp_path, data))
    assert "\n" not in str(error.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file"):
        open_table(tmp_path / "none.csv")
    with pytest.raises(TableError, match="directory"):
        open_table(tmp_path)


def test_bad_rows_are_told_with_their_line(tmp_path: Path) -> None:
    lines = [
        b"imdb_id,title,year",
        b"tt0000001,Good,1999",
        b"ttx,Foo,1999",
        b"tt0000002,Foo,19999",
        b",,1999",
        b"tt0000003,Foo",
        b"tt0000004,F\xffoo,1999",
        b"tt0000005,F\0oo,1999",
        b"tt0000006," + b"x" * (tables.LONGEST_LINE + 10) + b",1999",
        b"tt0000007," + b"x" * 200_000 + b",1999",
        b"tt0000008,Good,",
    ]
    file = write(tmp_path, b"\n".join(lines))
    told = bad(file)
    assert [line for line, _ in told] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert [row.title for row in read(file) if isinstance(row, FilmRow)] == ["Good", "Good"]
    assert told[0] == (3, "'ttx' is no id of IMDb")
    assert told[2] == (5, "it names no film")
    assert told[3] == (6, "2 columns instead of 3")


def test_what_ends_in_the_middle_is_imported_as_far_as_it_goes(here: Engine, tmp_path: Path) -> None:
    rows = "".join(f"tt{number:07d},Film {number},1999\n" for number in range(1, 6_001))
    whole = gzip.compress(("imdb_id,title,year\n" + rows).encode())
    file = write(tmp_path, whole[: len(whole) // 2], "films.csv.gz")
    result = run(here, "import", str(file))
    assert result.exit_code == 1
    assert "ends in the middle" in result.stderr
    assert "what came before is imported" in result.stderr
    assert ROWS_AT_ONCE < len(names(here)) < 6_000


@settings(max_examples=40)
@given(
    data=st.binary(max_size=300), header=st.sampled_from([b"", b"imdb_id,title,year\n", HEADER.encode(), b"\x1f\x8b"])
)
def test_any_bytes_are_a_table_or_none(data: bytes, header: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = write(tmp_path_factory.getbasetemp(), header + data, "any.csv")
    try:
        for row in read(file):
            assert isinstance(row, FilmRow | BadRow)
    except TableError as error:
        assert "\n" not in str(error).replace(str(file), "")


# --- The commands ---------------------------------------------------------------------------------------------------


def run(engine: Engine, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--catalogue", engine.url.render_as_string(hide_password=False)])


def test_the_commands(engine: Engine, tmp_path: Path) -> None:
    assert "no films are known here" in run(engine, "ls").output
    assert run(engine, "conflicts").output == "no conflicts\n"
    record(
        engine,
        seen("a", page("1", movie("Solaris", 1972)), "json_ld"),
        seen("a", page("2", movie("Stalker\x1b[31m", 1979)), "json_ld"),
        seen("b", page("1", movie("Solaris", 1972)), "json_ld"),
    )
    assert run(engine, "link").output.splitlines()[0].startswith("2 films are known, 2 images linked (2 new")
    assert run(engine, "link").output.splitlines()[-1] == "0 rows changed"
    file = write(tmp_path, IMDB + "ttx\tmovie\tX\tX\t0\t1\t\\N\t\\N\tDrama\n")
    done = run(engine, "import", str(file))
    assert done.exit_code == 0, done.output
    assert f"{file}:6: 'ttx' is no id of IMDb" in done.stderr
    assert "5 rows read, 1 taken" in done.stdout
    assert run(engine, "import", str(file)).stdout.splitlines()[-1] == "0 rows changed"
    lines = run(engine, "ls").stdout.splitlines()
    assert lines[0].split() == ["2", "Solaris", "1972", "Drama,", "Mystery,", "Sci-Fi", "imdb:tt0069293"]
    assert len(run(engine, "ls", "--limit", "1", "--json").stdout.splitlines()) == 1
    shown = run(engine, "conflicts").stdout
    assert "image" in shown
    assert "\x1b" not in shown
    assert '"kind": "image"' in run(engine, "conflicts", "--json").stdout
    wrong = run(engine, "import", str(tmp_path / "none.csv"))
    assert (wrong.exit_code, len(wrong.stderr.splitlines())) == (1, 1)
