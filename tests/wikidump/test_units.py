"""A unit makes the same shard each time, whole or not at all."""

from __future__ import annotations

import bz2
import json
import resource
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dumps import film, multistream, page, some_pages, xml

from wikidump import streams, units
from wikidump.source import SourceError
from wikidump.units import Job, PageError, Report, ShardError, Unit, extract, read_report, read_shard

PAGES = [
    *some_pages(12),
    page("File:F 2.jpg", "{{Non-free poster}}", 6),
    page("Template:Movie box", "#REDIRECT [[Template:Infobox film]]", 10, redirect="Template:Infobox film"),
    page("Template:Infobox Film", "#REDIRECT [[Template:Infobox film]]", 10, redirect="Template:Infobox film"),
    page("Template:Tree", "#REDIRECT [[Template:Plant]]", 10, redirect="Template:Plant"),
]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "enwiki-20260801-x.xml.bz2"
    path.write_bytes(multistream(PAGES)[0])
    return path


def unit(path: Path, number: int = 0, start: int = 0, end: int | None = None, kind: str = "bz2") -> Unit:
    return Unit(number, str(path), kind, start, end or path.stat().st_size, "enwiki", "20260801")


def lines(folder: Path, *numbers: int) -> list[Any]:
    return [line for number in numbers for line in read_shard(str(folder), number)]


@pytest.mark.parametrize("fast", [True, False])
def test_what_lies_in_a_shard(tmp_path: Path, dump: Path, fast: bool) -> None:
    report = extract(unit(dump), Job(str(tmp_path), fast=fast))
    found = lines(tmp_path, 0)
    assert [line[1]["title"] for line in found if line[0] == "row"] == [f"Film {3 * n + 2}" for n in range(12)]
    assert found[12] == ["file", "enwiki", "F 2.jpg", "non-free", True, None]
    assert found[13:] == [["redirect", "enwiki", "Movie box", "Infobox film"]]  # of the new name of a box alone
    text = len(xml(PAGES))
    assert report == Report(dump.stat().st_size, text, 40, 12, 12, 1, finished=True)
    assert read_report(str(tmp_path), 0) == report
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["000000.jsonl"]


def test_the_same_bytes_each_time_and_by_either_reader(tmp_path: Path, dump: Path) -> None:
    shards = []
    for fast in (True, True, False):
        extract(unit(dump), Job(str(tmp_path), fast=fast))
        shards.append((tmp_path / "000000.jsonl").read_bytes())
    assert shards[0] == shards[1] == shards[2]


@pytest.mark.parametrize("parts", [2, 7, 50])
@pytest.mark.parametrize("kind", ["bz2", "xml"])
def test_many_units_find_what_one_does(tmp_path: Path, dump: Path, kind: str, parts: int) -> None:
    if kind == "xml":
        dump.write_bytes(bz2.decompress(dump.read_bytes()))
    job = Job(str(tmp_path))
    whole = extract(unit(dump, 99, kind=kind), job)
    size = dump.stat().st_size
    cuts = [size * n // parts for n in range(parts + 1)]
    reports = [extract(unit(dump, n, a, b, kind), job) for n, (a, b) in enumerate(pairwise(cuts))]
    assert lines(tmp_path, *range(parts)) == lines(tmp_path, 99)
    for name in ("bytes", "pages", "rows", "posters", "files", "text_bytes"):
        assert sum(getattr(report, name) for report in reports) == getattr(whole, name)
    assert [report.finished for report in reports].count(True) == 1


def test_progress_adds_up(tmp_path: Path, dump: Path) -> None:
    seen: list[tuple[int, ...]] = []
    report = extract(unit(dump), Job(str(tmp_path)), lambda *added: seen.append(added))
    assert [sum(column) for column in zip(*seen, strict=True)] == [
        report.bytes, report.text_bytes, report.pages, report.rows, report.posters
    ]  # fmt: skip


def test_damage_is_told_by_the_slow_reader(tmp_path: Path, dump: Path) -> None:
    data = dump.read_bytes()
    at = data.index(b"BZh91AY", 5000)
    dump.write_bytes(data[: at + 50] + bytes([data[at + 50] ^ 8]) + data[at + 51 :])
    report = extract(unit(dump), Job(str(tmp_path)))
    assert report.damage == [(at, "a damaged bz2 stream")]
    assert report.pages == 35
    assert read_report(str(tmp_path), 0) is not None


@pytest.mark.parametrize("kind", ["bz2", "xml"])
def test_a_truncated_file_keeps_its_complete_pages(tmp_path: Path, dump: Path, kind: str) -> None:
    data = xml(PAGES)
    text = data[: data.index(b"Film 29") + 10]
    packed = bz2.compress(data)
    dump.write_bytes(text if kind == "xml" else packed[: len(packed) - 30])
    report = extract(unit(dump, kind=kind), Job(str(tmp_path)))
    assert len(report.damage) == 1
    assert "ends in the middle" in report.damage[0][1]
    if kind == "xml":
        assert report.rows == 9


def test_a_page_that_breaks_the_program_is_named(tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(self: object, page: object) -> Iterator[Any]:
        raise RecursionError("too deep")
        yield

    monkeypatch.setattr(units.Extractor, "rows", rows)
    with pytest.raises(PageError, match="page 'Film 2': RecursionError: too deep"):
        extract(unit(dump), Job(str(tmp_path)))
    assert list(tmp_path.glob("*.jsonl")) == list(tmp_path.glob(".*.part")) == []


def test_a_file_that_went_away(tmp_path: Path, dump: Path) -> None:
    todo = unit(dump)
    dump.unlink()
    with pytest.raises(SourceError, match="No such file"):
        extract(todo, Job(str(tmp_path)))


def test_a_full_disk_leaves_no_half_shard(tmp_path: Path, dump: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ShardError, match=r"cannot write to .*: File too large"):
            extract(unit(dump), Job(str(tmp_path)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.glob("*.jsonl")) == list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize("content", ["", '["row",{}]\n', '["end",{"byt', "[]", '["end",{"unknown":1}]\n'])
def test_a_shard_that_is_not_whole_does_not_count(tmp_path: Path, content: str) -> None:
    (tmp_path / "000003.jsonl").write_text(content)
    assert read_report(str(tmp_path), 3) is None


def test_texts_that_no_encoding_takes(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(
        xml([film(1).replace("Film 1", "&#xD800;\udcff").encode("utf-8", "surrogateescape").decode("latin-1")])
    )
    extract(unit(path, kind="xml"), Job(str(tmp_path)))
    for line in (tmp_path / "000000.jsonl").read_text("utf-8").splitlines():
        json.loads(line)


@pytest.mark.skipif(not streams.HAS_FAST, reason="indexed_bzip2 is not installed")
def test_one_stream_on_two_threads(tmp_path: Path) -> None:
    path = tmp_path / "x.xml.bz2"
    path.write_bytes(bz2.compress(xml(PAGES)))
    one = extract(unit(path, 0), Job(str(tmp_path)))
    two = extract(unit(path, 1), Job(str(tmp_path), threads=2))
    assert one == two
    assert lines(tmp_path, 0) == lines(tmp_path, 1)
