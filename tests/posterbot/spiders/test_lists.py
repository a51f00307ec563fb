"""Lists of URLs: every kind of file, the rows of wikidump, and what is no list."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from posterbot.catalogue.records import Claim
from posterbot.spiders.lists import Listed, ListError, read_urls
from wikidump.rows import Row

ROWS = [
    {"url": "http://127.0.0.1/a.jpg", "title": "Film A", "image_status": None},
    {"url": None, "title": "a film without an image"},
    {"url": "http://127.0.0.1/c.svg", "image_status": "not_image"},
    {"url": "http://127.0.0.1/b.jpg", "title": "Film, B"},
]
LISTED = [Listed("http://127.0.0.1/a.jpg", "Film A"), None, None, Listed("http://127.0.0.1/b.jpg", "Film, B")]


def test_every_kind_of_list(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "l.csv").write_text(
        "id,url,title,image_status\n1,http://127.0.0.1/a.jpg,Film A,\n2,,x,\n3,http://127.0.0.1/c.svg,,not_image\n"
        '4,http://127.0.0.1/b.jpg,"Film, B",ok\n'
    )
    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "l.parquet")
    for kind in ("jsonl", "csv", "parquet"):
        assert list(read_urls(tmp_path / f"l.{kind}")) == LISTED, kind
    (tmp_path / "l.txt").write_text("\ufeffhttp://127.0.0.1/a.jpg\n\n# no\nhttp://127.0.0.1/b.jpg\n", encoding="utf-8")
    assert list(read_urls(tmp_path / "l.txt")) == [Listed("http://127.0.0.1/a.jpg"), Listed("http://127.0.0.1/b.jpg")]


FILM = Row(
    wiki="enwiki",
    page_id=25170,
    title="Toy Story",
    rev_id=1_234_567_890,
    template="Infobox film",
    kind="film",
    image_name="Toy Story.jpg",
    image_status="ok",
    url="https://upload.wikimedia.org/wikipedia/en/1/13/Toy_Story.jpg",
    repository="local",
    licence="non-free",
    year=1995,
    directors=("John Lasseter",),
    countries=("United States",),
    languages=(),
    genres=("Animation", "Comedy"),
    imdb_id="tt0114709",
    dump_date="20260801",
)
CLAIM = Claim(
    wiki="enwiki",
    title="Toy Story",
    page_id=25170,
    rev_id=1_234_567_890,
    template="Infobox film",
    kind="film",
    image_name="Toy Story.jpg",
    repository="local",
    licence="non-free",
    year=1995,
    directors=("John Lasseter",),
    countries=("United States",),
    languages=(),
    genres=("Animation", "Comedy"),
    imdb_id="tt0114709",
    dump_date="20260801",
    list="",
)


def write(file: Path, *rows: dict[str, Any]) -> None:
    if file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif file.suffix == ".parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(list(rows)), file)
    else:
        with file.open("w", newline="") as lines:
            table = csv.DictWriter(lines, rows[0])
            table.writeheader()
            table.writerows(rows)


def claim_of(file: Path) -> Claim | None:
    (row,) = read_urls(file)
    assert row is not None
    return row.claim


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_rows_of_wikidump_keep_what_they_say(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"l.{kind}"
    write(file, FILM.as_dict(), dataclasses.replace(FILM, image_status="absent", url=None).as_dict())
    row, none = read_urls(file)
    assert row == Listed(str(FILM.url), "Toy Story", dataclasses.replace(CLAIM, list=file.as_uri()))
    assert none is None


def test_no_column_of_wikidump_is_forgotten() -> None:
    columns = {field.name for field in dataclasses.fields(Row)}
    kept = {field.name for field in dataclasses.fields(Claim)}
    assert columns - kept == {"image_status", "url"}
    assert kept - columns == {"list"}


def test_a_table_of_plain_text_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "l.csv"
    as_text = {"directors": "John Lasseter", "countries": "United States", "languages": "", "genres": "Animation"}
    write(file, FILM.as_dict() | as_text | {"page_id": "25170.0", "year": "1995"})
    assert claim_of(file) == dataclasses.replace(CLAIM, list=file.as_uri(), genres=("Animation",))


@pytest.mark.parametrize("wrong", [{"wiki": None}, {"wiki": ""}, {"title": None}, {"title": " "}])
def test_rows_of_no_article_claim_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    write(tmp_path / "l.jsonl", FILM.as_dict() | wrong)
    assert claim_of(tmp_path / "l.jsonl") is None


def test_columns_of_another_kind_are_no_failure(tmp_path: Path) -> None:
    odd = {name: [{"a": 1}] for name in FILM.as_dict()} | {"url": 5, "image_status": "ok"}
    write(tmp_path / "l.jsonl", odd, odd | {"image_status": ["ok"]})
    row, none = read_urls(tmp_path / "l.jsonl")
    assert row is not None
    assert row.url == "5"
    assert none is None


@pytest.mark.parametrize("wrong", ["soon", -5, 10**40, float("nan"), float("inf"), [1], {"is": 1}, ""])
def test_numbers_that_are_none_are_unknown(tmp_path: Path, wrong: Any) -> None:
    write(tmp_path / "l.jsonl", FILM.as_dict() | {"year": wrong, "page_id": wrong, "rev_id": wrong})
    claim = claim_of(tmp_path / "l.jsonl")
    assert claim is not None
    assert (claim.year, claim.page_id, claim.rev_id, claim.title) == (None, None, None, "Toy Story")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.csv", b"id,link\n1,http://x/\n", "no column 'url'"),
        ("l.jsonl", b'{"link": 1}\n', "no column 'url'"),
        ("l.jsonl", b"[1]\n", "no column 'url'"),
        ("l.jsonl", b"[" * 100_000, "not a readable .jsonl file"),
        ("l.jsonl", b"{broken\n", "not a readable .jsonl file"),
        ("l.parquet", b"PAR1 no", "not a readable .parquet file"),
        ("l.txt", b"\xff\xfe\x00", "not a readable .txt file"),
    ],
)
def test_unreadable_lists(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ListError, match=message) as caught:
        list(read_urls(tmp_path / name))
    assert "\n" not in str(caught.value)
