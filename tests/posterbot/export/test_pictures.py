from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import encode, picture
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageDraw, PngImagePlugin

from models.decode import ImageError, ImageProblem
from posterbot.export.options import FITS, Options
from posterbot.export.pictures import prepare

ORIGINALS = Options("webdataset")


def options(size: int, fit: str = "longer") -> Options:
    return Options("webdataset", size=size, fit=fit)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def resized(data: bytes, size: int, fit: str = "longer") -> Image.Image:
    """What is in the dataset, after a look at what is said of it."""
    made = prepare(data, options(size, fit), jpeg=False)
    image = opened(made.data)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (made.width, made.height))
    assert made.extension == "jpg"
    return image


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, np.int16)


sides = st.one_of(st.integers(1, 90), st.integers(91, 1400))


@settings(max_examples=150)
@example(900, 909, 90, "PNG")
@example(1009, 1001, 31, "JPEG")
@given(sides, sides, st.integers(1, 300), st.sampled_from(["JPEG", "PNG"]))
def test_sizes(width: int, height: int, size: int, format: str) -> None:
    data = encode(Image.new("RGB", (width, height), (200, 30, 60)), format)
    longer, shorter = max(width, height), min(width, height)
    images = {fit: resized(data, size, fit) for fit in FITS}
    for fit in set(FITS) - {"pad"}:
        assert pixels(images[fit])[..., 0].min() > 180  # nothing is from outside of it
    made = {fit: image.size for fit, image in images.items()}
    for fit in ("crop", "pad", "stretch"):
        assert made[fit] == (size, size)
    assert max(made["longer"]) == min(size, longer)
    assert min(made["shorter"]) == min(size, shorter)
    for fit, scale in (("longer", min(1, size / longer)), ("shorter", min(1, size / shorter))):
        # A decoder that halves rounds as well, by less than half a pixel of the result.
        assert made[fit][0] == pytest.approx(max(1, width * scale), abs=1.01)
        assert made[fit][1] == pytest.approx(max(1, height * scale), abs=1.01)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_the_right_part_of_the_picture(fit: str, format: str) -> None:
    bands = np.zeros((900, 600, 3), np.uint8)
    bands[:150], bands[150:750], bands[750:] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    image = pixels(resized(encode(Image.fromarray(bands), format), 90, fit))
    top, middle, bottom = (image[row, image.shape[1] // 2] for row in (3, image.shape[0] // 2, -4))
    assert middle == pytest.approx([0, 250, 0], abs=12)
    if fit == "crop":
        assert top == pytest.approx([0, 250, 0], abs=12)
        assert bottom == pytest.approx([0, 250, 0], abs=12)
    else:
        assert top == pytest.approx([250, 0, 0], abs=12)
        assert bottom == pytest.approx([0, 0, 250], abs=12)
    if fit == "pad":
        assert image[:, :8].min() > 243
        assert image[:, -8:].min() > 243


def test_nothing_is_enlarged_but_for_a_square() -> None:
    data = encode(picture(40, 60))
    assert resized(data, 256, "longer").size == (40, 60)
    assert resized(data, 256, "shorter").size == (40, 60)
    padded = pixels(resized(data, 256, "pad"))
    assert np.abs(padded[98:158, 108:148] - pixels(opened(data))).mean() < 6
    assert padded[:90].min() > 250


def test_fine_lines_become_grey_and_no_pattern() -> None:
    rows = np.zeros((1500, 1000, 3), np.uint8)
    rows[::2] = 255
    for format in ("PNG", "JPEG"):
        assert pixels(resized(encode(Image.fromarray(rows), format), 256)).std() < 3


def test_it_is_as_good_as_reducing_all_pixels() -> None:
    image = picture(1000, 1500)
    draw = ImageDraw.Draw(image)
    for row in range(10):
        draw.text((40, 140 * row), "A CITY IS SEARCHING", fill=(row * 25, 0, 255 - row * 25), font_size=60)
    data = encode(image, quality=92)
    best = opened(data).resize((171, 256), Image.Resampling.LANCZOS)
    error = np.mean((pixels(best) - pixels(resized(data, 256))) ** 2)
    assert 10 * np.log10(255**2 / error) > 34  # dB; by the filter of thumbnails it is 32.7


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fit", FITS)
def test_exif_orientations(orientation: int, fit: str) -> None:
    upright = np.full((300, 200, 3), 250, np.uint8)
    upright[:60, :40] = (250, 0, 0)  # top left, in the middle third so that a crop shows it as well
    upright[60:120, :40] = (0, 0, 250)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    data = encode(Image.fromarray(np.ascontiguousarray(stored)), quality=95, exif=exif)
    plain = encode(Image.fromarray(upright), quality=95)
    turned = resized(data, 60, fit)
    assert np.abs(pixels(turned) - pixels(resized(plain, 60, fit))).mean() < 4
    assert not turned.getexif()
    whole = opened(prepare(encode(opened(data), "PNG", exif=exif), ORIGINALS, jpeg=True).data)
    assert np.abs(pixels(whole) - upright).mean() < 4


def test_nothing_but_pixels() -> None:
    image = picture()
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Fritz"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("comment", "at home")
    for data in (
        encode(image, exif=exif, icc_profile=profile, comment=b"at home", dpi=(72, 72), xmp=b"<x:xmpmeta/>"),
        encode(image, "PNG", exif=exif, icc_profile=profile, pnginfo=chunks),
        encode(image, "GIF", comment=b"at home"),
    ):
        for size in (64, 500):
            made = resized(data, size)
            assert set(made.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert made.app.keys() == {"APP0"}
        assert b"at home" not in prepare(data, options(64), jpeg=False).data


def colour(data: bytes, jpeg: bool = False) -> list[int]:
    """Of the middle of a picture of one colour."""
    image = opened(prepare(data, ORIGINALS if jpeg else options(16), jpeg=jpeg).data)
    return [int(value) for value in pixels(image)[image.height // 2, image.width // 2]]


@pytest.mark.parametrize("jpeg", [False, True])
def test_modes(jpeg: bool) -> None:
    red = (200, 20, 20)
    half = Image.new("RGBA", (40, 60), (200, 20, 20, 128))
    palette = Image.new("P", (40, 60), 1)
    palette.putpalette([0, 0, 0, *red])
    frames = [Image.new("RGB", (40, 60), each) for each in (red, (0, 0, 250))]
    sixteen = Image.fromarray(np.full((60, 40), 200 << 8 | 99, np.uint16))
    animated = {"save_all": True, "append_images": frames[1:], "duration": 100}
    about = {
        "half transparent": (encode(half, "PNG"), (227, 137, 137)),
        "palette": (encode(palette, "PNG"), red),
        "palette, see-through": (encode(palette, "PNG", transparency=1), (255, 255, 255)),
        "GIF, see-through": (encode(palette, "GIF", transparency=1), (255, 255, 255)),
        "RGB with one colour that is none": (encode(frames[0], "PNG", transparency=red), (255, 255, 255)),
        "grey with alpha": (encode(Image.new("LA", (40, 60), (0, 128)), "PNG"), (127, 127, 127)),
        "16 bit": (encode(sixteen, "PNG"), (200, 200, 200)),
        "one bit": (encode(Image.new("1", (40, 60), 1), "PNG"), (255, 255, 255)),
        "animated GIF": (encode(frames[0], "GIF", **animated), red),
        "animated WebP": (encode(frames[0], "WEBP", lossless=True, **animated), red),
        "BMP": (encode(frames[0], "BMP"), red),
    }
    for name, (data, expected) in about.items():
        assert colour(data, jpeg) == pytest.approx(expected, abs=6), name


def test_jpegs_of_other_colours() -> None:
    assert colour(encode(Image.new("L", (40, 60), 90))) == pytest.approx([90, 90, 90], abs=2)
    inks = Image.new("RGB", (40, 60), (250, 10, 10)).convert("CMYK")
    assert colour(encode(inks)) == pytest.approx([250, 10, 10], abs=8)


def test_originals_are_left_alone() -> None:
    for format, extension in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif"), ("BMP", "bmp")):
        data = encode(picture(70, 50), format)
        made = prepare(data, ORIGINALS, jpeg=False)
        assert (made.data, made.extension, made.width, made.height) == (data, extension, 70, 50)
    jpeg = encode(picture(70, 50))
    assert prepare(jpeg, ORIGINALS, jpeg=True).data == jpeg
    made = prepare(encode(picture(70, 50), "PNG"), ORIGINALS, jpeg=True)
    assert (made.extension, made.width, made.height) == ("jpg", 70, 50)
    assert np.abs(pixels(opened(made.data)) - pixels(picture(70, 50))).mean() < 3


@pytest.mark.parametrize("jpeg", [False, True])
@pytest.mark.parametrize("size", [None, 32])
@pytest.mark.parametrize(
    ("format", "how"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("WEBP", {}), ("BMP", {}), ("TIFF", {})],
)
def test_what_is_cut_off_is_no_image(format: str, how: dict[str, bool], size: int | None, jpeg: bool) -> None:
    data = encode(picture(), format, **how)
    for share in (0.002, 0.3, 0.8, 0.98):
        with pytest.raises(ImageError):
            prepare(data[: int(len(data) * share)], Options("tfrecord", size=size), jpeg=jpeg)


@pytest.mark.parametrize("data", [b"", b"<!doctype html><p>gone", b"\xff\xd8\xff", bytes(1000)])
def test_what_is_no_image(data: bytes) -> None:
    for size in (None, 32):
        with pytest.raises(ImageError):
            prepare(data, Options("csv", size=size), jpeg=False)


def png_of(width: int, height: int) -> bytes:
    """A PNG of black that is a few kilobytes, whatever its size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + -(-width // 8)) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_what_is_too_large_is_refused() -> None:
    bomb = png_of(9000, 9000)
    assert len(bomb) < 20_000
    for size, jpeg in ((None, False), (None, True), (32, False)):
        with pytest.raises(ImageError) as caught:
            prepare(bomb, Options("csv", size=size), jpeg=jpeg)
        assert caught.value.problem == ImageProblem.TOO_MANY_PIXELS


def test_a_ribbon_that_is_longer_than_a_jpeg_can_be() -> None:
    ribbon = png_of(70_000, 8)
    assert prepare(ribbon, ORIGINALS, jpeg=False).data == ribbon
    assert resized(ribbon, 64, "longer").size == (64, 1)
    for fit in ("crop", "pad", "stretch"):
        assert resized(ribbon, 64, fit).size == (64, 64)
    for how, jpeg in ((options(8, "shorter"), False), (ORIGINALS, True)):
        with pytest.raises(ImageError, match="at most 65,500 pixels"):
            prepare(ribbon, how, jpeg=jpeg)


@pytest.mark.parametrize("fit", FITS)
def test_the_same_bytes_each_time(fit: str) -> None:
    data = encode(picture(700, 1000))
    assert prepare(data, options(64, fit), jpeg=False) == prepare(data, options(64, fit), jpeg=False)


def test_real_originals(real_data: Path) -> None:
    for file in sorted((real_data / "originals/poster").glob("*"))[:12]:
        data = file.read_bytes()
        assert max(resized(data, 128).size) == 128
        assert prepare(data, ORIGINALS, jpeg=False).data == data
