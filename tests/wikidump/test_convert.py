"""From dumps to a file of rows: joined, read again where needed, taken up again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from dumps import END, SITEINFO, film, multistream, other, page, some_pages, xml

from wikidump import dump, output
from wikidump import run as running
from wikidump.convert import Summary, convert
from wikidump.shards import ResumeError, folder_of
from wikidump.source import SourceError
from wikidump.units import Job, Report, Unit, extract


class Nobody:
    """Watches, and keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.started: list[tuple[str, int | None, int]] = []

    def start(self, what: str, total: int | None, done: Report) -> None:
        self.started.append((what, total, done.bytes))

    def add(self, size: int, text: int, pages: int, rows: int, posters: int) -> None:
        pass

    def say(self, line: str) -> None:
        self.said.append(line)


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dump.UNIT, "bz2", 3000)
    monkeypatch.setitem(dump.UNIT, "xml", 9000)


def put(folder: Path, data: bytes, name: str = "enwiki-20260801-pages-articles.xml") -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def run(names: str | list[str], out: Path, **more: Any) -> tuple[Summary, list[dict[str, Any]], Nobody]:
    nobody = Nobody()
    summary = convert([names] if isinstance(names, str) else names, out, nobody, **more)
    return summary, [json.loads(line) for line in out.read_text("utf-8").splitlines()], nobody


FILES = [
    page("File:F 2.jpg", "{{Non-free poster}}", 6),
    page("File:F 5.jpg", "#REDIRECT [[File:Moved.jpg]]", 6, redirect="File:Moved.jpg"),
    page("File:Moved.jpg", "{{Cc-by-sa-4.0}}", 6),
]


