"""Bytes as the web serves them: each readable kind gives a picture, each bad one its problem, none anything else."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from conftest import encode, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.decode import FORMATS, ImageError, ImageProblem, letterbox, read_header, read_rgb


def png_bomb(side: int = 12_000) -> bytes:
    """A valid grey PNG of side × side pixels in some 140 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(side + 1)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def animated(format: str) -> bytes:
    frames = [Image.new("RGB", (120, 180), colour) for colour in ((250, 10, 10), (10, 250, 10))]
    return encode(frames[0], format, save_all=True, append_images=frames[1:], duration=100)


def transparent(mode: str) -> bytes:
    image = Image.new("RGBA", (120, 180), (0, 0, 0, 0))
    return encode(
        image if mode == "RGBA" else image.convert(mode), "PNG", **({"transparency": 0} if mode == "P" else {})
    )


def sixteen_bit() -> bytes:
    samples = np.tile(np.linspace(0, 65535, 120).astype(np.uint16), (180, 1))
    return encode(Image.fromarray(samples), "PNG")


READABLE = {
    "JPEG": encode(picture()),
    "progressive JPEG": encode(picture(), progressive=True),
    "grey JPEG": encode(picture(mode="L")),
    "CMYK JPEG": encode(picture(mode="CMYK")),
    "PNG": encode(picture(), "PNG"),
    "palette PNG": encode(picture(mode="P"), "PNG"),
    "1-bit PNG": encode(picture(mode="1"), "PNG"),
    "16-bit PNG": sixteen_bit(),
    "GIF": encode(picture(mode="P"), "GIF"),
    "animated GIF": animated("GIF"),
    "WebP": encode(picture(), "WEBP"),
    "animated WebP": animated("WEBP"),
    "AVIF": encode(picture(), "AVIF"),
    "BMP": encode(picture(), "BMP"),
    "TIFF": encode(picture(), "TIFF"),
    "ICO": encode(picture(64, 64), "ICO"),
    "1x1 GIF": encode(Image.new("P", (1, 1)), "GIF"),
}

