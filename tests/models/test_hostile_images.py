"""Images made to hurt: a thousand damaged ones, and bombs of every kind. This file is also the process that opens them.

It is killed before it could harm the machine, and what it measured is looked at here.
"""

from __future__ import annotations

import json
import os
import random
import resource
import struct
import subprocess
import sys
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encode, picture
from PIL import Image

from models.analysis import Analysis, analyse
from models.decode import Header, ImageError, ImageProblem
from models.fitting import Fit
from posterbot.filters.first_bytes import MOST, read_header

ROOT = Path(__file__).parents[2]
LONG = 6_000_000
"""Bytes of padding in what takes its time."""
SECONDS = 1.0
MEGABYTES = 250
"""Over what the process had before: more than 25 megapixels in palette colours take, and far less than any bomb."""
SEEDS = 6


class Constant:
    """Stands in for a network, which is not the point here."""

    labels, hash, side, fit = ("poster",), "0" * 64, 144, Fit.LETTERBOX

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return self.predict(pixels), None

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        return np.ones((len(pixels), 1), np.float32)


def _frames(format: str) -> bytes:
    return encode(picture(120, 180), format, save_all=True, append_images=[picture(120, 180, 1)])


def _timeless(sequence: bytes) -> bytes:
    """Without the time at which it was made, so that the same bytes are damaged each time."""
    data = bytearray(sequence)
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        at = data.index(kind) + 8
        data[at : at + 16] = bytes(16)
    return bytes(data)


def _whole() -> dict[str, bytes]:
    image, exif = picture(120, 180), Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    return {
        "jpeg": encode(image, exif=exif),
        "progressive": encode(image, progressive=True, icc_profile=bytes(3000)),
        "cmyk": encode(image.convert("CMYK")),
        "png": encode(image, "PNG"),
        "palette": encode(image.convert("P"), "PNG", transparency=3),
        "rgba": encode(image.convert("RGBA"), "PNG", exif=exif),
        "apng": _frames("PNG"),
        "gif": encode(image.convert("P"), "GIF", comment=b"hello"),
        "animated gif": _frames("GIF"),
        "webp": encode(image, "WEBP"),
        "lossless webp": encode(image.convert("RGBA"), "WEBP", lossless=True, exif=exif),
        "animated webp": _frames("WEBP"),
        "avif": encode(image, "AVIF", exif=exif),
        "avif sequence": _timeless(_frames("AVIF")),
        "bmp": encode(image, "BMP"),
        "bmp of 8 bits": encode(image.convert("L"), "BMP"),
        "ico": encode(picture(64, 64), "ICO"),
        "ico of bitmaps": encode(picture(48, 48), "ICO", bitmap_format="bmp"),
        "tiff": encode(image, "TIFF", tiffinfo={270: "a description"}),
        "packed tiff": encode(image, "TIFF", compression="tiff_lzw"),
    }


WHOLE = _whole()


def _flipped(data: bytearray, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 40)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _flipped_early(data: bytearray, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(min(len(data), 200))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    return bytes(data)


def _truncated(data: bytearray, rng: random.Random) -> bytes:
    return bytes(data[: int(len(data) * rng.random() ** 2)])


def _spliced(data: bytearray, rng: random.Random) -> bytes:
    other = WHOLE[rng.choice(sorted(WHOLE))]
    return bytes(data[: rng.randrange(len(data))]) + other[rng.randrange(len(other)) :]


def _repeated(data: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return bytes(data[:at] + data[at : at + rng.randint(1, 500)] * rng.randint(2, 200) + data[at:])


def _emptied(data: bytearray, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.randint(1, 2000)
    return bytes(data[:at]) + rng.choice((b"\0", b"\xff")) * length + bytes(data[at + length :])


def _resized(data: bytearray, rng: random.Random) -> bytes:
    """Other sizes wherever a size stands."""
    kinds = ("<HH", ">HH", "<II", ">II", "<BB")
    for kind in kinds:
        for size in ((120, 180), (180, 120), (64, 64), (48, 48), (48, 96)):
            values = [rng.choice((0, 1, 255, 256, 3000, 30_000, 65_535, 2**31 - 1, 2**32 - 1)) for _ in size]
            top = 2 ** (8 * struct.calcsize(kind) // 2) - 1
            wrong = struct.pack(kind, *(min(value, top) for value in values))
            if kind != "<BB" or data[:4] == b"\0\0\1\0":
                data = data.replace(struct.pack(kind, *size), wrong)
    return bytes(data)


MUTATIONS = (_flipped, _flipped_early, _truncated, _spliced, _repeated, _emptied, _resized)


def damaged() -> Iterator[tuple[str, bytes]]:
    for name, data in WHOLE.items():
        for mutation in MUTATIONS:
            for seed in range(SEEDS + 2):
                mutated = mutation(bytearray(data), random.Random(f"{name} {mutation.__name__} {seed}"))
                yield f"{name} {mutation.__name__} {seed}", mutated


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(side: int, *chunks: bytes, rows: bytes | None = None) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side + 1) * min(side, 5000))) if rows is None else rows
    return b"".join((b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), *chunks, _chunk(b"IDAT", rows), _chunk(b"IEND")))