def test_posters_are_joined_with_the_pages_of_their_files(tmp_path: Path) -> None:
    texts = [*some_pages(3), *FILES]
    summary, rows, _ = run(put(tmp_path, xml(texts)), tmp_path / "o.jsonl")
    assert [(row["image_name"], row["repository"], row["licence"]) for row in rows] == [
        ("F 2.jpg", "local", "non-free"),
        ("Moved.jpg", "local", "CC BY-SA 4.0"),
        ("F 8.jpg", "commons", None),
    ]
    assert rows[0]["url"].startswith("https://upload.wikimedia.org/wikipedia/en/")
    assert rows[1]["url"].endswith("/Moved.jpg")
    assert rows[2]["url"].startswith("https://upload.wikimedia.org/wikipedia/commons/")
    assert summary.repositories == {"local": 2, "commons": 1}
    assert (rows[0]["wiki"], rows[0]["dump_date"]) == ("enwiki", "20260801")
    assert not folder_of(tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize(
    ("texts", "name", "end"),
    [
        (some_pages(3), "enwiki-20260801-x.xml", END),  # an export of articles
        ([*some_pages(3), *FILES[:1]], "enwiki-20260801-pages-articles1.xml-p1p41242", END),  # one of many parts
        ([*some_pages(3), *FILES[:1]], "enwiki-20260801-x.xml", ""),  # cut off between two pages
    ],
)
def test_a_file_without_a_page_lies_on_commons_only_if_all_pages_are_there(
    tmp_path: Path, texts: list[str], name: str, end: str
) -> None:
    _, rows, _ = run(put(tmp_path, (SITEINFO + "".join(texts) + end).encode(), name), tmp_path / "o.jsonl")
    assert {row["repository"] for row in rows} <= {None, "local"}
    assert rows[2]["repository"] is None


ALIASED = [
    film(1, "Movie box"),
    film(2),
    *[other(n) for n in range(3, 30)],
    page("Template:Movie box", "#REDIRECT [[Template:Infobox film]]", 10, redirect="Template:Infobox film"),
    film(30, "movie_box"),
]


def test_a_name_that_only_the_dump_knows_is_honoured_before_and_after_its_page(tmp_path: Path) -> None:
    summary, rows, nobody = run(put(tmp_path, xml(ALIASED)), tmp_path / "o.jsonl")
    assert [(row["title"], row["template"]) for row in rows] == [
        (f"Film {n}", "Infobox film") for n in (1, 2, 30)
    ]  # fmt: skip
    assert nobody.said == ["reading again, for Movie box"]
    assert [what[:2] for what, *_ in nobody.started] == ["1", "2-"]
    assert summary.aliases == []
    assert summary.pages == len(ALIASED)


def test_a_name_that_only_a_unit_knows_that_failed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another = page("Template:Cinema box", "", 10, redirect="Template:Infobox film")
    names = [put(tmp_path, xml(ALIASED)), put(tmp_path, xml([film(50, "Cinema box"), another]), "enwiki-2.xml")]

    def fail(unit: Unit, job: Job, *more: Any) -> Report:
        if unit.source == names[1]:
            raise SourceError("gone")
        return extract(unit, job, *more)

    with monkeypatch.context() as patch:
        patch.setattr(running, "extract", fail)
        summary, rows, _ = run(names, tmp_path / "o.jsonl")
    assert [line.endswith(": gone") for line in summary.failures] == [True]
    assert [row["title"] for row in rows] == ["Film 1", "Film 2", "Film 30"]
    _, rows, _ = run(names, tmp_path / "o.jsonl", resume=True)
    assert [row["title"] for row in rows] == ["Film 1", "Film 2", "Film 30", "Film 50"]


def test_a_name_given_is_not_read_again_for(tmp_path: Path) -> None:
    _, rows, nobody = run(put(tmp_path, xml(ALIASED)), tmp_path / "o.jsonl", templates=["Movie box"])
    assert len(rows) == 3
    assert nobody.said == []


def test_a_name_in_one_wiki_is_none_in_another(tmp_path: Path) -> None:
    names = [
        put(tmp_path, xml(ALIASED)),
        put(tmp_path, xml([film(7, "Movie box")]).replace(b"enwiki", b"ltgwiki"), "l.xml"),
    ]
    _, rows, nobody = run(names, tmp_path / "o.jsonl")
    assert [row["wiki"] for row in rows] == ["enwiki"] * 3
    assert nobody.started[1][1] == (tmp_path / "enwiki-20260801-pages-articles.xml").stat().st_size


def test_several_files_in_their_order(tmp_path: Path) -> None:
    parts = [
        put(tmp_path, multistream([film(n), other(n)])[0], f"enwiki-20260801-a{n}.xml-p{n}p{n}.bz2") for n in (3, 1, 2)
    ]
    _, rows, _ = run(parts, tmp_path / "o.jsonl", workers=2)
    assert [row["page_id"] for row in rows] == [3, 1, 2]


def test_the_same_file_whatever_the_units_the_workers_and_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, index = multistream([*some_pages(20), *FILES])
    name, lines = put(tmp_path, data, "enwiki-20260801-x.xml.bz2"), put(tmp_path, index, "index")
    results = []
    for size, more in ((3000, {}), (3000, {"workers": 2}), (5000, {"indexes": [lines]}), (10**9, {})):
        monkeypatch.setitem(dump.UNIT, "bz2", size)
        run(name, tmp_path / "o.jsonl", **more)
        results.append((tmp_path / "o.jsonl").read_bytes())
    assert len(results[0].splitlines()) == 20
    assert len(set(results)) == 1


def test_parquet_has_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "BATCH", 7)
    name = put(tmp_path, xml([*some_pages(20), *FILES, page("None", "{{Infobox film}}")]))
    _, rows, _ = run(name, tmp_path / "o.jsonl")
    convert([name], tmp_path / "o.parquet", Nobody())
    assert pq.read_table(tmp_path / "o.parquet").to_pylist() == rows
    first = (tmp_path / "o.parquet").read_bytes()
    convert([name], tmp_path / "o.parquet", Nobody())
    assert (tmp_path / "o.parquet").read_bytes() == first


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_nothing_found_is_an_empty_file(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"o.{suffix}"
    assert convert([put(tmp_path, xml([other(1)]))], out, Nobody()).rows == 0
    assert out.exists()


def broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], at: int) -> Path:
    """A run that was stopped at the unit ``at``."""
    out = tmp_path / "resumed.jsonl"
    original = running.extract

    def stop(unit: Unit, *more: Any) -> Report:
        if unit.number == at:
            raise KeyboardInterrupt
        return original(unit, *more)

    with monkeypatch.context() as patch:
        patch.setattr(running, "extract", stop)
        with pytest.raises(KeyboardInterrupt):
            convert(names, out, Nobody())
    assert not out.exists()
    return out


