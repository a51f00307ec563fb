"""Bytes from the web to a small RGB picture, or a reason why not.

Nothing here trusts a file name or a Content-Type: only the bytes speak. Sizes are read from the header before a
single pixel is decoded, so that a 139 kB file that unfolds to 144 megapixels is refused for the price of its header.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

# Our own pixel cap speaks before Pillow's, which only warns up to twice its limit.
Image.MAX_IMAGE_PIXELS = None
# Pillow reports oddities in EXIF and palettes as warnings; on the open web they are the normal case.
warnings.filterwarnings("ignore", module=r"PIL\..*")

MAX_PIXELS = 64_000_000
"""Default for the largest width × height that is decoded: 64 megapixels, 192 MB as RGB."""
MAX_READS = 100_000
"""Steps in which a file may be read. 20 MB of PNG in chunks of 1 kB take some 80,000; a hostile header takes millions,
each a turn of a loop in Python."""
MAX_SCANS = 16
"""Scans that a progressive JPEG of ``max_pixels`` may have, and smaller ones accordingly more: a scan that codes
nothing is a few bytes, and goes over every pixel all the same. Encoders write about ten."""
MAX_ICON_PIXELS = 4_000_000
"""Largest width × height of a picture in an icon, which Pillow decodes as it opens the file."""
PADDING = 128
"""The grey around a letterboxed picture."""

FORMATS = {
    "JPEG": ("jpg", "image/jpeg"),
    "MPO": ("jpg", "image/jpeg"),  # a JPEG with further pictures behind the first, as many phones write
    "PNG": ("png", "image/png"),
    "GIF": ("gif", "image/gif"),
    "WEBP": ("webp", "image/webp"),
    "AVIF": ("avif", "image/avif"),
    "BMP": ("bmp", "image/bmp"),
    "ICO": ("ico", "image/x-icon"),
    "TIFF": ("tif", "image/tiff"),
}
"""Formats that are read: Pillow's name → (file extension, media type). Others are ``unsupported_format``."""

_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes it upright (JEITA CP-3451, 4.6.4 A)."""
_HTML = re.compile(
    rb"<(!--|\?xml|(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>])"
)
"""What makes bytes a page (WHATWG MIME Sniffing, 7.1), and XML that is not SVG."""
_OPENERS = [name for name in FORMATS if name != "MPO"]  # MPO is opened as JPEG and recognised behind it


class ImageProblem(StrEnum):
    """Why bytes gave no picture. The values are stable: they are stored in catalogues."""

    EMPTY = "empty"
    HTML = "html"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    TOO_MANY_PIXELS = "too_many_pixels"


class ImageError(ValueError):
    """These bytes cannot be read as a picture; ``problem`` says why, ``str()`` gives one line with the details."""

    def __init__(self, problem: ImageProblem, detail: str) -> None:
        super().__init__(f"{problem}: {detail}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes say of an image.

    ``width`` and ``height`` are pixels as stored, before any EXIF rotation; ``format`` is a key of :data:`FORMATS`.
    """

    format: str
    width: int
    height: int

    @property
    def extension(self) -> str:
        """File extension without the dot, from the signature."""
        return FORMATS[self.format][0]

    @property
    def media_type(self) -> str:
        """Media type, from the signature (RFC 6838)."""
        return FORMATS[self.format][1]


