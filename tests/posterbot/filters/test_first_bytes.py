"""The first bytes say what the whole file says, as soon as they can, and never anything else."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from conftest import encode, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.decode import Header, ImageError, ImageProblem, Picture
from posterbot.filters.first_bytes import MOST, SNIFFED, FirstBytes, read_header

# Pillow wonders about pictures that are larger than the directory of their icon, and about damaged EXIF blocks.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

ENOUGH = 1600
"""Bytes after which each of the files here has told its size; the longest headers are those of AVIF sequences."""


def frames(format: str, **options: object) -> bytes:
    pictures = [picture(120, 180, seed) for seed in range(3)]
    return encode(pictures[0], format, save_all=True, append_images=pictures[1:], **options)


def gif(screen: tuple[int, int], frame: tuple[int, int, int, int], before: bytes = b"") -> bytes:
    """A GIF by hand: a screen, extensions, and one frame of zeros."""
    image = Image.new("P", frame[2:])
    data = encode(image, "GIF")
    first = data.index(b",")
    return (
        data[:6]
        + struct.pack("<HH", *screen)
        + data[10:first]
        + before
        + b","
        + struct.pack("<4H", *frame)
        + data[first + 9 :]
    )


def jpeg_with(*segments: bytes, **options: object) -> bytes:
    data = encode(picture(300, 450), **options)
    return data[:2] + b"".join(segments) + data[2:]


def segment(marker: int, length: int) -> bytes:
    """A segment whose content looks like frames of other sizes."""
    content = b"\xff\xc0\0\x11\x08\0\1\0\1" * length
    return bytes([255, marker]) + struct.pack(">H", length) + content[: length - 2]


def icon(directory: tuple[int, int], content: bytes) -> bytes:
    """An icon of one picture, whose directory may say another size than the picture."""
    return b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", *directory, 0, 0, 1, 32, len(content), 22) + content


def boxed(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


AVIF = encode(picture(300, 450), "AVIF")
FILES = {
    "JPEG": encode(picture(300, 450)),
    "progressive JPEG": encode(picture(301, 449), progressive=True),
    "grey JPEG": encode(picture(mode="L")),
    "CMYK JPEG": encode(picture(mode="CMYK")),
    "JPEG with 4:4:4 and restarts": encode(picture(), subsampling=0, restart_marker_rows=1),
    "JPEG with comment": encode(picture(), comment=b"\xff\xc0 a comment"),
    "JPEG with padding": jpeg_with(b"\xff" * 300),
    "PNG": encode(picture(), "PNG"),
    "palette PNG": encode(picture(mode="P"), "PNG"),
    "1-bit PNG": encode(picture(mode="1"), "PNG"),
    "APNG": frames("PNG"),
    "GIF": encode(picture(mode="P"), "GIF"),
    "grey GIF": encode(picture(mode="L"), "GIF", interlace=1),
    "animated GIF": frames("GIF", loop=3, comment=b"a, b; c!"),
    "GIF without a screen": gif((0, 0), (0, 0, 70, 90)),
    "GIF beyond its screen": gif((50, 200), (10, 0, 70, 90)),
    "GIF with extensions": gif(
        (70, 90), (0, 0, 70, 90), b"!\xfe\3,,,\2;;\0!\xff\x0bXMP DataXMP\5,!;,,\0!\xf9\4\0\0\0\0\0"
    ),
    "WebP": encode(picture(), "WEBP"),
    "lossless WebP": encode(picture(), "WEBP", lossless=True),
    "WebP with alpha": encode(picture(mode="RGBA"), "WEBP"),
    "animated WebP": frames("WEBP"),
    "WebP with a profile": encode(picture(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0", icc_profile=bytes(500)),
    "AVIF": AVIF,
    "AVIF with alpha": encode(picture(mode="RGBA"), "AVIF"),
    "AVIF with EXIF": encode(picture(), "AVIF", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
    "AVIF sequence": frames("AVIF"),
    "AVIF behind free space": AVIF[:32] + boxed(b"free", bytes(100)) + AVIF[32:] if AVIF[:4] == b"\0\0\0\x20" else AVIF,
    "BMP": encode(picture(), "BMP"),
    "8-bit BMP": encode(picture(mode="L"), "BMP"),
    "ICO": encode(Image.new("RGB", (256, 256)), "ICO"),
    "ICO of bitmaps": encode(picture(32, 24), "ICO", bitmap_format="bmp", sizes=[(16, 12)]),
    "ICO of a large PNG": icon((0, 0), encode(picture(512, 400), "PNG")),
    "1x1": encode(Image.new("P", (1, 1)), "GIF"),
}
BAD = {
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "html after spaces": b"\xef\xbb\xbf \n<html>",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "html with a drawing": b"<html><body>" + bytes(500) + b"<svg>",
    "text": b"just some words",
    "JSON": b'{"error": "none"}',
    "zeros": bytes(10),
    "PDF": b"%PDF-1.7\n",
    "JPEG XL": b"\xff\x0a" + bytes(40),
    "JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    "WAVE": b"RIFF\0\1\0\0WAVEfmt ",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "HEIC of a general brand": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    "video": b"\0\0\0\x18ftypisom\0\0\2\0isomavc1",
    "icon without a picture": b"\0\0\1\0\0\0",
}


def truth(data: bytes) -> Header:
    header = Picture(data).header
    return Header("JPEG", header.width, header.height) if header.format == "MPO" else header


def told(data: bytes) -> Header | ImageProblem | None:
    try:
        return read_header(data)
    except ImageError as error:
        return error.problem


@pytest.mark.parametrize("name", FILES)
def test_every_beginning_says_nothing_or_what_the_file_says(name: str) -> None:
    data = FILES[name]
    wanted = truth(data)
    answers = [told(data[:n]) for n in range(min(len(data), 3000) + 1)]
    first = next(n for n, answer in enumerate(answers) if answer is not None)
    assert first <= ENOUGH
    assert set(answers[first:]) == {wanted}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (255, 257), (1000, 3), (3, 5000)])
def test_sizes(format: str, size: tuple[int, int]) -> None:
    image = Image.new("L" if format == "GIF" else "RGB", size)
    assert read_header(encode(image, format)) == Header(format, *size)


@pytest.mark.parametrize("name", BAD)
def test_every_beginning_of_no_picture_says_nothing_or_why(name: str) -> None:
    data = BAD[name] + bytes(2 * SNIFFED)
    with pytest.raises(ImageError) as caught:
        Picture(data)
    answers = [told(data[:n]) for n in range(len(data) + 1)]
    first = next(n for n, answer in enumerate(answers) if answer is not None)
    assert first <= SNIFFED
    assert set(answers[first:]) == {caught.value.problem}


def avif_of_two(long: bool, wide: bool, primary: int) -> bytes:
    """The boxes of an AVIF of two pictures, 20×30 and 300×450, and an outline of the first in between."""
    sizes = [boxed(b"ispe", struct.pack(">III", 0, *size)) for size in ((300, 450), (20, 30))]
    held = boxed(b"ipco", sizes[0] + boxed(b"pixi", bytes(8)) + sizes[1])
    ipma = struct.pack(">BxxBI", wide, long, 2)
    for item, properties in ((1, (2, 3)), (2, (2, 1))):
        numbers = (n | (0x8000 if long else 0x80) for n in properties)
        ipma += struct.pack(">IB" if wide else ">HB", item, 2) + struct.pack(">HH" if long else ">BB", *numbers)
    named = boxed(b"pitm", struct.pack(">IH", 0, primary))
    meta = boxed(b"meta", bytes(4) + boxed(b"hdlr", bytes(25)) + named + boxed(b"iprp", held + boxed(b"ipma", ipma)))
    return boxed(b"ftyp", b"avif\0\0\0\0mif1avif") + boxed(b"free", bytes(100)) + meta


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("wide", [False, True])
def test_the_size_of_an_avif_is_that_of_its_primary_picture(long: bool, wide: bool) -> None:
    told = [read_header(avif_of_two(long, wide, primary)) for primary in (1, 2, 3)]
    assert told == [Header("AVIF", 20, 30), Header("AVIF", 300, 450), None]


def test_webp_that_asks_to_be_enlarged() -> None:
    data = bytearray(FILES["WebP"])
    data[27] |= 0x40
    data[29] |= 0xC0
    assert truth(bytes(data)) == read_header(bytes(data)) == Header("WEBP", 300, 450)


def test_no_more_steps_than_honest_files_need() -> None:
    few, many = (jpeg_with(*[segment(0xE5, 12)] * count) for count in (100, 1000))
    assert read_header(few) == Header("JPEG", 300, 450)
    assert read_header(many) is None


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP"])
def test_a_side_of_nothing_is_no_picture(name: str) -> None:
    data = FILES[name]
    size = {"JPEG": struct.pack(">HH", 450, 300), "PNG": struct.pack(">II", 300, 450)}.get(name)
    for kind in ("<HH", "<II"):
        size = size or next((s for s in [struct.pack(kind, 300, 450)] if s in data[:30]), None)
    assert size is not None
    nothing = data.replace(size, bytes(len(size)))
    assert told(nothing) is ImageProblem.NOT_AN_IMAGE


@pytest.mark.parametrize("name", ["TIFF", "damaged PNG", "BMP of no kind", "JPEG without a frame", "endless JPEG"])
def test_what_does_not_tell_is_not_told(name: str) -> None:
    data = {
        "TIFF": encode(picture(), "TIFF"),
        "damaged PNG": b"\x89PNG\r\n\0\0" + bytes(5000),
        "BMP of no kind": b"BM" + bytes(5000),
        "JPEG without a frame": b"\xff\xd8" + segment(0xE1, 20) + b"\xff\xda" + bytes(5000),
        "endless JPEG": b"\xff\xd8\xff\xe0" + b"\0\2\xff\xe1" * 40_000,
    }[name]
    beginning = FirstBytes()
    for at in range(0, len(data), 1000):
        assert beginning.feed(data[at : at + 1000]) is None
    assert beginning.over


@pytest.mark.parametrize("length", [100, 20_000, 65_000])
def test_long_segments_before_the_frame(length: int) -> None:
    data = jpeg_with(segment(0xE1, length))
    assert truth(data) == Header("JPEG", 300, 450)
    assert [told(data[: length + 20]), told(data)] == [None, Header("JPEG", 300, 450)]


def test_a_profile_longer_than_what_is_looked_at() -> None:
    data = jpeg_with(*[segment(0xE2, 60_000)] * 5)
    assert truth(data) == Header("JPEG", 300, 450)
    assert read_header(data[:MOST]) is None


@pytest.mark.parametrize("piece", [1, 7, 100, 5000])
def test_in_pieces(piece: int) -> None:
    for data in FILES.values():
        beginning = FirstBytes()
        answers = (beginning.feed(data[at : at + piece]) for at in range(0, len(data), piece))
        assert next(answer for answer in answers if answer is not None) == truth(data)


def test_pieces_are_not_looked_at_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    real = FirstBytes.feed.__globals__["_look"]

    def counted(data: bytes) -> object:
        nonlocal looks
        looks += 1
        return real(data)

    monkeypatch.setitem(FirstBytes.feed.__globals__, "_look", counted)
    beginning = FirstBytes()
    for _ in range(MOST):
        beginning.feed(b"\xff\xd8\xff\xe0" if not looks else b"\xff")
    assert looks < 60


@settings(max_examples=600)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6))
def test_what_a_decoder_opens_all_the_same_has_the_size_that_was_told(name: str, seed: int) -> None:
    rng = random.Random(seed)
    damaged = bytearray(FILES[name][:20_000])
    for _ in range(rng.randint(1, 6)):
        damaged[rng.randrange(min(len(damaged), 400))] = rng.randrange(256)
    data = bytes(damaged)
    answers = [told(data[:n]) for n in (12, 40, 200, 700, len(data))]
    answers = answers[next((n for n, answer in enumerate(answers) if answer is not None), 5) :]
    assert len(set(answers)) <= 1
    try:
        wanted = truth(data)
    except ImageError:
        return  # it may well have a size
    assert not answers or answers[-1] == wanted


@given(
    st.binary(max_size=3000),
    st.sampled_from([b"", b"\xff\xd8\xff", b"GIF89a", b"\0\0\1\0", b"\0\0\0\x20ftypavif", b"BM"]),
)
def test_any_bytes(data: bytes, begin: bytes) -> None:
    told(begin + data)


def test_real_files(real_data: Path) -> None:
    different = {
        str(path): (told(data[:MOST]), truth(data))
        for path in sorted((real_data / "originals").rglob("*.*"))
        if told((data := path.read_bytes())[:MOST]) != truth(data)
    }
    assert not different