def _icon(content: bytes, offset: int = 22) -> bytes:
    return b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(content), offset) + content


def _bitmap(width: int, height: int, bits: int = 32) -> bytes:
    return struct.pack("<IiiHHIIIIII", 40, width, height, 1, bits, 0, 0, 0, 0, 0, 0)


def _jpeg(*segments: bytes) -> bytes:
    return WHOLE["jpeg"][:2] + b"".join(segments) + WHOLE["jpeg"][2:]


def _gif(blocks: bytes, screen: tuple[int, int] = (120, 180)) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    return head + blocks + b"," + struct.pack("<4HB", 0, 0, 120, 180, 0) + b"\2\2\x4c\1\0;"


def _webp(side: int) -> bytes:
    data = bytearray(WHOLE["animated webp"])
    data[24:30] = (side - 1).to_bytes(3, "little") * 2
    return bytes(data)


def _tiff(*tags: tuple[int, int, int, int], following: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", following)


def _scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encode(Image.new("L", (2000, 2000)), progressive=True)
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[start:end] * count + data[end:]


def _exif() -> bytes:
    tags = ((0x011A, 5, 1, 100), (0x011B, 5, 1, 100), (0x0112, 3, 1, 99), (0x8769, 4, 1, 8), (0x829A, 5, 1, 100))
    block = b"Exif\0\0" + _tiff(*tags, following=8) + bytes(100)  # fractions of 0 ÷ 0, and a directory that is its own
    return _jpeg(b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)


ANY = frozenset({None, *ImageProblem})
REFUSED = frozenset({ImageProblem.TOO_MANY_PIXELS})
UNREADABLE = frozenset({ImageProblem.TRUNCATED, ImageProblem.NOT_AN_IMAGE, ImageProblem.UNSUPPORTED_FORMAT})
ENDLESS = frozenset({ImageProblem.NOT_AN_IMAGE})
READ = frozenset({None})

BOMBS: dict[str, tuple[Callable[[], bytes], frozenset[ImageProblem | None]]] = {
    "PNG of 30,000": (lambda: _png(30_000, rows=b""), REFUSED),
    "GIF of 30,000": (lambda: _gif(b"", (30_000, 30_000)), REFUSED),
    "WebP of 30,000": (lambda: _webp(30_000), REFUSED),
    "WebP of 16,383": (lambda: _webp(16_383), REFUSED),
    "TIFF of 30,000": (
        lambda: _tiff((256, 4, 1, 30_000), (257, 4, 1, 30_000), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8)),
        REFUSED,
    ),
    "BMP of 30,000": (lambda: b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + _bitmap(30_000, 30_000, 24), REFUSED),
    "AVIF of 30,000": (
        lambda: WHOLE["avif"].replace(struct.pack(">II", 120, 180), struct.pack(">II", 30_000, 30_000)),
        UNREADABLE,
    ),
    "JPEG of 65,000": (lambda: WHOLE["jpeg"].replace(b"\0\xb4\0\x78", b"\xfd\xe8\xfd\xe8"), REFUSED),
    "icon that holds a PNG of 9,000": (lambda: _icon(_png(9000)), REFUSED),
    "icon that holds a bitmap of 30,000": (lambda: _icon(_bitmap(30_000, 60_000)), REFUSED),
    "icon that holds itself": (lambda: _icon(b"", offset=0), UNREADABLE),
    "icon that points behind itself": (lambda: _icon(b"", offset=2**32 - 1), UNREADABLE),
    "icon of 65,535": (lambda: b"\0\0\1\0\xff\xff" + struct.pack("<8xII", 9, 22) * 65_535, ANY),
    "profile that unfolds": (lambda: _png(50, _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(LONG * 20)))), ANY),
    "text that unfolds": (lambda: _png(50, _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(LONG * 20)))), ANY),
    "texts without end": (lambda: _png(50, _chunk(b"tEXt", b"a\0b") * (LONG // 15)), ENDLESS),
    "chunks without end": (lambda: _png(50, _chunk(b"teSt") * (LONG // 12)), ENDLESS),
    "chunks behind the pixels": (lambda: _png(50)[:-12] + _chunk(b"teSt") * (LONG // 12), ENDLESS),
    "pixels in empty chunks": (lambda: _png(1500, _chunk(b"IDAT") * (LONG // 12)), ENDLESS),
    "frames without end": (
        lambda: _png(50, _chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))[:-12] + _chunk(b"fcTL", bytes(26)) * 99_999,
        READ,
    ),
    "padding without end": (lambda: _jpeg(b"\xff" * LONG), ENDLESS),
    "junk without end": (lambda: _jpeg(bytes(LONG)), ENDLESS),
    "segments without end": (lambda: _jpeg(b"\xff\xe5\0\2" * (LONG // 4)), ENDLESS),
    "comments without end": (lambda: _jpeg(b"\xff\xfe\0\3a" * (LONG // 5)), ENDLESS),
    "restarts without end": (lambda: _jpeg(b"\xff\xd0" * (LONG // 2)), ENDLESS),
    "markers and no picture": (lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * (LONG // 4), ENDLESS),
    "scans without end": (lambda: _scans(1000), REFUSED),
    "extensions without end": (lambda: _gif(b"!\1\1a\0" * (LONG // 5)), ENDLESS),
    "a comment without end": (lambda: _gif(b"!\xfe" + b"\1a" * (LONG // 2) + b"\0"), ENDLESS),
    "blanks without end": (lambda: _gif(bytes(LONG)), ENDLESS),
    "GIF of 100,000 frames": (
        lambda: _gif(b"")[:-1] + (b"," + struct.pack("<4HB", 0, 0, 120, 180, 0) + b"\2\2\x4c\1\0") * 100_000 + b";",
        ANY,
    ),
    "EXIF that divides by zero": (_exif, READ),
    "TIFF that divides by zero": (
        lambda: encode(picture(120, 180), "TIFF", dpi=(72, 72)).replace(struct.pack("<II", 72, 1), bytes(8)),
        READ,
    ),
    "TIFF whose directory is its own": (lambda: _tiff((256, 4, 1, 50), (257, 4, 1, 50), following=8), UNREADABLE),
    "TIFF of 65,535 tags": (lambda: _tiff(*[(n, 4, 1, 5) for n in range(65_535)]), UNREADABLE),
    "AVIF of boxes in boxes": (lambda: WHOLE["avif"][:32] + struct.pack(">I4s", 8, b"meta") * 9999, UNREADABLE),
    "25 megapixels": (lambda: encode(Image.new("P", (5000, 5000)), "GIF"), READ),
}


@pytest.fixture(scope="module")
def opened() -> dict[str, Any]:
    """What the process below measured."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, __file__], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_there_are_enough(opened: dict[str, Any]) -> None:
    problems = [entry["problem"] for entry in opened["damaged"].values()]
    assert len(problems) >= 1000
    assert len({*problems} - {None}) >= 5
    assert 100 < problems.count(None) < len(problems) / 2  # neither all of them hopeless nor hardly touched


def test_nothing_but_declared_errors(opened: dict[str, Any]) -> None:
    everything = opened["damaged"] | opened["bombs"]
    assert {name: entry["raised"] for name, entry in everything.items() if entry["raised"]} == {}


def test_nothing_takes_its_time(opened: dict[str, Any]) -> None:
    everything = opened["damaged"] | opened["bombs"]
    assert {name: entry["seconds"] for name, entry in everything.items() if entry["seconds"] > SECONDS} == {}


def test_memory_is_bounded(opened: dict[str, Any]) -> None:
    assert opened["megabytes"] < MEGABYTES


def test_first_bytes_and_decoder_agree(opened: dict[str, Any]) -> None:
    """On all that has become pixels, and on what is none."""
    everything = opened["damaged"] | opened["bombs"]
    wrong = {
        name: entry
        for name, entry in everything.items()
        if entry["problem"] is None and entry["told"] not in (None, entry["header"])
    }
    assert wrong == {}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(opened: dict[str, Any], name: str) -> None:
    problem = opened["bombs"][name]["problem"]
    assert (None if problem is None else ImageProblem(problem)) in BOMBS[name][1]


def _open_them() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    warnings.simplefilter("ignore")
    made = {name: make() for name, (make, _) in BOMBS.items()}  # before memory is measured
    analyse(list(WHOLE.values()), Constant())  # type: ignore[arg-type]  # loads all decoders
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = {
        "damaged": {name: _opened(data, 4_000_000) for name, data in damaged()},
        "bombs": {name: _opened(data, 64_000_000) for name, data in made.items()},
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000,
    }
    json.dump(result, sys.stdout)


def _opened(data: bytes, max_pixels: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"raised": None, "problem": None, "told": None, "header": None}
    started = time.process_time()
    try:
        entry["told"] = _size(read_header(data[:MOST]))
    except ImageError as error:
        entry["told"] = error.problem
    except Exception as error:
        entry["raised"] = repr(error)
    try:
        (answer,) = analyse([data], Constant(), max_pixels=max_pixels)  # type: ignore[arg-type]
        assert isinstance(answer, Analysis)
        assert (answer.problem is None) == (answer.scores is not None)
        entry |= {"problem": answer.problem, "header": _size(answer.header)}
    except Exception as error:
        entry["raised"] = repr(error)
    entry["seconds"] = time.process_time() - started
    return entry


def _size(header: Header | None) -> list[int] | None:
    return None if header is None else [header.width, header.height]


if __name__ == "__main__":
    _open_them()