def test_resume_does_the_missing_units_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [put(tmp_path, multistream([*some_pages(20), *FILES])[0], "enwiki-20260801-x.xml.bz2")]
    run(names, tmp_path / "whole.jsonl")
    out = broken_off(tmp_path, monkeypatch, names, 3)
    shards = sorted((folder_of(out) / "1").glob("*.jsonl"))
    assert [path.name for path in shards] == ["000000.jsonl", "000001.jsonl", "000002.jsonl"]
    shards[1].write_text("half")
    (shards[0].parent / ".000009.jsonl.1-2.part").write_text("left behind")
    done: list[int] = []
    original = running.extract
    monkeypatch.setattr(running, "extract", lambda unit, *more: done.append(unit.number) or original(unit, *more))
    _, _, nobody = run(names, out, resume=True)
    assert 0 not in done
    assert done[:3] == [1, 3, 4]
    assert nobody.started[0][2] == 6000  # two units of 3,000 bytes were done before
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not folder_of(out).exists()


def test_work_is_not_thrown_away_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [put(tmp_path, multistream(some_pages(20))[0], "enwiki-20260801-x.xml.bz2")]
    out = broken_off(tmp_path, monkeypatch, names, 3)
    with pytest.raises(ResumeError, match="add --resume to go on, or delete it"):
        convert(names, out, Nobody())


@pytest.mark.parametrize("change", ["dump", "kinds", "templates", "wiki", "unit", "program"])
def test_resume_refuses_what_is_not_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    data = multistream(some_pages(20))[0]
    names = [put(tmp_path, data, "enwiki-20260801-x.xml.bz2")]
    out = broken_off(tmp_path, monkeypatch, names, 3)
    more: dict[str, Any] = {
        "kinds": {"kinds": ("book",)},
        "templates": {"templates": ["X"]},
        "wiki": {"wiki": "frwiki"},
    }
    if change == "dump":
        put(tmp_path, data[:-1] + b"x", "enwiki-20260801-x.xml.bz2")
    if change == "unit":
        monkeypatch.setitem(dump.UNIT, "bz2", 4000)
    if change == "program":
        monkeypatch.setattr("wikidump.shards._program", lambda: "another")
    with pytest.raises(ResumeError, match="cannot resume"):
        convert(names, out, Nobody(), resume=True, **more.get(change, {}))


def test_resume_with_nothing_to_resume_begins(tmp_path: Path) -> None:
    _, rows, _ = run(put(tmp_path, xml(some_pages(3))), tmp_path / "o.jsonl", resume=True)
    assert len(rows) == 3


def test_the_real_multistream_dump(tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dump.UNIT, "bz2", 1 << 20)
    name = str(real_data / "wiki/multistream/realpages-multistream.xml.bz2")
    summary, rows, _ = run(name, tmp_path / "o.jsonl")
    assert (summary.pages, len(rows), summary.damage, summary.failures) == (3847, 66, [], [])
    assert summary.statuses == {"ok": 56, "empty": 9, "absent": 1}
    assert {row["wiki"] for row in rows} == {"enwiki"}


def test_real_bare_pages(tmp_path: Path, real_data: Path) -> None:
    names = sorted(str(path) for path in (real_data / "wiki/piki-film-pages").glob("*.xml"))
    summary, rows, _ = run(names, tmp_path / "o.jsonl", wiki="enwiki")
    assert (summary.pages, len(rows), summary.damage) == (77, 64, [])
