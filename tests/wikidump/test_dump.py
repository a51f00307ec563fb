"""What a file is, and what it is not."""

from __future__ import annotations

import bz2
from pathlib import Path

import pytest
from dumps import SITEINFO, film, multistream, page, some_pages, xml

from wikidump import dump
from wikidump.dump import Dump, DumpError, open_dump, units
from wikidump.source import SourceError

PAGES = some_pages(20)
DATA, INDEX = multistream(PAGES)


def opened(folder: Path, data: bytes, name: str = "enwiki-20260801-pages-articles.xml.bz2", **more: str) -> Dump:
    (folder / name).write_bytes(data)
    return open_dump(str(folder / name), **more)


@pytest.mark.parametrize(
    "data", [DATA, bz2.compress(xml(PAGES)), xml(PAGES), b"\xef\xbb\xbf" + xml(PAGES), film(1).encode()]
)
def test_dumps(tmp_path: Path, data: bytes) -> None:
    found = opened(tmp_path, data)
    assert (found.kind, found.wiki, found.date) == ("bz2" if data[:3] == b"BZh" else "xml", "enwiki", "20260801")


@pytest.mark.parametrize(
    ("name", "head", "given", "wiki", "date"),
    [
        ("frwiki-20260801-pages-articles3.xml-p1p2.bz2", "", {}, "frwiki", "20260801"),
        ("zh_yuewiki-latest-pages-articles.xml", "", {}, "zh_yuewiki", None),
        ("frwiki-20260801-x.xml", SITEINFO, {}, "enwiki", "20260801"),
        ("x.xml", SITEINFO, {"wiki": "dewiki"}, "dewiki", None),
        ("x.xml", "<mediawiki><dbname>tmp</dbname><base>https://zh-yue.wikipedia.org/</base>", {}, "zh_yuewiki", None),
    ],
)  # fmt: skip
def test_wiki_and_date(
    tmp_path: Path, name: str, head: str, given: dict[str, str], wiki: str, date: str | None
) -> None:
    found = opened(tmp_path, (head + film(1)).encode(), name, **given)
    assert (found.wiki, found.date) == (wiki, date)


def test_a_wiki_that_nobody_names(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match="add --wiki enwiki"):
        opened(tmp_path, film(1).encode(), "film.xml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (xml(PAGES).decode().encode("utf-16"), "UTF-16, not UTF-8; convert it first"),
        (xml(PAGES).decode().encode("utf-16-be"), "UTF-16"),
        (bz2.compress(xml(PAGES).decode().encode("utf-16")), "UTF-16"),
        (DATA[:30], "ends before its first page"),
        (b"BZh91AY&SY" + bytes(100), "begins like bz2"),
        (b"BZhello", "begins like bz2"),
        (b"{{Infobox film}}", r"begins with '\{\{Infobox film\}\}'"),
        (b"\x1f\x8b\x08\x00\x01", "begins with other data"),
        (b"<html><page>", "no dump"),
        (INDEX, "no dump: it begins with '"),
        (bz2.compress(INDEX), "no dump: it begins with '"),
    ],
)
def test_what_is_no_dump(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DumpError, match=message):
        opened(tmp_path, data)


@pytest.mark.parametrize("name", ["nothing.xml", "."])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="cannot read"):
        open_dump(str(tmp_path / name))


def test_the_real_file_in_utf16(real_data: Path) -> None:
    with pytest.raises(DumpError, match="UTF-16"):
        open_dump(str(next((real_data / "wiki/gensim").glob("bgwiki*"))))


@pytest.mark.parametrize("pack", [bytes, bz2.compress])
def test_an_index_cuts_where_streams_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: type[bytes]) -> None:
    monkeypatch.setitem(dump.UNIT, "bz2", 3000)
    (tmp_path / "index").write_bytes(pack(INDEX))
    found = opened(tmp_path, DATA, index=str(tmp_path / "index"))
    assert len(found.cuts) > 4
    assert all(DATA[cut:].startswith(b"BZh91AY") for cut in found.cuts[:-1])
    assert (found.cuts[0], found.cuts[-1]) == (0, len(DATA))
    assert all(b - a >= 3000 for a, b in zip(found.cuts, found.cuts[1:-1], strict=False))


def test_titles_in_an_index_may_look_like_anything(tmp_path: Path) -> None:
    data, index = multistream([page("Q&A: 12:34: x", "a"), page("B", "b")], 1)
    (tmp_path / "index").write_bytes(index)
    assert opened(tmp_path, data, index=str(tmp_path / "index")).cuts == (0, len(data))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (multistream(some_pages(21), 4)[1], "index of another dump"),
        (INDEX.replace(b":", b"9:", 1), "index of another dump"),
        (b"", "no index"),
        (DATA, "no index"),
        (xml(PAGES), "no index"),
        (b"BZhello", "no index"),
    ],
)
def test_an_index_that_is_another_dumps(tmp_path: Path, index: bytes, message: str) -> None:
    (tmp_path / "index").write_bytes(index)
    with pytest.raises(DumpError, match=message):
        opened(tmp_path, DATA, index=str(tmp_path / "index"))


def test_the_real_index(real_data: Path) -> None:
    name = str(real_data / "wiki/multistream/realpages-multistream")
    assert open_dump(f"{name}.xml.bz2", index=f"{name}-index.txt.bz2").cuts[0] == 0


def test_an_index_of_what_is_not_compressed(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(INDEX)
    with pytest.raises(DumpError, match="leave --index out"):
        opened(tmp_path, xml(PAGES), index=str(tmp_path / "index"))


def test_units_cover_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dump.UNIT, "bz2", 3000)
    first = opened(tmp_path, DATA)
    second = opened(tmp_path, bz2.compress(xml(PAGES)), "frwiki-20260802-pages-articles-p1p2.xml.bz2")
    planned = units([first, second])
    assert [unit.number for unit in planned] == list(range(len(planned)))
    assert planned[0].start == 0
    assert [a.end for a in planned[:-2]] == [b.start for b in planned[1:-1]]
    assert (planned[-1].start, planned[-1].wiki, planned[-1].dump_date) == (0, "enwiki", "20260802")  # a single stream
    assert (first.part, second.part) == (False, True)
    assert str(planned[1]) == f"enwiki-20260801-pages-articles.xml.bz2, bytes 3,000 to {planned[1].end:,}"