class Picture:
    """The bytes of an image, opened: the header at once, the pixels when asked for.

    Args:
        data: the file's bytes.

    Raises:
        ImageError: ``empty``, ``html``, ``not_an_image``, ``unsupported_format`` (SVG, HEIC and whatever else has a
            signature that is known but no decoder here), or ``truncated`` within the header.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._image = _open(data)
        self.header = Header(self._image.format or "", *self._image.size)

    def rgb(
        self,
        side: int,
        max_pixels: int = MAX_PIXELS,
        resample: Image.Resampling = Image.Resampling.BILINEAR,
        spare: int = 2,
    ) -> Image.Image:
        """The picture as 8-bit RGB, upright, reduced so that its longer side is ``side`` pixels; never enlarged.

        JPEG is decoded at a reduced scale (libjpeg's DCT scaling), which is what makes a large poster as cheap as a
        small one. Of an animation the first frame is read. Transparency is laid on white, as a page would show it;
        16-bit samples keep their high byte. To be called once.

        Args:
            side: the longer side of the result, in pixels.
            max_pixels: the largest width × height that is decoded.
            resample: how it is reduced; models have learned on pictures that were so by the default.
            spare: how many times as large as ``side`` a JPEG is decoded at least, before it is reduced. With 1 it
                takes two thirds of the time, and lettering suffers: scores then differ by 0.01, and up to 0.2.

        Raises:
            ImageError: ``too_many_pixels`` or ``truncated``.
        """
        width, height = self.header.width, self.header.height
        if width * height > max_pixels:
            raise ImageError(ImageProblem.TOO_MANY_PIXELS, f"{width}x{height} is more than {max_pixels:,} pixels")
        if self._image.info.get("progressive"):
            scans = self._data.count(b"\xff\xda")  # nowhere else in coded data
            if scans * width * height > MAX_SCANS * max_pixels:
                raise ImageError(ImageProblem.TOO_MANY_PIXELS, f"{scans} scans of {width}x{height} pixels")
        with self._image as image:
            try:
                # At least twice the wanted size leaves the resize something to average: lettering stays lettering.
                longer, wanted = max(width, height), spare * side
                image.draft("RGB", (max(1, wanted * width // longer), max(1, wanted * height // longer)))
                image.load()
                small = _reduce(image, side, resample)
            except ImageError:
                raise
            except Exception as error:  # as in _open: damaged data can end in anything
                raise ImageError(ImageProblem.TRUNCATED, str(error) or type(error).__name__) from None
            # Turned last: doing it first would move every pixel of the original.
            turn = _TURNS.get(_orientation(image))
        return small if turn is None else small.transpose(turn)


def read_header(data: bytes) -> Header:
    """Format and size of the image in ``data``, without decoding pixels. Raises as :class:`Picture`."""
    return Picture(data).header


def read_rgb(data: bytes, side: int, max_pixels: int = MAX_PIXELS, spare: int = 2) -> Image.Image:
    """See :meth:`Picture.rgb`. Raises as that and :class:`Picture`."""
    return Picture(data).rgb(side, max_pixels, spare=spare)


def letterbox(image: Image.Image, side: int) -> np.ndarray:
    """``image`` fitted into a grey square, so that its aspect ratio stays visible: uint8, (side, side, 3), 0–255.

    Posters are 2:3 and squashing would hide it. The grey (:data:`PADDING`) is the network's zero.
    """
    scale = side / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    fitted = image if image.size == size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    square = np.full((side, side, 3), PADDING, np.uint8)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = np.asarray(fitted, np.uint8)
    return square


class _Reader(io.BytesIO):
    """A file that loses patience: Pillow's own parsers have no bound on what they walk over."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > MAX_READS:
            raise ImageError(ImageProblem.NOT_AN_IMAGE, f"more than {MAX_READS:,} pieces")
        return super().read(size)


def _open(data: bytes) -> Image.Image:
    if not data:
        raise ImageError(ImageProblem.EMPTY, "no bytes")
    if data.startswith(b"\0\0\1\0") and data[4:8] != b"ftyp":
        _check_icon(data)
    try:
        image = Image.open(_Reader(data), formats=_OPENERS)
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except ImageError:
        raise
    except Exception as error:  # Pillow's plugins raise almost anything on hostile headers
        raise ImageError(ImageProblem.TRUNCATED, f"{type(error).__name__}: {error}") from None
    if image.width < 1 or image.height < 1:
        raise ImageError(ImageProblem.NOT_AN_IMAGE, "the header gives a side of 0 pixels")
    return image


def _check_icon(data: bytes) -> None:
    """Refuse an icon that holds a picture of more than :data:`MAX_ICON_PIXELS`, whatever its directory says."""
    behind = 6 + 16 * int.from_bytes(data[4:6], "little")
    for place in {data[entry + 12 : entry + 16] for entry in range(6, min(behind, len(data) - 15), 16)}:
        at = int.from_bytes(place, "little")
        is_png = data[at : at + 8] == b"\x89PNG\r\n\x1a\n"
        sides = data[at + 16 : at + 24] if is_png else data[at + 4 : at + 12]
        width, height = (int.from_bytes(side, "big" if is_png else "little") for side in (sides[:4], sides[4:]))
        # A bitmap is followed by its mask, and both are counted; a negative height is one that begins at the top.
        height = height if is_png else min(height, 2**32 - height) // 2
        if width * height > MAX_ICON_PIXELS and (is_png or data[at : at + 4] != b"\x0c\0\0\0"):
            raise ImageError(ImageProblem.TOO_MANY_PIXELS, f"an icon of {width}x{height} pixels")


def _orientation(image: Image.Image) -> object:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # a broken EXIF block is no reason to lose the picture
        return None


def _unidentified(data: bytes) -> ImageError:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return ImageError(ImageProblem.UNSUPPORTED_FORMAT, "SVG is a drawing program, not a picture")
    if _HTML.match(head):
        return ImageError(ImageProblem.HTML, "a page where an image was expected")
    if data[4:8] == b"ftyp":
        return ImageError(ImageProblem.UNSUPPORTED_FORMAT, f"ISO media of brand {data[8:12]!r} (HEIC, video)")
    for signature, name in (
        (b"\xff\x0a", "JPEG XL"),
        (b"\x00\x00\x00\x0cJXL", "JPEG XL"),
        (b"\x00\x00\x00\x0cjP", "JPEG 2000"),
        (b"8BPS", "PSD"),
        (b"%PDF", "PDF"),
    ):
        if data.startswith(signature):
            return ImageError(ImageProblem.UNSUPPORTED_FORMAT, name)
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8")) or data[8:12] == b"WEBP":
        return ImageError(ImageProblem.TRUNCATED, "the header is cut short or damaged")
    return ImageError(ImageProblem.NOT_AN_IMAGE, f"begins with {data[:8]!r}")


def _reduce(image: Image.Image, side: int, resample: Image.Resampling) -> Image.Image:
    """8-bit RGB with the longer side at most ``side``; reduced before converting wherever the mode allows."""
    if image.mode in {"I;16", "I;16B", "I;16L", "I"}:
        samples = np.asarray(image)
        image = Image.fromarray((np.clip(samples, 0, 65535).astype(np.uint32) >> 8).astype(np.uint8), "L")
    elif image.mode == "F":
        image = Image.fromarray(np.clip(np.asarray(image), 0, 255).astype(np.uint8), "L")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode in {"P", "PA"}:
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    elif image.mode == "RGB" and "transparency" in image.info:
        image = image.convert("RGBA")  # PNG tRNS on RGB: one colour is see-through
    elif image.mode == "LA":
        image = image.convert("RGBA")
    scale = side / max(image.size)
    if scale < 1:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image = image.resize(size, resample, reducing_gap=2.0)
    if image.mode in {"RGBA", "RGBa", "La"}:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")
