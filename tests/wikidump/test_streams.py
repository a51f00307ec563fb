"""The parts of a file, however it is cut and packed, are the whole."""

from __future__ import annotations

import bz2
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from dumps import multistream, some_pages, xml
from hypothesis import given
from hypothesis import strategies as st

from wikidump import streams
from wikidump.source import LocalFile
from wikidump.streams import FastError, Part, fast_text, many_streams, plain_text, text

Reader = Callable[[Part], Iterator[bytes | None]]
PAGES = some_pages(20)
DATA, _ = multistream(PAGES)
TEXT = xml(PAGES)
needs_fast = pytest.mark.skipif(not streams.HAS_FAST, reason="indexed_bzip2 is not installed")
both = pytest.mark.parametrize("reader", [text, pytest.param(fast_text, marks=needs_fast)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams")


def file(folder: Path, data: bytes) -> LocalFile:
    path = folder / f"{hash(data)}.bz2"
    path.write_bytes(data)
    return LocalFile(str(path))


def own(part: Part, reader: Reader = text) -> bytes:
    """What a part owns: the text before the mark."""
    data = b""
    for piece in reader(part):
        if piece is None:
            break
        data += piece
    return data


@both
@given(cuts=st.sets(st.integers(1, len(DATA) - 1), max_size=6))
def test_each_stream_belongs_to_one_part(folder: Path, reader: Reader, cuts: set[int]) -> None:
    source = file(folder, DATA)
    parts = [Part(source, start, end) for start, end in pairwise([0, *sorted(cuts), len(DATA)])]
    assert b"".join(own(part, reader) for part in parts) == TEXT
    assert not any(part.damage for part in parts)


@both
def test_after_the_mark_comes_what_follows(folder: Path, reader: Reader) -> None:
    pieces = list(reader(Part(file(folder, DATA), 0, len(DATA) // 2)))
    assert pieces.count(None) == 1
    assert b"".join(piece for piece in pieces if piece) == TEXT


@both
@pytest.mark.parametrize(
    "data",
    [
        bz2.compress(TEXT),
        bz2.compress(TEXT, 1),
        bz2.compress(b"") + bz2.compress(TEXT) + bz2.compress(b""),
        b"".join(bz2.compress(TEXT[at : at + 1000]) for at in range(0, len(TEXT), 1000)),
    ],
    ids=["one stream", "level 1", "empty streams", "cut anywhere"],
)
def test_other_ways_to_pack(folder: Path, reader: Reader, data: bytes) -> None:
    source = file(folder, data)
    assert own(Part(source, 0, len(data)), reader) == TEXT
    middle = len(data) // 2
    assert own(Part(source, 0, middle), reader) + own(Part(source, middle, len(data)), reader) == TEXT


@needs_fast
def test_several_threads(folder: Path) -> None:
    assert b"".join(filter(None, fast_text(Part(file(folder, DATA), 0, len(DATA)), 2))) == TEXT


def broken(how: str) -> tuple[bytes, list[int]]:
    """(data, offsets of the damage)."""
    at = DATA.index(b"BZh91AY&SY", len(DATA) // 2)
    return {
        "a bit": (DATA[: at + 40] + bytes([DATA[at + 40] ^ 1]) + DATA[at + 41 :], [at]),
        "a header": (DATA[:at] + b"XZh9" + DATA[at + 4 :], [at]),
        "cut off": (DATA[: at + 100], [at]),
        "bytes in between": (DATA[:at] + b"hello" + DATA[at:], [at]),
        "bytes at the end": (DATA + b"hello", [len(DATA)]),
        "zeros at the end": (DATA + bytes(1000), []),
    }[how]


@pytest.mark.parametrize(
    "how", ["a bit", "a header", "cut off", "bytes in between", "bytes at the end", "zeros at the end"]
)
@pytest.mark.parametrize("cut", [0.3, 0.999])
def test_damage_costs_one_stream_and_is_told(folder: Path, how: str, cut: float) -> None:
    data, offsets = broken(how)
    source, middle = file(folder, data), int(len(data) * cut)
    parts = [Part(source, 0, middle), Part(source, middle, len(data))]
    found = b"".join(own(part) for part in parts)
    assert [offset for part in parts for offset, _ in part.damage] == offsets
    lost = TEXT.count(b"<page>") - found.count(b"</page>")
    assert lost == (0 if "bytes" in how or "zeros" in how else lost if how == "cut off" else 5)
    assert TEXT.startswith(found[:1000])
    assert found.endswith(b"</mediawiki>\n") or how == "cut off"


@needs_fast
@pytest.mark.parametrize("how", ["a bit", "a header", "cut off", "bytes in between", "bytes at the end"])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_fast_reader_gives_up_on_damage(folder: Path, how: str, threads: int) -> None:
    source = file(folder, broken(how)[0])
    with pytest.raises(FastError):
        list(fast_text(Part(source, 0, source.size), threads))
    with pytest.raises(FastError):  # from memory, as parts are read
        list(fast_text(Part(source, 5, source.size), threads))


def test_a_part_inside_of_one_long_stream_owns_nothing(folder: Path) -> None:
    data = bz2.compress(random.Random(1).randbytes(3_000_000))
    source = file(folder, data)
    for reader in (text, fast_text) if streams.HAS_FAST else (text,):
        part = Part(source, 1_000_000, 1_500_000)
        assert own(part, reader) == b""
        assert part.damage == []


def test_one_or_many(folder: Path) -> None:
    assert many_streams(file(folder, DATA))
    assert not many_streams(file(folder, bz2.compress(TEXT)))


@pytest.mark.parametrize("cut", [1, 2000, 50_000])
def test_plain_text_is_cut_at_the_byte(folder: Path, cut: int) -> None:
    path = folder / "plain.xml"
    path.write_bytes(TEXT)
    source = LocalFile(str(path))
    assert own(Part(source, 0, cut), plain_text) == TEXT[:cut]
    assert own(Part(source, cut, len(TEXT)), plain_text) == TEXT[cut:]