BAD = {
    "empty": (b"", ImageProblem.EMPTY),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>", ImageProblem.HTML),
    "html after spaces": (b"\xef\xbb\xbf \n<html>", ImageProblem.HTML),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', ImageProblem.UNSUPPORTED_FORMAT),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ImageProblem.UNSUPPORTED_FORMAT),
    "jpeg xl": (b"\xff\x0a" + bytes(40), ImageProblem.UNSUPPORTED_FORMAT),
    "pdf": (b"%PDF-1.7\n", ImageProblem.UNSUPPORTED_FORMAT),
    "text": (b"just some words", ImageProblem.NOT_AN_IMAGE),
    "zeros": (bytes(4096), ImageProblem.NOT_AN_IMAGE),
    "half a JPEG": (READABLE["JPEG"][: len(READABLE["JPEG"]) // 2], ImageProblem.TRUNCATED),
    "start of a JPEG": (READABLE["JPEG"][:12], ImageProblem.TRUNCATED),
    "half a PNG": (READABLE["PNG"][: len(READABLE["PNG"]) // 2], ImageProblem.TRUNCATED),
    "half a WebP": (READABLE["WebP"][: len(READABLE["WebP"]) // 2], ImageProblem.TRUNCATED),
    "half a GIF": (READABLE["GIF"][: len(READABLE["GIF"]) // 2], ImageProblem.TRUNCATED),
}


@pytest.mark.parametrize("name", READABLE)
def test_readable(name: str) -> None:
    header = read_header(READABLE[name])
    image = read_rgb(READABLE[name], 160)
    assert header.format in FORMATS
    assert image.mode == "RGB"
    assert max(image.size) == min(160, max(header.width, header.height))


@pytest.mark.parametrize("name", BAD)
def test_bad(name: str) -> None:
    data, problem = BAD[name]
    with pytest.raises(ImageError) as caught:
        read_rgb(data, 160)
    assert caught.value.problem is problem
    assert "\n" not in str(caught.value)


def test_bomb_is_refused_by_its_header() -> None:
    bomb = png_bomb()
    assert len(bomb) < 200_000
    assert (read_header(bomb).width, read_header(bomb).height) == (12_000, 12_000)
    with pytest.raises(ImageError) as caught:
        read_rgb(bomb, 160)
    assert caught.value.problem is ImageProblem.TOO_MANY_PIXELS


def test_extension_and_media_type_come_from_the_signature() -> None:
    assert (read_header(READABLE["WebP"]).extension, read_header(READABLE["WebP"]).media_type) == ("webp", "image/webp")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_white(mode: str) -> None:
    assert np.asarray(read_rgb(transparent(mode), 160)).min() == 255


def test_sixteen_bits_keep_their_range() -> None:
    grey = np.asarray(read_rgb(READABLE["16-bit PNG"], 180))[90, :, 0]
    assert grey[0] == 0
    assert grey[-1] == 255
    assert 120 < grey[60] < 136


def test_first_frame_of_an_animation() -> None:
    for name in ("animated GIF", "animated WebP"):
        red, green, _ = np.asarray(read_rgb(READABLE[name], 160))[80, 50]
        assert red > 200 > 50 > green


def test_adobe_inverted_cmyk_looks_like_its_rgb() -> None:
    # Photoshop writes CMYK inverted, with an Adobe marker; Pillow does the same when it saves.
    data = encode(Image.new("RGB", (100, 150), (200, 30, 40)).convert("CMYK"))
    assert b"Adobe" in data
    red, green, blue = np.asarray(read_rgb(data, 150))[75, 50]
    assert red > 150 > 90 > green
    assert blue < 90


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation: int) -> None:
    image = Image.new("RGB", (200, 300), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 200, 100))  # white on top
    exif = Image.Exif()
    exif[0x0112] = orientation
    inverse = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = image if inverse is None else image.transpose(Image.Transpose(inverse))
    upright = np.asarray(read_rgb(encode(stored, exif=exif), 150))
    assert upright.shape == (150, 100, 3)
    assert upright[10].mean() > 240
    assert upright[140].mean() < 15


def test_letterbox_keeps_the_aspect() -> None:
    square = letterbox(Image.new("RGB", (200, 300), (255, 0, 0)), 150)
    assert square.shape == (150, 150, 3)
    assert (square[:, :25] == 128).all()
    assert (square[:, 25:125] == (255, 0, 0)).all()
    assert letterbox(Image.new("RGB", (10_000, 3)), 160).shape == (160, 160, 3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_never_raise_anything_else(data: st.DataObject) -> None:
    original = READABLE[data.draw(st.sampled_from(sorted(READABLE)))]
    rng = random.Random(data.draw(st.integers(0, 10**6)))
    damaged = bytearray(original)
    for _ in range(rng.randint(1, 30)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    if rng.random() < 0.3:
        damaged = damaged[: rng.randrange(len(damaged))]
    try:
        image = read_rgb(bytes(damaged), 160, max_pixels=4_000_000)
    except ImageError as error:
        assert error.problem in ImageProblem
    else:
        assert image.mode == "RGB"
        assert max(image.size) <= 160


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    try:
        read_header(data)
    except ImageError as error:
        assert str(error)


def test_reduced_decoding_is_close_to_the_full_one() -> None:
    data = encode(picture(1000, 1500), quality=90)
    full = Image.open(io.BytesIO(data)).convert("RGB").resize((107, 160), Image.Resampling.BOX)
    difference = np.abs(np.asarray(read_rgb(data, 160), np.int16) - np.asarray(full, np.int16))
    assert difference.mean() < 3


@pytest.mark.parametrize(("spare", "scale"), [(1, 8), (2, 4)])
def test_spare_says_how_small_a_jpeg_is_decoded(spare: int, scale: int) -> None:
    data = encode(picture(1280, 960), quality=90)
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (1280 // scale, 960 // scale))
        decoded = image.resize((160, 120), Image.Resampling.BILINEAR, reducing_gap=2.0)
    assert read_rgb(data, 160, spare=spare).tobytes() == decoded.tobytes()
